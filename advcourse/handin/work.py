"""What is graded of a notebook: the functions and answers that count, and the statements that the functions need.

Notebooks come back with cells deleted, doubled, split, merged and moved, so nothing depends on where a statement
stands: what the exercises' functions are called is known from the shipped notebook, and what these functions need
is found by following names.
"""

import ast
import builtins
from collections import defaultdict
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import takewhile

from advcourse.exercises.catalogue import Exercise, all_exercises
from advcourse.exercises.session import name_of
from advcourse.files import PACKAGE, checkout
from advcourse.handin.calls import (
    CHOICE,
    NOT_LITERAL,
    assigned,
    definitions,
    is_from_course,
    is_stub,
    version_told,
    walk,
)
from advcourse.handin.statements import one_line, read, read_cells
from advcourse.version import __version__

MOST_NOTES = 20
LONGEST_WORK = 20_000  # characters of one exercise's code that are shown and compared: no answer needs more
DEFINITION = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True)
class Work:
    """What is graded of a notebook.

    statements: the source of top-level statements, in the notebook's order, each to be executed on its own; blank
        lines before it give a traceback the line in the student's cell.
    functions: from every exercise's number to the name of the student's function in them; None where there is none.
    answers: from every question's number to what was given; None where it was left open or is no plain literal.
    student: the last string or number assigned to STUDENT, as `name_of` reads it.
    notes: what was wrong with the file, one line each.
    cells: from the number of an exercise that has a function to its definition as the student wrote it, and after it
        what else of the student's own it needs: functions, classes, constants.
    """

    statements: tuple
    functions: dict
    answers: dict
    student: str
    notes: tuple
    cells: dict


def extract(content: bytes, notebook: str) -> Work:
    """The Work in `content`, the bytes of a submission for `notebook` ("01").

    Raises ValueError where there is nothing to read, or no such notebook in the course.
    """
    if notebook not in shipped():
        raise ValueError(f"there is no notebook {notebook!r}; the course has {', '.join(shipped())}")
    return choose(*read(content), notebook)


@cache
def shipped():
    """From the number of every notebook of the course to the path of what students were given."""
    root = checkout() / "notebooks" if checkout() else PACKAGE / "notebooks"
    return {path.stem[:2]: path for path in sorted(root.glob("[0-9][0-9]_*.ipynb"))}


def choose(statements, notes, notebook) -> Work:
    """The Work among all statements of a notebook; `notes` are those of `read`."""
    calls, literals = walk(statements)
    notes = list(notes)
    if (version := version_told(calls)) not in (None, __version__):
        notes.append(f"the notebook is of version {one_line(version, 20)} of the course, and was read by {__version__}")
    tasks = all_exercises(notebook)
    answers = {task.number: given_answer(task.number, calls, notes) for task in tasks if not isinstance(task, Exercise)}
    exercises = [task.number for task in tasks if isinstance(task, Exercise)]
    official, defined = official_names(notebook), definitions(statements)
    functions = {number: function_name(number, calls, notes, official=official.get(number), defined=defined)
                 for number in exercises}
    found = {number: name for number, name in functions.items() if name}

    misused = {at for number, name in found.items() for at in later_uses(number, name, statements, calls)}
    statements = [one for at, one in enumerate(statements) if at not in misused]
    real, stubs = definitions(statements)
    kept = needed(statements, found.values(), real)
    if len(notes) > MOST_NOTES:
        notes[MOST_NOTES:] = [f"and {len(notes) - MOST_NOTES} more of this kind"]
    student = literals.get("STUDENT")
    student = "" if student is NOT_LITERAL else name_of(student)
    given = given_code(notebook)
    cells = {number: own_code(name, statements, real, stubs, leave_out=given, functions=found.values())
             for number, name in found.items()}
    return Work(tuple(one.padded for one in kept), functions, answers, student, tuple(notes), cells)


