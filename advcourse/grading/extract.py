"""From the bytes of an untrusted notebook to what is graded. Nothing of the notebook is executed here.

Notebooks come back with cells deleted, doubled, split, merged and moved, so nothing depends on where a statement
stands: what the exercises' functions are called is known from the shipped notebook, and what these functions need
is found by following names.
"""

import ast
import builtins
import warnings
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from itertools import takewhile
from typing import NamedTuple

from advcourse.exercises.catalogue import Exercise, all_exercises
from advcourse.files import PACKAGE, checkout
from advcourse.grading.statements import MENTIONS, argument, course_call, evaluated, one_line, read

CHOICE = "choice"  # what the shipped notebooks call the answer to a question
MOST_NOTES = 20
NOT_LITERAL = object()


@dataclass(frozen=True)
class Work:
    """What is graded of a notebook.

    statements: the source of top-level statements, in the notebook's order, each to be executed on its own; blank
        lines before it give a traceback the line in the student's cell.
    functions: from every exercise's number to the name of the student's function in them; None where there is none.
    answers: from every question's number to what was given; None where it was left open or is no plain literal.
    student: the last string assigned to STUDENT.
    notes: what was wrong with the file, one line each.
    cells: from the number of an exercise that has a function to the definition as the student wrote it.
    """

    statements: tuple
    functions: dict
    answers: dict
    student: str
    notes: tuple
    cells: dict


