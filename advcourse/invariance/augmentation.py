"""Augmentation of a whole batch at once, each image by its own numbers: drawn first, then applied.

What was drawn is an object of its own, so that images, the labels of their pixels and a second copy of them move alike.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from advcourse.invariance.arguments import check_images
from advcourse.invariance.colour import recolour
from advcourse.invariance.geometry import crop_boxes, crop_labels, flip, resized_crop, shift


@dataclass(frozen=True, eq=False)
class Draws:
    """What happens to each of n images, in this order; None: nothing of the kind.

    left_right, top_bottom: (n,) bool; by: (n, 2), pixels to the right and down; boxes: (n, 4), as of `crop_boxes`;
    brightness, contrast, saturation: (n,) factors; hue: (n,) turns.
    """

    left_right: Tensor | None = None
    top_bottom: Tensor | None = None
    by: Tensor | None = None
    boxes: Tensor | None = None
    brightness: Tensor | None = None
    contrast: Tensor | None = None
    saturation: Tensor | None = None
    hue: Tensor | None = None


def draws(n: int, *, generator: torch.Generator, left_right: float = 0.0, top_bottom: float = 0.0, pixels: int = 0,
          area: tuple[float, float] | None = None, shape: tuple[int, int] = (1, 1), brightness: float = 0.0,
          contrast: float = 0.0, saturation: float = 0.0, hue: float = 0.0) -> Draws:
    """Random numbers for the augmentation of n images, other ones at every call.

    left_right, top_bottom: the probability of a flip. pixels: shifts are uniform from −pixels to pixels each way.
    area: the range of a random resized crop's share of the image, None for no crop; shape: the image's height and
        width.
    brightness, contrast, saturation: 0.5 draws factors uniformly from [0.5, 1.5]. hue: 0.1 turns by up to a tenth of
        the colour circle either way.
    generator: where the numbers come from, on the images' device.
    Returns Draws. Raises ValueError where a strength is below 0, a probability or one of the factors' above 1.
    """
    strengths = {"brightness": brightness, "contrast": contrast, "saturation": saturation, "hue": hue}
    for what, value in {"left_right": left_right, "top_bottom": top_bottom, **strengths}.items():
        if not 0 <= value <= 1:
            raise ValueError(f"{what} must lie in [0, 1]; got {value}")
    if pixels < 0 or int(pixels) != pixels:
        raise ValueError(f"pixels must be a whole number, at least 0; got {pixels}")
    device = generator.device

    def uniform():
        return torch.rand(n, generator=generator, device=device)

    flips = {name: uniform() < chance for name, chance in (("left_right", left_right), ("top_bottom", top_bottom))
             if chance}
    moves = {}
    if pixels:
        moves["by"] = torch.randint(-pixels, pixels + 1, (n, 2), generator=generator, device=device)
    if area:
        moves["boxes"] = crop_boxes(n, area=area, shape=shape, generator=generator)
    colours = {name: (name != "hue") + strength * (2 * uniform() - 1)
               for name, strength in strengths.items() if strength}
    return Draws(**flips, **moves, **colours)


def apply(x: Tensor, drawn: Draws) -> Tensor:
    """The images x, (N, C, H, W) in [0, 1], after what was drawn for them; differentiable in x.

    Raises ValueError where x or the number of draws is not so, and where the colours of images with one channel are to
    be changed.
    """
    check_images(x)
    x = _moved(x, drawn)
    if drawn.boxes is not None:
        x = resized_crop(x, drawn.boxes)
        x.detach().clamp_(0, 1)  # in place: between ones, interpolation may round to above 1; gradients pass
    names = ("brightness", "contrast", "saturation", "hue")
    factors = {name: getattr(drawn, name) for name in names if getattr(drawn, name) is not None}
    return recolour(x, **factors) if factors else x


def apply_to_labels(labels: Tensor, drawn: Draws) -> Tensor:
    """The labels of the pixels, (N, H, W) whole numbers, moved as `apply` moves the images; no label is invented."""
    labels = _moved(labels, drawn)
    return labels if drawn.boxes is None else crop_labels(labels, drawn.boxes)


def _moved(x, drawn):
    if drawn.left_right is not None:
        x = flip(x, drawn.left_right)
    if drawn.top_bottom is not None:
        x = flip(x, drawn.top_bottom, "top-bottom")
    return x if drawn.by is None else shift(x, drawn.by)
