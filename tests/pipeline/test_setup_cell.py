"""The set-up cell where the course is not installed: what it asks of pip, and what it says where that fails."""

import importlib.util
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import nbclient
import nbformat
import pytest
from packaging.specifiers import SpecifierSet

from advcourse.pipeline import masters

CELL = masters.SETUP.replace("ARCHIVE", masters.archive())
# Stands in for pip: keeps what it was asked, and the versions to be held, and ends as PIP_SAYS says.
PIP = """\
import json, os, pathlib, sys
if sys.argv[1] == "list":
    print("torch==2.6.0")
else:
    held = pathlib.Path(sys.argv[sys.argv.index("--constraint") + 1]).read_text()
    pathlib.Path("asked.json").write_text(json.dumps([sys.argv[1:], held]))
    print("noise on stdout")
    print(os.environ.get("PIP_SAYS", ""), file=sys.stderr)
    sys.exit("PIP_SAYS" in os.environ)
"""
NETWORK = "There is no network to fetch the course from: on Kaggle, turn on Settings → Internet"


def packages(tmp_path, *, pip=None):
    """A folder of packages for a bare Python: the pip in this folder or, by default, its stand-in."""
    folder = tmp_path / "packages"
    folder.mkdir()
    if pip:
        (folder / "pip").symlink_to(pip)
    else:
        (folder / "pip").mkdir()
        (folder / "pip" / "__init__.py").touch()
        (folder / "pip" / "__main__.py").write_text(PIP)
    return folder


def bare(tmp_path, folder, *, before="", **environment):
    """Run the cell in a Python that has only the packages in `folder`; what it printed, and what it raised last."""
    script = (f"{before}\ntry:\n    exec({CELL!r})\n"
              "except RuntimeError as error:\n    print(*error._render_traceback_())")
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "ADVCOURSE_"))}
    done = subprocess.run([sys.executable, "-S", "-c", script], cwd=tmp_path, capture_output=True, encoding="utf-8",
                          env=variables | {"PYTHONPATH": str(folder), "PYTHONIOENCODING": "utf-8"} | environment)
    assert done.stderr == ""
    first, *rest = done.stdout.splitlines()
    assert first == "Installing the course …"
    return rest


def asked(tmp_path):
    return json.loads((tmp_path / "asked.json").read_text())


# --- what it asks ----------------------------------------------------------------------------------------------------

def test_it_is_plain_python_that_fits_a_screen():
    assert len(CELL.splitlines()) <= 34
    compile(CELL, "set-up cell", "exec")
    assert "git+" not in CELL, "a machine may have no git"


@pytest.mark.parametrize("source", [None, "/kaggle/input/x/advcourse-0.2.0-py3-none-any.whl", "git+https://x/y"])
def test_it_installs_the_course_and_holds_every_version_quietly(tmp_path, source):
    assert bare(tmp_path, packages(tmp_path), **({"ADVCOURSE_SOURCE": source} if source else {})) == []
    words, held = asked(tmp_path)
    assert words[:3] == ["install", "--quiet", "--no-color"], "kernels ask programs for colours"
    assert words[-1] == (source or masters.archive()) and held == "torch==2.6.0\n"


def test_a_folder_called_advcourse_is_not_taken_for_the_course(tmp_path):
    (tmp_path / "advcourse").mkdir()  # a clone, say, in the working directory
    assert bare(tmp_path, packages(tmp_path)) == [] and asked(tmp_path)


def test_where_the_course_is_installed_nothing_is_done(capsys, monkeypatch):
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("asked pip"))
    exec(CELL, {})
    assert capsys.readouterr().out == ""


