"""Shifts by whole pixels, black coming in from outside: the transformations of which we are surest."""

import itertools

from torch import Tensor
from torch.nn import functional as F


def shift_all(x: Tensor, right: int, down: int) -> Tensor:
    """The images x, shape (N, C, H, W), all moved alike by whole pixels; what leaves is lost, black comes in.

    (`geometry.shift` moves each image by its own number of pixels and repeats the edge.)
    """
    return F.pad(x, (right, -right, down, -down))


def shifts_within(reach: int) -> list[tuple[int, int]]:
    """All (right, down) of whole pixels, each at most `reach` in size: (2 reach + 1)² of them, (0, 0) first."""
    if reach < 0:
        raise ValueError(f"reach must be at least 0 pixels; got {reach}")
    along = range(-reach, reach + 1)
    return sorted(itertools.product(along, along), key=lambda move: (abs(move[0]) + abs(move[1]), move))


NEIGHBOURS = ((1, 0), (-1, 0), (0, 1), (0, -1))  # one pixel in each direction
