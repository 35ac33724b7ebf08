"""The rules of a class, read from one small file: weights, deadlines, what lateness costs, the limits of the sandbox.

    name = "Adversarial machine learning, winter 2026"
    secret = "anything"                     # optional: what the grader's probes are drawn from; else drawn once and
                                            kept with the marks
    personal = true                         # optional: the choices stand in each student's order, whatever STUDENT
                                            says; after a release

    [notebooks.01]
    deadline = 2026-11-30T23:59:00+01:00
    weight = 2                              # optional, as is all that follows

    [late]
    percent_per_day = 10                    # of the points earned, for every started day
    grace_minutes = 15                      # so much is not late; days are counted from its end
    most_days = 7                           # later than that earns nothing
    floor_percent = 50                      # up to then no less than this share is left

    [extensions."ada@uni.example"]          # this student's own deadlines
    01 = 2026-12-03T12:00:00+01:00

    [limits]                                # of the sandbox, for each exercise
    seconds = 60                            # by the clock; 30 unless told otherwise
    memory_mb = 4096                        # 2048 unless told otherwise
"""

import difflib
import math
import tomllib
from pathlib import Path
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from advcourse.grading.marks import TO_BE_GRADED

DAY = 24 * 60 * 60
NotebookNumber = Annotated[str, Field(pattern=r"^\d\d$")]


class Section(BaseModel):
    """What a section of the file may hold: nothing but the keys named here, of their types exactly."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Notebook(Section):
    deadline: AwareDatetime
    weight: Annotated[float, Field(gt=0)] = 1.0


class Late(Section):
    percent_per_day: Annotated[float, Field(ge=0, le=100)] = 0.0
    grace_minutes: Annotated[float, Field(ge=0)] = 0.0
    most_days: Annotated[int, Field(ge=0)] | None = None
    floor_percent: Annotated[float, Field(ge=0, le=100)] = 0.0


class Limits(Section):
    seconds: Annotated[float, Field(gt=0)] = 30.0
    memory_mb: Annotated[int, Field(gt=0)] = 2048


class Course(Section):
    name: Annotated[str, Field(pattern=r"\S")]
    secret: str = ""
    personal: bool = False
    notebooks: Annotated[dict[NotebookNumber, Notebook], Field(min_length=1)]
    late: Late = Late()
    extensions: dict[str, dict[NotebookNumber, AwareDatetime]] = {}
    limits: Limits = Limits()

    @model_validator(mode="after")
    def extensions_fit(self):
        for student, deadlines in self.extensions.items():
            for number in deadlines:
                if number not in self.notebooks:
                    raise ValueError(f"extensions.{student} names notebook {number}; the course has "
                                     f"{', '.join(self.notebooks)}")
        return self


def find(course):
    """The path of a course's file, given that path, its folder, or its name: NAME.toml or NAME/course.toml.

    Raises FileNotFoundError where there is none.
    """
    places = [Path(course), Path(f"{course}.toml"), Path(course) / "course.toml"]
    for path in places:
        if path.is_file():
            return path
    raise FileNotFoundError(f"there is no course {str(course)!r}: looked for {', '.join(map(str, places))}")


def load(path):
    """The Course in the TOML file at `path`; ValueError says in words what is wrong with it, one mistake after the
    other."""
    path = Path(path)
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not UTF-8 text") from None
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path} is not TOML: {error}") from None
    try:
        return Course.model_validate(content)
    except ValidationError as error:
        raise ValueError(f"{path}: {'; '.join(map(in_words, error.errors()))}") from None


def in_words(error):
    """One of pydantic's errors, for somebody who wrote a file and no program."""
    *section, key = error["loc"] or ("",)
    if key == "[key]":  # pydantic's word for: the key itself is wrong
        return f"{section[0]}: notebooks have two digits, such as 01; got {section[-1]!r}"
    place = ".".join(map(str, error["loc"]))
    if error["type"] == "extra_forbidden":
        known = fields(section)
        near = difflib.get_close_matches(str(key), known, n=1, cutoff=0.5)
        return f"{place} is not known; " + (f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}")
    if error["type"] == "missing":
        return f"{place} is missing"
    if key == "deadline" or (section[:1] == ["extensions"] and len(section) == 2):
        given = error["input"].isoformat() if hasattr(error["input"], "isoformat") else repr(error["input"])
        return f"{place} must be a date, a time and their offset from UTC, such as 2026-11-30T23:59:00+01:00, without quotes; got {given}"
    if error["type"] == "value_error":
        return ": ".join(filter(None, [place, error["msg"].removeprefix("Value error, ")]))
    wanted = "must not be empty" if error["type"] == "string_pattern_mismatch" else error["msg"].replace("valid dictionary", "section")
    return f"{place}: {wanted[0].lower()}{wanted[1:]}; got {error['input']!r}"


def fields(section):
    """The keys that the section at this place of the file may hold."""
    kinds = {(): Course, ("late",): Late, ("limits",): Limits}
    return list(kinds.get(tuple(section), Notebook).model_fields)


def deadline(course, notebook, student):
    """When the notebook is due for this student, an aware datetime; ValueError for a notebook that the course does not
    have."""
    if notebook not in course.notebooks:
        raise ValueError(f"{course.name} has no notebook {notebook!r}; it has {', '.join(course.notebooks)}")
    return course.extensions.get(student, {}).get(notebook, course.notebooks[notebook].deadline)


def days_late(course, submitted, notebook, student):
    """How many days of lateness had started when it was submitted (seconds since the epoch); 0 until the end of the
    grace."""
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


def totals(course, graded):
    """One dict for each student, in the order of their names: student, raw and final (from notebook to points), total
    (percent).

    graded: advcourse.grading.marks.Graded, one for each submission; extensions must call students what these do. Of
    several for one notebook the latest counts, and notebooks that the course does not have are left out. A notebook
    that was not handed in is not in raw and final and counts as 0. Where the grader failed on one, its points and the
    total are "to be graded".
    """
    latest = {}
    for one in sorted(graded, key=lambda one: one.submitted):
        if one.notebook in course.notebooks:
            latest.setdefault(one.student, {})[one.notebook] = one
    return [{"student": student, **_points(course, student, handed_in)}
            for student, handed_in in sorted(latest.items())]


def _points(course, student, handed_in):
    raw, final, total = {}, {}, 0.0
    for number, one in sorted(handed_in.items()):
        if one.is_open or not one.maximum:
            raw[number] = final[number] = total = TO_BE_GRADED
            continue
        raw[number] = one.points
        final[number] = final_points(course, one.points, one.submitted, number, student)
        if total != TO_BE_GRADED:
            total += course.notebooks[number].weight * final[number] / one.maximum
    if total != TO_BE_GRADED:
        total = 100 * total / sum(notebook.weight for notebook in course.notebooks.values())
    return {"raw": raw, "final": final, "total": total}
