"""Many notebooks side by side, on this machine and on a cluster, with workers that die, and no trace left behind."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import distributed
import psutil
import pytest

from advcourse.pipeline import run
from tests.pipeline.sample_notebooks import EMIT, series

ROOT = Path(__file__).resolve().parents[2]
QUICK = {"PROFILE": "quick"}

# Appends its kernel's process id to a file, then kills its worker unless another kernel was there before.
KILL_ONCE = """
import os, pathlib, time
log = pathlib.Path({log!r})
with log.open("a") as file: print(os.getpid(), file=file)
if len(log.read_text().split()) == 1:
    os.kill(os.getppid(), 9)
    time.sleep(60)
"""
KILL_ALWAYS = "import os, time\nos.kill(os.getppid(), 9)\ntime.sleep(60)"


def gone(pids, seconds=15):
    """Whether all these processes end within so many seconds."""
    return not psutil.wait_procs([psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)], timeout=seconds)[1]


def outputs(result):
    return json.dumps([cell.get("outputs") for cell in json.loads(result.notebook)["cells"]])


# --- which notebooks ---


def test_find_chooses_by_number(tmp_path):
    series(tmp_path, n00="1", n01="1", n02="1")
    (tmp_path / "notes.ipynb").write_text("")
    def names(*numbers):
        return [path.name[:2] for path in run.find(tmp_path, numbers)]
    assert names() == ["00", "01", "02"]
    assert names("2", "00", "02") == ["02", "00"]
    with pytest.raises(ValueError, match=r"no notebook '07' .* there are 00, 01, 02"):
        names("01", "07")
    with pytest.raises(ValueError, match=r"no notebooks NN_name.ipynb"):
        run.find(tmp_path / "nowhere")


def test_a_student_s_duplicates_and_folders_are_none_of_the_course_s(tmp_path):
    course, folder = tmp_path / "course", tmp_path / "copies"
    for place in (course, folder):
        place.mkdir()
        series(place, n00="1", n01="1")
    for name in ("00_before.ipynb", "00_n-Copy1.ipynb", "01_mine.ipynb"):
        (folder / name).write_text("raise")
    (course / "02_folder.ipynb").write_text("")
    (folder / "02_folder.ipynb").mkdir()
    names = sorted(path.name for path in course.iterdir())
    assert [path.name for path in run.find(folder, (), course)] == names[:2]
    assert [path.name for path in run.find(folder, ("0",), course)] == names[:1]


# --- one machine and many ---


def test_notebooks_run_side_by_side_and_tell_how_far_they_are(tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    series(tmp_path, n00=("import os, time; print('threads', os.environ['OMP_NUM_THREADS'])", "time.sleep(2)"),
           n01=("1 / 0", "print('never')"), n02="print('zwei')")
    told = []
    running = run.run(run.find(tmp_path), QUICK, workers=2, on_cell=lambda *cell: told.append(cell))
    results = {result.name: result for result in running}
    assert set(results) == {"00_sample", "01_sample", "02_sample"}
    assert results["00_sample"].failure is None and "threads 1" in outputs(results["00_sample"])
    assert "cell 3 (`1 / 0`): ZeroDivisionError" in results["01_sample"].failure
    assert "zwei" in outputs(results["02_sample"])
    # Title, parameters, the injected cell and its own two; told one after the other.
    assert [cell for cell in told if cell[0] == "00_sample"] == [("00_sample", done, 5) for done in range(5)]


def test_a_worker_that_dies_in_the_middle_of_a_notebook_loses_and_doubles_nothing(tmp_path):
    log = tmp_path / "log"
    folder = series(tmp_path / "notebooks", n00=KILL_ONCE.format(log=str(log)), n01="print('eins')",
                    n02="print('zwei')")
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, host="127.0.0.1",
                                  dashboard_address="127.0.0.1:0") as cluster:
        results = list(run.run(run.find(folder), QUICK, scheduler=cluster.scheduler_address))
    assert sorted(result.name for result in results) == ["00_sample", "01_sample", "02_sample"]
    assert [result.failure for result in results] == [None, None, None]
    kernels = [int(line) for line in log.read_text().split()]
    assert len(kernels) == 2, "the notebook should have run twice: once until its worker died, once to its end"
    assert gone(kernels), "a kernel outlived its worker"


def test_a_notebook_that_kills_every_worker_fails_alone(tmp_path):
    folder = series(tmp_path, n00=KILL_ALWAYS, n01="print('eins')")
    results = {result.name: result for result in run.run(run.find(folder), QUICK, workers=2)}
    assert "every worker that ran it died" in results["00_sample"].failure
    assert results["01_sample"].failure is None


def test_no_cluster_is_a_clear_error(tmp_path):
    series(tmp_path, n00="1")
    with pytest.raises(OSError, match=r"no dask.distributed cluster at tcp://127.0.0.1:9"):
        list(run.run(run.find(tmp_path), QUICK, scheduler="tcp://127.0.0.1:9"))


def test_a_cluster_without_workers_is_a_clear_error(tmp_path):
    series(tmp_path, n00="1")
    with (distributed.LocalCluster(n_workers=0, host="127.0.0.1", dashboard_address="127.0.0.1:0") as cluster,
          pytest.raises(OSError, match=r"has no workers; start some with: dask worker tcp://127.0.0.1")):
        list(run.run(run.find(tmp_path), QUICK, scheduler=cluster.scheduler_address))


def test_a_file_that_is_no_notebook_fails_alone(tmp_path):
    folder = series(tmp_path, n00="1", n01="1")
    (folder / "01_sample.ipynb").write_text("<html>")
    results = {result.name: result for result in run.run(run.find(folder), QUICK)}
    assert results["00_sample"].failure is None
    assert "not a notebook" in results["01_sample"].failure


# --- the command ---


@pytest.fixture
def checkout(tmp_path):
    """A copy of the course without its notebooks, and the environment that makes the command use it."""
    shutil.copytree(ROOT / "advcourse", tmp_path / "advcourse", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "notebooks").mkdir()
    return tmp_path


@pytest.fixture
def busy_port():
    """Port 8787, where dask likes to listen, is taken, as by a second run at the same time."""
    with socket.socket() as taken:
        try:
            taken.bind(("127.0.0.1", 8787))
            taken.listen()
        except OSError:  # another program of this machine has it: that will do
            pass
        yield


def command(checkout, *arguments, prefix=(), **options):
    """Run `advcourse` of the checkout; give the finished process."""
    return subprocess.run([*prefix, sys.executable, "-m", "advcourse", *arguments], cwd=checkout,
                          capture_output=True, text=True, timeout=200, **options)


def test_run_leaves_executed_copies_and_a_report(checkout, busy_port):
    series(checkout / "notebooks", n00="print('null')", n01=EMIT + "emit(kind='claim', sentence='It is {value:.0%}.', "
           "value=0.5, low=0.4, high=0.6, holds=True)")
    before = (checkout / "notebooks/00_sample.ipynb").read_bytes()
    done = command(checkout, "run", "--seed", "3")
    assert done.returncode == 0, done.stderr
    index = checkout / "build/run/index.html"
    assert done.stdout.splitlines()[-1] == f"report: {index}"
    assert "It is 50%." in index.read_text() and "Sample 00" in index.read_text()
    assert "SEED = 3" in (checkout / "build/run/00_sample.ipynb").read_text()
    assert sorted(path.name for path in index.parent.iterdir()) == ["00_sample.ipynb", "01_sample.ipynb", "index.html"]
    assert (checkout / "notebooks/00_sample.ipynb").read_bytes() == before
    assert done.stderr == ""


def test_solutions_are_run_on_request(checkout):
    series(checkout / "notebooks", n00="1 / 0")
    series(checkout / "notebooks/solutions", n00="print('solved')")
    done = command(checkout, "run", "00", "--solutions", "--out", "elsewhere")
    assert done.returncode == 0, done.stderr
    assert "solved" in (checkout / "elsewhere/00_sample.ipynb").read_text()


def test_a_claim_outside_its_band_turns_the_run_red(checkout):
    series(checkout / "notebooks", n00=EMIT + "emit(kind='claim', sentence='The error is {value:.1%}.', "
           "value=0.5, low=0.99, high=1, holds=False)")
    done = command(checkout, "run")
    assert done.returncode == 1
    assert "00_sample: The error is 50.0%." in done.stderr


@pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
def test_a_failing_cell_turns_make_run_red_and_is_named(checkout):
    series(checkout / "notebooks", n00="print('null')", n01=("x = 1", "y = x / 0"))
    (checkout / ".venv").symlink_to(sys.prefix)
    make = ["make", "run", "--assume-old=.venv/.installed"]
    def run_make(*more):
        return subprocess.run([*make, *more], cwd=checkout, capture_output=True, text=True, timeout=200,
                                                env=os.environ | {"PYTHONPATH": str(checkout)})
    done = run_make()
    assert done.returncode != 0
    assert "01_sample: cell 4 (`y = x / 0`): ZeroDivisionError: division by zero" in done.stderr
    assert "ZeroDivisionError" in (checkout / "build/run/01_sample.ipynb").read_text()
    assert "division by zero" in (checkout / "build/run/index.html").read_text()
    assert run_make("NB=00").returncode == 0


def lonely():
    """The command that runs another one where there is no network but its own loopback; None where that cannot be."""
    prefix = ["unshare", "--net", "--map-root-user", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
    try:
        return prefix if subprocess.run([*prefix, "true"], capture_output=True).returncode == 0 else None
    except OSError:
        return None


@pytest.mark.skipif(not lonely(), reason="no network namespaces here")
def test_run_needs_no_network(checkout):
    series(checkout / "notebooks", n00="print('null')", n01="print('eins')")
    done = command(checkout, "run", "--workers", "2", prefix=lonely())
    assert (done.returncode, done.stderr) == (0, "")


SLEEPS = "import os, time; open('pid', 'w').write(str(os.getpid()))\ntime.sleep(300)"


@contextmanager
def running(checkout, *arguments):
    """`advcourse run` of the checkout, in a process group of its own as a terminal makes one."""
    process = subprocess.Popen([sys.executable, "-m", "advcourse", "run", *arguments], cwd=checkout,
                               start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()


def wait_for(something, process, seconds=100):
    """Wait until `something()` is true of the running process."""
    end = time.monotonic() + seconds
    while not something():
        assert process.poll() is None and time.monotonic() < end, process.stderr.read()
        time.sleep(0.1)


def written(path):
    """The number in a file, or None where there is none yet."""
    return int(path.read_text()) if path.exists() and path.read_text() else None


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_ended_run_leaves_no_process_and_a_report_on_what_was_done(checkout, how):
    series(checkout / "notebooks", n00="print('null')", n01=SLEEPS, n02="1 / 0", n03="print('drei')")
    out, pid = checkout / "build/run", checkout / "notebooks/pid"
    with running(checkout, "--workers", "1") as process:
        wait_for(lambda: written(pid) and (out / "00_sample.ipynb").exists(), process)
        family = [child.pid for child in psutil.Process(process.pid).children(recursive=True)]
        assert written(pid) in family
        (os.killpg if how == signal.SIGINT else os.kill)(process.pid, how)  # Ctrl-C reaches all, kill only the one
        said, complained = process.communicate(timeout=30)
        assert gone(family), [psutil.Process(pid).cmdline() for pid in family if psutil.pid_exists(pid)]
    if how == signal.SIGKILL:
        return
    assert process.returncode == 128 + how
    assert complained == "error: interrupted; not run: 01_sample, 02_sample, 03_sample\n"
    assert said.splitlines()[-1] == f"report: {out / 'index.html'}"
    html = (out / "index.html").read_text()
    assert "Sample 00" in html and "✓ ran" in html and html.count("– not run") == 3 and "3 not run" in html
    assert sorted(path.name for path in out.iterdir()) == ["00_sample.ipynb", "index.html"]


def test_ctrl_c_while_the_workers_start_is_as_quiet(checkout):
    series(checkout / "notebooks", n00="print('null')")
    with running(checkout) as process:
        wait_for(psutil.Process(process.pid).children, process)
        os.killpg(process.pid, signal.SIGINT)
        _, complained = process.communicate(timeout=30)
    assert (process.returncode, complained) == (130, "error: interrupted; not run: 00_sample\n")
    assert "– not run" in (checkout / "build/run/index.html").read_text()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_an_ended_run_ends_its_kernels_on_a_cluster_which_lives_on(checkout, how):
    series(checkout / "notebooks", n00=SLEEPS)
    pid = checkout / "notebooks/pid"
    with (distributed.LocalCluster(n_workers=1, threads_per_worker=1, host="127.0.0.1",
                                   dashboard_address="127.0.0.1:0") as cluster,
          running(checkout, "--scheduler", cluster.scheduler_address) as process):
        wait_for(lambda: written(pid), process)
        os.killpg(process.pid, how)
        _, complained = process.communicate(timeout=30)
        assert gone([written(pid)])
        series(checkout / "notebooks", n00="print('null')")
        [result] = run.run(run.find(checkout / "notebooks"), QUICK, scheduler=cluster.scheduler_address)
    assert result.failure is None
    assert how == signal.SIGKILL or (process.returncode, complained) == (
        130, "error: interrupted; not run: 00_sample\n")
