"""Plausible wrong answers to exercise 10.6, each with a part of the message that it should get, and right ones."""

import torch

from advcourse.exercises.notebook_10.e6_intervals import interval


def maps_the_ends(weight, bias, low, high):
    return low @ weight.T + bias, high @ weight.T + bias


def sorts_the_ends(weight, bias, low, high):
    ends = torch.stack(maps_the_ends(weight, bias, low, high))
    return ends.amin(0), ends.amax(0)


def forgets_the_bias(weight, bias, low, high):
    return interval(weight, torch.zeros_like(bias), low, high)


def adds_the_bias_twice(weight, bias, low, high):
    low, high = interval(weight, bias, low, high)
    return low - bias.abs(), high + bias.abs()


def takes_absolute_weights_for_the_centre(weight, bias, low, high):
    centre, half = (low + high) / 2 @ weight.abs().T + bias, (high - low) / 2 @ weight.abs().T
    return centre - half, centre + half


def forgets_to_halve(weight, bias, low, high):
    centre, half = (low + high) / 2 @ weight.T + bias, (high - low) @ weight.abs().T
    return centre - half, centre + half


def forgets_the_absolute_value(weight, bias, low, high):
    centre, half = (low + high) / 2 @ weight.T + bias, (high - low) / 2 @ weight.T
    return centre - half, centre + half


def gives_the_upper_end_first(weight, bias, low, high):
    return interval(weight, bias, low, high)[::-1]


def gives_the_centre_and_the_half_width(weight, bias, low, high):
    low, high = interval(weight, bias, low, high)
    return (low + high) / 2, (high - low) / 2


def splits_the_weights_by_sign(weight, bias, low, high):
    plus, minus = weight.clamp_min(0), weight.clamp_max(0)
    return low @ plus.T + high @ minus.T + bias, high @ plus.T + low @ minus.T + bias


WRONG = [
    (maps_the_ends, "turns an interval round"),
    (sorts_the_ends, "it proves nothing"),
    (forgets_the_bias, "it proves nothing"),
    (adds_the_bias_twice, "times as wide"),
    (takes_absolute_weights_for_the_centre, "it proves nothing"),
    (forgets_to_halve, "times as wide"),
    (forgets_the_absolute_value, "turns an interval round"),
    (gives_the_upper_end_first, "turns an interval round"),
    (gives_the_centre_and_the_half_width, "it proves nothing"),
]

RIGHT = [splits_the_weights_by_sign]
