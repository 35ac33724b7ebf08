"""The folder of reports that a graded class comes to."""

import csv
import io
import re
from collections.abc import Iterable
from pathlib import Path

from advcourse import files
from advcourse.grading.course import Course
from advcourse.grading.reading.own import OURS
from advcourse.grading.reports.pages import class_page, feedback_page
from advcourse.grading.reports.platforms import moodle_feedback
from advcourse.grading.reports.safe_text import cell, file_name
from advcourse.grading.reports.standings import Standing
from advcourse.grading.reports.tables import BOM, grades_table, gradescope, totals_table


def write(standings: Iterable[Standing], folder: str | Path, course: Course | None = None) -> None:
    """Write all that people and other programs read of a class to `folder`, each file whole or not at all.

    That is grades.csv, students.csv, index.html, students/*.html, results/*.json, with a course totals.csv, and
    feedback/*.zip for Moodle. Those of students who are not among these any more are removed.
    """
    folder, standings, written = Path(folder), list(standings), set()
    for path, content in reports(standings, course):
        files.write(folder / path, content)
        written.add(path)
    for room, names in OURS.items():
        for path in (folder / room).glob("*"):
            if re.fullmatch(names, path.name) and f"{room}/{path.name}" not in written:
                path.unlink()


def reports(standings, course):
    """(path in the folder, content) of every report, one after the other: a class is large."""
    name, called = course.name if course else "", {one.student: one.name for one in standings if one.name}
    for standing in standings:
        file = file_name(standing.student)
        if standing.notebooks:
            yield f"students/{file}.html", feedback_page(standing, name, called)
        for one in standing.notebooks:
            yield f"results/{file}-{re.sub(r'[^0-9A-Za-z]', '', one.notebook)}.json", gradescope(one)
    for number in sorted({one.notebook for standing in standings for one in standing.notebooks} - {""}):
        if content := moodle_feedback(standings, number, name, called):
            yield f"feedback/{number}.zip", content
    yield "grades.csv", grades_table(standings)
    yield "students.csv", students_table(standings)
    if course:
        yield "totals.csv", totals_table(course, standings)
    yield "index.html", class_page(standings, name)  # last: by then all that it links to is there


def students_table(standings):
    """students.csv as text: whose each page of feedback is."""
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(["student", "name", "email", "platform", "feedback"])
    for standing in standings:
        page = f"students/{file_name(standing.student)}.html" if standing.notebooks else ""
        platform = next((one.platform for one in standing.notebooks if one.platform), "")
        writer.writerow([*map(cell, (standing.student, standing.name, standing.email, platform)), page])
    return BOM + table.getvalue()
