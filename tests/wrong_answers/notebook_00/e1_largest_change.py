"""Plausible wrong answers to exercise 00.1, each with a part of the message that it should get, and right ones."""

import numpy as np
import torch


def forgets_the_absolute_value(x, x_p):
    return (x_p - x).flatten(1).amax(1)


def subtracts_the_other_way_round_without_absolute_value(x, x_p):
    return (x - x_p).flatten(1).amax(1)


def takes_the_mean(x, x_p):
    return (x_p - x).abs().flatten(1).mean(1)


def takes_the_sum(x, x_p):
    return (x_p - x).abs().flatten(1).sum(1)


def takes_the_euclidean_length(x, x_p):
    return torch.linalg.vector_norm(x_p - x, dim=(1, 2, 3))


def takes_the_smallest(x, x_p):
    return (x_p - x).abs().flatten(1).amin(1)


def takes_one_number_for_the_batch(x, x_p):
    return (x_p - x).abs().max()


def takes_the_largest_pixel(x, x_p):
    return x_p.flatten(1).amax(1)


def subtracts_the_largest_pixels(x, x_p):
    return (x_p.flatten(1).amax(1) - x.flatten(1).amax(1)).abs()


def gives_the_place(x, x_p):
    return (x_p - x).abs().flatten(1).argmax(1)


def squares(x, x_p):
    return ((x_p - x) ** 2).flatten(1).max(dim=1).values


def repeats_one_number(x, x_p):
    return torch.full((len(x),), (x_p - x).abs().max().item())


def counts_the_changes(x, x_p):
    return (x_p != x).flatten(1).sum(1).float()


def takes_the_wrong_dimension(x, x_p):
    return (x_p - x).abs().flatten(1).amax(0)


def takes_it_row_by_row(x, x_p):
    return (x_p - x).abs().amax(dim=(1, 2))


def returns_values_and_places(x, x_p):
    return (x_p - x).abs().flatten(1).max(1)


def prints_and_returns_nothing(x, x_p):
    (x_p - x).abs().flatten(1).amax(1)


def subtracts_in_place(x, x_p):
    x_p -= x
    return x_p.abs().flatten(1).amax(1)


def image_by_image(x, x_p):
    return torch.stack([torch.max(torch.abs(a - b)) for a, b in zip(x, x_p, strict=True)])


def returns_a_list(x, x_p):
    return [(b - a).abs().max().item() for a, b in zip(x, x_p, strict=True)]


def returns_a_list_of_tensors(x, x_p):
    distances = []
    for i in range(len(x)):
        distances.append((x_p[i] - x[i]).abs().max())
    return distances


def counts_in_numpy(x, x_p):
    return np.abs(x_p.cpu().numpy() - x.cpu().numpy()).reshape(len(x), -1).max(axis=1)


def measures_in_float64(x, x_p):
    return torch.linalg.vector_norm(x_p.double() - x.double(), ord=float("inf"), dim=(1, 2, 3))


def takes_the_larger_of_two_ways(x, x_p):
    delta = (x_p - x).flatten(1)
    return torch.maximum(delta.max(dim=1).values, -delta.min(dim=1).values)


def works_in_place_on_a_copy(x, x_p):
    delta = x_p.clone()
    delta -= x
    return delta.abs_().reshape(delta.shape[0], -1).amax(-1)


WRONG = [
    (forgets_the_absolute_value, "take the absolute value first"),
    (subtracts_the_other_way_round_without_absolute_value, "take the absolute value first"),
    (takes_the_mean, "average change"),
    (takes_the_sum, "the ℓ1 norm"),
    (takes_the_euclidean_length, "the ℓ2 norm"),
    (takes_the_smallest, "smallest change"),
    (takes_one_number_for_the_batch, "a tensor of shape ()"),
    (takes_the_largest_pixel, "not the largest change"),
    (subtracts_the_largest_pixels, "pixel by pixel"),
    (gives_the_place, "`argmax`"),
    (squares, "not squares"),
    (repeats_one_number, "of the whole batch"),
    (counts_the_changes, "the number of pixels"),
    (takes_the_wrong_dimension, "a tensor of shape (60,)"),
    (takes_it_row_by_row, "a tensor of shape (2, 5)"),
    (returns_values_and_places, "take its `.values`"),
    (prints_and_returns_nothing, "returns None"),
    (subtracts_in_place, "changes `x_p` in place"),
]

RIGHT = [image_by_image, returns_a_list, returns_a_list_of_tensors, counts_in_numpy, measures_in_float64,
         takes_the_larger_of_two_ways, works_in_place_on_a_copy]
