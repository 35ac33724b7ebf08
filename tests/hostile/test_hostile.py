"""Notebooks that try to gain points, to read, to do harm: nothing comes of it, and honest ones are graded right.

Everything runs in boxes with short limits, so the suite is safe where the walls hold; where there are none, it is
skipped.
"""

import csv
import io
import json
import os
import secrets
import shutil
import socket
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from advcourse.grading.box.boxes import Boxes
from advcourse.grading.box.limits import Limits
from advcourse.grading.grade import grade
from advcourse.grading.reading.submissions import Submission, collect
from advcourse.grading.reports.folder import write
from advcourse.grading.reports.pages import feedback_page
from advcourse.grading.reports.standings import standings
from advcourse.handin.work import shipped
from tests.hostile import (
    cases_files,
    cases_harm,
    cases_kinds,
    cases_models,
    cases_points,
    cases_reach,
    cases_reading,
    cases_values,
)
from tests.hostile.case import HONEST, notebook_of

pytestmark = pytest.mark.xdist_group("hostile")  # one world for all of them: the last test looks at what is left of it
SEED = 1_987_654_321
LIMITS = Limits(memory=1 << 30, scratch=16 << 20, threads=32)
CASES = [*cases_points.CASES, *cases_reading.CASES, *cases_harm.CASES, *cases_models.CASES, *cases_values.CASES,
         *cases_reach.CASES, *cases_kinds.CASES]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """What hostile code must leave alone: files with a secret, an environment variable, ports."""
    folder, secret = Path(tempfile.mkdtemp(prefix="instructor-")), secrets.token_hex(8)
    folder.chmod(0o755)  # no wall: whoever can see it may read it
    temporary = tmp_path_factory.mktemp("temporary")
    for name in ("canary", "gradebook.db", "course.toml", "seed.txt", "submissions/anna/01.ipynb"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"{secret} of {name}")
    patch = pytest.MonkeyPatch()
    patch.setenv("ADVCOURSE_CANARY", secret)
    patch.setattr(tempfile, "tempdir", str(temporary))
    doors = [socket.create_server(("127.0.0.1", 0)), socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)]
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.bind(("127.0.0.1", doors[0].getsockname()[1]))
    doors[1].bind(str(folder / "door"))
    doors[2].bind(f"\0advcourse-{doors[0].getsockname()[1]}")
    for door in (*doors[1:], doors[0]):
        door.listen()
    for door in (*doors, datagrams):
        door.setblocking(False)
    boxes = Boxes(LIMITS)
    try:
        with boxes.open():
            pass
    except OSError as error:
        boxes.close()
        shutil.rmtree(folder)
        pytest.skip(f"this system gives no walls: {error}")
    yield SimpleNamespace(folder=folder, secret=secret, doors=doors, datagrams=datagrams, boxes=boxes,
                          temporary=temporary,
                          before=tree(folder))
    boxes.close()
    for door in (*doors, datagrams):
        door.close()
    patch.undo()
    shutil.rmtree(folder)


def tree(folder):
    """From every path below `folder` to its content."""
    return {str(path): path.read_bytes() if path.is_file() else None for path in sorted(folder.rglob("*"))}


