"""Pages for people: one of feedback for each student, and one of the class for who teaches it."""

import statistics
from collections import Counter, defaultdict
from datetime import UTC, datetime
from pathlib import PurePath

import jinja2
from markupsafe import Markup

from advcourse.exercises import display
from advcourse.grading.marks import SET_BY_HAND, STATES, TO_BE_GRADED, UNREADABLE
from advcourse.grading.reading.own import GENERATOR
from advcourse.grading.reports.alike import commonest_mistakes, groups_alike, like_the_course
from advcourse.grading.reports.safe_text import LONGEST_CODE, file_name, legible, name_of, one_line
from advcourse.grading.reports.tables import FAULT, SYMBOLS, failures_first, number, waits
from advcourse.handin.work import MOST_NOTES

COLOURS = display.COLOURS | {TO_BE_GRADED: "0,114,178", UNREADABLE: "204,121,167", SET_BY_HAND: "86,180,233"}
JUDGED = tuple(display.SYMBOLS)  # states that the checks give


def finalised(value):
    """What every value passes on its way to a page."""
    return legible(value, LONGEST_CODE + 100) if type(value) is str else value


def time_of(seconds):
    """A time for people: "2026-11-21 20:15 UTC"; empty where nobody knows it."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC") if seconds > 0 else ""
    except (ValueError, OverflowError, OSError):  # a file's date can be anything
        return ""


ENVIRONMENT = jinja2.Environment(loader=jinja2.PackageLoader("advcourse.grading.reports", "."), autoescape=True,
                                 trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined,
                                 finalize=finalised)
ENVIRONMENT.filters |= {
    "inline": lambda text: Markup(display.inline(legible(text))),
    "code": lambda text: legible(text.strip("\n"), LONGEST_CODE),
    "one_line": one_line, "name": name_of, "file_name": file_name, "count": display.count, "number": number,
    "time": time_of, "class": lambda state: state.replace(" ", "-"), "failures_first": failures_first,
    "waits": waits}
ENVIRONMENT.globals |= {"symbols": SYMBOLS, "colours": COLOURS, "states": STATES, "judged": JUDGED,
                        "generator": GENERATOR}


# --- the pages -------------------------------------------------------------------------------------------------------

def feedback_page(standing, course="", called=None):
    """A student's page as text; called: from others of a group to their names.

    Nothing stands on it that is the instructor's secret: no seed, no fault's details, no flags.
    """
    sources = {one.notebook: PurePath(one.path.replace("\\", "/")).name for one in standing.notebooks}
    return ENVIRONMENT.get_template("feedback.html.j2").render(
        standing=standing, course=course, called=called or {}, sources=sources, fault=FAULT, most_notes=MOST_NOTES)


def class_page(standings, course=""):
    """The instructor's page as text, from everybody's Standing."""
    graded = [one for standing in standings for one in standing.notebooks]
    files = [one for one in graded if one.sha256 and not one.handed_in_by]
    return ENVIRONMENT.get_template("class.html.j2").render(
        standings=standings, course=course, graded=files, numbers=sorted({one.notebook for one in graded}),
        called={standing.student: standing.name or standing.student for standing in standings},
        pending={why: [one for one in graded if one.pending == why] for why in (TO_BE_GRADED, UNREADABLE)},
        flagged=[one for one in graded if one.flags], absent=[one for one in standings if not one.notebooks],
        about=about_file, distributions=distributions(graded), exercises=hardest(graded),
        mistakes=commonest_mistakes(files), groups=groups_alike(files), published=like_the_course(files),
        faults=len([one for one in graded if one.is_open and one.problem]),
        without_walls=[one for one in files if one.walls.startswith("none")],
        boxes=sorted(Counter((one.walls, one.seed) for one in files).items()),
        seconds=sum(one.seconds for one in files))


def about_file(standing, one, called, most=3):
    """What the class page says of one notebook of a student: lateness first, then what was set, then the file."""
    late = str(standing.late.get(one.notebook, ""))
    if late and not one.pending:
        late += f", of {number(one.points)} points"
    author = called.get(one.handed_in_by, one.handed_in_by)
    shared = [f"the group's, handed in by {author}"] if author else []
    by_hand = ", ".join(mark.exercise for mark in one.marks if mark.state == SET_BY_HAND)
    by_hand = "the whole notebook" if one.set_points is not None else by_hand
    notes = () if one.pending == UNREADABLE else (*one.found, *one.notes)
    return [*filter(None, [late, by_hand and f"set by hand: {by_hand}"]), *shared, *notes[:most]]


# --- what the class page counts --------------------------------------------------------------------------------------

def distributions(graded):
    """For each notebook, how its points are distributed: in ten bins of equal width, the last with the maximum."""
    found = []
    for notebook in sorted({one.notebook for one in graded}):
        done = [one for one in graded if one.notebook == notebook and not one.pending]
        if done:
            bins = Counter(min(int(10 * one.points / one.maximum), 9) for one in done)
            found.append({"notebook": notebook, "counts": [bins[place] for place in range(10)], "students": len(done),
                          "median": statistics.median(one.points for one in done),
                          "maximum": max(one.maximum for one in done)})
    return found


def hardest(graded):
    """Every exercise with how many students are in each of JUDGED's states, the hardest first."""
    states, titles = defaultdict(Counter), {}
    for one in graded:
        for mark in one.marks:
            titles[mark.exercise] = mark.title
            if mark.state in JUDGED:
                states[mark.exercise][mark.state] += 1
    found = [{"exercise": exercise, "title": titles[exercise], "states": counts, "students": counts.total(),
              "passed": counts["passed"] / counts.total()} for exercise, counts in states.items()]
    return sorted(found, key=lambda one: (one["passed"], one["exercise"]))
