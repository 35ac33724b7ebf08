"""What submissions have in common: mistakes that differ in a number only, and code that is nearly the same."""

import ast
import functools
import inspect
import re
import warnings
from collections import defaultdict
from contextlib import suppress
from pathlib import Path

import numpy as np
from scipy.sparse.csgraph import connected_components
from sklearn.base import clone
from sklearn.feature_extraction.text import CountVectorizer

from advcourse.exercises.catalogue import get
from advcourse.grading.reports.safe_text import one_line
from advcourse.handin.calls import definitions
from advcourse.handin.statements import read_cells
from advcourse.handin.work import LONGEST_WORK, extract, own_code, shipped

PIECES = CountVectorizer(token_pattern=r"\w+|[^\w\s]", ngram_range=(4, 4), lowercase=False, binary=True,
                         dtype=np.int64)
NUMBER = re.compile(r"(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)")
# Measured on the right and wrong answers of tests/wrong_answers with all that they call, 3,092 pairs that solve the
# same exercise: one passes both limits, and is the other with one part changed. Beside the course's own solutions none
# of the 42 right answers that were written otherwise comes near (0.43 at most), and 21 of the 257 wrong ones do, which
# are the course's own with one part changed.
ALIKE, RARE_PIECES = 0.7, 30


# --- mistakes --------------------------------------------------------------------------------------------------------

def commonest_mistakes(graded, most=15):
    """The messages that most students got: {"exercise", "message", "students"}, the commonest first.

    Messages that differ in their numbers only are one: "leaves the ε-ball by …".
    """
    heard = defaultdict(list)
    for one in graded:
        for mark in one.marks:
            if mark.state == "wrong":
                told = {tuple(NUMBER.split(one_line(message)))
                        for message in (mark.message, *mark.outcomes.values()) if message}
                for parts in {parts[::2]: parts for parts in told}.values():
                    heard[mark.exercise, parts[::2]].append(parts)
    found = []
    for (exercise, _), told in heard.items():
        message = "".join(parts[0] if len(set(parts)) == 1 else "…" for parts in zip(*told, strict=True))
        found.append({"exercise": exercise, "message": message.replace("….", "…"), "students": len(told)})
    return sorted(found, key=lambda one: (-one["students"], one["exercise"], one["message"]))[:most]


# --- code ------------------------------------------------------------------------------------------------------------

def groups_alike(graded):
    """Groups of students whose code of an exercise is nearly the same, for a person to look at.

    Returns a list of {"students", "exercises": [{"exercise", "alike", "code"}], "alike" (of the least alike two)};
    those that share most exercises come first, small groups before large ones.

    Names, comments and types don't count, nor does what more than a third of the class wrote. What remains
    is compared in pieces of four words, and must be long enough that chance is no explanation.
    """
    groups = defaultdict(list)
    for exercise, answers in sorted(codes_of(graded).items()):
        students = list(answers)
        for members, alike in alike_texts([words for words, _ in answers.values()]):
            names = tuple(students[member] for member in members)
            groups[names].append({"exercise": exercise, "alike": alike, "code": answers[names[0]][1]})
    found = [{"students": names, "exercises": shared, "alike": min(one["alike"] for one in shared)}
             for names, shared in groups.items()]
    return sorted(found, key=lambda group: (-len(group["exercises"]), len(group["students"]), -group["alike"],
                                            group["students"]))


def like_the_course(graded):
    """Students whose code of an exercise is nearly a solution that the course has published, for a person to look at.

    Returns a list of {"exercise", "students", "alike" (of the least alike), "code"}. What students were given does not
    count; what many wrote does, unlike in `groups_alike`.
    """
    found = []
    for exercise, answers in sorted(codes_of(graded).items()):
        given, solutions = course_pieces(exercise)
        alike = {student: max((likeness(pieces_of(words) - given, solution) for solution in solutions), default=0)
                 for student, (words, _) in answers.items()}
        if students := [student for student, share in alike.items() if share >= ALIKE]:
            found.append({"exercise": exercise, "students": students, "code": answers[students[0]][1],
                          "alike": min(alike[student] for student in students)})
    return found


