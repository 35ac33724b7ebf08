"""Brightness, contrast, saturation and hue of each image by its own factors: one matrix and one offset per image."""

import math

import torch
from torch import Tensor

from advcourse.invariance.arguments import check_images, per_image

# From red, green, blue to luma and two axes of colour (television's YIQ): grey lies on the first axis alone.
YIQ = torch.tensor([[0.299, 0.587, 0.114], [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]], dtype=torch.float64)


def recolour(x: Tensor, *, brightness: float | Tensor = 1.0, contrast: float | Tensor = 1.0,
             saturation: float | Tensor | None = None, hue: float | Tensor | None = None) -> Tensor:
    """Images in other light: clamp(b · (k · A x + (1 − k) · mean luma)), A = YIQ⁻¹ diag(1, s · rotation(hue)) YIQ.

    x: (N, 3, H, W) in [0, 1]; (N, 1, H, W) where neither saturation nor hue is given.
    brightness b: multiplies everything; contrast k: the distance from the image's mean luma; saturation s: the distance
        from grey; each at least 0, one number or one for each image, (N,); 1 changes nothing. hue: in turns of the
        colour circle; 0 changes nothing.
    Returns images of x's shape in [0, 1]. Grey stays grey; saturation and hue leave the luma as it is, but for what is
        clamped. Raises ValueError where an argument is not as said here.

    torchvision's ColorJitter turns the hue of HSV, which divides and has corners, in place of this rotation about the
    axis of grey; it clamps after each of its four steps, in a random order: here what is bright first and then pale
    loses nothing.
    """
    check_images(x)
    if x.shape[1] != 3 and not (x.shape[1] == 1 and saturation is None and hue is None):
        raise ValueError(f"images must have 3 channels, red, green and blue; got {x.shape[1]} (with 1 channel: "
                         "brightness and contrast alone)")
    b, k = per_image("brightness", brightness, x), per_image("contrast", contrast, x)
    s = per_image("saturation", 1.0 if saturation is None else saturation, x)
    for what, factor in (("brightness", b), ("contrast", k), ("saturation", s)):
        if not (factor >= 0).all():
            raise ValueError(f"{what} must be at least 0; got {factor.min():.4g}")
    pixels = x.to(b.dtype).flatten(2)
    if x.shape[1] == 1:
        matrix, luma = torch.ones_like(b)[..., 0], pixels.mean(dim=(1, 2), keepdim=True)
    else:
        matrix = _colour_matrix(s, per_image("hue", 0.0 if hue is None else hue, x))
        luma = (pixels.mean(dim=2, keepdim=True) * YIQ[0].to(pixels)[:, None]).sum(dim=1, keepdim=True)
    b, k = b[..., 0], k[..., 0]
    offset = (b * (1 - k) * luma).expand(-1, x.shape[1], -1)
    return torch.baddbmm(offset, b * k * matrix, pixels).clamp_(0, 1).view_as(x).to(x.dtype)


def _colour_matrix(saturation, hue):
    """A, (N, 3, 3)."""
    angle, s = 2 * math.pi * hue.view(-1), saturation.view(-1)
    cos, sin, zero, one = s * angle.cos(), s * angle.sin(), torch.zeros_like(s), torch.ones_like(s)
    turn = torch.stack([one, zero, zero, zero, cos, -sin, zero, sin, cos], dim=1).view(-1, 3, 3)
    return torch.linalg.inv(YIQ).to(turn) @ turn @ YIQ.to(turn)
