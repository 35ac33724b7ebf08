"""What an exercise and a question are made of, and where those of a notebook are found."""

import functools
import importlib
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Exercise:
    """A function for the student to write.

    number: "01.2", the second exercise of notebook 01.
    hints: three (title, text) pairs; the title is the reader's thought, such as "I have the gradient. Now what?"
    reference: our solution, of the same signature as the student's function.
    probes: from a torch.Generator to a list of dicts: the keyword arguments of each trial call. Plain values,
        tensors, a model.
    properties: from a sentence that the function should make true ("the loss goes up") to a function of
        (probe, result) that returns None where it is true, else the message that names the mistake and its mend.
        It sees only these two, so that a grader can judge results that it did not compute itself, and it may rely
        on a result of the type, shape and dtype that the reference returns: the engine sees to that first.
        The points are shared among them, so none may hold for an answer that does nothing.
    gates: properties that must hold, too, and earn nothing, such as "every pixel is a grey value": an answer that does
        nothing has them as well. Where one does not hold, no points are earned.
    differentiated_by: of a loss, the argument by which its gradient is taken, a tensor or a model (then by its
        parameters): where its gradient is not the right one, no points are earned.
    cut_gradients: from the message for a known mistake to the formula whose value is right and whose gradient is not.
    draws: whether the result is random. Then a function that returns the same numbers with every seed earns nothing.
    """

    number: str
    title: str
    points: int
    minutes: int
    hints: tuple
    reference: Callable
    probes: Callable
    properties: dict
    gates: dict = field(default_factory=dict)
    differentiated_by: str = ""
    cut_gradients: dict = field(default_factory=dict)
    draws: bool = False

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

    Written in a notebook's questions.toml.

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


def all_exercises(notebook: str) -> list[Exercise | Question]:
    """The exercises and questions of a notebook ("01"), in the order of their numbers; none where it has none.

    They lie in the folder notebook_01/: one exercise in each e1_what_it_asks.py, under the name `exercise`, and the
    questions in questions.toml. Raises ValueError where a file holds what does not belong there.
    """
    package = f"advcourse.exercises.notebook_{notebook}"
    try:
        folder = Path(importlib.import_module(package).__path__[0])
    except ModuleNotFoundError as error:
        if error.name != package:
            raise
        return []
    tasks = {}
    for path in [*sorted(folder.glob("e[0-9]*_*.py")), folder / "questions.toml"]:
        for task in read_questions(path) if path.suffix == ".toml" else [_exercise_in(path, package)]:
            if not task.number.startswith(f"{notebook}."):
                raise ValueError(f"{path} holds {task.number}, which is another notebook's")
            if task.number in tasks:
                raise ValueError(f"{path} holds {task.number}, a number that another task of this notebook has already")
            tasks[task.number] = task
    return sorted(tasks.values(), key=lambda task: int(task.number.split(".")[1]))


def get(number: str) -> Exercise | Question:
    """The Exercise or Question of this number; ValueError where there is none."""
    tasks = all_exercises(str(number).split(".")[0])
    for task in tasks:
        if task.number == number:
            return task
    known = f"this notebook has {', '.join(task.number for task in tasks)}" if tasks else "numbers look like '01.2'"
    raise ValueError(f"there is no exercise {number!r}; {known}")


def _exercise_in(path, package):
    """The exercise of a file such as e1_fooling_rate.py."""
    exercise = getattr(importlib.import_module(f"{package}.{path.stem}"), "exercise", None)
    if not isinstance(exercise, Exercise):
        raise ValueError(f"{path} must define its exercise under the name `exercise`: exercise = Exercise(…)")
    if not path.name.startswith(f"e{exercise.number.split('.')[1]}_"):
        raise ValueError(f"{path} holds exercise {exercise.number}: the number after the e must be the exercise's")
    return exercise


# --- questions, as a teacher or a translator writes them -------------------------------------------------------------

KINDS = {str: "a text", int: "a whole number", list: "a list", dict: "a table"}
QUESTION = {"number": str, "title": str, "points": int, "minutes": int, "text": str, "choices": list, "hints": list}
CHOICE = {"text": str, "explanation": str}
HINT = {"title": str, "text": str}


@functools.cache
def read_questions(path: Path) -> tuple[Question, ...]:
    """The questions of a file questions.toml, none where there is no such file; ValueError says what is wrong in it."""
    if not path.exists():
        return ()
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is not valid TOML: {error}") from None
    tables = _table(content, {"question": list}, path)["question"]
    return tuple(_question(table, path, place) for place, table in enumerate(tables, start=1))


def _question(table, path, place):
    """The Question in one table of a file; `place` counts the tables from 1."""
    number = table.get("number") if isinstance(table, dict) else None
    where = f"{path}, question {number or f'no. {place}'}"
    fields = _table(table, QUESTION, where)
    for name, keys in (("choices", CHOICE), ("hints", HINT)):
        pairs = [_table(pair, keys, f"{where}, {name} {place}") for place, pair in enumerate(fields[name], start=1)]
        fields[name] = tuple(tuple(pair.values()) for pair in pairs)
    try:
        return Question(**fields)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None


def _table(given, keys, where):
    """The values of a TOML table by name, in the order of `keys`, which says of what kind each must be."""
    if not isinstance(given, dict):
        raise ValueError(f"{where}: a table is wanted; got {given!r}")
    if unknown := given.keys() - keys.keys():
        raise ValueError(f"{where}: {min(unknown)!r} is no key here; the keys are {', '.join(keys)}")
    for key, kind in keys.items():
        if key not in given:
            raise ValueError(f"{where}: {key!r} is missing; the keys are {', '.join(keys)}")
        if type(given[key]) is not kind:  # True is no whole number
            raise ValueError(f"{where}: {key!r} must be {KINDS[kind]}; got {given[key]!r}")
    return {key: _unfolded(given[key]) if keys[key] is str else given[key] for key in keys}


def _unfolded(text):
    """A line break inside a text counts as a space, an empty line starts a paragraph."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in re.split(r"\n\s*\n", text.strip()))
