"""Fifteen ways in which pictures go bad, each at five severities, ours after Hendrycks and Dietterich (ICLR 2019).

They are for testing what was trained without them. Each is a function of the images, its strength at a severity, and a
generator; `corrupt` is how to call them.
"""

import io
import math

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from advcourse.invariance.arguments import check_images
from advcourse.invariance.geometry import shift as shift_by
from advcourse.invariance.spoiling import add_noise


def corrupt(x: Tensor, name: str, severity: int, *, seed: int = 0) -> Tensor:
    """The images after one of CORRUPTIONS.

    x: (N, C, H, W) in [0, 1], C 1 or 3. severity: 1 to 5. seed: of what is random in it: the same for two models that
    are to be compared. Returns images of x's shape in [0, 1]. Raises ValueError where an argument is not so.
    """
    check_images(x)
    if name not in CORRUPTIONS:
        raise ValueError(f"there is no corruption {name!r}; there are {', '.join(CORRUPTIONS)}")
    if severity not in range(1, 6):
        raise ValueError(f"severity must be 1 to 5; got {severity}")
    function, strengths = CORRUPTIONS[name]
    generator = torch.Generator(x.device).manual_seed(seed)
    return function(x, strengths[severity - 1], generator).clamp(0, 1)


def _gaussian_noise(x, std, generator):
    return add_noise(x, std, generator=generator)


def _salt_and_pepper(x, share, generator):
    chance = torch.rand(len(x), 1, *x.shape[2:], generator=generator, device=x.device)
    return torch.where(chance < share / 2, 0.0, torch.where(chance > 1 - share / 2, 1.0, x))


def _speckle(x, std, generator):
    return x * (1 + std * torch.randn(x.shape, generator=generator, device=x.device))


def _filtered(x, weights):
    """Every channel filtered by weights, (height, width), both odd; the edge is repeated."""
    height, width = weights.shape
    padded = F.pad(x, (width // 2, width // 2, height // 2, height // 2), mode="replicate")
    channels = x.shape[1]
    return F.conv2d(padded, weights.to(x).expand(channels, 1, height, width), groups=channels)


def _blur(x, std, generator):
    reach = math.ceil(3 * std)
    weights = torch.exp(-torch.arange(-reach, reach + 1).square() / (2 * std**2))
    weights = weights / weights.sum()
    return _filtered(_filtered(x, weights[None, :]), weights[:, None])


def _motion(x, length, generator):
    return _filtered(x, torch.full((1, length), 1 / length))


def _bright(x, more, generator):
    return x + more


def _low_contrast(x, factor, generator):
    return 0.5 + factor * (x - 0.5)


def _dim(x, factor, generator):
    return factor * x


def _fog(x, thickness, generator):
    """A soft white cloud of two sizes of lumps, its own over each image."""
    cloud = sum(F.interpolate(torch.rand(len(x), 1, lumps, lumps, generator=generator, device=x.device), x.shape[2:],
                              mode="bicubic", align_corners=False) * share for lumps, share in ((4, 0.6), (8, 0.4)))
    return x + thickness * (0.4 + 0.6 * cloud).clamp(0, 1).to(x.dtype) * (1 - x)


def _pixelate(x, factor, generator):
    height, width = x.shape[2:]
    small = F.interpolate(x, (max(1, round(factor * height)), max(1, round(factor * width))), mode="area")
    return F.interpolate(small, (height, width), mode="nearest")


def _jpeg(x, quality, generator):
    mode = "L" if x.shape[1] == 1 else "RGB"
    pixels, back = (x.movedim(1, -1) * 255).round().byte().cpu().numpy(), []
    for image in pixels:
        file = io.BytesIO()
        Image.fromarray(image[..., 0] if mode == "L" else image).save(file, "jpeg", quality=quality)
        back.append(np.asarray(Image.open(file).convert(mode)).reshape(image.shape))
    return torch.from_numpy(np.stack(back) if back else pixels).movedim(-1, 1).to(x) / 255


def _stripes(x, width, generator):
    """Upright stripes in which the image is its own negative, one every quarter of the image."""
    period = x.shape[3] / 4
    first = torch.rand(len(x), 1, generator=generator, device=x.device) * period
    inside = (torch.arange(x.shape[3], device=x.device) - first) % period < width * period
    return torch.where(inside[:, None, None, :], 1 - x, x)


def _rotate(x, degrees, generator):
    angle = math.radians(degrees) * _either_way(x, generator)
    height, width = x.shape[2:]
    cos, sin, zero = angle.cos(), angle.sin(), torch.zeros_like(angle)
    theta = torch.stack([cos, -sin * height / width, zero, sin * width / height, cos, zero], dim=1).view(-1, 2, 3)
    grid = F.affine_grid(theta.to(x.dtype), list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, padding_mode="border", align_corners=False)


def _shift(x, share, generator):
    """By this share of the image, along the diagonal, either way."""
    by = torch.stack([_either_way(x, generator) * round(share * side) for side in (x.shape[3], x.shape[2])], dim=1)
    return shift_by(x, by.long())


def _half_inverted(x, share, generator):
    columns = (torch.arange(x.shape[3], device=x.device) + 0.5) / x.shape[3]
    return torch.where(columns < share, 1 - x, x)


def _either_way(x, generator):
    return torch.randint(0, 2, (len(x),), generator=generator, device=x.device) * 2.0 - 1


CORRUPTIONS = {
    "Gaussian noise": (_gaussian_noise, (0.1, 0.2, 0.3, 0.4, 0.5)),
    "salt and pepper": (_salt_and_pepper, (0.02, 0.05, 0.1, 0.2, 0.3)),
    "speckle": (_speckle, (0.15, 0.3, 0.45, 0.6, 0.75)),
    "blur": (_blur, (0.6, 1.0, 1.4, 1.8, 2.2)),
    "motion": (_motion, (3, 5, 7, 9, 11)),
    "bright": (_bright, (0.1, 0.2, 0.3, 0.4, 0.5)),
    "low contrast": (_low_contrast, (0.8, 0.6, 0.45, 0.3, 0.2)),
    "dim": (_dim, (0.8, 0.65, 0.5, 0.35, 0.25)),
    "fog": (_fog, (0.2, 0.35, 0.5, 0.65, 0.8)),
    "pixelate": (_pixelate, (0.7, 0.55, 0.45, 0.35, 0.25)),
    "JPEG": (_jpeg, (50, 30, 20, 12, 7)),
    "stripes": (_stripes, (0.15, 0.3, 0.45, 0.6, 0.75)),
    "rotate": (_rotate, (8, 16, 24, 32, 40)),
    "shift": (_shift, (0.04, 0.08, 0.12, 0.16, 0.2)),
    "half inverted": (_half_inverted, (0.1, 0.2, 0.3, 0.4, 0.5)),
}
