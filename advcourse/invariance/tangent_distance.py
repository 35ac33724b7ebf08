"""Tangent distance: how far two images are apart when each may be moved about in its tangent plane first."""

from typing import Literal

import torch
from torch import Tensor

from advcourse.invariance.tangents import SIGMA, smooth, tangents
from advcourse.models.inference import Model

SPRING = 1e-4  # what a unit along the second image's tangents costs, squared: parallel planes meet nowhere for free
VALUES_AT_ONCE = 2**22  # products of tangents in memory


def tangent_distances(x: Tensor, others: Tensor, *, sides: Literal[0, 1, 2] = 2, sigma: float = SIGMA) -> Tensor:
    """The distance of every image of x to every one of the others, up to small transformations.

        sides = 0:  ‖x − o‖₂                            of the smoothed images: what smoothing alone does
        sides = 1:  min over a of ‖x + T_x a − o‖₂
        sides = 2:  min over a, b of ‖x + T_x a − o − T_o b‖₂

    x: images, shape (N, C, H, W). others: images of that shape, (M, C, H, W).
    sides: whose tangents count: nobody's, those of x, or both. sigma: of the smoothing, in pixels.
    Returns distances, shape (N, M).
    Raises ValueError for other sides, or images of another shape.
    Cost: one product of all pairs of tangents, N · M · C·H·W · 49 multiplications, for two sides; a seventh for one.

    Simard, LeCun, Denker, "Efficient pattern recognition using a new transformation distance", NIPS 5, 1993. With Q an
    orthonormal basis of each plane, r = x − o and C = Q_xᵀ Q_o, the minimum over a leaves ‖r‖² − ‖Q_xᵀ r‖², and that
    over b a system of seven equations with the matrix 1 − CᵀC for each pair.
    """
    if sides not in (0, 1, 2):
        raise ValueError(f"sides must be 0, 1 or 2; got {sides!r}")
    if x.shape[1:] != others.shape[1:]:
        raise ValueError(f"both sets need images of one shape; got {tuple(x.shape)} and {tuple(others.shape)}")
    measure = (_between_points, _to_a_plane, _between_planes)[sides]
    points, bases = _plane(x, sigma)
    other = _plane(others, sigma)
    rows = max(1, VALUES_AT_ONCE // (49 * max(1, len(others))))
    parts = [measure(*part, *other) for part in zip(points.split(rows), bases.split(rows), strict=True)]
    return torch.cat(parts).clamp_min(0).sqrt()


def tangent_neighbours(x_train: Tensor, y_train: Tensor, classes: int, *, sides: Literal[0, 1, 2] = 2,
                       sigma: float = SIGMA) -> Model:
    """The nearest neighbour by tangent distance, as a model: from images (N, C, H, W) to scores (N, K).

    x_train: images (M, C, H, W). y_train: their labels, (M,), each class at least once. classes: K. sides, sigma: as of
        `tangent_distances`.
    Returns a model whose score of a class is minus the distance to the nearest of its images.
    Raises ValueError where a class has no image.
    """
    if len(x_train) != len(y_train) or set(y_train.tolist()) != set(range(classes)):
        raise ValueError(f"wanted one label per image and an image of each class 0..{classes - 1}; got {len(x_train)} "
                         f"images, {len(y_train)} labels, classes {sorted(set(y_train.tolist()))}")

    def scores(x):
        distances = tangent_distances(x, x_train.to(x), sides=sides, sigma=sigma)
        return torch.stack([-distances[:, y_train == k].amin(1) for k in range(classes)], 1)

    return scores


def _plane(x, sigma):
    """(points, bases): the smoothed images, (N, D), and orthonormal vectors along the tangents of each, (N, 7, D).

    Of tangents that hang together only as many vectors as there are directions; the others are 0.
    """
    vectors = tangents(x, sigma).flatten(2)
    squares, axes = torch.linalg.eigh((vectors @ vectors.mT).double())
    used = squares > 1e-6 * squares.amax(1, keepdim=True)
    scale = torch.where(used, squares.clamp_min(1e-30).rsqrt(), 0)
    return smooth(x, sigma).flatten(1), (axes * scale[:, None]).mT.to(x.dtype) @ vectors


def _between_points(p, _, q, __):
    """‖p − q‖² of all pairs, (N, M)."""
    return p.square().sum(1, keepdim=True) + q.square().sum(1) - 2 * p @ q.T


def _along(p, bases, q):
    """Qᵀ(p − q) of all pairs, (N, M, 7), Q the bases of p."""
    own = torch.einsum("nid,nd->ni", bases, p)
    return own[:, None] - torch.einsum("nid,md->nmi", bases, q)


def _to_a_plane(p, bases, q, _):
    return _between_points(p, None, q, None) - _along(p, bases, q).square().sum(2)


def _between_planes(p, bases, q, other_bases):
    a, b = _along(p, bases, q), -_along(q, other_bases, p).transpose(0, 1)
    both = torch.einsum("nid,mjd->nmij", bases, other_bases)  # C
    rest = b[..., None] - both.mT @ a[..., None]
    matrix = (1 + SPRING) * torch.eye(7, dtype=p.dtype, device=p.device) - both.mT @ both
    gained = torch.linalg.solve_triangular(torch.linalg.cholesky(matrix), rest, upper=False)
    return _between_points(p, None, q, None) - a.square().sum(2) - gained.square().sum((2, 3))
