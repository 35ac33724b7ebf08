"""One call of a student's function: what came back, or what went wrong in words.

Nothing here knows what an exercise asks for, so a grader can load this file into the box where the student's code runs.
"""

import contextlib
import copy
import inspect
import random
import re
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch

from advcourse.exercises.kinds import describe


@dataclass(frozen=True)
class Attempt:
    """What came of one call of the student's function: a result, or the problem in words, or nothing written yet."""

    result: object = None
    problem: str | None = None
    is_open: bool = False
    changed: tuple = ()  # names of the arguments that the call changed in place


def attempt(function: Callable, probe: dict, seed: int = 0) -> Attempt:
    """Call `function` on a copy of the probe; whatever it raises is turned into words."""
    arguments = _snapshot(probe)
    with isolated(seed):
        try:
            result = _snapshot(function(**arguments))
        except NotImplementedError as error:
            if not error.args:  # torch's own NotImplementedErrors say what is missing: those are mistakes
                return Attempt(is_open=True)
            return Attempt(problem=_in_words(error, function))
        except (Exception, SystemExit) as error:
            return Attempt(problem=_in_words(error, function))
    changed = tuple(name for name in probe if not _same(probe[name], arguments[name]))
    return Attempt(result, changed=changed)


def signature_problem(wanted: Iterable[str], function: object) -> str | None:
    """In words, why `function` cannot be called with arguments of the names `wanted`; None where it can."""
    if not callable(function):
        return (f"`check` wants your function itself, but was given {describe(function)}: "
                "write its name without parentheses after it")
    try:
        signature = inspect.signature(function)
    except ValueError:  # some builtins have none
        return None
    try:
        signature.bind(**dict.fromkeys(wanted))
    except TypeError:
        return (f"your function takes `({', '.join(signature.parameters)})`; it must take `({', '.join(wanted)})`, "
                "by these names: put the `def` line back as it was")
    return None


@contextlib.contextmanager
def isolated(seed: int) -> Iterator[None]:
    """Seed every global random generator, switch gradients on, and put all back afterwards."""
    python_state, numpy_state = random.getstate(), np.random.get_state()
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())), torch.enable_grad():
        random.seed(seed)
        np.random.seed(seed % 2**32)
        torch.manual_seed(seed)
        try:
            yield
        finally:
            random.setstate(python_state)
            np.random.set_state(numpy_state)


def _snapshot(value):
    """A copy that shares no memory with `value`: tensors without their history, generators in their present state."""
    if isinstance(value, torch.Tensor):
        return value.detach().clone()
    if isinstance(value, torch.nn.Module):
        return copy.deepcopy(value)  # a student who trains or switches it leaves ours as it was
    if isinstance(value, torch.Generator):
        return torch.Generator(value.device).set_state(value.get_state())
    if isinstance(value, np.ndarray):
        return value.copy()
    if type(value) in (list, tuple):
        return type(value)(_snapshot(part) for part in value)
    if type(value) is dict:
        return {key: _snapshot(part) for key, part in value.items()}
    return value


def _same(before, after):
    """Whether a call left this argument as it was."""
    if type(before) is not type(after):
        return False
    if isinstance(before, torch.Tensor):
        return ((before.shape, before.dtype, before.device) == (after.shape, after.dtype, after.device)
                and torch.equal(before, after))
    if isinstance(before, torch.nn.Module):
        return _same(dict(before.state_dict()), dict(after.state_dict()))
    if isinstance(before, np.ndarray):
        return np.array_equal(before, after)
    if type(before) in (list, tuple):
        return len(before) == len(after) and all(map(_same, before, after))
    if type(before) is dict:
        return before.keys() == after.keys() and all(_same(before[key], after[key]) for key in before)
    return True


def _in_words(error, function):
    """What the student's function raised, and in which line of the student's own."""
    raised = " ".join("".join(traceback.format_exception_only(error)).split()).replace("`", "'")
    raised = re.sub(r"0x[0-9a-fA-F]+", "0x…", raised)  # addresses differ from run to run
    raised = raised if len(raised) <= 300 else raised[:300] + "…"
    code = getattr(inspect.unwrap(function), "__code__", None)  # under a decorator such as @torch.no_grad()
    own = [frame for frame in traceback.extract_tb(error.__traceback__) if code and frame.filename == code.co_filename]
    if not own:
        return f"your function raises `{raised}`"
    line = (own[-1].line or "").replace("`", "'")
    return f"your function raises `{raised}` in line {own[-1].lineno}" + (f": `{line}`" if line else "")
