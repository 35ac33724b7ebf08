"""Boxes: what they bound, what they see, and how they end."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import torch

from advcourse import files
from advcourse.files import PACKAGE
from advcourse.grading.box import walls, wire
from advcourse.grading.box.boxes import Boxes, checkouts, needed_modules
from tests.grading.box.samples import LIMITS, RIGHT, graded_of


def said(boxes, code, seconds=60, **arguments):
    """What came of the call of `f`, which `code` defines."""
    with boxes.open() as box:
        box.start_clock(seconds)
        box.load(["import torch", code])
        return box.attempt("f", list(arguments), arguments, 0)


def points(boxes, *cells, seed=5):
    """From number to points of a notebook 01 with these cells."""
    graded = graded_of(boxes, *cells, seed=seed)
    assert graded.problem is None, graded.problem
    return {mark.exercise: mark.points for mark in graded.marks if mark.points}


def test_a_function_is_called_in_a_box(boxes):
    result = said(boxes, "def f(x, n):\n    return [x * 2, n + 1, 'word']", x=torch.arange(3.0), n=1)["result"]
    assert torch.equal(result[0], torch.tensor([0.0, 2.0, 4.0])) and result[1:] == [2, "word"]


def test_what_a_call_changes_in_place_is_told(boxes):
    assert said(boxes, "def f(x):\n    x += 1", x=torch.zeros(2))["changed"] == {"x": "values"}


def test_definitions_that_fail_say_so_when_they_are_called(boxes):
    with boxes.open() as box:
        box.start_clock(60)
        box.load(["import nothing_of_this_name as tool", "broken = tool.x", "def f():\n    return tool.x",
                  "def g():\n    return 1"])
        assert "ModuleNotFoundError" in box.attempt("f", [], {}, 0)["problem"]
        assert "broken" in box.attempt("broken", [], {}, 0)["problem"]
        assert box.attempt("g", [], {}, 0)["result"] == 1


def test_random_numbers_follow_the_seed(boxes):
    code = "import random, numpy\ndef f():\n    return [torch.rand(1).item(), random.random(), numpy.random.rand()]"
    with boxes.open() as box:
        box.start_clock(60)
        box.load(["import torch", code])
        first, again, other = (box.attempt("f", [], {}, seed)["result"] for seed in (1, 1, 2))
    assert str(first) == str(again) != str(other)


# --- limits -----------------------------------------------------------------------------------------------------------

def test_memory_is_bounded(boxes):
    assert "MemoryError" in said(boxes, "def f():\n    return len(bytearray(2 << 30))")["problem"]
    assert said(boxes, "def f():\n    return len(bytearray(100 << 20))")["result"] == 100 << 20


def test_the_scratch_folder_is_there_and_bounded(boxes):
    code = "def f(size):\n    with open('file', 'wb') as file:\n        file.write(bytes(size))\n    return 'written'"
    assert said(boxes, code, size=1 << 20)["result"] == "written"
    problem = said(boxes, code, size=9 << 20)["problem"]
    assert "File too large" in problem or "No space left" in problem


def test_many_files_do_not_escape_the_bound_of_the_scratch_folder(boxes):
    code = "def f():\n    for n in range(20):\n        open(f'{n}', 'wb').write(bytes(1 << 20))"
    assert "No space left" in said(boxes, code)["problem"]


def test_the_scratch_folder_is_empty_for_the_next_box(boxes):
    assert said(boxes, "def f():\n    open('file', 'w').write('x')\n    return 1")["result"] == 1
    assert said(boxes, "import os\ndef f():\n    return os.listdir()")["result"] == []


def test_threads_are_bounded(boxes):
    code = """
import threading
def f(n):
    stop = threading.Event()
    try:
        for _ in range(n):
            threading.Thread(target=stop.wait, daemon=True).start()
    finally:
        stop.set()
    return n
