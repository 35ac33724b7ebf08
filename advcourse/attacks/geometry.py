"""Norms, balls and the box of valid values: sizes of changes, directions, projections exact in floating point."""

import math
from typing import NamedTuple

import torch
from torch import Tensor


class Box(NamedTuple):
    """The valid values of an input: from 0 to 1 in an image, from −1 to 1 in a waveform."""

    low: float = 0.0
    high: float = 1.0

    @property
    def width(self) -> float:
        return self.high - self.low

    @property
    def middle(self) -> float:
        return (self.low + self.high) / 2


UNIT = Box()


def per_example(values: Tensor, like: Tensor) -> Tensor:
    """values, shape (N,), as (N, 1, 1, ...) so that they multiply images of the shape of `like`."""
    return values.view(-1, *[1] * (like.dim() - 1))


def distance(x_adv: Tensor, x: Tensor, norm: str) -> Tensor:
    """The size of each image's change, shape (N,).

    norm: "linf", the largest; "l2", Euclidean; "l1", the sum; "l0", the count of changed values.
    """
    difference = (x_adv - x).flatten(1)
    if difference.numel() == 0:
        return difference.new_zeros(len(difference))
    if norm == "linf":  # ten times as fast as vector_norm
        return difference.abs().amax(1)
    return torch.linalg.vector_norm(difference, {"l2": 2, "l1": 1, "l0": 0}[norm], dim=1)


def normalise(gradient: Tensor, norm: str) -> Tensor:
    """The direction of unit norm in which a linear function with this gradient grows fastest; 0 stays 0.

    linf: its sign. l2: gradient / ‖gradient‖₂, also for gradients too small to be squared.
    l1: the sign of its largest entry alone.
    """
    if norm == "linf":
        return gradient.sign()
    flat = gradient.flatten(1)
    if flat.numel() == 0:
        return gradient
    if norm == "l2":
        flat = flat / flat.abs().amax(1, keepdim=True).clamp_min(torch.finfo(flat.dtype).tiny)
        flat = flat / torch.linalg.vector_norm(flat, dim=1, keepdim=True).clamp_min(torch.finfo(flat.dtype).tiny)
    elif norm == "l1":
        largest = flat.abs().argmax(1, keepdim=True)
        flat = torch.zeros_like(flat).scatter(1, largest, flat.gather(1, largest).sign())
    else:
        raise ValueError(f"norm must be one of 'linf', 'l2', 'l1'; got {norm!r}")
    return flat.view(gradient.shape)


def representable(eps: float | Tensor, dtype: torch.dtype) -> float | Tensor:
    """The largest number of this dtype not above eps: the float32 nearest to 0.1 is. A tensor stays as it is."""
    if isinstance(eps, Tensor):
        return eps
    rounded = torch.tensor(eps, dtype=dtype)
    return (torch.nextafter(rounded, torch.zeros_like(rounded)) if rounded.item() > eps else rounded).item()


def summed_radius(eps: float, dtype: torch.dtype) -> float:
    """A few roundings below eps, so that a norm's own summation cannot end above eps."""
    return representable(eps, dtype) * (1 - 16 * torch.finfo(dtype).eps)


def bounds(x: Tensor, eps: float | Tensor, box: Box = UNIT) -> tuple[Tensor, Tensor]:
    """(low, high): the smallest and largest images in the box with |x_adv − x| <= eps everywhere, as computed.

    eps: one for all values, or a tensor that broadcasts to x.
    """
    eps = representable(eps, x.dtype)
    low, high = x - eps, x + eps
    low = torch.where(x - low > eps, torch.nextafter(low, x), low)
    high = torch.where(high - x > eps, torch.nextafter(high, x), high)
    return low.clamp_(min=box.low), high.clamp_(max=box.high)


def project(x_adv: Tensor, x: Tensor, eps: float | Tensor, norm: str, box: Box = UNIT) -> Tensor:
    """The image of the ball of radius eps around x and of the box nearest to x_adv, exactly inside both.

    linf, l1: the nearest one. l2: the nearest in the ball, then clipped to the box, where it stays in the ball.
    l1: a soft threshold, clipped to the box: Croce & Hein, "Mind the box", ICML 2021, section 2.
    """
    if norm == "linf":
        return torch.clamp(x_adv, *bounds(x, eps, box))
    radius, delta = summed_radius(eps, x.dtype), x_adv - x
    if norm == "l2":
        length = torch.linalg.vector_norm(delta.flatten(1), dim=1)
    elif norm == "l1":
        room = torch.where(delta > 0, box.high - x, x - box.low)
        threshold = per_example(l1_threshold(delta.abs().flatten(1), room.flatten(1), radius), x)
        delta = soft_threshold(delta, threshold).clamp(box.low - x, box.high - x)
        length = delta.abs().flatten(1).sum(1)  # the threshold's rounding: nothing, unless eps is tiny
    else:
        raise ValueError(f"norm must be one of 'linf', 'l2', 'l1'; got {norm!r}")
    scale = (radius / length.clamp_min(torch.finfo(x.dtype).tiny)).clamp(max=1)
    return add_inside(x, delta.mul_(per_example(scale, x)), box)


