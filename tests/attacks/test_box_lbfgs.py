"""L-BFGS: the exact nearest image of a linear model, and one digit driven through all ten classes."""

import pytest
import torch
from torch import nn

from advcourse import data, zoo
from advcourse.attacks import geometry
from advcourse.attacks.box_lbfgs import _loss, lbfgs


def linear():
    generator = torch.Generator().manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(25, 2)).double().requires_grad_(False)
    model[1].weight.copy_(torch.randn(2, 25, generator=generator))
    model[1].bias.zero_()
    x = torch.rand(6, 1, 5, 5, generator=generator, dtype=torch.float64) * 0.1 + 0.45
    return model, x, model(x).argmax(1)


@pytest.mark.parametrize("targeted", [False, True])
def test_on_a_linear_model_it_finds_the_nearest_image(targeted):
    model, x, y = linear()
    w = model[1].weight[1] - model[1].weight[0]
    exact = (model(x)[:, 1] - model(x)[:, 0]).abs() / w.norm()
    x_adv = lbfgs(model, x, 1 - y if targeted else y, targeted=targeted)
    assert (model(x_adv).argmax(1) == 1 - y).all()
    assert torch.allclose(geometry.distance(x_adv, x, "l2"), exact, rtol=1e-3)


@pytest.mark.parametrize("targeted", [False, True])
def test_a_probability_is_reached_near_the_smallest_price(targeted):
    model, x, y = linear()
    w = model[1].weight[1] - model[1].weight[0]
    # p >= 0.9 between two classes is a lead of log 9 in logits.
    exact = ((model(x)[:, 1] - model(x)[:, 0]).abs() + torch.tensor(9.0).log()) / w.norm()
    x_adv = lbfgs(model, x, 1 - y if targeted else y, targeted=targeted, probability=0.9)
    reached = model(x_adv).softmax(1).gather(1, 1 - y[:, None])
    assert (reached >= 0.9 - 1e-9).all()
    distances = geometry.distance(x_adv, x, "l2")
    assert (distances >= exact * (1 - 1e-6)).all() and (distances <= 1.02 * exact).all()


def test_the_losses_are_the_formulas_and_stay_finite():
    logits = torch.tensor([[1.0, 2.0, -1.0], [0.5, 0.2, 0.1]], dtype=torch.float64)
    y = torch.tensor([1, 0])
    p = logits.softmax(1).gather(1, y[:, None])[:, 0]
    assert torch.allclose(_loss(logits, y, targeted=True), -p.log())
    assert torch.allclose(_loss(logits, y, targeted=False), -(1 - p).log())
    sure = torch.tensor([[200.0, 0.0]])
    assert _loss(sure, torch.tensor([0]), targeted=False).item() == pytest.approx(200)
    assert _loss(sure, torch.tensor([1]), targeted=True).item() == pytest.approx(200)


def test_one_digit_through_all_ten_classes():
    """On a softmax regression, from each class's image to the next, every time with a probability of at least 99 %."""
    loaded = data.load("mnist")
    model, image = zoo.load("mnist-softmax"), loaded.x_test[7:8]
    for label in range(10):
        image = lbfgs(model, image, torch.tensor([label]), targeted=True, probability=0.99)
        assert model(image).softmax(1)[0, label] >= 0.99, label
        assert image.min() >= 0 and image.max() <= 1
    assert (image - loaded.x_test[7:8]).norm() <= 12


def test_random_targets_on_a_network():
    loaded = data.load("mnist")
    model, x, y = zoo.load("mnist-cnn"), loaded.x_test[:6], loaded.y_test[:6]
    x_adv = lbfgs(model, x, (y + 1) % 10, targeted=True)
    assert (model(x_adv).argmax(1) == (y + 1) % 10).all()
    assert geometry.distance(x_adv, x, "l2").mean() <= 2.6


@pytest.mark.parametrize("probability", [0, 1, 1.5, -0.1])
def test_a_probability_outside_0_to_1_is_refused(probability):
    model, x, y = linear()
    with pytest.raises(ValueError, match="probability"):
        lbfgs(model, x, y, probability=probability)
