"""Training on moved images: the draws, the worst of them, and what each buys against the worst move."""

from functools import partial

import pytest
import torch
from torch.nn import functional as F

from advcourse import attacks, data, evaluate, models
from advcourse.attacks.transformations import move
from advcourse.invariance.moves import random_move_loss, random_moves, worst_move_loss
from advcourse.randomness import seeded
from advcourse.training.loop import cross_entropy_loss, fit


@pytest.fixture(scope="module")
def letters():
    return data.load("fonts", train=1000, test=200)


@pytest.fixture(scope="module")
def trained(letters):
    def train(loss):
        with seeded(0):
            model = models.cnn()
        fit(model, letters.x_train, letters.y_train, epochs=5, batch_size=64, learning_rate=3e-3, loss=loss)
        return model
    return train(cross_entropy_loss)


def test_each_image_has_a_move_of_its_own(letters):
    x = letters.x_test[:1].expand(2000, 1, 28, 28)
    with seeded(0):
        found = random_moves(x, rotation=20, translation=0.1)
    with seeded(0):
        uniform = 2 * torch.rand(2000, 3) - 1
    limits = torch.tensor([20, 0.1, 0.1])
    assert torch.allclose(found, move(x, uniform * limits), atol=1e-5)
    with seeded(0):
        assert torch.allclose(random_moves(letters.x_test, rotation=0, translation=0), letters.x_test, atol=1e-5)


@pytest.mark.parametrize("search", ["random", "gradient"])
def test_the_loss_is_that_of_the_move_that_spatial_finds(letters, trained, search):
    x, y = letters.x_test[:20], letters.y_test[:20]
    options = dict(rotation=25, translation=0.1, search=search, tries=3, steps=2)
    with seeded(5):
        found = worst_move_loss(trained, x, y, **options)
    with seeded(5):
        generator = torch.Generator().manual_seed(torch.randint(2**31, ()).item())
    x_adv = attacks.spatial(trained, x, y, **options, generator=generator)
    assert found.item() == F.cross_entropy(trained(x_adv), y).item() > cross_entropy_loss(trained, x, y).item()
    found.backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in trained.parameters())
    trained.zero_grad()


def test_every_step_has_other_moves(letters, trained):
    x, y = letters.x_test[:20], letters.y_test[:20]
    with seeded(0), torch.no_grad():
        for loss in (random_move_loss, partial(worst_move_loss, tries=1)):
            assert len({loss(trained, x, y).item() for _ in range(4)}) == 4


def test_training_on_the_worst_move_stands_it_best(letters, trained):
    def left(model):
        x_adv = attacks.spatial(model, letters.x_test, letters.y_test, angles=5, shifts=3)
        return evaluate.accuracy(model, x_adv, letters.y_test)
    scores = [left(trained)]  # accuracy on the worst of 45 moves
    for loss in (random_move_loss, partial(worst_move_loss, tries=5)):
        with seeded(0):
            model = models.cnn()
        fit(model, letters.x_train, letters.y_train, epochs=8, batch_size=64, learning_rate=3e-3, loss=loss)
        scores.append(left(model))
    assert scores[0] <= scores[1] < scores[2] - 0.05
