"""The shared properties name the mistake, and let small rounding pass."""

import math

import pytest
import torch
from torch import nn

from advcourse.exercises.properties import (
    at_cost,
    confident,
    equals,
    finite,
    in_ball,
    in_unit_range,
    moves_the_loss_the_right_way,
)

X = torch.full((2, 1, 2, 2), 0.5)
NAN = torch.full_like(X, float("nan"))


def model_of(weight):
    """A linear model of one pixel: class 1 for bright images."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 2))
    with torch.no_grad():
        model[1].weight.copy_(torch.tensor([[-weight] * 4, [weight] * 4]))
        model[1].bias.copy_(torch.tensor([2.0 * weight, -2.0 * weight]))
    return model


def test_finite():
    assert finite({}, X) is None
    assert "NaN or infinite" in finite({}, NAN) and "NaN" in finite({}, X / 0)


def test_in_unit_range():
    assert in_unit_range({}, torch.tensor([0.0, 1.0])) is None
    assert "from -0.25 to 1.5" in in_unit_range({}, torch.tensor([-0.25, 1.5]))
    assert in_unit_range({}, torch.tensor([1.01]), name="image").startswith("your image is no image")
    assert "NaN" in in_unit_range({}, NAN)


@pytest.mark.parametrize("norm, change, fine", [
    ("linf", 0.1, True), ("linf", 0.1 + 5e-7, True), ("linf", -0.12, False), ("l2", 0.05, True), ("l2", 0.06, False)])
def test_in_ball(norm, change, fine):
    message = in_ball(norm)({"x": X, "eps": 0.1}, X + change)  # four pixels: the length of delta is twice the change
    assert message is None if fine else "leaves the ε-ball by 0.02: " in message
    assert "NaN" in in_ball(norm)({"x": X, "eps": 0.1}, NAN)


def test_in_ball_looks_at_every_image_on_its_own():
    x_adv = X.clone()
    x_adv[1] += 0.06
    assert in_ball("l2")({"x": X, "eps": 0.1}, x_adv) is not None
    with pytest.raises(ValueError, match="'linf' or 'l2'"):
        in_ball("l1")


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_in_ball_knows_a_perturbation_that_came_back_for_the_image(norm):
    message = in_ball(norm)({"x": X, "eps": 0.1}, torch.full_like(X, -0.05))
    assert "lies within ε of 0, not of x" in message and "Return x + δ" in message
    assert in_ball(norm)({"x": X / 100, "eps": 0.1}, -X / 100) is None  # near both
    assert "leaves the ε-ball" in in_ball(norm)({"x": X, "eps": 0.1}, X / 20)  # a dark image is no perturbation


def test_equals():
    holds = equals(lambda x: 2 * x, {"halved": lambda x: x / 2})
    assert holds({"x": X}, 2 * X + 1e-6) is None
    assert holds({"x": X}, X / 2) == "halved"
    assert holds({"x": X}, 2 * X + 0.25).endswith("off by up to 0.25")
    assert holds({"x": X}, NAN).endswith("off by up to inf")
    assert "a small number added to a divisor" in holds({"x": X}, 2.001 * X)
    assert equals(lambda x: [0.5, 1.0])({"x": X}, [0.5, 1.0]) is None
    assert equals(lambda x: 0.5)({"x": X}, 0.6) is not None


def test_at_cost():
    holds = at_cost(equals(lambda x, asked: 2 * x), lambda probe, result: "dear" if probe["asked"] > 1 else None)
    assert holds({"x": X, "asked": 1}, 2 * X) is None
    assert holds({"x": X, "asked": 3}, 2 * X) == "dear"
    assert holds({"x": X, "asked": 1}, X) == "the cost counts once the result is right"


def test_the_loss_goes_up_where_nothing_is_said_of_a_target():
    probe = {"model": model_of(1.0), "x": X, "y": torch.tensor([1, 1]), "eps": 0.1}
    moves = moves_the_loss_the_right_way
    assert moves(probe, X - 0.1) is None and moves(probe, X - 0.06) is None
    for little in (-0.04, 0.04):  # half of what the step gains is wanted
        assert "hardly further than random changes" in moves(probe, X + little)
    assert "goes uphill" in moves(probe, X + 0.1) and "targeted" not in moves(probe, X + 0.1)
    assert "nothing was attacked" in moves(probe, X)
    assert "NaN" in moves(probe, NAN)


@pytest.mark.parametrize("targeted, way, mend", [(False, -1, "goes uphill"), (True, 1, "go down its loss")])
def test_moves_the_loss_the_right_way(targeted, way, mend):
    """Half of what one step of the gradient's sign gains is asked for, from where the step starts."""
    probe = {"model": model_of(1.0), "x": X, "y": torch.tensor([1, 1]), "eps": 0.2, "targeted": targeted}
    signs = torch.tensor([[1.0, 1.0], [-1.0, -1.0]])
    assert moves_the_loss_the_right_way(probe, X + way * 0.2) is None
    turned = moves_the_loss_the_right_way(probe, X - way * 0.2)
    assert turned.startswith(f"targeted={targeted}, and the loss of y went the wrong way") and mend in turned
    assert "nothing was attacked" in moves_the_loss_the_right_way(probe, X + 0.2 * signs)
    assert "one step along" in moves_the_loss_the_right_way(probe, X + way * 0.05 + 0.15 * signs)
    assert "NaN" in moves_the_loss_the_right_way(probe, NAN)
    later = probe | {"x_adv": X + way * 0.1, "step_size": 0.1}
    assert moves_the_loss_the_right_way(later, X + way * 0.2) is None
    assert "nothing was attacked" in moves_the_loss_the_right_way(later, X + way * 0.1)
    assert "one step along" in moves_the_loss_the_right_way(later, X + way * 0.13)


def test_confident():
    bright, dark = torch.ones_like(X), torch.zeros_like(X)
    assert confident("target")({"model": model_of(9.0), "x": X, "target": 1}, bright) is None
    assert confident()({"model": model_of(9.0), "x": X, "y": torch.tensor([1, 0])},
                       torch.stack([bright[0], dark[0]])) is None
    at_the_border = torch.full_like(X, 0.5 + (math.log(99) - 5e-5) / 8)  # 0.99 but for rounding
    assert confident("target")({"model": model_of(1.0), "x": X, "target": 1}, at_the_border) is None
    almost = confident("target")({"model": model_of(1.0), "x": X, "target": 1}, bright)
    assert "a probability of 0.98, and gave it 0.5 before" in almost and "not by the class" in almost
    assert confident("target", at_least="enough")(
        {"model": model_of(1.0), "x": X, "target": 1, "enough": 0.9}, bright) is None
    away = confident("target")({"model": model_of(9.0), "x": X, "target": 0}, bright)
    assert "reads the image as class 1" in away and "subtract its gradient" in away
    slow = confident("y")({"model": model_of(9.0), "x": dark, "y": torch.tensor([1, 0])},
                          torch.stack([dark[0] + 0.3, dark[0]]))
    assert "stop only when every image has arrived" in slow
    same = confident("y")({"model": model_of(9.0), "x": X, "y": torch.tensor([1, 0])}, bright)
    assert "every image was driven to class 1; each has a target of its own" in same
    one_of_two = confident("target")({"model": model_of(9.0), "x": X, "target": 1}, torch.stack([bright[0], dark[0]]))
    assert "now reads the image as class 0" in one_of_two
    assert "came back unchanged" in confident("target")({"model": model_of(9.0), "x": X, "target": 0}, X)
    assert "NaN" in confident("target")({"model": model_of(9.0), "x": X, "target": 1}, NAN)
