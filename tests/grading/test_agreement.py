"""`progress`, `submit` and `advcourse grade` say the same of the same notebook, whatever stands in it."""

import re

import nbclient
import nbformat
import pytest

from advcourse.exercises import Exercise, all_exercises, letter_of_right_answer
from advcourse.exercises.display import MIME
from advcourse.grading import run
from advcourse.grading.box.limits import Limits
from advcourse.grading.reading.submissions import collect
from advcourse.handin.work import extract, official_names
from advcourse.pipeline import masters

try:
    run.proven()
except OSError as error:
    pytest.skip(f"no box here: {error}", allow_module_level=True)

STUDENT = "ada"
SET_UP = (f'STUDENT = "{STUDENT}"\nfrom advcourse.notebook import start\nfrom advcourse.exercises import *\n'
          'import torch\nfrom torch.nn import functional as F\n'
          'course = start("01", dataset="digits", device_name="cpu", student=STUDENT);')
TASKS = {task.number: task for task in all_exercises("01")}
NAMES = official_names("01")
[SOLUTION] = (masters.ROOT / "notebooks" / "solutions").glob("01_*.ipynb")
SOLVED = extract(SOLUTION.read_bytes(), "01").cells


def cells(way, number):
    """The cells of one way to work on an exercise or a question."""
    name, letter = NAMES.get(number), letter_of_right_answer(number, STUDENT) if number not in NAMES else ""
    right, check = SOLVED.get(number, ""), f'\n\n{name} = check("{number}", {name})'
    head = right.partition("\n")[0]
    stub = f"{head}\n    raise NotImplementedError"
    wrong = next(one for one in "abcd" if one != letter)
    return {
        "right": [right + check],
        "split": [right, check],
        "wrong": [f"{head}\n    return 'wrong'" + check],
        "wrong, checked twice": [f"{head}\n    return 'wrong'" + check, check],
        "open, checked twice": [stub + check, check, check],
        "another name": [stub.replace(f"def {name}", "def mine") + check],
        "a wrapper": [stub + check, f"def mine(*arguments, **keywords):\n    return {name}(*arguments, **keywords)\n\n"
                                    f'mine = check("{number}", mine)'],
        "no Python": [right.replace("return", "return (") + check],
        "never ends": [f"{head}\n    while True: pass" + check],
        "uses the course": [f"{head}\n    from advcourse import attacks\n    return attacks.fgsm(x, x, x)" + check],
        "stands on a loop": ["for top in [1]: pass", right.replace("clamp(0, 1)", "clamp(0, top)") + check],
        "the right letter": [f'choice = "{letter}"\nanswer("{number}", choice)'],
        "another letter": [f'choice = "{wrong}"\nanswer("{number}", choice)'],
        "a bare capital": [f'choice = {letter.upper()}\nanswer("{number}", choice)'],
        "with a bracket": [f'choice = " {letter})"\nanswer("{number}", choice)'],
        "no answer": [f'choice = ...\nanswer("{number}", choice)'],
        "half a string": [f'choice = "{letter}\nanswer("{number}", choice)'],
    }[way]


NOTEBOOKS = [
    ["right", "open, checked twice", "wrong", "never ends", "split", "a bare capital", "with a bracket"],
    ["a wrapper", "another name", "wrong, checked twice", "no Python", "uses the course", "half a string",
     "another letter"],
    ["stands on a loop", "right", "right", "right", "right", "the right letter", "no answer"],
]
LESS = {"stands on a loop": 2}  # points that the session gives and a grading cannot: submit says so


@pytest.mark.parametrize("ways", NOTEBOOKS)
def test_all_three_say_the_same(ways, tmp_path):
    sources = [SET_UP, *(cell for number, way in zip(TASKS, ways, strict=True) for cell in cells(way, number)),
               "progress()", "import advcourse\n\nadvcourse.submit()"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    nbformat.write(notebook, tmp_path / "01_first.ipynb")
    nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3",
                            resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.outputs]
    session = {one["exercise"]: one["points"] for output in outputs
               if (one := output.get("data", {}).get(MIME, {})).get("kind") == "verdict"}
    progress, submit = (cell.outputs[-1].data["text/plain"] for cell in notebook.cells[-2:])
    table = {number: int(points) for number, points in re.findall(r"(01\.\d+) .*· (\d+) of \d+$", submit, re.MULTILINE)}

    (tmp_path / "01_first.ipynb").unlink()
    [graded] = run.grade_class(collect(tmp_path), tmp_path / "grades", limits=Limits(seconds=30), seed=2**70 + 1)
    marks = {mark.exercise: mark.points for mark in graded.marks}
    assert table == marks
    assert f"{sum(session.values())} of {sum(task.points for task in TASKS.values())} points" in progress
    for number, way in zip(TASKS, ways, strict=True):
        assert session.get(number, 0) == marks[number] + LESS.get(way, 0), way
        if way in LESS:
            assert f"{number}: {LESS[way]} points in this session, 0 when the file is graded" in submit
    earned = {number for number, points in marks.items() if points}
    assert earned == {number for number, way in zip(TASKS, ways, strict=True)
                      if way in ("right", "split", "the right letter", "a bare capital", "with a bracket")}
    assert all(isinstance(TASKS[number], Exercise) == (number in NAMES) for number in TASKS)
