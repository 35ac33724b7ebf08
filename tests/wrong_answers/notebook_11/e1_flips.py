"""Plausible wrong answers to exercise 11.1, each with a part of the message that it should get, and right ones."""

import numpy as np
import torch
from torchvision.transforms.v2 import functional as tvf

AXES = {"left-right": 3, "top-bottom": 2}


def replaced(x, which, changed):
    result = x.clone()
    result[which] = changed[which]
    return result


def does_nothing(x, which, direction):
    return x


def ignores_the_direction(x, which, direction):
    return replaced(x, which, x.flip(-1))


def exchanges_the_directions(x, which, direction):
    return replaced(x, which, x.flip(2 if direction == "left-right" else 3))


def flips_all(x, which, direction):
    return x.flip(AXES[direction])


def flips_all_if_any(x, which, direction):
    return x.flip(AXES[direction]) if which.any() else x


def flips_the_others(x, which, direction):
    return torch.where(which[:, None, None, None], x, x.flip(AXES[direction]))


def counts_without_the_channels(x, which, direction):
    return replaced(x, which, x.flip(2 if direction == "left-right" else 1))


def reverses_the_batch(x, which, direction):
    return replaced(x, which, x.flip(0))


def forgets_the_batch_axis(x, which, direction):
    result = x.clone()
    result[which] = x[which].flip(1 if direction == "top-bottom" else 2)
    return result


def reverses_the_chosen(x, which, direction):
    result = x.clone()
    result[which] = x[which].flip(0)
    return result


def turns_by_half(x, which, direction):
    return replaced(x, which, x.flip(2, 3))


def turns_values_over(x, which, direction):
    return replaced(x, which, 1 - x)


def rolls(x, which, direction):
    axis = AXES[direction]
    return replaced(x, which, x.roll(x.shape[axis] // 2, axis))


def writes_into_the_batch(x, which, direction):
    x[which] = x[which].flip(AXES[direction])
    return x


def returns_the_flipped_alone(x, which, direction):
    return x[which].flip(AXES[direction])


def image_by_image(x, which, direction):
    return torch.stack([image.flip(AXES[direction] - 1) if chosen else image
                        for image, chosen in zip(x, which, strict=True)])


def with_torchvision(x, which, direction):
    change = tvf.horizontal_flip if direction == "left-right" else tvf.vertical_flip
    return [change(image) if chosen else image for image, chosen in zip(x, which.tolist(), strict=True)]


def in_numpy(x, which, direction):
    result = x.numpy().copy()
    result[which.numpy()] = np.flip(result[which.numpy()], AXES[direction])
    return result


def with_a_mask(x, which, direction):
    mask = which.view(-1, 1, 1, 1).double()
    return mask * torch.flip(x, [AXES[direction]]) + (1 - mask) * x


WRONG = [
    (does_nothing, "none is flipped"),
    (ignores_the_direction, "the other direction"),
    (exchanges_the_directions, "the other direction"),
    (flips_all, "all images are flipped"),
    (flips_all_if_any, "all images are flipped"),
    (flips_the_others, "the wrong images"),
    (counts_without_the_channels, "the other direction"),
    (forgets_the_batch_axis, "the other direction"),
    (reverses_the_batch, "the order of the images"),
    (reverses_the_chosen, "the chosen images change places"),
    (turns_by_half, "half a turn"),
    (turns_values_over, "the grey values are turned over"),
    (rolls, "moved by half the image"),
    (writes_into_the_batch, "changes `x` in place"),
    (returns_the_flipped_alone, "is wanted"),
]

RIGHT = [image_by_image, with_torchvision, in_numpy, with_a_mask]
