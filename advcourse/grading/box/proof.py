"""Does each wall of the box hold on this machine? Tried, not asked: code that would get through runs in a box."""

import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path

from advcourse.files import PACKAGE
from advcourse.grading.box import wire
from advcourse.grading.box.boxes import START, Boxes
from advcourse.grading.box.limits import Limits


@dataclass(frozen=True)
class Wall:
    """A wall, and a function `through` in Python's source that returns True where it got to the other side."""

    name: str
    code: str


WALLS = (
    Wall("no network", """
import socket
def through(port):
    with socket.create_connection(("127.0.0.1", port), timeout=5):
        return True
"""),
    Wall("no other process, no new program", """
import os
def through(port):
    child = os.fork()
    if child == 0:
        os._exit(0)
    return True
"""),
    Wall("no sight of other processes", """
import os
def through(port):
    return any(name.isdigit() and int(name) > 1 for name in os.listdir("/proc"))
"""),
    Wall("no reach to the grader's processes", """
import ctypes, os
def through(port):
    libc, group, idle = ctypes.CDLL(None), os.PRIO_PGRP, 3 << 13
    own = os.getpriority(os.PRIO_PROCESS, 0)
    if os.getpgid(0) != os.getpid():  # the group of others
        return True
    ways = [lambda: os.setpriority(group, 0, own), lambda: os.setpriority(os.PRIO_USER, 0, own),
            lambda: os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0)),
            lambda: os.sched_setaffinity(0, os.sched_getaffinity(0)), lambda: os.kill(0, 0), lambda: os.kill(-1, 0),
            lambda: os.killpg(os.getpgid(0), 0), lambda: os.setpgid(0, 0)]
    for way in ways:
        try:
            way()
            return True
        except OSError:
            pass
    here = (ctypes.c_ulong * 2)(ctypes.addressof(libc.getpid), 8)
    calls = [(251, 2, 0, idle), (302, os.getppid() or 1, 7, 0, 0), (307, 0, 0, 0, 0),
             (310, os.getppid() or 1, here, 1, here, 1, 0)] if os.uname().machine == "x86_64" else []
    return any(libc.syscall(*call) >= 0 for call in calls)
"""),
    Wall("no file of the instructor's", """
import os
def through(port):
    return any(os.path.exists(path) for path in SECRETS)
"""),
    Wall("nothing of the course's exercises", """
import os, sys
def through(port):
    for folder in sys.path:
        for _, folders, files in os.walk(os.path.join(folder, "advcourse")):
            if any(name.startswith(("notebook", "attacks", "probes", "questions")) for name in folders + files):
                return True
"""),
    Wall("nothing writable but the scratch folder", """
import os, sys
def through(port):
    for folder in [*sys.path, "/", "/usr/lib", os.path.dirname(os.__file__)]:
        try:
            name = os.path.join(folder, "advcourse-was-here")
            with open(name, "w"):
                os.unlink(name)
            return True
        except OSError:
            pass
"""),
    Wall("no privileges", """
import ctypes, os
def through(port):
    return os.geteuid() == 0 and ctypes.CDLL(None).setuid(0) == 0 or ctypes.CDLL(None).unshare(0x10000000) == 0
"""),
    Wall("bounded memory", """
def through(port):
    return len(bytearray(8 << 30)) > 0
"""),
    Wall("bounded scratch folder", """
def through(port):
    with open("flood", "wb") as file:
        for _ in range(1024):
            file.write(bytes(1 << 20))
    return True
"""),
    Wall("bounded threads", """
import threading
def through(port):
    stop = threading.Event()
    try:
        for _ in range(2000):
            threading.Thread(target=stop.wait, daemon=True).start()
    finally:
        stop.set()
    return True
"""),
    Wall("bounded time", """
import time
def through(port):
    time.sleep(8)
    return True
"""),
)


def holds(boxes, wall, port, secrets):
    """Did code in a box fail to get through this wall? What comes to no end proves only the bound on time."""
    with boxes.open() as box:
        box.start_clock(2 if wall is WALLS[-1] else START)
        try:
            box.load([f"SECRETS = {secrets!r}", wall.code])
            said = box.attempt("through", ["port"], {"port": port}, 0)
            return isinstance(said, dict) and ("problem" in said or said.get("result") is not True)
        except wire.Closed as error:
            return wall is WALLS[-1] or "too long" not in str(error)


def report(walled=True):
    """From the name of each wall to whether it holds on this machine. Raises OSError where no box can be had."""
    around = [path for folder in (Path.home(), Path.cwd(), PACKAGE) for path in folder.glob("*") if path.is_file()]
    around += [path for kind in ("*.py", "*.toml") for path in (PACKAGE / "exercises").rglob(kind)]
    with (socket.create_server(("127.0.0.1", 0)) as server, tempfile.NamedTemporaryFile() as file,
          Boxes(Limits(), walled) as boxes):
        secrets = [file.name, "/etc/passwd", *map(str, around)]
        return {wall.name: holds(boxes, wall, server.getsockname()[1], secrets) for wall in WALLS}
