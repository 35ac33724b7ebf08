"""Boxes for students' code, from the grader's side: open one, load the definitions, call the functions."""

import functools
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path

from advcourse.files import PACKAGE
from advcourse.grading.box import walls, wire
from advcourse.grading.box.elsewhere import remedy
from advcourse.grading.box.limits import Limits

START = 60  # seconds until PyTorch is imported, on a slow machine


class WallsRefused(OSError):
    """The system does not let a process make its own walls."""


class Boxes:
    """Where boxes come from: a process that has imported PyTorch and forks. Close it with `close` or a with block.

    Where the system lets no process make its own walls, each box is started by bubblewrap instead, which takes seconds.
    walled: False runs students' code with the rights of whoever grades. Only for code of one's own.
    """

    def __init__(self, limits=None, walled=True, bubblewrap=False):
        self.limits, self.walled, self.bubblewrap = limits or Limits(), walled, bubblewrap
        self.control, theirs = socket.socketpair()
        with theirs:
            self.process = started([], [theirs.fileno()])
        # now and for good: what is proven of one road is not of the other
        if walled and not bubblewrap and shutil.which("bwrap"):
            try:
                with self.open():
                    pass
            except WallsRefused:
                self.bubblewrap = True

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """End the process, and with it every box."""
        self.control.close()
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()

    @contextmanager
    def open(self, exercises=1):
        """A Box, for the work on so many exercises. Raises OSError where none can be had: no student is to blame."""
        request = {"limits": asdict(self.limits), "seconds": self.limits.seconds * max(1, exercises),
                   "walls": self.walled, "checkouts": checkouts(), "hidden": own_folders(), "size": walls.own_size()}
        connection, process = self.bubblewrapped(request) if self.bubblewrap else self.forked(request)
        try:
            yield Box(connection, self.limits.seconds)
        finally:
            end(process)
            connection.close()

    def forked(self, request):
        """(connection, handle of the process) of a box that the waiting process forks."""
        ours, theirs = socket.socketpair()
        process = None
        try:
            with theirs:
                socket.send_fds(self.control, [json.dumps(request).encode()], [theirs.fileno()])
            said = next_line(ours)
            while "process" not in said:  # the box may be ready before the one who forked it says so
                said |= next_line(ours)
            process = os.pidfd_open(said["process"])
            while "ready" not in said:
                said |= next_line(ours)
            return ours, process
        except (OSError, EOFError) as error:
            ours.close()
            if process is not None:
                end(process)
            if isinstance(error, WallsRefused):
                raise
            raise OSError(f"no box can be opened: {self.words() or error}") from None

    def bubblewrapped(self, request):
        """(connection, handle of the process) of a box that bubblewrap starts."""
        ours, theirs = socket.socketpair()
        with theirs, tempfile.TemporaryFile() as said:
            child = started(bubblewrap_command(request), [theirs.fileno()], json.dumps(request), stderr=said)
            process = os.pidfd_open(child.pid)
            try:
                theirs.close()
                next_line(ours)
                return ours, process
            except (OSError, EOFError) as error:
                end(process)
                ours.close()
                child.wait()
                said.seek(0)
                words = last_line(said.read()) or str(error)
                mend = f": {remedy()}" if words.startswith("bwrap: ") else ""
                raise OSError(f"bubblewrap opens no box ({words}){mend}") from None

    def is_alive(self):
        """Does the process still wait? It never says anything: what can be read is its end."""
        return not select.select([self.control], [], [], 0)[0]

    def words(self):
        """What the process said when it died; "" while it lives."""
        if self.is_alive():
            return ""
        return last_line(self.process.stderr.read())


def last_line(said):
    """The last line of what a process wrote, bytes; "" where it wrote nothing."""
    return "".join(said.decode(errors="replace").strip().splitlines()[-1:])


def checkouts():
    """Every folder in Python's path that is a checkout of the course, with its exercises and solutions in the open."""
    folders = {PACKAGE.parent, *(Path(folder).resolve() for folder in sys.path if folder)}
    return sorted(str(folder) for folder in folders if (folder / "notebooks" / "source").is_dir())


@functools.cache
def own_folders():
    """Every folder of this Python and of the system's that holds the course or a part of it, such as its notebooks."""
    folders = [*map(Path, filter(None, sys.path)), *Path("/usr/lib").glob("python3*/*-packages"),
               *Path("/usr/local/lib").glob("python3*/*-packages")]
    inside = [folder / "advcourse" for folder in folders if (folder / "advcourse").is_dir()]
    return sorted({str(PACKAGE), *(str(folder.resolve()) for folder in inside)})


