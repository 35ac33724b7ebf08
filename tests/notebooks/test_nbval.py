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

from advcourse.pipeline import build, execute, lint, masters, told
from tests.notebooks.nbval_course import MIME, VARIES, Text, comparable
from tests.notebooks.running import data_is_here, nbval


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


@pytest.fixture
def with_a_guess(tmp_path):
    """The path of a built notebook with a guess; what its second cell tells lies where nbval looks for it."""
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("my_guess = ...", id="guess"),
                                           nbformat.v4.new_code_cell("print('It is 57 %')", id="telling")],
                                    metadata=masters.METADATA)
    made.cells[1].metadata["tags"] = [told.TAG]
    told.hide(made.cells[1])
    result = execute.execute("tiny", nbformat.writes(made), {})
    path = tmp_path / "notebooks" / "tiny.ipynb"
    path.parent.mkdir()
    build.write_executed(path, told.place("tiny", tmp_path), nbformat.reads(result.notebook, as_version=4))
    assert "57 %\\n" not in path.read_text() and "57 %\\n" in told.place("tiny", tmp_path).read_text()
    return path


def test_what_a_cell_after_a_guess_tells_is_compared_with_what_lies_beside_the_tests(with_a_guess, tmp_path):
    status, report, _ = nbval(with_a_guess)
    assert status == 0 and "2 passed" in report, report
    beside = told.place("tiny", tmp_path)
    beside.write_text(beside.read_text().replace("57 %\\n", "75 %\\n"))
    status, report, _ = nbval(with_a_guess)
    assert status == 1 and "Cell outputs differ" in report and "1 failed, 1 passed" in report, report
    beside.unlink()
    status, report, _ = nbval(with_a_guess)
    assert status != 0 and f"No such file or directory: '{beside}'" in report, report


def test_without_our_plugin_a_cell_after_a_guess_counts_as_not_run_yet(with_a_guess):
    status, report, _ = nbval(with_a_guess, plugin=False)
    assert status == 0 and "2 passed" in report, report


def test_an_error_where_students_work_is_one_here(notebook):
    path = notebook("1 / 0", run=False)
    handed_out = nbformat.read(path, as_version=4)
    handed_out.cells[0].metadata["tags"] = [masters.WORK_TAG]
    nbformat.write(handed_out, path)
    assert nbval(path, compare=False, plugin=False)[0] == 0  # what the tag says to nbval, as to JupyterLab
    status, report, _ = nbval(path, compare=False)
    assert status == 1 and "ZeroDivisionError" in report, report


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


@pytest.mark.skipif(not data_is_here("00"), reason="MNIST, with which the outputs are made, is not on this disk")
def test_the_line_of_the_readme_compares_a_notebook():
    readme = (masters.ROOT / "README.md").read_text(encoding="utf-8")
    line, = [line for line in readme.splitlines() if "--nbval " in line]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(line.replace("01*", "00*"), shell=True, cwd=masters.ROOT,
                          env=os.environ | {"PATH": path}, capture_output=True, text=True)
    assert done.returncode == 0 and re.search(r"\d\d passed", done.stdout), done.stdout + done.stderr
