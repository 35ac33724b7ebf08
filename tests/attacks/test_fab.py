"""FAB: its projection against linear programming and a root finder, exact distances on linear models, its strength."""

import numpy as np
import pytest
import torch
from scipy import optimize
from torch import nn

from advcourse import data, zoo
from advcourse.attacks import contract, geometry, losses
from advcourse.attacks.fab import fab, to_plane, within
from advcourse.attacks.geometry import dual_norm
from tests.attacks.counting import Counting


def problem(seed, count=1, pixels=12):
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(count, pixels, generator=generator, dtype=torch.float64)
    x[:, :4] = x[:, :4].round()  # at the walls, too
    gradient = torch.randn(count, pixels, generator=generator, dtype=torch.float64)
    gradient[:, 5] = 0
    return x, gradient, torch.randn(count, generator=generator, dtype=torch.float64) * 2


def by_linear_programming(x, value, gradient, norm):
    """The smallest step's size in l1 or linf, None where none reaches the plane. Variables: step, and its bounds."""
    n = len(x)
    eye, bound = np.eye(n), np.eye(n) if norm == "l1" else np.ones((n, 1))
    answer = optimize.linprog(
        np.concatenate([np.zeros(n), np.ones(bound.shape[1])]),
        A_ub=np.block([[eye, -bound], [-eye, -bound]]), b_ub=np.zeros(2 * n),
        A_eq=np.concatenate([gradient, np.zeros(bound.shape[1])])[None], b_eq=[-value],
        bounds=[(-p, 1 - p) for p in x] + [(0, None)] * bound.shape[1])
    return answer.fun if answer.success else None


def by_root_finding(x, value, gradient):
    """The smallest step in l2: clip(λ gradient) for the λ that reaches the plane."""
    def step(multiplier):
        return np.clip(multiplier * gradient, -x, 1 - x)
    def miss(multiplier):
        return value + gradient @ step(multiplier)
    if miss(-1e9) * miss(1e9) > 0:
        return None
    return np.linalg.norm(step(optimize.brentq(miss, -1e4, 1e4, xtol=1e-14)))


@pytest.mark.parametrize("norm", ["linf", "l2", "l1"])
def test_to_plane_is_the_smallest_step(norm):
    reached = 0
    for seed in range(40):
        x, gradient, value = problem(seed)
        step = to_plane(x, value, gradient, norm)
        assert (x + step).min() >= -1e-12 and (x + step).max() <= 1 + 1e-12
        arguments = x[0].numpy(), value[0].item(), gradient[0].numpy()
        expected = by_root_finding(*arguments) if norm == "l2" else by_linear_programming(*arguments, norm)
        left = (value + (gradient * step).sum(1)).item()
        if expected is None:  # every pixel that can help goes all the way
            room = torch.where(gradient * -value > 0, 1 - x, x)
            assert abs(left) == pytest.approx(value.abs().item() - (gradient.abs() * room).sum().item())
            continue
        reached += 1
        assert left == pytest.approx(0, abs=1e-9)
        assert geometry.distance(step, torch.zeros_like(step), norm).item() == pytest.approx(expected, abs=1e-7)
    assert reached > 25


def test_an_l1_step_goes_through_as_many_pixels_as_it_takes():
    """By hand: pixels of weights 100, 99, ... 1, each with room for 1, go all the way one after the other."""
    weight = torch.arange(100, 0, -1, dtype=torch.float64)
    needed = torch.tensor([250.0, 100 + 99 + 98 + 0.5 * 97, weight[:60].sum() + 0.25 * weight[60], 5050.0, 6000.0],
                          dtype=torch.float64)
    step = to_plane(torch.zeros(5, 100).double(), -needed, weight.expand(5, 100), "l1")
    assert step.sum(1).tolist() == pytest.approx([2 + 51 / 98, 3.5, 60.25, 100, 100])
    assert ((step[:, 1:] > 0) <= (step[:, :-1] == 1)).all()


@pytest.mark.parametrize("norm", ["linf", "l2", "l1"])
def test_rows_of_to_plane_do_not_mix(norm):
    x, gradient, value = problem(3, count=7)
    together = to_plane(x, value, gradient, norm)
    alone = torch.cat([to_plane(x[i:i + 1], value[i:i + 1], gradient[i:i + 1], norm) for i in range(7)])
    assert torch.allclose(together, alone, atol=1e-12)
    zero = to_plane(x, value, torch.zeros_like(gradient), norm)
    assert torch.equal(zero, torch.zeros_like(zero))


