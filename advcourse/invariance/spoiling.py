"""Noise and erasing: changes that take something away, and move nothing, so that labels of pixels stay as they are."""

import torch
from torch import Tensor

from advcourse.invariance.arguments import check_images, per_image
from advcourse.invariance.geometry import inside


def add_noise(x: Tensor, std: float | Tensor, *, generator: torch.Generator) -> Tensor:
    """The images with Gaussian noise, clamped to [0, 1].

    x: (N, C, H, W) in [0, 1]; std: its standard deviation, one number or one for each image, (N,).
    Returns images of x's shape. Raises ValueError where an argument is not as said here.
    """
    check_images(x)
    noise = torch.randn(x.shape, generator=generator, device=x.device) * per_image("std", std, x)
    return (x + noise).clamp(0, 1).to(x.dtype)


def erase(x: Tensor, boxes: Tensor, *, generator: torch.Generator) -> Tensor:
    """The images with a box of each replaced by uniform noise.

    x: (N, C, H, W) in [0, 1]; boxes: (N, 4), as `crop_boxes` returns them, of area (0.02, 0.33) and aspect (0.3, 3.3)
    in the paper. Returns images of x's shape. Raises ValueError where an argument is not as said here.

    Zhong, Zheng, Kang, Li, Yang, "Random erasing data augmentation", AAAI 2020.
    """
    check_images(x)
    noise = torch.rand(x.shape, generator=generator, device=x.device).to(x.dtype)
    return torch.where(inside(boxes, x), noise, x)
