"""13.4: good words by asking the filter."""

import numpy as np
import torch

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.counted import Counted
from advcourse.exercises.probes import random_words, shuffled

BIAS = -2.5


def active_words(is_spam, message, pool, k):
    left = message.split()
    for word in message.split():
        fewer = [other for other in left if other != word]
        if fewer and is_spam([" ".join(fewer)])[0]:
            left = fewer
    said = is_spam([" ".join([*left, word]) for word in pool])
    return [word for word, spam in zip(pool, said, strict=True) if not spam][:k]


def asking(weights):
    """A linear filter that tells labels alone."""
    def is_spam(texts):
        if isinstance(texts, str):
            raise ValueError(f"is_spam takes a list of messages; got the one message {texts[:20]!r}: put it in "
                             "brackets")
        if not isinstance(texts, list | tuple | np.ndarray):  # what has no length would be one question
            raise TypeError(f"is_spam takes a list of messages; got a {type(texts).__name__}: make a list of it")
        return np.array([BIAS + sum(weights.get(word, 0.0) for word in set(text.split())) > 0 for text in texts])

    return is_spam


def active_words_probes(generator):
    """Any one good word outweighs any one bad one, so the order in which a message is cut down decides nothing."""
    def between(low, high):
        return low + (high - low) * torch.rand((), generator=generator).item()

    probes = []
    for bad_words, k in ((6, 4), (9, 5)):
        names = random_words(generator, bad_words + 5 + 34)
        bad, fillers, pool = names[:bad_words], names[bad_words:bad_words + 5], names[bad_words + 5:]
        good, spammy, plain = pool[:9], pool[9:14], pool[14:]
        weights = ({word: between(0.8, 1.2) for word in bad} | {word: between(-2.0, -1.4) for word in good}
                   | {word: between(0.2, 0.4) for word in spammy})
        rest = shuffled([*good[1:], *spammy, *plain[2:]], generator)
        probes.append({"is_spam": Counted(asking(weights)), "message": " ".join(shuffled([*bad, *fillers], generator)),
                       "pool": [plain[0], good[0], plain[1], *rest], "k": k})
    return probes


def turning(probe):
    """All words of the pool that turn a message that is barely spam."""
    return active_words(probe["is_spam"], probe["message"], probe["pool"], len(probe["pool"]))


def turns(probe, result):
    good, pool, k = turning(probe), probe["pool"], probe["k"]
    if result == good[:k]:
        return None
    if not result:
        return ("you found no word: the message is still spam by more than one word can mend. Take words out of it "
                "first, as long as it stays spam")
    if strange := [word for word in result if word not in pool]:
        return f"{strange[0]!r} is no word of the pool"
    if len(set(result)) < len(result):
        return "a word comes twice"
    if not set(result) & set(good):
        return "each of your words leaves a message spam that barely is: take those that let it *pass*"
    if wrong := [word for word in result if word not in good]:
        return (f"{wrong[0]!r} turns no message that is barely spam. Did you ask about words alone, or cut the message "
                "down until it was ham? Then nearly any word passes")
    if len(result) != k:
        return f"you return {len(result)} words, and k = {k} are wanted; {len(good)} of the pool turn the message"
    return "these words are good, but not the first k in the order of the pool"


def within_budget(probe, result):
    asked, allowed = probe["is_spam"].rows, 2 * len(probe["message"].split()) + len(probe["pool"])
    if asked <= allowed:
        return turns(probe, result)
    return turns(probe, result) or (
        f"you ask about {asked:.0f} messages, and {allowed} are enough: cut the message down once, before you try the "
        "pool, and try each word of the pool once")


exercise = Exercise(
    number="13.4",
    title="Good words, by asking",
    points=4,
    minutes=15,
    hints=(
        ("Why does no word turn the message?",
         "It is spam by the weight of several words, and one good word outweighs one of them or two. Take words out "
         "first, until any further one would make it ham."),
        ("How do I cut it down?",
         "Go once through its words. For each, ask about the message without it: where that is still spam, go on with "
         "that shorter message, else keep the word."),
        ("Show me nearly all of it.",
         "In the loop `fewer = [other for other in left if other != word]` and "
         "`if fewer and is_spam([\" \".join(fewer)])[0]: left = fewer`; after it "
         "`said = is_spam([\" \".join([*left, word]) for word in pool])`: the good words are those where it is False."),
    ),
    reference=active_words,
    probes=active_words_probes,
    properties={"they turn a message that is barely spam, and few questions are enough": within_budget},
)
