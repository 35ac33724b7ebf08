"""Orbits by hand, movement and agreement by their formulas, pooled models that cannot move round a group."""

import pytest
import torch
from torch import nn
from torchvision.transforms.v2 import functional as v2

from advcourse import models
from advcourse.invariance.orbits import (
    agreement,
    cyclic_shifts,
    movement,
    orbit,
    pixel_shifts,
    pooled,
    quarter_turns,
    turns,
)
from advcourse.invariance.shifts import shift_all, shifts_within
from advcourse.randomness import seeded


@pytest.fixture(scope="module")
def network():
    with seeded(0):
        network = models.mlp((2, 8, 8), 4, hidden=16).double().eval().requires_grad_(False)
    network[-1].weight.mul_(30)  # untrained, it says the same of every image
    return network


@pytest.fixture(scope="module")
def x():
    return torch.rand(5, 2, 8, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


GROUPS = {"cyclic": cyclic_shifts(8, 8, 2), "quarter turns": quarter_turns()}
ORBITS = GROUPS | {"pixels": pixel_shifts(1), "turns": turns([-20, 20])}


@pytest.mark.parametrize("name", ORBITS)
def test_the_identity_comes_first(name, x):
    images = orbit(x, ORBITS[name])
    assert torch.equal(images[:, 0], x) and images.shape == (5, len(ORBITS[name]), 2, 8, 8)
    assert all(not torch.equal(images[:, k], x) for k in range(1, images.shape[1]))


@pytest.mark.parametrize("name", GROUPS)
def test_a_group_is_closed(name, x):
    once = orbit(x, GROUPS[name])
    for transform in GROUPS[name]:
        moved = orbit(transform(x), GROUPS[name])
        assert all((once[0] == element).flatten(1).all(1).any() for element in moved[0])


def test_pixel_shifts_bring_in_black(x):
    for (right, down), images in zip(shifts_within(1), orbit(x, pixel_shifts(1)).unbind(1), strict=True):
        assert torch.equal(images, shift_all(x, right, down))


def test_turns_are_torchvisions(x):
    theirs = v2.rotate(x, 20, interpolation=v2.InterpolationMode.BILINEAR)
    assert torch.allclose(turns([20])[1](x), theirs, atol=1e-5)


def test_movement_and_agreement_by_their_formulas(network, x):
    transforms = pixel_shifts(1)
    p = torch.stack([network(transform(x)).softmax(1) for transform in transforms])
    moved = sum((p[k] - p[0]).abs().sum(1) / 2 for k in range(1, 9)) / 8
    assert torch.allclose(movement(network, x, transforms), moved)
    same = torch.stack([p[k].argmax(1) == p[0].argmax(1) for k in range(1, 9)]).double().mean(0)
    assert torch.equal(agreement(network, x, transforms), same) and 0 < same.mean() < 1


def test_they_range_from_nothing_to_everything(x):
    def corner(z):  # certain of class 1 where the pixel in the corner is bright
        return torch.stack([0 * z[:, 0, 0, 0], 1000 * (z[:, 0, 0, 0] - 0.5)], 1)
    bright = torch.zeros(1, 1, 4, 4)
    bright[..., 0, 0] = 1
    assert movement(corner, bright, pixel_shifts(1)).item() == pytest.approx(1)
    assert agreement(corner, bright, pixel_shifts(1)).item() == 0
    def constant(z):
        return torch.ones(len(z), 3)
    assert movement(constant, x, pixel_shifts(1)).max() == 0 and agreement(constant, x, pixel_shifts(1)).min() == 1


@pytest.mark.parametrize("pool", ["mean", "max"])
@pytest.mark.parametrize("name", GROUPS)
def test_a_pooled_model_cannot_move_round_a_group(name, pool, network, x):
    model = pooled(network, GROUPS[name], pool)
    assert movement(network, x, GROUPS[name]).min() > 1e-3
    assert movement(model, x, GROUPS[name]).max() < 1e-12
    answers = torch.stack([network(transform(x)) for transform in GROUPS[name]])
    assert torch.allclose(model(x), answers.mean(0) if pool == "mean" else answers.max(0).values)


def test_off_the_group_it_moves(network, x):
    assert movement(pooled(network, pixel_shifts(1)), x, pixel_shifts(1)).mean() > 1e-4  # no group
    assert movement(pooled(network, cyclic_shifts(8, 8, 2)), x, cyclic_shifts(8, 8, 1)).mean() > 1e-4  # a larger one


def test_gradients_pass_through_a_pooled_model(network, x):
    images = x.clone().requires_grad_()
    gradient, = torch.autograd.grad(pooled(network, quarter_turns())(images).sum(), images)
    assert (gradient != 0).any() and isinstance(network, nn.Module)


def test_what_does_not_fit_is_named(network, x):
    for call, words in ((lambda: movement(network, x, quarter_turns()[:1]), "at least one other transformation; got 1"),
                        (lambda: agreement(network, x, []), "at least one other transformation; got 0"),
                        (lambda: cyclic_shifts(8, 6, 4), "must divide height and width, 8 and 6; got 4"),
                        (lambda: pooled(network, quarter_turns(), "sum"), "pool must be 'mean' or 'max'; got 'sum'")):
        with pytest.raises(ValueError, match=words):
            call()
