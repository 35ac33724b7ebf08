"""The sup over changes against brute force, its convexity, and the closed form against FGSM and every corner."""

import itertools
from functools import partial

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from advcourse import models
from advcourse.attacks import fgsm, pgd
from advcourse.invariance.orbits import pixel_shifts
from advcourse.invariance.shifts import shifts_within
from advcourse.invariance.worst_case_loss import (
    gaussian_penalty,
    linear_worst_case_losses,
    worst_case_loss,
    worst_case_losses,
)

IDENTITY_ALONE = torch.tensor([1.0] + [0.0] * 8)


def linear(classes=3, side=6, seed=0, scale=1.0):
    generator = torch.Generator().manual_seed(seed)
    model = models.softmax_regression((1, side, side), classes).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(scale * torch.randn(parameter.shape, generator=generator, dtype=torch.float64))
    return model


def batch(count=7, side=6, classes=3, low=0.0, high=1.0):
    generator = torch.Generator().manual_seed(1)
    x = low + (high - low) * torch.rand(count, 1, side, side, generator=generator, dtype=torch.float64)
    return x, torch.randint(classes, (count,), generator=generator)


def test_losses_are_weighed_before_the_largest_is_taken():
    losses = torch.tensor([[1.0, 3.0, 2.0], [1.0, 0.5, 0.1]])
    assert worst_case_losses(losses, torch.tensor([1.0, 0.3, 0.9])).tolist() == pytest.approx([1.8, 1.0])
    own = torch.tensor([[1.0, 1.0, 0.0], [0.1, 1.0, 1.0]])
    assert worst_case_losses(losses, own).tolist() == [3.0, 0.5]


def test_the_loss_is_the_worst_shift_of_each_image():
    model, (x, y), eta = linear(), batch(), gaussian_penalty(shifts_within(1), 1.2)
    found = worst_case_loss(model, x, y, transforms=pixel_shifts(1), eta=eta)
    wanted = 0
    for image, label in zip(x, y, strict=True):
        weighed = []
        for (right, down), weight in zip(shifts_within(1), eta.tolist(), strict=True):
            moved = torch.zeros_like(image)
            for row, column in itertools.product(range(6), range(6)):
                if 0 <= row - down < 6 and 0 <= column - right < 6:
                    moved[0, row, column] = image[0, row - down, column - right]
            weighed.append(weight * -model(moved[None]).log_softmax(1)[0, label].item())
        wanted += max(weighed) / len(x)
    assert found.item() == pytest.approx(wanted, rel=1e-6)


def test_the_penalty_falls_with_the_distance():
    eta = gaussian_penalty([(0, 0), (1, 0), (0, -2), (1, 1)], 1.5)
    assert eta.tolist() == pytest.approx([1, 0.800737, 0.411112, 0.641180], abs=1e-5)
    assert gaussian_penalty([(0, 0), (0, 1)], 0).tolist() == [1, 0]
    with pytest.raises(ValueError, match="tau must be at least 0 pixels; got -1"):
        gaussian_penalty([(0, 0)], -1)


def test_the_identity_alone_is_plain_training():
    model, (x, y) = linear(), batch()
    ours = worst_case_loss(model, x, y, transforms=pixel_shifts(1), eta=IDENTITY_ALONE)
    plain = F.cross_entropy(model(x), y)
    assert ours.item() == pytest.approx(plain.item(), abs=1e-15)
    for a, b in zip(torch.autograd.grad(ours, model.parameters()), torch.autograd.grad(plain, model.parameters()),
                    strict=True):
        assert torch.allclose(a, b, atol=1e-15)


@pytest.mark.parametrize("distance", [1.0, 1e-3])
def test_it_is_convex_between_models_far_apart_and_close_together(distance):
    (x, y), eta = batch(), gaussian_penalty(shifts_within(1), 1.0).double()
    def objective(model):
        return worst_case_loss(model, x, y, transforms=pixel_shifts(1), eta=eta).item()
    for seed in range(100):
        one, step, middle, two = linear(seed=seed), linear(seed=seed + 1000), linear(), linear()
        for a, b, c, d in zip(one.parameters(), step.parameters(), middle.parameters(), two.parameters(), strict=True):
            d.data = a.data + distance * b.data
            c.data = (a.data + d.data) / 2
        assert objective(middle) <= (objective(one) + objective(two)) / 2 + 1e-12


def corners(model, x, y, eps):
    """The largest cross-entropy over all corners of the ball: a convex function has its maximum at one of them."""
    signs = torch.tensor(list(itertools.product([-1.0, 1.0], repeat=x[0].numel())), dtype=torch.float64)
    moves = eps * signs.view(-1, *x.shape[1:])
    return torch.stack([F.cross_entropy(model(image + moves), label.expand(len(moves)), reduction="none").max()
                        for image, label in zip(x, y, strict=True)])


@pytest.mark.parametrize("classes", [2, 4])
def test_the_closed_form_against_every_corner_of_the_ball(classes):
    model, (x, y) = linear(classes, side=3), batch(side=3, classes=classes, low=0.2, high=0.8)
    worst, formula = corners(model, x, y, 0.2), linear_worst_case_losses(model, x, y, 0.2)
    if classes == 2:
        assert torch.allclose(formula, worst, atol=1e-10)
    else:
        assert (formula >= worst - 1e-10).all() and (formula > worst + 1e-3).any()
    assert torch.allclose(linear_worst_case_losses(model, x, y, 0.0), F.cross_entropy(model(x), y, reduction="none"))


def test_for_two_classes_it_is_fgsms():
    model, (x, y) = linear(2, side=8, scale=0.3), batch(20, 8, 2, 0.1, 0.9)
    x_adv = fgsm(model, x, y, eps=0.1)
    attacked = F.cross_entropy(model(x_adv), y, reduction="none")
    assert torch.allclose(linear_worst_case_losses(model, x, y, 0.1), attacked, rtol=1e-6)


def test_for_more_the_attacks_lie_below():
    model, (x, y) = linear(5, side=8, scale=0.3), batch(20, 8, 5, 0.1, 0.9)
    loss = partial(F.cross_entropy, reduction="none")
    one_step, many = (loss(model(attack(model, x, y, eps=0.1)), y) for attack in (fgsm, pgd))
    bound = linear_worst_case_losses(model, x, y, 0.1)
    assert (one_step <= bound).all() and (many <= bound).all() and many.mean() >= one_step.mean()
    assert (bound - many).max() < 1  # and not far below


def test_what_does_not_fit_is_named():
    model, (x, y) = linear(), batch()
    for eta in (torch.ones(2), 2 * torch.ones(9), -torch.ones(9), torch.full((9,), torch.nan)):
        with pytest.raises(ValueError, match="a weight in \\[0, 1\\] for each of the 9 transforms"):
            worst_case_loss(model, x, y, transforms=pixel_shifts(1), eta=eta)
    for wrong, eps in ((model, -0.1), (nn.Sequential(nn.Flatten(), nn.ReLU()), 0.1)):
        with pytest.raises(ValueError, match="wanted eps >= 0 and a Sequential of Flatten and Linear"):
            linear_worst_case_losses(wrong, x, y, eps)
