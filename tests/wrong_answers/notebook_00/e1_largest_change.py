"""Plausible wrong answers to exercise 00.1, each with a part of the message that it should get, and right ones."""

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


def prints_and_returns_nothing(x, x_p):
    (x_p - x).abs().flatten(1).amax(1)


def returns_a_list(x, x_p):
    return [(b - a).abs().max().item() for a, b in zip(x, x_p, strict=True)]


def subtracts_in_place(x, x_p):
    x_p -= x
    return x_p.abs().flatten(1).amax(1)


def image_by_image(x, x_p):
    return torch.stack([torch.max(torch.abs(a - b)) for a, b in zip(x, x_p, strict=True)])


WRONG = [
    (forgets_the_absolute_value, "take the absolute value first"),
    (subtracts_the_other_way_round_without_absolute_value, "take the absolute value first"),
    (takes_the_mean, "average change"),
    (takes_the_sum, "the ℓ1 norm"),
    (takes_the_euclidean_length, "the ℓ2 norm"),
    (takes_the_smallest, "smallest change"),
    (takes_one_number_for_the_batch, "a tensor of shape ()"),
    (takes_the_largest_pixel, "not the largest change"),
    (prints_and_returns_nothing, "returns None"),
    (returns_a_list, "a list of"),
    (subtracts_in_place, "changes `x_p` in place"),
]

RIGHT = [image_by_image]
