"""Pages for people: one of feedback for each student, and one of the class for who teaches it."""

import statistics
from collections import Counter, defaultdict
from datetime import UTC, datetime
from pathlib import PurePath

import jinja2
from markupsafe import Markup

from advcourse.exercises import display
from advcourse.grading.marks import STATES, TO_BE_GRADED
from advcourse.grading.reports.alike import commonest_mistakes, groups_alike, like_the_course
from advcourse.grading.reports.safe_text import LONGEST_CODE, file_name, legible, name_of, one_line
from advcourse.grading.reports.tables import FAULT, SYMBOLS, failures_first, number
from advcourse.handin.work import MOST_NOTES

COLOURS = display.COLOURS | {TO_BE_GRADED: "0,114,178"}


def finalised(value):
    """What every value passes on its way to a page."""
    return legible(value, LONGEST_CODE + 100) if type(value) is str else value


def time_of(seconds):
    """A time for people: "2026-11-21 20:15 UTC"; empty where nobody knows it."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC") if seconds else ""
    except (ValueError, OverflowError, OSError):  # a file's date can be anything
        return ""


ENVIRONMENT = jinja2.Environment(loader=jinja2.PackageLoader("advcourse.grading.reports", "."), autoescape=True,
                                 trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined,
                                 finalize=finalised)
ENVIRONMENT.filters |= {
    "inline": lambda text: Markup(display.inline(legible(text))),
    "code": lambda text: legible(text.strip("\n"), LONGEST_CODE),
    "one_line": one_line, "name": name_of, "file_name": file_name, "count": display.count, "number": number,
    "time": time_of, "class": lambda state: state.replace(" ", "-"), "failures_first": failures_first}
ENVIRONMENT.globals |= {"symbols": SYMBOLS, "colours": COLOURS, "states": STATES, "to_be_graded": TO_BE_GRADED}


# --- the pages -------------------------------------------------------------------------------------------------------

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
        mistakes=commonest_mistakes(graded), groups=groups_alike(graded), published=like_the_course(graded),
        faults=len([one for one in graded if one.problem]),
        without_walls=[one for one in graded if one.walls.startswith("none")],
        boxes=sorted(Counter((one.walls, one.seed) for one in graded).items()),
        seconds=sum(one.seconds for one in graded))


# --- what the class page counts --------------------------------------------------------------------------------------

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
