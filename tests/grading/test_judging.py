"""The grader's own work on what students send ends by the clock, in any thread."""

import threading
import time
from dataclasses import replace

import pytest
import torch

from advcourse.exercises import engine
from advcourse.exercises.catalogue import get
from advcourse.grading import grade


def spins():
    while True:
        try:
            while True:
                pass
        except Exception:  # what forgives a student's mistakes
            pass


class Slow(torch.autograd.Function):
    """A function whose gradient never comes."""

    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, gradient):
        spins()


ENDLESS = {"a loop": spins, "a backward pass": lambda: Slow.apply(torch.ones(1, requires_grad=True)).sum().backward(),
           "sleep": lambda: time.sleep(1000)}


def verdict_of(work):
    made = grade.trials("01.2", 5)
    exercise = replace(get("01.2"), properties={"it ends": lambda probe, result: work()})
    return engine.judged(exercise, made.probes, made.wanted, made.wanted, seed=made.judging, seconds=0.3)


@pytest.mark.parametrize("name", ENDLESS)
def test_judging_without_end_is_a_wrong_answer_in_words(name):
    verdict = verdict_of(ENDLESS[name])
    assert (verdict.state, verdict.points) == (engine.WRONG, 0)
    assert "could not be judged within 0 s: return something smaller or simpler" in verdict.message


@pytest.mark.parametrize("name", ["a loop", "a backward pass"])
def test_it_ends_in_a_thread_too(name):
    """As on a cluster, whose workers run what they are given in threads."""
    verdicts = []
    thread = threading.Thread(target=lambda: verdicts.append(verdict_of(ENDLESS[name])), daemon=True)
    thread.start()
    thread.join(60)
    assert verdicts and verdicts[0].state == engine.WRONG
