"""From marks to what people read: a table of grades, a page for each student, one for the class, and files for
Gradescope.

All that comes from a submission is hostile: names, code, messages. It reaches a page as plain text or not at all.
"""

import ast
import csv
import hashlib
import io
import json
import re
import statistics
import unicodedata
import warnings
from collections import Counter, defaultdict
from datetime import UTC, datetime
from pathlib import Path, PurePath

import jinja2
import numpy as np
from markupsafe import Markup
from scipy.sparse.csgraph import connected_components
from sklearn.feature_extraction.text import CountVectorizer

from advcourse import files
from advcourse.exercises import display
from advcourse.grading import course as courses
from advcourse.grading.marks import STATES, TO_BE_GRADED, Graded

# No more characters than this of one text; a page must open.
LONGEST_CODE, LONGEST_MESSAGE, LONGEST_NAME, MOST_NOTES = 20_000, 1_000, 200, 20
SYMBOLS = display.SYMBOLS | {TO_BE_GRADED: "…"}
COLOURS = display.COLOURS | {TO_BE_GRADED: "0,114,178"}
FAULT = "The grader had a fault of its own. It is not yours, nothing counts as 0, and this notebook will be graded again."


def write(graded: list[Graded], folder, *, course=""):
    """Write grades.csv, index.html, students/*.html and results/*.json to `folder`, each whole or not at all."""
    folder = Path(folder)
    students = defaultdict(list)
    for one in sorted(graded, key=place):
        students[one.student].append(one)
    for student, notebooks in students.items():
        files.write(folder / "students" / f"{file_name(student)}.html", feedback_page(student, notebooks, course))
        for one in notebooks:
            files.write(folder / "results" / f"{file_name(student)}-{re.sub(r'[^0-9A-Za-z]', '', one.notebook)}.json",
                        gradescope(one))
    files.write(folder / "grades.csv", grades_table(graded))
    files.write(folder / "index.html", class_page(students, course))  # last: by then all that it links to is there


def place(graded):
    """Where a Graded stands among others: by the student's name, as people sort names, then by notebook."""
    return unicodedata.normalize("NFKD", graded.student).casefold(), graded.student, graded.notebook


# --- hostile text -----------------------------------------------------------------------------------------------------

# Control characters but tab and line feed, surrogates, marks of direction, and what has no width but joiners:
# some scripts need those.
TREACHEROUS = re.compile("[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\xad\\u061c\\u180e\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060-\\u206f"
                         "\\ud800-\\udfff\\ufeff\\ufff9-\\ufffb\\U000e0001-\\U000e007f]")


def file_name(student):
    """A file's name for any student's name at all: always the same one, and no two students share theirs."""
    ascii_only = unicodedata.normalize("NFKD", student).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", ascii_only)[:40].strip("-") or "student"
    return f"{slug}-{hashlib.sha256(student.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"


def legible(text, longest=LONGEST_MESSAGE):
    """The text with what nobody can see, or what turns the direction of writing, spelt out as ⟨U+202E⟩; clipped."""
    if len(text) > longest:
        text = f"{text[:longest]} … ({len(text) - longest:,} more characters)"
    return TREACHEROUS.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", text)


def one_line(text, longest=LONGEST_MESSAGE):
    """The text as `legible` makes it, in one line."""
    return legible(" ".join(text.split()), longest)


def name_of(student):
    """A student's name as people read it."""
    return one_line(student, LONGEST_NAME) or "(no name)"


def failures_first(outcomes):
    """The (sentence, message) pairs of a mark's outcomes, those that do not hold first."""
    return sorted(outcomes.items(), key=lambda outcome: outcome[1] is None)