"""
    assert said(boxes, code, n=5)["result"] == 5
    assert "thread" in said(boxes, code, n=100)["problem"]


def test_open_files_are_bounded(boxes):
    assert "Too many open files" in said(boxes,
                                         "def f():\n    return len([open('/dev/null') for _ in range(100)])")["problem"]


@pytest.fixture
def beside(tmp_path):
    """A folder that looks as the control group around our own does where bounds are handed down."""
    here = next(line[3:] for line in Path("/proc/self/cgroup").read_text().splitlines() if line.startswith("0::"))
    folder = tmp_path if here == "/" else (tmp_path / here[1:]).parent
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cgroup.subtree_control").write_text("cpu memory pids\n")
    return folder


def test_a_control_group_lies_beside_our_own_and_what_a_killed_grader_left_is_removed(beside, tmp_path):
    (beside / "advcourse-99999999").mkdir()
    group = walls.control_group(LIMITS, tmp_path)
    assert group == beside / f"advcourse-{os.getpid()}" and group.is_dir()
    assert not (beside / "advcourse-99999999").exists()


def test_no_control_group_where_memory_is_not_bounded_by_one(beside, tmp_path):
    (beside / "cgroup.subtree_control").write_text("cpu pids\n")
    assert walls.control_group(LIMITS, tmp_path) is None
    assert walls.control_group(LIMITS, tmp_path / "nowhere") is None


def test_the_box_is_in_a_control_group_of_its_own(boxes):
    group = walls.control_group(LIMITS)
    if group is None:
        pytest.skip("this system hands no control groups (cgroup v2) to the grader")
    group.rmdir()
    with boxes.open() as box:
        [keeper] = psutil.Process(boxes.process.pid).children()
        [first] = keeper.children()
        group = group.with_name(f"advcourse-{keeper.pid}")
        assert (group / "cgroup.procs").read_text().split() == [str(first.pid)]
        assert (group / "memory.max").read_text().strip() == str(LIMITS.memory + LIMITS.scratch)
        assert (group / "pids.max").read_text().strip() == str(LIMITS.threads)
        box.start_clock(60)
        box.load(["def f():\n    with open('file', 'wb') as file:\n        file.write(bytes(4 << 20))"])
        box.attempt("f", [], {}, 0)
        assert int((group / "memory.current").read_text()) > 4 << 20, "the scratch folder counts"
    assert gone(group.exists)


def test_time_is_bounded_by_the_clock(boxes):
    with pytest.raises(wire.Closed, match="too long"):
        said(boxes, "import time\ndef f():\n    time.sleep(1000)", seconds=0.5)


def test_time_is_bounded_by_the_processor_too(boxes):
    boxes.limits = replace(LIMITS, seconds=1)
    with pytest.raises(wire.Closed, match="ended"):
        said(boxes, "def f():\n    while True:\n        pass", seconds=100)


# --- what a box sees --------------------------------------------------------------------------------------------------

def test_a_box_has_a_root_of_its_own(boxes, tmp_path, monkeypatch):
    (tmp_path / "secret").write_text("secret")
    monkeypatch.setenv("SECRET", "secret")
    code = """
import os
def f(paths):
    found = [path for path in paths if os.path.exists(path)]
    return [found, sorted(os.environ), os.getcwd(), os.getpid(), os.geteuid()]
"""
    paths = [str(tmp_path), "/proc", "/sys", "/etc/passwd", "/bin/sh", "/var"]
    found, names, folder, process, user = said(boxes, code, paths=paths)["result"]
    assert found == [] and "SECRET" not in names and folder == walls.SCRATCH and process == 1
    assert user != 0


def test_two_boxes_at_once_are_two_users_that_do_not_see_each_other(boxes):
    code = ("import os\ndef f():\n    open('mine', 'w').close()\n"
            "    return [os.geteuid(), os.listdir(), [n for n in range(2, 500) if exists(n)]]")
    probe = "def exists(n):\n    try:\n        return os.getpgid(n) >= 0\n    except OSError:\n        return False"
    with boxes.open() as one, boxes.open() as other:
        for box in (one, other):
            box.start_clock(60)
            box.load([code, probe])
        first, second = one.attempt("f", [], {}, 0)["result"], other.attempt("f", [], {}, 0)["result"]
    assert first[1:] == second[1:] == [["mine"], []]
    assert boxes.bubblewrap or os.geteuid() or first[0] != second[0]


def test_the_course_is_not_at_hand(boxes):
    said_so = said(boxes, "from advcourse.attacks import fgsm\ndef f():\n    return fgsm(1)")
    assert "not at hand" in said_so["problem"]
    assert "must be your own" in said(boxes, "from advcourse.attacks import fgsm as f")["problem"]


def test_no_file_of_the_course_is_readable_from_any_folder(boxes):
    code = """
import os, sys
def f():
    own = [name for folder in sys.path for _, folders, names in os.walk(os.path.join(folder, 'advcourse'))
           for name in folders + names]
    return [name for name in own if name.startswith(('notebook_', 'probes', 'questions', 'e1_', '0', '1'))]
