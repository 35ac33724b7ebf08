"""When a student's notebook is due, and what lateness costs."""

import math
from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass

from advcourse.exercises.display import count
from advcourse.grading.reading.platforms import MARKED_LATE
from advcourse.grading.reading.times import FILE

DAY = 24 * 60 * 60
TOGETHER = 10 * 60  # seconds within which no class hands in late, but a download or a copy dates its files


def deadline(course, notebook, student):
    """When a notebook is due for a student, an aware datetime; ValueError where the course has no such notebook."""
    if notebook not in course.notebooks:
        raise ValueError(f"{course.name} has no notebook {notebook!r}; it has {', '.join(course.notebooks)}")
    return course.extensions.get(student, {}).get(notebook, course.notebooks[notebook].deadline)


def days_late(course, submitted, notebook, student):
    """How many days of lateness had started when it was submitted (seconds since the epoch); 0 within the grace.

    Where a platform marks it as late and does not say when it came: one, or 0 for a student with a deadline of their
    own, of which the platform does not know.
    """
    if submitted == MARKED_LATE:
        deadline(course, notebook, student)  # has the course this notebook?
        return 0 if notebook in course.extensions.get(student, {}) else 1
    seconds = submitted - deadline(course, notebook, student).timestamp() - 60 * course.late.grace_minutes
    return max(0, math.ceil(seconds / DAY))


def percent_left(late, days):
    """How many percent of the points are left after so many days of lateness."""
    if late.most_days is not None and days > late.most_days:
        return 0.0
    return max(100 - late.percent_per_day * days, late.floor_percent if days else 100)


@dataclass(frozen=True)
class Lateness:
    """What handing one notebook in late comes to.

    days: those that had started; free: so many of them cost nothing, as late passes pay for them.
    percent: of the points, what is left. source: what tells when it was submitted.
    """

    days: int
    free: int
    percent: float
    source: str

    def __str__(self):
        """Such as "5 days late by the file's date, 2 of them free: −30 %"; empty where it is not late."""
        by = f" by {self.source}" if self.source else ""
        free = f", {self.free} of them free" if 0 < self.free < self.days else ""
        nothing = "late passes pay for it" if self.free else "it costs nothing"
        price = f"−{100 - self.percent:g} %" if self.percent < 100 else nothing
        return f"{count(self.days, 'day')} late{by}{free}: {price}" if self.days else ""


def priced(course, student, handed_in):
    """From every notebook that a student handed in to its Lateness; handed_in: from notebook to the Graded.

    Late passes are used up in the order of the student's deadlines, and only where they save points.
    Raises ValueError for a notebook that the course does not have.
    """
    passes, found = course.late.free_days, {}
    for notebook in sorted(handed_in, key=lambda notebook: (deadline(course, notebook, student), notebook)):
        one = handed_in[notebook]
        days = days_late(course, one.submitted, notebook, student)
        free = min(days, passes)
        left, left_at_once = percent_left(course.late, days - free), percent_left(course.late, days)
        if not one.points or left == left_at_once:
            free, left = 0, left_at_once
        passes -= free
        found[notebook] = Lateness(days, free, left, one.source)
    return found


def doubtful(course, submissions):
    """A line on each way in which the lateness of a class may be no student's doing.

    submissions: Submissions of any kind; those for notebooks that the course does not have are passed over.
    """
    classes, late = defaultdict(int), defaultdict(list)
    for one in {(one.notebook, str(one.path)): one for one in submissions}.values():  # a group's file is one
        if one.notebook in course.notebooks:
            classes[one.notebook] += 1
            if one.submitted > 0 and days_late(course, one.submitted, one.notebook, one.student):
                late[one.notebook].append(one)
    for notebook, ones in sorted(late.items()):
        moments = sorted(one.submitted for one in ones)
        together = max(bisect_right(moments, moment + TOGETHER) - at for at, moment in enumerate(moments))
        copied = sum(one.source == FILE for one in ones)
        if 2 * together > classes[notebook] > 1:
            yield (f"notebook {notebook}: {together} of {classes[notebook]} are late within 10 minutes of each other "
                   f"by {ones[0].source}, as if that were the time of a download or a copy: say when they came with "
                   "--times")
        elif copied:
            yield (f"notebook {notebook}: {count(copied, 'file')} late by the file's date alone, which copying, "
                   "cloning and unpacking change: say when they came with --times")


def in_words(late):
    """What handing in late costs, in words; empty where nothing is said of it."""
    told = []
    if late.percent_per_day:
        least = f", down to {late.floor_percent:g}%" if late.floor_percent else ""
        told.append("Every started day after the deadline costs "
                    f"{late.percent_per_day:g}% of the points earned{least}.")
    if late.free_days:
        told.append(f"{count(late.free_days, 'day')} of lateness in all cost nothing; they are used up in the order "
                    "of the deadlines.")
    if late.grace_minutes:
        told.append(f"The first {late.grace_minutes:g} minutes do not count.")
    if late.most_days is not None:
        told.append(f"More than {count(late.most_days, 'day')} late, nothing is earned.")
    return f"\n{' '.join(told)}\n" if told else ""
