"""Plausible wrong answers to exercise 13.7, each with a part of the message that it should get, and right ones."""

import itertools

import numpy as np


def score(message, weights, bias):
    return bias + sum(weights.get(word, 0) for word in set(message.split()))


def candidates(message, weights, costs):
    return [word for word in costs if word not in message.split() and weights.get(word, 0) < 0]


def in_order(message, weights, bias, costs, rank):
    text = message
    for word in sorted(candidates(message, weights, costs), key=rank):
        if score(text, weights, bias) <= 0:
            break
        text = f"{text} {word}"
    return text if score(text, weights, bias) <= 0 else message


def adds_the_best_first(message, weights, bias, costs):
    return in_order(message, weights, bias, costs, lambda word: weights[word])


def adds_the_best_bargain_first(message, weights, bias, costs):
    return in_order(message, weights, bias, costs, lambda word: weights[word] / costs[word])


def adds_the_cheapest_first(message, weights, bias, costs):
    return in_order(message, weights, bias, costs, lambda word: costs[word])


def of_all_sets(message, names, passes, rank):
    sets = [chosen for size in range(len(names) + 1) for chosen in itertools.combinations(names, size)
            if passes(chosen)]
    return " ".join([message, *min(sets, key=rank, default=())])


def wants_the_fewest_words(message, weights, bias, costs):
    now, names = score(message, weights, bias), candidates(message, weights, costs)
    return of_all_sets(message, names, lambda chosen: now + sum(weights[word] for word in chosen) <= 0,
                       lambda chosen: (len(chosen), sum(costs[word] for word in chosen)))


def counts_words_twice(message, weights, bias, costs):
    now = bias + sum(weights.get(word, 0) for word in message.split())
    return of_all_sets(message, candidates(message, weights, costs),
                       lambda chosen: now + sum(weights[word] for word in chosen) <= 0,
                       lambda chosen: sum(costs[word] for word in chosen))


def adds_what_is_there(message, weights, bias, costs):
    now, names = score(message, weights, bias), [word for word in costs if weights.get(word, 0) < 0]
    return of_all_sets(message, names, lambda chosen: now + sum(weights[word] for word in chosen) <= 0,
                       lambda chosen: sum(costs[word] for word in chosen))


def forgets_the_bias(message, weights, bias, costs):
    return reference(message, weights, 0, costs)


def reference(message, weights, bias, costs, enough=0.0):
    now = score(message, weights, bias)
    return of_all_sets(message, candidates(message, weights, costs),
                       lambda chosen: now + sum(weights[word] for word in chosen) <= enough,
                       lambda chosen: sum(costs[word] for word in chosen))


def goes_too_far(message, weights, bias, costs):
    return reference(message, weights, bias, costs, enough=-1.0)


def adds_all_good_words(message, weights, bias, costs):
    return " ".join([message, *candidates(message, weights, costs)])


def adds_all_where_nothing_helps(message, weights, bias, costs):
    found = reference(message, weights, bias, costs)
    return found if score(found, weights, bias) <= 0 else adds_all_good_words(message, weights, bias, costs)


def adds_one_where_it_passes(message, weights, bias, costs):
    found = reference(message, weights, bias, costs)
    cheapest = min(candidates(message, weights, costs), key=costs.get)
    return f"{message} {cheapest}" if score(message, weights, bias) <= 0 else found


def deletes_words(message, weights, bias, costs):
    words = message.split()
    while words and score(" ".join(words), weights, bias) > 0:
        words.remove(max(words, key=lambda word: weights.get(word, 0)))
    return " ".join(words)


def puts_words_in_front(message, weights, bias, costs):
    return " ".join(reversed(reference(message, weights, bias, costs).split()))


def returns_only_the_words(message, weights, bias, costs):
    return reference(message, weights, bias, costs)[len(message):].strip()


def returns_the_cost(message, weights, bias, costs):
    return sum(costs.get(word, 0) for word in reference(message, weights, bias, costs).split())


def adds_a_word_of_its_own(message, weights, bias, costs):
    return f"{message} hello"


def stops_halfway(message, weights, bias, costs):
    found = reference(message, weights, bias, costs)
    return found.rsplit(" ", 1)[0] if found != message else message


def returns_none_where_nothing_helps(message, weights, bias, costs):
    found = reference(message, weights, bias, costs)
    return found if score(found, weights, bias) <= 0 else None


def goes_through_bits(message, weights, bias, costs):
    names, best = [word for word in costs if word not in message.split()], None
    for bits in range(2 ** len(names)):
        chosen = [word for place, word in enumerate(names) if bits >> place & 1]
        if score(" ".join([message, *chosen]), weights, bias) <= 0:
            price = sum(costs[word] for word in chosen)
            if best is None or price < best[0]:
                best = price, chosen
    return message if best is None else " ".join([message, *best[1]])


def asks_a_solver(message, weights, bias, costs):
    from scipy.optimize import Bounds, LinearConstraint, milp

    now, names = score(message, weights, bias), candidates(message, weights, costs)
    if now <= 0:
        return message
    found = milp([costs[word] for word in names], integrality=np.ones(len(names)), bounds=Bounds(0, 1),
                 constraints=LinearConstraint([[weights[word] for word in names]], -np.inf, -now - 1e-6),
                 options={"mip_rel_gap": 0})
    return message if found.x is None else " ".join([message, *itertools.compress(names, found.x > 0.5)])


def works_in_numpy(message, weights, bias, costs):
    names = np.array(sorted(word for word in costs if word not in message.split()))
    rows = np.array(list(itertools.product([0, 1], repeat=len(names))))
    low = rows @ [weights.get(word, 0) for word in names] + score(message, weights, bias) <= 0
    if not low.any() or low[0]:
        return message
    prices = np.where(low, rows @ [costs[word] for word in names], np.inf)
    return " ".join([message, *names[rows[prices.argmin()] == 1]])


def searches_the_branches(message, weights, bias, costs):
    """Depth first, with what is dearer than the best one cut off."""
    names, best = candidates(message, weights, costs), [float("inf"), ()]

    def go_on(place, now, price, chosen):
        if price >= best[0]:
            return
        if now <= 0:
            best[:] = [price, chosen]
        elif place < len(names):
            word = names[place]
            go_on(place + 1, now + weights[word], price + costs[word], (*chosen, word))
            go_on(place + 1, now, price, chosen)

    go_on(0, score(message, weights, bias), 0.0, ())
    return " ".join([message, *best[1]])


WRONG = [
    (adds_the_best_first, "the best words first"),
    (adds_the_best_bargain_first, "Try all sets"),
    (adds_the_cheapest_first, "the cheapest words first"),
    (wants_the_fewest_words, "the smallest *price* is wanted"),
    (counts_words_twice, "counts once"),
    (adds_what_is_there, "stands in the message already"),
    (forgets_the_bias, "the bias belongs to it"),
    (goes_too_far, "you go on to -1"),
    (adds_all_good_words, "every word that helps"),
    (adds_all_where_nothing_helps, "no words make this message pass"),
    (adds_one_where_it_passes, "passes as it is"),
    (deletes_words, "words of the message are gone"),
    (puts_words_in_front, "words of the message are gone"),
    (returns_only_the_words, "words of the message are gone"),
    (returns_the_cost, "a string is wanted"),
    (adds_a_word_of_its_own, "has no price"),
    (stops_halfway, "go on until it passes"),
    (returns_none_where_nothing_helps, "returns None"),
]

RIGHT = [goes_through_bits, asks_a_solver, works_in_numpy, searches_the_branches]
