"""What a student calls in a notebook, and what is remembered until the kernel stops."""

import hashlib
import re
from collections.abc import Callable, Iterable
from types import EllipsisType
from typing import Any, Protocol

from advcourse.exercises import engine, patches, stand_ins
from advcourse.exercises.catalogue import Exercise, Question, all_exercises, get
from advcourse.exercises.display import count, emit, progress_html, progress_text, show_verdict
from advcourse.exercises.stand_ins import as_written, course_names, is_courses_own, stand_in, values_used
from advcourse.randomness import check_seed

NOTHING: Any = object()  # stands for an argument that was not given

_student = ""
_notebook = None
_verdicts = {}  # number -> the latest Verdict
_hints_shown = {}  # number -> how many
_given = {}  # number -> the function or the letter that the student gave last
_used = {}  # number -> what that function used, as `values_used` tells
_called = set()  # numbers that were given to check or answer since the cell that runs was begun
_cells = None  # in a notebook: the Cells that were run


class Cells(Protocol):
    """What a grading would find in the cells that were run so far."""

    def function(self, number: str) -> tuple[str, object]:
        """The name of the function that it would grade or, where it finds none, should; and what has this name now."""

    def missing(self, number: str) -> list[str]:
        """The names that this function uses, and that have no value there."""

    def is_read(self, number: str, letter: object) -> bool:
        """Whether it reads in the cell that runs that this letter, or what is open, is the answer."""


def set_student(name: object) -> None:
    """Say who is at work: it decides the order of every question's choices."""
    global _student
    _student = name_of(name)


def name_of(value: object) -> str:
    """The student whom a value of STUDENT names, on one's machine as in the grader: at most 200 characters, no blanks
    around them; of a number its text, "" for what is open."""
    text = "" if value is None or value is ... else str(value)
    return text.encode("utf-8", "replace").decode()[:200].strip()


def set_notebook(notebook: str | None) -> None:
    """Say which notebook is running ("01"): what `progress()` shows. Starts with a clean slate."""
    global _notebook, _cells
    _notebook, _cells = notebook, None
    for slate in (_verdicts, _hints_shown, _given, _used, _called):
        slate.clear()


def set_cells(cells: Cells | None) -> None:
    """Say which cells were run: from now on nothing gets a tick that a grading would not find in them (None: any)."""
    global _cells
    _cells = cells


def begin_cell() -> None:
    """Say that another cell begins."""
    _called.clear()


def cell_failed(numbers: set[str], error: BaseException) -> None:
    """Say that the cell ended in an error; those of its exercises that were not judged in it count as wrong."""
    raised = " ".join(f"{type(error).__name__}: {error}".split()).rstrip(": ").replace("`", "'")[:300]
    for number in sorted(numbers - _called):
        unreadable(number, f"your cell ends in `{raised}` before its `check` or `answer`: mend it, and run it again")


def state() -> tuple[str, str | None, dict[str, engine.Verdict]]:
    """Who is at work, on which notebook, and from the number of each exercise tried so far to the latest Verdict.

    The student is "" where nobody said, the notebook None before the set-up cell. A function that was changed since its
    check is judged as it is now.
    """
    for number in [number for number in _used if callable(_given[number])] if _cells else []:
        function = as_written(_cells.function(number)[1])
        if callable(function) and not is_courses_own(function) and (
                function is not _given[number] or not _same_values(values_used(function), _used[number])):
            _give(number, function)
            _verdicts[number] = _judged(get(number), function)
    return _student, _notebook, dict(_verdicts)


def _give(number, function):
    _given[number], _used[number] = function, values_used(function)


def _same_values(one, other):
    return len(one) == len(other) and all(mine is yours for (_, mine), (_, yours) in zip(one, other, strict=True))


def check(number: str, function: Callable | EllipsisType | None = NOTHING, seed: int | None = None) -> Callable:
    """Try the student's function, show the verdict, and return a function that works.

    number: of the exercise, "01.2"; what is none is told in words, and so is a seed that is none.
    function: the student's; `...` and None leave the exercise open. In a notebook it must be one that a grading finds,
        defined with `def` in a cell, under the name that the exercise asks for.
    seed: fixes the probes; the default is always the same.
    Returns `function` where it passes, else the course's own solution, so that the rest of the notebook runs. Where it
    passes with results of a kind that is as good as the wanted, such as a list for a tensor, they are turned into that.
    The course's own solution under a student's name is no work of theirs: then the verdict of before stays.
    """
    exercise = _task(number, Exercise)
    if exercise is None:
        return None if function is NOTHING else function
    try:
        check_seed(0 if seed is None else seed)
    except ValueError as error:
        function = NOTHING
        emit(None, f"Nothing is checked: {error}")
    else:
        if function is NOTHING:
            emit(None, f'Nothing is checked: give your function, too, as in check("{number}", your_function)')
    if function is NOTHING:
        return stand_in(exercise)
    if replaced := patches.undo():
        emit(None, f"Code of yours had changed {patches.quoted(replaced)} for everybody: it is as before again.")
    _called.add(number)
    function = as_written(function)
    if is_courses_own(function):
        emit(None, f"○ {number} {exercise.title}: {OWN} " + (
            f"Your last verdict stays: {_verdicts[number].state}." if number in _verdicts else
            "So far this exercise is not attempted."))
        return stand_in(exercise)
    _give(number, function)
    verdict = _judged(exercise, function, seed)
    _remember(verdict)
    if verdict.state != engine.PASSED:
        return stand_in(exercise)
    return function if verdict.like is None else engine.as_wanted(function, verdict.like)


