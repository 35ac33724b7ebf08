"""Marks into nbgrader's gradebook, through its own API: formgrader and nbgrader's exporters then show them."""

import math
import os
import shutil
import sys
from pathlib import Path

from advcourse.exercises.exported import grade_id

KEYS = ("student", "notebook", "exercise", "points", "maximum", "reason")


def write_gradebook(rows, database_url):
    """Write marks into nbgrader's gradebook at `database_url`; what a person graded there stays.

    database_url: such as "sqlite:///gradebook.db".
    rows: dicts with some columns of grades.csv: student, notebook ("01"), exercise ("01.2"), points (None or "" where
        they are still to be given), maximum, reason. Written again, they replace what was there; the last row of an
        exercise counts.
    An assignment whose name begins with the notebook's number, as "01_adversarial_examples", receives its marks; else
    one of that number is made. Raises ValueError for a row that is wrong, before anything is written; OSError where the
    gradebook cannot be.
    """
    from nbgrader.api import Gradebook
    from sqlalchemy.exc import SQLAlchemyError

    submissions = {}
    for row in rows:
        row = checked(row)
        submissions.setdefault((row["notebook"], row["student"]), {})[row["exercise"]] = row
    if not shutil.which("alembic"):  # nbgrader calls it by name, and we may run in an environment that is not activated
        os.environ["PATH"] = os.pathsep.join([os.environ.get("PATH", os.defpath), str(Path(sys.executable).parent)])
    try:
        with Gradebook(database_url) as gradebook:
            for (notebook, student), marks in submissions.items():
                write_submission(gradebook, notebook, student, marks.values())
    except SQLAlchemyError as error:
        raise OSError(f"nbgrader's gradebook {database_url} cannot be written: {str(error).splitlines()[0]}") from None


def checked(row):
    """The row with numbers for points (or None) and maximum; ValueError where it is wrong."""
    missing = [key for key in KEYS if row.get(key) is None and key not in ("points", "reason")]
    if missing:
        raise ValueError(f"a mark needs {', '.join(KEYS)}; this one has no {', '.join(missing)}: {dict(row)}")
    try:
        points = None if row.get("points") in (None, "") else float(row["points"])
        maximum = float(row["maximum"])
    except (TypeError, ValueError):
        raise ValueError(f"points and maximum must be numbers; got {row.get('points')!r} and "
                         f"{row['maximum']!r}") from None
    if not 0 <= (points or 0) <= maximum < math.inf:
        raise ValueError(f"points must lie between 0 and the maximum; got {points} of {maximum:g} "
                         f"for {row['exercise']} of {row['student']}")
    return {key: str(row.get(key) or "") for key in KEYS} | {"points": points, "maximum": maximum}


def write_submission(gradebook, notebook, student, rows):
    """Write the marks of one student's notebook, in one transaction once nbgrader knows the cells."""
    assignment, name = places(gradebook, notebook)
    for row in rows:
        gradebook.update_or_create_grade_cell(grade_id("exercise", row["exercise"]), name, assignment,
                                              max_score=row["maximum"], cell_type="code")
        gradebook.update_or_create_solution_cell(grade_id("answer", row["exercise"]), name, assignment)
    gradebook.update_or_create_student(student)
    submission = gradebook.update_or_create_submission(assignment, student)
    (submitted,) = [part for part in submission.notebooks if part.name == name]
    for row in rows:
        write_mark(gradebook, submitted, row)
    gradebook.db.commit()


def places(gradebook, notebook):
    """(the assignment's name, that of the notebook in it) for the notebook of this number; made where missing."""
    for assignment in sorted(gradebook.assignments, key=lambda assignment: assignment.name):
        for candidate in assignment.notebooks:
            if candidate.name == notebook or candidate.name.startswith(f"{notebook}_"):
                return assignment.name, candidate.name
    gradebook.update_or_create_assignment(notebook)
    gradebook.update_or_create_notebook(notebook, notebook)
    return notebook, notebook


def write_mark(gradebook, submitted, row):
    """Set the score and the comment of one exercise in a submitted notebook."""
    from nbgrader.api import Comment, Grade

    where = submitted.name, submitted.assignment.name
    grade = cell_of(submitted.grades, gradebook.find_grade_cell(grade_id("exercise", row["exercise"]), *where), Grade)
    comment = cell_of(submitted.comments, gradebook.find_solution_cell(grade_id("answer", row["exercise"]), *where),
                      Comment)
    contested = grade.manual_score is not None and grade.auto_score != row["points"]  # a person decided on other points
    grade.needs_manual_grade = row["points"] is None or contested
    grade.auto_score, comment.auto_comment = row["points"], row["reason"] or None


def cell_of(entries, cell, kind):
    """The entry, a Grade or a Comment, of this cell; a new one where the cell is younger than the submission."""
    for entry in entries:
        if entry.cell_id == cell.id:
            return entry
    entries.append(kind(cell_id=cell.id))
    return entries[-1]