def needed_modules():
    """The files of the course that inside.py imports: none of them holds an exercise, its solution or its probes."""
    box = [PACKAGE / "grading" / "box" / f"{name}.py"
           for name in ("__init__", "inside", "limits", "syscalls", "values", "walls", "wire")]
    exercises = [path for path in (PACKAGE / "exercises").glob("*.py")
                 if not path.name.startswith(("notebook_", "probes"))]
    alone = ("__init__.py", "version.py", "files.py", "randomness.py", "grading/__init__.py")
    return [*(PACKAGE / name for name in alone), *box, *exercises]


def started(before, handles, *arguments, stderr=subprocess.PIPE):
    """The process of inside.py, by itself or through the command `before`; it inherits the handles, and no secret."""
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(PACKAGE.parent), "OMP_NUM_THREADS": "1",
                   "MKL_NUM_THREADS": "1", "HOME": walls.SCRATCH, "TMPDIR": walls.SCRATCH,
                   "MPLCONFIGDIR": walls.SCRATCH, "MPLBACKEND": "agg", "CUDA_VISIBLE_DEVICES": "",
                   "PYTHONDONTWRITEBYTECODE": "1", "LANG": "C.UTF-8"}
    command = [*before, sys.executable, "-P", "-m", "advcourse.grading.box.inside", str(handles[0]), *arguments]
    return subprocess.Popen(command, cwd="/", env=environment, pass_fds=handles, stdin=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL, stderr=stderr)


def bubblewrap_command(request):
    """bubblewrap, with the files that inside.py needs: Python, its packages, and of the course `needed_modules`."""
    python = [Path(sys.prefix, "bin"), Path(sys.prefix, "pyvenv.cfg"), Path(sys.base_prefix, "bin"),
              Path(sys.base_prefix, "lib")]
    command = ["bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--as-pid-1", "--cap-drop", "ALL",
               "--size", str(request["limits"]["scratch"]), "--tmpfs", walls.SCRATCH]
    for path in [*walls.needed_files(request["checkouts"]), *(path.resolve() for path in python if path.exists())]:
        command += ["--dev-bind" if path.is_relative_to("/dev") else "--ro-bind", str(path), str(path)]
    for link in (Path("/lib"), Path("/lib64"), Path(sys.executable)):
        if link.is_symlink() and not any(link.parent == path for path in python):
            command += ["--symlink", os.readlink(link), str(link)]
    for folder in request["hidden"]:
        command += ["--tmpfs", folder]
    for path in needed_modules():
        command += ["--ro-bind", str(path), str(path)]
    for folder in request["hidden"]:
        command += ["--remount-ro", folder]
    return [*command, "--remount-ro", "/", "--chdir", walls.SCRATCH, "--"]


def end(process):
    """Kill a box by its handle; the first process of a namespace takes all others along."""
    with suppress(ProcessLookupError):
        signal.pidfd_send_signal(process, signal.SIGKILL)
    os.close(process)


def next_line(connection):
    """What a box says of itself before it answers: a dict. OSError where it has no walls, EOFError where it died."""
    line, deadline = b"", time.monotonic() + START
    while not line.endswith(b"\n"):
        if not select.select([connection], [], [], max(0, deadline - time.monotonic()))[0]:
            raise OSError("the box does not start")
        letter = connection.recv(1)
        if not letter:
            raise EOFError("the box ended before it was ready")
        line += letter
    said = json.loads(line)
    if "failed" in said:
        raise WallsRefused(f"the walls cannot be put up ({said['failed']}): {remedy()}")
    return said


class Box:
    """One submission's process. After a call that ends in wire.Closed or wire.Malformed nothing more comes from it."""

    def __init__(self, connection, seconds):
        self.peer, self.seconds = wire.Peer(connection), seconds

    def load(self, statements):
        """Run a notebook's definitions; what cannot be defined says so when it is called."""
        try:
            self.peer.ask("load", list(statements))
        except RuntimeError:
            if self.peer.is_broken:
                raise

    def attempt(self, name, wanted, probe, seed, by=""):
        """What came of calling the student's function `name`, as `inside.tried` says if nobody meddled with it."""
        try:
            return self.peer.ask("attempt", name, list(wanted), probe, seed, by)
        finally:
            self.peer.functions.clear()  # what the probe brings along can be asked as long as the call lasts

    def start_clock(self, seconds=None):
        """From now on there are so many seconds for all that is asked."""
        self.peer.deadline = time.monotonic() + (seconds or self.seconds)
