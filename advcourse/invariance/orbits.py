"""Invariance as a number: how far an answer moves while its image goes round an orbit; and models that cannot move.

An orbit is what a list of transformations makes of an image. Where they form a group (cyclic shifts, quarter turns),
the mean of the model's answers over the orbit is the same wherever on the orbit one starts.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal

import torch
from torch import Tensor

from advcourse.attacks.transformations import move
from advcourse.invariance.shifts import shift_all, shifts_within
from advcourse.models.inference import Model, predict

Transform = Callable[[Tensor], Tensor]  # from images (N, C, H, W) to such images

# Orbits: the identity comes first.

def pixel_shifts(reach: int) -> list[Transform]:
    """All shifts by at most `reach` whole pixels, black coming in: no group, what leaves the image is lost."""
    return [partial(shift_all, right=right, down=down) for right, down in shifts_within(reach)]


def cyclic_shifts(height: int, width: int, step: int = 1) -> list[Transform]:
    """All shifts by multiples of `step` pixels, what leaves on one side coming in on the other: a group.

    Raises ValueError unless step divides height and width.
    """
    if step < 1 or height % step or width % step:
        raise ValueError(f"step must divide height and width, {height} and {width}; got {step}")
    return [partial(torch.roll, shifts=(down, right), dims=(2, 3))
            for down in range(0, height, step) for right in range(0, width, step)]


def quarter_turns() -> list[Transform]:
    """No turn, and one, two and three quarter turns of square images: a group, without interpolation."""
    return [partial(torch.rot90, k=k, dims=(2, 3)) for k in range(4)]


def turns(degrees: Sequence[float]) -> list[Transform]:
    """Rotations about the centre by these angles, interpolated; the identity first, so give no 0 of your own."""
    def turn(x, angle):
        return x if angle == 0 else move(x, x.new_tensor([[angle, 0, 0]]).expand(len(x), 3))
    return [partial(turn, angle=angle) for angle in (0, *degrees)]


def orbit(x: Tensor, transforms: Sequence[Transform]) -> Tensor:
    """Every image under every transformation: shape (N, K, C, H, W)."""
    return torch.stack([transform(x) for transform in transforms], 1)


# How far

def movement(model: Model, x: Tensor, transforms: Sequence[Transform]) -> Tensor:
    """How far the model's answer moves on each image's orbit, in [0, 1], shape (N,): 0 is invariant.

        mean over k >= 1 of ½ ‖p(x) − p(t_k x)‖₁,        p the softmax: the share of the probability that goes elsewhere

    model: from images (N, C, H, W) to logits. x: such images. transforms: the identity first, and at least one other.
    Raises ValueError where there is no other: with the identity alone everything is invariant.
    Cost: K forward passes.
    """
    answers = torch.stack([predict(model, transform(x)).softmax(1) for transform in _with_others(transforms)], 1)
    return (answers[:, 1:] - answers[:, :1]).abs().sum(2).mean(1) / 2


def agreement(model: Model, x: Tensor, transforms: Sequence[Transform]) -> Tensor:
    """The share of each image's orbit, itself left out, that gets the label that the image gets, shape (N,).

    model, x, transforms, errors and cost: as of `movement`.
    """
    labels = torch.stack([predict(model, transform(x)).argmax(1) for transform in _with_others(transforms)], 1)
    return (labels[:, 1:] == labels[:, :1]).double().mean(1)


def _with_others(transforms):
    if len(transforms) < 2:
        raise ValueError(f"wanted the identity and at least one other transformation; got {len(transforms)}")
    return transforms


# Models that cannot move

def pooled(model: Model, transforms: Sequence[Transform], pool: Literal["mean", "max"] = "mean") -> Model:
    """The model, asked about the whole orbit: the mean of its logits there, or the largest of each class.

    model: from images (N, C, H, W) to logits (N, K). transforms: of the orbit.
    Returns a model, invariant to these transformations if they form a group, whatever the model; gradients pass.
    Raises ValueError for another pool.
    Cost: as many passes as there are transformations.

    The maximum: Laptev, Savinov, Buhmann, Pollefeys, "TI-pooling: transformation-invariant pooling for feature learning
    in convolutional neural networks", CVPR 2016.
    """
    if pool not in ("mean", "max"):
        raise ValueError(f"pool must be 'mean' or 'max'; got {pool!r}")

    def logits(x):
        answers = torch.stack([model(transform(x)) for transform in transforms])
        return answers.mean(0) if pool == "mean" else answers.amax(0)

    return logits
