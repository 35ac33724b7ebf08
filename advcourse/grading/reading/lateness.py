"""When a student's notebook is due, and what lateness costs."""

import math

from advcourse.exercises.display import count

DAY = 24 * 60 * 60


def deadline(course, notebook, student):
    """When a notebook is due for a student, an aware datetime; ValueError where the course has no such notebook."""
    if notebook not in course.notebooks:
        raise ValueError(f"{course.name} has no notebook {notebook!r}; it has {', '.join(course.notebooks)}")
    return course.extensions.get(student, {}).get(notebook, course.notebooks[notebook].deadline)


def days_late(course, submitted, notebook, student):
    """How many days of lateness had started when it was submitted (seconds since the epoch); 0 within the grace."""
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
