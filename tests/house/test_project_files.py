"""The files around the package agree with each other: conda's list with pip's, the README with make and the command."""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version
from typer.main import get_command

from advcourse.cli.app import app
from advcourse.notebook import series
from tests.browser.test_notebook_in_browser import MOVES

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CONDA_NAMES = {"torch": "pytorch", "playwright": "playwright-python"}
HAS_MAKE = pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")


def lower_bound(requirement):
    """The version V of a requirement that is exactly `>=V`."""
    (specifier,) = requirement.specifier
    assert specifier.operator == ">=", f"{requirement}: this test knows only >="
    return Version(specifier.version)


def test_conda_users_get_the_same_environment():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    *packages, last = environment["dependencies"]
    assert last == {"pip": ["--editable ."]}, "the course itself is installed by pip"

    extras = PROJECT["optional-dependencies"]
    wanted = {}
    for line in [*PROJECT["dependencies"], *extras["lab"], *extras["test"]]:
        requirement = Requirement(line)
        if requirement.name != PROJECT["name"]:  # "advcourse[lab]" within an extra
            name = CONDA_NAMES.get(requirement.name, requirement.name)
            wanted[name] = max(wanted.get(name, Version("0")), lower_bound(requirement))

    found = {requirement.name: requirement for requirement in map(Requirement, packages)}
    assert found.pop("python").specifier == Requirement(f"python{PROJECT['requires-python']},<3.14").specifier
    assert not found.pop("pip").specifier
    assert {name: lower_bound(requirement) for name, requirement in found.items()} == wanted


def test_what_colab_has_lies_within_the_versions_that_are_allowed():
    lines = [line for line in (ROOT / ".ci" / "colab.txt").read_text().splitlines() if not line.startswith("#")]
    colab = dict(line.split("==") for line in lines)
    for requirement in map(Requirement, PROJECT["dependencies"]):
        assert colab[requirement.name] in requirement.specifier, f"{requirement}: Colab has {colab[requirement.name]}"


def test_the_repositorys_address_is_the_one_in_pyproject():
    address = PROJECT["urls"]["Repository"].removeprefix("https://github.com/")
    readme = (ROOT / "README.md").read_text()
    places = re.findall(r"(?:github\.com|githubusercontent\.com|colab\.research\.google\.com/github)/([\w.-]+/[\w.-]+)",
                        readme)
    assert places and set(places) == {address}
    notebooks = {path.name for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert set(re.findall(r"\]\(notebooks/(\S+\.ipynb)\)", readme)) == notebooks
    assert set(re.findall(r"blob/main/notebooks/(\S+\.ipynb)\)", readme)) == notebooks


def test_the_readmes_table_has_a_row_for_every_notebook_of_the_register():
    row = r"^\| (\d\d) \| \[(.+?)\]\(notebooks/(\w+)\.ipynb\) \| .+ \| \[!\[Open in Colab\].*/(\w+)\.ipynb\) \|$"
    rows = re.findall(row, (ROOT / "README.md").read_text(), re.MULTILINE)
    assert [number for number, _, _, _ in rows] == list(series.WRITTEN)
    for number, title, name, in_colab in rows:
        assert name == in_colab and name.startswith(number)
        assert f"# # {number} · {title}\n" in (ROOT / "notebooks" / "source" / f"{name}.py").read_text()


def test_every_notebook_of_the_register_is_moved_in_the_browser():
    assert set(MOVES) == set(series.WRITTEN) - {"00"}  # the welcome has no widget


def make_targets():
    return set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def commands():
    """The command lines that README and CONTRIBUTING show, in their code blocks and between backticks."""
    texts = [path.read_text() for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md") if path.exists()]
    return re.findall(r"(?:^|`|&& )((?:make|advcourse) [a-z][^`\n#&]*)", "\n".join(texts), re.MULTILINE)


def test_every_command_in_the_readme_exists():
    known = get_command(app).commands
    assert "make test" in [command.strip() for command in commands()], "the README should say how to run the tests"
    for command in commands():
        program, name, *rest = command.split()
        if program == "make":
            assert name in make_targets(), command
        else:
            assert name in known, command
            if rest and hasattr(known[name], "commands"):
                assert rest[0] in known[name].commands, command
            options = {option for parameter in known[name].params for option in parameter.opts}
            assert {word for word in rest if word.startswith("--")} <= options or name == "lab", command


@HAS_MAKE
def test_make_sets_up_first_and_runs_the_right_commands(tmp_path):
    shutil.copy(ROOT / "Makefile", tmp_path)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    # this test may run under make
    outside = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}

    def dry(*words):
        return subprocess.run(["make", "--dry-run", *words], cwd=tmp_path, env=outside, capture_output=True,
                              text=True).stdout

    tests = "OMP_NUM_THREADS=1 .venv/bin/python -m pytest --numprocesses logical --dist loadgroup"
    for target, command in {"test": tests, "lab": ".venv/bin/advcourse lab",
                            "run": ".venv/bin/advcourse run", "build": ".venv/bin/advcourse build"}.items():
        lines = [line.strip() for line in dry(target).splitlines()]
        assert lines[-1] == command and any("-m venv .venv" in line for line in lines)
    assert dry("run", "NB=01").splitlines()[-1] == ".venv/bin/advcourse run 01"
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv/.installed").touch()
    assert dry("test").splitlines() == [tests], "what is set up should stay"
    os.utime(tmp_path / "pyproject.toml", (2**31, 2**31))
    assert "pip install" in dry("test"), "a changed pyproject.toml should be installed"


@HAS_MAKE
def test_without_a_python_make_says_what_is_missing(tmp_path):
    shutil.copy(ROOT / "Makefile", tmp_path)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("sh", "test", "echo"):
        if shutil.which(name):
            (tools / name).symlink_to(shutil.which(name))
    old = tools / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")  # what `sys.version_info < (3, 11)` gives there
    old.chmod(0o755)
    done = subprocess.run([shutil.which("make"), "test"], cwd=tmp_path, capture_output=True, text=True,
                          env={"PATH": str(tools)})
    assert done.returncode != 0
    assert "advcourse needs Python 3.11 or newer" in done.stdout


def test_ci_runs_what_the_readme_says():
    script = ROOT / ".ci/run"
    assert os.access(script, os.X_OK)
    assert script.read_text().splitlines()[-2:] == ["make check", "make test"]
    assert subprocess.run(["bash", "-n", script]).returncode == 0


def test_workflows_run_the_suite_on_every_python_a_gpu_and_the_newest_versions():
    test = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text())["jobs"]
    assert test["cpu"]["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13"]
    assert {"run": ".ci/run"} in test["cpu"]["steps"] and {"run": ".ci/run"} in test["gpu"]["steps"]
    assert test["gpu"]["env"]["DEVICE"] == "cuda"
    assert any("--profile full" in step.get("run", "") for step in test["gpu"]["steps"])
    newest = yaml.safe_load((ROOT / ".github/workflows/newest.yml").read_text())
    assert newest[True]["schedule"], "YAML reads `on` as true"
    assert any("--upgrade-strategy eager" in step.get("run", "") for step in newest["jobs"]["newest"]["steps"])
