"""The class without names, for people who grade; a key undoes it."""

import csv
import io
import re
import secrets
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from advcourse import files
from advcourse.grading.reading.sheets import rows_of
from advcourse.grading.reports.safe_text import cell
from advcourse.grading.reports.standings import Standing
from advcourse.grading.reports.tables import BOM

KEY = ("code", "student", "name")


def read_key(path: str | Path) -> dict[str, str]:
    """From every student, as a table shows them (see `cell`), to their code name; empty where there is no key yet."""
    return {row["student"]: row["code"] for _, row in rows_of(path, KEY)} if Path(path).exists() else {}


def with_key(standings: Iterable[Standing], path: str | Path) -> dict[str, str]:
    """From every student, as in `read_key`, to a code name, as written to the key at `path`; old ones stay."""
    codes, table = read_key(path), io.StringIO()
    names = {cell(standing.student): cell(standing.name) for standing in standings}
    for student in [name for name in names if name not in codes]:
        codes[student] = next(code for code in iter(new_code, "") if code not in codes.values())
    writer = csv.writer(table)
    writer.writerow(KEY)
    writer.writerows([code, student, names.get(student, "")] for student, code in codes.items())
    files.write(path, BOM + table.getvalue())
    return codes


def new_code():
    """A code name that tells nothing."""
    return f"S{secrets.token_hex(3)}"


def anonymous(standings: Collection[Standing], codes: Mapping[str, str]) -> list[Standing]:
    """The Standings by code name, in its order: without names, numbers and what tells of files.

    The code that students wrote stays as it is.
    """
    names = {standing.student: standing.name for standing in standings}
    found = [hidden(standing, codes, names) for standing in standings]
    return sorted(found, key=lambda one: one.student)


def hidden(standing, codes, names):
    """A Standing by code name; names: from everybody to their name."""
    code = codes[cell(standing.student)]
    people = {standing.student, *(other for one in standing.notebooks for other in one.group)}
    called = sorted({name for student in people for name in (student, names.get(student, "")) if len(name) > 1})
    known = re.compile("|".join(map(re.escape, called)) or r"(?!)", re.IGNORECASE)

    def hide(text):
        return known.sub("…", text) if text else text

    def mark_hidden(mark):
        outcomes = {sentence: hide(told) for sentence, told in mark.outcomes.items()}
        return replace(mark, reason=hide(mark.reason), message=hide(mark.message), comment=hide(mark.comment),
                       outcomes=outcomes)

    def graded_hidden(one):
        group = tuple(codes.get(cell(other), "?") for other in one.group)
        return replace(one, student=code, name="", platform="", path="", found=(), flags=(), group=group,
                       problem=hide(one.problem), notes=tuple(map(hide, one.notes)), comment=hide(one.comment),
                       handed_in_by=codes.get(cell(one.handed_in_by), ""), marks=tuple(map(mark_hidden, one.marks)))

    return replace(standing, student=code, name="", email="", notebooks=tuple(map(graded_hidden, standing.notebooks)))
