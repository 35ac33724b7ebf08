"""When a student's notebook is due, and what lateness costs."""

import math
from bisect import bisect_right
from collections import defaultdict

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


def final_points(course, points, submitted, notebook, student):
    """What is left of `points` after the penalty for lateness; the submission's time is in seconds since the epoch.

    Raises ValueError for a notebook that the course does not have.
    """
    days, late = days_late(course, submitted, notebook, student), course.late
    if late.most_days is not None and days > late.most_days:
        return 0.0
    return points * max(100 - late.percent_per_day * days, late.floor_percent if days else 100) / 100


def doubtful(course, submissions):
    """A line on each way in which the lateness of a class may be no student's doing.

    submissions: Submissions of any kind; those for notebooks that the course does not have are passed over.
    """
    classes, late = defaultdict(int), defaultdict(list)
    for one in submissions:
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
    if late.grace_minutes:
        told.append(f"The first {late.grace_minutes:g} minutes do not count.")
    if late.most_days is not None:
        told.append(f"More than {count(late.most_days, 'day')} late, nothing is earned.")
    return f"\n{' '.join(told)}\n" if told else ""
