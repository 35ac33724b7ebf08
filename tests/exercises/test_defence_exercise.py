"""Exercise 10.5, graded by attacking: what hides earns nothing, what withstands earns everything, on any seed."""

import pytest
import torch
from torch import nn

from advcourse.exercises import engine
from advcourse.exercises.catalogue import get
from advcourse.exercises.notebook_10.e5_own_defence import EPS, flags, withstands
from tests.exercises.harness import answers

wrong = answers("10.5")
MASKED = [wrong.saturates, wrong.saturates_the_last_layer, wrong.distils, wrong.quantises, wrong.compresses,
          wrong.climbs_stairs, wrong.dithers, wrong.ripples, wrong.hides_an_honest_defence]
WEAK = [wrong.defends_nothing, wrong.trains_on_single_steps, wrong.trains_a_small_network_on_single_steps,
        wrong.mixes_single_steps_in, wrong.trains_with_half_of_eps, wrong.trains_on_old_examples]


@pytest.mark.parametrize("function", MASKED, ids=lambda function: function.__name__)
def test_masked_gradients_earn_nothing(function):
    verdict = engine.run(get("10.5"), function, seed=3)
    assert verdict.points == 0 and verdict.state == engine.WRONG
    assert any("Masked gradients earn nothing" in message for message in verdict.messages)


@pytest.mark.parametrize("function", WEAK, ids=lambda function: function.__name__)
def test_an_undefended_network_and_weaker_training_earn_nothing(function):
    verdict = engine.run(get("10.5"), function, seed=3)
    assert verdict.points == 0 and "stand all attacks" in verdict.messages[0]


def test_the_audit_names_the_attack_that_broke_it():
    [message] = engine.run(get("10.5"), wrong.quantises, seed=3).messages
    assert "It was broken by black box" in message and "earn nothing" in message


@pytest.mark.parametrize("error", [NotImplementedError(), SystemExit(3), KeyError("x"), MemoryError("full")])
def test_a_model_that_raises_anything_gets_words(error):
    class Defended(nn.Module):
        def forward(self, images):
            raise error

    message = withstands({}, Defended())
    assert message.startswith("your defended model cannot be asked: it raises `" + type(error).__name__)
    assert "forward" in withstands({}, nn.Module())


def test_remembering_the_training_images_does_not_help():
    def remembers(x, y, eps):
        def defended(images):
            return -torch.cdist(images.flatten(1), x.flatten(1)) @ nn.functional.one_hot(y, 3).float() / 400
        return defended
    assert engine.run(get("10.5"), remembers, seed=3).state == engine.WRONG


def test_the_images_of_the_check_are_new_and_belong_to_the_probe():
    exercise = get("10.5")
    probes = [engine.make_probes(exercise, seed)[0] for seed in (0, 1)]
    assert probes[0]["eps"] == EPS and not torch.equal(probes[0]["x"], probes[1]["x"])
    x, y = flags(5, torch.Generator().manual_seed(0))
    assert x.shape == (5, 1, 6, 6) and x.min() >= 0 and x.max() <= 1 and y.max() <= 2


def test_a_model_that_was_passed_once_is_examined_again():
    """A function that a student keeps, with other weights in it, is another model."""
    exercise, model = get("10.5"), []

    def keeps(x, y, eps):
        model[:] = [wrong.defend(x, y, eps)]
        return lambda images: model[0](images)

    [first] = engine.run(exercise, keeps, seed=3).messages
    assert "a function cannot be graded" in first
    wrong.defend, kept = wrong.defends_nothing, wrong.defend
    try:
        [second] = engine.run(exercise, keeps, seed=3).messages
    finally:
        wrong.defend = kept
    assert "stand all attacks" in second
