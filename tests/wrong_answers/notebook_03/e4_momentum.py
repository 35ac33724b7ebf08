"""Plausible wrong answers to exercise 03.4, each with a part of the message that it should get, and right ones."""

import numpy as np
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


def sums_before_the_absolute_value(momentum, gradient, decay):
    return decay * momentum + gradient / column(gradient.sum((1, 2, 3)).abs())


def divides_channel_by_channel(momentum, gradient, decay):
    return decay * momentum + gradient / (gradient.abs().sum((2, 3), keepdim=True) + 1e-12)


def divides_pixel_by_pixel(momentum, gradient, decay):
    return decay * momentum + gradient / gradient.norm(p=1, dim=1, keepdim=True).clamp_min(1e-12)


def divides_across_the_images(momentum, gradient, decay):
    return decay * momentum + gradient / gradient.abs().sum(dim=0)


def forgets_the_gradient(momentum, gradient, decay):
    return decay * momentum


def forgets_the_decay(momentum, gradient, decay):
    return momentum + gradient / column(gradient.abs().sum((1, 2, 3)))


def decays_the_gradient_alone(momentum, gradient, decay):
    return momentum + decay * gradient / column(gradient.abs().sum((1, 2, 3)))


def returns_the_sign(momentum, gradient, decay):
    return (decay * momentum + gradient / column(gradient.abs().sum((1, 2, 3)))).sign()


def divides_by_the_norm_of_the_batch(momentum, gradient, decay):
    return decay * momentum + gradient / torch.norm(gradient, p=1)


def changes_the_momentum(momentum, gradient, decay):
    momentum *= decay
    momentum += gradient / column(gradient.abs().sum((1, 2, 3)))
    return momentum


def adds_a_little_to_the_divisor(momentum, gradient, decay):
    """As in published code."""
    return decay * momentum + gradient / (gradient.abs().sum(dim=(1, 2, 3), keepdim=True) + 1e-8)


def takes_the_norm_from_torch(momentum, gradient, decay):
    normalised = torch.nn.functional.normalize(gradient.flatten(1).double(), p=1, dim=1, eps=1e-12)
    return decay * momentum.double() + normalised.view_as(gradient)


def repairs_the_zero_afterwards(momentum, gradient, decay):
    new = torch.nan_to_num(gradient / torch.linalg.vector_norm(gradient, 1, dim=(1, 2, 3), keepdim=True))
    return momentum.clone().mul_(decay).add_(new)


def adds_in_numpy(momentum, gradient, decay):
    size = np.maximum(np.abs(gradient.numpy()).sum(axis=(1, 2, 3), keepdims=True), 1e-12)
    return decay * momentum.numpy() + gradient.numpy() / size


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
    (divides_by_zero, "a division by zero (the norm of a zero gradient?)"),
    (sums_without_absolute_values, "a division by zero"),
    (sums_before_the_absolute_value, "plus and minus cancel"),
    (divides_channel_by_channel, "you divide every channel"),
    (divides_pixel_by_pixel, "over the channels alone"),
    (divides_across_the_images, "over the images (dim=0)"),
    (forgets_the_gradient, "the gradient is lost"),
    (forgets_the_decay, "nothing decays"),
    (decays_the_gradient_alone, "decay multiplies the gradient; it belongs"),
    (returns_the_sign, "the sign of the sum"),
    (divides_by_the_norm_of_the_batch, "image by image"),
    (changes_the_momentum, "in place"),
]

RIGHT = [
    adds_image_by_image,
    adds_a_little_to_the_divisor,
    takes_the_norm_from_torch,
    repairs_the_zero_afterwards,
    adds_in_numpy,
]
