"""A small course, and what students hand in for it."""

from datetime import UTC, datetime

from advcourse.grading import course as courses
from advcourse.grading.marks import Graded, Mark

SMALLEST = 'name = "A"\n[notebooks.01]\ndeadline = 2026-11-30T23:59:00+01:00\n'
DUE = datetime(2026, 11, 30, 22, 59, tzinfo=UTC).timestamp()
MINUTE, HOUR, DAY = 60, 3600, 86400


def load(tmp_path, text):
    path = tmp_path / "course.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return courses.load(path)


def rules(tmp_path, more=""):
    return load(tmp_path, SMALLEST + more)


def handed_in(student="ada", notebook="01", points=(4, 2), maximum=(4, 4), submitted=DUE, problem=None):
    state = "passed" if problem is None else "to be graded"
    given = enumerate(zip(points, maximum, strict=True), start=1)
    marks = tuple(Mark(f"{notebook}.{number}", "t", state, *of) for number, of in given)
    return Graded(student, notebook, "x.ipynb", "0" * 64, marks=marks, submitted=submitted, problem=problem)
