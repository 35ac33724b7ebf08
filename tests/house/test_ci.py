"""`.ci/run` and the workflows: what they run, that nobody else's code can change it, and that no skip goes unseen."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from typer.main import get_command

from advcourse.cli.app import app
from tests.house.test_project_files import make_targets

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / ".ci/run"
WORKFLOWS = {path.stem: path for path in sorted((ROOT / ".github/workflows").glob("*.yml"))}
LOADED = {name: yaml.safe_load(path.read_text(encoding="utf-8")) for name, path in WORKFLOWS.items()}
JOBS = [pytest.param(job, id=f"{workflow}-{name}") for workflow, content in LOADED.items()
        for name, job in content["jobs"].items()]
ON = True  # how YAML reads the word `on`
SKIPPING = """
import pytest

def test_listed(): pytest.skip("there is no GPU: none at all")

def test_not_listed(): pytest.skip("there is no browser")

@pytest.mark.xfail(reason="known")
def test_known(): assert False
"""


def commands(job):
    """The lines of shell that a job runs."""
    return [line for step in job["steps"] for line in step.get("run", "").splitlines()]


# .ci/run


def machine(folder, *programs, getting_data="true"):
    """A checkout with this `.ci/run` on a machine with these programs alone; returns how to run it there."""
    tools, checkout = folder / "tools", folder / "checkout"
    for place in (tools, checkout / ".ci", checkout / ".venv/bin"):
        place.mkdir(parents=True)
    shutil.copy(SCRIPT, checkout / ".ci/run")
    for name in ("bash", "dirname", "id"):
        (tools / name).symlink_to(shutil.which(name))
    for name in programs:
        write_program(tools / name, "exit 0")
    write_program(tools / "make", 'echo "make $* with ADVCOURSE_CI=${ADVCOURSE_CI:-}"')
    write_program(checkout / ".venv/bin/advcourse", getting_data)

    def run(**environment):
        return subprocess.run([tools / "bash", checkout / ".ci/run"], capture_output=True, text=True,
                              env={"PATH": str(tools), **environment})

    return run


def write_program(path, text):
    path.write_text(f"#!{shutil.which('bash')}\n{text}\n")
    path.chmod(0o755)


def test_with_all_that_tests_want_no_skip_is_let_through(tmp_path):
    done = machine(tmp_path, "chromium", "bwrap", "unshare")()
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[-2:] == ["make check with ADVCOURSE_CI=", "make test with ADVCOURSE_CI=1"]


@pytest.mark.parametrize(("programs", "getting_data", "missing"), [
    (("chromium", "bwrap", "unshare"), "false", "mnist sms-spam fsdd"),
    (("google-chrome", "bwrap"), "true", "user namespaces"),
    (("chromium-browser", "bwrap", "unshare"), "false", "mnist sms-spam fsdd"),
    (("bwrap", "unshare"), "true", "Chromium"),
    (("chromium", "unshare"), "false", "bubblewrap mnist sms-spam fsdd"),
])
def test_what_is_missing_is_said_and_where_ci_insists_it_is_the_end(tmp_path, programs, getting_data, missing):
    run = machine(tmp_path, *programs, getting_data=getting_data)
    done, insisted = run(), run(ADVCOURSE_CI="1")
    assert f"not here: {missing};" in done.stdout and f"not here: {missing};" in insisted.stdout
    assert done.returncode == 0 and done.stdout.splitlines()[-1] == "make test with ADVCOURSE_CI="
    assert insisted.returncode == 1 and "make test" not in insisted.stdout


@pytest.mark.parametrize("failing", ["check", "test"])
def test_a_failure_of_the_checks_or_of_the_tests_is_a_failure_of_ci(tmp_path, failing):
    run = machine(tmp_path, "chromium", "bwrap", "unshare")
    write_program(tmp_path / "tools/make", f'[ "$1" != {failing} ]')
    assert run().returncode == 1


def test_the_readme_names_the_command_of_ci():
    assert os.access(SCRIPT, os.X_OK)
    assert SCRIPT.read_text(encoding="utf-8").splitlines()[-1] == "make test"
    assert "`make test`" in (ROOT / "README.md").read_text(encoding="utf-8")


# skips


@pytest.fixture
def outcomes(tmp_path):
    """outcomes(text, ADVCOURSE_CI="1"): the last line of pytest on a file of tests beside the course's conftest.py."""
    shutil.copy(ROOT / "tests/conftest.py", tmp_path)

    def run(text, **variables):
        (tmp_path / "test_sample.py").write_text(text)
        outside = {name: value for name, value in os.environ.items()
                   if name != "ADVCOURSE_CI" and not name.startswith("PYTEST_")}
        done = subprocess.run([sys.executable, "-m", "pytest", "--quiet", "--rootdir", tmp_path, tmp_path],
                              cwd=tmp_path, capture_output=True, text=True, env=outside | variables)
        return done.stdout.splitlines()[-1]

    return run


