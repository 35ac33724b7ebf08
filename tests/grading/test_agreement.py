"""`progress`, `submit` and `advcourse grade` say the same of the same notebook, whatever stands in it."""

import re

import nbclient
import nbformat
import pytest

from advcourse.exercises import Exercise, all_exercises, letter_of_right_answer
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
    parameters, work = head[head.find("(") + 1:head.rfind(")")], f"work_{number[-1]}"
    working = right.replace(f"def {name}", f"def {work}")
    helped = f"helped_{number[-1]}"
    calls_it = f"{head}\n    {helped}\n    return {work}({parameters})"
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
        "a lambda": [working, f'{name} = check("{number}", lambda {parameters}: {work}({parameters}))'],
        "a lambda with a name": [working, f'{name} = lambda {parameters}: {work}({parameters})' + check],
        "a partial": [f"import functools\n\n{working}", f'check("{number}", functools.partial({work}));'],
        "a method": [working, f"class Mine:\n    def work(self, {parameters}):\n        return {work}({parameters})",
                     f'check("{number}", Mine().work);'],
        "an object with a name": [
            working, f"class Its:\n    def __call__(self, {parameters}):\n        return {work}({parameters})\n\n\n"
                     f'its = Its()\ncheck("{number}", its);'],
        "another than it is called": [f"{head}\n    return 'wrong'", f'{working}\n\ncheck("{number}", {work});'],
        "in a loop": [working, f'for one in [{work}]:\n    check("{number}", one)'],
        "executed": [f"exec({right!r})", f'{name} = check("{number}", {name})'],
        "later wrong": [right + check, f"{head}\n    return 'wrong'"],
        "later right": [f"{head}\n    return 'wrong'" + check, right],
        "what it calls is later wrong": [f"{helped} = 0", working, calls_it + check,
                                         f"def {work}({parameters}):\n    return 'wrong'"],
        "an error later": [right + check, f"nowhere\n{head}\n    return 'wrong'" + check],
        "a broken definition": [f"@nowhere\n{right}", f'{name} = check("{number}", {name})'],
        "a global of the course": [f"{helped} = course.data.x_test.min()", working, calls_it + check],
        "a global that stands on one": [f"images = course.data.x_test\n{helped} = images.min()", working,
                                        calls_it + check],
        "a global of one's own": [f"{helped} = 2\n{helped} = {helped} + 1", working, calls_it + check],
        "patches PyTorch": [right.replace("    return", "    F.relu = F.gelu\n    return") + check],
        "after a patch": ["torch.clamp = torch.Tensor.clamp = torch.Tensor.sign = F.cross_entropy = lambda *_, **__: 0",
                          right + check],
        "a computed letter": [f'choice = "{letter.upper()}".lower()\nanswer("{number}", choice)'],
        "a letter of a list": [f'letters = ["{letter}"]\nanswer("{number}", letters[0])'],
        "a letter in a text": [f'k = "{letter}"\nanswer("{number}", f"{{k}}")'],
        "a letter in a loop": [f'for choice in "{letter}":\n    answer("{number}", choice)'],
        "a letter after a loop": [f'for choice in "{letter}":\n    pass\nanswer("{number}", choice)'],
        "a sentence": [f'answer("{number}", "The answer is {letter}.")'],
        "a letter and its text": [f'choice = "{letter.upper()}) because the task is one"\nanswer("{number}", choice)'],
        "two letters": [f'choice = "{letter} or {wrong}"\nanswer("{number}", choice)'],
        "an error before the letter": [f'answer("{number}", "{letter}")', f'nowhere\nanswer("{number}", "{wrong}")'],
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
    ["a lambda", "a partial", "a method", "an object with a name", "in a loop", "a computed letter",
     "a letter of a list"],
    ["another than it is called", "executed", "a lambda with a name", "later wrong", "later right",
     "a letter in a text", "a letter in a loop"],
    ["a broken definition", "what it calls is later wrong", "a global of one's own", "an error later",
     "a global of the course", "a letter after a loop", "a sentence"],
    ["patches PyTorch", "after a patch", "after a patch", "a global that stands on one", "right",
     "a letter and its text", "two letters"],
]
EARN = {"right", "split", "an object with a name", "a lambda with a name", "later right", "a global of one's own",
        "after a patch", "the right letter", "a bare capital", "with a bracket", "a sentence", "a letter and its text"}


@pytest.mark.parametrize("ways", NOTEBOOKS)
def test_all_three_say_the_same(ways, tmp_path):
    sources = [SET_UP, *(cell for number, way in zip(TASKS, ways, strict=True) for cell in cells(way, number)),
               "progress()", "import advcourse\n\nadvcourse.submit()"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    nbformat.write(notebook, tmp_path / "01_first.ipynb")
    nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3", allow_errors=True,
                            resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.outputs]
    assert all(output.ename == "NameError" and "nowhere" in output.evalue for output in outputs
               if output.output_type == "error")
    progress, submit = (cell.outputs[-1].data["text/plain"] for cell in notebook.cells[-2:])
    table = {number: int(points) for number, points in re.findall(r"(01\.\d+) .*· (\d+) of \d+$", submit, re.MULTILINE)}

    (tmp_path / "01_first.ipynb").unlink()
    [graded] = run.grade_class(collect(tmp_path), tmp_path / "grades", limits=Limits(seconds=30), seed=2**70 + 1)
    marks = {mark.exercise: mark.points for mark in graded.marks}
    assert table == marks
    earned = {number for number, points in marks.items() if points}
    assert earned == {number for number, way in zip(TASKS, ways, strict=True) if way in EARN}
    assert f"{sum(marks.values())} of {sum(task.points for task in TASKS.values())} points" in progress
    solved = {number: mark for mark, number in re.findall(r"^  (.) (01\.\d+) ", progress, re.MULTILINE)}
    assert {number for number, mark in solved.items() if mark == "✓"} == earned
    assert "when the file is graded" not in submit
    assert all(isinstance(TASKS[number], Exercise) == (number in NAMES) for number in TASKS)
