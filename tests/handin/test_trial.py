"""What submit() tries beforehand is what a grading finds: told alike, from the same file."""

import json

import nbformat
import pytest

from advcourse.exercises import engine, letter_of_right_answer
from advcourse.handin import trial

SET_UP = 'from advcourse.notebook import start\nSTUDENT = "ada"\ncourse = start("00", student=STUDENT)'
CHECK = "\n\nlargest_change = check('00.1', largest_change)"
RIGHT = "def largest_change(x, x_p):\n    return (x_p - x).abs().flatten(1).amax(1)"


def tried(*sources):
    """[state, points, why] by number."""
    cells = [nbformat.v4.new_code_cell(source) for source in (SET_UP, *sources)]
    return trial.tried(nbformat.writes(nbformat.v4.new_notebook(cells=cells)).encode(), "00")


def test_right_work_passes_and_what_is_printed_disturbs_nobody():
    letter = letter_of_right_answer("00.2", "ada")
    found = tried("print('hello')\nimport torch", RIGHT.replace("return", "print('[]'); return") + CHECK,
                  f"choice = {letter}\nanswer('00.2', choice)")
    assert found == {"00.1": ["passed", 2, ""], "00.2": ["passed", 1, found["00.2"][2]]}


@pytest.mark.parametrize("sources, why", [
    (["for axis in [1]:\n    pass", RIGHT.replace("1)", "axis)") + CHECK], "name 'axis' is not defined"),
    (["from advcourse.attacks import fgsm", RIGHT.replace("return", "fgsm; return") + CHECK],
     "uses `fgsm`, which is the course's"),
    (["import nothing_of_this_name as tool", RIGHT.replace("return", "tool; return") + CHECK],
     "`tool` was not at hand, as its line ends in ModuleNotFoundError"),
    (["size = course.data.x_test.shape[1]", RIGHT.replace("flatten(1)", "flatten(size)") + CHECK], "size"),
    ([RIGHT.replace("return", "while True:\n        pass\n    return") + CHECK], "did not come to an end"),
    (["class Slow(type):\n    def __new__(*a):\n        while True: pass\n\nclass A(metaclass=Slow): pass",
      RIGHT.replace("return", "A; return") + CHECK], "did not come to an end"),
])
def test_what_stands_on_the_rest_of_the_notebook_is_told(sources, why):
    state, points, said = tried(*sources)["00.1"]
    assert (state, points) == ("wrong", 0) and why in said


def test_a_file_that_cannot_be_tried_is_none():
    assert trial.tried(b"no notebook", "00") is None


def test_trying_leaves_the_course_importable(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    work = trial.extract(json.dumps({"cells": [], "nbformat": 4, "nbformat_minor": 5, "metadata": {}}).encode(), "00")
    assert {one.state for one in trial.verdicts(work, "00").values()} == {engine.NOT_ATTEMPTED}
    from advcourse.attacks import fgsm
    assert fgsm.__module__ == "advcourse.attacks.gradient"