def test_in_ci_a_skip_that_nobody_listed_is_a_failure(outcomes):
    assert outcomes(SKIPPING).startswith("2 skipped, 1 xfailed")
    assert outcomes(SKIPPING, ADVCOURSE_CI="1").startswith("1 failed, 1 skipped, 1 xfailed")
    assert outcomes(SKIPPING, ADVCOURSE_CI="0").startswith("2 skipped")


def test_in_ci_a_file_that_skips_itself_is_a_failure(outcomes):
    text = 'import pytest\npytest.skip("no box here", allow_module_level=True)'
    assert outcomes(text).startswith("1 skipped") and outcomes(text, ADVCOURSE_CI="1").startswith("1 error")


def test_in_ci_stored_outputs_that_are_not_compared_are_a_failure(outcomes):
    source = (ROOT / "tests/notebooks/test_notebooks.py").read_text(encoding="utf-8")
    start = re.search(r'warnings.warn\("(the data with which the outputs are made)', source)[1]
    text = f"import warnings\ndef test_a(): warnings.warn({start!r})"
    assert outcomes(text).startswith("1 passed, 1 warning")
    assert outcomes(text, ADVCOURSE_CI="1").startswith("1 failed")


# the workflows


@pytest.mark.parametrize("job", JOBS)
def test_no_job_runs_without_end_or_with_more_rights_than_it_needs(job):
    assert job["timeout-minutes"] and "permissions" not in job
    for step in job["steps"]:
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


@pytest.mark.parametrize("name", WORKFLOWS)
def test_workflows_may_read_and_nothing_more_and_actions_are_pinned(name):
    assert LOADED[name]["permissions"] == {"contents": "read"}
    assert "concurrency" in LOADED[name]
    for line in re.findall(r"uses: (.*)", WORKFLOWS[name].read_text(encoding="utf-8")):
        assert re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line
    assert "secrets." not in WORKFLOWS[name].read_text(encoding="utf-8")


def test_workflows_have_no_known_weakness():
    done = subprocess.run([Path(sys.executable).with_name("zizmor"), "--offline", "--no-progress", *WORKFLOWS.values()],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_python_of_the_course_and_each_system_of_its_students():
    jobs = LOADED["test"]["jobs"]
    classifiers = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["classifiers"]
    pythons = [line.split()[-1] for line in classifiers if re.search(r":: 3\.\d+$", line)]
    assert jobs["suite"]["strategy"]["matrix"]["python"] == pythons and "3.11" in pythons
    assert jobs["suite"]["env"]["ADVCOURSE_CI"] == "1" and ".ci/run" in commands(jobs["suite"])
    assert jobs["students"]["strategy"]["matrix"]["system"] == ["macos-latest", "windows-latest"]
    runs = [line for line in commands(jobs["letters"]) if "advcourse run" in line]
    assert all("--dataset fonts --seed 1" in line for line in runs) and len(runs) == 2
    assert sum("--solutions" in line for line in runs) == 1


def test_a_strangers_code_never_reaches_the_machine_with_the_gpu():
    users = [name for name, content in LOADED.items() if "GPU_RUNNER" in WORKFLOWS[name].read_text(encoding="utf-8")]
    assert users == ["gpu"] and set(LOADED["gpu"][ON]) == {"push", "schedule", "workflow_dispatch"}
    assert LOADED["gpu"][ON]["push"] == {"branches": ["main"]}
    job = LOADED["gpu"]["jobs"]["gpu"]
    assert job["env"] == {"DEVICE": "cuda", "PYTEST_XDIST_AUTO_NUM_WORKERS": "1",
                          "PYTEST_ADDOPTS": "--junitxml=build/suite.xml"}
    assert ".ci/run" in commands(job) and "== 'push' && 120" in job["timeout-minutes"]


@pytest.mark.parametrize("job", JOBS)
def test_every_command_of_a_job_is_there(job):
    """Scripts exist, and `make` and `advcourse` know what they are asked for."""
    for line in commands(job):
        program, *words = line.split()
        if program == "make":
            assert words[0] in make_targets(), line
        elif program.endswith("advcourse"):
            command = get_command(app).commands[words[0]]
            options = {option for parameter in command.params for option in parameter.opts}
            assert {word for word in words if word.startswith("--")} <= options, line
        for word in (program, *words):
            if word.startswith((".ci/", "benchmarks/", "tests/")) and "results" not in word:
                assert (ROOT / word).exists(), line