def _judged(exercise, function, seed=None):
    """The Verdict on a function, which is no better than what a grading finds in the cells that were run."""
    if not _cells or not callable(function):
        return verdict_on(exercise, function, seed)
    name, value = _cells.function(exercise.number)
    if as_written(value) is not function:
        return engine.verdict(exercise, engine.NOT_ATTEMPTED, message=(
            "a grading looks for your function by its name among the definitions in your cells, and does not find "
            f"there what you gave to `check`. Write it with `def {name}(…):` in a cell, and give `check` this name"))
    verdict = verdict_on(exercise, function, seed)
    if verdict.points and (names := _cells.missing(exercise.number)):
        return _wrong(exercise, f"your function uses {patches.quoted(names)}, which has no value when your work is "
                                "graded: no cell is run there that needs the course or is a loop. Take it from the "
                                "arguments, or make it in your function")
    return verdict


OWN = ("this is the course's own solution, which stands in for yours, and not yours: run the cell with your `def` "
       "again, under the name that is checked.")


def verdict_on(exercise: Exercise, function: Callable | EllipsisType | None, seed: int | None = None) -> engine.Verdict:
    """The Verdict on a student's function, as a grading gives it: where nothing of the course is at hand."""
    if is_courses_own(function):
        return engine.verdict(exercise, engine.NOT_ATTEMPTED)
    if names := course_names(function):
        return _wrong(exercise, f"your function uses {patches.quoted(names)}, which is the course's: {ALONE}")
    stand_ins.used.clear()
    stand_ins.reached.clear()
    verdict = engine.run(exercise, stand_ins.watched(function) if callable(function) else function, seed)
    if names := sorted(stand_ins.reached):
        return _wrong(exercise, f"your function calls {patches.quoted(names)} of the course's package: {ALONE}")
    if others := sorted(stand_ins.used):
        then = ("write your own lines" if others == [exercise.number] else
                f"when your work is graded it is not there. Solve {others[0]} first")
        return _wrong(exercise, f"your function calls the course's own solution of {', '.join(others)}, which stands "
                                f"in for yours: {then}")
    return verdict


ALONE = "when your work is graded it stands on PyTorch and NumPy alone, and on what you wrote yourself"


def _wrong(exercise, message):
    return engine.verdict(exercise, engine.WRONG, message=message)


def unreadable(number: str | None, problem: str) -> None:
    """Say that a cell in which the student writes is no Python; number: of its exercise or question, if it has one."""
    if number is None:
        emit(None, problem)
        return
    _called.add(number)
    _given[number] = ...
    _remember(_wrong(get(number), problem))


def _remember(verdict):
    _verdicts[verdict.number] = verdict
    show_verdict(verdict)


def hint(number: str) -> None:
    """Show the next hint of an exercise or a question: each call gives one more."""
    task = _task(number, Exercise | Question)
    if task is None:
        return
    shown = _hints_shown.get(number, 0)
    if shown >= len(task.hints):
        emit(None, f"That was all: {number} has {count(len(task.hints), 'hint')}.")
        return
    title, text = task.hints[shown]
    _hints_shown[number] = shown + 1
    quoted = "\n".join(f"> {line}" for line in text.strip().splitlines())
    heading = f"Hint {shown + 1} of {len(task.hints)} for {number}"
    emit(None, f"{heading}: {title}\n{text.strip()}", markdown=f"> **{heading}: {title}**\n>\n{quoted}")


def question(number: str) -> None:
    """Show a question and its choices; a number that is none of a question is told in words."""
    task = _task(number, Question)
    if task is None:
        return
    choices = [f"- **{letter})** {text}" for letter, (text, _) in choices_of(task, _student).items()]
    text = "\n".join([f"**{number} {task.title}** ({count(task.points, 'point')})\n", f"{task.text.strip()}\n",
                      *choices])
    emit(None, text.replace("**", ""), markdown=text)


