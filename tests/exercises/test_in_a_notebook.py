"""In a real kernel: verdicts come out as HTML, plain text and JSON, and never as a traceback of ours."""

from pathlib import Path

import pytest

from advcourse.exercises.display import MIME

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")

CELLS = [
    "import sys; from advcourse import exercises\n"
    "sys.path.insert(0, {folder!r}); import sample_exercises as sample\n"
    "exercises.set_notebook('99')\n"
    "from advcourse.exercises import *",
    "def step(model, x, y, eps):\n    raise NotImplementedError\n\nstep = check('99.1', step)",
    "def step(model, x, y, eps):\n    return x + nowhere\n\nstep = check('99.1', step)",
    "step = check('99.1', sample.other_step)",
    "question('99.2')",
    "answer('99.2', letter_of_right_answer('99.2'))",
    "hint('99.1')",
    "progress()",
]


@pytest.fixture(scope="module")
def outputs():
    """The outputs of each cell, after the first."""
    cells = [nbformat.v4.new_code_cell(source.replace("{folder!r}", repr(str(Path(__file__).parent))))
             for source in CELLS]
    notebook = nbformat.v4.new_notebook(cells=cells)
    nbclient.NotebookClient(notebook, timeout=120).execute()
    nbformat.validate(notebook)
    return [cell.outputs for cell in notebook.cells[1:]]


def test_every_call_makes_one_output(outputs):
    assert [[output.output_type for output in cell] for cell in outputs] == [["display_data"]] * 7
    assert "Traceback" not in str(outputs)


def test_verdicts_come_as_html_text_and_json(outputs):
    data = [cell[0].data for cell in outputs]
    states = [data[place][MIME]["state"] for place in (0, 1, 2, 4)]
    assert states == ["not attempted", "wrong", "passed", "passed"]
    assert data[2][MIME] == {"kind": "verdict", "exercise": "99.1", "title": "One step", "state": "passed",
                             "points": 5, "maximum": 5}
    for verdict in (data[0], data[1], data[2], data[4]):
        assert verdict["text/html"].startswith("<div") and verdict["text/plain"][0] in "○✗✓"


def test_the_students_own_line_is_found_in_its_cell(outputs):
    text = outputs[1][0].data["text/plain"]
    assert "raises `NameError: name 'nowhere' is not defined` in line 2: `return x + nowhere`" in text


def test_questions_and_hints_come_as_markdown(outputs):
    question, hint = outputs[3][0].data, outputs[5][0].data
    assert question["text/markdown"].startswith("**99.2 Why?** (2 points)\n\nWhy does $w^T\\delta$ **grow**?")
    assert hint["text/markdown"].splitlines()[0] == "> **Hint 1 of 3 for 99.1: Where do I start?**"
    assert all(line.startswith(">") for line in hint["text/markdown"].splitlines())
    assert MIME not in question and MIME not in hint


def test_progress_is_a_picture_with_words_for_those_who_cannot_see_it(outputs):
    html = outputs[6][0].data["text/html"]
    assert html.count("<span title=") == 3 and 'aria-label="Notebook 99: 2 of 3 solved · 7 of 9 points"' in html
    assert html.index("99.1<") < html.index("99.2<") < html.index("99.10<")
