"""Exercises are found by number, and a badly made one is refused when it is made."""

import dataclasses
import sys
import types

import pytest

from advcourse.exercises import Question, all_exercises, get


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


def test_two_exercises_of_one_number_or_of_another_notebook_are_refused(sample, monkeypatch):
    name = "advcourse.exercises.notebook_97"
    for tasks, message in (({"a": sample.why}, "another notebook's"),
                           ({"a": dataclasses.replace(sample.why, number="97.1"),
                             "b": dataclasses.replace(sample.accuracy, number="97.1")},
                             "two exercises of number 97.1")):
        module = types.ModuleType(name)
        vars(module).update(tasks)
        monkeypatch.setitem(sys.modules, name, module)
        with pytest.raises(ValueError, match=message):
            all_exercises("97")


def test_a_module_that_fails_to_import_something_says_so(monkeypatch, tmp_path):
    (tmp_path / "notebook_96.py").write_text("import a_module_that_is_not_there")
    import advcourse.exercises

    monkeypatch.setattr(advcourse.exercises, "__path__", [*advcourse.exercises.__path__, str(tmp_path)])
    with pytest.raises(ModuleNotFoundError, match="a_module_that_is_not_there"):
        all_exercises("96")
