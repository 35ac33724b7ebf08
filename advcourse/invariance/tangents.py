"""Tangent vectors: how an image changes when it is moved, sized, turned, sheared or thickened a little.

All images of a digit that is moved about form a surface; the tangents at one image span the plane that touches it
there.
"""

import math

import torch
from torch import Tensor
from torchvision.transforms.v2 import functional as v2

NAMES = ("shift right", "shift down", "size", "rotation", "stretch along the axes", "stretch along a diagonal",
         "thickness")
SIGMA = 0.9  # of the Gaussian, in pixels: enough for a derivative between pixels to mean something


def smooth(x: Tensor, sigma: float = SIGMA) -> Tensor:
    """The images x, shape (N, C, H, W), blurred by a Gaussian whose standard deviation is sigma pixels, above 0."""
    return v2.gaussian_blur(x, [2 * math.ceil(3 * sigma) + 1] * 2, [sigma, sigma])


def velocities(height: int, width: int) -> Tensor:
    """Where six of the transformations move each pixel, (right, down): shape (6, 2, height, width).

    In the order of NAMES, thickness left out: it moves nothing. Points are measured from the centre of the image; the
    fastest at the rim of the longer side moves by one pixel.
    """
    half = (max(height, width) - 1) / 2 or 1.0
    down, right = torch.meshgrid((torch.arange(height) - (height - 1) / 2) / half,
                                 (torch.arange(width) - (width - 1) / 2) / half, indexing="ij")
    one, zero = torch.ones_like(right), torch.zeros_like(right)
    fields = [(one, zero), (zero, one), (right, down), (down, -right), (right, -down), (down, right)]
    return torch.stack([torch.stack(field) for field in fields])


def tangents(x: Tensor, sigma: float = SIGMA) -> Tensor:
    """The seven derivatives of each image with respect to the transformations of NAMES.

        t_v = −v · ∇x̃,  v one of the six velocities;   t_thickness = ‖∇x̃‖²;   x̃ the smoothed image

    x: images, shape (N, C, H, W), H and W at least 2 and more than 3 sigma. sigma: of the smoothing, in pixels.
    Returns shape (N, 7, C, H, W). x + a · t is about x under a transformation that moves the rim of the image by up to
        a pixels: right, down, apart, counter-clockwise, apart along the horizontal and together along the vertical, or
        apart along the diagonal from top left to bottom right.

    Simard, LeCun, Denker, Victorri, "Transformation invariance in pattern recognition: tangent distance and tangent
    propagation", 1998.
    """
    down, right = torch.gradient(smooth(x, sigma), dim=(2, 3))
    slopes = torch.stack([right, down])  # (2, N, C, H, W)
    moved = -torch.einsum("vdhw,dnchw->nvchw", velocities(*x.shape[2:]).to(x), slopes)
    return torch.cat([moved, slopes.square().sum(0)[:, None]], 1)
