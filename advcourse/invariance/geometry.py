"""Flips, shifts and random resized crops: each image of a batch by its own parameters, differentiably.

What comes from outside the image repeats its edge.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from advcourse.invariance.arguments import check_boxes

TRIES = 10  # of a box that does not fit into its image


def flip(x: Tensor, which: Tensor, direction: str = "left-right") -> Tensor:
    """The images, those flipped for which `which` is true; bit for bit.

    x: (N, ..., H, W), images or labels of pixels; which: (N,) bool; direction: "left-right" or "top-bottom".
    Returns a new tensor of x's shape. Raises ValueError where which or direction is not so.
    """
    if which.shape != (len(x),) or which.dtype != torch.bool:
        raise ValueError(f"which must be {len(x)} bools; got shape {tuple(which.shape)}, {which.dtype}")
    if direction not in ("left-right", "top-bottom"):
        raise ValueError(f'direction must be "left-right" or "top-bottom"; got {direction!r}')
    rows = which.nonzero()[:, 0]
    return x.index_copy(0, rows, x[rows].flip(-1 if direction == "left-right" else -2))


def shift(x: Tensor, by: Tensor) -> Tensor:
    """The images moved by whole pixels, to the right by by[:, 0] and down by by[:, 1].

    x: (N, ..., H, W), images or labels of pixels; by: (N, 2), int64. Returns a new tensor of x's shape. Raises
    ValueError where by is not so.
    """
    if by.shape != (len(x), 2) or by.is_floating_point():
        raise ValueError(f"by must be ({len(x)}, 2) whole numbers of pixels; got {tuple(by.shape)}, {by.dtype}")
    height, width = x.shape[-2:]
    rows = (torch.arange(height, device=x.device) - by[:, 1:]).clamp(0, height - 1)
    columns = (torch.arange(width, device=x.device) - by[:, :1]).clamp(0, width - 1)
    image = torch.arange(len(x), device=x.device)[:, None, None]
    last = x.movedim(1, -1) if x.dim() == 4 else x  # indices first, channels last
    moved = last[image, rows[:, :, None], columns[:, None, :]]
    return moved.movedim(-1, 1).contiguous() if x.dim() == 4 else moved


def crop_boxes(n: int, *, generator: torch.Generator, area: tuple[float, float] = (0.08, 1.0),
               aspect: tuple[float, float] = (3 / 4, 4 / 3), shape: tuple[int, int] = (1, 1)) -> Tensor:
    """n random boxes in an image, those of "random resized crop".

    area: the range of the box's share of the image, uniform. aspect: the range of its width over its height in pixels,
        log-uniform: 3/4 is as likely as 4/3. shape: the height and width of the image in pixels.
    generator: where the numbers come from; boxes lie on its device.
    Returns (n, 4): left, top, width, height as shares of the image's width and height, the position uniform among those
        where the box fits. A box too wide or too high is drawn again; one that never fits in TRIES is cut to the image.
    Raises ValueError where a range is empty or not as said here.
    """
    if not 0 < area[0] <= area[1] <= 1:
        raise ValueError(f"area must be a range of shares, 0 < least <= most <= 1; got {area}")
    if not 0 < aspect[0] <= aspect[1]:
        raise ValueError(f"aspect must be a range of width / height, 0 < least <= most; got {aspect}")
    height, width = shape
    chance = torch.rand(4, n, TRIES, generator=generator, device=generator.device)
    of_image = area[0] + chance[0] * (area[1] - area[0])
    low, high = torch.tensor(aspect, dtype=torch.float64).log().tolist()
    ratio = (low + chance[1] * (high - low)).exp() * height / width
    sides = torch.stack([(of_image * ratio).sqrt(), (of_image / ratio).sqrt()])
    first = (sides.amax(0) <= 1).int().argmax(dim=1, keepdim=True)  # that fits; the very first where none does
    sides, place = (numbers.gather(2, first.expand(2, n, 1))[..., 0].T for numbers in (sides, chance[2:]))
    sides = sides.clamp(max=1)
    return torch.cat([place * (1 - sides), sides], dim=1)


def resized_crop(x: Tensor, boxes: Tensor) -> Tensor:
    """The boxes' contents, each enlarged to the size of the whole image, bilinearly.

    x: (N, C, H, W), floating point; boxes: (N, 4), as `crop_boxes` returns them. The box (0, 0, 1, 1) changes nothing.
    Returns images of x's shape. Raises ValueError where boxes leave the image: seen from further away, an image would
    have to be smoothed first.
    """
    return _sample(x, boxes, "bilinear")


def crop_labels(labels: Tensor, boxes: Tensor) -> Tensor:
    """The labels of pixels, (N, H, W) whole numbers, in the same boxes: each pixel gets its nearest one's label."""
    return _sample(labels[:, None].double(), boxes, "nearest")[:, 0].to(labels.dtype)


def inside(boxes: Tensor, x: Tensor) -> Tensor:
    """Which pixels of the images x have their middle inside their image's box: (N, 1, H, W) bool."""
    check_boxes(boxes, len(x))
    height, width = x.shape[-2:]
    left, top, wide, high = boxes.to(x.device)[:, :, None].unbind(1)
    across, down = ((torch.arange(side, device=x.device) + 0.5) / side for side in (width, height))
    columns = (across >= left) & (across < left + wide)
    rows = (down >= top) & (down < top + high)
    return (rows[:, :, None] & columns[:, None, :])[:, None]


def _sample(x, boxes, mode):
    check_boxes(boxes, len(x))
    height, width = x.shape[-2:]
    if not x.numel():
        return x.clone()
    dtype = torch.promote_types(x.dtype, torch.float32)  # half precision has too few places for a large image
    left, top, wide, high = boxes.to(dtype).unbind(1)
    across = left[:, None] + wide[:, None] * (torch.arange(width, device=x.device) + 0.5) / width
    down = top[:, None] + high[:, None] * (torch.arange(height, device=x.device) + 0.5) / height
    grid = x.new_empty(len(x), height, width, 2, dtype=dtype)  # grid_sample's image reaches from −1 to 1
    grid[..., 0], grid[..., 1] = (2 * across - 1)[:, None, :], (2 * down - 1)[:, :, None]
    return F.grid_sample(x.to(dtype), grid, mode=mode, padding_mode="border", align_corners=False).to(x.dtype)
