"""Files for programs: tables of marks and of totals as CSV, and results for Gradescope."""

import csv
import io
import json

from advcourse.exercises import display
from advcourse.grading.marks import SET_BY_HAND, TO_BE_GRADED, UNREADABLE
from advcourse.grading.reading.own import GRADES
from advcourse.grading.reports.safe_text import cell, one_line
from advcourse.handin.work import MOST_NOTES

SYMBOLS = display.SYMBOLS | {TO_BE_GRADED: "…", UNREADABLE: "?", SET_BY_HAND: "✎"}
BOM = "\ufeff"  # the mark by which Excel knows UTF-8
FAULT = ("The grader had a fault of its own. It is not yours, "
         "nothing counts as 0, and this notebook will be graded again.")


def number(value):
    """Points for people: 2, 1.5."""
    return f"{value:.6g}"


# --- marks -----------------------------------------------------------------------------------------------------------

def grades_table(standings):
    """grades.csv as text: a row for every exercise. What has no points yet has none there, and never 0."""
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(GRADES)
    for standing in standings:
        for one in standing.notebooks:
            lateness = standing.late.get(one.notebook)
            before = [cell(standing.student), cell(standing.name), cell(one.notebook)]
            after = [lateness.days if lateness else "", cell(one.source)]
            for mark in one.marks:
                points = "" if waits(mark) else number(mark.points)
                reason = mark.reason or (one.problem or "" if mark.state == TO_BE_GRADED else "")
                writer.writerow([*before, cell(mark.exercise), points, number(mark.maximum), mark.state, cell(reason),
                                 cell(mark.comment), *after])
            if one.set_points is not None:  # with this row, the points add up
                writer.writerow([*before, "", number(difference(one)), "0", SET_BY_HAND, "", cell(one.comment), *after])
            elif not one.marks:  # nobody is left out
                writer.writerow([*before, "", "", "", one.pending, cell(one.reason), "", *after])
    return BOM + table.getvalue()


def waits(mark):
    """Has this Mark no points yet?"""
    return mark.state in (TO_BE_GRADED, UNREADABLE)


def difference(one):
    """What the points that were set for a whole notebook add to, or take from, those of its exercises."""
    return one.set_points - sum(mark.points for mark in one.marks if not waits(mark))


def rows(standings):
    """A dict for every mark, for nbgrader's gradebook; points are None where they are still to be given.

    Points that were set for a whole notebook are shared among its exercises: nbgrader has no place for them.
    """
    found = []
    for one in (one for standing in standings for one in standing.notebooks):
        for mark in one.marks:
            points, reason = None if waits(mark) else mark.points, mark.comment or mark.reason
            if one.set_points is not None:
                points, reason = one.set_points * mark.maximum / one.maximum, one.comment
            found.append({"student": one.student, "notebook": one.notebook, "exercise": mark.exercise,
                          "points": points, "maximum": mark.maximum, "reason": reason})
    return found


# --- totals ----------------------------------------------------------------------------------------------------------

def totals_table(course, standings):
    """totals.csv as text: everybody's points before and after lateness, how late, and the percentage."""
    table = io.StringIO()
    writer = csv.writer(table)
    numbers = sorted(course.notebooks)
    writer.writerow(["student", "name", *(f"{number} {kind}" for number in numbers for kind in (
        "points", "after lateness", "days late", "days free", "dated by")), "percent", "remarks"])
    for standing in standings:
        fields = [field for number in numbers for field in of_notebook(standing, number)]
        writer.writerow([cell(standing.student), cell(standing.name), *fields, shown(standing.total),
                         cell("; ".join(remarks(standing)))])
    return BOM + table.getvalue()


def of_notebook(standing, name):
    """What totals.csv says of one notebook."""
    if name not in standing.raw:
        return [""] * 5
    late = standing.late[name]
    return [shown(standing.raw[name]), shown(standing.final[name]), late.days, late.free, cell(late.source)]


def remarks(standing):
    """What explains a student's total, in words."""
    if not standing.notebooks:
        return ["nothing handed in"]
    return [f"{one.notebook or 'a file of no notebook'} {one.pending}: {one_line(one.reason, 200)}"
            for one in standing.notebooks if one.pending]


def shown(value):
    """Points or a percentage, or why there are none."""
    return value if isinstance(value, str) else number(round(value, 2))


# --- Gradescope ------------------------------------------------------------------------------------------------------

def gradescope(one):
    """Gradescope's results.json for one notebook. While something is to be graded there is no score, rather than 0."""
    tests = []
    for mark in one.marks:
        test = {"name": one_line(f"{mark.exercise} {mark.title}"), "max_score": mark.maximum, "output": in_words(mark),
                "visibility": "visible"}
        if not waits(mark):
            test |= {"score": mark.points, "status": "passed" if mark.points == mark.maximum else "failed"}
        tests.append(test)
    results = {} if one.pending else {"score": one.points, "extra_data": {"max_score": one.maximum}}
    told = [FAULT] if one.is_open and one.problem is not None else []
    if one.set_points is not None:
        told.append(f"Points set by hand. {one.comment}")
    notes = [one_line(note) for note in (*told, *one.notes[:MOST_NOTES])]
    return json.dumps(results | {
        "output": "\n".join(notes), "visibility": "visible",
        "output_format": "text", "test_output_format": "text", "test_name_format": "text", "tests": tests}, indent=1)


def in_words(mark):
    """A mark in plain text, as the notebook's own verdict reads."""
    lines = [f"✓ {sentence}" if message is None else f"✗ {sentence}: {message}"
             for sentence, message in failures_first(mark.outcomes)]
    told = [mark.comment, mark.message or (mark.reason if not lines else ""), *lines,
            mark.hint and f"Hint: {mark.hint}"]
    return "\n".join([f"{SYMBOLS[mark.state]} {mark.state}", *(one_line(line) for line in told if line)])


def failures_first(outcomes):
    """The (sentence, message) pairs of a mark's outcomes, those that do not hold first."""
    return sorted(outcomes.items(), key=lambda outcome: outcome[1] is None)
