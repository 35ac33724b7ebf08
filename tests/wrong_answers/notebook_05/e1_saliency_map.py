"""Plausible wrong answers to exercise 05.1, each with a part of the message that it should get, and right ones."""

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
]

RIGHT = [multiplies_by_masks]
