"""The harness sees a wrong answer that slips through, a message that misses the mistake, a right answer refused."""

import dataclasses

from tests.exercises.harness import rejected_seeds, try_wrong_answers


def test_every_wrong_answer_of_the_sample_is_rejected_with_its_message(sample):
    for exercise in (sample.one_step, sample.accuracy):
        trials = try_wrong_answers(exercise, sample.WRONG[exercise.number])
        assert len(trials) == 6 and all(trial.rejected and trial.named for trial in trials), trials


def test_a_right_answer_among_the_wrong_ones_is_seen(sample):
    [trial] = try_wrong_answers(sample.one_step, [(sample.other_step, "")])
    assert not trial.rejected and not trial.named and trial.name == "99.1 #0 other_step"


def test_a_message_for_another_mistake_is_seen(sample):
    [trial] = try_wrong_answers(sample.one_step, [(sample.down, "leaves the ε-ball")])
    assert trial.rejected and not trial.named and "down the gradient" in trial.messages[0]


def test_right_answers_pass_on_a_hundred_seeds_and_a_wrong_one_is_seen(sample):
    for exercise in (sample.one_step, sample.accuracy):
        for function in (exercise.reference, *sample.RIGHT[exercise.number]):
            assert rejected_seeds(exercise, function, range(100)) == []
    assert rejected_seeds(sample.one_step, sample.down, range(3)) == [0, 1, 2]


def test_a_check_that_hangs_on_the_draw_is_seen(sample):
    shaky = dataclasses.replace(sample.accuracy, properties={"x": lambda probe, result: "no" if result > 0.5 else None})
    assert 0 < len(rejected_seeds(shaky, sample.share, range(100))) < 100
