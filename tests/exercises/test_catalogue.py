"""Exercises are found by number, and a badly made one is refused when it is made."""

import dataclasses
import subprocess
import sys

import pytest

import advcourse.exercises
from advcourse.exercises import Question, all_exercises, get
from advcourse.notebook import series
from tests.exercises.harness import SOURCES


def test_exercises_come_in_the_order_of_their_numbers(sample):
    assert [task.number for task in all_exercises("99")] == ["99.1", "99.2", "99.10"]
    assert get("99.10") is sample.accuracy
    assert all_exercises("98") == []


@pytest.mark.parametrize("number, message", [
    ("99.3", "no exercise '99.3'; this notebook has 99.1, 99.2, 99.10"), ("1.2", "numbers look like '01.2'"),
    (None, "look like")])
def test_an_unknown_number_is_named(sample, number, message):
    with pytest.raises(ValueError, match=message):
        get(number)


@pytest.mark.parametrize("change, message", [
    ({"number": "1.2"}, "must look like '01.2'"),
    ({"points": 0}, "at least 1 point"),
    ({"hints": (("a", "b"),)}, "needs three hints"),
    ({"hints": ("a", "b", "c")}, r"\(title, text\) pairs"),
    ({"properties": {}}, "at least one property"),
])
def test_a_badly_made_exercise_is_refused(sample, change, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(sample.one_step, **change)


@pytest.mark.parametrize("choices, message", [
    ((("only", "one"),), "2 to 26 choices"),
    ((("a", "b"), ("wrong", "")), "neither empty"),
    ((("a", "b"), ("wrong",)), "pair"),
])
def test_a_badly_made_question_is_refused(choices, message):
    with pytest.raises(ValueError, match=message):
        Question("99.2", "Why?", "Why?", choices)


GOOD = """
[[question]]
number = "97.1"
title = "Why?"
points = 1
minutes = 2
text = '''
Why does this
grow?

Say.
'''
hints = []
choices = [{text = "a", explanation = "Right."}, {text = "b", explanation = "No."}]
"""
EXERCISE = """
from dataclasses import replace
from advcourse.exercises import get
exercise = replace(get("99.1"), number="{number}")
"""


@pytest.fixture
def notebook_97(sample, monkeypatch, tmp_path):
    """A notebook 97 without a file; gives its folder."""
    folder = tmp_path / "notebook_97"
    folder.mkdir()
    monkeypatch.setattr(advcourse.exercises, "__path__", [*advcourse.exercises.__path__, str(tmp_path)])
    yield folder
    for name in [name for name in sys.modules if name.startswith("advcourse.exercises.notebook_97")]:
        del sys.modules[name]


def test_two_files_are_an_exercise_and_questions(notebook_97):
    (notebook_97 / "questions.toml").write_text(GOOD)
    (notebook_97 / "e2_again.py").write_text(EXERCISE.format(number="97.2"))
    question, exercise = all_exercises("97")
    assert (question.number, exercise.number) == ("97.1", "97.2")
    assert question.text == "Why does this grow?\n\nSay." and question.choices == (("a", "Right."), ("b", "No."))


@pytest.mark.parametrize("name, source, message", [
    ("e1_again.py", EXERCISE.format(number="97.1"), "questions.toml holds 97.1, a number that another task"),
    ("e1_again.py", EXERCISE.format(number="98.1"), "e1_again.py holds 98.1, which is another notebook's"),
    ("e1_again.py", EXERCISE.format(number="97.2"), "e1_again.py holds exercise 97.2: the number after the e"),
    ("e1_again.py", "project = 1", "e1_again.py must define its exercise under the name `exercise`"),
])
def test_a_misplaced_exercise_is_refused(notebook_97, name, source, message):
    (notebook_97 / "questions.toml").write_text(GOOD)
    (notebook_97 / name).write_text(source)
    with pytest.raises(ValueError, match=message):
        all_exercises("97")


@pytest.mark.parametrize("old, new, message", [
    ('title = "Why?"', 'title = "Why?', "questions.toml is not valid TOML: .*line 4"),
    ('title = "Why?"\n', "", "questions.toml, question 97.1: 'title' is missing; the keys are number, title, points"),
    ("minutes = 2", "minute = 2", "question 97.1: 'minute' is no key here; the keys are number"),
    ("points = 1", 'points = "1"', "question 97.1: 'points' must be a whole number; got '1'"),
    ("points = 1", "points = true", "'points' must be a whole number; got True"),
    ("hints = []", "hints = 3", "question 97.1: 'hints' must be a list; got 3"),
    ("hints = []", 'hints = ["Look."]', "question 97.1, hints 1: a table is wanted; got 'Look.'"),
    ('"b", explanation = "No."', '"b"', "question 97.1, choices 2: 'explanation' is missing"),
    ('"No."', '" "', "question 97.1: .*neither empty"),
    ('number = "97.1"\n', "", "question no. 1: 'number' is missing"),
    ('number = "97.1"', "number = 97.1", "question 97.1: 'number' must be a text; got 97.1"),
    ('number = "97.1"', 'number = "97"', "question 97: number must look like"),
    ('number = "97.1"', 'number = "96.1"', "questions.toml holds 96.1, which is another notebook's"),
    ("[[question]]", "[[questions]]", "questions.toml: 'questions' is no key here; the keys are question"),
    ("[[question]]", "[question]", "questions.toml: 'question' must be a list"),
    (GOOD, GOOD + GOOD, "questions.toml holds 97.1, a number that another task of this notebook has already"),
])
def test_a_mistake_in_the_questions_is_named_with_its_file_and_number(notebook_97, old, new, message):
    assert GOOD.count(old) == 1
    (notebook_97 / "questions.toml").write_text(GOOD.replace(old, new))
    with pytest.raises(ValueError, match=message):
        all_exercises("97")


def test_a_module_that_fails_to_import_something_says_so(notebook_97):
    (notebook_97 / "e1_broken.py").write_text("import a_module_that_is_not_there")
    with pytest.raises(ModuleNotFoundError, match="a_module_that_is_not_there"):
        all_exercises("97")


def test_importing_the_package_imports_no_notebooks_exercises():
    code = "import sys, advcourse.exercises; print([name for name in sys.modules if '.notebook_' in name])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_every_folder_of_exercises_is_in_the_register():
    folders = {path.parent.name for path in SOURCES.glob("notebook_*/__init__.py")}
    assert folders == {f"notebook_{number}" for number in series.WRITTEN}


def test_no_tool_is_taken_from_another_exercise():
    """What two exercises need lies in probes.py or properties.py."""
    borrowed = [f"{path.parent.name}/{path.name}" for path in SOURCES.glob("notebook_*/*.py")
                if "exercises.notebook_" in path.read_text()]
    assert not borrowed
