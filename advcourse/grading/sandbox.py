"""Boxes for students' code, from the grader's side: open one, load the definitions, call the functions."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import advcourse
from advcourse import files
from advcourse.grading import walls, wire

PACKAGE = Path(advcourse.__file__).resolve().parent
START = 60  # seconds until PyTorch is imported, on a slow machine


class Boxes:
    """Where boxes come from: a process that has imported PyTorch and forks. Closes with `close` or a with block.

    walled: False runs students' code with the rights of whoever grades. Only for code of one's own.
    """

    def __init__(self, limits=None, walled=True):
        self.limits, self.walled = limits or walls.Limits(), walled
        ours, theirs = socket.socketpair()
        environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(PACKAGE.parent), "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1",
                       "HOME": walls.SCRATCH, "TMPDIR": walls.SCRATCH, "MPLCONFIGDIR": walls.SCRATCH, "MPLBACKEND": "agg",
                       "CUDA_VISIBLE_DEVICES": "", "PYTHONDONTWRITEBYTECODE": "1", "LANG": "C.UTF-8"}
        self.process = subprocess.Popen([sys.executable, "-P", "-m", "advcourse.grading.box", str(theirs.fileno())], cwd="/",
                                        env=environment, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        theirs.close()
        self.control = ours

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
        """A Box, for the work on so many exercises. Raises OSError where none can be had: that is never a student's fault."""
        ours, theirs = socket.socketpair()
        request = {"limits": asdict(self.limits), "seconds": self.limits.seconds * max(1, exercises), "walls": self.walled,
                   "checkout": str(files.checkout() or ""), "hidden": [str(PACKAGE)]}
        process = None
        try:
            with theirs:
                socket.send_fds(self.control, [json.dumps(request).encode()], [theirs.fileno()])
            process = pidfd(first_lines(ours, "process")["process"])
            first_lines(ours, "ready")
            yield Box(ours, self.limits.seconds)
        except (BrokenPipeError, ConnectionError, EOFError) as error:
            raise OSError(f"no box can be opened: {self.words() or error}") from None
        finally:
            if process is not None:
                try:
                    signal.pidfd_send_signal(process, signal.SIGKILL)  # the first of a namespace takes all others along
                except ProcessLookupError:
                    pass
                os.close(process)
            ours.close()

    def words(self):
        """What the process said when it died; "" while it lives."""
        if self.process.poll() is None:
            return ""
        return self.process.stderr.read().decode(errors="replace").strip().splitlines()[-1:][0]


def pidfd(process):
    """A handle that stays true when the number is given to another process."""
    return os.pidfd_open(process)


def first_lines(connection, wanted):
    """What a box says of itself before it answers: the line that holds `wanted`."""
    line, deadline = b"", time.monotonic() + START
    while not line.endswith(b"\n"):
        if not select.select([connection], [], [], max(0, deadline - time.monotonic()))[0]:
            raise OSError("the box does not start")
        letter = connection.recv(1)
        if not letter:
            raise EOFError("the box ended before it was ready")
        line += letter
    message = json.loads(line)
    if wanted not in message:
        raise OSError(f"the walls cannot be put up: {message.get('failed', message)}")
    return message


class Box:
    """One submission's process. Once a call has failed with wire.Closed or wire.Malformed, nothing more comes from it."""

    def __init__(self, connection, seconds):
        self.peer, self.seconds = wire.Peer(connection), seconds

    def load(self, statements):
        """Run a notebook's definitions; what cannot be defined says so when it is called."""
        try:
            self.peer.ask("load", list(statements))
        except RuntimeError:
            if self.peer.is_broken:
                raise

    def attempt(self, name, wanted, probe, seed):
        """What came of the call of the student's function `name`: what `box.tried` returns, if nobody meddled with it."""
        try:
            return self.peer.ask("attempt", name, list(wanted), probe, seed)
        finally:
            self.peer.functions.clear()  # what the probe brings along can be asked as long as the call lasts

    def start_clock(self, seconds=None):
        """From now on there are so many seconds for all that is asked."""
        self.peer.deadline = time.monotonic() + (seconds or self.seconds)
