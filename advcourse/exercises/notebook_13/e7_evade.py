"""13.7: the cheapest words that make a message pass."""

import functools
import itertools

import numpy as np
import torch

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.probes import random_words, shuffled
from advcourse.exercises.properties import ROUNDING


def evade(message, weights, bias, costs):
    return cheapest(message, weights, bias, costs)


def score(message, weights, bias, *, once=True):
    words = message.split()
    return bias + sum(weights.get(word, 0.0) for word in (set(words) if once else words))


def price(words, costs):
    return sum(costs[word] for word in words)


def cheapest(message, weights, bias, costs, *, fewest=False, once=True, there=True, early=0.0):
    """The answer, with the places at which one may go wrong as arguments.

    fewest: the number of words counts before their price. there: whether words of the message are known to change
    nothing. early: a score that is low enough.
    """
    now = score(message, weights, bias, once=once)
    names = sorted(word for word in costs if not there or word not in message.split())
    chosen = subsets(len(names))
    chosen = chosen[now + chosen @ [weights.get(word, 0.0) for word in names] <= early]
    if now <= early or not len(chosen):
        return message
    ranks = chosen @ [costs[word] for word in names] + 1000 * fewest * chosen.sum(1)
    return " ".join([message, *itertools.compress(names, chosen[ranks.argmin()])])


@functools.cache
def subsets(count):
    """All subsets of so many things, as rows of zeros and ones."""
    return np.array(list(itertools.product((0, 1), repeat=count)))


def greedy(rank):
    """The mistake of adding words one after the other until the message passes, by this rank."""
    def wrong(message, weights, bias, costs):
        now, added = score(message, weights, bias), []
        good = [word for word in costs if weights.get(word, 0.0) < 0 and word not in message.split()]
        for word in sorted(good, key=lambda word: rank(weights[word], costs[word])):
            if now <= 0:
                break
            now += weights[word]
            added.append(word)
        return " ".join([message, *added]) if now <= 0 else message
    return wrong


def one_more(message, weights, bias, costs):
    """The mistake of a word too many."""
    right = evade(message, weights, bias, costs)
    rest = [word for word in sorted(costs) if word not in right.split() and weights.get(word, 0.0) < 0]
    return " ".join([right, *rest[:1]])


def every_good_word(message, weights, bias, costs):
    good = [word for word in costs if weights.get(word, 0.0) < 0 and word not in message.split()]
    return " ".join([message, *good])


DEARER = {
    "this adds the best words first, whatever they cost": greedy(lambda weight, cost: weight),
    "this adds the cheapest words first, whatever they do": greedy(lambda weight, cost: cost),
    "this adds the best words for their price, one after the other: that is near the cheapest set and not it. Try all "
    "sets": greedy(lambda weight, cost: weight / cost),
    "this is the smallest number of words; the smallest *price* is wanted":
        lambda **probe: cheapest(**probe, fewest=True),
    "a word that stands twice in the message counts once: `set(message.split())`":
        lambda **probe: cheapest(**probe, once=False),
    "this adds every word that helps": every_good_word,
    "one word more than needed was added": one_more,
    "the message passes at a score of 0 and below; you go on to -1": lambda **probe: cheapest(**probe, early=-1.0),
}


