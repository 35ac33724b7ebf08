"""advgan: a generator that, after seconds of training, fools the model on new images with one pass of its own."""

import pytest
import torch
from torch import nn

from advcourse import data, zoo
from advcourse.attacks.advgan import advgan


@pytest.fixture(autouse=True)
def no_bar(monkeypatch):
    monkeypatch.setenv("TQDM_DISABLE", "1")


@pytest.fixture(scope="module")
def mnist():
    with data.time_limit(0):  # no download in a test
        return data.load("mnist", train=1500, test=1000)


def tiny(train=False):
    torch.manual_seed(0)
    return nn.Sequential(nn.AdaptiveAvgPool2d(4), nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.Dropout(), nn.Flatten(),
                         nn.Linear(12, 3)).train(train)


def test_85_percent_of_new_images_after_120_steps(mnist):
    model = zoo.load("mnist-cnn")
    attack = advgan(model, mnist.x_train, mnist.y_train, eps=0.3, epochs=4, batch_size=50)
    x_adv = attack(mnist.x_test)
    assert (x_adv - mnist.x_test).abs().max() <= 0.3 and x_adv.min() >= 0 and x_adv.max() <= 1
    assert (model(x_adv).argmax(1) != mnist.y_test).double().mean() >= 0.85
    noise = torch.randn(mnist.x_test.shape, generator=torch.Generator().manual_seed(0)).sign()
    assert (model((mnist.x_test + 0.3 * noise).clamp(0, 1)).argmax(1) != mnist.y_test).double().mean() <= 0.5


def test_targeted_it_reaches_its_class(mnist):
    model = zoo.load("mnist-mlp")
    target = torch.full((1000,), 8)
    attack = advgan(model, mnist.x_train[:1000], target, eps=0.3, epochs=5, batch_size=50, targeted=True)
    assert (model(attack(mnist.x_test)).argmax(1) == 8).double().mean() >= 0.8


@pytest.mark.parametrize("shape", [(2, 4, 4), (2, 9, 7), (2, 1, 5)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_any_size_and_type_inside_the_ball_to_the_last_bit(shape, dtype):
    x, y = torch.rand(6, *shape, dtype=dtype), torch.tensor([0, 1, 2, 0, 1, 2])
    attack = advgan(tiny().to(dtype), x, y, eps=0.1, epochs=1, batch_size=4)
    x_adv = attack(x)
    assert x_adv.shape == x.shape and x_adv.dtype == dtype and not x_adv.requires_grad
    assert (x_adv - x).abs().max() <= 0.1 and x_adv.min() >= 0 and x_adv.max() <= 1
    assert attack(x[:0]).shape == (0, *shape)
    alone = torch.cat([attack(x[i:i + 1]) for i in range(6)])
    assert torch.allclose(alone, x_adv, atol=1e-6)
    assert torch.equal(advgan(tiny().to(dtype), x, y, eps=0, epochs=1)(x), x)


@pytest.mark.parametrize("train", [False, True])
def test_the_model_and_the_random_numbers_are_as_before(train):
    model, x, y = tiny(train), torch.rand(6, 2, 8, 8), torch.tensor([0, 1, 2, 0, 1, 2])
    state, random, kept = {k: v.clone() for k, v in model.state_dict().items()}, torch.get_rng_state(), x.clone()
    with torch.no_grad():
        attack, again = (advgan(model, x, y, eps=0.1, epochs=2, batch_size=4) for _ in range(2))
    assert torch.equal(attack(x), again(x)) and torch.equal(x, kept) and not attack.training
    other = advgan(model, x, y, eps=0.1, epochs=2, batch_size=4, generator=torch.Generator().manual_seed(1))
    assert not torch.equal(attack(x), other(x))
    assert all(module.training == train for module in model.modules()) and torch.equal(torch.get_rng_state(), random)
    assert all(torch.equal(value, state[key]) for key, value in model.state_dict().items())
    assert all(parameter.requires_grad and parameter.grad is None for parameter in model.parameters())
    assert not any(parameter.requires_grad for parameter in attack.parameters())


def test_a_progress_bar_unless_it_is_not_wanted(monkeypatch, capfd):
    x, y = torch.rand(4, 2, 8, 8), torch.tensor([0, 1, 2, 0])
    advgan(tiny(), x, y, eps=0.1, epochs=1)
    assert "advgan" not in capfd.readouterr().err
    monkeypatch.delenv("TQDM_DISABLE")
    advgan(tiny(), x, y, eps=0.1, epochs=1)
    assert "advgan" in capfd.readouterr().err


@pytest.mark.parametrize("wrong, word", [({"eps": -1}, "eps"), ({"epochs": 0}, "epochs"),
                                         ({"learning_rate": 0}, "learning_rate"),
                                         ({"natural": -1}, "natural"), ({"x": torch.zeros(2, 9)}, "channels"),
                                         ({"y": torch.full((2,), 9)}, "labels")])
def test_wrong_arguments_are_named(wrong, word):
    arguments = {"model": tiny(), "x": torch.zeros(2, 2, 8, 8), "y": torch.ones(2, dtype=torch.int64),
                 "eps": 0.1} | wrong
    with pytest.raises(ValueError, match=word):
        advgan(**arguments)