"""
    assert said(boxes, code)["result"] == []


def test_a_box_starts_with_the_files_of_the_course_that_it_needs_and_they_hold_no_exercise(tmp_path):
    """bubblewrap shows a box no others; what they import is tried in a folder that holds nothing else."""
    needed = [path.relative_to(PACKAGE) for path in needed_modules()]
    alone = ("__init__.py", "version.py", "files.py", "randomness.py", "exercises", "grading")
    assert not [path for path in needed if path.parts[0] not in alone]
    assert not [path for path in needed if path.name.startswith(("notebook_", "probes", "questions"))]
    for path in needed:
        files.write(tmp_path / "advcourse" / path, (PACKAGE / path).read_bytes())
    code = "import advcourse.grading.box.inside as inside; print(inside.__file__); inside.warm_up()"
    done = subprocess.run([sys.executable, "-P", "-c", code], env={"PYTHONPATH": str(tmp_path)}, cwd="/",
                          capture_output=True, text=True)
    assert done.stdout.startswith(str(tmp_path)) and done.returncode == 0, done.stderr


def test_another_checkout_in_the_path_stays_outside(tmp_path, monkeypatch):
    (tmp_path / "other" / "notebooks" / "source").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "other")
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path / "link")])
    assert tmp_path / "other" in walls.needed_files()
    assert tmp_path / "other" not in walls.needed_files(checkouts())


# --- ends -------------------------------------------------------------------------------------------------------------

def test_an_exercise_that_kills_its_box_leaves_the_others_their_points(boxes):
    boxes.limits = replace(LIMITS, seconds=20)
    killer = "import os\ndef linear_attack(weight, y, target, eps):\n    os._exit(0)"
    assert points(boxes, RIGHT["01.1"], killer, RIGHT["01.4"]) == {"01.1": 2, "01.4": 3}


def test_an_exercise_that_sleeps_leaves_the_others_their_points(boxes):
    boxes.limits = replace(LIMITS, seconds=4)
    sleeper = "import time\ndef project(x_p, x, eps):\n    time.sleep(1000)"
    assert points(boxes, sleeper, RIGHT["01.2"]) == {"01.2": 3}


def test_an_exercise_that_spoils_torch_is_alone_with_it_only_where_it_kills_the_box(boxes):
    graded = graded_of(boxes, "def project(x_p, x, eps):\n    torch.sign = None\n    return x", RIGHT["01.2"])
    assert graded.problem is None


def children(boxes):
    return psutil.Process(boxes.process.pid).children(recursive=True)


def gone(find, seconds=10):
    """Whether `find` finds nothing within so many seconds."""
    deadline = time.monotonic() + seconds
    while find() and time.monotonic() < deadline:
        time.sleep(0.02)
    return not find()


def test_nothing_is_left_of_a_box(boxes):
    with boxes.open() as box:
        box.start_clock(60)
        box.load(["import threading, time\nthreading.Thread(target=time.sleep, args=(1000,)).start()"])
        assert children(boxes)
    assert gone(lambda: children(boxes))


def test_closed_boxes_leave_no_process():
    boxes = Boxes(LIMITS)
    with boxes.open() as box:
        box.start_clock(60)
        box.load(["x = 1"])
        processes = [psutil.Process(boxes.process.pid), *children(boxes)]
        boxes.close()
        assert gone(lambda: [one for one in processes if one.is_running() and one.status() != psutil.STATUS_ZOMBIE])


GRADER = """
import sys, time
from advcourse.grading.box.boxes import Boxes, checkouts
from advcourse.grading.box.limits import Limits
boxes = Boxes(Limits())
with boxes.open() as box:
    box.start_clock(60)
    box.load(["import ctypes, signal, time", "tried = ctypes.CDLL(None).prctl(1, 0, 0, 0, 0)",
              "def f():\\n    time.sleep(1000)"])
    print(boxes.process.pid, flush=True)
    box.attempt("f", [], {}, 0)
"""


def test_a_killed_grader_takes_its_boxes_along_even_those_that_sleep(boxes):
    grader = subprocess.Popen([sys.executable, "-c", GRADER], stdout=subprocess.PIPE)
    try:
        zygote = psutil.Process(int(grader.stdout.readline()))
        deadline = time.monotonic() + 30
        while len(zygote.children(recursive=True)) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        processes = [zygote, *zygote.children(recursive=True)]
        assert len(processes) == 3
    finally:
        os.kill(grader.pid, signal.SIGKILL)
        grader.wait()
        grader.stdout.close()
    assert gone(lambda: [one for one in processes if one.is_running() and one.status() != psutil.STATUS_ZOMBIE])


def test_a_box_keeps_no_file_but_those_it_is_given():
    script = """
import os
from advcourse.grading.box import inside
kept, *others = [os.open(os.devnull, os.O_RDONLY) for _ in range(40)]
os.dup2(1, kept)
inside.silence(keep=(kept,))
still = []
for number in range(3, 200):
    try:
        os.fstat(number)
        still.append(number)
    except OSError:
        pass
os.write(kept, f"{kept} {still}".encode())
"""
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    kept, still = said.split(" ", 1)
    assert still == f"[{kept}]"
