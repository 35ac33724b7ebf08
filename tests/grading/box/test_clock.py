"""The grader's own work on what students send ends by the clock, in any thread."""

import threading
import time
from dataclasses import replace

import pytest
import torch

from advcourse.exercises import engine
from advcourse.exercises.attempt import Attempt
from advcourse.exercises.catalogue import get
from advcourse.grading import grade
from advcourse.grading.box.clock import OutOfTime, time_limit


def never_ends():
    while True:
        try:
            while True:
                torch.zeros(10).sum()
        except Exception:  # what forgives a student's mistakes
            pass


def cut(seconds=0.2):
    start = time.monotonic()
    with pytest.raises(OutOfTime), time_limit(seconds):
        never_ends()
    return time.monotonic() - start


def test_what_never_ends_is_cut():
    assert 0.2 <= cut() < 30


def test_it_is_cut_in_a_thread_too():
    took = []
    thread = threading.Thread(target=lambda: took.append(cut()))
    thread.start()
    thread.join(60)
    assert took and took[0] >= 0.2


def test_what_ends_in_time_is_left_alone_and_so_is_what_comes_after():
    for _ in range(3):
        with time_limit(0.2):
            done = sum(range(1000))
    time.sleep(0.5)
    assert done == 499500
    assert not [one for one in threading.enumerate() if "watch" in one.name], "its thread has ended"


def test_an_error_in_the_block_comes_out():
    with pytest.raises(KeyError), time_limit(60):
        raise KeyError("x")


def test_the_backward_pass_is_cut_too():
    class Slow(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clone()

        @staticmethod
        def backward(ctx, gradient):
            never_ends()

    with pytest.raises(OutOfTime), time_limit(0.2):
        Slow.apply(torch.ones(1, requires_grad=True)).sum().backward()


def test_judging_without_end_is_a_wrong_answer_in_words():
    made = grade.trials("01.2", 5)
    endless = replace(get("01.2"), properties={"it ends": lambda probe, result: never_ends()})
    verdict = grade.judged(endless, made, [Attempt(wanted) for wanted in made.wanted], 0.3)
    assert (verdict.state, verdict.points) == (engine.WRONG, 0)
    assert "could not be judged within 0 s: return something smaller or simpler" in verdict.message
