"""Every notebook of the course runs: the student's as it is handed out, under nbval, and the solved one."""

import ast
import functools
import math
import os
import tempfile
import warnings

import matplotlib.font_manager  # noqa: F401 (builds its cache now: in a notebook that would print a warning)
import nbformat
import papermill
import pytest

from advcourse import device
from advcourse.exercises import all_exercises
from advcourse.pipeline import build, execute, masters
from tests.notebooks.nbval_course import MIME
from tests.notebooks.running import data_is_here, nbval

NOTEBOOKS = masters.ROOT / "notebooks"
# the tests of a notebook share its two runs: they must meet in one process
every_notebook = pytest.mark.parametrize("name", [pytest.param(path.stem, marks=pytest.mark.xdist_group(path.stem))
                                                  for path in masters.find()])
# its trainings carry the last bit, in which a solution may differ from ours, on to a few images of thousands
CLOSE = {"09_adversarial_training": 0.01}
BY_THE_CLOCK = {"L-BFGS needs {value:.0f} times as long for an image as DeepFool.",
                "Column generation takes {value:.0%} of the time of all columns."}


def hold(payloads):
    """Every claim that was recorded lies in its band."""
    outside = [f"{payload['sentence']} {payload['value']:.4g} is outside [{payload['low']:g}, {payload['high']:g}]"
               for payload in payloads if payload["kind"] == "claim"
               and not payload["low"] <= payload["value"] <= payload["high"]]
    assert not outside, "\n".join(outside)


def values(payloads):
    """From the sentence of each claim to its value."""
    return {payload["sentence"]: payload["value"] for payload in payloads if payload["kind"] == "claim"}


def verdicts(payloads):
    """From the number of each exercise to the state of its last verdict."""
    return {payload["exercise"]: payload["state"] for payload in payloads if payload["kind"] == "verdict"}


@functools.cache
def handed_out(name, compare):
    """The student's notebook under nbval: the exit status, the report, and what its cells said to programs."""
    return nbval(NOTEBOOKS / f"{name}.ipynb", compare=compare)


@functools.cache
def solved(name):
    """What the cells of the solved notebook said to programs, under papermill with parameters of ours."""
    text = (NOTEBOOKS / "solutions" / f"{name}.ipynb").read_text(encoding="utf-8")
    own = papermill.inspect_notebook(NOTEBOOKS / f"{name}.ipynb")["DATASET"]["default"]  # 07 wants faces
    parameters = {"PROFILE": "quick", "DATASET": ast.literal_eval(own), "SEED": 0,
                  "DEVICE": os.environ.get("DEVICE", "auto")}
    with tempfile.TemporaryDirectory() as folder:
        result = execute.execute(name, text, parameters, environment=build.ENVIRONMENT, folder=folder, timeout=120)
    assert result.failure is None
    outputs = [output for cell in nbformat.reads(result.notebook, as_version=4).cells
               for output in cell.get("outputs", [])]
    return [output.data[MIME] for output in outputs if MIME in output.get("data", {})]


@every_notebook
def test_a_students_notebook_shows_again_what_is_stored_in_it(name):
    """One run for two questions: are the outputs those that are stored, and do this run's claims hold?"""
    compare = data_is_here(name)
    if not compare:
        warnings.warn("the data with which the outputs are made are not on this disk: "
                      f"{name} was executed, its outputs were not compared", stacklevel=1)
    status, report, payloads = handed_out(name, compare)
    assert status == 0, report[-8000:]
    hold(payloads)
    assert verdicts(payloads) == {task.number: "not attempted" for task in all_exercises(name[:2])}


@every_notebook
def test_a_solved_notebook_passes_every_exercise(name):
    payloads = solved(name)
    hold(payloads)
    assert verdicts(payloads) == {task.number: "passed" for task in all_exercises(name[:2])}


@every_notebook
@pytest.mark.skipif(device.choose().type != "cpu", reason="on a GPU two runs of the same training differ")
def test_who_solves_the_exercises_reads_the_same_numbers_as_who_leaves_them_open(name):
    """What stands in for an open exercise is as good as the solution."""
    left_open, closed = values(handed_out(name, data_is_here(name))[2]), values(solved(name))
    assert left_open.keys() == closed.keys()
    differ = {sentence: (left_open[sentence], value) for sentence, value in closed.items()
              if sentence not in BY_THE_CLOCK
              and not math.isclose(value, left_open[sentence], rel_tol=1e-6, abs_tol=CLOSE.get(name, 1e-9))}
    assert not differ, "\n".join(f"{sentence} {values}" for sentence, values in differ.items())
