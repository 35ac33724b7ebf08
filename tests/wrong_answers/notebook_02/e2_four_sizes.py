"""Plausible wrong answers to exercise 02.2, each with a part of the message that it should get, and right ones."""

import math

import torch

from advcourse.exercises.notebook_02.e2_four_sizes import size


def raises_to_the_power_zero(delta, p):
    if p == 0:
        return (delta.flatten(1).abs() ** 0).sum(1)
    return size(delta, p)


def uses_one_formula_for_all(delta, p):
    return (delta.flatten(1).abs() ** p).sum(1) ** (1 / p)


def counts_only_what_goes_up(delta, p):
    return (delta.flatten(1) > 0).sum(1).to(delta.dtype) if p == 0 else size(delta, p)


def forgets_absolute_values_in_the_sum(delta, p):
    return delta.flatten(1).sum(1) if p == 1 else size(delta, p)


def takes_the_absolute_value_last(delta, p):
    return delta.flatten(1).sum(1).abs() if p == 1 else size(delta, p)


def forgets_absolute_values_in_the_largest(delta, p):
    return delta.flatten(1).amax(1) if p == math.inf else size(delta, p)


def forgets_the_root(delta, p):
    return delta.flatten(1).square().sum(1) if p == 2 else size(delta, p)


def averages(delta, p):
    flat = delta.flatten(1).abs()
    return {0: (flat > 0).to(delta.dtype).mean(1), 1: flat.mean(1)}.get(p, size(delta, p))


def takes_the_root_of_the_mean(delta, p):
    return delta.flatten(1).square().mean(1).sqrt() if p == 2 else size(delta, p)


def measures_the_batch(delta, p):
    return size(delta.flatten()[None], p)[0]


def returns_counts_as_integers(delta, p):
    return size(delta, p).long() if p == 0 else size(delta, p)


def gives_the_share_of_pixels(delta, p):
    return (delta.flatten(1) != 0).float().mean(1) if p == 0 else size(delta, p)


def asks_torch(delta, p):
    return torch.linalg.vector_norm(delta.flatten(1), p, dim=1)


WRONG = [
    (raises_to_the_power_zero, "count the zeros too"),
    (uses_one_formula_for_all, "division by zero"),
    (counts_only_what_goes_up, "a change downwards counts as well"),
    (forgets_absolute_values_in_the_sum, "take absolute values first"),
    (takes_the_absolute_value_last, "first, not last"),
    (forgets_absolute_values_in_the_largest, "before the largest"),
    (forgets_the_root, "the root is missing"),
    (averages, "these are averages"),
    (takes_the_root_of_the_mean, "mean of the squares"),
    (measures_the_batch, "a tensor of shape"),
    (returns_counts_as_integers, "torch.int64"),
    (gives_the_share_of_pixels, "shares of them"),
]

RIGHT = [asks_torch]
