"""feature_adversary halves the distance to a guide's features; towards_image ends at a picture's closest boundary."""

import pytest
import torch
from torch import nn

from advcourse import data, zoo
from advcourse.attacks import contract
from advcourse.attacks.features import feature_adversary, feature_distance, towards_image


@pytest.fixture(scope="module")
def mnist():
    with data.time_limit(0):  # no download in a test
        return data.load("mnist", train=1, test=300)


def from_image(z, image):
    return (z - image).flatten(1).norm(dim=1)


# feature_adversary

@pytest.mark.parametrize("name, layer", [("mnist-cnn", "6"), ("mnist-mlp", "2"), ("mnist-mlp", "4")])
def test_on_20_pairs_half_the_distance_between_hidden_features(mnist, name, layer):
    """The mean over 20 pairs, in the last hidden layer of the CNN and both of the MLP, at eps = 0.2."""
    model, x, guide = zoo.load(name), mnist.x_test[:20], mnist.x_test[40:60]
    x_adv = feature_adversary(model, x, guide, eps=0.2, layer=layer)
    assert (x_adv - x).abs().max() <= 0.2 and x_adv.min() >= 0 and x_adv.max() <= 1
    ratio = feature_distance(model, x_adv, guide, layer=layer) / feature_distance(model, x, guide, layer=layer)
    assert ratio.mean() <= 0.5 and ratio.max() < 0.8


def test_with_the_guides_features_comes_its_label(mnist):
    model, x, guide = zoo.load("mnist-cnn"), mnist.x_test[:40], mnist.x_test[40:80]
    x_adv = feature_adversary(model, x, guide, eps=0.3, layer="6")
    assert (model(x_adv).argmax(1) == model(guide).argmax(1)).double().mean() >= 0.9


def test_linear_features_reach_scipys_minimum():
    """With φ(z) = W z it is least squares with bounds, which scipy solves exactly. (The ReLU must not overwrite φ.)"""
    from scipy.optimize import lsq_linear

    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, 6, bias=False), nn.ReLU(inplace=True)).double()
    x, guide = torch.rand(2, 4, 1, 4, 4, dtype=torch.float64)
    x_adv = feature_adversary(model, x, guide, eps=0.15, layer=model[1], steps=300)
    w = model[1].weight.detach()
    for image, its_guide, found in zip(x.flatten(1), guide.flatten(1), x_adv.flatten(1), strict=True):
        bounds = ((image - 0.15).clamp(min=0), (image + 0.15).clamp(max=1))
        best = lsq_linear(w.numpy(), (w @ its_guide).numpy(), tuple(b.numpy() for b in bounds), tol=1e-12)
        assert (w @ (found - its_guide)).norm() <= 1.01 * (2 * best.cost) ** 0.5 + 1e-6


def test_layers_by_name_module_or_not_at_all(mnist):
    model, x, guide = zoo.load("mnist-mlp"), mnist.x_test[:3], mnist.x_test[3:6]
    by_name, by_module = (feature_adversary(model, x, guide, eps=0.1, layer=layer, steps=5)
                          for layer in ("4", model[4]))
    assert torch.equal(by_name, by_module)
    whole, last = (feature_adversary(model, x, guide, eps=0.1, layer=layer, steps=5) for layer in (None, "5"))
    assert torch.equal(whole, last)
    assert feature_adversary(lambda z: model[:2](z), x, guide, eps=0.1, steps=5).shape == x.shape
    assert all(not module._forward_hooks for module in model.modules())
    for wrong in ("9", nn.ReLU(), 4):
        with pytest.raises(ValueError, match="layer"):
            feature_adversary(model, x, guide, eps=0.1, layer=wrong)


def test_a_batch_that_goes_through_the_model_in_parts_keeps_all_its_features(mnist):
    model, x, guide = zoo.load("mnist-cnn"), mnist.x_test, mnist.x_test.flip(0)
    assert x.numel() > contract.PART
    together = feature_distance(model, x, guide, layer="6")
    alone = torch.cat([feature_distance(model, x[i:i + 50], guide[i:i + 50], layer="6") for i in range(0, len(x), 50)])
    assert torch.allclose(together, alone, rtol=1e-4)


def test_no_worse_than_x_and_exactly_x_for_no_budget(mnist):
    model, x, guide = zoo.load("mnist-cnn"), mnist.x_test[:5], mnist.x_test[5:10]
    assert torch.equal(feature_adversary(model, x, guide, eps=0, layer="6"), x)
    assert torch.equal(feature_adversary(model, x[:0], guide[:0], eps=0.1, layer="6"), x[:0])
    assert torch.equal(feature_adversary(model, x, x, eps=0.1, layer="6"), x)
    one_huge_step = feature_adversary(model, x, guide, eps=0.5, layer="6", steps=1, step_size=1e3)
    after, before = (feature_distance(model, images, guide, layer="6") for images in (one_huge_step, x))
    assert (after <= before).all()


