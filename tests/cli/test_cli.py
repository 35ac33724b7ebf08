"""The command `advcourse`: what it answers, and that what goes wrong is one clear line."""

import re
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from advcourse import __version__
from advcourse.cli import app as cli
from advcourse.cli import grading
from advcourse.cli.screen import how_to_install
from tests.cli.conftest import ROOT, python


def run(*arguments):
    """Call the command within this process."""
    return CliRunner().invoke(cli.app, list(arguments), env={"COLUMNS": "200", "TERM": "dumb"})


def one_line_error(result):
    """What the command complained about, having ended with exit code 1, no traceback and one line on stderr."""
    assert result.exit_code == 1 and isinstance(result.exception, SystemExit)
    lines = result.stderr.splitlines()
    assert len(lines) == 1 and lines[0].startswith("error: ")
    return lines[0].removeprefix("error: ")


def test_version_and_help():
    assert run("--version").stdout == f"advcourse {__version__}\n"
    helped = run("--help").stdout
    assert all(name in helped for name in ("lab", "run", "build", "data", "zoo", "doctor"))
    assert all(name in run("data", "--help").stdout for name in ("list", "get", "verify"))
    assert all(name in run("zoo", "--help").stdout for name in ("list", "train", "verify"))


def test_help_loads_nothing_heavy():
    code = ("import sys; from advcourse.cli import app\n"
            "print([name for name in ('torch', 'matplotlib', 'dask', 'IPython', 'papermill', 'jinja2') if name in "
            "sys.modules])")
    assert python(code).stdout == "[]\n"


@pytest.mark.parametrize("blocked, arguments", [("dask", ["run"]), ("jupyterlab", ["lab"]), ("nbformat", ["build"])])
def test_a_missing_package_is_named_with_the_command_that_installs_it(blocked, arguments):
    code = f"import sys; sys.modules[{blocked!r}] = None; from advcourse.cli.app import app; app()"
    done = python(code, *arguments)
    assert done.returncode == 1
    assert done.stderr == (f"error: this needs the package {blocked}, which is not installed; "
                           f'install all that it takes with: python -m pip install --editable "{ROOT}[lab]"\n')


def test_outside_a_clone_the_command_names_the_repository(tmp_path, installed):
    code = "import sys; sys.modules['jupyterlab'] = None; from advcourse.cli.app import app; app()"
    done = python(code, "lab", cwd=tmp_path, env=installed)
    assert done.stderr.endswith(
        ': python -m pip install "advcourse[lab] @ git+https://github.com/advcourse/advcourse"\n')


def test_the_command_names_the_extra_that_holds_the_package():
    assert how_to_install("nbgrader") == f'python -m pip install --editable "{ROOT}[nbgrader]"'
    for command in (how_to_install("nbgrader"), how_to_install("dask")):
        assert re.search(r"\[(\w+)\]", command)[1] in metadata.metadata("advcourse").get_all("Provides-Extra")


@pytest.mark.parametrize("arguments", [["grade", "doctor"], ["grade", "."]], ids=" ".join)
def test_grading_is_refused_on_windows(arguments, monkeypatch):
    monkeypatch.setattr(grading, "sys", SimpleNamespace(platform="win32"))
    assert one_line_error(run(*arguments)) == ("grading needs Linux, of which the boxes for students' code are made: "
                                               "on Windows run this in WSL or in a virtual machine")


def test_a_bug_of_ours_is_not_dressed_up():
    code = "import sys; sys.modules['advcourse.pipeline.run'] = None; from advcourse.cli.app import app; app()"
    assert "Traceback" in python(code, "run").stderr


def test_errors_are_one_line():
    assert "no notebook" in one_line_error(run("run", "77"))
    assert "unknown data set 'nope'" in one_line_error(run("data", "get", "nope"))
    assert "unknown data set 'nope'" in one_line_error(run("data", "verify", "nope"))
    assert "no checkpoint 'nope'" in one_line_error(run("zoo", "verify", "nope"))
    assert "no checkpoint 'nope'" in one_line_error(run("zoo", "train", "nope"))


def test_verify_goes_on_after_what_is_wrong():
    done = run("data", "verify", "nope", "digits")
    assert "unknown data set 'nope'" in one_line_error(done)
    assert done.stdout == "digits: as it should be\n"


def test_wrong_options_are_refused():
    assert run("run", "--profile", "slow").exit_code == 2
    assert run("run", "--workers", "0").exit_code == 2


def test_build_for_another_grader_says_what_it_made_and_what_comes_next(monkeypatch):
    from advcourse.pipeline import exports

    asked = []
    monkeypatch.setattr(exports, "export", lambda *given,
                        **options: asked.append((*given, options)) or [Path("x/00_welcome.ipynb")])
    done = run("build", "--for", "otter", "--out", "x", "--seed", "5")
    assert done.exit_code == 0 and asked == [("otter", Path("x"), {"seed": 5})]
    assert "otter assign 00_welcome/00_welcome.ipynb" in done.output
    assert "nbgrader generate_assignment 00_welcome" in run("build", "--for", "nbgrader").output
    assert asked[1] == ("nbgrader", Path("build/nbgrader"), {"seed": exports.SEED})


@pytest.mark.parametrize("arguments, problem", [
    (["--for", "nbgrader", "--check"], "neither --check nor --force"), (["--out", "x"], "need --for"),
    (["--seed", "2"], "need --for")])
def test_build_options_that_do_not_go_together_are_an_error(arguments, problem):
    assert problem in one_line_error(run("build", *arguments))


def test_build_check_names_what_is_stale(monkeypatch):
    from advcourse.pipeline import build

    monkeypatch.setattr(build, "build", lambda **options: ["notebooks/01_x.ipynb: is missing"] if options["check"]
                        else [])
    assert one_line_error(run("build", "--check")) == "notebooks/01_x.ipynb: is missing"
    assert run("build").exit_code == 0


def test_data_list_says_what_is_here(tmp_path, monkeypatch):
    monkeypatch.setenv("ADVCOURSE_DATA", str(tmp_path))  # nothing that takes seconds to look at
    lines = {line.split()[1]: line for line in run("data", "list").stdout.splitlines() if line.startswith("│")}
    assert {"fonts", "digits", "mnist", "fashion-mnist", "cifar10"} <= set(lines)
    assert "✓ ok" in lines["digits"]


def test_zoo_lists_what_the_networks_reach():
    done = run("zoo", "list")
    assert done.exit_code == 0, done.stderr
    assert "mnist-cnn" in done.stdout and "%" in done.stdout


@pytest.mark.parametrize("arguments", [["build"], ["build", "--check"], ["build", "--for", "otter"]])
def test_without_a_checkout_there_is_nothing_to_build_and_that_is_said(arguments, tmp_path, installed):
    done = python("from advcourse.cli.app import app; app()", *arguments, cwd=tmp_path, env=installed)
    assert done.returncode == 1 and not (tmp_path / "build").exists()
    assert done.stderr.strip() == ("error: the masters are not installed with the course: run this in a clone of its "
                                   "repository")
