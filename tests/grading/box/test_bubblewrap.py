"""Boxes that bubblewrap starts, for systems that let no process make its own walls: as tight, and as just."""

import os
import shutil
import socket
import subprocess

import pytest

from advcourse.files import PACKAGE
from advcourse.grading.box import boxes as module
from advcourse.grading.box.boxes import START, Boxes
from advcourse.grading.box.limits import Limits
from advcourse.grading.box.proof import WALLS
from advcourse.grading.grade import grade
from advcourse.grading.reading.submissions import Submission
from advcourse.pipeline import masters

if not shutil.which("bwrap") or subprocess.run(["bwrap", "--unshare-all", "--ro-bind", "/", "/", "true"],
                                               capture_output=True).returncode:
    pytest.skip("bubblewrap is not here, or may not work", allow_module_level=True)


@pytest.fixture(scope="module")
def boxes():
    with Boxes(Limits(), bubblewrap=True) as opened:
        yield opened


def test_nothing_gets_through(boxes, tmp_path):
    (tmp_path / "secret").write_text("secret")
    secrets = [str(tmp_path / "secret"), "/etc/passwd", str(PACKAGE / "grading" / "grade.py"),
               str(PACKAGE / "exercises" / "notebook_01" / "e1_clip_and_project.py"),
               str(PACKAGE / "exercises" / "notebook_01" / "questions.toml")]
    assert all(map(os.path.exists, secrets))
    quick = [wall for wall in WALLS if wall.name != "bounded time"]
    with socket.create_server(("127.0.0.1", 0)) as server, boxes.open() as box:
        box.start_clock(START)
        for wall in quick:
            box.load([f"SECRETS = {secrets!r}", wall.code])
            said = box.attempt("through", ["port"], {"port": server.getsockname()[1]}, 0)
            assert "problem" in said or said["result"] is not True, wall.name


def test_a_solved_notebook_gets_all_points(boxes):
    [path] = (masters.ROOT / "notebooks" / "solutions").glob("00_*.ipynb")
    graded = grade(Submission("ada", "00", path, path.read_bytes()), boxes, 7)
    assert (graded.problem, graded.points) == (None, 3)


def test_it_is_taken_where_the_walls_are_refused(monkeypatch):
    def refused(self, request):
        raise module.WallsRefused("the walls cannot be put up")
    monkeypatch.setattr(Boxes, "forked", refused)
    with Boxes(Limits()) as boxes:
        assert boxes.bubblewrap
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with Boxes(Limits()) as boxes, pytest.raises(OSError, match="cannot be put up"), boxes.open():
        pass


def test_what_bubblewrap_complains_of_is_told(monkeypatch):
    monkeypatch.setattr(module, "bubblewrap_command", lambda request: ["bwrap", "--no-such-option"])
    with Boxes(Limits(), bubblewrap=True) as boxes, pytest.raises(OSError, match="no-such-option"), boxes.open():
        pass
