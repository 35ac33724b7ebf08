"""12.1: the seven tangents of an image."""

import math

import torch
from torch.nn import functional as F

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.properties import finite

NAMES = ("shift right", "shift down", "size", "rotation", "stretch along the axes", "stretch along a diagonal",
         "thickness")
ALIKE = 0.97  # |cosine|: other ways to difference are nearer, a half pixel at the centre too, other tangents are not


def formula(x, origin=0.5, swapped=False):
    """The tangents; origin: of u and v, a share of the image; swapped: the two derivatives are exchanged."""
    down, right = torch.gradient(x, dim=(1, 2))
    if swapped:
        right, down = down, right
    height, width = x.shape[1:]
    v = (torch.arange(height) - origin * (height - 1)).to(x)[:, None]
    u = (torch.arange(width) - origin * (width - 1)).to(x)
    return torch.stack([right, down, u * right + v * down, v * right - u * down, u * right - v * down,
                        v * right + u * down, right.square() + down.square()], 1)


def tangents(x):
    return formula(x)


def tangent_probes(generator):
    """Four blobs around the centre, elongated and of several heights: no two tangents are alike; 0 at the rim."""
    def draw(low, high, *shape):
        return low + (high - low) * torch.rand(*shape, 1, 1, generator=generator)

    probes = []
    for height, width, count in ((20, 27, 3), (26, 21, 2)):
        v, u = torch.arange(height)[:, None] - (height - 1) / 2, torch.arange(width) - (width - 1) / 2
        angle, radius = draw(0, 2 * math.pi, count, 4), draw(0.18, 0.26, count, 4)
        tall, wide = draw(1.5, 2.2, 2, count, 4)
        squares = ((v - radius * height * angle.sin()) / tall) ** 2 + ((u - radius * width * angle.cos()) / wide) ** 2
        probes.append({"x": ((draw(0.3, 1.3, count, 4) * torch.exp(-squares / 2)).sum(1) / 2).clamp(0, 1)})
    return probes


def alike(ours, theirs):
    """The smallest |cosine| over the images, of one tangent: (N, H, W) each."""
    return F.cosine_similarity(ours.flatten(1), theirs.flatten(1)).abs().min().item()


def mistake(x, result, place):
    """The message for the tangent at this place; None where it is right, up to its sign and its length."""
    right, found, name = tangents(x), result[:, place], NAMES[place]
    if (found.flatten(1).norm(dim=1) == 0).any():
        return f"the tangent of {name} is 0 for some image"
    if alike(found, right[:, place]) >= ALIKE:
        return None
    if alike(found, formula(x, origin=0)[:, place]) >= ALIKE:
        return (f"{name}: you measure u and v from the corner of the image; take them from its centre, "
                "(height − 1) / 2 and (width − 1) / 2")
    others = [NAMES[k] for k in range(7) if k != place and alike(found, right[:, k]) >= ALIKE]
    if others:
        return f"in the place of {name} stands the tangent of {others[0]}: mind the order, and the signs of its terms"
    if alike(found, formula(x, swapped=True)[:, place]) >= ALIKE:
        return (f"{name}: u and v, or the two derivatives, are exchanged: `torch.gradient(x, dim=(1, 2))` gives the "
                "derivative down first")
    if place == 6 and alike(found, right[:, 6].sqrt()) >= ALIKE:
        return "thickness: this is the length of the gradient; its square is wanted, x_u² + x_v²"
    return f"the tangent of {name} is not the one of the formula (its sign and its length would not matter)"


def each_in_its_place(probe, result):
    """All seven are right."""
    if message := finite(probe, result):
        return message
    return next(filter(None, (mistake(probe["x"], result, place) for place in range(7))), None)


exercise = Exercise(
    number="12.1",
    title="Seven tangents",
    points=3,
    minutes=15,
    hints=(
        ("How do I get the derivatives?",
         "`torch.gradient(x, dim=(1, 2))` returns two tensors of x's shape: the derivative down, then the one right."),
        ("What are u and v?",
         "Two ramps: v counts rows from the centre, shape (H, 1), u columns, shape (W,). They multiply images of shape "
         "(N, H, W) as they are."),
        ("Show me nearly all of it.",
         "`u = torch.arange(W) - (W - 1) / 2`, `v = (torch.arange(H) - (H - 1) / 2)[:, None]`; then "
         "`torch.stack([right, down, u * right + v * down, …], 1)` in the order of the docstring."),
    ),
    reference=tangents,
    probes=tangent_probes,
    properties={"the seven tangents, each in its place": each_in_its_place},
)
