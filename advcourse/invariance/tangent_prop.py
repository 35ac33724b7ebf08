"""Tangent propagation: train a network whose answer does not change along the tangents of its images."""

import warnings

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from advcourse.invariance.tangents import SIGMA, tangents


def along(model: nn.Module, x: Tensor, directions: Tensor) -> tuple[Tensor, Tensor]:
    """(logits, slopes): the model's logits at x, and how they change along a direction of each image, both (N, K).

    One forward pass carries both (forward mode): a pair (value, slope) goes through every layer, and no matrix of all
    derivatives is ever made.
    model: from images (N, C, H, W) to logits (N, K). x, directions: of that shape.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # PyTorch's own code for this uses its own deprecated compiler
        return torch.func.jvp(model, (x,), (directions,))


def tangent_prop_loss(model: nn.Module, x: Tensor, y: Tensor, *, weight: float, sigma: float = SIGMA) -> Tensor:
    """Be right on x, and say the same along its tangents; a loss for `training.fit`.

        J(x, y) + β · mean over images of ‖∂z(x + a t)/∂a‖²,    β = weight, z the logits, t one of x's seven tangents

    Each step draws one tangent for each image from torch's global generator, so that in the mean all seven count alike.
    model: from images in [0, 1], shape (N, C, H, W), to logits (N, K). x: such images. y: their labels, (N,).
    weight: at least 0. sigma: of the tangents' smoothing, in pixels; the network sees x as it is.
    Returns the loss, a scalar.
    Raises ValueError where weight is negative.
    Cost: about 2 forward and backward passes.

    Simard, Victorri, LeCun, Denker, "Tangent prop: a formalism for specifying selected invariances in an adaptive
    network", NIPS 4, 1992.
    """
    if weight < 0:
        raise ValueError(f"weight must be at least 0; got {weight}")
    vectors = tangents(x, sigma)
    chosen = torch.randint(vectors.shape[1], (len(x),), device=x.device)
    logits, slopes = along(model, x, vectors[torch.arange(len(x), device=x.device), chosen])
    return F.cross_entropy(logits, y) + weight * slopes.square().sum(1).mean()
