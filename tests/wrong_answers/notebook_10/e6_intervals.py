"""Plausible wrong answers to exercise 10.6, each with a part of the message that it should get, and right ones."""

import numpy as np
import torch
from torch.nn import functional as F

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


def maps_the_half_width_and_takes_its_size(weight, bias, low, high):
    centre, half = (low + high) / 2 @ weight.T + bias, ((high - low) / 2 @ weight.T).abs()
    return centre - half, centre + half


def takes_the_euclidean_norm(weight, bias, low, high):
    half = ((high - low)[:, None] / 2 * weight).norm(dim=2)
    centre = (low + high) / 2 @ weight.T + bias
    return centre - half, centre + half


def puts_the_bias_on_both(weight, bias, low, high):
    centre, half = (low + high) / 2 @ weight.T + bias, (high - low) / 2 @ weight.abs().T + bias
    return centre - half, centre + half


def cuts_at_zero(weight, bias, low, high):
    return tuple(end.relu() for end in interval(weight, bias, low, high))


def tries_some_images(weight, bias, low, high):
    outputs = (low + (high - low) * torch.rand(500, *low.shape)) @ weight.T + bias
    return outputs.amin(0), outputs.amax(0)


def is_on_the_safe_side(weight, bias, low, high):
    low, high = interval(weight, bias, low, high)
    return low - 1, high + 1


def proves_nothing(weight, bias, low, high):
    low, high = interval(weight, bias, low, high)
    return torch.full_like(low, -1e9), torch.full_like(high, 1e9)


def goes_weight_by_weight(weight, bias, low, high):
    lowest = [[bias[j] + sum(min(w * a, w * b) for w, a, b in zip(weight[j], low[i], high[i], strict=True))
               for j in range(len(weight))] for i in range(len(low))]
    highest = [[bias[j] + sum(max(w * a, w * b) for w, a, b in zip(weight[j], low[i], high[i], strict=True))
                for j in range(len(weight))] for i in range(len(low))]
    return torch.tensor(lowest), torch.tensor(highest)


def works_in_numpy(weight, bias, low, high):
    weight, bias, low, high = (part.double().numpy() for part in (weight, bias, low, high))
    corners = weight[None] * low[:, None], weight[None] * high[:, None]
    return [np.minimum(*corners).sum(2) + bias, np.maximum(*corners).sum(2) + bias]


def adds_in_place(weight, bias, low, high):
    centre, half = low.clone(), high.clone()
    centre += high
    half -= low
    centre, half = F.linear(centre / 2, weight, bias), F.linear(half / 2, weight.abs())
    return centre.sub(half), half.add_(centre)


def splits_the_weights_by_sign(weight, bias, low, high):
    plus, minus = weight.clamp_min(0), weight.clamp_max(0)
    return low @ plus.T + high @ minus.T + bias, high @ plus.T + low @ minus.T + bias


WRONG = [
    (maps_the_ends, "the outputs of the two ends"),
    (sorts_the_ends, "the two ends, sorted"),
    (forgets_the_bias, "the bias is missing"),
    (adds_the_bias_twice, "the bias widens the interval"),
    (takes_absolute_weights_for_the_centre, "the centre goes through |W|"),
    (forgets_to_halve, "is not halved"),
    (forgets_the_absolute_value, "the outputs of the two ends"),
    (gives_the_upper_end_first, "the upper end comes first"),
    (gives_the_centre_and_the_half_width, "the centre and the half width"),
    (maps_the_half_width_and_takes_its_size, "|W| r"),
    (takes_the_euclidean_norm, "the Euclidean norm"),
    (puts_the_bias_on_both, "added to the half width"),
    (cuts_at_zero, "cut at 0"),
    (tries_some_images, "it proves nothing"),
    (is_on_the_safe_side, "wider than it needs to be"),
    (proves_nothing, "wider than it needs to be"),
]

RIGHT = [splits_the_weights_by_sign, goes_weight_by_weight, works_in_numpy, adds_in_place]
