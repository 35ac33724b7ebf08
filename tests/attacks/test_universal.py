"""universal: one delta for a data set, at least three times as good as a random one, exact on linear models."""

import pytest
import torch
from torch import nn

from advcourse import data, zoo
from advcourse.attacks.universal import CARDS, add_universal, universal


def fooled(model, x, delta):
    return (model(add_universal(x, delta)).argmax(1) != model(x).argmax(1)).double().mean().item()


def random_delta(shape, eps, norm):
    noise = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    return eps * (noise.sign() if norm == "linf" else noise / noise.norm())


@pytest.fixture(scope="module")
def mnist():
    with data.time_limit(0):  # no download in a test
        return data.load("mnist", train=1000, test=1000)


@pytest.fixture(scope="module")
def linear():
    """A two-class linear model around grey images all of class 0: the best delta is known."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(36, 2)).double().requires_grad_(False)
    x = torch.rand(40, 1, 6, 6, dtype=torch.float64) * 0.2 + 0.4
    w = model[1].weight[1] - model[1].weight[0]
    gaps = x.flatten(1) @ w
    model[1].bias.copy_(torch.tensor([gaps.max().item() + 0.05, 0.0]))
    return model, x, w.view(1, 6, 6)


@pytest.mark.parametrize("norm, sizes", [("linf", (0.1, 0.2, 0.3)), ("l2", (2.0, 4.0, 6.0))])
def test_on_new_images_at_least_three_times_a_random_one(mnist, norm, sizes):
    model = zoo.load("mnist-cnn")
    for eps in sizes:
        delta = universal(model, mnist.x_train, eps=eps, norm=norm, steps=10)
        by_chance = fooled(model, mnist.x_test, random_delta(delta.shape, eps, norm))
        assert fooled(model, mnist.x_test, delta) >= max(3 * by_chance, 0.02), (norm, eps)
    assert fooled(model, mnist.x_test, delta) >= 0.75


def test_the_deepfool_form_too(mnist):
    model = zoo.load("mnist-cnn")
    for norm, eps in (("linf", 0.2), ("l2", 4.0)):
        delta = universal(model, mnist.x_train[:40], eps=eps, norm=norm, method="deepfool", steps=2)
        by_chance = fooled(model, mnist.x_test, random_delta(delta.shape, eps, norm))
        assert fooled(model, mnist.x_test, delta) >= 3 * by_chance


@pytest.mark.parametrize("method", ["gradient", "deepfool"])
@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_on_a_linear_model_it_points_along_the_weights(linear, method, norm):
    model, x, w = linear
    best = w.sign() if norm == "linf" else w / w.norm()
    needed = (-(model(x) @ torch.tensor([-1.0, 1.0], dtype=torch.float64)).min() / (best * w).sum()).item()
    delta = universal(model, x, eps=1.05 * needed, norm=norm, method=method)
    assert fooled(model, x, delta) == 1
    assert torch.nn.functional.cosine_similarity(delta.flatten(), best.flatten(), dim=0) > 0.999
    assert fooled(model, x, universal(model, x, eps=0.95 * needed, norm=norm, method=method)) < 1  # not possible


def test_targeted_reaches_one_class(mnist):
    model = zoo.load("mnist-cnn")
    target = torch.full((1000,), 8)
    delta = universal(model, mnist.x_train, target, eps=0.4, targeted=True, steps=5)
    reached = (model(add_universal(mnist.x_test, delta)).argmax(1) == 8).double().mean()
    assert reached >= 0.5


@pytest.mark.parametrize("method", ["gradient", "deepfool"])
@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_delta_keeps_its_size_its_shape_and_the_box(linear, method, norm, dtype):
    model, x, _ = linear
    x = x.to(dtype).contiguous()
    model = model.to(dtype)
    state, random, kept = {k: v.clone() for k, v in model.state_dict().items()}, torch.get_rng_state(), x.clone()
    model.train()
    with torch.no_grad():
        delta = universal(model, x, eps=0.1, norm=norm, method=method, steps=2)
    assert delta.shape == x.shape[1:] and delta.dtype == dtype and not delta.requires_grad
    assert (delta.abs().max() if norm == "linf" else delta.norm()) <= 0.1
    added = add_universal(x, delta)
    assert added.min() >= 0 and added.max() <= 1 and ((added - x).abs() <= delta.abs()).all()
    assert torch.equal(x, kept) and model.training and torch.equal(torch.get_rng_state(), random)
    assert all(torch.equal(value, state[key]) for key, value in model.state_dict().items())
    assert torch.equal(delta, universal(model, x, eps=0.1, norm=norm, method=method, steps=2))  # seeded
    model.double().eval()


def test_empty_and_zero(linear):
    model, x, _ = linear
    assert torch.equal(universal(model, x[:0], eps=0.1), torch.zeros_like(x[0]))
    assert torch.equal(universal(model, x, eps=0), torch.zeros_like(x[0]))


@pytest.mark.parametrize("wrong, word", [
    ({"eps": -1}, "eps"), ({"norm": "l1"}, "norm"), ({"method": "sgd"}, "method"), ({"steps": 0}, "steps"),
    ({"targeted": True}, "labels to reach"),
    ({"y": torch.full((40,), 7)}, "labels"), ({"x": torch.full((2, 1, 6, 6), 1.5)}, "0, 1"),
])
def test_wrong_arguments_are_named(linear, wrong, word):
    model, x, _ = linear
    arguments = {"model": model, "x": x, "eps": 0.1} | wrong
    with pytest.raises(ValueError, match=word):
        universal(**arguments)


def test_the_card():
    assert [card.name for card in CARDS] == ["universal"] and CARDS[0].scope == "universal"
