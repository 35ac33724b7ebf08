"""Tests of the tests: nbval turns red when it should, and each of its known traps is covered."""

import copy
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest

from advcourse.pipeline import execute, lint, masters
from tests.notebooks.nbval_course import MIME, VARIES, Text, comparable
from tests.notebooks.running import mnist_is_here, nbval


@pytest.fixture
def notebook(tmp_path):
    """A function of the sources of cells: the path of a notebook with them, executed as a build does where `run`."""
    def make(*sources, run=True):
        made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
        if run:
            result = execute.execute("tiny", nbformat.writes(made), {})
            assert result.failure is None
            made = nbformat.reads(result.notebook, as_version=4)
        nbformat.write(made, tmp_path / "tiny.ipynb")
        return tmp_path / "tiny.ipynb"
    return make


def test_an_output_that_comes_out_again_is_green_and_a_corrupted_one_red(notebook):
    path = notebook("print('accuracy: 97.3 %')", "{'a': 'b'}")
    status, report, _ = nbval(path)
    assert status == 0, report
    for index, old, new in ((0, "97.3", "17.3"), (0, "accuracy", "error"), (1, "'b'", "'c'")):
        stored = nbformat.read(path, as_version=4)
        outputs = json.dumps(stored.cells[index].outputs)
        stored.cells[index].outputs = nbformat.from_dict(json.loads(outputs.replace(old, new)))
        nbformat.write(stored, path.with_name("corrupted.ipynb"))
        status, report, _ = nbval(path.with_name("corrupted.ipynb"))
        assert status == 1 and "Cell outputs differ" in report and "1 failed" in report, report


def test_where_a_processor_decides_the_kind_of_output_is_compared(notebook):
    path = notebook("print('ends at 15.02')", "{'a': 'b'}")
    stored = nbformat.read(path, as_version=4)
    for cell in stored.cells:
        cell.metadata["tags"] = [VARIES]
    for outputs, right in ((stored.cells[0].outputs, True), ([], False)):
        stored.cells[0].outputs = nbformat.from_dict(json.loads(json.dumps(outputs).replace("15.02",
                                                                                            "99.9").replace("ends",
                                                                                                            "begins")))
        nbformat.write(stored, path)
        status, report, _ = nbval(path)
        assert (status == 0) == right, report


CLAIM = {"output_type": "display_data", "metadata": {}, "data": {
    "text/plain": "It errs on 99.2%. (✓ measured)",
    MIME: {"kind": "claim", "sentence": "It errs on {value:.1%}.", "value": 0.992, "low": 0.9, "high": 1.0,
           "holds": True}}}


def changed(**changes):
    """CLAIM with another text or payload."""
    output = copy.deepcopy(CLAIM)
    output["data"]["text/plain"] = changes.pop("text", output["data"]["text/plain"])
    output["data"][MIME] |= changes
    return comparable(output)["data"]


def test_a_claims_number_may_move_inside_its_band_and_nowhere_else():
    same = changed()
    assert changed(value=0.91, text="It errs on 91.0%. (✓ measured)") == same
    assert changed(value=0.71, text="It errs on 71.0%. (✗ outside the expected band [0.9, 1])") != same
    assert changed(text="It errs on 71.0%. (✓ measured)") != same  # a text that does not say what was measured
    assert changed(sentence="It errs on {value:.2%}.") != same
    assert changed(low=0.8) != same


def test_other_numbers_may_differ_a_little_and_words_not_at_all():
    assert Text("error 0.301 at -1.5e-3") == Text("error 0.302 at -1.5e-3")
    for other in ("error 0.601 at -1.5e-3", "error 0.301 at 1.5e-3", "error -", "loss 0.301 at -1.5e-3",
                  "error 0.301 at -1.5e-3 7"):
        assert Text("error 0.301 at -1.5e-3") != Text(other)


LATE = """
import sys, time
sys.stdout.flush_timeout = sys.stderr.flush_timeout = 0  # else the cell itself waits for its output to leave
get_ipython().kernel.iopub_thread.schedule(lambda: time.sleep(7))
print("late")
"""


def test_output_may_be_later_than_nbvals_own_five_seconds(notebook):
    path = notebook(LATE)
    assert "Timeout of 5 seconds exceeded waiting for output" in nbval(path, plugin=False)[1]
    status, report, _ = nbval(path)
    assert status == 0, report


@pytest.mark.parametrize("source, compare, problem", [
    ("import os; os._exit(1)", False, "1 failed"),
    ("import time; time.sleep(1000)", True, "Timeout of 3 seconds exceeded"),
])
def test_a_dead_kernel_and_an_endless_cell_end_with_a_failure(notebook, source, compare, problem):
    """nbval waits 2,000 s for them unless told otherwise."""
    start = time.perf_counter()
    status, report, _ = nbval(notebook(source, run=False), compare=compare, cell_timeout=3)
    assert status == 1 and problem in report, report
    assert time.perf_counter() - start < 90


@pytest.mark.parametrize("line", ["!false", "%no_such_magic"])
def test_what_nbval_does_not_notice_is_forbidden_in_masters(notebook, tmp_path, line):
    """nbval-lax passes shell lines and magics that fail, so no master may have any."""
    assert nbval(notebook(line, run=False), compare=False)[0] == 0
    master = tmp_path / "98_lines.py"
    master.write_text(f"# %% [markdown]\n# # Lines\n\n# %%\n{line}\n")
    assert lint.lint(master) == [f"98_lines.py: not plain Python: {line!r} (lines with ! and % are not either)"]


def test_what_cells_say_to_programs_is_kept_also_where_nothing_is_compared(notebook):
    said = {"text/plain": "x", MIME: {"kind": "record", "name": "x", "value": 1}}
    path = notebook(f"display({said!r}, raw=True)")
    for compare in (True, False):
        assert nbval(path, compare=compare)[2] == [{"kind": "record", "name": "x", "value": 1}]


@pytest.mark.skipif(not mnist_is_here(), reason="MNIST, with which the outputs are made, is not on this disk")
def test_the_line_of_the_readme_compares_a_notebook():
    readme = (masters.ROOT / "README.md").read_text(encoding="utf-8")
    line, = [line for line in readme.splitlines() if "--nbval " in line]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(line.replace("01*", "00*"), shell=True, cwd=masters.ROOT,
                          env=os.environ | {"PATH": path}, capture_output=True, text=True)
    assert done.returncode == 0 and re.search(r"\d\d passed", done.stdout), done.stdout + done.stderr