def extract(content, notebook):
    """The Work in `content`, the bytes of a submission for `notebook` ("01").

    Raises ValueError where there is nothing to read, or no such notebook in the course.
    """
    if notebook not in shipped():
        raise ValueError(f"there is no notebook {notebook!r}; the course has {', '.join(shipped())}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the parser warns of odd escapes and comparisons
        statements, notes = read(content)
        return choose(statements, notes, notebook)


def choose(statements, notes, notebook):
    """The Work among all statements of a notebook."""
    calls, literals = walk(statements)
    tasks = all_exercises(notebook)
    exercises = [task.number for task in tasks if isinstance(task, Exercise)]
    answers = {task.number: given_answer(task.number, calls, notes) for task in tasks if not isinstance(task, Exercise)}
    defined = definitions(statements)
    functions = {number: function_name(number, official_names(notebook).get(number), calls, *defined, notes)
                 for number in exercises}
    found = {number: name for number, name in functions.items() if name}

    misused = {at for number, name in found.items() for at in later_uses(number, name, statements, calls)}
    statements = [one for at, one in enumerate(statements) if at not in misused]
    real, stubs = definitions(statements)
    needed = closure(statements, found.values())
    idle = {one for one in needed if is_stub(one.node) and real.keys() & one.binds
            and (isinstance(one.node, ast.FunctionDef) or one.binds & set(found.values()))}
    # The sort is stable: all but imports from __future__ keep their order.
    kept = sorted((one for one in needed if one not in idle), key=lambda one: not is_future(one.node))
    if len(notes) > MOST_NOTES:
        notes[MOST_NOTES:] = [f"and {len(notes) - MOST_NOTES} more of this kind"]
    student = literals.get("STUDENT")
    return Work(tuple(one.padded for one in kept), functions, answers, student if isinstance(student, str) else "",
                tuple(notes), {number: (real.get(name) or stubs[name]).text for number, name in found.items()})


@cache
def shipped():
    """From the number of every notebook of the course to the path of what students were given."""
    root = checkout() / "notebooks" if checkout() else PACKAGE / "notebooks"
    return {path.stem[:2]: path for path in sorted(root.glob("[0-9][0-9]_*.ipynb"))}


@cache
def official_names(notebook):
    """From the number of every exercise of a notebook to the name that its function has there."""
    calls, _ = walk(read(shipped()[notebook].read_bytes())[0])
    return {call.number: call.value.id for call in calls if call.kind == "check" and isinstance(call.value, ast.Name)}


class Call(NamedTuple):
    """What matters in the order of a notebook.

    kind: "check" (value: the function's syntax tree), "question", "answer" (value: a literal, or NOT_LITERAL), or
        "choice", an assignment to that name (value: a literal). A literal is a str, or None for an open answer.
    at: the index of its statement.
    """

    kind: str
    number: str | None
    value: object
    at: int


def walk(statements):
    """The Calls of a notebook in its order, and a dict from every name to the last literal that it was given."""
    calls, literals = [], {}
    for at, statement in enumerate(statements):
        closely = hasattr(statement.node, "body") or MENTIONS.search(statement.text)
        for node in evaluated(statement.node) if closely else [statement.node]:
            for name, value in assigned(node):
                literals[name] = literal(value, {})
                if name == CHOICE and literals[name] is not NOT_LITERAL:
                    calls.append(Call("choice", None, literals[name], at))
            kind, number = course_call(node) or (None, None)
            if kind == "check":
                calls.append(Call(kind, number, argument(node, 1, "function"), at))
            elif kind == "answer":
                calls.append(Call(kind, number, literal(argument(node, 1, "letter"), literals), at))
            elif kind == "question":
                calls.append(Call(kind, number, None, at))
    return calls, literals


def assigned(node):
    """(name, value's tree) of every plain name to which this node assigns; of `a, b = 1, 2` both."""
    if isinstance(node, ast.AnnAssign | ast.NamedExpr):
        pairs = [(node.target, node.value)]
    elif isinstance(node, ast.Assign):
        pairs = [(target, node.value) for target in node.targets]
    else:
        pairs = []
    for target, value in pairs:
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
            pairs += zip(target.elts, value.elts, strict=True)
        elif isinstance(target, ast.Name) and value is not None:
            yield target.id, value


def literal(node, literals):
    """The str that a tree stands for, at most 200 characters; None for what is open; NOT_LITERAL for all else."""
    if isinstance(node, ast.NamedExpr):
        node = node.value
    if isinstance(node, ast.Name):
        return literals.get(node.id, NOT_LITERAL)
    if not isinstance(node, ast.Constant):
        return NOT_LITERAL if node else None
    is_open = node.value is ... or node.value is None or (isinstance(node.value, str) and not node.value.strip())
    return None if is_open else str(node.value)[:200]


def definitions(statements):
    """The last statement that gives each name a value: {name: statement} for real ones, and for stubs."""
    real, stubs = {}, {}
    for statement in statements:
        if not is_from_course(statement.node):
            (stubs if is_stub(statement.node) else real).update(dict.fromkeys(statement.binds, statement))
    return real, stubs


def is_from_course(node):
    """Whether this imports from the course: that defines nothing of a student's."""
    if isinstance(node, ast.ImportFrom):
        return (node.module or "").split(".")[0] == "advcourse"
    names = node.names if isinstance(node, ast.Import) else []
    return any(name.name.split(".")[0] == "advcourse" for name in names)


def is_stub(node):
    """Whether this is a function without a body of its own, or an assignment of `...` or None."""
    if isinstance(node, ast.Assign):
        return isinstance(node.value, ast.Constant) and node.value.value in (..., None)
    return isinstance(node, ast.FunctionDef) and all(map(does_nothing, node.body))


def does_nothing(node):
    if isinstance(node, ast.Raise):
        raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
        return isinstance(raised, ast.Name) and raised.id == "NotImplementedError"
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


def is_future(node):
    return isinstance(node, ast.ImportFrom) and node.module == "__future__"


def function_name(number, official, calls, real, stubs, notes):
    """The name of the student's function for an exercise; None where there is none.

    It is the shipped notebook's name, if the submission defines it, else the name in its own check(number, …).
    """
    checked = [call.value for call in calls if call.kind == "check" and call.number == number]
    plain = [tree.id for tree in checked if isinstance(tree, ast.Name)]
    names = [official, *plain[-1:]]
    name = next((name for name in names if name in real), None) or next((name for name in names if name in stubs), None)
    if name is None and checked and not plain:
        notes.append(f"{number}: check is given something else than the name of a function, so there is nothing to "
                     "grade")
    elif plain and name and plain[-1] != name and plain[-1] in real:
        notes.append(f"{number}: graded is {one_line(name)}, which this exercise asks for; the notebook checks "
                     f"{one_line(plain[-1])}")
    elif name and name != official:
        notes.append(f"{number}: graded is {one_line(name)}, which the notebook checks; there is no {official} of the "
                     "student's")
    return name


def later_uses(number, name, statements, calls):
    """The indices of statements that use the name of a function for something else (`size = 28`) when it was defined
    and checked."""
    defined = [at for at, one in enumerate(statements)
               if name in one.binds and isinstance(one.node, ast.FunctionDef | ast.ClassDef) and not is_stub(one.node)]
    checked = [call.at for call in calls if call.kind == "check" and call.number == number]
    return [at for at, one in enumerate(statements) if defined and name in one.binds and at > max(defined + checked)]


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


def is_star(node):
    return isinstance(node, ast.ImportFrom) and node.names[0].name == "*"
