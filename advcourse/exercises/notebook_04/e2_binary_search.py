"""04.2: binary search over c."""

import math
from functools import partial

import torch

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.counted import Counted
from advcourse.exercises.properties import asks_once_a_step, at_cost


def largest_weight(works, low, high, steps):
    for _ in range(steps):
        middle = math.sqrt(low * high)
        if works(middle):
            low = middle
        else:
            high = middle
    return low


def below(threshold, c):
    """An attack that works as long as its weight on the distance is at most this large."""
    return c <= threshold


def weight_probes(generator):
    exponents = torch.rand(3, generator=generator).tolist()
    thresholds = [10 ** (1.2 + exponents[0]), 10 ** (0.4 + 0.6 * exponents[1]), 10 ** (exponents[2] - 2.5)]
    return [{"works": Counted(partial(below, threshold)), "low": 1e-3, "high": 1e3, "steps": steps}
            for threshold, steps in zip(thresholds, (12, 8, 10), strict=True)]


def halve_on_a_linear_scale(works, low, high, steps):
    for _ in range(steps):
        low, high = ((low + high) / 2, high) if works((low + high) / 2) else (low, (low + high) / 2)
    return low


def the_attack_works_there(probe, result):
    if not math.isfinite(result) or result <= 0:
        return f"c = {result:.3g} is no weight: it must be a positive number between low and high"
    if probe["works"](result):
        return None
    upper = largest_weight(lambda c: not probe["works"](c), probe["high"], probe["low"], probe["steps"])
    if math.isclose(result, upper, rel_tol=1e-6):
        return ("you return the smallest c at which the attack fails: return the other end of the interval, the "
                "largest at which it worked")
    return "the attack fails at the c that you return: keep, and return, the largest c at which it worked"


def hardly_at_a_larger_one(probe, result):
    low, high, steps, works = probe["low"], probe["high"], probe["steps"], probe["works"]
    precision = (high / low) ** (0.5 ** steps) * (1 + 1e-6)
    if the_attack_works_there(probe, result):
        return "the attack fails at this c, so the largest at which it works lies below"
    if not works(result * precision):
        return None
    if math.isclose(result, low, rel_tol=1e-6):
        return ("you return the c that you were given as low: when a larger c works, it becomes the new low. (If "
                "yours does: halving on a linear scale takes too many steps to get down to small values; try the "
                "geometric mean, √(low · high))")
    if math.isclose(result, math.sqrt(low * high), rel_tol=1e-6):
        return "this is the first middle: go on halving, `steps` times"
    if math.isclose(result, halve_on_a_linear_scale(works, low, high, steps), rel_tol=1e-6):
        return ("you halve the interval on a linear scale; c may lie anywhere between a thousandth and a thousand, "
                "and the first halvings would all be spent on large ones: try the geometric mean, √(low · high)")
    return (f"the attack also works at a c {precision:.4g} times as large: after `steps` halvings no more than that "
            "factor should be left. Where the middle works it becomes low, else it becomes high")


once_a_step = asks_once_a_step(
    "works", "each call is a whole attack, so call it once a step, for the middle, and keep its answer")


exercise = Exercise(
    number="04.2",
    title="Binary search over c",
    points=3,
    minutes=8,
    hints=(
        ("What do I know at the start?",
         "The attack works at low and fails at high. In between lies the largest c that works."),
        ("What does one step do?",
         "Try a c in the middle. If it works it is the new low, else the new high. As c may be a thousandth or a "
         "thousand, the middle is the geometric one: `math.sqrt(low * high)`."),
        ("Show me nearly all of it.",
         "`for _ in range(steps):` compute the middle, `if works(middle): low = middle`, `else: high = middle`; at "
         "the end return low, the largest c that is known to work."),
    ),
    reference=largest_weight,
    probes=weight_probes,
    gates={
        "the attack works with the weight that you return": the_attack_works_there,
    },
    properties={
        "it hardly works with any larger one": hardly_at_a_larger_one,
        "`works` is asked once a step": at_cost(hardly_at_a_larger_one, once_a_step),
    },
)
