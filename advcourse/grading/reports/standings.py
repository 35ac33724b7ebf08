"""Where every student stands: what was handed in, how late, and what it comes to. All reports are made of these."""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from advcourse.grading.course import Course
from advcourse.grading.marks import TO_BE_GRADED, UNREADABLE, Graded
from advcourse.grading.reading.lateness import priced
from advcourse.grading.reading.roster import Student


@dataclass(frozen=True)
class Standing:
    """One student's notebooks (Graded, by number) and what they come to.

    name, email: the roster's, or ""; numbers: what else it calls the student by.
    late: from notebook to its Lateness. raw, final: from notebook to its points before and after lateness, or to why
    there are none yet. total: the weighted percentage, or why there is none yet; None without a course. Only notebooks
    of the course are in these four.
    """

    student: str
    name: str
    notebooks: tuple
    late: dict = field(default_factory=dict)
    raw: dict = field(default_factory=dict)
    final: dict = field(default_factory=dict)
    total: float | str | None = None
    email: str = ""
    numbers: tuple = ()


def standings(graded: Iterable[Graded], course: Course | None = None, roster: Iterable[Student] = ()
              ) -> list[Standing]:
    """The Standing of everybody who handed something in or is in the roster, as people sort names.

    A notebook that was not handed in is not in raw and final, and counts as 0.
    """
    notebooks, people = defaultdict(list), {student.id: student for student in roster}
    for one in sorted(graded, key=lambda one: one.notebook):
        notebooks[one.student].append(one)
    for student in people.keys() - notebooks.keys():
        notebooks[student] = []
    found = []
    for student, theirs in notebooks.items():
        known = people.get(student)
        name = known.name if known else next((one.name for one in theirs if one.name), "")
        one = standing(student, name, theirs, course)
        found.append(replace(one, email=known.email, numbers=tuple(known.numbers.values())) if known else one)
    return sorted(found, key=lambda one: (sortable(one.name or one.student), one.student))


def standing(student, name, notebooks, course):
    """The Standing of one student."""
    if not course:
        return Standing(student, name, tuple(notebooks))
    handed_in = {one.notebook: one for one in notebooks if one.notebook in course.notebooks}
    late = priced(course, student, handed_in)
    raw = {number: one.pending or one.points for number, one in handed_in.items()}
    final = {number: points if isinstance(points, str) else points * late[number].percent / 100
             for number, points in raw.items()}
    return Standing(student, name, tuple(notebooks), late, raw, final, total(course, handed_in, final))


def total(course, handed_in, final):
    """A student's weighted percentage, or why there is none yet: never a 0 for what nobody has judged."""
    for why in (TO_BE_GRADED, UNREADABLE):
        if why in final.values():
            return why
    weights = sum(notebook.weight for notebook in course.notebooks.values())
    return 100 * sum((course.notebooks[number].weight * points / handed_in[number].maximum
                      for number, points in final.items()), 0.0) / weights


def sortable(name):
    """A name as people sort names."""
    return unicodedata.normalize("NFKD", name).casefold()
