"""Calls of a student's function: what came back, or what went wrong in words.

Nothing here knows what an exercise asks for, so a grader can load this file into the box where the student's code runs.
"""

import contextlib
import copy
import inspect
import random
import re
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import torch

from advcourse.exercises import patches
from advcourse.exercises.deadline import OutOfTime
from advcourse.exercises.kinds import added_to, as_tensor, describe
from advcourse.exercises.sendable import problem_of

TIMES = 2  # that a function is called on each probe

# What a call can change of an argument, in words.
CHANGES = VALUES, WEIGHTS, FLAG, LEFT, MODE, ADDED = "values", "weights", "requires_grad", "grad", "mode", "added"
AGAIN = "when it is called a second time on the same arguments: "


@dataclass(frozen=True)
class Attempt:
    """What came of calling the student's function: a result, or the problem in words, or nothing written yet.

    changed: from the names of the arguments that the call changed to what it changed of them.
    gradients: of the result, by the argument that the exercise names; None where the result has none.
    again: what further calls on the same arguments, with other random numbers, returned, where that is something else.
    """

    result: object = None
    problem: str | None = None
    is_open: bool = False
    changed: dict = field(default_factory=dict)
    gradients: list | None = None
    again: list = field(default_factory=list)


def attempt(function: Callable, probe: dict, seed: int = 0, by: str = "") -> Attempt:
    """Call `function` TIMES times on one copy of the probe; whatever it raises is turned into words.

    More than once, as a notebook does: what a call leaves behind in its arguments, or anywhere else, is the next one's.
    The global random generators have a seed of their own for each call.
    by: the argument by which the result is differentiated, a tensor or a model (then by its parameters); "" for none.
    """
    try:
        return _called_again(function, probe, seed, by)
    except (KeyboardInterrupt, OutOfTime):
        raise
    except BaseException as error:  # what was returned, or left in a model, may raise when it is looked at
        return Attempt(problem=_in_words(error, function))


def _called_again(function, probe, seed, by):
    """The Attempt of all calls."""
    arguments = _snapshot(probe)
    inputs = _differentiated(arguments[by]) if by else []
    first = _called(function, arguments, seed, inputs)
    if first.problem or first.is_open:
        return first
    changed = {name: what for name in probe if (what := _change(probe[name], arguments[name], by == name))}
    if changed:  # then the second call is another one
        return Attempt(first.result, changed=changed, gradients=first.gradients)
    again = []
    for count in range(1, TIMES):
        for name, value in probe.items():
            if isinstance(value, torch.Generator):  # what a call draws from it is meant to differ from the next
                arguments[name].set_state(value.get_state())
        other = _called(function, arguments, seed + count, inputs)
        if other.problem or other.is_open:
            return Attempt(problem=AGAIN + (other.problem or "your function raises NotImplementedError"))
        if not (_same(first.result, other.result) and _same(first.gradients, other.gradients)):
            again.append(other.result)
    return Attempt(first.result, gradients=first.gradients, again=again)


def _called(function, arguments, seed, inputs):
    """The Attempt of one call."""
    patches.undo()
    with isolated(seed):
        try:
            result = function(**arguments)
            if replaced := patches.undo():
                return Attempt(problem=f"your function changes {patches.quoted(replaced)} for everybody, and leaves "
                                       "it so: give what you write a name of its own, and take hooks away again")
            if problem := problem_of(result):
                return Attempt(problem=f"your function's result cannot be judged: {problem}")
            return Attempt(_snapshot(result), gradients=_gradients(result, inputs) if inputs else None)
        except NotImplementedError as error:
            if not error.args:  # torch's own NotImplementedErrors say what is missing: those are mistakes
                return Attempt(is_open=True)
            return Attempt(problem=_in_words(error, function))
        except (KeyboardInterrupt, OutOfTime):
            raise
        except BaseException as error:
            return Attempt(problem=_in_words(error, function))
        finally:
            patches.undo()


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
        names = [parameter.replace(annotation=parameter.empty) for parameter in signature.parameters.values()]
        taken = signature.replace(parameters=names, return_annotation=signature.empty)  # says `/` and `*`, too
        return (f"your function takes `{taken}`; it must take `({', '.join(wanted)})`, by these names: put the `def` "
                "line back as it was")
    return None