def time_of(seconds):
    """A time for people: "2026-11-21 20:15 UTC"; empty where nobody knows it."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC") if seconds else ""
    except (ValueError, OverflowError, OSError):  # a file's date can be anything
        return ""


def number(value):
    """Points for people: 2, 1.5."""
    return f"{value:.6g}"


# --- files for programs -----------------------------------------------------------------------------------------------

def grades_table(graded):
    """grades.csv as text: a row for every exercise. What is to be graded has no points, and never 0."""
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(["student", "notebook", "exercise", "points", "maximum", "state", "reason"])
    for one in sorted(graded, key=place):
        about = [cell(one.student), cell(one.notebook)]
        for mark in one.marks:
            is_open = mark.state == TO_BE_GRADED
            reason = mark.reason or (one.problem or "" if is_open else "")
            writer.writerow([*about, cell(mark.exercise), "" if is_open else number(mark.points),
                             number(mark.maximum), mark.state, cell(reason)])
        if not one.marks:  # nobody is left out
            reason = one.problem or next(iter(one.notes), "no exercise was found in this file")
            writer.writerow([*about, "", "", "", TO_BE_GRADED if one.is_open else "", cell(reason)])
    return "\ufeff" + table.getvalue()  # the mark by which Excel knows UTF-8


def rows(graded):
    """A dict for every mark, with the columns of grades.csv; points are None where they are still to be given."""
    return [{"student": one.student, "notebook": one.notebook, "exercise": mark.exercise, "maximum": mark.maximum,
             "reason": mark.reason,
             "points": None if mark.state == TO_BE_GRADED else mark.points} for one in sorted(graded, key=place)
             for mark in one.marks]


def totals_table(course, graded):
    """totals.csv as text: a row for every student, with the points of each notebook before and after lateness, and the
    weighted percentage."""
    table = io.StringIO()
    writer = csv.writer(table)
    numbers = sorted(course.notebooks)
    writer.writerow(["student", *(f"{number} {kind}" for number in numbers for kind in ("points", "after lateness")),
                     "percent"])

    def shown(value):
        return value if isinstance(value, str) else number(round(value, 2))

    for row in courses.totals(course, graded):
        points = [shown(row[kind].get(name, "")) for name in numbers for kind in ("raw", "final")]
        writer.writerow([cell(row["student"]), *points, shown(row["total"])])
    return "\ufeff" + table.getvalue()


def cell(text):
    """A text for a spreadsheet, which would take one that begins with one of these signs for a formula to execute."""
    line = one_line(text)
    return f"'{line}" if re.match(r"[=+\-@＝＋－＠]", line) else line


def gradescope(one):
    """Gradescope's results.json for one notebook. While something is to be graded there is no score, rather than 0."""
    tests = []
    for mark in one.marks:
        test = {"name": one_line(f"{mark.exercise} {mark.title}"), "max_score": mark.maximum, "output": in_words(mark),
                "visibility": "visible"}
        if mark.state != TO_BE_GRADED:
            test |= {"score": mark.points, "status": "passed" if mark.state == "passed" else "failed"}
        tests.append(test)
    results = {} if one.is_open else {"score": one.points, "extra_data": {"max_score": one.maximum}}
    notes = [one_line(note) for note in one.notes[:MOST_NOTES]]
    return json.dumps(results | {
        "output": "\n".join(([FAULT] if one.problem is not None else []) + notes), "visibility": "visible",
        "output_format": "text", "test_output_format": "text", "test_name_format": "text", "tests": tests}, indent=1)


def in_words(mark):
    """A mark in plain text, as the notebook's own verdict reads."""
    lines = [f"✓ {sentence}" if message is None else f"✗ {sentence}: {message}"
             for sentence, message in failures_first(mark.outcomes)]
    told = [mark.message or (mark.reason if not lines else ""), *lines, mark.hint and f"Hint: {mark.hint}"]
    return "\n".join([f"{SYMBOLS[mark.state]} {mark.state}", *(one_line(line) for line in told if line)])


# --- pages for people -------------------------------------------------------------------------------------------------

def _finalise(value):
    """What every value passes on its way to a page."""
    return legible(value, LONGEST_CODE + 100) if type(value) is str else value


def _environment():
    environment = jinja2.Environment(loader=jinja2.PackageLoader("advcourse.grading", "."), autoescape=True,
                                     trim_blocks=True,
                                     lstrip_blocks=True, undefined=jinja2.StrictUndefined, finalize=_finalise)
    environment.filters |= {
        "inline": lambda text: Markup(display.inline(legible(text))),
        "code": lambda text: legible(text.strip("\n"), LONGEST_CODE),
        "one_line": one_line, "name": name_of, "file_name": file_name, "count": display.count, "number": number,
        "time": time_of,
        "class": lambda state: state.replace(" ", "-"), "failures_first": failures_first}
    environment.globals |= {"symbols": SYMBOLS, "colours": COLOURS, "states": STATES, "to_be_graded": TO_BE_GRADED}
    return environment


ENVIRONMENT = _environment()


