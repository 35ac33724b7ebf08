"""What passes between the parts of grading: a Mark for each exercise, and a Graded for each notebook."""

from dataclasses import dataclass, field

TO_BE_GRADED, UNREADABLE, SET_BY_HAND = "to be graded", "unreadable", "set by hand"
STATES = ("passed", "wrong", "not attempted", TO_BE_GRADED, UNREADABLE, SET_BY_HAND)  # three are the exercises' own


@dataclass(frozen=True)
class Mark:
    """What a student gets for one exercise, and why.

    exercise: "01.2". state: one of STATES. points: of `maximum`.
    reason: the first thing wrong, in one line; empty where all is right.
    outcomes: from each property's sentence to None (it holds) or to what is wrong.
    message: what kept the properties from being judged; for a question, the explanation.
    hint: the first hint, unless the exercise is passed. code: the student's own.
    comment: what was written beside points that were set by hand.
    """

    exercise: str
    title: str
    state: str
    points: int | float
    maximum: int | float
    reason: str = ""
    outcomes: dict = field(default_factory=dict)
    message: str = ""
    hint: str = ""
    code: str = ""
    comment: str = ""

    def __post_init__(self):
        if self.state not in STATES:
            raise ValueError(f"the state of {self.exercise} must be one of {', '.join(STATES)}; got {self.state!r}")


@dataclass(frozen=True)
class Graded:
    """One student's notebook ("01") and its marks.

    student: the roster's id where there is a roster, else the name that the platform gave. name: the roster's, or "".
    platform: the learning platform's own number of the student, by which it takes marks back, or "".
    path: where it came from, for people. sha256: of its content, in hex.
    found: what was found beside the file, such as an earlier one. notes: what is wrong in it. A line each.
    problem: the grader's own fault, or None; where there is one, every mark is "to be graded" and nothing counts as 0.
    walls: a line that says in which sandbox it ran. seed: of the probes, the instructor's secret.
    seconds: how long grading took. submitted: seconds since the epoch.
    source: what tells when it was submitted, for people, such as "the file's date".
    flags: what a person should look at, a line each.
    group: who else gets these marks. handed_in_by: the one of them whose file it is; empty for one's own.
    set_points: the points of the whole notebook where they were set by hand, or None; comment: what was written there.
    """

    student: str
    notebook: str
    path: str
    sha256: str
    marks: tuple = ()
    found: tuple = ()
    notes: tuple = ()
    problem: str | None = None
    walls: str = ""
    seed: int = 0
    seconds: float = 0.0
    submitted: float = 0.0
    name: str = ""
    platform: str = ""
    source: str = ""
    flags: tuple = ()
    group: tuple = ()
    handed_in_by: str = ""
    set_points: float | None = None
    comment: str = ""

    def __post_init__(self):
        if self.problem is not None and any(mark.state not in (TO_BE_GRADED, SET_BY_HAND) for mark in self.marks):
            raise ValueError(f"a grader's fault leaves every exercise {TO_BE_GRADED!r}; "
                             f"{self.student!r}, notebook {self.notebook}, has other states beside {self.problem!r}")

    @property
    def is_open(self):
        """Is anything still to be graded? Then there are no points to speak of."""
        waits = any(mark.state == TO_BE_GRADED for mark in self.marks) if self.marks else self.problem is not None
        return waits and self.set_points is None

    @property
    def pending(self):
        """Why there are no points yet: TO_BE_GRADED, UNREADABLE, or "" where there are."""
        if self.is_open:
            return TO_BE_GRADED
        is_read = self.marks and all(mark.state != UNREADABLE for mark in self.marks)
        return "" if is_read or self.set_points is not None else UNREADABLE

    @property
    def reason(self):
        """Why there are no points yet, in a line."""
        if self.problem:
            return self.problem
        if self.is_open:
            return ", ".join(mark.exercise for mark in self.marks if mark.state == TO_BE_GRADED)
        told = (mark.reason for mark in self.marks if mark.state == UNREADABLE)
        return next(told, next(iter(self.notes), "no exercise was found in this file")) if self.pending else ""

    @property
    def points(self):
        """The points of all exercises; None while there are none, see `pending`."""
        if self.set_points is not None:
            return self.set_points
        return None if self.pending else sum(mark.points for mark in self.marks)

    @property
    def maximum(self):
        """The points that can be had."""
        return sum(mark.maximum for mark in self.marks)
