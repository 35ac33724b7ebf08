"""13.8: random parts of messages."""

from collections import Counter
from math import ceil

import numpy as np
import torch
from scipy.special import bdtr, bdtrc

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.probes import shuffled

TRIES = {10: 1500, 7: 900, 2: 150, 1: 5}  # how many texts of so many words
RARE = 5e-9  # a count this improbable, on either side, is no chance: 46 counts are tried, so one run in two million


def random_parts(texts, seed):
    rng = np.random.default_rng(seed)
    parts = []
    for text in texts:
        words = text.split()
        length = rng.integers((len(words) + 1) // 2, len(words) + 1)
        begin = rng.integers(len(words) - length + 1)
        parts.append(" ".join(words[begin:begin + length]))
    return parts


def random_parts_probes(generator):
    def words():
        letters = shuffled("abcdefghijklmnopqrstuvwxyz", generator)
        return ["".join(pair) for pair in zip(letters[::2], letters[1::2], strict=True)]

    return [{"texts": [" ".join(words()[:count])] * tries,
             "seed": int(torch.randint(2**31, (), generator=generator))} for count, tries in TRIES.items()]


def are_parts(probe, result):
    texts = probe["texts"]
    if len(result) != len(texts):
        return f"you return {len(result)} parts of {len(texts)} texts: one of each is wanted"
    for text, part in zip(texts, [" ".join(part.split()) for part in result], strict=True):
        if not part:
            return f"a part of {text!r} is empty: at least one word must stay"
        if f" {part} " not in f" {text} ":
            if set(part.split()) <= set(text.split()):
                return f"{part!r} is no part of {text!r}: its words must follow one another there, in this order"
            return f"{part!r} holds what is no word of {text!r}: whole words stay, with blanks between them"
    return None


def placed(probe, result):
    """How many words the texts have, and how often a part of so many words begins at a place."""
    words = probe["texts"][0].split()
    return len(words), Counter((len(part.split()), words.index(part.split()[0])) for part in result)


def uneven(counts, options):
    """Which of the options is drawn too often or too seldom, the worst; None where chance explains all of it."""
    total, share = sum(counts.values()), 1 / len(options)
    if total == 0:
        return None
    chances = {option: min(bdtr(counts[option], total, share),
                           bdtrc(counts[option] - 1, total, share) if counts[option] else 1.0) for option in options}
    worst = min(chances, key=chances.get)
    return worst if chances[worst] < RARE else None


def lengths_even(probe, result):
    count, places = placed(probe, result)
    shortest = ceil(count / 2)
    lengths = Counter()
    for (length, _), times in places.items():
        lengths[length] += times
    if len(places) == 1 and count > 1:
        return "every text gets the same part: draw anew for each"
    if min(lengths) < shortest:
        return (f"of {count} words {min(lengths)} are left: at least half, {shortest}, must stay. Draw the length "
                "first, and then a beginning for which it fits")
    worst = uneven(lengths, range(shortest, count + 1))
    if worst is None:
        return None
    if len(lengths) == 1:
        return f"all parts have {next(iter(lengths))} words: the length is to be drawn, from half of the words to all"
    if lengths[count] == 0:
        return ("no part is ever the whole text: `integers(low, high)` does not draw its end, so `high` is one more; "
                "and `int` rounds down")
    if lengths[shortest] == 0:
        return f"a part never has {shortest} words, half of {count}, rounded up"
    ends = lengths[shortest] + lengths[count]
    if abs(ends / sum(lengths.values()) - 1 / (count - shortest)) < 0.06 and count - shortest > 1:
        return ("the shortest and the longest part come half as often as the others: `round` of a uniform number does "
                "that; draw whole numbers")
    share = lengths[worst] / sum(lengths.values())
    return (f"{worst} of {count} words are left in {share:.0%} of the parts; every length from {shortest} to {count} "
            f"is as likely, {1 / (count + 1 - shortest):.0%}")


def places_even(probe, result):
    count, places = placed(probe, result)
    if count > 2 and not any(length < count for length, _ in places):
        return "every part is the whole text: none of its words is ever left out"
    begins = {begin for (length, begin), _ in places.items() if length < count}
    if count > 2 and begins == {0}:
        return "every part begins with the first word: the beginning is to be drawn, too"
    if count > 2 and all(begin + length == count for length, begin in places):
        return "every part ends with the last word: the beginning is to be drawn among all that fit"
    for length in sorted({length for length, _ in places}):
        here = Counter({begin: times for (size, begin), times in places.items() if size == length})
        options = range(count - length + 1)
        worst = uneven(here, options)
        if worst is None:
            continue
        if here[options[-1]] == 0:
            return ("the last word is never in a part that leaves a word out: the last beginning is len(words) − "
                    "length, and `integers` does not draw its end")
        if here[0] == 0:
            return "the first word is never in a part that leaves a word out: beginnings count from 0"
        return (f"parts of {length} of {count} words begin at word {worst} in "
                f"{here[worst] / sum(here.values()):.0%}; all {len(options)} beginnings are as likely")
    return None


def even(probe, result):
    for seed in (0, 1, 42):
        if seed != probe["seed"] and len(result) > 100 and result == random_parts(probe["texts"], seed):
            return f"this is drawn with the seed {seed}, whatever `seed` says: `np.random.default_rng(seed)`"
    return lengths_even(probe, result) or places_even(probe, result)


exercise = Exercise(
    number="13.8",
    title="Random parts of messages",
    points=3,
    minutes=10,
    hints=(
        ("What is drawn first?",
         "The length, a whole number from half of the words, rounded up, to all of them. Then the beginning, among "
         "those for which a part of this length still fits."),
        ("Which numbers does `rng.integers` draw?",
         "`rng.integers(low, high)` never draws `high`, and `rng.integers(high)` begins at 0. So the last beginning, "
         "len(words) − length, needs `rng.integers(len(words) - length + 1)`."),
        ("Show me nearly all of it.",
         "For each text `length = rng.integers((len(words) + 1) // 2, len(words) + 1)`, "
         "`begin = rng.integers(len(words) - length + 1)`, and `\" \".join(words[begin:begin + length])`."),
    ),
    reference=random_parts,
    probes=random_parts_probes,
    gates={"every part is made of words that follow one another": are_parts},
    properties={"every length from half to all, and every beginning that fits, is as likely": even},
)
