"""Plausible wrong answers to exercise 02.2, each with a part of the message that it should get, and right ones."""

import math

import numpy as np
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


def gives_the_share_of_pixels(delta, p):
    return (delta.flatten(1) != 0).float().mean(1) if p == 0 else size(delta, p)


def takes_a_large_power_for_infinity(delta, p):
    p = min(p, 50)
    return size(delta, p)


def takes_a_huge_power_for_infinity(delta, p):
    return size(delta, 1000 if p == math.inf else p)


def writes_no_line_for_infinity(delta, p):
    if p == 0:
        return (delta.flatten(1) != 0).sum(1).to(delta.dtype)
    return (delta.flatten(1).abs() ** p).sum(1) ** (1 / p)


def divides_tensors_by_zero(delta, p):
    p = torch.tensor(float(p))
    return size(delta, math.inf) if p == math.inf else (delta.flatten(1).abs() ** p).sum(1) ** (1 / p)


def counts_pixels(delta, p):
    if p == 0 and delta.dim() == 4:
        return (delta != 0).any(1).flatten(1).sum(1).float()
    return size(delta, p)


def takes_the_smallest(delta, p):
    return delta.flatten(1).abs().amin(1) if p == math.inf else size(delta, p)


def sums_for_infinity(delta, p):
    return size(delta, 1 if p == math.inf else p)


def takes_the_wrong_dimension(delta, p):
    flat = delta.flatten(1).abs()
    if p == 0:
        return (flat > 0).sum(0).to(delta.dtype)
    return flat.amax(0) if p == math.inf else (flat ** p).sum(0) ** (1 / p)


def takes_images_only(delta, p):
    return torch.linalg.vector_norm(delta, p, dim=(1, 2, 3))


def asks_torch(delta, p):
    return torch.linalg.vector_norm(delta.flatten(1), p, dim=1)


def returns_counts_as_integers(delta, p):
    return size(delta, p).long() if p == 0 else size(delta, p)


def counts_in_numpy(delta, p):
    flat = delta.detach().cpu().numpy().reshape(len(delta), -1)
    return np.linalg.norm(flat, ord=p, axis=1)


def goes_row_by_row(delta, p):
    sizes = []
    for row in delta.flatten(1).abs():
        if p == 0:
            sizes.append(row.count_nonzero().item())
        elif p == math.inf:
            sizes.append(max(row.tolist()))
        else:
            sizes.append(sum(entry ** p for entry in row.tolist()) ** (1 / p))
    return sizes


def cases_in_float64(delta, p):
    flat = delta.reshape(delta.shape[0], -1).double()
    sizes = {0: (flat.abs() > 1e-12).double().sum(-1), 1: flat.abs().sum(-1), 2: flat.square().sum(-1).sqrt()}
    return sizes.get(p, flat.abs().max(-1).values)


WRONG = [
    (raises_to_the_power_zero, "count the zeros too"),
    (uses_one_formula_for_all, "ZeroDivisionError"),
    (counts_only_what_goes_up, "a change downwards counts as well"),
    (forgets_absolute_values_in_the_sum, "take absolute values first"),
    (takes_the_absolute_value_last, "first, not last"),
    (forgets_absolute_values_in_the_largest, "before the largest"),
    (forgets_the_root, "the root is missing"),
    (averages, "these are averages"),
    (takes_the_root_of_the_mean, "mean of the squares"),
    (measures_the_batch, "a tensor of shape"),
    (takes_a_large_power_for_infinity, "the largest entry itself"),
    (takes_a_huge_power_for_infinity, "a power so large overflows"),
    (writes_no_line_for_infinity, "with p = ∞ the formula has no value"),
    (divides_tensors_by_zero, "with p = 0 you divide by zero"),
    (counts_pixels, "with p = 0 you count pixels"),
    (takes_the_smallest, "the smallest change"),
    (sums_for_infinity, "with p = ∞ this is the sum"),
    (takes_the_wrong_dimension, "a tensor of shape (24,)"),
    (takes_images_only, "IndexError"),
    (gives_the_share_of_pixels, "shares of them"),
]

RIGHT = [asks_torch, returns_counts_as_integers, counts_in_numpy, goes_row_by_row, cases_in_float64]
