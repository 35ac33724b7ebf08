"""The checks of every notebook, held against the wrong answers under tests/wrong_answers/."""

import pytest

from advcourse.exercises import Question, all_exercises, engine, letter_of_right_answer
from advcourse.exercises.session import choices_of
from tests.exercises.harness import (
    FOLDER,
    SOURCES,
    answers,
    files,
    functions,
    notebooks,
    rejected_seeds,
    seeds,
    try_wrong_answers,
)

LEAST_WRONG_ANSWERS, LEAST_NAMED, SEEDS = 6, 0.9, 5  # a hundred: benchmarks/answers.py
EXERCISES = [pytest.param(exercise, id=exercise.number) for notebook in notebooks() for exercise in functions(notebook)]
QUESTIONS = [pytest.param(task, id=task.number) for notebook in notebooks() for task in all_exercises(notebook)
             if isinstance(task, Question)]


def test_every_exercise_has_a_file_of_wrong_and_right_answers():
    assert files(SOURCES) == files(FOLDER)


@pytest.mark.parametrize("exercise", EXERCISES)
def test_every_exercise_has_wrong_and_right_answers(exercise):
    assert len(answers(exercise.number).WRONG) >= LEAST_WRONG_ANSWERS and answers(exercise.number).RIGHT


@pytest.mark.parametrize("exercise", EXERCISES)
def test_every_answer_has_a_name_of_its_own(exercise):
    found = answers(exercise.number)
    for functions_of_a_kind in ([exercise.reference, *found.RIGHT], [function for function, _ in found.WRONG]):
        names = [function.__name__ for function in functions_of_a_kind]
        assert len(set(names)) == len(names), names


@pytest.mark.parametrize("exercise", EXERCISES)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_every_wrong_answer_is_rejected(exercise, seed):
    trials = try_wrong_answers(exercise, answers(exercise.number).WRONG, seed)
    assert not [trial.name for trial in trials if not trial.rejected]


@pytest.mark.parametrize("notebook", [notebook for notebook in notebooks() if functions(notebook)])
def test_nine_in_ten_get_the_message_written_for_their_mistake(notebook, record_property):
    trials = [trial for exercise in functions(notebook)
              for trial in try_wrong_answers(exercise, answers(exercise.number).WRONG)]
    rejected, named = sum(trial.rejected for trial in trials), sum(trial.named for trial in trials)
    record_property("kill rate", f"notebook {notebook}: {rejected} of {len(trials)} wrong answers rejected "
                                 f"({rejected / len(trials):.0%}), {named} with the message written for their mistake "
                                 f"({named / len(trials):.0%})")
    assert named >= LEAST_NAMED * len(trials), "\n".join(f"{t.name}: {t.messages}" for t in trials if not t.named)


@pytest.mark.parametrize("exercise", EXERCISES)
def test_the_reference_and_other_right_answers_pass_on_every_seed(exercise):
    for function in [exercise.reference, *answers(exercise.number).RIGHT]:
        assert not rejected_seeds(exercise, function, seeds(exercise, SEEDS)), engine.run(exercise, function).messages


@pytest.mark.parametrize("task", QUESTIONS)
def test_every_choice_of_a_question_has_an_explanation_of_its_own(task):
    explanations = [explanation for _, explanation in task.choices]
    assert len(set(explanations)) == len(explanations) and len({text for text, _ in task.choices}) == len(explanations)
    assert choices_of(task, "")[letter_of_right_answer(task.number)] == task.choices[0]
