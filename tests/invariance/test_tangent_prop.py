"""The loss against its formula with a Jacobian of its own, and what training on it does to the slopes."""

from functools import partial

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from advcourse import data, models
from advcourse.invariance.tangent_prop import along, tangent_prop_loss
from advcourse.invariance.tangents import tangents
from advcourse.randomness import seeded
from advcourse.training import fit


def network():
    with seeded(0):
        return nn.Sequential(nn.Conv2d(1, 3, 3), nn.Tanh(), nn.Flatten(), nn.Linear(300, 4)).double()


def batch(count=5):
    generator = torch.Generator().manual_seed(1)
    return (torch.rand(count, 1, 12, 12, generator=generator, dtype=torch.float64),
            torch.randint(4, (count,), generator=generator))


def test_the_loss_and_its_gradient_are_the_formula():
    model, (x, y) = network(), batch()
    with seeded(3):
        found = tangent_prop_loss(model, x, y, weight=0.7)
    with seeded(3):
        chosen = torch.randint(7, (5,))
    slopes = []
    for i in range(5):
        table = torch.autograd.functional.jacobian(lambda image: model(image[None])[0], x[i], create_graph=True)
        slopes.append((table * tangents(x)[i, chosen[i]]).sum((1, 2, 3)))
    wanted = F.cross_entropy(model(x), y) + 0.7 * torch.stack(slopes).square().sum(1).mean()
    assert torch.allclose(found, wanted)
    for ours, theirs in zip(torch.autograd.grad(found, model.parameters()),
                            torch.autograd.grad(wanted, model.parameters()), strict=True):
        assert torch.allclose(ours, theirs)


def test_slopes_are_differences_of_logits():
    model, (x, _) = network(), batch()
    t = tangents(x)[:, 3]
    logits, slopes = along(model, x, t)
    assert torch.equal(logits, model(x))
    assert torch.allclose(slopes, (model(x + 1e-5 * t) - model(x - 1e-5 * t)) / 2e-5, atol=1e-6)


def test_every_tangent_has_its_turn():
    model, (x, y) = network(), batch(1)
    with seeded(0):
        values = {round(tangent_prop_loss(model, x, y, weight=1.0).item(), 9) for _ in range(100)}
    assert len(values) == 7


def test_training_flattens_the_answer_along_the_tangents():
    letters = data.load("fonts", train=600, test=100)
    def steepness(weight):
        with seeded(0):
            model = models.mlp(hidden=32)
        fit(model, letters.x_train, letters.y_train, epochs=4, batch_size=50, learning_rate=3e-3,
            loss=partial(tangent_prop_loss, weight=weight))
        with torch.no_grad():
            return sum(along(model, letters.x_test, t)[1].square().sum(1).mean()
                       for t in tangents(letters.x_test).unbind(1))
    assert steepness(1.0) < 0.5 * steepness(0.0)


def test_a_negative_weight_is_refused():
    with pytest.raises(ValueError, match="weight must be at least 0; got -1"):
        tangent_prop_loss(network(), *batch(), weight=-1)