@pytest.mark.parametrize("targeted", [False, True])
@pytest.mark.parametrize("norm", ["linf", "l2", "l1"])
def test_the_exact_distance_on_a_linear_model(norm, targeted):
    generator = torch.Generator().manual_seed(4)
    model = nn.Sequential(nn.Flatten(), nn.Linear(25, 3)).double()
    with torch.no_grad():
        model[1].weight.copy_(torch.randn(3, 25, generator=generator) * 0.4)
        model[1].bias.zero_()
    x = torch.rand(20, 1, 5, 5, generator=generator, dtype=torch.float64) * 0.3 + 0.35
    logits = model(x).detach()
    y = logits.argmax(1)
    weight = model[1].weight.detach()
    margins = torch.stack([(logits.gather(1, y[:, None])[:, 0] - logits[:, k]) / dual_norm(weight[y] - weight[k], norm)
                           for k in range(3)], 1)
    margins = margins.nan_to_num(torch.inf)
    margins[torch.arange(20), y] = torch.inf
    if targeted:  # towards the nearest class: at that distance it is the target that wins
        label, expected = margins.argmin(1), margins.amin(1)
    else:
        label, expected = y, margins.amin(1)
    inside = expected < 0.3  # where the plane is nearer than the walls the box plays no part
    assert inside.sum() >= 5
    x_adv = fab(model, x, label, norm=norm, targeted=targeted)
    assert losses.fools(model(x_adv), label, targeted).all()
    found = geometry.distance(x_adv, x, norm)
    assert torch.allclose(found[inside], expected[inside], rtol=3e-3)
    assert (found[inside] >= expected[inside] * (1 - 1e-9)).all()


@pytest.fixture(scope="module")
def mnist():
    dataset = data.load("mnist")
    model = zoo.load("mnist-cnn")
    x, y = dataset.x_test[:60], dataset.y_test[:60]
    right = model(x).argmax(1) == y
    return model, x[right], y[right]


@pytest.mark.parametrize("norm, low, high", [("linf", 0.06, 0.08), ("l2", 0.85, 1.15), ("l1", 5.0, 8.0)])
def test_strength(mnist, norm, low, high):
    model, x, y = mnist
    counting = Counting(model)
    x_adv = fab(counting, x, y, norm=norm, steps=40)
    assert (model(x_adv).argmax(1) != y).all()
    assert low <= geometry.distance(x_adv, x, norm).median() <= high
    assert counting.backward_images == len(x) * (4 * 9 + 36)
    again = fab(model, x, y, norm=norm, steps=20, restarts=2)
    once = fab(model, x, y, norm=norm, steps=20)
    assert (geometry.distance(again, x, norm) <= geometry.distance(once, x, norm) * 1.003).all()


def test_targets_are_reached(mnist):
    model, x, y = mnist
    target = (y + 1) % 10
    x_adv = fab(model, x, target, norm="l2", targeted=True)
    assert (model(x_adv).argmax(1) == target).double().mean() >= 0.95
    untargeted = fab(model, x, y, norm="l2")
    assert geometry.distance(x_adv, x, "l2").median() > geometry.distance(untargeted, x, "l2").median()


@pytest.mark.parametrize("give_up", [False, True])
def test_within_the_ball_it_fools_nearly_all_that_are_nearer(mnist, give_up):
    model, x, y = mnist
    nearest = geometry.distance(fab(model, x, y, norm="linf"), x, "linf")
    second = model(x).argsort(1)[:, -2]
    with contract.attacking(model) as ask:
        x_adv = within(ask, x, y, second, eps=0.08, norm="linf", steps=100, give_up=give_up)
    assert (geometry.distance(x_adv, x, "linf") <= 0.08).all()
    fooled = model(x_adv).argmax(1) != y
    assert torch.equal(x_adv[~fooled], x[~fooled])
    assert fooled.sum() >= 0.6 * (nearest <= 0.08).sum()
    # following the nearest plane can miss another class's nearer boundary
    assert (fooled & (nearest > 0.09)).sum() <= 2
