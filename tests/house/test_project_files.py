"""The files around the package agree with each other: conda's list with pip's, the README with make and the command."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from urllib.parse import urlencode

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version
from typer.main import get_command

from advcourse.cli.app import app
from advcourse.notebook import series
from advcourse.pipeline import masters
from tests.browser.test_notebook_in_browser import MOVES

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CONDA_NAMES = {"torch": "pytorch"}
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
    for line in [*PROJECT["dependencies"], *extras["lab"]]:  # what `make setup` installs
        requirement = Requirement(line)
        name = CONDA_NAMES.get(requirement.name, requirement.name)
        wanted[name] = max(wanted.get(name, Version("0")), lower_bound(requirement))

    after = Version(pythons()[-1]).minor + 1
    found = {requirement.name: requirement for requirement in map(Requirement, packages)}
    assert found.pop("python").specifier == Requirement(f"python{PROJECT['requires-python']},<3.{after}").specifier
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
    hosts = r"github\.com|githubusercontent\.com|colab\.research\.google\.com/github|codespaces\.new"
    places = re.findall(rf"(?:{hosts})/([\w.-]+/[\w.-]+)", readme)
    assert places and set(places) == {address}
    notebooks = {path.name for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert set(re.findall(r"\]\(notebooks/(\S+\.ipynb)\)", readme)) == notebooks
    assert set(re.findall(r"blob/main/notebooks/(\S+\.ipynb)\)", readme)) == notebooks


def test_the_readmes_table_has_a_row_for_every_notebook_of_the_register():
    row = r"^\| (\d\d) \| \[(.+?)\]\(notebooks/(\w+)\.ipynb\) \| .+ \| (\[!\[Open in Colab\].*\)) \|$"
    rows = re.findall(row, (ROOT / "README.md").read_text(), re.MULTILINE)
    assert [number for number, _, _, _ in rows] == list(series.WRITTEN)
    for number, title, name, buttons in rows:
        address = f"{PROJECT['urls']['Repository']}/blob/main/notebooks/{name}.ipynb"
        assert buttons == masters.badges(address) and name.startswith(number)
        assert f"# # {number} · {title}\n" in (ROOT / "notebooks" / "source" / f"{name}.py").read_text()


def test_every_notebook_of_the_register_is_moved_in_the_browser():
    assert set(MOVES) == set(series.WRITTEN) - {"00", "13"}  # the welcome has no widget, 13's has a test of its own


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


SETUP = [".venv/bin/python -m pip install --editable '.[lab]'", "touch .venv/.installed"]
TESTS = [".venv/bin/python -m pip install --editable '.[test]'", "touch .venv/.installed-for-tests"]
OF_STUDENTS = {"lab": ".venv/bin/advcourse lab", "run": ".venv/bin/advcourse run", "build": ".venv/bin/advcourse build"}
OF_AUTHORS = {"check": ".venv/bin/python -m pytest tests/house",
              "test": "OMP_NUM_THREADS=1 .venv/bin/python -m pytest --numprocesses logical --dist loadgroup"}


@pytest.fixture
def dry(tmp_path):
    """What make would run in an empty clone, beyond looking for a Python: its lines, or what it complains about."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    # this test may run under make
    outside = {name: value for name, value in os.environ.items() if not name.startswith("MAKE") and name != "TORCH"}

    def dry(*words, **environment):
        done = subprocess.run(["make", "--dry-run", *words], cwd=tmp_path, env=outside | environment,
                              capture_output=True, text=True)
        lines = [line.strip() for line in done.stdout.splitlines() if not line.startswith("test -n")]
        return lines if done.returncode == 0 else done.stderr
    return dry


@HAS_MAKE
@pytest.mark.parametrize("target, command", [*OF_STUDENTS.items(), *OF_AUTHORS.items()])
def test_make_sets_up_first_what_a_command_needs_and_no_more(dry, target, command):
    more = TESTS if target in OF_AUTHORS else []
    venv, *lines = dry(target)
    assert venv.endswith(" -m venv .venv") and lines == [*SETUP, *more, command]


@HAS_MAKE
def test_make_adds_the_test_tools_once_and_installs_a_changed_project_again(dry, tmp_path):
    assert dry("run", "NB=01")[-1] == ".venv/bin/advcourse run 01"
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv/.installed").touch()
    assert dry("lab") == [OF_STUDENTS["lab"]], "what is set up should stay"
    assert dry("test") == [*TESTS, OF_AUTHORS["test"]], "what students have is extended"
    (tmp_path / ".venv/.installed-for-tests").touch()
    assert dry("test") == [OF_AUTHORS["test"]] and dry("check") == [OF_AUTHORS["check"]]
    os.utime(tmp_path / "pyproject.toml", (2**31, 2**31))
    assert dry("lab")[1:-1] == SETUP and dry("test")[1:-1] == [*SETUP, *TESTS]


