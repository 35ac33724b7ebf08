"""Plausible wrong answers to exercise 05.1, each with a part of the message that it should get, and right ones."""

import numpy as np
import torch

from advcourse.exercises.notebook_05.e1_saliency_map import saliency_map


def sums_all_classes(jacobian, target):
    a, b = jacobian[target], jacobian.sum(0)
    return torch.where((a > 0) & (b < 0), a * b.abs(), 0)


def takes_the_mean_of_the_others(jacobian, target):
    others = torch.cat([jacobian[:target], jacobian[target + 1:]])
    return torch.where((jacobian[target] > 0) & (others.mean(0) < 0), -jacobian[target] * others.mean(0), 0)


def takes_the_strongest_other(jacobian, target):
    others = torch.cat([jacobian[:target], jacobian[target + 1:]]).max(0).values
    return torch.where((jacobian[target] > 0) & (others < 0), -jacobian[target] * others, 0)


def looks_at_the_target_alone(jacobian, target):
    a = jacobian[target]
    b = jacobian.sum(0) - a
    return torch.where(a > 0, a * b.abs(), 0)


def looks_at_the_others_alone(jacobian, target):
    a = jacobian[target]
    b = jacobian.sum(0) - a
    return torch.where(b < 0, a.abs() * b.abs(), 0)


def makes_pixels_darker(jacobian, target):
    a = jacobian[target]
    b = jacobian.sum(0) - a
    return torch.where((a < 0) & (b > 0), -a * b, 0)


def joins_by_or(jacobian, target):
    a = jacobian[target]
    b = jacobian.sum(0) - a
    return torch.where((a > 0) | (b < 0), a.abs() * b.abs(), 0)


def clamps_the_product(jacobian, target):
    a = jacobian[target]
    b = jacobian.sum(0) - a
    return (-a * b).clamp_min(0)


def leaves_negative_entries(jacobian, target):
    a = jacobian[target]
    return -a * (jacobian.sum(0) - a)


def forgets_b(jacobian, target):
    a = jacobian[target]
    b = jacobian.sum(0) - a
    return torch.where((a > 0) & (b < 0), a, 0)


def forgets_the_minus(jacobian, target):
    return -saliency_map(jacobian, target)


def returns_one_number(jacobian, target):
    return saliency_map(jacobian, target).max()


def multiplies_by_masks(jacobian, target):
    others = torch.cat([jacobian[:target], jacobian[target + 1:]]).sum(0)
    return jacobian[target].clamp_min(0) * (-others).clamp_min(0)


def forgets_a(jacobian, target):
    a = jacobian[target]
    b = jacobian.sum(0) - a
    return torch.where((a > 0) & (b < 0), b.abs(), 0)


def adds_both_numbers(jacobian, target):
    a = jacobian[target]
    b = jacobian.sum(0) - a
    return torch.where((a > 0) & (b < 0), a - b, 0)


def gives_a_mask(jacobian, target):
    a = jacobian[target]
    return ((a > 0) & (jacobian.sum(0) - a < 0)).float()


def adds_up_sizes(jacobian, target):
    a, others = jacobian[target], torch.cat([jacobian[:target], jacobian[target + 1:]])
    return torch.where((a > 0) & (others.sum(0) < 0), a * others.abs().sum(0), 0)


def scales_the_map(jacobian, target):
    s = saliency_map(jacobian, target)
    return s / s.max()


def sums_over_the_pixels(jacobian, target):
    a = jacobian[target]
    b = jacobian.sum(1) - a
    return torch.where((a > 0) & (b < 0), -a * b, 0)


def returns_the_target_s_row(jacobian, target):
    return jacobian[target].clone()


def maps_pixel_by_pixel(jacobian, target):
    rows, result = jacobian.tolist(), []
    for p in range(len(rows[0])):
        a = rows[target][p]
        b = sum(row[p] for k, row in enumerate(rows) if k != target)
        result.append(a * abs(b) if a > 0 and b < 0 else 0.0)
    return result


def maps_in_numpy(jacobian, target):
    rows = jacobian.double().numpy()
    a, b = rows[target], np.delete(rows, target, axis=0).sum(axis=0)
    return np.where((a > 0) & (b < 0), a * np.abs(b), 0)


def sets_to_zero_in_place(jacobian, target):
    others = torch.ones(len(jacobian), dtype=torch.bool)
    others[target] = False
    a, b = jacobian[target].clone(), jacobian[others].sum(dim=0)
    result = a.mul_(b.abs())
    result[(jacobian[target] <= 0) | (b >= 0)] = 0
    return result


WRONG = [
    (sums_all_classes, "without the target's row"),
    (takes_the_mean_of_the_others, "not their mean"),
    (takes_the_strongest_other, "sum over all of them"),
    (looks_at_the_target_alone, "look at a alone"),
    (looks_at_the_others_alone, "look at b alone"),
    (makes_pixels_darker, "for making pixels darker"),
    (joins_by_or, "one right sign is not enough"),
    (clamps_the_product, "both signs are wrong"),
    (leaves_negative_entries, "negative entries"),
    (forgets_b, "multiply it by |b|"),
    (forgets_the_minus, "negative entries"),
    (returns_one_number, "a tensor of shape"),
    (forgets_a, "multiply it by a"),
    (adds_both_numbers, "their product is wanted"),
    (gives_a_mask, "where the signs are right"),
    (adds_up_sizes, "you add up absolute values"),
    (scales_the_map, "you scale the map"),
    (sums_over_the_pixels, "must match"),
    (returns_the_target_s_row, "negative entries"),
]

RIGHT = [multiplies_by_masks, maps_pixel_by_pixel, maps_in_numpy, sets_to_zero_in_place]
