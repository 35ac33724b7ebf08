"""The helpers behind the contract, against independent references in float64."""

import math

import numpy as np
import pytest
import scipy.optimize
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from advcourse.attacks import contract
from advcourse.attacks.contract import Best, Nearest, attacking, differentiable, input_gradient, unfooled
from advcourse.attacks.geometry import (
    add_inside,
    bounds,
    distance,
    l1_threshold,
    movable,
    normalise,
    per_example,
    project,
    random_start,
    representable,
    soft_threshold,
)
from advcourse.attacks.losses import an_eighth_of, cross_entropy, fools, margin, shortfall, smooth_margin

NORMS = ("linf", "l2", "l1")


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


# Geometry

@settings(max_examples=150, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6), pixels=st.integers(1, 400), norm=st.sampled_from(NORMS),
       dtype=st.sampled_from([torch.float32, torch.float64]),
       eps=st.one_of(st.sampled_from([0, 1e-7, 0.1, 0.3, 8 / 255]), st.floats(0, 50)),
       far=st.sampled_from([1e-7, 0.1, 1, 100]))
def test_a_projection_lies_in_the_ball_and_the_box_to_the_last_bit(seed, pixels, norm, dtype, eps, far):
    x = (torch.rand(3, pixels, generator=seeded(seed)) * 1.4 - 0.2).clamp(0, 1).to(dtype)
    x_adv = project(x + far * torch.randn(3, pixels, generator=seeded(seed + 1)).to(dtype), x, eps, norm)
    assert x_adv.dtype == dtype and x_adv.min() >= 0 and x_adv.max() <= 1
    assert all(size <= eps for size in distance(x_adv, x, norm).tolist())
    assert all(size <= eps for size in distance(x_adv.double(), x.double(), norm).tolist())


@pytest.mark.parametrize("norm", NORMS)
def test_images_of_a_quarter_million_values_stay_in_the_ball(norm):
    x = torch.rand(2, 3, 288, 288, generator=seeded())
    for eps in (1e-3, 0.5, 12.0):
        x_adv = project(x + torch.randn(x.shape, generator=seeded(1)), x, eps, norm)
        assert (distance(x_adv, x, norm) <= eps).all()
        # and it uses the ball, if not only the clipped half
        assert (distance(x_adv, x, norm) >= 0.99 * min(eps, 1)).all() or norm == "l2"


@pytest.mark.parametrize("norm", NORMS)
def test_what_lies_inside_stays_where_it_is(norm):
    x = torch.rand(4, 1, 5, 5, generator=seeded(), dtype=torch.float64)
    x_adv = random_start(x, 0.1, norm, seeded(1))
    assert torch.allclose(project(x_adv, x, 0.1, norm), x_adv, rtol=0, atol=1e-12)


def test_the_l1_projection_is_the_nearest_point_of_ball_and_box():
    """Against scipy's SLSQP on ‖δ − d‖² with δ = p − q, p and q >= 0, Σ p + q <= eps, and x + δ in [0, 1]."""
    for seed in range(8):
        x = torch.rand(6, generator=seeded(seed), dtype=torch.float64).mul(1.6).sub(0.3).clamp(0, 1)
        wanted, eps = x + torch.randn(6, generator=seeded(seed + 50), dtype=torch.float64), [0.2, 0.9, 2.0][seed % 3]
        room = [(0, 1 - value) for value in x.tolist()] + [(0, value) for value in x.tolist()]
        solved = scipy.optimize.minimize(
            lambda v, d: ((v[:6] - v[6:] - d) ** 2).sum(), np.zeros(12), args=((wanted - x).numpy(),),
            jac=lambda v, d: 2 * np.r_[v[:6] - v[6:] - d, d - v[:6] + v[6:]], bounds=room,
            constraints={"type": "ineq", "fun": lambda v, eps: eps - v.sum(), "args": (eps,)}, method="SLSQP",
            options={"ftol": 1e-14, "maxiter": 500})
        ours = project(wanted[None], x[None], eps, "l1")[0] - x
        assert np.allclose(ours.numpy(), solved.x[:6] - solved.x[6:], atol=1e-6)


