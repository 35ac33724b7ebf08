"""From a student's function to a verdict: call it on probes, then judge what it returned.

Calling and judging are apart, so that a grader can call in a sandbox and judge outside:
`probes` and `wanted` come from our own code, `attempt` runs the student's, `judge` looks at plain values only.
"""

import functools
import hashlib
import inspect
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from types import EllipsisType

import torch

from advcourse.exercises.attempt import (
    ADDED,
    AGAIN,
    FLAG,
    LEFT,
    MODE,
    VALUES,
    WEIGHTS,
    Attempt,
    attempt,
    isolated,
    signature_problem,
)
from advcourse.exercises.catalogue import Exercise, Question
from advcourse.exercises.counted import counting
from advcourse.exercises.deadline import OutOfTime, deadline
from advcourse.exercises.kinds import describe, holds_nan, is_kind, kind_problem, plain

NOT_ATTEMPTED, WRONG, PASSED = "not attempted", "wrong", "passed"
SECONDS = 30  # for all calls of a student's function together, as in a grading
JUDGING = 4  # times that may be spent on judging what it returned; the course's own take a hundredth of that
GRADIENT = "its gradient is that of the formula"
DRAWS = "it draws other numbers at every call"
REPEATS = "the same seed gives the same"


@dataclass(frozen=True)
class Verdict:
    """What the student is told. outcomes: from each property's sentence to None (it holds) or to what is wrong.

    message: what kept the properties from being judged (then there are no outcomes); for a question, the explanation.
    like: what the reference returned, where the student's result was of another kind that is as good; else None.
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
    like: object = field(default=None, compare=False, repr=False)

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
    wanted = solved(exercise, seed)  # first: nothing that the student's code does to torch's settings can trouble it
    probes = make_probes(exercise, seed)
    try:
        with deadline(SECONDS):
            attempts = attempts_of(function, exercise, probes, seed_for(seed, exercise.number, "random"))
    except OutOfTime:
        return verdict(exercise, WRONG, message=out_of_time(SECONDS))
    other = [ours.result for trial, ours in zip(attempts, wanted, strict=True)
             if not is_kind(trial.result, ours.result)]
    found = judged(exercise, probes, wanted, attempts, seed=seed, seconds=JUDGING * SECONDS)
    return replace(found, like=other[0] if other else None)


def solved(exercise: Exercise, seed: int) -> list[Attempt]:
    """What our solution gives on each probe of the seed; RuntimeError where it fails."""
    wanted = attempts_of(exercise.reference, exercise, make_probes(exercise, seed),
                         seed_for(seed, exercise.number, "random"))
    if any(ours.problem for ours in wanted):
        raise RuntimeError(f"the reference of exercise {exercise.number} fails: {wanted}")
    return wanted


def attempts_of(function: Callable, exercise: Exercise, probes: list[dict], random: int) -> list[Attempt]:
    """The Attempt of a function on each probe, whose own functions count what they are asked; random: a seed."""
    found = []
    for probe in probes:
        with counting(probe):
            found.append(attempt(function, probe, random, exercise.differentiated_by))
    return found


def as_wanted(function: Callable, like: object) -> Callable:
    """A function that passed with results that are only as good as the wanted kind, those of `like`: now of it."""
    @functools.wraps(function)
    def turned(*arguments, **keywords):
        return plain(function(*arguments, **keywords), like)

    turned.of_student = function
    return turned


def out_of_time(seconds: float) -> str:
    """What is said of a function that does not come to an end."""
    return (f"your function did not come to an end within {seconds:.0f} s: does its loop ever stop? "
            "(A `while` needs something that changes.)")


def seed_for(seed: int, number: str, use: str) -> int:
    """A seed for one use in trying an exercise: no student's random numbers may be those of a probe."""
    return int.from_bytes(hashlib.sha256(f"{seed}|{number}|{use}".encode()).digest()[:7])


def make_probes(exercise: Exercise, seed: int = 0) -> list[dict]:
    """The keyword arguments of each trial call."""
    with isolated(seed):
        return exercise.probes(torch.Generator().manual_seed(seed))


def judged(exercise: Exercise, probes: list[dict], wanted: list[Attempt], attempts: list[Attempt], *, seed: int,
           seconds: float) -> Verdict:
    """What `judge` says; a wrong answer, in words, where it does not come to an end within so many seconds."""
    try:
        with deadline(seconds):
            return judge(exercise, probes, wanted, attempts, seed)
    except OutOfTime:
        return verdict(exercise, WRONG, message=f"what your function returned could not be judged within {seconds:.0f} "
                                                "s: return something smaller or simpler")