def answer(number: str, letter: str | EllipsisType | None = None) -> None:
    """Show the verdict on a student's answer, "a", "b", …; `...`, None and "" leave the question open.

    A number that is none of a question is told in words, a letter that is no choice in the verdict. In a notebook it
    must be written out: a grading reads the cells and runs none of them.
    """
    task = _task(number, Question)
    if task is None:
        return
    _called.add(number)
    _given[number] = letter
    verdict = judge_answer(number, letter)
    if _cells and verdict.state != engine.NOT_ATTEMPTED and not _cells.is_read(number, letter):
        verdict = engine.verdict(task, engine.NOT_ATTEMPTED, message=(
            "when your work is graded, your cells are read and not run, so only a letter that is written out counts: "
            f'write `choice = "b"` and `answer("{number}", choice)`, say, in one cell'))
    _remember(verdict)


def judge_answer(number: str, letter: str | EllipsisType | None, student: str | None = None) -> engine.Verdict:
    """The Verdict on an answer, of the student who is at work unless another is named."""
    task = _question(number)
    choices = choices_of(task, _student if student is None else student)
    if letter is ... or letter is None or (isinstance(letter, str) and not letter.strip()):
        return engine.verdict(task, engine.NOT_ATTEMPTED)
    given = letter_of(letter, choices) if isinstance(letter, str) else None
    if given is None:
        *others, last = choices
        message = f"the choices are {', '.join(others)} and {last}; your answer is `{letter!r}`"
        return engine.verdict(task, engine.WRONG, message=message)
    explanation = choices[given][1]
    if choices[given] == task.choices[0]:
        return engine.verdict(task, engine.PASSED, points=task.points, message=explanation)
    return engine.verdict(task, engine.WRONG, message=explanation)


def letter_of(text: str, choices: Iterable[str]) -> str | None:
    """The one of the choices that a text stands for: "B", "(b)", "'b'.", "answer b", "b) It has more terms"; else None.

    Two letters stand for none.
    """
    one, text = f"([{''.join(choices)}])", text.strip().lower()
    alone = re.fullmatch(rf"(?:(?:my|the|answer|choice|option|letter|is)\b\W*)*[\W_]*{one}[\W_]*", text)
    first = re.fullmatch(rf"[\W_]*{one}[\W_]*[).:](.*)", text, re.DOTALL)
    if first and re.search(rf"\b{one}\s*([).:,;]|$)", first[2]):
        first = None
    return (alone or first)[1] if alone or first else None


def given(number: str, otherwise: object = None) -> object:
    """What the student gave to `check` or `answer` last, not what `check` handed back; else `otherwise`."""
    return _given.get(number, otherwise)


def letter_of_right_answer(number: str, student: str = "") -> str:
    """The letter under which this student finds the right choice."""
    task = _question(number)
    return next(letter for letter, choice in choices_of(task, student).items() if choice == task.choices[0])


def choices_of(task: Question, student: str) -> dict[str, tuple[str, str]]:
    """From letters to (text, explanation), in this student's order: the same on every machine and Python version."""
    def rank(index):
        return hashlib.sha256(f"{task.number}|{student}|{index}".encode()).hexdigest()

    order = sorted(range(len(task.choices)), key=rank)
    return {"abcdefghijklmnopqrstuvwxyz"[place]: task.choices[index] for place, index in enumerate(order)}


def _question(number):
    task = get(number)
    if not isinstance(task, Question):
        raise ValueError(f"{number} is not a question: use check({number!r}, your_function)")
    return task


def _task(number, kind):
    """The Exercise or Question of a number; None, with words for the student, where there is none of this kind."""
    try:
        task = get(number)
    except ValueError as error:
        emit(None, f"{error}")
        return None
    if isinstance(task, kind):
        return task
    emit(None, f'{number} is a question: use answer("{number}", "a")' if kind is Exercise else
         f'{number} is not a question: use check("{number}", your_function)')
    return None


def progress(notebook: str | int | None = None) -> None:
    """Show which exercises of the notebook are solved in this session, and the points so far.

    notebook: "01", or 1; the one that is running where none is named. What is none is told in words.
    """
    notebook = _notebook if notebook in (None, "") else str(notebook).strip().zfill(2)
    if notebook is None:
        emit(None, 'Which notebook? progress("01"), or run the set-up cell first.')
        return
    tasks = all_exercises(notebook) if re.fullmatch("[0-9]{2}", notebook) else []
    if not tasks:
        emit(None, f"There is no notebook {notebook!r} with exercises: give its number, as in progress(\"01\").")
        return
    _, _, verdicts = state()
    latest = [verdicts.get(task.number) or engine.verdict(task, engine.NOT_ATTEMPTED) for task in tasks]
    emit(None, progress_text(notebook, latest), progress_html(notebook, latest))