def test_the_l2_projection_is_a_scaling_and_the_linf_projection_a_clamp():
    x = torch.full((2, 4), 0.5, dtype=torch.float64)
    x_adv = x + torch.tensor([[0.3, -0.4, 0, 0], [0.03, -0.04, 0, 0]], dtype=torch.float64)
    assert torch.allclose(project(x_adv, x, 0.1, "l2") - x,
                          torch.tensor([[0.06, -0.08, 0, 0], [0.03, -0.04, 0, 0]], dtype=torch.float64))
    assert torch.allclose(project(x_adv, x, 0.1, "linf") - x,
                          torch.tensor([[0.1, -0.1, 0, 0], [0.03, -0.04, 0, 0]], dtype=torch.float64))
    with pytest.raises(ValueError, match="l0"):
        project(x_adv, x, 0.1, "l0")


def test_bounds_are_as_wide_as_the_arithmetic_allows():
    x = torch.rand(10_000, 1, generator=seeded())
    for eps in (0.1, 0.3, 8 / 255, 1e-7):
        low, high = bounds(x, eps)
        assert (x - low <= eps).all() and (high - x <= eps).all()
        inside = (high < 1) & (low > 0)
        beyond = torch.nextafter(torch.nextafter(high, high + 1), high + 1)
        assert ((beyond - x)[inside] > representable(eps, x.dtype)).all()
    assert representable(0.1, torch.float32) < 0.1 < float(np.float32(0.1)) and representable(0.1, torch.float64) == 0.1


def test_a_sum_rounds_towards_x():
    x, delta = torch.rand(20_000, generator=seeded()), torch.rand(20_000, generator=seeded(1)) * 1e-4
    x_adv = add_inside(x, delta)
    assert ((x_adv - x).abs() <= delta.abs()).all() and ((x_adv - x - delta).abs() <= 1.2e-7)[x + delta < 1].all()


@pytest.mark.parametrize("norm", NORMS)
def test_random_starts_are_uniform_in_the_ball(norm):
    """On mid-grey, where nothing is clipped: mean 0, and (radius / eps)^D uniform on [0, 1], as in any D-ball."""
    x, eps = torch.full((20_000, 3), 0.5, dtype=torch.float64), 0.2
    start = random_start(x, eps, norm, seeded(3))
    assert (start - x).mean(0).abs().max() < 0.01 * eps * 3
    share = (distance(start, x, norm) / eps) ** 3
    for quantile in (0.1, 0.25, 0.5, 0.75, 0.9):
        assert abs((share <= quantile).double().mean().item() - quantile) < 0.015
    assert abs((start > x).double().mean().item() - 0.5) < 0.01
    assert torch.equal(start, random_start(x, eps, norm, seeded(3)))
    assert not torch.equal(start, random_start(x, eps, norm, seeded(4)))


def test_the_soft_threshold_moves_every_entry_towards_0_and_not_beyond():
    delta = torch.tensor([[-2.0, -0.5, 0.0, 0.3, 1.5]])
    assert soft_threshold(delta, 0.5).tolist() == [[-1.5, 0, 0, 0, 1]]
    assert torch.equal(soft_threshold(delta, 0.5), F.softshrink(delta, 0.5))
    assert soft_threshold(delta.expand(2, 5), torch.tensor([[1.0], [0.0]])).tolist() == [[-1, 0, 0, 0, 0.5],
                                                                                       delta[0].tolist()]


def test_the_l1_threshold_leaves_just_the_radius():
    size, room = torch.rand(2, 5, 30, generator=seeded(), dtype=torch.float64)
    for radius in (2.0, torch.tensor([[0.5], [1.0], [2.0], [3.0], [100.0]])):
        t = l1_threshold(size, room, radius)
        left = torch.minimum((size - t[:, None]).clamp_min(0), room).sum(1, keepdim=True)
        whole = torch.minimum(size, room).sum(1, keepdim=True)
        assert torch.allclose(left, torch.as_tensor(radius).double().expand(5, 1).minimum(whole), atol=1e-12)
        assert ((l1_threshold(size, room, radius, halvings=10) - t).abs() <= size.amax(1) / 2 ** 10).all()


def test_what_is_movable_has_room_the_way_the_step_goes():
    x = torch.tensor([[0.0, 0.0, 0.5, 1.0, 1.0]])
    assert movable(torch.tensor([[1.0, -1, -1, 1, -1]]), x).tolist() == [[1, 0, -1, 0, -1]]


