"""From a student's function to a verdict: call it on probes, then judge what it returned.

Calling and judging are apart, so that a grader can call in a sandbox and judge outside:
`probes` and `wanted` come from our own code, `attempt` runs the student's, `judge` looks at plain values only.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from types import EllipsisType

import torch

from advcourse.exercises.attempt import Attempt, attempt, isolated, signature_problem
from advcourse.exercises.catalogue import Exercise, Question
from advcourse.exercises.kinds import describe, holds_nan, kind_problem, plain

NOT_ATTEMPTED, WRONG, PASSED = "not attempted", "wrong", "passed"


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
    def messages(self) -> list[str]:
        """Everything that is wrong, in words."""
        found = [self.message] if self.message else []
        return found + [message for message in self.outcomes.values() if message is not None]


def run(exercise: Exercise, function: Callable | EllipsisType | None, seed: int | None = None) -> Verdict:
    """The Verdict on `function`. The seed fixes the probes and all randomness; the default is always the same."""
    if function is None or function is ...:
        return verdict(exercise, NOT_ATTEMPTED)
    problem = signature_problem(inspect.signature(exercise.reference).parameters, function)
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


def make_probes(exercise: Exercise, seed: int = 0) -> list[dict]:
    """The keyword arguments of each trial call."""
    with isolated(seed):
        return exercise.probes(torch.Generator().manual_seed(seed))


def judge(exercise: Exercise, probes: list[dict], wanted: list, attempts: list[Attempt], seed: int = 0) -> Verdict:
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
    outcomes = dict.fromkeys(exercise.properties)
    with isolated(seed):
        for sentence, holds in exercise.properties.items():
            messages = (_message(holds, *trial) for trial in trials)
            outcomes[sentence] = next((message for message in messages if message is not None), None)
    changed = sorted({name for trial in attempts for name in trial.changed})
    if changed:
        outcomes["leaves its arguments as they were"] = _changes_problem(probes[0], changed)
    held = sum(message is None for message in outcomes.values())
    state = PASSED if held == len(outcomes) else WRONG
    return verdict(exercise, state, points=exercise.points * held // len(outcomes), outcomes=outcomes)


def verdict(task: Exercise | Question, state: str, points: int = 0, outcomes: dict | None = None,
            message: str = "") -> Verdict:
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
        steps.append("Write your own lines in place of `raise NotImplementedError` and run the cell again."
                     if is_exercise
                     else "Put the letter of your choice in place of `...` and run the cell again.")
    if task.hints:
        steps.append(f'`hint("{task.number}")` gives a hint.')
    if is_exercise:
        steps.append("Meanwhile the notebook goes on with the course's own solution.")
    return " ".join(steps)


# --- after the call ---------------------------------------------------------------------------------------------------

def _problem(trial, expected):
    """In words, why the properties cannot be judged on this trial; None where they can."""
    if trial.is_open:
        return "your function still raises NotImplementedError for some inputs"
    if problem := trial.problem or kind_problem(trial.result, expected):
        return problem
    if holds_nan(trial.result) and not holds_nan(expected):  # no comparison with NaN fails: it would pass many a check
        return "your result holds NaN: look for a division by zero (the norm of a zero gradient?) or a logarithm of 0"
    return None


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
