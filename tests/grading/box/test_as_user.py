"""Where the grader is not root, its boxes bear its own user's number: they must not reach it for all that."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from advcourse.grading.box.boxes import Boxes

SCRIPT = """
import os
from advcourse.grading.box import proof
from advcourse.grading.box.boxes import Boxes

CODE = '''
import ctypes, os
def f():
    libc = ctypes.CDLL(None)
    for way in (lambda: os.setpriority(os.PRIO_PGRP, 0, 19), lambda: os.setpriority(os.PRIO_USER, 0, 19),
                lambda: libc.syscall(251, 2, 0, 3 << 13), lambda: os.kill(0, 9)):
        try:
            way()
        except OSError:
            pass
'''
assert os.geteuid() != 0
with Boxes(bubblewrap=BUBBLEWRAP) as boxes, boxes.open() as box:
    box.start_clock(60)
    box.load([CODE])
    box.attempt("f", [], {}, 0)
assert os.getpriority(os.PRIO_PROCESS, 0) == 0
walls = {} if BUBBLEWRAP else proof.report()
print("broken:", [name for name, holds in walls.items() if not holds])
"""

# Python may lie in a home that is closed to others: in a mount namespace of its own, an open folder stands there.
OPENED = """
mkdir "$1"/inside && chmod 755 "$1" "$1"/inside && mount --bind "$2" "$1"/inside && mount --rbind "$1" "$3"
shift 3
"""


def command(empty):
    """A command that runs Python as another user than root. empty: a folder for a mount."""
    if os.geteuid():
        return [sys.executable]
    user = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", sys.executable]
    base = Path(os.path.realpath(sys.base_prefix))
    closed = [folder for folder in [base, *base.parents] if not folder.stat().st_mode & 1]
    if not closed:
        return user
    [home] = closed
    inside = base.relative_to(home).parts[0]
    opened = OPENED.replace("/inside", f"/{inside}")
    script = f'{opened} exec "$@"'
    return ["unshare", "--mount", "bash", "-ec", script, "-", str(empty), str(home / inside), str(home), *user]


@pytest.mark.parametrize("bubblewrap", [False, True], ids=["forked", "bubblewrap"])
def test_a_user_s_boxes_do_not_reach_the_grader(bubblewrap, tmp_path):
    if bubblewrap and not shutil.which("bwrap"):
        pytest.skip("bubblewrap is not here, or may not work")
    try:
        with Boxes(bubblewrap=bubblewrap) as boxes, boxes.open():
            pass
    except OSError as error:
        pytest.skip(f"this system gives no walls: {error}")
    done = subprocess.run([*command(tmp_path), "-c", SCRIPT.replace("BUBBLEWRAP", str(bubblewrap))], cwd="/",
                          capture_output=True, text=True, timeout=300)
    assert done.returncode == 0 and done.stdout == "broken: []\n", done.stdout + done.stderr