def codes_of(graded):
    """From each exercise to {student: (code without what does not count, code)} of those who attempted it."""
    codes = defaultdict(dict)
    for one in graded:
        for mark in one.marks:
            if mark.code and mark.state != "not attempted" and (words := normalised(mark.code)):  # questions have none
                codes[mark.exercise][one.student] = words, mark.code
    return codes


@functools.cache
def course_pieces(exercise):
    """(the pieces of what students are given of an exercise, those of each solution without them if it is long enough).

    Solutions: the one that checks compare with, and that of the solved notebook where it is at hand.
    """
    notebook, texts = exercise[:2], []
    if notebook not in shipped():
        return frozenset(), []
    with suppress(ValueError):
        texts.append(own_source(get(exercise).reference))
    solved = shipped()[notebook].parent / "solutions" / shipped()[notebook].name
    if solved.is_file():
        texts.append(extract(solved.read_bytes(), notebook).cells.get(exercise, ""))
    stub = extract(shipped()[notebook].read_bytes(), notebook).cells.get(exercise, "")
    given = pieces_of(normalised(stub))
    solutions = [pieces_of(normalised(text)) - given for text in texts]
    return given, [pieces for pieces in solutions if len(pieces) >= RARE_PIECES]


def own_source(function):
    """The source of a function of the course and of what it needs of its own file."""
    function = inspect.unwrap(function)
    statements, _ = read_cells([(1, Path(inspect.getsourcefile(function)).read_text(encoding="utf-8"))])
    return own_code(function.__name__, statements, *definitions(statements))


def pieces_of(words):
    """The pieces of four words of a normalised code."""
    return frozenset(PIECES.build_analyzer()(words))


def likeness(one, other):
    """The share of the pieces of both that both have."""
    return len(one & other) / max(1, len(one | other))


def normalised(code):
    """The code without its own choice of names, comments, docstrings and types; empty where it cannot be read."""
    if len(code) > LONGEST_WORK:
        return ""
    try:
        with warnings.catch_warnings(action="ignore"):
            tree = ast.parse(code)
        nodes = list(ast.walk(tree))
        own = own_names(nodes)
        for node in nodes:
            undress(node, own)
        return ast.unparse(tree)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""


def own_names(nodes):
    """The names that the code chose itself: of variables, arguments and functions."""
    own = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    own |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    return own | {node.name for node in nodes
                  if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)}


def undress(node, own):
    """Take from a node of the syntax tree its own names, its types, and texts that stand alone."""
    if isinstance(node, ast.Name) and node.id in own:
        node.id = "name"
    elif isinstance(node, ast.arg):
        node.arg, node.annotation = "name", None
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        node.name, node.returns = "name", None
    elif isinstance(node, ast.ClassDef):
        node.name = "name"
    if isinstance(getattr(node, "body", None), list):
        node.body = [line for line in node.body if not is_text(line)] or [ast.Pass()]


def is_text(statement):
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def alike_texts(texts):
    """(the places of its texts, how alike the least alike two are) of each group of texts that are nearly the same."""
    try:
        has = clone(PIECES).set_params(max_df=max(2, len(texts) // 3)).fit_transform(texts)
    except ValueError:  # nothing rare in any of them
        return []
    shared = (has @ has.T).toarray()
    sizes = shared.diagonal()
    alike = shared / np.maximum(sizes[:, None] + sizes - shared, 1)
    linked = (alike >= ALIKE) & (sizes >= RARE_PIECES) & (sizes[:, None] >= RARE_PIECES)
    labels = connected_components(linked, directed=False)[1]
    groups = [np.flatnonzero(labels == label) for label in range(labels.max() + 1)]
    return [(group.tolist(), alike[np.ix_(group, group)].min().item()) for group in groups if len(group) > 1]
