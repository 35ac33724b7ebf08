"""Plausible wrong answers to exercise 08.2, each with a part of the message that it should get, and right ones."""

import torch


def step(x, change):
    return (x + change.view(x.shape)).clamp(0, 1)


def adds_the_normal(weight, x, y, length):
    return step(x, length * (weight / weight.norm(dim=1, keepdim=True))[y])


def forgets_the_norm(weight, x, y, length):
    return step(x, -length * weight[y])


def divides_by_the_norm_of_all(weight, x, y, length):
    return step(x, -length * weight[y] / weight.norm())


def takes_the_sign(weight, x, y, length):
    return step(x, -length * weight[y].sign())


def divides_by_the_sum(weight, x, y, length):
    return step(x, -length * weight[y] / weight[y].abs().sum(1, keepdim=True))


def goes_to_the_rival(weight, x, y, length):
    scores = x.flatten(1) @ weight.T
    scores[torch.arange(len(x)), y] = -1e9
    direction = weight[scores.argmax(1)] - weight[y]
    return step(x, length * direction / direction.norm(dim=1, keepdim=True))


def forgets_to_clip(weight, x, y, length):
    return x - length * (weight / weight.norm(dim=1, keepdim=True))[y].view(x.shape)


def returns_x(weight, x, y, length):
    return x


def returns_the_flat_step(weight, x, y, length):
    return -length * (weight / weight.norm(dim=1, keepdim=True))[y]


def steps_image_by_image(weight, x, y, length):
    rows = [image - length * (weight[label] / weight[label].square().sum().sqrt()).view(image.shape)
            for image, label in zip(x, y, strict=True)]
    return torch.stack(rows).clip(0, 1)


WRONG = [
    (adds_the_normal, "subtract the step"),
    (forgets_the_norm, "divide each row by its norm"),
    (divides_by_the_norm_of_all, "a normal of its own"),
    (takes_the_sign, "the sign of the weights"),
    (divides_by_the_sum, "the sum of the absolute values"),
    (goes_to_the_rival, "strongest rival"),
    (forgets_to_clip, "Clip to [0, 1]"),
    (returns_x, "unchanged"),
    (returns_the_flat_step, "a tensor of shape"),
]

RIGHT = [steps_image_by_image]
