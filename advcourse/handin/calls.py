"""What the statements of a notebook call, which literals they assign, and what they define."""

import ast
import re
from typing import NamedTuple

from advcourse.handin.statements import MENTIONS, argument, course_call, evaluated

CHOICE = "choice"  # what the shipped notebooks call the answer to a question
NOT_LITERAL = object()


class Call(NamedTuple):
    """What matters in the order of a notebook.

    kind: "start" (value: the version told, a literal), "check" (value: the function's syntax tree), "question",
        "answer" (value: a literal), or "choice", an assignment to that name (value: a literal). A literal is a str,
        NOT_LITERAL, or None where there is none or the answer is open.
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
        closely = not isinstance(statement.node, ast.Expr) or MENTIONS.search(statement.text)
        plain = set()
        for node in evaluated(statement.node) if closely else [statement.node]:
            for target, value in assigned(node):
                plain.add(target)
                literals[target.id] = literal(value, literals)
                if target.id == CHOICE and literals[CHOICE] is not NOT_LITERAL:
                    calls.append(Call("choice", None, literals[CHOICE], at))
            if isinstance(node, ast.comprehension):
                plain |= set(ast.walk(node.target))  # its names are nobody else's
            literals |= dict.fromkeys(given_otherwise(node, plain), NOT_LITERAL)
            kind, number = course_call(node) or (None, None)
            if kind == "check":
                calls.append(Call(kind, number, argument(node, 1, "function"), at))
            elif kind == "answer":
                calls.append(Call(kind, number, literal(argument(node, 1, "letter"), literals), at))
            elif kind == "start":
                calls.append(Call(kind, number, literal(argument(node, 1, "version"), literals), at))
            elif kind == "question":
                calls.append(Call(kind, number, None, at))
    return calls, literals


def version_told(calls):
    """The version of the course that a notebook was built with, by its call of `start`; None where it tells none."""
    return next((call.value for call in calls if call.kind == "start" and isinstance(call.value, str)), None)


def given_otherwise(node, plain):
    """The names to which this node gives a value that is no literal, as a loop does, an import or a definition.

    plain: the names' trees to which a literal may have been assigned.
    """
    if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load) and node not in plain:
        return [node.id]
    if isinstance(node, ast.Import | ast.ImportFrom):
        return [alias.asname or alias.name.split(".")[0] for alias in node.names]
    return [node.name] if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) else []


def assigned(node):
    """(name's tree, value's tree) of every plain name to which this node assigns; of `a, b = 1, 2` both."""
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
            yield target, value


def literal(node, literals):
    """The str that a tree stands for, at most 200 characters; None for what is open; NOT_LITERAL for all else."""
    if isinstance(node, ast.NamedExpr):
        node = node.value
    if isinstance(node, ast.Name):  # `choice = b`: letters stand for themselves, see notebook.placeholders
        return literals.get(node.id, node.id if re.fullmatch("[A-Za-z]", node.id) else NOT_LITERAL)
    value = constant(node) if node else None
    if value is ... or value is None or (isinstance(value, str) and not value.strip()):
        return None
    try:
        return value if value is NOT_LITERAL else str(value)[:200]
    except ValueError:  # a number of more digits than Python writes out, in a notebook as here
        return NOT_LITERAL


def constant(node):
    """The value of a constant, of a number with its sign, and of an f-string that has no fields; else NOT_LITERAL."""
    match node:
        case ast.Constant(value):
            return value
        case ast.UnaryOp(ast.USub(), ast.Constant(int() | float() | complex() as value)):
            return -value
        case ast.UnaryOp(ast.UAdd(), ast.Constant(int() | float() | complex() as value)):
            return +value
        case ast.JoinedStr([]):
            return ""
        case ast.JoinedStr([ast.Constant(value)]):
            return value
    return NOT_LITERAL


# --- definitions -----------------------------------------------------------------------------------------------------

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
