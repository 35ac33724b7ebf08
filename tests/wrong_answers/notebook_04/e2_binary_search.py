"""Plausible wrong answers to exercise 04.2, each with a part of the message that it should get, and right ones."""

import math

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


WRONG = [
    (halves_linearly, "geometric mean"),
    (returns_the_failing_end, "the other end of the interval"),
    (goes_the_wrong_way, "at which it worked"),
    (never_moves_low, "that you were given as low"),
    (tries_once, "the first middle"),
    (returns_high, "the attack fails at the c that you return"),
    (stops_early, "times as large"),
    (forgets_to_return, "returns None"),
]

RIGHT = [halves_in_logarithms]
