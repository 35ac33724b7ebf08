"""SPSA and NES: the estimate against the gradient, where the model is asked, budgets, a defence without gradients."""

import copy

import pytest
import torch

from advcourse.attacks import contract, geometry, losses
from advcourse.attacks.gradient import pgd
from advcourse.attacks.score_based import _NES, _SPSA, directions, estimate_gradient, nes, spsa
from tests.attacks.black_boxes import Counting, digits, linear, sealed

both = pytest.mark.parametrize("attack", [spsa, nes], ids=["spsa", "nes"])


def estimate(model, x, y, pairs, method, eps=0.3, norm="linf"):
    def score(images, owner):
        return -losses.margin(model(images), y[owner])

    box = geometry.bounds(x, eps) if norm == "linf" else (torch.zeros_like(x), torch.ones_like(x))
    blocks = directions(method.draw, x, pairs=pairs, delta=0.01, generator=torch.Generator().manual_seed(5))
    with torch.no_grad():
        return estimate_gradient(score, x, torch.arange(len(x)), box, blocks)


def cosine(a, b):
    return torch.cosine_similarity(a.flatten(1), b.flatten(1))


@pytest.mark.parametrize("method", [_SPSA, _NES], ids=["spsa", "nes"])
def test_the_estimate_points_along_the_true_gradient_alone_and_in_a_batch(method):
    """foolbox's, of the loss summed over the batch, falls from cosine 0.34 to 0.03 in a batch of 30."""
    model, x, y = digits(30)
    _, _, true = contract.input_gradient(model, x, lambda logits: -losses.margin(logits, y))
    together = estimate(model, x, y, 400, method)
    alone = torch.cat([estimate(model, x[i:i + 1], y[i:i + 1], 400, method) for i in range(30)])
    assert torch.allclose(together, alone, atol=1e-3 * together.abs().max().item())
    expected = (400 / (400 + 784)) ** 0.5  # of 400 random directions in 784 dimensions
    assert cosine(together, true).median() > 0.85 * expected


@pytest.mark.parametrize("method", [_SPSA, _NES], ids=["spsa", "nes"])
@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_the_estimate_on_a_linear_model_is_right_at_the_border_too(method, norm):
    """Where pixels cannot move both ways the points are clipped, and the slope is over the distance that is left."""
    model, weights = linear(2, (1, 3, 4))
    x = torch.tensor([0.0, 1.0, 0.5]).repeat(4).view(1, 1, 3, 4)
    found = estimate(model, x, torch.tensor([0]), 20_000, method, norm=norm).flatten()
    true = weights[1] - weights[0]
    assert torch.allclose(found, true, atol=0.05 * true.abs().max().item())


@both
@pytest.mark.parametrize("norm, eps", [("linf", 0.2), ("l2", 2.0)])
def test_the_model_is_asked_about_images_only_and_near_the_iterate(attack, norm, eps):
    model, x, y = digits(3)
    counting = Counting(sealed(model))
    attack(counting, x[:1], y[:1], eps=eps, norm=norm, queries=500)
    for asked in counting.asked:
        assert asked.min() >= 0 and asked.max() <= 1
        limit = eps if norm == "linf" else eps + 0.01 * 784 ** 0.5 * 1.2
        assert geometry.distance(asked, x[:1], norm).max() <= limit * (1 + 1e-6)


@both
@pytest.mark.parametrize("queries", [1, 2, 3, 4, 5, 100, 130, 131, 259, 500])
@pytest.mark.parametrize("samples", [2, 100])
def test_it_asks_no_more_often_than_it_may(attack, queries, samples):
    model, x, y = digits(3)
    counting = Counting(sealed(model))
    x_adv = attack(counting, x, y, eps=0.3, queries=queries, samples=samples, stop_when_fooled=False)
    assert queries * 3 - 6 <= counting.count <= queries * 3  # up to two are too few for another step
    assert x_adv.sub(x).abs().max() <= 0.3


@both
def test_done_is_done_unless_told_otherwise(attack):
    model, x, y = digits(10)
    first, strongest = Counting(model), Counting(model)
    stopped = attack(first, x, y, eps=0.3, queries=3000)
    strong = attack(strongest, x, y, eps=0.3, queries=3000, stop_when_fooled=False)
    assert (model(stopped).argmax(1) != y).all() and first.count < 0.7 * strongest.count
    assert (losses.margin(model(strong), y) < losses.margin(model(stopped), y)).all()


@both
def test_an_image_does_not_depend_on_its_batch_or_its_place(attack):
    model, x, y = digits(6)
    model, x, order = copy.deepcopy(model).double(), x.double(), torch.tensor([4, 0, 5, 2, 1, 3])
    together = attack(model, x, y, eps=0.2, queries=600)
    alone = torch.cat([attack(model, x[i:i + 1], y[i:i + 1], eps=0.2, queries=600) for i in range(6)])
    assert torch.allclose(alone, together, atol=1e-6)
    assert torch.allclose(attack(model, x[order], y[order], eps=0.2, queries=600), together[order], atol=1e-6)


def test_spsa_is_nearly_as_strong_as_pgd():
    """Uesato et al.: 100 steps of 128 samples; at most 10 points behind PGD."""
    model, x, y = digits(30)
    def accuracy(x_adv):
        return (model(x_adv).argmax(1) == y).float().mean().item()
    assert accuracy(spsa(model, x, y, eps=0.3, queries=12_900)) <= min(0.1, accuracy(pgd(model, x, y, eps=0.3)) + 0.1)
    assert accuracy(spsa(model, x, y, eps=0.1, queries=12_900)) <= accuracy(pgd(model, x, y, eps=0.1)) + 0.1


@both
def test_a_defence_that_hides_its_gradient_stops_pgd_but_not_this(attack):
    model, x, y = digits(30)

    def quantised(z):
        return model(torch.round(8 * z) / 8)

    with pytest.warns(RuntimeWarning, match="gradient masking"):
        fooled_by_pgd = quantised(pgd(quantised, x, y, eps=0.3)).argmax(1) != y
    fooled = quantised(attack(quantised, x, y, eps=0.3, queries=6000, delta=0.05)).argmax(1) != y
    assert fooled_by_pgd.float().mean() <= 0.2 and fooled.float().mean() >= 0.8


@both
def test_l2(attack):
    model, x, y = digits(20)
    x_adv = attack(model, x, y, eps=2.5, norm="l2", queries=4000)
    assert (model(x_adv).argmax(1) != y).float().mean() >= 0.7


@both
def test_targeted(attack):
    model, x, y = digits(20)
    target = (y + 1) % 10
    x_adv = attack(model, x, target, eps=0.3, queries=8000, targeted=True)
    assert (model(x_adv).argmax(1) == target).float().mean() >= 0.8


@both
def test_arguments(attack):
    model, x, y = digits(3)
    for wrong in (dict(samples=3), dict(samples=0), dict(delta=0), dict(queries=0), dict(norm="l1"),
                  dict(step_size=-1.0)):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            attack(model, x, y, **dict(dict(eps=0.3), **wrong))