# --- what it says ----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("stderr, told", [
    ("WARNING: careful\nERROR: Cannot install advcourse because these package versions have conflicting dependencies.\n"
     "ERROR: ResolutionImpossible: for help visit https://pip.example", "ERROR: Cannot install advcourse because these "
     "package versions have conflicting dependencies."),
    ("  ERROR: Error [Errno 2]\nERROR: Cannot find command 'git' - do you have 'git' installed and in your PATH?\n\n"
     "[notice] A new release of pip is available: 23.0 -> 26.3", "ERROR: Cannot find command 'git' - do you have 'git' "
     "installed and in your PATH?"),
    ("error: externally-managed-environment\n\n× This environment is externally managed\n╰─> To install\n\nhint: see",
     "× This environment is externally managed"),
    ("ERROR: Exception:\nTraceback (most recent call last):\n  File\ntomli.TOMLDecodeError: Expected '='",
     "tomli.TOMLDecodeError: Expected '='"),
    ("Killed", "Killed"), ("", "nothing")])
def test_what_else_pip_says_is_told_in_its_own_telling_line(tmp_path, stderr, told):
    assert bare(tmp_path, packages(tmp_path), PIP_SAYS=stderr) == [f"pip cannot install the course, and says: {told}"]


def test_a_network_that_failed_once_is_not_blamed_for_what_failed_then(tmp_path):
    once = "WARNING: Retrying (Retry(total=1, connect=None)) after connection broken\nERROR: No matching distribution"
    assert bare(tmp_path, packages(tmp_path), PIP_SAYS=once) == [
        "pip cannot install the course, and says: ERROR: No matching distribution"]


def test_without_a_network_the_real_pip_fails_soon_and_the_way_out_is_told(tmp_path):
    found = importlib.util.find_spec("pip")
    if found is None:
        pytest.skip("pip is not installed")
    nowhere = dict.fromkeys(("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"), "http://127.0.0.1:9")
    line, = bare(tmp_path, packages(tmp_path, pip=Path(found.origin).parent), **nowhere, no_proxy="", NO_PROXY="",
                 FORCE_COLOR="1", PIP_CONFIG_FILE=os.devnull)
    assert line.startswith(NETWORK) and "ADVCOURSE_SOURCE" in line and line.endswith("then run this cell again.")


def test_without_pip_it_is_said_how_to_get_it(tmp_path):
    hidden = ("import importlib.util; find = importlib.util.find_spec\n"
              "importlib.util.find_spec = lambda name: None if name == 'pip' else find(name)")
    line, = bare(tmp_path, packages(tmp_path), before=hidden, PIP_SAYS="/usr/bin/python3: No module named pip")
    assert line.startswith("There is no pip to install the course with: run `uv pip install pip` or")


def test_an_old_python_is_named_before_all_else(tmp_path):
    wanted = SpecifierSet(tomllib.loads((masters.ROOT / "pyproject.toml").read_text())["project"]["requires-python"])
    assert "3.11" in wanted and "3.10" not in wanted
    old = "import sys; sys.version_info, sys.version = (3, 10, 13), '3.10.13 (main, Jan 2024)'"
    line, = bare(tmp_path, packages(tmp_path), before=old, PIP_SAYS="Retry(total=0")
    assert line == "The course needs Python 3.11 or newer; this kernel has 3.10.13: take another."


def test_in_a_notebook_it_is_one_sentence_and_no_cell_is_run_after_it():
    without = """\
import importlib.util, subprocess
find = importlib.util.find_spec
importlib.util.find_spec = lambda name: None if name == "advcourse" else find(name)
subprocess.run = lambda *_, **__: subprocess.CompletedProcess([], 1, "", "ERROR: No space left on device")"""
    notebook = nbformat.v4.new_notebook(cells=list(map(nbformat.v4.new_code_cell, (without, CELL, "1 + 1"))))
    client = nbclient.NotebookClient(notebook, kernel_name="python3", timeout=60)
    with pytest.raises(nbclient.exceptions.CellExecutionError, match="pip cannot install the course, and says: "):
        client.execute()
    _, (said, error), nothing = [cell.outputs for cell in notebook.cells]
    assert said.text == "Installing the course …\n" and nothing == []
    assert error.traceback == ["pip cannot install the course, and says: ERROR: No space left on device"]
