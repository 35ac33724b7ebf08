"""No slip in a student's cell stops what comes after it: in a kernel, from the set-up cell on."""

import nbclient
import nbformat
import pytest

from advcourse.exercises import letter_of_right_answer
from advcourse.exercises.display import MIME

SET_UP = 'from advcourse.notebook import start, compare_guess\nfrom advcourse.exercises import *\n' + (
    'start("01", dataset="digits", device_name="cpu", student="ada");')
NO_PYTHON = "def project(x_p, x, eps):\n    return x_p.clamp(x - eps, x + eps\n\nproject = check('01.1', project)"
LETTER = letter_of_right_answer("01.6", "ada")
CELLS = {
    "set-up": SET_UP,
    "no Python": NO_PYTHON,
    "uses it": "import torch\nprint(project(torch.ones(2, 1, 4, 4), torch.zeros(2, 1, 4, 4), 0.25).max())",
    "solved": NO_PYTHON.replace("+ eps\n", "+ eps).clamp(0, 1)\n"),
    "broken again": NO_PYTHON,
    "still there": "print(project.__module__)",
    "a bare letter": f"choice = {LETTER}\nanswer('01.6', choice)",
    "a bare capital": f"choice = {LETTER.upper()}\nanswer('01.6', choice)",
    "no letter": "choice = 'a\nanswer('01.6', choice)",
    "no guess": "my_guess = 57 %",
    "guess": "compare_guess(my_guess, 42.6)",
    "return outside": "project = check('01.1', project)\nreturn 3",
    "set up again": SET_UP,
    "kept": "print(project.__module__)",
}


@pytest.fixture(scope="module")
def outputs():
    """The outputs of each cell by its name; any error fails."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in CELLS.values()])
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    return {name: cell.outputs for name, cell in zip(CELLS, notebook.cells, strict=True)}


def said(outputs):
    return "".join(output.get("text", "") or output["data"]["text/plain"] for output in outputs)


@pytest.mark.parametrize("cell, told", [
    ("no Python", "Python cannot read this cell: '(' was never closed in line 2, `return x_p.clamp(x - eps, x + eps`"),
    ("uses it", "tensor(0.2500)"), ("still there", "__main__"), ("kept", "__main__"),
    ("no guess", "Python cannot read this cell"), ("guess", "You made no guess"),
    ("return outside", "'return' outside function"),
])
def test_what_a_cell_says(outputs, cell, told):
    assert told in said(outputs[cell])


@pytest.mark.parametrize("cell, state", [
    ("no Python", "wrong"), ("solved", "passed"), ("broken again", "wrong"), ("a bare letter", "passed"),
    ("a bare capital", "passed"), ("no letter", "wrong"), ("return outside", "wrong"),
])
def test_the_verdict_of_a_cell(outputs, cell, state):
    [verdict] = [output.data[MIME] for output in outputs[cell] if MIME in output.get("data", {})]
    assert verdict["state"] == state and (state == "passed" or verdict["points"] == 0)