def add_inside(x: Tensor, delta: Tensor, box: Box = UNIT) -> Tensor:
    """x + delta, clipped to the box and rounded towards x: no pixel's change, as computed, is larger than delta's."""
    x_adv = (x + delta).clamp_(*box)
    outside = (x_adv - x).abs_().gt_(delta.abs())  # 1 or 0
    return x_adv.lerp_(torch.nextafter(x_adv, x), outside)


def soft_threshold(delta: Tensor, threshold: Tensor | float) -> Tensor:
    """Every entry moved towards 0 by the threshold, and not beyond: sign(δ) · max(|δ| − threshold, 0)."""
    return delta.sign() * (delta.abs() - threshold).clamp_min(0)


def l1_threshold(size: Tensor, room: Tensor, radius: Tensor | float, halvings: int | None = None) -> Tensor:
    """The smallest t >= 0, shape (N,), for which Σ min(max(size − t, 0), room) <= radius.

    size, room: shape (N, D); radius: one for all, or shape (N, 1). halvings: steps of the bisection from 0 to the
    largest size; None: one for each digit of the arithmetic. To find t exactly, the 2 D ends of the straight pieces of
    that sum must be sorted, which takes several times as long.
    """
    inside = torch.minimum(size, room).sum(1, keepdim=True) <= radius
    if size.numel() == 0:
        return inside[:, 0].to(size.dtype)
    low, high = torch.zeros_like(size[:, :1]), size.amax(1, keepdim=True)
    for _ in range(halvings or round(-math.log2(torch.finfo(size.dtype).eps))):
        middle = (low + high) / 2
        outside = torch.minimum((size - middle).clamp_min_(0), room).sum(1, keepdim=True) > radius
        low, high = torch.where(outside, middle, low), torch.where(outside, high, middle)
    return torch.where(inside, 0, high)[:, 0]


def movable(gradient: Tensor, x: Tensor, box: Box = UNIT) -> Tensor:
    """The gradient without the pixels that a step along it would only push out of the box."""
    return gradient * torch.where(gradient > 0, x < box.high, x > box.low)


def random_start(x: Tensor, eps: float | Tensor, norm: str, generator: torch.Generator, box: Box = UNIT) -> Tensor:
    """A point drawn uniformly from the ball of radius eps in "linf", "l2" or "l1" around x, then clipped to the box."""
    if norm == "linf":
        noise = torch.rand(x.shape, generator=generator, device=x.device, dtype=x.dtype).mul_(2).sub_(1)
        return project(x + eps * noise, x, eps, norm, box)
    flat = (len(x), x[0].numel() if len(x) else 0)
    direction = torch.randn(flat, generator=generator, device=x.device, dtype=x.dtype)
    if norm == "l2":
        radius = torch.rand((len(x), 1), generator=generator, device=x.device, dtype=x.dtype).pow(1 / max(flat[1], 1))
        noise = radius * normalise(direction, "l2")
    elif norm == "l1":
        # D + 1 exponentials over their sum are uniform on the simplex; without the last one, on the solid below it.
        uniform = torch.rand((len(x), flat[1] + 1), generator=generator, device=x.device, dtype=x.dtype)
        exponential = -uniform.neg_().log1p_()
        noise = direction.sign() * exponential[:, :-1] / exponential.sum(1, keepdim=True)
    else:
        raise ValueError(f"norm must be one of 'linf', 'l2', 'l1'; got {norm!r}")
    return project(x + eps * noise.view(x.shape), x, eps, norm, box)


def dual_norm(gradient: Tensor, norm: str) -> Tensor:
    """What a step of unit size in "linf", "l2" or "l1" can gain, shape (N,): the gradient's l1, l2 or linf norm."""
    return torch.linalg.vector_norm(gradient.flatten(1), {"linf": 1, "l2": 2, "l1": math.inf}[norm], dim=1)
