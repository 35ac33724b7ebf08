"""Lower bound <= exact <= upper bound; the exact ones against closed forms, a grid, and attacks."""

import itertools
import math

import pytest
import torch
from torch import nn

from advcourse import attacks, models
from advcourse.attacks import geometry
from advcourse.defenses import bounds


def network(*sizes, seed=0, scale=1.5):
    """A random ReLU network in float64: Flatten, then Linear and ReLU in turn."""
    generator = torch.Generator().manual_seed(seed)
    layers = [nn.Flatten()]
    for inputs, outputs in itertools.pairwise(sizes):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
        with torch.no_grad():
            layers[-2].weight.copy_(torch.randn(outputs, inputs, generator=generator) * scale / inputs ** 0.5)
            layers[-2].bias.copy_(torch.randn(outputs, generator=generator) * 0.1)
    return nn.Sequential(*layers[:-1]).double().requires_grad_(False)


def pictures(count, pixels, seed=1):
    return torch.rand(count, 1, 1, pixels, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


# The linear closed form

@pytest.mark.parametrize("norm", ["linf", "l2", "l1"])
def test_at_the_linear_distance_the_leads_are_level_and_before_it_they_are_not(norm):
    model, x = network(6, 3), pictures(20, 6)
    y = model(x).argmax(1)
    distance = bounds.linear_distance(model, x, y, norm=norm)
    weight = model[1].weight
    for logits, label, eps in zip(model(x), y.tolist(), distance.tolist(), strict=True):
        slopes = weight - weight[label]
        gains = {"linf": slopes.abs().sum(1), "l2": slopes.norm(dim=1), "l1": slopes.abs().amax(1)}[norm] * eps
        leads = logits - logits[label] + gains
        leads[label] = -math.inf
        assert leads.max() == pytest.approx(0, abs=1e-9)


def test_inside_the_box_the_distance_is_that_of_a_linear_program():
    from scipy.optimize import linprog

    model, x = network(6, 3, scale=3), pictures(20, 6)
    x = torch.where(x < 0.3, 0, torch.where(x > 0.7, 1, x))  # many pixels at their limit
    y = model(x).argmax(1)
    weight, bias = model[1].weight.numpy(), model[1].bias.numpy()
    for image, label, eps in zip(x.flatten(1).numpy(), y.tolist(),
                                 bounds.linear_distance(model, x, y, box=True).tolist(), strict=True):
        solved = []
        for k in range(3):
            if k != label:  # minimise eps over (x', eps)
                rows = [[*(sign * row), -1] for row in torch.eye(6).numpy()
                        for sign in (1, -1)] + [[*(weight[label] - weight[k]), 0]]
                limits = [sign * pixel for pixel in image for sign in (1, -1)] + [bias[k] - bias[label]]
                found = linprog([0] * 6 + [1], A_ub=rows, b_ub=limits, bounds=[(0, 1)] * 7)
                solved.append(found.fun if found.status == 0 else math.inf)
        assert eps == pytest.approx(min(solved), abs=1e-7)
    free = bounds.linear_distance(model, x, y)
    assert (bounds.linear_distance(model, x, y, box=True) >= free - 1e-12).all()


def test_a_wrong_label_is_at_distance_zero():
    model, x = network(6, 3), pictures(5, 6)
    y = (model(x).argmax(1) + 1) % 3
    assert (bounds.linear_distance(model, x, y) == 0).all()
    assert (bounds.linear_distance(model, x, y, box=True) == 0).all()
    assert bounds.exact_distance(network(6, 4, 3), x[0], int((network(6, 4, 3)(x[:1]).argmax(1) + 1) % 3)).upper == 0


# Intervals

@pytest.mark.parametrize("build", [lambda: network(9, 8, 6, 4),
                                   lambda: models.cnn((1, 8, 8), 4).double().requires_grad_(False)])
def test_every_image_of_the_box_lies_inside_the_intervals(build):
    torch.manual_seed(0)
    model = build()
    x = torch.rand(1, 1, 8, 8, dtype=torch.float64) if isinstance(model[0], nn.Conv2d) else pictures(1, 9)
    low, high = (x - 0.1).clamp_min(0), (x + 0.1).clamp_max(1)
    pairs = bounds.interval_bounds(model, low, high)
    # corners, where extremes are
    inside = low + (high - low) * torch.rand(500, *x.shape[1:], dtype=torch.float64).round()
    outputs, layer = inside, 0
    for module in model:
        outputs = module(outputs)
        if isinstance(module, nn.Linear | nn.Conv2d):
            lowest, highest = pairs[layer]
            assert (outputs >= lowest - 1e-9).all() and (outputs <= highest + 1e-9).all()
            layer += 1
    assert layer == len(pairs)


def test_intervals_are_exact_for_one_linear_layer():
    model, x = network(6, 3), pictures(10, 6) * 0.2 + 0.4
    y = model(x).argmax(1)
    assert torch.allclose(bounds.interval_distance(model, x, y, halvings=40),
                          bounds.linear_distance(model, x, y, box=True), atol=1e-9)


def test_what_intervals_prove_no_attack_refutes():
    model, x = network(9, 8, 6, 4), pictures(30, 9)
    y = model(x).argmax(1)
    proved = bounds.interval_distance(model, x, y)
    assert (proved > 0).any()
    attack = geometry.distance(attacks.fab(model, x, y, norm="linf"), x, "linf")
    attack[attack == 0] = math.inf
    assert (proved < attack).all()


# Mixed-integer programs

def the_program_finds(model, x, y, wanted):
    """The distances that are wanted; one above 1 lies outside of every box."""
    for image, label, distance in zip(x, y.tolist(), wanted.tolist(), strict=True):
        if distance <= 1:
            assert bounds.exact_distance(model, image, label).upper == pytest.approx(distance, abs=1e-5)


def test_without_a_hidden_layer_the_program_gives_the_closed_form():
    model, x = network(6, 4), pictures(8, 6)
    y = model(x).argmax(1)
    wanted = bounds.linear_distance(model, x, y, box=True)
    the_program_finds(model, x, y, wanted)


def test_with_units_that_are_always_on_it_gives_the_closed_form():
    linear = network(6, 4)
    deep = network(6, 6, 4)
    with torch.no_grad():
        deep[1].weight.copy_(torch.eye(6))
        deep[1].bias.fill_(1)
        deep[3].weight.copy_(linear[1].weight)
        deep[3].bias.copy_(linear[1].bias - linear[1].weight.sum(1))
    x = pictures(5, 6)
    y = linear(x).argmax(1)
    wanted = bounds.linear_distance(linear, x, y, box=True)
    the_program_finds(deep, x, y, wanted)


def test_on_two_pixels_it_agrees_with_a_fine_grid():
    model, x = network(2, 8, 5, 3, scale=3), pictures(12, 2)
    y = model(x).argmax(1)
    ticks = torch.linspace(0, 1, 1001, dtype=torch.float64)
    grid = torch.cartesian_prod(ticks, ticks)
    answers = model(grid[:, None, None]).argmax(1)
    for image, label in zip(x, y.tolist(), strict=True):
        distance = (grid - image.flatten()).abs().amax(1)[answers != label]
        wanted = distance.min().item() if len(distance) else 1
        found = bounds.exact_distance(model, image, label)
        assert found.exact and found.upper == pytest.approx(wanted, abs=2e-3)


@pytest.mark.parametrize("sizes", [(12, 10, 4), (8, 6, 4, 4)])
def test_lower_bound_exact_upper_bound_in_this_order(sizes):
    model, x = network(*sizes, scale=2), pictures(8, sizes[0])
    y = model(x).argmax(1)
    x_adv = attacks.fab(model, x, y, norm="linf", restarts=5)
    upper = geometry.distance(x_adv, x, "linf")
    reached = model(x_adv).argmax(1) != y
    lower = bounds.interval_distance(model, x, y)
    assert reached.sum() >= 5
    tight = 0
    for image, label, low, high in zip(x[reached], y[reached].tolist(), lower[reached].tolist(),
                                       upper[reached].tolist(), strict=True):
        found = bounds.exact_distance(model, image, label, upper=high * 1.001)
        assert found.exact and low - 1e-6 <= found.upper <= high * 1.001 + 1e-6
        tight += found.upper > 0.85 * high
        logits = model(found.x_adv[None])[0]
        assert geometry.distance(found.x_adv[None], image[None], "linf").item() <= found.upper + 1e-6
        # on the boundary
        assert logits[label] - logits.clone().index_fill_(0, torch.tensor([label]), -math.inf).max() <= 1e-4
    assert tight  # the attack is near the truth somewhere: else one of the two is wrong


def test_too_little_time_leaves_bounds_that_hold():
    model, x = network(12, 10, 8, 4, scale=2), pictures(1, 12)
    label = model(x).argmax(1).item()
    truth = bounds.exact_distance(model, x[0], label)
    assert truth.exact
    hurried = bounds.exact_distance(model, x[0], label, time_limit=0.02)
    assert not hurried.exact
    assert hurried.lower <= truth.upper + 1e-6 and hurried.upper >= truth.upper - 1e-6


def test_wrong_networks_say_what_is_wanted():
    x = torch.rand(1, 1, 8, 8)
    with pytest.raises(ValueError, match="Linear and ReLU in turn"):
        bounds.exact_distance(models.cnn((1, 8, 8), 3), x[0], 0)
    with pytest.raises(ValueError, match="Linear and ReLU in turn"):
        bounds.exact_distance(nn.Sequential(nn.Flatten(), nn.Linear(64, 4), nn.Linear(4, 3)), x[0], 0)
    with pytest.raises(ValueError, match="got Tanh"):
        bounds.interval_bounds(nn.Sequential(nn.Flatten(), nn.Tanh()), x, x)
    with pytest.raises(ValueError, match="norm 'linf' only"):
        bounds.linear_distance(models.softmax_regression((1, 8, 8)), x, torch.tensor([0]), norm="l2", box=True)
