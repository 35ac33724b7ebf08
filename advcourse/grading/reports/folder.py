"""The folder of reports that a graded class comes to."""

import re
from collections import defaultdict
from pathlib import Path

from advcourse import files
from advcourse.grading.marks import Graded
from advcourse.grading.reports.pages import class_page, feedback_page
from advcourse.grading.reports.safe_text import file_name
from advcourse.grading.reports.tables import grades_table, gradescope, place


def write(graded: list[Graded], folder: str | Path, *, course: str = "") -> None:
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
