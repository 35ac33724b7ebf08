"""Who is in the class: a list of students, as a spreadsheet saves it."""

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from advcourse import files


@dataclass(frozen=True)
class Student:
    """A row of the roster."""

    id: str
    name: str

    @property
    def folder(self):
        return files.safe_name(self.id)


def read_roster(path: str | Path) -> list[Student]:
    """The Students in the CSV file at `path`, with the columns student (the id) and name, as a spreadsheet saves it.

    Commas, semicolons and tabs may part the columns. Raises ValueError for columns that are missing, an id that is
    empty or there twice, and text that is not UTF-8 (with or without a BOM) or UTF-16 with one.
    """
    students, line_of = [], {}
    for number, fields in rows(path):
        student = Student(fields["student"], fields["name"])
        if not student.id or not student.id.isprintable():
            raise ValueError(f"{path}, line {number}: the student's id is "
                             f"{student.id!r}; letters and digits are wanted")
        if (first := line_of.setdefault(student.folder.lower(), number)) != number:
            raise ValueError(f"{path}, line {number}: {student.id!r} is in line {first} already, or cannot be told "
                             "from it in a file name")
        students.append(student)
    if not students:
        raise ValueError(f"{path} holds no student")
    return students


def rows(path):
    """(number of the line, {column: field}) of every line that holds something."""
    text = decoded(path)
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter(text)))
    except csv.Error as error:
        raise ValueError(f"{path} is no CSV file: {error}") from None
    columns = [name.strip().lower() for name in lines[0]] if lines else []
    for wanted in ("student", "name"):
        if columns.count(wanted) != 1:
            raise ValueError(f"{path} needs one column {wanted!r} in its first line; the columns are: "
                             f"{', '.join(columns) or 'none'}")
    for number, row in enumerate(lines[1:], start=2):
        if not any(map(str.strip, row)):
            continue
        if len(row) != len(columns):
            raise ValueError(f"{path}, line {number}: {len(row)} fields, where the first line has {len(columns)}")
        yield number, {column: " ".join(field.split()) for column, field in zip(columns, row, strict=True)}


def decoded(path):
    """The text of a file that a spreadsheet wrote."""
    content = Path(path).read_bytes()
    try:
        return content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f'{path} is not UTF-8 text; in Excel, save it as "CSV UTF-8"') from None


def delimiter(text):
    """What parts the columns of the first line."""
    first = text.partition("\n")[0]
    return max(",;\t", key=first.count)
