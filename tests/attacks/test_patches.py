"""patch: a pattern inside its mask that works wherever it lands, far better than a random one; glasses."""

import pytest
import torch
from torch import nn
from torchvision.transforms import v2

from advcourse import data, zoo
from advcourse.attacks.patches import apply_patch, glasses_mask, patch


@pytest.fixture(scope="module")
def mnist():
    with data.time_limit(0):  # no download in a test
        return data.load("mnist", train=500, test=500)


def reached(model, x, y, pattern, mask, target, place=None):
    """The share of images of other classes that are seen as the target."""
    torch.manual_seed(0)
    with torch.no_grad():
        return (model(apply_patch(x, pattern, mask,
                                  place=place)).argmax(1) == target)[y != target].double().mean().item()


def at_random(mask):
    return (torch.rand(1, *mask.shape, generator=torch.Generator().manual_seed(0)) > 0.5).float() * mask


def test_glasses_fool_far_more_often_than_random_glasses(mnist):
    model, mask = zoo.load("mnist-cnn"), glasses_mask((1, 28, 28))

    def wrong(pattern):
        answers = model(apply_patch(mnist.x_test, pattern, mask)).argmax(1)
        return (answers != mnist.y_test).double().mean().item()

    pattern = patch(model, mnist.x_train, mnist.y_train, mask=mask)
    assert wrong(pattern) >= max(0.3, 1.5 * wrong(at_random(mask)))
    target = 3  # not 8: to this model every third digit behind glasses, of whatever pattern, is an 8
    pattern = patch(model, mnist.x_train, torch.full_like(mnist.y_train, target), mask=mask, targeted=True)
    ours, random = (reached(model, mnist.x_test, mnist.y_test, p, mask, target) for p in (pattern, at_random(mask)))
    assert ours >= max(0.05, 4 * random)


def test_a_patch_works_wherever_it_lands(mnist):
    model, place = zoo.load("mnist-cnn"), v2.RandomAffine(20, (0.25, 0.25), (0.9, 1.1))
    mask = torch.zeros(28, 28)
    mask[8:20, 8:20] = 1
    pattern = patch(model, mnist.x_train, torch.full_like(mnist.y_train, 3), mask=mask, place=place, targeted=True,
                    steps=100)
    ours, random = (reached(model, mnist.x_test, mnist.y_test, p, mask, 3, place) for p in (pattern, at_random(mask)))
    assert ours >= 0.25 and ours >= 3 * random


def test_on_a_linear_model_every_pixel_under_the_mask_goes_to_its_best_end():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(36, 2)).double().requires_grad_(False)
    x, y = torch.rand(10, 1, 6, 6, dtype=torch.float64), torch.zeros(10, dtype=torch.int64)
    mask = torch.rand(6, 6) > 0.5
    toward_one = (model[1].weight[1] - model[1].weight[0]).view(1, 6, 6) > 0
    assert torch.equal(patch(model, x, y, mask=mask), (toward_one & mask).double())
    assert torch.equal(patch(model, x, y, mask=mask, targeted=True), (~toward_one & mask).double())


def test_applying_a_patch():
    x, pattern, mask = torch.rand(4, 3, 8, 8), torch.rand(3, 8, 8), torch.zeros(8, 8, dtype=torch.bool)
    mask[2:5, 3:6] = True
    assert torch.equal(apply_patch(x, pattern, mask), torch.where(mask, pattern, x))
    assert torch.allclose(apply_patch(x, pattern, 0.25 * torch.ones(8, 8)), 0.75 * x + 0.25 * pattern)
    shifted = apply_patch(x, pattern, mask, place=lambda sticker: sticker.roll(2, 3))
    assert torch.equal(shifted, torch.where(mask.roll(2, 1), pattern.roll(2, 2), x))
    count = []
    apply_patch(x, pattern, mask, place=lambda sticker: count.append(1) or sticker, places=2)
    assert len(count) == 2
    assert apply_patch(x[:0], pattern, mask).shape == (0, 3, 8, 8)


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32), (1, 64, 64), (1, 112, 92), (1, 192, 168)])
def test_glasses(shape):
    mask = glasses_mask(shape)
    assert mask.shape == shape[1:] and mask.dtype == torch.bool and torch.equal(mask, mask.flip(1))
    assert 0.05 <= mask.double().mean() <= 0.07
    rows = mask.any(1).nonzero().flatten()
    assert rows.min() >= shape[1] * 0.15 and rows.max() <= shape[1] * 0.6  # over the eyes
    eyes = mask[int(0.38 * shape[1]), [int(0.3 * shape[2]), int(0.7 * shape[2])]]
    assert not eyes.any()  # one can look through them
    with pytest.raises(ValueError, match="16"):
        glasses_mask((1, 8, 8))


def test_inside_the_mask_and_nothing_else_changes():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.Dropout(), nn.Flatten(),
                          nn.Linear(3 * 14 * 15, 4)).train()
    x, y, mask = torch.rand(5, 2, 16, 17), torch.tensor([0, 1, 2, 3, 0]), glasses_mask((16, 17))
    state, random = {k: v.clone() for k, v in model.state_dict().items()}, torch.get_rng_state()
    with torch.no_grad():
        pattern, again = (patch(model, x, y, mask=mask, place=v2.RandomRotation(10), steps=5, batch_size=4)
                          for _ in range(2))
    assert torch.equal(pattern, again) and pattern.shape == (2, 16, 17) and not pattern.requires_grad
    assert pattern.min() >= 0 and pattern.max() <= 1 and (pattern[:, ~mask] == 0).all()
    assert model.training and torch.equal(torch.get_rng_state(), random)
    assert all(torch.equal(value, state[key]) for key, value in model.state_dict().items())
    assert all(parameter.requires_grad and parameter.grad is None for parameter in model.parameters())
    assert patch(model, x[:0], y[:0], mask=mask).shape == (2, 16, 17)


@pytest.mark.parametrize("wrong, word", [({"mask": torch.ones(5, 5)}, "mask"), ({"mask": 2 * torch.ones(4, 4)}, "mask"),
                                         ({"steps": 0}, "steps"),
                                         ({"x": torch.zeros(2, 16)}, "channels"),
                                         ({"y": torch.full((2,), 50)}, "labels")])
def test_wrong_arguments_are_named(wrong, word):
    arguments = {"model": nn.Flatten(), "x": torch.zeros(2, 1, 4, 4), "y": torch.ones(2, dtype=torch.int64),
                 "mask": torch.ones(4, 4)} | wrong
    with pytest.raises(ValueError, match=word):
        patch(**arguments)
