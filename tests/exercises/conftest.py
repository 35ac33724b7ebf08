"""A sample notebook 99 for the engine's tests, and the kill rate of the wrong answers at the end of a run."""

import pytest
import torch

from advcourse import exercises
from tests.exercises import sample_exercises


@pytest.fixture(autouse=True)
def one_thread():
    """Probes are tiny: on a busy machine, threads that wait for one another make them ten times slower."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def sample():
    """The exercises of notebook 99, in a fresh session."""
    exercises.set_notebook("99")
    exercises.set_student("")
    yield sample_exercises
    exercises.set_notebook(None)


def pytest_terminal_summary(terminalreporter):
    lines = [value for outcome in ("passed", "failed") for report in terminalreporter.stats.get(outcome, ())
             for name, value in report.user_properties if name == "kill rate"]
    if lines:
        terminalreporter.section("wrong answers")
        terminalreporter.write_line("\n".join(sorted(lines)))
