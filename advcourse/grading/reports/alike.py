"""What submissions have in common: mistakes that differ in a number only, and code that is nearly the same."""

import ast
import re
import warnings
from collections import defaultdict

import numpy as np
from scipy.sparse.csgraph import connected_components
from sklearn.feature_extraction.text import CountVectorizer

from advcourse.grading.reports.safe_text import LONGEST_CODE, one_line

NUMBER = re.compile(r"(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)")
# Measured on the right and wrong answers of tests/wrong_answers, 3,269 pairs that solve the same exercise: two pass
# both limits, and each is the other with one part changed.
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
    codes = defaultdict(dict)
    for one in graded:
        for mark in one.marks:
            if mark.state != "not attempted" and (words := normalised(mark.code)):
                codes[mark.exercise][one.student] = words, mark.code
    groups = defaultdict(list)
    for exercise, answers in sorted(codes.items()):
        students = list(answers)
        for members, alike in alike_texts([words for words, _ in answers.values()]):
            names = tuple(students[member] for member in members)
            groups[names].append({"exercise": exercise, "alike": alike, "code": answers[names[0]][1]})
    found = [{"students": names, "exercises": shared, "alike": min(one["alike"] for one in shared)}
             for names, shared in groups.items()]
    return sorted(found, key=lambda group: (-len(group["exercises"]), len(group["students"]), -group["alike"],
                                            group["students"]))


def normalised(code):
    """The code without its own choice of names, comments, docstrings and types; empty where it cannot be read."""
    if len(code) > LONGEST_CODE:
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
    return own | {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def undress(node, own):
    """Take from a node of the syntax tree its own names, its types, and texts that stand alone."""
    if isinstance(node, ast.Name) and node.id in own:
        node.id = "name"
    elif isinstance(node, ast.arg):
        node.arg, node.annotation = "name", None
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        node.name, node.returns = "name", None
    if isinstance(getattr(node, "body", None), list):
        node.body = [line for line in node.body if not is_text(line)] or [ast.Pass()]


def is_text(statement):
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def alike_texts(texts):
    """(the places of its texts, how alike the least alike two are) of each group of texts that are nearly the same."""
    pieces = CountVectorizer(token_pattern=r"\w+|[^\w\s]", ngram_range=(4, 4), lowercase=False, binary=True,
                             dtype=np.int64, max_df=max(2, len(texts) // 3))
    try:
        has = pieces.fit_transform(texts)
    except ValueError:  # nothing rare in any of them
        return []
    shared = (has @ has.T).toarray()
    sizes = shared.diagonal()
    alike = shared / np.maximum(sizes[:, None] + sizes - shared, 1)
    linked = (alike >= ALIKE) & (sizes >= RARE_PIECES) & (sizes[:, None] >= RARE_PIECES)
    labels = connected_components(linked, directed=False)[1]
    groups = [np.flatnonzero(labels == label) for label in range(labels.max() + 1)]
    return [(group.tolist(), alike[np.ix_(group, group)].min().item()) for group in groups if len(group) > 1]
