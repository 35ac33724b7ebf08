"""Testing the tests: do the checks of a notebook reject wrong answers with the right words, and accept right ones?

tests/wrong_answers/notebook_06/e1_fooling_rate.py holds for the exercise of the file of that name
WRONG = [(function, "a part of the message written for its mistake"), ...] and
RIGHT = [function, ...], right answers written differently from the reference.
"""

import functools
import importlib.util
from dataclasses import dataclass
from pathlib import Path

import advcourse.exercises
from advcourse.exercises import Exercise, all_exercises, engine
from advcourse.notebook import series

SOURCES = Path(advcourse.exercises.__file__).parent
FOLDER = Path(__file__).parents[1] / "wrong_answers"
SLOW = {"10.5"}  # its check attacks what it is given, for a second or two with every seed


def notebooks():
    """The numbers of the notebooks that are written."""
    return list(series.WRITTEN)


def functions(notebook):
    """The exercises of a notebook that want a function, not a letter."""
    return [task for task in all_exercises(notebook) if isinstance(task, Exercise)]


def files(folder):
    """The files of exercises under a folder, such as notebook_06/e1_fooling_rate.py."""
    return {path.relative_to(folder).as_posix() for path in folder.glob("notebook_*/e*.py")}


@functools.cache
def answers(number):
    """The module with the wrong and right answers to an exercise."""
    notebook, place = number.split(".")
    [path] = FOLDER.glob(f"notebook_{notebook}/e{place}_*.py")
    spec = importlib.util.spec_from_file_location(f"wrong_answers_{notebook}_{place}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name, value in vars(module).items():
        if getattr(value, "__module__", "") == spec.name and callable(value):
            value.__name__ = name  # those that one maker made have the maker's name
    return module


@dataclass(frozen=True)
class Trial:
    """What the check made of a wrong answer: was it rejected, and with the message written for its mistake?"""

    name: str
    rejected: bool
    named: bool
    messages: tuple


def try_wrong_answers(exercise, wrong, seed=0):
    """A Trial for each (function, fragment)."""
    trials = []
    for place, (function, fragment) in enumerate(wrong):
        verdict = engine.run(exercise, function, seed)
        name = f"{exercise.number} #{place} {getattr(function, '__name__', function)}"
        rejected = verdict.state != engine.PASSED
        named = rejected and any(fragment in message for message in verdict.messages)
        trials.append(Trial(name, rejected, named, tuple(verdict.messages)))
    return trials


def seeds(exercise, count):
    """The first `count` seeds; of a slow exercise a tenth of them."""
    return range(max(1, count // 10) if exercise.number in SLOW else count)


def rejected_seeds(exercise, function, seeds):
    """The seeds on which a right answer does not pass."""
    return [seed for seed in seeds if engine.run(exercise, function, seed).state != engine.PASSED]
