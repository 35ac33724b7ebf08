"""Plausible wrong answers to exercise 04.2, each with a part of the message that it should get, and right ones."""

import math

import numpy as np
import torch

from advcourse.exercises.notebook_04.e2_binary_search import largest_weight


def halves_linearly(works, low, high, steps):
    for _ in range(steps):
        middle = (low + high) / 2
        if works(middle):
            low = middle
        else:
            high = middle
    return low


def returns_the_failing_end(works, low, high, steps):
    for _ in range(steps):
        middle = math.sqrt(low * high)
        if works(middle):
            low = middle
        else:
            high = middle
    return high


def goes_the_wrong_way(works, low, high, steps):
    for _ in range(steps):
        middle = math.sqrt(low * high)
        if works(middle):
            high = middle
        else:
            low = middle
    return low


def never_moves_low(works, low, high, steps):
    for _ in range(steps):
        middle = math.sqrt(low * high)
        if not works(middle):
            high = middle
    return low


def tries_once(works, low, high, steps):
    middle = math.sqrt(low * high)
    return middle if works(middle) else low


def returns_high(works, low, high, steps):
    return high


def stops_early(works, low, high, steps):
    return largest_weight(works, low, high, steps - 4)


def forgets_to_return(works, low, high, steps):
    largest_weight(works, low, high, steps)


def halves_in_logarithms(works, low, high, steps):
    a, b = math.log10(low), math.log10(high)
    best = low
    for _ in range(steps):
        middle = 0.5 * (a + b)
        if works(10 ** middle):
            a = middle
            best = 10 ** middle
        else:
            b = middle
    return best


def tries_them_all(works, low, high, steps):
    c, factor = low, (high / low) ** (0.5 ** steps)
    while works(c * factor):
        c *= factor
    return c


def asks_twice_a_step(works, low, high, steps):
    for _ in range(steps):
        middle = math.sqrt(low * high)
        if works(middle):
            low = middle
        if not works(middle):
            high = middle
    return low


def asks_the_ends_first(works, low, high, steps):
    if not works(low) or works(high):
        raise ValueError("nothing to search")
    return largest_weight(works, low, high, steps)


def takes_more_steps(works, low, high, steps):
    return largest_weight(works, low, high, steps + 1)


def returns_the_last_middle(works, low, high, steps):
    for _ in range(steps):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if works(middle) else (low, middle)
    return math.sqrt(low * high) * 1.01


def returns_the_logarithm(works, low, high, steps):
    return -abs(math.log10(largest_weight(works, low, high, steps))) - 1


def halves_the_exponent_once(works, low, high, steps):
    middle = 10 ** ((math.log10(low) + math.log10(high)) / 2)
    for _ in range(steps - 1):
        works(middle)
    return middle if works(middle) else low


def halves_a_tensor(works, low, high, steps):
    ends = torch.tensor([low, high], dtype=torch.float64).log()
    for _ in range(steps):
        middle = ends.mean()
        ends[0 if works(middle.exp().item()) else 1] = middle
    return ends[0].exp()


def halves_again_by_itself(works, low, high, steps):
    if steps == 0:
        return low
    middle = (low * high) ** 0.5
    return halves_again_by_itself(works, *((middle, high) if works(middle) else (low, middle)), steps - 1)


def halves_the_factor(works, low, high, steps):
    c, factor = np.float64(low), np.float64(high / low)
    for _ in range(steps):
        factor = np.sqrt(factor)
        c = c * factor if works(c * factor) else c
    return c


WRONG = [
    (halves_linearly, "geometric mean"),
    (returns_the_failing_end, "the other end of the interval"),
    (goes_the_wrong_way, "at which it worked"),
    (never_moves_low, "that you were given as low"),
    (tries_once, "the first middle"),
    (returns_high, "the attack fails at the c that you return"),
    (stops_early, "times as large"),
    (forgets_to_return, "returns None"),
    (tries_them_all, "each call is a whole attack"),
    (asks_twice_a_step, "each call is a whole attack"),
    (asks_the_ends_first, "each call is a whole attack"),
    (takes_more_steps, "each call is a whole attack"),
    (returns_the_last_middle, "at which it worked"),
    (returns_the_logarithm, "is no weight"),
    (halves_the_exponent_once, "the first middle"),
]

RIGHT = [halves_in_logarithms, halves_a_tensor, halves_again_by_itself, halves_the_factor]
