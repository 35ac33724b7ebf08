"""From a student's function to a verdict: call it on probes, then judge what it returned.

Calling and judging are apart, so that a grader can call in a sandbox and judge outside:
`probes` and `wanted` come from our own code, `attempt` runs the student's, `judge` looks at plain values only.
"""

import contextlib
import copy
import inspect
import random
import re
import traceback
from dataclasses import dataclass, field

import numpy as np
import torch

from advcourse.exercises.catalogue import Exercise, Question
from advcourse.exercises.kinds import describe, kind_problem, plain

NOT_ATTEMPTED, WRONG, PASSED = "not attempted", "wrong", "passed"


@dataclass(frozen=True)
class Attempt:
    """What came of one call of the student's function: a result, or the problem in words, or nothing written yet."""

    result: object = None
    problem: str | None = None
    is_open: bool = False
    changed: tuple = ()  # names of the arguments that the call changed in place


@dataclass(frozen=True)
class Verdict:
    """What the student is told. outcomes: from each property's sentence to None (it holds) or to what is wrong.

    message: what kept the properties from being judged (then there are no outcomes); for a question, the explanation.
    """

    number: str
    title: str
    state: str
    points: int
    maximum: int
    minutes: int
    advice: str
    outcomes: dict = field(default_factory=dict)
    message: str = ""

    @property
    def messages(self):
        """Everything that is wrong, in words."""
        found = [self.message] if self.message else []
        return found + [message for message in self.outcomes.values() if message is not None]


def run(exercise: Exercise, function, seed=None):
    """The Verdict on `function`. The seed fixes the probes and all randomness; the default is always the same."""
    if function is None or function is ...:
        return verdict(exercise, NOT_ATTEMPTED)
    problem = _signature_problem(exercise.reference, function)
    if problem:
        return verdict(exercise, WRONG, message=problem)
    seed = 0 if seed is None else seed
    # Our solution runs first, so that nothing that the student's code does to torch's settings can trouble it,
    # and on probes of its own: what is drawn on matplotlib axes cannot be undone.
    wanted = [attempt(exercise.reference, probe, seed) for probe in make_probes(exercise, seed)]
    if any(ours.problem for ours in wanted):
        raise RuntimeError(f"the reference of exercise {exercise.number} fails: {wanted}")
    probes = make_probes(exercise, seed)
    attempts = [attempt(function, probe, seed) for probe in probes]
    return judge(exercise, probes, [ours.result for ours in wanted], attempts, seed)


def make_probes(exercise, seed=0):
    """The keyword arguments of each trial call."""
    with _isolated(seed):
        return exercise.probes(torch.Generator().manual_seed(seed))


def attempt(function, probe, seed=0):
    """Call `function` on a copy of the probe; whatever it raises is turned into words."""
    arguments = _snapshot(probe)
    with _isolated(seed):
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


def judge(exercise, probes, wanted, attempts, seed=0):
    """The Verdict on the results of a function, given what the reference returned on the same probes.

    A property holds when it holds on every probe. The points earned are the share of the properties that hold,
    rounded down; none are earned by a function that does not return the right kind of value on every probe.
    """
    if all(trial.is_open for trial in attempts):
        return verdict(exercise, NOT_ATTEMPTED)
    for trial, expected in zip(attempts, wanted, strict=True):
        if problem := _problem(trial, expected):
            return verdict(exercise, WRONG, message=problem)
    trials = list(zip(probes, attempts, wanted, strict=True))
    outcomes = {sentence: None for sentence in exercise.properties}
    with _isolated(seed):
        for sentence, holds in exercise.properties.items():
            messages = (_message(holds, *trial) for trial in trials)
            outcomes[sentence] = next((message for message in messages if message is not None), None)
    changed = sorted({name for trial in attempts for name in trial.changed})
    if changed:
        outcomes["leaves its arguments as they were"] = _changes_problem(probes[0], changed)
    held = sum(message is None for message in outcomes.values())
    state = PASSED if held == len(outcomes) else WRONG
    return verdict(exercise, state, points=exercise.points * held // len(outcomes), outcomes=outcomes)


def verdict(task: Exercise | Question, state, points=0, outcomes=None, message=""):
    """A Verdict on an Exercise or a Question."""
    return Verdict(task.number, task.title, state, points, task.points, task.minutes, _advice(task, state),
                   outcomes or {}, message)


def _advice(task, state):
    """What to do next, in words."""
    if state == PASSED:
        return ""
    is_exercise = isinstance(task, Exercise)
    steps = []
    if state == NOT_ATTEMPTED:
        steps.append("Write your own lines in place of `raise NotImplementedError` and run the cell again." if is_exercise
                     else "Put the letter of your choice in place of `...` and run the cell again.")
    if task.hints:
        steps.append(f'`hint("{task.number}")` gives a hint.')
    if is_exercise:
        steps.append("Meanwhile the notebook goes on with the course's own solution.")
    return " ".join(steps)


# --- before the call -------------------------------------------------------------------------------------------------

def _signature_problem(reference, function):
    """In words, why `function` cannot be called as `reference` is; None where it can."""
    if not callable(function):
        return (f"`check` wants your function itself, but was given {describe(function)}: "
                "write its name without parentheses after it")
    wanted = inspect.signature(reference)
    try:
        signature = inspect.signature(function)
    except ValueError:  # some builtins have none
        return None
    try:
        signature.bind(**{name: None for name in wanted.parameters})
    except TypeError:
        return (f"your function takes `{_names(signature)}`; it must take `{_names(wanted)}`, by these names: "
                "put the `def` line back as it was")
    return None


def _names(signature):
    return f"({', '.join(signature.parameters)})"


@contextlib.contextmanager
def _isolated(seed):
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


# --- after the call --------------------------------------------------------------------------------------------------

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


def _problem(trial, expected):
    """In words, why the properties cannot be judged on this trial; None where they can."""
    if trial.is_open:
        return "your function still raises NotImplementedError for some inputs"
    return trial.problem or kind_problem(trial.result, expected)


def _message(holds, probe, trial, expected):
    """What a property says of one trial; a property that stumbles over a strange result says so in words."""
    try:
        return holds(probe, plain(trial.result, expected))
    except Exception:
        return (f"this check cannot work with what your function returned, {describe(trial.result)}; "
                f"the course's own solution returns {describe(expected)} here")


def _changes_problem(probe, changed):
    models = [name for name in changed if isinstance(probe[name], torch.nn.Module)]
    if models:
        return f"your function changes the weights of `{models[0]}`: it may only read them"
    names = ", ".join(f"`{name}`" for name in changed)
    return (f"your function changes {names} in place, and the caller's values with it: "
            "work on a copy (`.clone()` makes one of a tensor), and avoid `+=` and methods that end in `_`")
