"""Tangents against differences of images that are really transformed; smoothing against SciPy's."""

import math

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from torch.nn import functional as F

from advcourse.invariance import tangents as tangents_module
from advcourse.invariance.tangents import NAMES, smooth, tangents

SIZE = 29


def blobs(count=4, channels=1, height=SIZE, width=SIZE, matrix=((1, 0), (0, 1)), right=0.0, down=0.0):
    """Sums of three wide Gaussians, under the map p -> matrix p + (right, down) of the plane; float64.

    Points p are (right, down) in pixels from the centre. They are drawn from the formula, no image is resampled.
    """
    generator = torch.Generator().manual_seed(0)
    centres = (torch.rand(count, channels, 3, 2, generator=generator, dtype=torch.float64) - 0.5) * 9
    row, column = torch.meshgrid(torch.arange(height) - (height - 1) / 2, torch.arange(width) - (width - 1) / 2,
                                 indexing="ij")
    p = torch.stack([column - right, row - down], 2).double() @ torch.linalg.inv(torch.tensor(matrix).double()).T
    squares = (p - centres[:, :, :, None, None]).square().sum(5)
    return torch.exp(-squares / 32).sum(2) / 3


def really(name, a):
    """The blobs under the transformation, so far that what is fastest moves by about a pixels."""
    s = a / ((SIZE - 1) / 2)
    return blobs(**{
        "shift right": {"right": a},
        "shift down": {"down": a},
        "size": {"matrix": ((1 + s, 0), (0, 1 + s))},
        "rotation": {"matrix": ((math.cos(s), math.sin(s)), (-math.sin(s), math.cos(s)))},
        "stretch along the axes": {"matrix": ((1 + s, 0), (0, 1 - s))},
        "stretch along a diagonal": {"matrix": ((1, s), (s, 1))},
    }[name])


@pytest.mark.parametrize("name", NAMES[:6])
def test_a_tangent_is_the_derivative_of_the_transformation_itself(name):
    wanted = ((really(name, 1e-4) - really(name, -1e-4)) / 2e-4).flatten(1)
    found = tangents(blobs(), 0.3)[:, NAMES.index(name)].flatten(1)  # hardly smoothed
    assert F.cosine_similarity(found, wanted).min() > 0.99
    assert torch.allclose(found.norm(dim=1), wanted.norm(dim=1), rtol=0.05)


def test_thickness_adds_at_both_edges_of_a_stroke_and_nowhere_else():
    x = torch.zeros(1, 1, SIZE, SIZE)
    x[..., 12:17] = 1
    profile = tangents(x)[0, 6, 0, 14]
    assert profile.min() >= 0 and profile[[11, 12]].min() > 0.1 and profile[14] < 0.01 and profile[[5, 23]].max() < 1e-6
    assert torch.allclose(profile, profile.flip(0))
    thin, thick = smooth(x), smooth(x) + tangents(x)[:, 6]
    assert (thick > 0.35).sum() > (thin > 0.35).sum()


@pytest.mark.parametrize("sigma", [0.6, 0.9, 2.0])
def test_smoothing_is_scipys(sigma):
    x = blobs(2, 3, 21, 30)
    radius = math.ceil(3 * sigma)
    theirs = gaussian_filter(x.numpy(), sigma, axes=(2, 3), mode="mirror", radius=radius)
    assert np.abs(smooth(x, sigma).numpy() - theirs).max() < 1e-6


def test_channels_and_images_are_on_their_own_and_sides_may_differ():
    x = blobs(3, 2, 22, 31)
    whole = tangents(x)
    assert whole.shape == (3, 7, 2, 22, 31) and whole.dtype == torch.float64
    assert torch.allclose(whole[1:2, :, 1:], tangents(x[1:2, 1:]))


def test_nothing_moves_at_the_centre_and_the_rim_of_the_longer_side_by_one_pixel():
    fields = tangents_module.velocities(21, 31)
    assert fields.shape == (6, 2, 21, 31) and torch.equal(fields[2:, :, 10, 15], torch.zeros(4, 2))
    assert fields[2, 0, 10, -1] == 1 and fields[2, 1, -1, 15] == pytest.approx(10 / 15)
    assert fields[3, :, 10, -1].tolist() == [0, -1]  # counter-clockwise: what is right goes up