def test_the_model_is_as_before_and_alone_is_as_together():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Dropout(), nn.Flatten(),
                          nn.Linear(48, 3)).double().train()
    x, guide = torch.rand(2, 4, 1, 6, 6, dtype=torch.float64)
    state, random = {k: v.clone() for k, v in model.state_dict().items()}, torch.get_rng_state()
    with torch.no_grad():
        together = feature_adversary(model, x, guide, eps=0.1, layer="2", steps=10)
    alone = torch.cat([feature_adversary(model, x[i:i + 1], guide[i:i + 1], eps=0.1, layer="2", steps=10)
                       for i in range(4)])
    assert torch.allclose(together, alone, atol=1e-9)
    assert model.training and model[3].training and torch.equal(torch.get_rng_state(), random)
    assert all(torch.equal(value, state[key]) for key, value in model.state_dict().items())
    assert all(parameter.requires_grad and parameter.grad is None for parameter in model.parameters())


# towards_image

def test_on_a_linear_model_it_is_the_projection_onto_the_boundary():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(36, 2)).double().requires_grad_(False)
    image = torch.rand(8, 1, 6, 6, dtype=torch.float64) * 0.2 + 0.4
    y = 1 - model(image).argmax(1)
    exact = (model(image)[:, 0] - model(image)[:, 1]).abs() / (model[1].weight[0] - model[1].weight[1]).norm()
    for start in (torch.rand_like(image), torch.full_like(image, 0.5), image):
        z = towards_image(model, start, y, image=image, steps=300)
        assert (model(z).argmax(1) == y).all()
        assert torch.allclose(from_image(z, image), exact, rtol=0.02)


@pytest.mark.parametrize("name, relative", [("mnist-mlp", 0.14), ("mnist-cnn", 0.20)])
def test_any_picture_becomes_any_class_and_keeps_its_look(mnist, name, relative):
    """From noise, grey, a digit of the wanted class, or the picture itself, always about as near to the picture."""
    model, image = zoo.load(name), mnist.x_test[:30]
    y = (mnist.y_test[:30] + 3) % 10
    starts = {
        "noise": torch.rand(image.shape, generator=torch.Generator().manual_seed(0)),
        "grey": torch.full_like(image, 0.5),
        "of the class": torch.stack([mnist.x_test[mnist.y_test == label][0] for label in y]), "itself": image,
    }
    sizes = {}
    for start, x in starts.items():
        z = towards_image(model, x, y, image=image)
        assert z.min() >= 0 and z.max() <= 1 and not z.requires_grad
        assert (model(z).argmax(1) == y).double().mean() >= 0.95, start
        sizes[start] = (from_image(z, image) / image.flatten(1).norm(dim=1)).mean().item()
    assert max(sizes.values()) <= relative and max(sizes.values()) <= 1.15 * min(sizes.values())


def test_a_picture_that_is_of_the_class_is_returned_and_a_failure_returns_the_start(mnist):
    model, image = zoo.load("mnist-cnn"), mnist.x_test[:5]
    start = torch.full_like(image, 0.5)
    assert torch.equal(towards_image(model, start, model(image).argmax(1), image=image), image)
    def never(z):
        return 1e-3 * z.flatten(1)[:, :3] + torch.tensor([9.0, 0, 0])
    assert torch.equal(towards_image(never, start, torch.ones(5, dtype=torch.int64), image=image), start)
    assert towards_image(model, start[:0], torch.zeros(0, dtype=torch.int64), image=image[:0]).shape == (0, 1, 28, 28)


@pytest.mark.parametrize("wrong, word", [
    ({"image": torch.zeros(3, 1, 4, 4)}, "image"), ({"image": torch.full((2, 1, 4, 4), 2.0)}, "image"),
    ({"step_size": 0}, "step_size"),
    ({"shrink": 1.0}, "shrink"), ({"y": torch.full((2,), 99)}, "labels"), ({"steps": 0}, "steps"),
])
def test_wrong_arguments_are_named(wrong, word):
    arguments = {"model": nn.Flatten(), "x": torch.zeros(2, 1, 4, 4), "y": torch.ones(2, dtype=torch.int64),
                 "image": torch.zeros(2, 1, 4, 4)} | wrong
    with pytest.raises(ValueError, match=word):
        towards_image(**arguments)