def test_directions_of_steepest_ascent():
    gradient = torch.tensor([[3.0, -4.0], [0.0, 0.0], [1e-40, 0.0], [1e30, -1e30]])
    assert normalise(gradient, "linf").tolist() == [[1, -1], [0, 0], [1, 0], [1, -1]]
    assert torch.allclose(normalise(gradient, "l2"),
                          torch.tensor([[0.6, -0.8], [0, 0], [1, 0], [0.5**0.5, -(0.5**0.5)]]), rtol=1e-2)
    assert normalise(gradient, "l1").tolist() == [[0, -1], [0, 0], [1, 0], [1, 0]]
    with pytest.raises(ValueError, match="l0"):
        normalise(gradient, "l0")


def test_distances():
    difference = torch.tensor([[[[0.3, -0.4, 0.0]]]])
    assert [round(distance(difference, torch.zeros_like(difference), norm).item(), 6)
            for norm in ("linf", "l2", "l1", "l0")] == [0.4, 0.5, 0.7, 2]
    assert distance(torch.zeros(0, 3), torch.zeros(0, 3), "linf").shape == (0,)
    assert per_example(torch.ones(4), torch.ones(4, 1, 2, 3)).shape == (4, 1, 1, 1)


# Losses

def test_cross_entropy_and_its_gradient_are_those_of_float64_even_where_the_model_is_sure():
    logits = torch.cat([torch.randn(20, 10, generator=seeded()) * scale for scale in (1, 10, 25)])
    y = torch.cat([torch.arange(20) % 10, logits[20:].argmax(1)])  # sure and right, mostly
    exact = logits.double().requires_grad_()
    ours = logits.clone().requires_grad_()
    expected, loss = F.cross_entropy(exact, y, reduction="none"), cross_entropy(ours, y)
    # float64's own 1 − p is good to 1e-16: compare where it has digits left.
    wanted, = torch.autograd.grad(expected.sum(), exact)
    given_, = torch.autograd.grad(loss.sum(), ours)
    digits = expected > 1e-10
    assert digits.sum() > 30 and (expected < 1e-7).any()
    assert torch.allclose(loss.double()[digits], expected[digits], rtol=1e-4) and (loss > 0).all()
    assert torch.allclose(given_.double()[digits], wanted[digits], rtol=1e-3, atol=1e-20)
    assert (given_.gather(1, y[:, None]) < 0).all(), "the gradient at the true logit is never rounded to 0"


def test_margins_and_success_with_infinite_and_missing_logits():
    inf, nan = math.inf, math.nan
    logits = torch.tensor([[2.0, 1, 0], [0, 1, 3], [inf, 1, inf], [-inf, -inf, -inf], [inf, 0, 0], [-inf, 0, 0],
                           [nan, 5, 0], [1, nan, 0]])
    y = torch.zeros(8, dtype=torch.int64)
    assert margin(logits, y)[:6].tolist() == [1, -3, 0, 0, inf, -inf]
    assert fools(logits, y).tolist() == [False, True, False, False, False, True, False, False]
    assert fools(logits, y, targeted=True).tolist() == [True, False, True, True, True, False, False, False]
    assert shortfall(logits[:2], y[:2], confidence=2).tolist() == [3, -1]
    assert shortfall(logits[:2], y[:2], confidence=2, targeted=True).tolist() == [1, 5]


def test_the_smooth_margin_is_the_log_odds_at_temperature_1_and_the_margin_at_0():
    logits = 5 * torch.randn(20, 7, generator=seeded(), dtype=torch.float64)
    y = torch.randint(0, 7, (20,), generator=seeded(1))
    p = logits.softmax(1).gather(1, y[:, None])[:, 0]
    torch.testing.assert_close(smooth_margin(logits, y, torch.ones(20)), (p / (1 - p)).log())
    torch.testing.assert_close(smooth_margin(logits, y, torch.full((20,), 1e-3)), margin(logits, y))
    temperature = an_eighth_of(margin(logits, y))
    assert (smooth_margin(logits, y, temperature) <= margin(logits, y)).all()
    torch.testing.assert_close(smooth_margin(9 * logits, y, an_eighth_of(margin(9 * logits, y))),
                               9 * smooth_margin(logits, y, temperature))


# Best and Nearest

