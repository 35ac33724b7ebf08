"""Doing nothing earns nothing, in every exercise of the course."""

import pytest

from advcourse.exercises import engine
from tests.exercises import doing_nothing
from tests.exercises.harness import functions, notebooks

EXERCISES = [pytest.param(exercise, id=exercise.number) for notebook in notebooks() for exercise in functions(notebook)]


@pytest.mark.parametrize("exercise", EXERCISES)
def test_answers_that_do_nothing_earn_nothing(exercise):
    answers = dict(doing_nothing.answers(exercise))
    assert len(answers) >= 2
    earned = {(name, seed): points for name, function in answers.items() for seed in (0, 1)
              if (points := engine.run(exercise, function, seed).points)}
    assert not earned, f"of {exercise.points} points"


def test_a_property_that_nothing_has_to_be_done_for_is_found(sample):
    """The sample's exercise pays for gates, as our own did once."""
    earned = [engine.run(sample.one_step, function).points for _, function in doing_nothing.answers(sample.one_step)]
    assert max(earned) > 0