def own_code(name, statements, real, stubs, *, leave_out=frozenset(), functions=()):
    """The definition of `name` and, after it, the others that it needs: as they were written, but no imports.

    leave_out: texts of statements that are nobody's own. functions: names that stand for themselves.
    """
    code = (first := real.get(name) or stubs[name]).text
    for one in needed(statements, [name], real):
        is_another = one.binds & set(functions) - {name} or one.text in leave_out
        is_import = isinstance(one.node, ast.Import | ast.ImportFrom)
        longer = f"{code}\n\n\n{one.text}"
        if not (one is first or is_another or is_import or is_superseded(one, real)) and len(longer) <= LONGEST_WORK:
            code = longer
    return code


def is_superseded(statement, real):
    """Whether this defines a function or class whose name a later definition takes."""
    last = [real.get(name, statement) for name in statement.binds]
    return (isinstance(statement.node, DEFINITION) and statement not in last
            and all(isinstance(one.node, DEFINITION) for one in last))


@cache
def given_code(notebook):
    """The texts of all statements of a notebook as students got it."""
    return frozenset(one.text for one in read(shipped()[notebook].read_bytes())[0]) if notebook in shipped() else ()


@cache
def official_names(notebook):
    """From the number of every exercise of a notebook to the name that its function has there, as students got it."""
    if notebook not in shipped():
        return {}
    calls, _ = walk(read(shipped()[notebook].read_bytes())[0])
    return {call.number: call.value.id for call in calls if call.kind == "check" and isinstance(call.value, ast.Name)}


@cache
def open_names(notebook):
    """The names to which a notebook, as students got it, gives `...`, for them to replace."""
    if notebook not in shipped():
        return frozenset()
    statements, _ = read(shipped()[notebook].read_bytes())
    return frozenset(target.id for one in statements for target, value in assigned(one.node)
                     if isinstance(value, ast.Constant) and value.value is ...)


# --- answers ---------------------------------------------------------------------------------------------------------

def given_answer(number, calls, notes):
    """What was answered to a question: the last answer that is not open, as a str; None where there is none."""
    answers = [call.value for call in calls if call.kind == "answer" and call.number == number]
    if not answers:
        if found := answer_without_call(number, calls):
            notes.append(f"{number}: the call of answer is missing; taken is the {CHOICE} that follows the question")
        return found
    if any(value is NOT_LITERAL for value in answers):
        notes.append(f"{number}: an answer is not written as a letter, and does not count")
    return next((value for value in reversed(answers) if value not in (None, NOT_LITERAL)), None)


def answer_without_call(number, calls):
    """The first choice between this question and the next, unless another question's answer uses it."""
    choice = None
    for before, call in enumerate(calls):
        if (call.kind, call.number) != ("question", number):
            continue
        following = takewhile(lambda call: call.kind != "question", calls[before + 1:])
        choices = []
        for after in following:
            if after.kind == "answer":
                choices = choices[:-1]
            elif after.kind == "choice":
                choices.append(after.value)
        choice = next((value for value in choices if value), choice)
    return choice


# --- functions -------------------------------------------------------------------------------------------------------

def function_name(number, calls, notes, *, official, defined):
    """The name of the student's function for an exercise; None where there is none.

    It is the shipped notebook's name (`official`), if the submission defines it, else the name in its own
    check(number, …). defined: see `definitions`.
    """
    real, stubs = defined
    checked = [call.value for call in calls if call.kind == "check" and call.number == number]
    plain = [tree.id for tree in checked if isinstance(tree, ast.Name)]
    names = [official, *plain[-1:]]
    name = next((name for name in names if name in real), None) or next((name for name in names if name in stubs), None)
    if name is None and checked and not plain:
        notes.append(f"{number}: check is given something else than the "
                     "name of a function, so there is nothing to grade")
    elif plain and name and plain[-1] != name and plain[-1] in real:
        notes.append(f"{number}: graded is {one_line(name)}, which this exercise asks for; the notebook checks "
                     f"{one_line(plain[-1])}")
    elif name and name != official:
        notes.append(f"{number}: graded is {one_line(name)}, which the notebook checks; "
                     f"there is no {official} of the student's")
    return name


