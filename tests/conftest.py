"""Tests on real data, or with graders of other people, skip themselves, with the reason, where these cannot be had."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from advcourse.data import DownloadError

TESTS_OF_DOWNLOADS = Path(__file__).parent / "data"  # there a failed download is the subject, not a missing condition


# Where Python itself is installed below /tmp, every box has that folder, too, and its own /tmp is not empty.
IN_AN_EMPTY_TMP = {
    "test_nothing_gets_through", "test_the_scratch_folder_is_empty_for_the_next_box",
    "test_two_boxes_at_once_are_two_users_that_do_not_see_each_other", "test_hostile_notebook[reading: every file below the submissions]",
    "test_hostile_notebook[reading: what the submission before this one left in the scratch folder]",
}


def pytest_collection_modifyitems(items):
    if Path(sys.prefix).resolve().is_relative_to("/tmp"):
        for item in items:
            if item.name in IN_AN_EMPTY_TMP:
                item.add_marker(pytest.mark.skip(reason="Python is installed below /tmp, so that a box finds a folder there"))


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


@pytest.fixture(scope="session")
def run_grader():
    """Runs Python with nbgrader or otter in a folder and returns what it printed: run_grader("nbgrader", folder, "-c", "…").

    Both want versions of their own: ADVCOURSE_NBGRADER_PYTHON and ADVCOURSE_OTTER_PYTHON name Pythons that have them.
    """
    def run(tool, folder, *arguments):
        variable = f"ADVCOURSE_{tool.upper()}_PYTHON"
        python = os.environ.get(variable) or importlib.util.find_spec(tool) and sys.executable
        if not python:
            pytest.skip(f"{tool} is not installed here, and {variable} names no Python that has it")
        path = os.pathsep.join([str(Path(python).parent), os.environ["PATH"]])  # both call programs of their environment by name
        environment = os.environ | {"PATH": path, "PYTHONPATH": str(Path(__file__).parents[1]), "ADVCOURSE_STATIC": "1",
                                    "OMP_NUM_THREADS": "1"}
        done = subprocess.run([python, *map(str, arguments)], cwd=folder, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run
