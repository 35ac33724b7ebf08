"""A function that never ends is stopped with a verdict, and so is what it returned."""

import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from advcourse.exercises import engine
from tests.exercises.simple import double, exercise, run


def swallows_everything(x):
    while True:
        try:
            x = x + 1
        except:  # noqa: E722 (as students write it)
            x = 0


def swallows_in_c(x):
    while True:
        try:
            for _ in range(10**5):
                torch.ones(100, 100).sum()
        except:  # noqa: E722 (as students write it)
            continue


def loops(x):
    while True:
        x = x + 1


@pytest.mark.parametrize("function", [swallows_everything, swallows_in_c, lambda x: time.sleep(60), loops])
@pytest.mark.parametrize("in_thread", [False, True])
def test_a_function_that_never_ends_is_stopped_with_a_verdict(function, in_thread, monkeypatch):
    monkeypatch.setattr(engine, "SECONDS", 0.3)
    if in_thread and function not in (swallows_everything, loops):
        return  # a thread cannot end one call into C
    with ThreadPoolExecutor() as pool:
        verdict = pool.submit(run, function).result(20) if in_thread else run(function)
    assert verdict.state == "wrong" and "did not come to an end within 0 s" in verdict.message
    assert run(double).state == "passed"


def test_what_was_returned_may_not_keep_the_judge_for_ever(monkeypatch):
    monkeypatch.setattr(engine, "SECONDS", 0.1)
    called = exercise(lambda x: double, {"x": torch.ones(1)},
                      asks=lambda probe, result: None if result(probe["x"]) == 2 else "off")
    assert engine.run(called, lambda x: loops).message.startswith("what your function returned could not be judged")
    assert engine.run(called, lambda x: double).state == "passed"


def test_a_timer_that_runs_already_goes_on(monkeypatch):
    rung = []
    before = signal.signal(signal.SIGALRM, lambda *_: rung.append(True))
    kept = signal.setitimer(signal.ITIMER_REAL, 0.2)
    try:
        assert run(double).state == "passed"
        assert 0 < signal.getitimer(signal.ITIMER_REAL)[0] <= 0.2
        time.sleep(0.3)
        assert rung == [True]
    finally:
        signal.setitimer(signal.ITIMER_REAL, *kept)
        signal.signal(signal.SIGALRM, before)