def evade_probes(generator):
    def between(low, high, count):
        return [round(low + (high - low) * value, 3) for value in torch.rand(count, generator=generator).tolist()]

    def draw(bias, names):
        bad, good, useless, fillers = names[:4], names[4:12], names[12], names[13:]
        helps = [1.5, *between(0.3, 1.6, 7)]  # the first stands in the message already, and would be cheap
        extra = between(0, 0.8, 7)
        prices = [0.2, *(round(1.5 * help**2 + more, 3) for help, more in zip(helps[1:], extra, strict=True))]
        weights = {**dict(zip(bad, between(0.9, 1.5, 4), strict=True)), useless: 0.3,
                   **{word: -help for word, help in zip(good, helps, strict=True)}}
        costs = {**dict(zip(good, prices, strict=True)), useless: 0.2}
        message = shuffled([*bad, bad[0], *fillers, good[0]], generator)
        return {"message": " ".join(message), "weights": weights, "bias": bias, "costs": costs}

    def tells_apart(probe):
        """Whether every mistake has an answer of its own, and no score is so near 0 that rounding decides."""
        names = sorted(probe["costs"])
        sums = subsets(len(names)) @ [probe["weights"][word] for word in names]
        if abs(score(probe["message"], probe["weights"], probe["bias"]) + sums).min() < 1e-4:
            return False
        seen = set()
        for formula in (evade, *DEARER.values()):
            result = formula(**probe)
            if price_of(probe, result) in (None, 0) or set_of_words(result) in seen:
                return False
            seen.add(set_of_words(result))
        wasteful = added_words(probe, cheapest(**probe, there=False))
        biasless = cheapest(**probe | {"bias": 0.0})
        return (bool(set(wasteful) & set(probe["message"].split())) and price_of(probe, biasless) is None
                and len(set_of_words(evade(**probe)) ^ set_of_words(biasless)) > 1)  # not one that stops a word early

    def telling():
        names = random_words(generator, 15)
        return next(filter(tells_apart, (draw(0.6, names) for _ in itertools.count())))

    return [telling(), telling(), draw(30.0, random_words(generator, 15)), draw(-9.0, random_words(generator, 15))]


def added_words(probe, result):
    return result.split()[len(probe["message"].split()):]


def set_of_words(text):
    return frozenset(text.split())


def price_of(probe, result):
    """What the added words of a result cost; None where it does not pass."""
    return price(added_words(probe, result), probe["costs"]) if (
        score(result, probe["weights"], probe["bias"]) <= 0) else None


def nothing_lost(probe, result):
    message = probe["message"].split()
    if result.split()[:len(message)] != message:
        return "words of the message are gone, or stand elsewhere: only add words, behind it"
    if strange := [word for word in added_words(probe, result) if word not in probe["costs"]]:
        return f"{strange[0]!r} was added and has no price: only words in `costs` may be added"
    return None


def passes(probe, result):
    wanted, found = evade(**probe), score(result, probe["weights"], probe["bias"])
    if found <= 0 or price_of(probe, wanted) is None:
        return None
    added = added_words(probe, result)
    if wasted := [word for word in added if word in probe["message"].split()]:
        return f"{wasted[0]!r} stands in the message already: to add it again changes nothing, and is paid for"
    if not added:
        return f"the message is as it was, at a score of {found:.2g}: there are words that make it pass"
    if set_of_words(result) == set_of_words(cheapest(**probe | {"bias": 0.0})):
        return f"the score is {found:.2g}, still above 0: the bias belongs to it"
    return f"the score is {found:.2g}, still above 0: go on until it passes"


def is_cheapest(probe, result):
    wanted = evade(**probe)
    added, best = price(added_words(probe, result), probe["costs"]), price(added_words(probe, wanted), probe["costs"])
    if added <= best + ROUNDING:
        return None
    if wanted == probe["message"]:
        if score(wanted, probe["weights"], probe["bias"]) <= 0:
            return "this message passes as it is, and you add words to it"
        return "no words make this message pass, and you add some all the same: return it as it is"
    for message, mistake in DEARER.items():
        if set_of_words(mistake(**probe)) == set_of_words(result):
            return message
    return f"your words cost {added:.3g}; {best:.3g} is enough"


exercise = Exercise(
    number="13.7",
    title="The cheapest way past",
    points=3,
    minutes=15,
    hints=(
        ("Is there a rule for which word comes first?",
         "None that is always right: it is a knapsack. There are at most 12 words, so there are at most 4,096 sets of "
         "words: try them all."),
        ("How do I go through all sets?",
         "`itertools.combinations(words, size)` for every size from 0 on. The score of the message is needed once: "
         "words that are added change it by their weights."),
        ("Show me nearly all of it.",
         "`sets = [c for size in range(len(words) + 1) for c in combinations(words, size) "
         "if score + sum(weights.get(w, 0) for w in c) <= 0]`, where `words` are those of `costs` that the message "
         "does not hold; then `min(sets, key=…, default=())` by their price."),
    ),
    reference=evade,
    probes=evade_probes,
    gates={"the message is still there, and only words with a price were added": nothing_lost,
           "it passes, where it can": passes},
    properties={"no other words are cheaper": is_cheapest},
)
