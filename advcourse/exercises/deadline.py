"""An end for what may never come to one."""

import contextlib
import ctypes
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

OURS = str(Path(__file__).parent)
AGAIN = 0.05  # seconds after which it is raised once more, for code that catches everything


class OutOfTime(BaseException):
    """The time is up. No Exception: a student's `except Exception` shall not catch it."""


@contextlib.contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Raise OutOfTime in the block once it has lasted so long, and again until it ends.

    In the main thread of Linux and macOS a timer of the system does it, which wakes sleeping code, too. Elsewhere a
    thread does, which cannot end a single call into a library that is written in C.
    """
    is_main = threading.current_thread() is threading.main_thread()
    has_timer = hasattr(signal, "setitimer") and hasattr(signal, "SIGALRM") and is_main
    with timer(seconds) if has_timer else watchdog(seconds):
        yield


@contextlib.contextmanager
def timer(seconds: float) -> Iterator[None]:
    """`deadline` by the system's timer; another one that runs is put back afterwards."""
    rung, tracer, start = [], sys.gettrace(), time.monotonic()

    def stop(frame, event, argument):
        if event == "line":
            raise OutOfTime
        return stop

    def ring(number, frame):
        if rung:  # a bare `except:` has caught it: now the line that caught it raises, too, and every one after it
            sys.settrace(lambda *_: None)
            while frame and not frame.f_code.co_filename.startswith(OURS):
                frame.f_trace, frame = stop, frame.f_back
        rung.append(True)
        raise OutOfTime

    handler = signal.signal(signal.SIGALRM, ring)
    left, again = signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        sys.settrace(tracer)
        signal.signal(signal.SIGALRM, handler or signal.SIG_DFL)  # None where it was not set from Python
        if left:
            signal.setitimer(signal.ITIMER_REAL, max(left - (time.monotonic() - start), 1e-3), again)


@contextlib.contextmanager
def watchdog(seconds: float) -> Iterator[None]:
    """`deadline` by a thread."""
    thread, is_over, lock = ctypes.c_ulong(threading.get_ident()), threading.Event(), threading.Lock()

    def watch():
        wait = seconds
        while not is_over.wait(wait):
            with lock:
                if not is_over.is_set():
                    ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, ctypes.py_object(OutOfTime))
            wait = AGAIN

    def end():
        try:
            is_over.set()
            with lock:  # one that was sent until now arrives here: to take it back would slow Python down for good
                pass
        except OutOfTime:
            end()

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        end()
