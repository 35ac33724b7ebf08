"""Plausible wrong answers to exercise 03.4, each with a part of the message that it should get, and right ones."""

import torch


def column(numbers):
    return numbers.clamp_min(1e-12).view(-1, 1, 1, 1)


def divides_by_the_euclidean_norm(momentum, gradient, decay):
    return decay * momentum + gradient / column(gradient.flatten(1).norm(dim=1))


def divides_by_the_mean(momentum, gradient, decay):
    return decay * momentum + gradient / column(gradient.abs().mean((1, 2, 3)))


def divides_by_the_largest(momentum, gradient, decay):
    return decay * momentum + gradient / column(gradient.abs().amax((1, 2, 3)))


def divides_by_the_batch(momentum, gradient, decay):
    return decay * momentum + gradient / gradient.abs().sum()


def adds_the_gradient_as_it_is(momentum, gradient, decay):
    return decay * momentum + gradient


def loses_the_momentum(momentum, gradient, decay):
    return gradient / column(gradient.abs().sum((1, 2, 3)))


def adds_signs(momentum, gradient, decay):
    return decay * momentum + gradient.sign()


def decays_the_gradient(momentum, gradient, decay):
    return decay * (momentum + gradient / column(gradient.abs().sum((1, 2, 3))))


def takes_a_weighted_mean(momentum, gradient, decay):
    return decay * momentum + (1 - decay) * gradient / column(gradient.abs().sum((1, 2, 3)))


def normalises_the_sum(momentum, gradient, decay):
    total = decay * momentum + gradient
    return total / column(total.abs().sum((1, 2, 3)))


def divides_by_zero(momentum, gradient, decay):
    return decay * momentum + gradient / gradient.abs().sum((1, 2, 3), keepdim=True)


def sums_without_absolute_values(momentum, gradient, decay):
    return decay * momentum + gradient / gradient.flatten(1).sum(1).view(-1, 1, 1, 1)


def adds_image_by_image(momentum, gradient, decay):
    rows = [decay * old + new / max(new.abs().sum().item(), 1e-12) for old, new in zip(momentum, gradient, strict=True)]
    return torch.stack(rows)


WRONG = [
    (divides_by_the_euclidean_norm, "Euclidean norm"),
    (divides_by_the_mean, "the mean of the absolute values"),
    (divides_by_the_largest, "the largest entry"),
    (divides_by_the_batch, "image by image"),
    (adds_the_gradient_as_it_is, "comes in as it is"),
    (loses_the_momentum, "the old momentum is lost"),
    (adds_signs, "you add signs"),
    (decays_the_gradient, "belongs to the old momentum only"),
    (takes_a_weighted_mean, "weight 1"),
    (normalises_the_sum, "only the new gradient is divided"),
    (divides_by_zero, "divide by zero"),
    (sums_without_absolute_values, "divide by zero"),
]

RIGHT = [adds_image_by_image]
