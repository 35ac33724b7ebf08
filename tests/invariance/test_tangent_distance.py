"""Tangent distances against least squares, pair by pair, and what they are worth on real digits."""

import numpy as np
import pytest
import torch

from advcourse import data, evaluate
from advcourse.invariance import tangent_distance
from advcourse.invariance.tangent_distance import tangent_distances, tangent_neighbours
from advcourse.invariance.tangents import smooth, tangents


@pytest.fixture(scope="module")
def letters():
    return data.load("fonts", train=200, test=40)


def by_least_squares(x, other, sides):
    """The distance of two images in float64, by NumPy's least squares."""
    x, other = x[None].double(), other[None].double()
    gap = (other - x if sides == 0 else smooth(other) - smooth(x)).flatten().numpy()
    if sides == 0:
        return np.linalg.norm((smooth(other) - smooth(x)).numpy())
    columns = [tangents(x)[0].flatten(1).numpy().T] + ([tangents(other)[0].flatten(1).numpy().T] if sides == 2 else [])
    matrix = np.concatenate(columns, 1)
    return np.linalg.norm(matrix @ np.linalg.lstsq(matrix, gap, rcond=None)[0] - gap)


@pytest.mark.parametrize("sides", [0, 1, 2])
def test_all_pairs_at_once_are_the_least_squares_of_each(letters, sides, monkeypatch):
    monkeypatch.setattr(tangent_distance, "VALUES_AT_ONCE", 49 * 6 * 2)  # two rows at a time
    x, others = letters.x_test[:5], letters.x_train[:6]
    found = tangent_distances(x, others, sides=sides)
    wanted = [[by_least_squares(a, b, sides) for b in others] for a in x]
    assert np.abs(found.numpy() / wanted - 1).max() < 2e-3


def test_more_freedom_is_never_farther_and_two_sides_are_symmetric(letters):
    x, others = letters.x_test[:20], letters.x_train[:30]
    none, one, two = (tangent_distances(x, others, sides=sides) for sides in (0, 1, 2))
    assert (one <= none + 1e-4).all() and (two <= one + 1e-3).all() and two.mean() < 0.8 * none.mean()
    assert torch.allclose(two, tangent_distances(others, x).T, rtol=1e-3)


def test_an_image_and_itself_and_what_has_no_tangents(letters):
    x = torch.cat([letters.x_test[:4], torch.zeros(1, 1, 28, 28)]).requires_grad_()
    found = tangent_distances(x, x.detach())
    assert found.isfinite().all() and found.diagonal().max() < 0.02 and (found + 9 * torch.eye(5)).min() > 0.5
    flat = torch.ones(2, 1, 28, 28) * torch.tensor([0.2, 0.5]).view(2, 1, 1, 1)
    assert tangent_distances(flat, flat)[0, 1] == pytest.approx(0.3 * 28, rel=1e-3)  # grey has no way to move


def test_tangents_that_hang_together_count_once():
    stripe = torch.zeros(1, 1, 28, 28)
    stripe[..., 11:15] = torch.tensor([0.3, 1.0, 0.7, 0.2])
    basis = tangent_distance._plane(stripe, 0.9)[1][0]  # down it is no other; to size it and to stretch it are one
    assert torch.allclose(basis @ basis.T, torch.diag(torch.tensor([0.0, 0, 0, 1, 1, 1, 1])), atol=1e-3)


def test_a_point_of_the_plane_is_at_no_distance(letters):
    x = letters.x_test[:3].double()
    flat, span = smooth(x).flatten(1), tangents(x).flatten(2)
    basis = tangent_distance._plane(x, 0.9)[1]
    moved = flat + torch.einsum("nk,nkd->nd", torch.randn(3, 7, dtype=torch.float64,
                                                          generator=torch.Generator().manual_seed(0)), span)
    assert tangent_distance._to_a_plane(flat, basis, moved, None).diagonal().abs().max() < 1e-8


def test_digits_by_their_nearest_neighbour():
    """Ratios only: absolute errors vary by 3 points with the block of images."""
    with data.time_limit(0):
        mnist = data.load("mnist", train=500, test=300)
    error = [1 - evaluate.accuracy(tangent_neighbours(mnist.x_train, mnist.y_train, 10, sides=sides), mnist.x_test,
                                   mnist.y_test) for sides in (0, 1, 2)]
    raw = torch.cdist(mnist.x_test.flatten(1), mnist.x_train.flatten(1)).argmin(1)
    euclid = (mnist.y_train[raw] != mnist.y_test).double().mean().item()
    assert error[2] <= error[1] <= error[0] <= euclid and error[2] <= 0.6 * euclid and error[1] <= 0.8 * euclid


def test_the_model_says_what_the_nearest_image_is(letters):
    model = tangent_neighbours(letters.x_train, letters.y_train, 10)
    distances = tangent_distances(letters.x_test, letters.x_train)
    scores = model(letters.x_test)
    assert torch.equal(scores.argmax(1), letters.y_train[distances.argmin(1)])
    assert torch.allclose(scores.amax(1), -distances.amin(1))


def test_what_does_not_fit_is_named(letters):
    x, x_train, y_train = letters.x_test, letters.x_train, letters.y_train
    for call, words in ((lambda: tangent_distances(x, x_train, sides=3), "sides must be 0, 1 or 2"),
                        (lambda: tangent_distances(x, x_train[..., 1:]), "images of one shape"),
                        (lambda: tangent_neighbours(x_train, y_train, 11), r"each class 0\.\.10")):
        with pytest.raises(ValueError, match=words):
            call()
