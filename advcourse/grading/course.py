"""The rules of a class, read from one small file: weights, deadlines, what lateness costs, the limits of the sandbox.

    name = "Adversarial machine learning, winter 2026"
    secret = "qX3-long-and-random-…"        # optional: what the grader's probes are drawn from; else drawn and kept
    personal = true                         # optional: choices stand in the order of the roster's id, not of STUDENT

    [notebooks.01]
    deadline = 2026-11-30T23:59:00+01:00
    weight = 2                              # optional, as is all that follows

    [late]
    percent_per_day = 10                    # of the points earned, for every started day
    grace_minutes = 15                      # so much is not late; days are counted from its end
    most_days = 7                           # later than that earns nothing
    floor_percent = 50                      # up to then no less than this share is left
    free_days = 3                           # late passes: so many days cost nothing, in the order of deadlines

    [extensions."ada@uni.example"]          # by the roster's id: this student's own deadlines
    01 = 2026-12-03T12:00:00+01:00

    [groups]                                # one file for all of them: each gets its marks
    penguins = ["ada@uni.example", "bob@uni.example"]

    [limits]                                # of the sandbox, for each exercise
    seconds = 60                            # by the clock; 30 unless told otherwise
    memory_mb = 4096                        # 2048 unless told otherwise
"""

import difflib
import tomllib
from collections import Counter
from pathlib import Path
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

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
    free_days: Annotated[int, Field(ge=0)] = 0


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
    groups: dict[str, Annotated[list[str], Field(min_length=2)]] = {}
    limits: Limits = Limits()

    def named(self) -> dict[str, set[str]]:
        """The students whom the course names, by what it does, in words."""
        return {"gives an extension to": set(self.extensions),
                "has in a group": {member for group in self.groups.values() for member in group}}

    @model_validator(mode="after")
    def extensions_fit(self):
        for student, deadlines in self.extensions.items():
            for number in deadlines:
                if number not in self.notebooks:
                    raise ValueError(f"extensions.{student} names notebook {number}; the course has "
                                     f"{', '.join(self.notebooks)}")
        return self

    @model_validator(mode="after")
    def groups_are_apart(self):
        members = Counter(student for group in self.groups.values() for student in group)
        if twice := [student for student, times in members.items() if times > 1]:
            raise ValueError(f"groups: {', '.join(twice)} must stand in one group, and once")
        return self


def find(course: str | Path) -> Path:
    """The path of a course's file, given that path, its folder, or its name: NAME.toml or NAME/course.toml.

    Raises FileNotFoundError where there is none.
    """
    places = [Path(course), Path(f"{course}.toml"), Path(course) / "course.toml"]
    for path in places:
        if path.is_file():
            return path
    raise FileNotFoundError(f"there is no course {str(course)!r}: looked for {', '.join(map(str, places))}")


def load(path: str | Path) -> Course:
    """The Course in the TOML file at `path`; ValueError says in words everything that is wrong with it."""
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
        return (f"{place} must be a date, a time and their offset from UTC, such as 2026-11-30T23:59:00+01:00, without "
                f"quotes; got {given}")
    if error["type"] == "value_error":
        return ": ".join(filter(None, [place, error["msg"].removeprefix("Value error, ")]))
    wanted = error["msg"].replace("valid dictionary", "section")
    if error["type"] == "string_pattern_mismatch":
        wanted = "must not be empty"
    return f"{place}: {wanted[0].lower()}{wanted[1:]}; got {error['input']!r}"


def fields(section):
    """The keys that the section at this place of the file may hold."""
    kinds = {(): Course, ("late",): Late, ("limits",): Limits}
    return list(kinds.get(tuple(section), Notebook).model_fields)
