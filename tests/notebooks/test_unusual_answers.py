"""What `check` accepts runs in the notebook: cells that use a student's function meet answers of unusual kinds.

A run holds one unusual answer to each exercise, and of the notebook only the cells that these cells need. The suite
makes one run of each notebook; ADVCOURSE_UNUSUAL_ROUNDS=12 tries all of them (some minutes for each round).
"""

import ast
import json
import os
import re
import tempfile

import nbformat
import pytest

from advcourse.pipeline import build, execute, masters
from tests.exercises.harness import functions
from tests.notebooks import unusual
from tests.notebooks.nbval_course import MIME

ROUNDS = int(os.environ.get("ADVCOURSE_UNUSUAL_ROUNDS", "1"))
CHECK = re.compile(r'^(\w+) = check\("(\d\d\.\d+)", \1\)$', re.MULTILINE)
SETUP = f"""
import sys
sys.path.insert(0, {str(masters.ROOT)!r})
from tests.notebooks.unusual import answer as unusual_answer
"""
# These answers stand in no cell, so a grading would not find them: here `check` judges what it is given.
NO_GRADING = """
from advcourse.exercises import session
session.set_cells(None)
"""
NOTEBOOKS = [path for path in masters.find() if functions(path.name[:2])]


def chosen(number, turn):
    """The name of the unusual answer to an exercise in this round: the next exercise has the next one."""
    names = unusual.accepted(number)
    return names[(turn + int(number.split(".")[1])) % len(names)]


def names_bound(tree):
    """The names that a cell binds, and those whose values it may change: what is passed to `fit`, or has a method
    called in a statement of its own."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.alias):
            yield (node.asname or node.name).split(".")[0]
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            called = node.value.func
            if isinstance(called, ast.Attribute):
                touched = [called.value, *node.value.args[:1]]
                yield from (part.id for part in touched if isinstance(part, ast.Name))


def names_read(tree):
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def needed(cells, names):
    """The places of the cells that read one of these names, of what is checked, and of all that they need."""
    trees = [ast.parse(cell.source) for cell in cells]
    wanted, found = set(), []
    for place in reversed(range(len(cells))):
        always = {"parameters", "setup", "injected"} & set(cells[place].metadata.get("tags", []))
        if always or names_read(trees[place]) & names or set(names_bound(trees[place])) & wanted:
            found.insert(0, place)
            wanted |= names_read(trees[place])
    return found


def with_unusual_answers(path, turn):
    """The solved notebook of a master as JSON: its needed cells, with one unusual answer to each exercise."""
    notebook = masters.make(path, solved=True)
    shell = re.compile(r"^\s*[!%]", re.MULTILINE)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code" and not shell.search(cell.source)]
    names = {match[1] for cell in cells for match in CHECK.finditer(cell.source)}
    notebook.cells = [cells[place] for place in needed(cells, names)]
    for cell in notebook.cells:
        cell.source = CHECK.sub(lambda found: f'{found[1]} = check("{found[2]}", unusual_answer("{found[2]}", '
                                              f'{chosen(found[2], turn)!r}))', cell.source)
        if "setup" in cell.metadata.get("tags", []):
            cell.source = SETUP + cell.source + NO_GRADING
    return nbformat.writes(notebook)


@pytest.mark.parametrize("turn", range(ROUNDS))
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_what_check_accepts_does_not_stop_the_cells_that_use_it(path, turn):
    text = with_unusual_answers(path, turn)
    answers = {task.number: chosen(task.number, turn) for task in functions(path.name[:2])}
    with tempfile.TemporaryDirectory() as folder:
        result = execute.execute(path.stem, text, {"DEVICE": os.environ.get("DEVICE", "auto")}, folder=folder,
                                 environment=build.ENVIRONMENT, timeout=120)
    assert result.failure is None, answers
    outputs = [output for cell in json.loads(result.notebook)["cells"] for output in cell.get("outputs", [])]
    payloads = [output["data"][MIME] for output in outputs if MIME in output.get("data", {})]
    states = {payload["exercise"]: payload["state"] for payload in payloads if payload["kind"] == "verdict"}
    assert {number: states.get(number) for number in answers} == dict.fromkeys(answers, "passed"), answers