def test_the_best_is_of_highest_loss_among_those_that_fool():
    x = torch.zeros(4, 1)
    best = Best(x)
    rounds = [  # (value, loss, fooled) of each of the four images
        [(1, 5.0, False), (1, 1.0, True), (1, math.nan, True), (1, 1.0, False)],
        [(2, 1.0, True), (2, 9.0, False), (2, 0.5, False), (2, 2.0, False)],
        [(3, 2.0, True), (3, 0.5, True), (3, 0.1, False), (3, 1.5, False)],
    ]
    for candidates in rounds:
        value, loss, fooled = (torch.tensor(column) for column in zip(*candidates, strict=True))
        best.update(value[:, None].float(), loss, fooled)
    assert best.x_adv[:, 0].tolist() == [3, 1, 2, 2] and best.fooled.tolist() == [True, True, False, False]
    best.update(torch.full((2, 1), 7.0), torch.tensor([9.0, 0.0]), torch.tensor([True, True]),
                rows=torch.tensor([1, 3]))
    assert best.x_adv[:, 0].tolist() == [3, 7, 2, 7] and torch.equal(x, torch.zeros(4, 1))


def test_a_candidate_that_is_not_better_leaves_no_trace_whatever_it_holds():
    best = Best(torch.full((2, 3), 0.5))
    best.update(torch.full((2, 3), 0.25), torch.tensor([1.0, 1.0]), torch.tensor([False, False]))
    best.update(torch.tensor([[math.nan, math.inf, 0.0], [0.125, 0.75, 1.0]]), torch.tensor([0.5, 2.0]),
                torch.tensor([False, False]))
    assert best.x_adv.tolist() == [[0.25] * 3, [0.125, 0.75, 1.0]]


def test_the_nearest_is_the_smallest_success_and_x_before_there_is_one():
    x = torch.zeros(4, 1)
    nearest = Nearest(x)
    rounds = [  # (value, size, success) of each of the four images
        [(1, 5.0, True), (1, 1.0, False), (1, math.nan, True), (1, 3.0, True)],
        [(2, 4.0, True), (2, 2.0, True), (2, 2.0, False), (2, 3.0, True)],
        [(3, 1.0, False), (3, 3.0, True), (3, math.nan, False), (3, 3.00001, True)],
    ]
    for candidates in rounds:
        value, size, success = (torch.tensor(column) for column in zip(*candidates, strict=True))
        nearest.update(value[:, None].float(), size, success)
    assert nearest.x_adv[:, 0].tolist() == [2, 2, 0, 1] and nearest.size.tolist() == [4, 2, math.inf, 3]
    assert nearest.found.tolist() == [True, True, False, True] and torch.equal(x, torch.zeros(4, 1))
    taken = nearest.update(torch.full((2, 1), 7.0), torch.tensor([4.5, 9.0]), rows=torch.tensor([0, 2]))
    assert taken.tolist() == [False, True] and nearest.x_adv[:, 0].tolist() == [2, 2, 7, 1]
    nearest.update(torch.full((4, 1), 8.0), nearest.size * 1.00001, tolerance=1e-3)
    assert (nearest.x_adv == 8).all(), "of nearly equals the later one, where that is asked for"


# The model

def test_unfooled_are_the_images_that_leave_something_to_do():
    x, y = torch.tensor([[0.9, 0.1], [0.1, 0.9], [0.2, 0.3]]), torch.tensor([0, 0, 1])
    for targeted, expected in ((False, [0, 2]), (True, [1])):
        rows, logits = unfooled(lambda z: z, x, y, targeted)
        assert rows.tolist() == expected and torch.equal(logits, x[expected])
    with pytest.raises(ValueError, match="labels"):
        unfooled(lambda z: z, x, y + 1)


def test_logits_without_a_gradient_are_refused():
    x = torch.rand(3, 4)
    images, logits = differentiable(lambda z: 2 * z, x)
    assert torch.autograd.grad(logits.sum(), images)[0].eq(2).all() and not x.requires_grad
    with pytest.raises(contract.NoGradientError, match="use an attack that needs none"):
        differentiable(lambda z: z.detach(), x)


def test_a_large_batch_goes_through_the_model_in_parts_that_change_nothing():
    linear, sizes = nn.Linear(1000, 3).double(), []

    def model(x):
        sizes.append(len(x))
        return linear(x)

    x, y = torch.rand(350, 1000, generator=seeded(), dtype=torch.float64), torch.arange(350) % 3
    def loss(logits):
        return cross_entropy(logits, y)
    with attacking(model) as parted:
        logits, _, gradient = input_gradient(parted, x, loss)
        assert sizes == [117, 117, 116] and max(sizes) * 1000 <= contract.PART
        parted(x[:160]), parted(x[:0])
    assert sizes[3:] == [160, 0]
    whole_logits, _, whole_gradient = input_gradient(linear, x, loss)
    torch.testing.assert_close(logits, whole_logits, rtol=0, atol=1e-12)
    torch.testing.assert_close(gradient, whole_gradient, rtol=0, atol=1e-12)


