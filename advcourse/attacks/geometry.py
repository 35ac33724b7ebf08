"""Norms, balls and the box [0, 1]: sizes of changes, directions, projections that are exact in floating point."""

import math

import torch


def per_example(values, like):
    """values, shape (N,), as (N, 1, 1, ...) so that they multiply images of the shape of `like`."""
    return values.view(-1, *[1] * (like.dim() - 1))


def distance(x_adv, x, norm):
    """The size of each image's change, shape (N,): "linf" the largest, "l2" Euclidean, "l1" the sum, "l0" the count of
    changed values."""
    difference = (x_adv - x).flatten(1)
    if difference.numel() == 0:
        return difference.new_zeros(len(difference))
    if norm == "linf":  # ten times as fast as vector_norm
        return difference.abs().amax(1)
    return torch.linalg.vector_norm(difference, {"l2": 2, "l1": 1, "l0": 0}[norm], dim=1)


def normalise(gradient, norm):
    """The direction of unit norm in which a linear function with this gradient grows fastest; 0 stays 0.

    linf: its sign. l2: gradient / ‖gradient‖₂, also for gradients too small to be squared. l1: the sign of its largest
    entry alone.
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


def representable(eps, dtype):
    """The largest number of this dtype that is not above eps: 0.1 itself is no float32, and the nearest float32 is
    above it."""
    rounded = torch.tensor(eps, dtype=dtype)
    return (torch.nextafter(rounded, torch.zeros_like(rounded)) if rounded.item() > eps else rounded).item()


def summed_radius(eps, dtype):
    """A few roundings below eps, so that a norm's own summation cannot end above eps."""
    return representable(eps, dtype) * (1 - 16 * torch.finfo(dtype).eps)


def bounds(x, eps):
    """(low, high): the smallest and largest images in [0, 1] whose distance |x_adv − x|, as computed, is at most eps
    everywhere."""
    eps = representable(eps, x.dtype)
    low, high = x - eps, x + eps
    low = torch.where(x - low > eps, torch.nextafter(low, x), low)
    high = torch.where(high - x > eps, torch.nextafter(high, x), high)
    return low.clamp_(min=0), high.clamp_(max=1)


def project(x_adv, x, eps, norm):
    """The image of the ball of radius eps around x and of the box [0, 1] nearest to x_adv, exactly inside both.

    linf, l1: the nearest one. l2: the nearest in the ball, then clipped to the box, which keeps it in the ball as x is
    in the box.
    l1 in the box: Croce & Hein, "Mind the box", ICML 2021, section 2: soft thresholding, each pixel at most up to its
    bound.
    """
    if norm == "linf":
        return torch.clamp(x_adv, *bounds(x, eps))
    radius, delta = summed_radius(eps, x.dtype), x_adv - x
    if norm == "l2":
        length = torch.linalg.vector_norm(delta.flatten(1), dim=1)
    elif norm == "l1":
        room = torch.where(delta > 0, 1 - x, x)
        threshold = per_example(_l1_threshold(delta.abs().flatten(1), room.flatten(1), radius), x)
        delta = delta.sign() * torch.minimum((delta.abs() - threshold).clamp_min(0), room)
        length = delta.abs().flatten(1).sum(1)  # the threshold's rounding: nothing, unless eps is tiny
    else:
        raise ValueError(f"norm must be one of 'linf', 'l2', 'l1'; got {norm!r}")
    return add_inside(x, delta.mul_(per_example((radius / length.clamp_min(torch.finfo(x.dtype).tiny)).clamp(max=1),
                                                x)))


def add_inside(x, delta):
    """x + delta, clipped to [0, 1] and rounded towards x, so that no pixel's change, as computed, is larger than that
    of delta."""
    x_adv = (x + delta).clamp_(0, 1)
    outside = (x_adv - x).abs_().gt_(delta.abs())  # 1 or 0
    return x_adv.lerp_(torch.nextafter(x_adv, x), outside)


def _l1_threshold(size, room, radius):
    """The smallest t >= 0, shape (N,), for which Σ min(max(size − t, 0), room) <= radius; size, room: shape (N, D).

    By bisection, a step for each digit of the arithmetic: to find t exactly, the 2 D ends of the straight pieces of
    that sum must be sorted, which is several times dearer.
    """
    inside = torch.minimum(size, room).sum(1) <= radius
    if size.numel() == 0:
        return inside.to(size.dtype)
    low, high = torch.zeros_like(size[:, :1]), size.amax(1, keepdim=True)
    for _ in range(round(-math.log2(torch.finfo(size.dtype).eps))):
        middle = (low + high) / 2
        outside = torch.minimum((size - middle).clamp_min_(0), room).sum(1, keepdim=True) > radius
        low, high = torch.where(outside, middle, low), torch.where(outside, high, middle)
    return torch.where(inside, 0, high[:, 0])


def random_start(x, eps, norm, generator):
    """A point drawn uniformly from the ball of radius eps around x, then clipped to [0, 1]. norm: "linf", "l2" or
    "l1"."""
    if norm == "linf":
        noise = torch.rand(x.shape, generator=generator, device=x.device, dtype=x.dtype).mul_(2).sub_(1)
        return project(x + eps * noise, x, eps, norm)
    flat = (len(x), x[0].numel() if len(x) else 0)
    direction = torch.randn(flat, generator=generator, device=x.device, dtype=x.dtype)
    if norm == "l2":
        radius = torch.rand((len(x), 1), generator=generator, device=x.device, dtype=x.dtype).pow(1 / max(flat[1], 1))
        noise = radius * normalise(direction, "l2")
    elif norm == "l1":
        # D + 1 exponentials over their sum are uniform on the simplex; without the last one, on the solid below it.
        exponential = -torch.rand((len(x), flat[1] + 1), generator=generator, device=x.device,
                                  dtype=x.dtype).neg_().log1p_()
        noise = direction.sign() * exponential[:, :-1] / exponential.sum(1, keepdim=True)
    else:
        raise ValueError(f"norm must be one of 'linf', 'l2', 'l1'; got {norm!r}")
    return project(x + eps * noise.view(x.shape), x, eps, norm)


def dual_norm(gradient, norm):
    """What a step of unit size in the norm can gain, shape (N,): the l1, l2 or linf norm of the gradient for "linf",
    "l2", "l1"."""
    return torch.linalg.vector_norm(gradient.flatten(1), {"linf": 1, "l2": 2, "l1": math.inf}[norm], dim=1)