def feedback_page(student, notebooks, course=""):
    """A student's page as text. Nothing stands on it that is the instructor's secret: no seed, no fault's details."""
    sources = {one.notebook: PurePath(one.path.replace("\\", "/")).name for one in notebooks}
    return ENVIRONMENT.get_template("feedback.html.j2").render(
        student=student, notebooks=notebooks, course=course, sources=sources, fault=FAULT, most_notes=MOST_NOTES)


def class_page(students, course=""):
    """The instructor's page as text; students: from each name to the list of its Graded."""
    graded = [one for notebooks in students.values() for one in notebooks]
    return ENVIRONMENT.get_template("class.html.j2").render(
        students=students, course=course, graded=graded, names=sorted({one.notebook for one in graded}),
        waiting=[one for one in graded if one.is_open], distributions=distributions(graded), exercises=hardest(graded),
        mistakes=commonest_mistakes(graded), groups=groups_alike(graded),
        faults=len([one for one in graded if one.problem]),
        without_walls=[one for one in graded if one.walls.startswith("none")],
        boxes=sorted(Counter((one.walls, one.seed) for one in graded).items()),
        seconds=sum(one.seconds for one in graded))


def distributions(graded):
    """For each notebook, how its points are distributed: in ten bins of equal width, the last with the maximum."""
    found = []
    for notebook in sorted({one.notebook for one in graded}):
        done = [one for one in graded if one.notebook == notebook and not one.is_open and one.maximum]
        if done:
            bins = Counter(min(int(10 * one.points / one.maximum), 9) for one in done)
            found.append({"notebook": notebook, "counts": [bins[place] for place in range(10)], "students": len(done),
                          "median": statistics.median(one.points for one in done),
                          "maximum": max(one.maximum for one in done)})
    return found


def hardest(graded):
    """Every exercise with how many students are in each state, the hardest first. What is to be graded is left out."""
    states, titles = defaultdict(Counter), {}
    for one in graded:
        for mark in one.marks:
            titles[mark.exercise] = mark.title
            if mark.state != TO_BE_GRADED:
                states[mark.exercise][mark.state] += 1
    found = [{"exercise": exercise, "title": titles[exercise], "states": counts, "students": counts.total(),
              "passed": counts["passed"] / counts.total()} for exercise, counts in states.items()]
    return sorted(found, key=lambda one: (one["passed"], one["exercise"]))


def commonest_mistakes(graded, most=15):
    """The messages that most students got: {"exercise", "message", "students"}, the commonest first.

    Messages that differ in their numbers only are one: "leaves the ε-ball by …".
    """
    number_pattern = r"(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)"
    heard = defaultdict(list)
    for one in graded:
        for mark in one.marks:
            if mark.state == "wrong":
                told = {tuple(re.split(number_pattern, one_line(message)))
                        for message in (mark.message, *mark.outcomes.values()) if message}
                for parts in {parts[::2]: parts for parts in told}.values():
                    heard[mark.exercise, parts[::2]].append(parts)
    found = []
    for (exercise, _), told in heard.items():
        message = "".join(parts[0] if len(set(parts)) == 1 else "…" for parts in zip(*told, strict=True))
        found.append({"exercise": exercise, "message": message.replace("….", "…"), "students": len(told)})
    return sorted(found, key=lambda one: (-one["students"], one["exercise"], one["message"]))[:most]


# --- near-identical code ----------------------------------------------------------------------------------------------

# Measured on the right and wrong answers of tests/wrong_answers, 3,269 pairs that solve the same exercise: two pass
# both limits, and each is the other with one part changed.
ALIKE, RARE_PIECES = 0.7, 30


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
        own = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
        own |= {node.arg for node in nodes if isinstance(node, ast.arg)}
        own |= {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
        for node in nodes:
            if isinstance(node, ast.Name) and node.id in own:
                node.id = "name"
            elif isinstance(node, ast.arg):
                node.arg, node.annotation = "name", None
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                node.name, node.returns = "name", None
            if isinstance(getattr(node, "body", None), list):
                node.body = [line for line in node.body if not _is_text(line)] or [ast.Pass()]
        return ast.unparse(tree)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""


def _is_text(statement):
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def alike_texts(texts):
    """The groups of texts that are nearly the same: for each the list of their places, and how alike the least alike
    two are."""
    pieces = CountVectorizer(token_pattern=r"\w+|[^\w\s]", ngram_range=(4, 4), lowercase=False, binary=True,
                             dtype=np.int64,
                             max_df=max(2, len(texts) // 3))
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
