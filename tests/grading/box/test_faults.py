"""Our own faults are never a student's, and what does not come out of a box is told in words."""

import time
from dataclasses import replace

import pytest

from advcourse.exercises.catalogue import Exercise, all_exercises
from advcourse.exercises.sendable import WANTED
from advcourse.grading import grade as grading
from advcourse.grading.box import syscalls
from advcourse.grading.box.boxes import Boxes
from tests.grading.box.samples import LIMITS, RIGHT, graded_of

# --- our own faults ---------------------------------------------------------------------------------------------------

def to_be_graded(graded):
    return graded.problem is not None and {mark.state
                                           for mark in graded.marks} == {"to be graded"} and graded.points is None


def test_a_box_that_does_not_open_is_our_fault(boxes, monkeypatch):
    def refused(*_, **__):
        raise OSError("the walls cannot be put up: no permission")

    monkeypatch.setattr(boxes, "forked", refused)
    monkeypatch.setattr(boxes, "bubblewrapped", refused)
    graded = graded_of(boxes, RIGHT["01.1"])
    assert to_be_graded(graded) and "cannot be put up" in graded.problem


def test_a_process_that_died_is_our_fault():
    boxes = Boxes(LIMITS)
    boxes.process.kill()
    boxes.process.wait()
    try:
        graded = graded_of(boxes, RIGHT["01.1"])
        assert to_be_graded(graded) and "no box can be opened" in graded.problem
    finally:
        boxes.close()


def test_a_reference_that_fails_is_our_fault(boxes, monkeypatch):
    exercise = next(task for task in all_exercises("01") if isinstance(task, Exercise))
    monkeypatch.setattr(grading, "get", lambda number: replace(exercise, reference=lambda x_p, x, eps: x_p))
    grading.trials.cache_clear()
    try:
        graded = graded_of(boxes, RIGHT["01.1"])
    finally:
        grading.trials.cache_clear()
    assert to_be_graded(graded) and "own solution" in graded.problem


def test_a_check_that_fails_is_our_fault(boxes, monkeypatch):
    def broken(*_):
        raise KeyError("a slip of ours")

    grading.trials("01.1", 5)
    monkeypatch.setattr(grading.engine, "judge", broken)
    assert to_be_graded(graded_of(boxes, RIGHT["01.1"]))


def test_a_system_without_walls_is_told_in_words(monkeypatch):
    monkeypatch.setattr(syscalls.sys, "platform", "plan9")
    with pytest.raises(OSError, match="needs Linux"):
        syscalls.column()


# --- words for what does not come out ---------------------------------------------------------------------------------

def reason(boxes, notebook, *cells):
    """Why the first exercise that was attempted is wrong."""
    graded = graded_of(boxes, *cells, notebook=notebook)
    return next(mark.reason for mark in graded.marks if mark.state == "wrong")


def test_an_honest_sparse_tensor_is_told_what_is_wanted(boxes):
    sparse = RIGHT["01.1"] + ".to_sparse()"
    assert reason(boxes, "01", sparse) == ("your function's result cannot be judged: it is a tensor of the layout "
                                           f"sparse_coo, where {WANTED}: `.to_dense()` makes one")


def test_an_honest_network_that_is_too_large_is_told_how_large_it_may_be(boxes):
    deep = "def defend(x, y, eps):\n    return torch.nn.Sequential(*[torch.nn.Identity() for _ in range(300)])"
    assert "a network of 300 layers with 0 weights is too large: at most 24 layers" in reason(boxes, "10", deep)


def test_a_result_too_large_to_send_is_told_so(boxes):
    large = "def project(x_p, x, eps):\n    return torch.zeros(9_000_000)"
    assert "this is too much to send: 36 MB" in reason(boxes, "01", large)


def test_a_probe_of_ours_that_is_kept_at_work_ends_by_the_clock(boxes, monkeypatch):
    """The box waits for the grader, so the box's own deadline does not help."""
    def endless(*_):
        while True:
            pass

    made = replace(grading.trials("01.4", 5), probes=[{**grading.trials("01.4", 5).probes[0], "attack": endless}])
    monkeypatch.setattr(grading, "trials", lambda number, seed: made)
    boxes.limits = replace(LIMITS, seconds=2)
    start = time.monotonic()
    assert "did not come to an end within 2 s" in reason(boxes, "01", RIGHT["01.4"])
    assert time.monotonic() - start < 40
