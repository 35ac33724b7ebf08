"""Tests on real data, or with graders of other people, skip themselves, with the reason, where these cannot be had.

With ADVCOURSE_CI=1, which `.ci/run` sets where all is there that these tests want, a skip for any other reason than
those of SKIPS_IN_CI is a failure: nobody reads what a green run has left out.
"""

import importlib
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from advcourse.data import DownloadError

BENCHMARKS = str(Path(__file__).parent.parent / "benchmarks")
TESTS_OF_DOWNLOADS = Path(__file__).parent / "data"  # there a failed download is the subject, not a missing condition

# What a reason to skip begins with, where CI cannot give the test what it wants; and who runs the test then.
SKIPS_IN_CI = {
    "there is no GPU": "the workflow of the GPU",
    "there is a GPU here": "every machine without one",
    "on a GPU two runs of the same training differ": "every machine without one",
    "some of Colab's versions have no wheels for this Python": "the Pythons up to Colab's",
    "nbgrader is not installed here": "the weekly workflow, job graders",
    "otter is not installed here": "the weekly workflow, job graders",
    "this system hands no control groups": "nobody yet: it takes systemd and a user of its own",
    "mounting a small file system needs root": "a machine on which CI is root",
    "this matplotlib has no cmti10": "the newest matplotlib",
    "the ORL faces are neither in": "who has the files, which may not be handed on",
    "cifar10-jpeg": "who has the files",
}


def pytest_configure(config):
    if os.environ.get("ADVCOURSE_CI") == "1":
        config.pluginmanager.register(NoSilentSkips())
        # stored outputs that are not compared are told in a warning
        config.addinivalue_line("filterwarnings", "error:the data with which the outputs are made")


class NoSilentSkips:
    """A pytest plugin that makes a skipped test, or file of tests, a failure unless its reason is listed."""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self):
        return fail_if_skipped((yield))

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(self):
        return fail_if_skipped((yield))


def fail_if_skipped(report):
    """The report itself; as a failure where it is of a skip whose reason is not listed."""
    if report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2].removeprefix("Skipped: ")
        if not reason.startswith(tuple(SKIPS_IN_CI)):
            report.outcome = "failed"
            report.longrepr = f"skipped ({reason}), which CI may not: see SKIPS_IN_CI in tests/conftest.py"
    return report


def skip_without_data(item):
    try:
        return (yield)
    except DownloadError as error:
        if item.path.parent == TESTS_OF_DOWNLOADS:
            raise
        pytest.skip(str(error).splitlines()[0])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item):
    return (yield from skip_without_data(item))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    return (yield from skip_without_data(item))


@pytest.fixture(scope="module")
def import_benchmark():
    """import_benchmark("attacks"): a script of benchmarks/ as a module; it imports its neighbours by bare names."""
    before, path = set(sys.modules), sys.path.copy()
    sys.path.insert(0, BENCHMARKS)
    yield importlib.import_module
    sys.path[:] = path
    for name in set(sys.modules) - before:
        if (getattr(sys.modules[name], "__file__", None) or "").startswith(BENCHMARKS):
            del sys.modules[name]


@pytest.fixture(scope="session")
def run_grader():
    """run_grader("nbgrader", folder, "-c", "…"): runs Python with a grader in a folder; returns its output.

    Both want versions of their own: ADVCOURSE_NBGRADER_PYTHON and ADVCOURSE_OTTER_PYTHON name Pythons that have them.
    """
    def run(tool, folder, *arguments):
        variable = f"ADVCOURSE_{tool.upper()}_PYTHON"
        python = os.environ.get(variable) or (importlib.util.find_spec(tool) and sys.executable)
        if not python:
            pytest.skip(f"{tool} is not installed here, and {variable} names no Python that has it")
        # both call programs of their environment by name
        path = os.pathsep.join([str(Path(python).parent), os.environ["PATH"]])
        environment = os.environ | {"PATH": path, "PYTHONPATH": str(Path(__file__).parents[1]), "ADVCOURSE_STATIC": "1",
                                    "OMP_NUM_THREADS": "1"}
        done = subprocess.run([python, *map(str, arguments)], cwd=folder, env=environment, capture_output=True,
                              text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run