def test_the_model_comes_back_as_it_was_even_nested_and_after_an_exception():
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2), nn.Dropout(0.5))
    model[1].eval()
    model[0].bias.requires_grad_(False)
    with pytest.raises(KeyError), torch.inference_mode(), attacking(model):
        with attacking(model):
            pass
        assert not any(module.training for module in model.modules())
        assert not any(parameter.requires_grad for parameter in model.parameters())
        assert torch.is_grad_enabled() and not torch.is_inference_mode_enabled()
        raise KeyError
    assert [module.training for module in model.modules()] == [True, True, False, True]
    assert [parameter.requires_grad for parameter in model.parameters()] == [True, False, True, True]
    assert not torch.is_inference_mode_enabled()


def test_the_gradient_of_each_image_is_its_own():
    x = torch.rand(3, 4, generator=seeded())
    weight = torch.randn(4, 2, generator=seeded(1))

    def model(z):
        return z @ weight * torch.tensor([[1], [math.nan], [1]])

    logits, losses, gradient = input_gradient(model, x, lambda z: z[:, 0] * 2)
    assert torch.allclose(gradient[[0, 2]], 2 * weight[:, 0].expand(2, 4)) and (gradient[1] == 0).all()
    assert losses.shape == (3,) and logits.shape == (3, 2)
    assert not (logits.requires_grad or losses.requires_grad or gradient.requires_grad)
    with pytest.raises(ValueError, match="no gradient"):
        input_gradient(lambda z: z.detach(), x, lambda z: z.sum(1))


def test_half_precision_models_are_welcome():
    weight = torch.randn(4, 2, generator=seeded()).bfloat16()
    logits, losses, gradient = input_gradient(lambda z: z.bfloat16() @ weight, torch.rand(3, 4),
                                              lambda z: cross_entropy(z, torch.zeros(3, dtype=torch.int64)))
    assert logits.dtype == losses.dtype == gradient.dtype == torch.float32 and gradient.abs().sum() > 0


# Arguments: the words of the messages; that every attack refuses is in test_contract.py

@pytest.mark.parametrize("arguments, words", [
    (dict(x=torch.full((1, 2), 2.0)), r"x must lie in \[0, 1\]; got values from 2 to 2"),
    (dict(x=torch.full((1, 2), math.nan)), r"x must lie in \[0, 1\]; got values from nan"),
    (dict(x=np.zeros((1, 2))), "got ndarray"), (dict(x=torch.zeros(1, 2, dtype=torch.float16)), "got torch.float16"),
    (dict(x=torch.zeros(3)), r"shape \(N, ...\); got shape \(3,\)"),
    (dict(y=torch.zeros(2, dtype=torch.int64)), r"shape \(1,\); got shape \(2,\)"),
    (dict(y=torch.zeros(1)), "dtype torch.int64; got torch.float32"),
    (dict(eps=True), "eps must be a finite number of at least 0; got True"),
    (dict(norm="l7", norms=("linf", "l2")), "norm must be one of 'linf', 'l2'; got 'l7'"),
    (dict(steps=True), "steps must be an integer of at least 1; got True"),
    (dict(queries=2.0), "queries must be an integer of at least 1; got 2.0"),
])
def test_messages_say_what_was_given_and_what_is_wanted(arguments, words):
    with pytest.raises(ValueError, match=words):
        contract.check(**{"x": torch.zeros(1, 2), **arguments})


def test_right_arguments_pass():
    contract.check(torch.rand(2, 3), torch.tensor([0, 1]), eps=0, norm="l1", steps=1)
    contract.check(torch.rand(0, 3, 8, 8), torch.zeros(0, dtype=torch.int64), eps=np.float64(0.1))
    contract.check_positive(step_size=None, decay=1)
    contract.labels_fit(torch.zeros(2, 4), torch.tensor([0, 3]))
    with pytest.raises(ValueError, match=r"0\.\.3, the model's classes; got 0 to 4"):
        contract.labels_fit(torch.zeros(2, 4), torch.tensor([0, 4]))
