"""The checks of every notebook, held against the wrong answers under tests/wrong_answers/."""

import functools

import pytest

from advcourse.exercises import Question, all_exercises, engine, letter_of_right_answer
from advcourse.exercises.session import choices_of
from tests.exercises.harness import FOLDER, answers, functions, notebooks, rejected_seeds, seeds, try_wrong_answers

LEAST_WRONG_ANSWERS, LEAST_NAMED, SEEDS = 6, 0.9, 100
EXERCISES = [pytest.param(notebook, exercise, id=exercise.number) for notebook in notebooks()
             for exercise in functions(notebook)]
QUESTIONS = [pytest.param(task, id=task.number) for notebook in notebooks() for task in all_exercises(notebook)
             if isinstance(task, Question)]
answers = functools.cache(answers)


@pytest.mark.parametrize("notebook", notebooks())
def test_every_exercise_has_wrong_and_right_answers(notebook):
    numbers = {exercise.number for exercise in functions(notebook)}
    wrong, right = answers(notebook).WRONG, answers(notebook).RIGHT
    assert set(wrong) == numbers and set(right) == numbers
    assert not [number for number in numbers if len(wrong[number]) < LEAST_WRONG_ANSWERS]
    assert not [number for number in numbers if not right[number]]


def test_every_file_of_wrong_answers_belongs_to_a_notebook():
    assert {path.stem for path in FOLDER.glob("notebook_*.py")} == {f"notebook_{notebook}" for notebook in notebooks()}


@pytest.mark.parametrize("notebook, exercise", EXERCISES)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_every_wrong_answer_is_rejected(notebook, exercise, seed):
    trials = try_wrong_answers(exercise, answers(notebook).WRONG[exercise.number], seed)
    assert not [trial.name for trial in trials if not trial.rejected]


@pytest.mark.parametrize("notebook", notebooks())
def test_nine_in_ten_get_the_message_written_for_their_mistake(notebook, record_property):
    trials = [trial for exercise in functions(notebook)
              for trial in try_wrong_answers(exercise, answers(notebook).WRONG[exercise.number])]
    if not trials:
        pytest.skip(f"notebook {notebook} has no exercise that wants a function")
    rejected, named = sum(trial.rejected for trial in trials), sum(trial.named for trial in trials)
    record_property("kill rate", f"notebook {notebook}: {rejected} of {len(trials)} wrong answers rejected "
                                 f"({rejected / len(trials):.0%}), {named} with the message written for their mistake "
                                 f"({named / len(trials):.0%})")
    assert named >= LEAST_NAMED * len(trials), "\n".join(f"{t.name}: {t.messages}" for t in trials if not t.named)


@pytest.mark.parametrize("notebook, exercise", EXERCISES)
def test_the_reference_and_other_right_answers_pass_on_a_hundred_seeds(notebook, exercise):
    for function in [exercise.reference, *answers(notebook).RIGHT[exercise.number]]:
        assert not rejected_seeds(exercise, function, seeds(exercise, SEEDS)), engine.run(exercise, function).messages


@pytest.mark.parametrize("task", QUESTIONS)
def test_every_choice_of_a_question_has_an_explanation_of_its_own(task):
    explanations = [explanation for _, explanation in task.choices]
    assert len(set(explanations)) == len(explanations) and len({text for text, _ in task.choices}) == len(explanations)
    assert choices_of(task, "")[letter_of_right_answer(task.number)] == task.choices[0]
