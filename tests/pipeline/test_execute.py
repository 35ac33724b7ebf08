"""One notebook in a kernel of its own: what it is given, and how each way to fail is told."""

import json
import subprocess
import sys
import time

import nbformat
import psutil
import pytest

from advcourse.pipeline import masters
from advcourse.pipeline.execute import execute
from tests.pipeline.sample_notebooks import sample


def run(*sources, parameters=None, **options):
    """Execute a sample; give its Result and the text that each code cell printed."""
    result = execute("00_sample", sample(*sources), parameters or {}, **options)
    cells = [cell for cell in json.loads(result.notebook)["cells"] if cell["cell_type"] == "code"]
    printed = ["".join("".join(o.get("text", "")) for o in cell["outputs"]) for cell in cells]
    return result, printed


def test_parameters_and_environment_reach_the_kernel(tmp_path, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "pdf")
    result, printed = run(
        "import os\nprint(PROFILE, SEED, DATASET, os.getcwd(), os.environ['ADVCOURSE_STATIC'], "
        "os.environ['MPLBACKEND'],"
        "os.environ['EXTRA'])",
        parameters={"PROFILE": "full", "SEED": 7}, folder=str(tmp_path), environment={"EXTRA": "extra"})
    assert result.failure is None
    assert printed[-1].split() == ["full", "7", "auto", str(tmp_path), "1", "module://matplotlib_inline.backend_inline",
                                   "extra"]
    assert result.seconds > 0
    assert "papermill" not in result.notebook


def test_a_failing_cell_is_named_as_the_student_counts(tmp_path):
    old = nbformat.reads(sample("x = 1", "\n1 / 0\n", "print('after')"), as_version=4)
    old.cells[-1].outputs = [nbformat.v4.new_output("stream", text="of an earlier run")]
    result = execute("00_sample", nbformat.writes(old), {"SEED": 1})
    # Title, parameters, x = 1, the failing one; the cell that papermill adds does not count.
    assert result.failure == "cell 4 (`1 / 0`): ZeroDivisionError: division by zero"
    cells = json.loads(result.notebook)["cells"]
    assert [output["ename"] for output in cells[-2]["outputs"]] == ["ZeroDivisionError"]
    assert cells[-1]["outputs"] == [], "an output of an earlier run was kept"
    assert len(cells) == len(old.cells) + 1 and "papermill" not in result.notebook.lower(), "papermill's own notes"


def test_an_error_where_students_work_ends_a_run_of_ours():
    handed_out = nbformat.reads(sample("1 / 0", "print('after')"), as_version=4)
    handed_out.cells[-2].metadata["tags"] = [masters.WORK_TAG, "other"]
    result = execute("00_sample", nbformat.writes(handed_out), {})
    assert result.failure == "cell 3 (`1 / 0`): ZeroDivisionError: division by zero"
    assert json.loads(result.notebook)["cells"][-1]["outputs"] == []


@pytest.mark.parametrize("source, line", [
    ("# Where the course is not installed…\nx = 1\ny = x / 0", "y = x / 0"),  # not the comment that heads the cell
    ("def f(x):\n    return 1 / x\n\nfor x in (1, 0):\n    f(x)", "f(x)"),  # where the cell called it
    ("\n\n# Why.\nx = 1\ny = = 2", "y = = 2"),
    ("try:\n    1 / 0\nexcept ZeroDivisionError:\n    int('a')", "int('a')"),  # the last of a chain
    ("# Stop.\nimport sys\nsys.exit()", "import sys"),  # such an end has no traceback
    ("# Only this.\n%%no_such_magic\n1", "%%no_such_magic"),
])
def test_a_failure_is_told_by_its_line(source, line):
    result, _ = run(source)
    assert f"cell 3 (`{line}`): " in result.failure


def test_the_plain_command_of_papermill_does_as_well(tmp_path):
    notebook = nbformat.reads(sample("print(DATASET, SEED + 1)"), as_version=4)
    notebook.metadata = masters.METADATA
    nbformat.write(notebook, tmp_path / "in.ipynb")
    done = subprocess.run([sys.executable, "-m", "papermill", "in.ipynb", "out.ipynb", "-p", "DATASET", "fonts", "-p",
                           "SEED", "1"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "fonts 2" in (tmp_path / "out.ipynb").read_text()


def test_what_somebody_s_papermill_left_in_the_file_does_no_harm():
    notebook = nbformat.reads(sample("1"), as_version=4)
    notebook.metadata["papermill"], notebook.cells[0].metadata["papermill"] = "x", [3]
    result = execute("00_sample", nbformat.writes(notebook), {"SEED": 1})
    assert result.failure is None and "papermill" not in result.notebook


def test_a_run_that_nobody_wants_any_more_is_ended():
    start = time.monotonic()
    result, printed = run("import os; print(os.getpid(), flush=True)", "import time\ntime.sleep(600)",
                          wanted=lambda: time.monotonic() - start < 8)
    assert "cell 4" in result.failure and time.monotonic() - start < 30
    assert not psutil.pid_exists(int(printed[-2])), "the kernel still runs"


@pytest.mark.parametrize("line", ["!false", "!true\n!false\n!true", "!exit 3"])
def test_a_failing_shell_line_is_a_failure(line):
    result, _ = run(line)
    assert "cell 3" in result.failure and "ended with exit code" in result.failure


def test_a_shell_line_that_succeeds_is_none():
    result, printed = run("!echo hello", "x = !echo captured\nprint(x)")
    assert result.failure is None
    assert "hello" in printed[-2] and "captured" in printed[-1]


def test_a_kernel_that_dies_is_an_error_and_no_hang():
    start = time.monotonic()
    result, _ = run("import os\nos._exit(3)")
    assert result.failure.startswith("cell 3 (`import os`): DeadKernel")
    assert json.loads(result.notebook)["cells"][-1]["outputs"][0]["ename"] == "DeadKernel"
    assert time.monotonic() - start < 30


def test_a_cell_that_takes_too_long_is_ended():
    result, printed = run("import os; print(os.getpid(), flush=True)", "import time\ntime.sleep(600)", timeout=3)
    assert result.failure == "cell 4 (`import time`): Timeout: the cell took longer than 3 s"
    assert result.seconds < 15
    assert not psutil.pid_exists(int(printed[-2])), "the kernel still runs"


def test_peak_memory_includes_what_was_freed_and_children():
    result, _ = run("x = b'1' * 300_000_000\ndel x", "import subprocess, sys, time\n"
                    "p = subprocess.Popen([sys.executable, '-c', 'x = b\"1\" * 200_000_000; import time; "
                    "time.sleep(60)'])\n"
                    "time.sleep(2)")
    assert result.failure is None
    assert 500e6 < result.peak_memory < 800e6


def test_unknown_parameters_are_errors():
    with pytest.raises(ValueError, match=r"no parameter COLOUR; .* has: PROFILE, DATASET, SEED, DEVICE"):
        execute("00_sample", sample("1"), {"COLOUR": "red"})


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "null", '{"cells": 3, "nbformat": 4, "nbformat_minor": 5}'])
def test_what_is_no_notebook_is_a_clear_error(text):
    with pytest.raises(ValueError, match="not a notebook"):
        execute("00_sample", text, {})


def test_the_kernel_named_in_the_file_does_not_matter():
    notebook = json.loads(sample("print('ran')"))
    notebook["metadata"]["kernelspec"] = {"name": "somebody-elses", "display_name": "x", "language": "python"}
    assert execute("00_sample", json.dumps(notebook), {"SEED": 1}).failure is None
