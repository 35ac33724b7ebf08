"""14.9: from a symbol in each frame to a string."""

import itertools

import torch

from advcourse.exercises.catalogue import Exercise

FRAMES, SYMBOLS = 14, 11


def read_frames(scores):
    return spelt(collapsed(best(scores)))


def best(scores):
    return scores.argmax(1).tolist()


def collapsed(path):
    """Equal neighbours as one."""
    return [symbol for symbol, _ in itertools.groupby(path)]


def spelt(path, blank=0, first=1):
    """The digits without the blanks; first: the symbol of digit 0."""
    return "".join(str(symbol - first) for symbol in path if symbol != blank)


MISTAKES = {
    "the blanks go before equal neighbours are made one, so that 1 _ 1 becomes 1: first the neighbours, then the "
    "blanks": lambda scores: spelt(collapsed([symbol for symbol in best(scores) if symbol])),
    "equal neighbours are not made one: a digit lasts several frames": lambda scores: spelt(best(scores)),
    "every digit occurs once: only equal *neighbours* are one": lambda scores: spelt(dict.fromkeys(best(scores))),
    "every digit occurs once, in order of size: only equal *neighbours* are one":
        lambda scores: spelt(sorted(set(best(scores)))),
    "the last symbol is taken for the blank; here it is symbol 0":
        lambda scores: spelt(collapsed(best(scores)), blank=SYMBOLS - 1, first=0),
    "the symbols are taken for digits: symbol d + 1 is digit d":
        lambda scores: spelt(collapsed(best(scores)), first=0),
    "the blanks are still there, as digit −1": lambda scores: spelt(collapsed(best(scores)), blank=None),
    "the blanks are still there": lambda scores: "".join(
        "_" if symbol == 0 else str(symbol - 1) for symbol in collapsed(best(scores))),
    "digits are separated: the string holds nothing else": lambda scores: " ".join(read_frames(scores)),
    "this is the likeliest *frame* of each symbol: `.argmax(1)` goes over the symbols":
        lambda scores: spelt(collapsed(scores.argmax(0).tolist())),
    "the string is the wrong way round": lambda scores: read_frames(scores)[::-1],
    "the smallest score is taken in each frame, in place of the largest": lambda scores: read_frames(-scores),
    "a run of two equal symbols is made one, a longer one is not: equal neighbours are one however many they are":
        lambda scores: spelt(pairwise_once(best(scores))),
}


def pairwise_once(path):
    kept, place = [], 0
    while place < len(path):
        kept.append(path[place])
        place += 2 if path[place:place + 2] == [path[place]] * 2 else 1
    return kept


def frame_probes(generator):
    """Frames that spell digits with every kind of neighbour: held long, repeated behind a blank, repeated later."""
    def draw():
        one, two, three = (torch.randperm(10, generator=generator)[:3] + 1).tolist()
        path = [0, one, one, one, 0, one, two, two, two, three, 0, 0, two, one]
        shift = int(torch.randint(3, (), generator=generator))
        path = ([0] * shift + path)[:FRAMES]
        scores = torch.randn(FRAMES, SYMBOLS, generator=generator)
        scores[torch.arange(FRAMES), torch.tensor(path)] += 6
        return {"scores": scores.log_softmax(1)}

    def told_apart():
        for _ in range(1000):
            probe = draw()
            found = [read_frames(**probe), *(mistake(**probe) for mistake in MISTAKES.values())]
            if len(set(found)) == len(found):
                return probe
        raise RuntimeError("no probe tells these mistakes apart")

    return [told_apart() for _ in range(4)]


def right_string(probe, result):
    """The string is the one that the frames spell."""
    right = read_frames(**probe)
    if result == right:
        return None
    for message, mistake in MISTAKES.items():
        if result == mistake(**probe):
            return message
    shown = result if len(result) <= 30 else f"{result[:29]}…"
    path = "".join("_" if symbol == 0 else str(symbol - 1) for symbol in best(**probe))
    return f"the frames {path} read {right!r} (_ is the blank); you read {shown!r}"


exercise = Exercise(
    number="14.9",
    title="From frames to a string",
    points=2,
    minutes=8,
    hints=(
        ("In which order?",
         "First equal neighbours become one symbol, then the blanks go. The blank keeps two equal digits apart."),
        ("How do I make equal neighbours one?",
         "Keep a symbol if it differs from the one before: `torch.unique_consecutive` does it, or "
         "`itertools.groupby`, or a loop with the last symbol in a variable."),
        ("Show me nearly all of it.",
         "`path = torch.unique_consecutive(scores.argmax(1)).tolist()`, then join `str(symbol - 1)` for every symbol "
         "that is not 0."),
    ),
    reference=read_frames,
    probes=frame_probes,
    properties={"the string is what the frames spell": right_string},
)
