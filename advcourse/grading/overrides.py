"""Marks that a person sets: a small table beside the grades, which no run writes over."""

import difflib
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from advcourse.exercises import all_exercises
from advcourse.grading.marks import SET_BY_HAND, Graded, Mark
from advcourse.grading.reading.sheets import rows_of

COLUMNS = ("student", "exercise", "points", "comment")
EMPTY = ",".join(COLUMNS) + "\n"


@dataclass(frozen=True)
class Override:
    """Points that a person sets. exercise: its number, or that of a whole notebook ("01")."""

    student: str
    exercise: str
    points: float
    comment: str

    @property
    def notebook(self):
        return self.exercise[:2]


def read_overrides(path: Path, students: Mapping[str, str]) -> tuple[list[Override], list[str]]:
    """(the Overrides in a CSV file, what is wrong with it: a line for each wrong row); nothing where there is none.

    students: from everything that a student may be called there to the student.
    Raises ValueError for a file that is no such table.
    """
    found, problems, line_of = [], [], {}
    if not path.exists() or not path.read_bytes().strip():
        return found, problems
    for number, row in rows_of(path, COLUMNS):
        try:
            override = checked(row, students)
            if (first := line_of.setdefault((override.student, override.exercise), number)) != number:
                raise ValueError(f"{override.exercise} of {override.student} is set in line {first} already")
            found.append(override)
        except ValueError as error:
            problems.append(f"{path}, line {number}: {error}")
    return found, problems


def checked(row, students):
    """The Override in a row; ValueError says what is wrong with it."""
    if row["student"] not in students:
        near = difflib.get_close_matches(row["student"], students, n=1)
        raise ValueError(f"there is no student {row['student']!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
    notebook, dot, place = row["exercise"].partition(".")
    exercise = notebook.zfill(2) + dot + place  # a spreadsheet makes 1.2 of 01.2
    tasks = {task.number: task.points for task in (all_exercises(notebook.zfill(2)) if notebook.isdigit() else ())}
    maximum = tasks.get(exercise) if dot else sum(tasks.values())
    if not maximum:
        raise ValueError(f"there is no exercise {row['exercise']!r}; wanted is one such as 01.2, or a notebook such as "
                         "01" + (f" (it has {', '.join(tasks)})" if tasks else ""))
    try:
        points = float(row["points"].replace(",", "."))
    except ValueError:
        points = math.nan
    if not 0 <= points <= maximum:
        raise ValueError(f"points for {exercise} must be a number from 0 to {maximum}; got {row['points']!r}")
    return Override(students[row["student"]], exercise, points, row["comment"])


def with_overrides(graded: Iterable[Graded], overrides: Iterable[Override]) -> list[Graded]:
    """The Graded of everybody with the points that were set, also for notebooks that were not handed in."""
    of_notebook = defaultdict(list)
    for override in overrides:
        of_notebook[override.student, override.notebook].append(override)
    found = [overridden(one, of_notebook.pop((one.student, one.notebook), ())) for one in graded]
    return found + [overridden(not_handed_in(*place), some) for place, some in of_notebook.items()]


def overridden(one, overrides):
    """A Graded with the points that were set for it."""
    by_exercise = {override.exercise: override for override in overrides}
    marks = tuple(set_by_hand(mark, by_exercise[mark.exercise]) if mark.exercise in by_exercise else mark
                  for mark in one.marks)
    whole = by_exercise.get(one.notebook)
    return replace(one, marks=marks, set_points=whole and whole.points, comment=whole.comment if whole else "")


def set_by_hand(mark, override):
    """A Mark with the points that were set for it."""
    return replace(mark, state=SET_BY_HAND, points=override.points, comment=override.comment,
                   hint="" if override.points == mark.maximum else mark.hint)


def not_handed_in(student, notebook):
    """The Graded of a notebook that was not handed in, or not here."""
    return Graded(student, notebook, path="", sha256="", walls="not needed", marks=tuple(
        Mark(task.number, task.title, "not attempted", 0, task.points) for task in all_exercises(notebook)))
