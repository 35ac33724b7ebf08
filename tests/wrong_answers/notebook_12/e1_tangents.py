"""Plausible wrong answers to exercise 12.1, each with a part of the message that it should get, and right ones."""

import numpy as np
import torch
from torch.nn import functional as F


def parts(x):
    """The derivatives and the coordinates."""
    down, right = torch.gradient(x, dim=(1, 2))
    v = (torch.arange(x.shape[1]) - (x.shape[1] - 1) / 2)[:, None]
    u = torch.arange(x.shape[2]) - (x.shape[2] - 1) / 2
    return right, down, u, v


def seven(right, down, u, v):
    return [right, down, u * right + v * down, v * right - u * down, u * right - v * down, v * right + u * down,
            right ** 2 + down ** 2]


def measures_from_the_corner(x):
    down, right = torch.gradient(x, dim=(1, 2))
    return torch.stack(seven(right, down, torch.arange(x.shape[2]), torch.arange(x.shape[1])[:, None]), 1)


def takes_the_first_derivative_for_right(x):
    right, down, u, v = parts(x)
    return torch.stack(seven(down, right, u, v), 1)


def exchanges_size_and_rotation(x):
    found = seven(*parts(x))
    found[2], found[3] = found[3], found[2]
    return torch.stack(found, 1)


def exchanges_the_stretches(x):
    found = seven(*parts(x))
    found[4], found[5] = found[5], found[4]
    return torch.stack(found, 1)


def turns_by_a_wrong_sign(x):
    right, down, u, v = parts(x)
    found = seven(right, down, u, v)
    found[3] = v * right + u * down
    return torch.stack(found, 1)


def sizes_by_a_wrong_sign(x):
    right, down, u, v = parts(x)
    found = seven(right, down, u, v)
    found[2] = u * right - v * down
    return torch.stack(found, 1)


def forgets_the_square(x):
    found = seven(*parts(x))
    found[6] = found[6].sqrt()
    return torch.stack(found, 1)


def exchanges_u_and_v(x):
    right, down, u, v = parts(x)
    found = seven(right, down, u, v)
    found[2] = found[4] = v * right + u * down
    return torch.stack(found, 1)


def takes_the_image_for_thickness(x):
    found = seven(*parts(x))
    found[6] = x
    return torch.stack(found, 1)


def stacks_in_front(x):
    return torch.stack(seven(*parts(x)))


def leaves_thickness_out(x):
    return torch.stack(seven(*parts(x))[:6], 1)


def repeats_the_shift(x):
    return torch.stack([parts(x)[0]] * 7, 1)


def has_the_opposite_signs(x):
    return -torch.stack(seven(*parts(x)), 1)


def measures_in_shares_of_the_image(x):
    right, down, u, v = parts(x)
    half = max(x.shape[1:]) / 2
    return torch.stack(seven(right, down, u / half, v / half), 1)


def measures_from_half_a_pixel_beside(x):
    right, down, u, v = parts(x)
    return torch.stack(seven(right, down, u - 0.5, v - 0.5), 1)


def differences_by_hand(x):
    padded = F.pad(x[:, None], (1, 1, 1, 1), mode="replicate")[:, 0]
    right = (padded[:, 1:-1, 2:] - padded[:, 1:-1, :-2]) / 2
    down = (padded[:, 2:, 1:-1] - padded[:, :-2, 1:-1]) / 2
    _, _, u, v = parts(x)
    return torch.stack(seven(right, down, u, v), 1)


def goes_image_by_image_in_numpy(x):
    found = []
    for image in x.numpy().astype(np.float64):
        down, right = np.gradient(image)
        v, u = np.mgrid[:image.shape[0], :image.shape[1]]
        found.append(np.stack(seven(right, down, u - u.mean(), v - v.mean())))
    return np.stack(found)


def takes_the_kernel_of_sobel(x):
    across = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]]) / 8
    right, down = F.conv2d(x[:, None], torch.stack([across, across.T])[:, None], padding=1).unbind(1)
    _, _, u, v = parts(x)
    return torch.stack(seven(right, down, u, v), 1)


WRONG = [
    (measures_from_the_corner, "from the corner"),
    (takes_the_first_derivative_for_right, "stands the tangent of shift down"),
    (exchanges_size_and_rotation, "stands the tangent of rotation"),
    (exchanges_the_stretches, "stands the tangent of stretch along a diagonal"),
    (turns_by_a_wrong_sign, "stands the tangent of stretch along a diagonal"),
    (sizes_by_a_wrong_sign, "stands the tangent of stretch along the axes"),
    (forgets_the_square, "its square is wanted"),
    (exchanges_u_and_v, "stands the tangent of stretch along a diagonal"),
    (takes_the_image_for_thickness, "the tangent of thickness is not the one of the formula"),
    (stacks_in_front, "a tensor of shape (7, 3"),
    (leaves_thickness_out, "a tensor of shape (3, 6"),
    (repeats_the_shift, "stands the tangent of shift right"),
]

RIGHT = [has_the_opposite_signs, measures_in_shares_of_the_image, measures_from_half_a_pixel_beside,
         differences_by_hand, goes_image_by_image_in_numpy, takes_the_kernel_of_sobel]
