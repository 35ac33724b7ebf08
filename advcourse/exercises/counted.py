"""Functions among the probes that count how often a student's function asks them: where cost is the lesson."""

import contextlib
from collections.abc import Callable, Iterator

import numpy as np
import torch

from advcourse.exercises.attempt import TIMES


class Counted:
    """A function among the probes that counts how often the student's asks it.

    calls: how often, in one call of the student's function. rows: how many rows of its first argument, in all; of
    a list, its entries.
    """

    def __init__(self, function: Callable):
        self.function, self.counts = function, False
        self.calls = self.rows = 0.0

    def __call__(self, *arguments, **keywords):
        if self.counts:
            self.calls += 1 / TIMES
            first = next(iter([*arguments, *keywords.values()]), None)
            has_rows = isinstance(first, list | tuple) or (isinstance(first, torch.Tensor | np.ndarray) and first.ndim)
            self.rows += (len(first) if has_rows else 1) / TIMES
        return self.function(*arguments, **keywords)


@contextlib.contextmanager
def counting(probe: dict) -> Iterator[None]:
    """Within it the Counted functions of a probe, or of its lists, count from 0; what checks ask of them is free."""
    values = [part for value in probe.values() for part in (value if isinstance(value, list) else [value])]
    counted = [value for value in values if isinstance(value, Counted)]
    for function in counted:
        function.counts, function.calls, function.rows = True, 0.0, 0.0
    try:
        yield
    finally:
        for function in counted:
            function.counts = False