def left_over(boxes):
    """The processes of boxes that are still there a moment after they should be gone."""
    zygote, deadline = psutil.Process(boxes.process.pid), time.monotonic() + 5
    while (alive := zygote.children(recursive=True)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return alive


def harm(world):
    """How many things are harmed, and mended again where that can be."""
    now, alive = tree(world.folder), left_over(world.boxes)
    if now != world.before or alive:
        print("changed:", now.keys() ^ world.before.keys(), "still there:", alive)
    found = int(now != world.before) + len(alive) + (world.boxes.process.poll() is not None)
    for door in world.doors:
        try:
            door.accept()[0].close()
            found += 1
        except BlockingIOError:
            pass
    try:
        world.datagrams.recv(100)
        found += 1
    except BlockingIOError:
        pass
    return found


def leaks(world, graded):
    """How often something secret, or the words of an attempt that succeeded, stand in what people will read."""
    told = [mark.reason + mark.message + json.dumps(mark.outcomes) for mark in graded.marks] + list(graded.notes)
    page = feedback_page(*standings([graded]))
    found = sum("GOT THROUGH" in text for text in told) + page.count(world.secret) + page.count(str(SEED))
    return found + page.lower().count("<script") + page.lower().count("<img")


def outcome(world, graded, deserved):
    """A Counter of what went wrong: empty where all is as it should be."""
    wrong = Counter()
    for one in graded:
        wrong["not graded"] += one.problem is not None or one.is_open
        wrong["leaks"] += leaks(world, one)
    points = sum(one.points or 0 for one in graded)
    wrong["undeserved points"] += max(0, points - deserved)
    wrong["deserved points lost"] += max(0, deserved - points)
    wrong["harm"] += harm(world)
    return points, +wrong


def filled_in(code, world):
    return (code.replace("@FOLDER@", str(world.folder)).replace("@PORT@", str(world.doors[0].getsockname()[1]))
            .replace("@PID@", str(world.boxes.process.pid)))


def graded_at(world, content, notebook, seconds=20):
    """The Graded of a notebook's bytes."""
    world.boxes.limits = replace(LIMITS, seconds=seconds)
    return grade(Submission("eve", notebook, "eve.ipynb", content), world.boxes, SEED)


def check(record_property, theme, name, deserved, points, wrong, graded):
    record_property("hostile", [theme, name, points, deserved, dict(wrong)])
    told = [(mark.exercise, mark.state, mark.points, mark.reason) for one in graded for mark in one.marks]
    assert not wrong, ([(one.problem, one.notes) for one in graded], told)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.theme}: {case.name}")
def test_hostile_notebook(case, world, record_property):
    content = notebook_of([filled_in(code, world) for code in case.code])
    graded = graded_at(world, content, case.notebook, case.seconds)
    points, wrong = outcome(world, [graded], case.points)
    check(record_property, case.theme, case.name, case.points, points, wrong, [graded])


@pytest.mark.parametrize("name", cases_files.CASES)
def test_hostile_files(name, world, record_property, tmp_path):
    write_files, deserved = cases_files.CASES[name]
    submissions = tmp_path / "submissions"
    submissions.mkdir()
    write_files(submissions, world.folder / "canary")
    before = {path.name for path in tmp_path.iterdir()}
    world.boxes.limits = replace(LIMITS, seconds=20)
    graded = [grade(one, world.boxes, SEED) for one in collect(submissions)]
    write(standings(graded), tmp_path / "out")
    points, wrong = outcome(world, graded, deserved)
    wrong["harm"] += {path.name for path in tmp_path.iterdir()} != before | {"out"}
    written = "".join(path.read_text() for path in (tmp_path / "out").rglob("*.html")).lower()
    wrong["leaks"] += written.count("<script") + written.count("<img") + written.count(world.secret)
    rows = list(csv.reader(io.StringIO((tmp_path / "out" / "grades.csv").read_text().removeprefix("\ufeff"))))
    wrong["harm"] += sum(row[0].startswith(("=", "@", "+", "-")) or row[0] == "bob" for row in rows)
    check(record_property, "files", name, deserved, points, +wrong, graded)


HONEST_ONES = {
    "solved notebook 01": (lambda: (shipped()["01"].parent / "solutions" / shipped()["01"].name).read_bytes(), 18),
    "three right, one wrong": (lambda: notebook_of([*(HONEST[number] for number in ("01.1", "01.2", "01.3")),
                                                    HONEST["01.4"].replace("== y", "!= y")]), 9),
    "blank notebook 01": (lambda: shipped()["01"].read_bytes(), 0),
}


@pytest.mark.parametrize("name", HONEST_ONES)
def test_honest_notebook_in_the_same_run(name, world, record_property):
    content, deserved = HONEST_ONES[name]
    graded = graded_at(world, content(), "01", seconds=60)
    points, wrong = outcome(world, [graded], deserved)
    check(record_property, "honest", name, deserved, points, wrong, [graded])
    if not deserved:
        assert {mark.state for mark in graded.marks} == {"not attempted"}


def test_nothing_lives_on(world):
    """No process and no temporary file is left when all is over."""
    zygote = world.boxes.process.pid
    assert not left_over(world.boxes)
    world.boxes.close()
    assert not psutil.pid_exists(zygote)
    # that one is PyTorch's
    assert not [name for name in os.listdir(world.temporary) if not name.startswith("torchinductor")]


def test_the_suite_is_as_large_as_it_should_be():
    assert len(CASES) + len(cases_files.CASES) >= 289
    assert len({(case.theme, case.name) for case in CASES}) == len(CASES)