def judge(exercise: Exercise, probes: list[dict], wanted: list[Attempt], attempts: list[Attempt],
          seed: int = 0) -> Verdict:
    """The Verdict on the Attempts of a function, given what the reference made of the same probes.

    A property holds when it holds on every probe, the second time that the function is called on it, too. The points
    earned are the share of the properties that hold, rounded down; none are earned where a gate does not hold, which
    the gradient of a loss is, too, and by a function that does not return the right kind of value on every probe.
    """
    if all(trial.is_open for trial in attempts):
        return verdict(exercise, NOT_ATTEMPTED)
    for trial, ours in zip(attempts, wanted, strict=True):
        if problem := _problem(trial, ours.result):
            return verdict(exercise, WRONG, message=problem)
    results = [(probe, result, ours.result, AGAIN if place else "")
               for probe, trial, ours in zip(probes, attempts, wanted, strict=True)
               for place, result in enumerate([trial.result, *trial.again])]
    outcomes = {}
    with isolated(seed):
        for sentence, holds in (exercise.gates | exercise.properties).items():
            messages = (_message(holds, *one) for one in results)
            outcomes[sentence] = next((message for message in messages if message is not None), None)
    if exercise.differentiated_by:
        messages = (_gradient_problem(exercise, *one) for one in zip(probes, attempts, wanted, strict=True))
        outcomes[GRADIENT] = next((message for message in messages if message is not None), None)
    if exercise.draws:
        outcomes[DRAWS] = None if all(trial.again or trial.changed for trial in attempts) else (
            "your function returns the same numbers at every call: it draws none, or sets a seed of its own "
            "(`manual_seed`, `default_rng(0)`). Leave the seed to whoever calls it")
    if "seed" in probes[0]:
        outcomes[REPEATS] = None if not any(trial.again for trial in attempts) else (
            "a second call with the same `seed` returns something else: draw from a generator of your own that begins "
            "with `seed`")
    if changed := {name: what for trial in attempts for name, what in trial.changed.items()}:
        outcomes["leaves its arguments as they were"] = _changes_problem(*min(changed.items()))
    # a wrong gradient makes the right value useless, and vice versa
    gates = {*exercise.gates, GRADIENT, DRAWS, REPEATS}
    earning = {sentence: message for sentence, message in outcomes.items() if sentence not in gates}
    held = sum(message is None for message in earning.values())
    state = PASSED if all(message is None for message in outcomes.values()) else WRONG
    fails = any(outcomes.get(sentence) is not None for sentence in gates)
    return verdict(exercise, state, points=0 if fails else exercise.points * held // len(earning), outcomes=outcomes)


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
    if trial.problem:
        return trial.problem
    for result, when in [(trial.result, ""), *((result, AGAIN) for result in trial.again)]:
        if problem := kind_problem(result, expected):
            return when + problem
        if holds_nan(result) and not holds_nan(expected):  # no comparison with NaN fails: it would pass many a check
            return (f"{when}your result holds NaN: look for a division by zero (the norm of a zero gradient?), a "
                    "logarithm of 0, or an overflow (an infinity minus another)")
    return None


def _message(holds, probe, result, expected, when):
    """What a property says of one result; a property that stumbles over a strange result says so in words."""
    try:
        message = holds(probe, plain(result, expected))
    except (KeyboardInterrupt, OutOfTime):
        raise
    except BaseException as error:
        if callable(result):
            raised = " ".join("".join(traceback.format_exception_only(error)).split())[:300]
            return f"{when}what your function returned raises `{raised}` when it is called"
        message = (f"this check cannot work with what your function returned, {describe(result)}; "
                   f"the course's own solution returns {describe(expected)} here")
    return None if message is None else when + message


def _gradient_problem(exercise, probe, trial, ours):
    """In words, what is wrong with the gradient of a loss; None where it is that of our own."""
    if trial.gradients is None:
        return ("your loss has no gradient, so nothing can be trained with it: did you cut it off with `.detach()`, "
                "`.item()`, `float(…)`, `.data`, `torch.tensor(…)` or `no_grad()`?")
    if _is_gradient(trial.gradients, ours.gradients):
        return None
    for message, formula in exercise.cut_gradients.items():
        if _is_gradient(trial.gradients, attempt(formula, probe, by=exercise.differentiated_by).gradients):
            return message
    if torch.allclose(torch.as_tensor(plain(trial.result, ours.result)), ours.result, rtol=1e-4, atol=1e-5):
        return ("the value of your loss is right, and its gradient is not: either a part of it is cut off (by "
                "`.detach()`, `.item()` or `no_grad()`), or a part has a gradient that should be a constant")
    return "the value of your loss is not that of the formula, and neither is its gradient"


def _is_gradient(found, wanted):
    """Whether two lists of gradients are the same, measured by the largest entry."""
    if type(found) is not list or type(wanted) is not list or len(found) != len(wanted):
        return False
    if any(not isinstance(one, torch.Tensor) or one.shape != other.shape
           for one, other in zip(found, wanted, strict=True)):
        return False
    size = max((other.abs().max().item() for other in wanted if other.numel()), default=0.0)
    return all(torch.allclose(one.double(), other.double(), rtol=0, atol=1e-4 * size)
               for one, other in zip(found, wanted, strict=True))


def _changes_problem(name, what):
    """In words, that a call changed something of the argument of this name."""
    return {
        VALUES: f"your function changes `{name}` in place, and the caller's values with it: work on a copy "
                "(`.clone()` makes one of a tensor), and avoid `+=` and methods that end in `_`",
        WEIGHTS: f"your function changes the weights of `{name}`: it may only read them",
        FLAG: f"your function switches `requires_grad` of `{name}`, and the caller's with it: work on a copy, such as "
              "`x.clone().requires_grad_()`; a model may only be read",
        LEFT: f"your function leaves a gradient in `{name}`, to which the next call adds its own: work on a copy, such "
              "as `x.clone().requires_grad_()`, or take `torch.autograd.grad`, which leaves nothing behind",
        ADDED: f"your function leaves something in `{name}`, a hook, a layer or a method, for whoever calls it next: "
               "take it out again (`.remove()` of a hook), or work on a `copy.deepcopy`",
        MODE: f"your function switches `{name}` between training and evaluation: it may only read it",
    }[what]