@contextlib.contextmanager
def isolated(seed: int) -> Iterator[None]:
    """Seed every global random generator, switch gradients on; afterwards all is as before, torch's defaults, too."""
    python_state, numpy_state = random.getstate(), np.random.get_state()
    dtype, device = torch.get_default_dtype(), torch.get_default_device()
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())), torch.enable_grad():
        random.seed(seed)
        np.random.seed(seed % 2**32)
        # For devices that are not there, torch.manual_seed notes down the whole stack of calls, each time anew.
        (torch if torch.accelerator.is_available() else torch.default_generator).manual_seed(seed)
        try:
            yield
        finally:
            random.setstate(python_state)
            np.random.set_state(numpy_state)
            torch.set_default_dtype(dtype)
            if torch.get_default_device() != device:
                torch.set_default_device(device)


# --- gradients -------------------------------------------------------------------------------------------------------

def _differentiated(value):
    """The tensors by which a result is differentiated, switched on for it."""
    found = list(value.parameters()) if isinstance(value, torch.nn.Module) else [value]
    return [tensor.requires_grad_() for tensor in found]


def _gradients(result, inputs):
    """The gradient of a result by each of the inputs, 0 where it does not depend on one; None where it has none."""
    result = as_tensor(result)  # a list of the losses of the images is as good
    if result is None or not result.requires_grad:
        return None
    found = torch.autograd.grad(result.sum(), inputs, allow_unused=True)
    return [torch.zeros_like(tensor) if gradient is None else gradient.detach()
            for tensor, gradient in zip(inputs, found, strict=True)]


# --- copies, and what became of them ---------------------------------------------------------------------------------

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


def _change(before, after, differentiated=False):
    """What a call changed of an argument, in a word; "" for nothing.

    differentiated: the argument took gradients from the start, and one that is left in a model's parameters counts,
        too. Those in other models' harm nobody.
    """
    if not _same(before, after):
        return WEIGHTS if isinstance(before, torch.nn.Module) else VALUES
    if isinstance(before, torch.nn.Module):
        if list(map(type, before.modules())) != list(map(type, after.modules())) or added_to(after) != added_to(before):
            return ADDED
        pairs = list(zip(before.parameters(), after.parameters(), strict=True))
        if any((ours.requires_grad or differentiated) != theirs.requires_grad for ours, theirs in pairs):
            return FLAG
        if [part.training for part in before.modules()] != [part.training for part in after.modules()]:
            return MODE
        return LEFT if differentiated and any(theirs.grad is not None for _, theirs in pairs) else ""
    if isinstance(before, torch.Tensor):
        return LEFT if after.grad is not None else "" if after.requires_grad == differentiated else FLAG
    if type(before) in (list, tuple):
        return next(filter(None, map(_change, before, after)), "")
    if type(before) is dict:
        return next(filter(None, (_change(before[key], after[key]) for key in before)), "")
    return ""


def _same(before, after):
    """Whether two values are the same."""
    if type(before) is not type(after):
        return False
    if isinstance(before, torch.Tensor):
        kinds = [(one.shape, one.dtype, one.device, one.layout, one.is_quantized) for one in (before, after)]
        if before.layout != torch.strided or before.is_quantized or before.is_meta or before.is_nested:
            return kinds[0] == kinds[1]  # PyTorch compares no such tensors
        return kinds[0] == kinds[1] and torch.equal(before, after)
    if isinstance(before, torch.nn.Module):
        return _same(dict(before.state_dict()), dict(after.state_dict()))
    if isinstance(before, np.ndarray):
        return np.array_equal(before, after)
    if type(before) in (list, tuple):
        return len(before) == len(after) and all(map(_same, before, after))
    if type(before) is dict:
        return before.keys() == after.keys() and all(_same(before[key], after[key]) for key in before)
    return before == after if isinstance(before, int | float | str) else True


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
