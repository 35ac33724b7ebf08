"""What an exercise and a question are made of, and where those of a notebook are found."""

import importlib
import re
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Exercise:
    """A function for the student to write.

    number: "01.2", the second exercise of notebook 01.
    hints: three (title, text) pairs; the title is the reader's thought, such as "I have the gradient. Now what?"
    reference: our solution, of the same signature as the student's function.
    probes: from a torch.Generator to a list of dicts: the keyword arguments of each trial call. Plain values,
        tensors, a model.
    properties: from a sentence that the function should make true ("stays within ε of x") to a function of
        (probe, result) that returns None where it is true, else the message that names the mistake and its mend.
        It sees only these two, so that a grader can judge results that it did not compute itself, and it may rely
        on a result of the type, shape and dtype that the reference returns: the engine sees to that first.
    """

    number: str
    title: str
    points: int
    minutes: int
    hints: tuple
    reference: Callable
    probes: Callable
    properties: dict

    def __post_init__(self):
        _check_common(self)
        if len(self.hints) != 3:
            raise ValueError(f"exercise {self.number} needs three hints, as (title, text) pairs; it has "
                             f"{len(self.hints)}")
        if not self.properties:
            raise ValueError(f"exercise {self.number} needs at least one property")


@dataclass(frozen=True)
class Question:
    """A multiple-choice question.

    choices: (text, explanation) pairs, the right one first; students see them shuffled.
    text, choices and hints are markdown; an explanation may hold `code` and *emphasis*.
    """

    number: str
    title: str
    text: str
    choices: tuple
    points: int = 1
    minutes: int = 2
    hints: tuple = ()

    def __post_init__(self):
        _check_common(self)
        if not 2 <= len(self.choices) <= 26:
            raise ValueError(f"question {self.number} needs 2 to 26 choices; it has {len(self.choices)}")
        if any(len(choice) != 2 or not all(choice) for choice in self.choices):
            raise ValueError(f"question {self.number}: every choice is a (text, explanation) pair, neither empty")


def _check_common(task):
    if not re.fullmatch(r"\d\d\.\d+", task.number):
        raise ValueError(f"number must look like '01.2' (notebook 01, second exercise); got {task.number!r}")
    if task.points < 1:
        raise ValueError(f"{task.number} must be worth at least 1 point; got {task.points}")
    if any(isinstance(hint, str) or len(hint) != 2 for hint in task.hints):
        raise ValueError(f"the hints of {task.number} must be (title, text) pairs")


def all_exercises(notebook):
    """The exercises and questions of a notebook ("01"), in the order of their numbers; none where it has none."""
    module_name = f"advcourse.exercises.notebook_{notebook}"
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name != module_name:
            raise
        return []
    tasks = {}
    for task in vars(module).values():
        if not isinstance(task, Exercise | Question):
            continue
        if tasks.setdefault(task.number, task) is not task:
            raise ValueError(f"{module_name} has two exercises of number {task.number}")
        if not task.number.startswith(f"{notebook}."):
            raise ValueError(f"{module_name} holds exercise {task.number}, which is another notebook's")
    return sorted(tasks.values(), key=lambda task: int(task.number.split(".")[1]))


def get(number):
    """The Exercise or Question of this number; ValueError where there is none."""
    tasks = all_exercises(str(number).split(".")[0])
    for task in tasks:
        if task.number == number:
            return task
    known = f"this notebook has {', '.join(task.number for task in tasks)}" if tasks else "numbers look like '01.2'"
    raise ValueError(f"there is no exercise {number!r}; {known}")
