"""Files for programs: tables of marks and of totals as CSV, and results for Gradescope."""

import csv
import io
import json
import unicodedata

from advcourse.exercises import display
from advcourse.grading.marks import TO_BE_GRADED
from advcourse.grading.reading.lateness import final_points
from advcourse.grading.reports.safe_text import cell, one_line
from advcourse.handin.work import MOST_NOTES

SYMBOLS = display.SYMBOLS | {TO_BE_GRADED: "…"}
FAULT = ("The grader had a fault of its own. It is not yours, "
         "nothing counts as 0, and this notebook will be graded again.")


def place(graded):
    """Where a Graded stands among others: by the student's name, as people sort names, then by notebook."""
    return unicodedata.normalize("NFKD", graded.student).casefold(), graded.student, graded.notebook


def number(value):
    """Points for people: 2, 1.5."""
    return f"{value:.6g}"


# --- marks -----------------------------------------------------------------------------------------------------------

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
             "reason": mark.reason, "points": None if mark.state == TO_BE_GRADED else mark.points}
            for one in sorted(graded, key=place) for mark in one.marks]


# --- totals ----------------------------------------------------------------------------------------------------------

def totals_table(course, graded):
    """totals.csv as text: for every student each notebook's points before and after lateness, and the percentage."""
    table = io.StringIO()
    writer = csv.writer(table)
    numbers = sorted(course.notebooks)
    writer.writerow(["student", *(f"{number} {kind}" for number in numbers for kind in ("points", "after lateness")),
                     "percent"])

    def shown(value):
        return value if isinstance(value, str) else number(round(value, 2))

    for row in totals(course, graded):
        points = [shown(row[kind].get(name, "")) for name in numbers for kind in ("raw", "final")]
        writer.writerow([cell(row["student"]), *points, shown(row["total"])])
    return "\ufeff" + table.getvalue()


def totals(course, graded):
    """A dict for each student, sorted by name: student, raw and final (from notebook to points), total (in percent).

    graded: advcourse.grading.marks.Graded, one for each submission; extensions must call students what these do. Of
    several for one notebook the latest counts, and notebooks that the course does not have are left out. A notebook
    that was not handed in is not in raw and final and counts as 0. Where the grader failed on one, its points and the
    total are "to be graded".
    """
    latest = {}
    for one in sorted(graded, key=lambda one: one.submitted):
        if one.notebook in course.notebooks:
            latest.setdefault(one.student, {})[one.notebook] = one
    return [{"student": student, **points_of(course, student, handed_in)}
            for student, handed_in in sorted(latest.items())]


def points_of(course, student, handed_in):
    """A student's raw, final and total, as in `totals`; handed_in: from notebook to the Graded."""
    raw, final, shares = {}, {}, []
    for notebook, one in sorted(handed_in.items()):
        if one.is_open or not one.maximum:
            raw[notebook] = final[notebook] = TO_BE_GRADED
        else:
            raw[notebook] = one.points
            final[notebook] = final_points(course, one.points, one.submitted, notebook, student)
            shares.append(course.notebooks[notebook].weight * final[notebook] / one.maximum)
    weights = sum(notebook.weight for notebook in course.notebooks.values())
    total = TO_BE_GRADED if len(shares) < len(final) else 100 * sum(shares, 0.0) / weights
    return {"raw": raw, "final": final, "total": total}


# --- Gradescope ------------------------------------------------------------------------------------------------------

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


def failures_first(outcomes):
    """The (sentence, message) pairs of a mark's outcomes, those that do not hold first."""
    return sorted(outcomes.items(), key=lambda outcome: outcome[1] is None)