def index(name):
    address = re.search(r"^TORCH_INDEX := (\S+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)[1]
    return address.replace("$(TORCH)", name)


@HAS_MAKE
def test_make_takes_pytorch_without_cuda_before_the_course_asks_for_it(dry):
    for name in ("cpu", "cu126"):
        assert dry("setup", f"TORCH={name}")[1:] == [
            f".venv/bin/python -m pip install torch torchvision --index-url {index(name)}", *SETUP]
    refused = dry("setup", "TORCH=gpu")
    assert isinstance(refused, str) and "TORCH=gpu is unknown; TORCH=cpu takes PyTorch without CUDA" in refused


@HAS_MAKE
def test_a_torch_of_somebody_elses_in_the_environment_is_none_of_ours(dry):
    assert dry("setup", TORCH="/opt/torch")[1:] == SETUP
    assert dry("setup", TORCH="cpu")[1:] == dry("setup", "TORCH=cpu")[1:]


def shown(language):
    """The README's code blocks in a language, each as its lines."""
    return [block.splitlines() for block in
            re.findall(rf"```{language}\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)]


def installs():
    """The words after every `pip install` that README, CONTRIBUTING, docs and environment.yml show."""
    places = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "environment.yml", *(ROOT / "docs").glob("*.md")]
    return [shlex.split(words) for path in places for words in re.findall(r"pip install ([^`\n]+)", path.read_text())]


def test_every_pip_install_that_is_shown_can_work():
    extras = PROJECT["optional-dependencies"]
    assert len(installs()) >= 6
    for words in installs():
        options = [word for word in words if word.startswith("-")]
        assert set(options) <= {"-e", "--editable", "--index-url", "--force-reinstall", "--no-deps"}, words
        for word in words:
            if word.startswith("https://"):
                assert word == (index("cpu") if "--index-url" in options else masters.archive())
            elif word.startswith(".["):
                assert word[2:-1] in extras, word
            elif not word.startswith("-"):  # the course itself is on no index
                requirement = Requirement(word)
                known = {Requirement(line).name for line in PROJECT["dependencies"]}
                assert requirement.name in known or requirement.url == masters.archive(), word
                assert requirement.extras <= set(extras)


def test_without_make_both_shells_have_the_same_four_steps(tmp_path):
    unix, = (lines for lines in shown("bash") if lines[-1] == "advcourse lab")
    windows, = shown("powershell")
    assert windows[0] == "py -m venv .venv" and unix[0] == "python3 -m venv .venv"
    assert unix[2:] == windows[2:] and shlex.split(unix[2])[:5] == ["python", "-m", "pip", "install", "-e"]
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / ".venv"], check=True)
    assert (tmp_path / unix[1].removeprefix("source ")).is_file()
    # Windows' venv has the folder Scripts where others have bin, and Activate.ps1 on every system.
    assert (tmp_path / windows[1].replace("\\", "/").replace("Scripts", "bin")).is_file()
    for lines in shown("bash"):
        assert subprocess.run(["bash", "-n"], input="\n".join(lines), text=True).returncode == 0


def test_the_link_for_jupyterhub_is_as_nbgitpuller_s_link_generator_makes_it():
    link, = re.findall(r"^ *(https://hub\S+)$", (ROOT / "README.md").read_text(), re.MULTILINE)
    asked = {"repo": PROJECT["urls"]["Repository"], "urlpath": "lab/tree/advcourse/notebooks/00_welcome.ipynb",
             "branch": "main"}
    assert link == f"https://hub.example.com/hub/user-redirect/git-pull?{urlencode(asked)}"
    assert (ROOT / asked["urlpath"].removeprefix("lab/tree/advcourse/")).is_file()


@HAS_MAKE
def test_the_dev_container_does_what_the_readme_says(dry):
    text = (ROOT / ".devcontainer/devcontainer.json").read_text()
    container = json.loads(re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE))
    image, python = container["image"].split(":")
    assert image == "mcr.microsoft.com/devcontainers/python" and python in pythons()
    assert container["updateContentCommand"] == "make setup TORCH=cpu"
    assert index("cpu") in dry(*container["updateContentCommand"].split()[1:])[1]
    inside = "${containerWorkspaceFolder}/.venv"
    settings = container["customizations"]["vscode"]["settings"]
    assert settings == {"python.defaultInterpreterPath": f"{inside}/bin/python"}
    # The volume is root's when it is made, and pip works as the container's user.
    assert f"target={inside}," in container["mounts"][0]
    assert container["onCreateCommand"] == f"sudo chown {container['remoteUser']} .venv"


def pythons():
    """The versions of Python that the classifiers name."""
    named = re.findall(r"Python :: (3\.\d+)$", "\n".join(PROJECT["classifiers"]), re.MULTILINE)
    return sorted(named, key=Version)


def test_the_versions_of_python_are_the_same_everywhere():
    first, last = pythons()[0], pythons()[-1]
    minors = [Version(python).minor for python in pythons()]
    assert minors == list(range(minors[0], minors[-1] + 1)) and PROJECT["requires-python"] == f">={first}"
    assert f"You need Python {first} to {last}." in (ROOT / "README.md").read_text()
    assert all(f"python{python}" in (ROOT / "Makefile").read_text() for python in pythons())


def test_the_metadata_say_where_things_are_and_whose():
    urls = PROJECT["urls"]
    assert {"Repository", "Documentation", "Issues"} <= set(urls)
    assert all(url.startswith(urls["Repository"]) for url in urls.values())
    assert PROJECT["license"] == "MIT" and PROJECT["license-files"] == ["LICENSE"]
    assert not [line for line in PROJECT["classifiers"] if line.startswith("License ::")], "PEP 639 forbids both"


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
