"""An end by the clock for what the grader computes itself out of what a student's code sent."""

import ctypes
import threading
from contextlib import contextmanager


class OutOfTime(BaseException):
    """The time is over. No Exception: what forgives the mistakes of a student's code must not swallow it."""


@contextmanager
def time_limit(seconds):
    """Raise OutOfTime in this block once it has taken so many seconds, in whichever thread it runs.

    It is raised between two steps of Python; a single call into C is not cut short, so sizes must be bounded, too.
    """
    done, runner = threading.Event(), threading.get_ident()

    def watch():
        wait = seconds
        while not done.wait(wait):
            raise_in(runner, OutOfTime)
            wait = 1  # again, as it is lost where it is raised in a __del__

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        try:
            done.set()
        finally:  # it may be raised in the line before
            done.set()
        watcher.join()
        raise_in(runner, None)  # one that is on its way comes too late


def raise_in(thread, error):
    """Raise `error`, a class, in the thread of this number at its next step; None takes back one that waits."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(error) if error else None)
