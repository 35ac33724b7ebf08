"""Every notebook of the course runs: the student's as it is handed out, under nbval, and the solved one."""

import os
import warnings

import matplotlib.font_manager  # noqa: F401 (builds its cache now: in a notebook that would print a warning)
import nbformat
import pytest

from advcourse.exercises import all_exercises
from advcourse.pipeline import execute, masters
from tests.notebooks.nbval_course import MIME
from tests.notebooks.running import mnist_is_here, nbval

NOTEBOOKS = masters.ROOT / "notebooks"
every_notebook = pytest.mark.parametrize("name", [path.stem for path in masters.find()])


def hold(payloads):
    """Every claim that was recorded lies in its band."""
    outside = [f"{payload['sentence']} {payload['value']:.4g} is outside [{payload['low']:g}, {payload['high']:g}]"
               for payload in payloads if payload["kind"] == "claim"
               and not payload["low"] <= payload["value"] <= payload["high"]]
    assert not outside, "\n".join(outside)


def verdicts(payloads):
    """From the number of each exercise to the state of its last verdict."""
    return {payload["exercise"]: payload["state"] for payload in payloads if payload["kind"] == "verdict"}


@every_notebook
def test_a_students_notebook_shows_again_what_is_stored_in_it(name):
    """One run for two questions: are the outputs those that are stored, and do this run's claims hold?"""
    compare = mnist_is_here()
    if not compare:
        warnings.warn("MNIST, with which the outputs are made, is not on this disk: "
                      f"{name} was executed, its outputs were not compared", stacklevel=1)
    status, report, payloads = nbval(NOTEBOOKS / f"{name}.ipynb", compare=compare)
    assert status == 0, report[-8000:]
    hold(payloads)
    assert verdicts(payloads) == {task.number: "not attempted" for task in all_exercises(name[:2])}


@every_notebook
def test_a_solved_notebook_passes_every_exercise(name, tmp_path):
    text = (NOTEBOOKS / "solutions" / f"{name}.ipynb").read_text(encoding="utf-8")
    parameters = {"PROFILE": "quick", "DATASET": "mnist" if mnist_is_here() else "fonts", "SEED": 0,
                  "DEVICE": os.environ.get("DEVICE", "auto")}
    result = execute.execute(name, text, parameters, folder=tmp_path, timeout=120)
    assert result.failure is None
    outputs = [output for cell in nbformat.reads(result.notebook, as_version=4).cells
               for output in cell.get("outputs", [])]
    payloads = [output.data[MIME] for output in outputs if MIME in output.get("data", {})]
    hold(payloads)
    assert verdicts(payloads) == {task.number: "passed" for task in all_exercises(name[:2])}