def later_uses(number, name, statements, calls):
    """The indices of statements that give a function's name to something else (`size = 28`) once it was checked."""
    defined = [at for at, one in enumerate(statements)
               if name in one.binds and isinstance(one.node, ast.FunctionDef | ast.ClassDef) and not is_stub(one.node)]
    checked = [call.at for call in calls if call.kind == "check" and call.number == number]
    return [at for at, one in enumerate(statements) if defined and name in one.binds and at > max(defined + checked)]


# --- what would be found among the cells that were run ----------------------------------------------------------------

@lru_cache(maxsize=1000)
def statements_of(source):
    """The statements of one cell."""
    return read_cells([(1, source)])[0]


def function_in(cells, number):
    """The name under which the function for an exercise is found among the texts of cells; None where there is none."""
    statements = [one for source in cells for one in statements_of(source)]
    return function_name(number, walk(statements)[0], [], official=official_names(number[:2]).get(number),
                         defined=definitions(statements))


def not_at_hand(cells, name, present):
    """The names of `present` that a function reads, itself or by another, and that a grading of these cells lacks."""
    statements = [one for source in cells for one in statements_of(source)]
    if any(is_star(one.node) and not is_from_course(one.node) for one in statements):
        return []  # what it brings along is known to nobody here
    real, made = definitions(statements)[0], names_made(statements)
    found, seen, todo = set(), set(), [name]
    while todo:
        one = real.get(todo.pop())
        if one and one not in seen:
            seen.add(one)
            read = [name for name in one.reads if name in present]
            found |= {name for name in read if name not in made and not hasattr(builtins, name)}
            todo += read
    return sorted(found)


def names_made(statements):
    """The names that have a value after these statements where nothing of the course is at hand, and no loop is run."""
    made = set()
    for one in [*statements, *statements]:  # twice: what a body reads may be defined further down
        runs = isinstance(one.node, DEFINITION) or all(name in made or hasattr(builtins, name) for name in one.reads)
        made = made | one.binds if runs and not is_from_course(one.node) else made - one.binds
    return made


def letter_in(cells, number):
    """What the last of these cells answers to a question: as `given_answer`, but NOT_LITERAL for what is not found."""
    statements = [one for source in cells for one in statements_of(source)]
    first = len(statements) - len(statements_of(cells[-1])) if cells else 0
    answers = [call.value for call in walk(statements)[0]
               if call.at >= first and (call.kind, call.number) == ("answer", number)]
    return answers[-1] if answers else NOT_LITERAL


# --- what functions need ---------------------------------------------------------------------------------------------

def needed(statements, names, real):
    """The statements that the functions of these names need, without stubs of what is `real` elsewhere.

    In their order, but imports from __future__ come first.
    """
    found = closure(statements, names)
    idle = {one for one in found if is_stub(one.node) and real.keys() & one.binds
            and (isinstance(one.node, ast.FunctionDef) or one.binds & set(names))}
    return sorted((one for one in found if one not in idle), key=lambda one: not is_future(one.node))  # it is stable


def closure(statements, names):
    """The statements, in order, that give a value to one of `names`, or to a name that these read, and so on."""
    binding = defaultdict(list)
    for index, statement in enumerate(statements):
        for name in statement.binds | statement.touches:
            binding[name].append(index)
    kept, seen, todo = set(), set(), list(names)
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        for index in binding[name]:
            if index not in kept:
                kept.add(index)
                todo += statements[index].reads
    if names and any(not binding[name] and not hasattr(builtins, name) for name in seen):
        kept |= {index for index, statement in enumerate(statements) if is_star(statement.node)}
    kept |= {index for index, statement in enumerate(statements) if is_future(statement.node)}
    return [statements[index] for index in sorted(kept)]


def is_future(node):
    return isinstance(node, ast.ImportFrom) and node.module == "__future__"


def is_star(node):
    return isinstance(node, ast.ImportFrom) and node.names[0].name == "*"
