"""Hand a course out: every student gets a README and notebooks of their own, with their seed, images, ε and order of
choices."""

import copy
import csv
import hashlib
import io
import json
import re
from dataclasses import dataclass
from pathlib import Path

import nbformat

from advcourse import files
from advcourse.exercises.display import count
from advcourse.grading import course as courses

OWN_EPS = re.compile(r"^EPS = (.+?)(?=\s+#|$)", re.MULTILINE)
SUBMIT = "import advcourse\n\nadvcourse.submit()"

HAND_IN = """\
## Hand in

Due **{deadline}**. Before you do:

* *Restart the kernel and run all cells*: what counts is what the notebook does from top to bottom.
* Every exercise is tried, every question has an answer; look at what `progress()` says.
* `SEED` and `STUDENT` in the first code cell stand as you got them, and so does `EPS` where there is one: they are yours alone.
* Save the notebook.

Then run the next cell. It writes **one file** beside this notebook, and says what is still missing. Hand in that file; you may do
it again after every improvement."""

README = """\
# {course}

For {name} ({student}).

| notebook | due | file |
|---|---|---|
{rows}

## How to work

1. Open a notebook: with `jupyter lab` in this folder, in VS Code, or by uploading it to Google Colab. Its set-up cell installs the
   course where it is missing; nothing else has to be set up.
2. Run the cells from the top (Shift + Enter). Complete the functions that say `raise NotImplementedError  # your work`, and put your
   answers in place of `...`.
3. `check` tells you at once what is right and what is not, in words. `hint("{number}.1")` gives one hint at a time. What is not solved
   yet never stops the notebook: it goes on with the course's own solution.
4. These notebooks are yours: `SEED` decides which test images you see and what is drawn at random, `STUDENT` the order of the
   choices, and `EPS`, where a notebook has one, may be a little smaller than your neighbour's. Leave them as they are.

## How to hand in

1. Restart the kernel, run all cells, and save.
2. Run the last cell, `advcourse.submit()`. It writes `{number}_{safe}_submission.zip` (likewise for the other notebooks) and says what
   is still missing.
3. Hand in that one file. You may do it again: the last one counts.
{late}
Marks are given for what your functions do, on other images and seeds than those you see. Cells that you add, move or delete cost nothing.
"""


@dataclass(frozen=True)
class Student:
    """A row of the roster."""

    id: str
    name: str

    @property
    def folder(self):
        return files.safe_name(self.id)


# --- the roster ------------------------------------------------------------------------------------------------------

def roster(path):
    """The Students in the CSV file at `path`, which has the columns student (the id) and name, as a spreadsheet saves
    it.

    Commas, semicolons and tabs may part the columns. Raises ValueError for columns that are missing, an id that is
    empty or there twice, and text that is not UTF-8 (with or without a BOM) or UTF-16 with one.
    """
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
    students, line_of = [], {}
    for number, row in enumerate(lines[1:], start=2):
        if not any(map(str.strip, row)):
            continue
        if len(row) != len(columns):
            raise ValueError(f"{path}, line {number}: {len(row)} fields, where the first line has {len(columns)}")
        fields = {column: " ".join(field.split()) for column, field in zip(columns, row, strict=True)}
        student = Student(fields["student"], fields["name"])
        if not student.id or not student.id.isprintable():
            raise ValueError(f"{path}, line {number}: the student's id is {student.id!r}; letters and digits are wanted")
        if (first := line_of.setdefault(student.folder.lower(), number)) != number:
            raise ValueError(f"{path}, line {number}: {student.id!r} is in line {first} already, or cannot be told "
                             "from it in a file name")
        students.append(student)
    if not students:
        raise ValueError(f"{path} holds no student")
    return students


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


# --- one student's notebooks -----------------------------------------------------------------------------------------

def templates(course, folder):
    """From the number of each of the course's notebooks to its file name and the student's notebook in `folder`,
    without outputs.

    Raises ValueError for a notebook that is not there.
    """
    found = {}
    for number in sorted(course.notebooks):
        paths = sorted(Path(folder).glob(f"{number}_*.ipynb"))
        if len(paths) != 1:
            there = ", ".join(path.name[:2] for path in sorted(Path(folder).glob("[0-9][0-9]_*.ipynb"))) or "none"
            raise ValueError(f"{course.name} hands out notebook {number}, but in {folder} there are: {there}")
        notebook = nbformat.read(paths[0], as_version=4)
        for cell in notebook.cells:
            if cell.cell_type == "code":  # what they show was made with another seed
                cell.outputs, cell.execution_count = [], None
        found[number] = paths[0].name, notebook
    return found


def seed(course, student, notebook):
    """The SEED of a student's notebook, from 1 to 100,000,000: the same whenever it is asked for."""
    digest = hashlib.sha256("\n".join([course.name, student, notebook]).encode()).digest()
    return 1 + int.from_bytes(digest[:8], "big") % 10**8


def eps_factor(course, student, notebook):
    """What a notebook's EPS is multiplied by for this student: 0.95, 0.96, … or 1. At 1.05 a claim of notebook 09
    leaves its band."""
    return (95 + seed(course, student, notebook) % 6) / 100


def personal(notebook, course, student, number):
    """A copy of `notebook` with this student's parameters and EPS, where it has one, and at its end what to do before
    it is handed in.

    Raises ValueError where the notebook has no cell with the lines `SEED = 0` and `STUDENT = ""` of the course's own.
    """
    notebook = copy.deepcopy(notebook)
    for name, given, wanted in (("SEED", "0", str(seed(course, student, number))),
                                ("STUDENT", '""', json.dumps(student, ensure_ascii=False))):
        cells = [cell for cell in notebook.cells if re.search(rf"^{name} = {given}(?=\s|$)", cell.source, re.MULTILINE)]
        if len(cells) != 1 or "parameters" not in cells[0].metadata.get("tags", []):
            raise ValueError(f"notebook {number} has no parameter `{name} = {given}` to be set for each student")
        cells[0].source = re.sub(rf"^{name} = {given}", lambda _: f"{name} = {wanted}", cells[0].source,
                                 flags=re.MULTILINE)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.source = OWN_EPS.sub(lambda line: f"EPS = round({eps_factor(course, student, number)} * {line[1]}, 4)",
                                      cell.source)
    # The button opens the course's own notebook in Colab, not this one.
    notebook.cells[0].source = re.sub(r"\n\n\[!\[Open in Colab\][^\n]*", "", notebook.cells[0].source)
    due = in_words(courses.deadline(course, number, student))
    v4 = nbformat.v4
    notebook.cells += [v4.new_markdown_cell(HAND_IN.format(deadline=due), id="hand-in"),
                       v4.new_code_cell(SUBMIT, id="submit")]
    return notebook


def in_words(moment):
    """A deadline for people: "Monday 30 November 2026, 23:59 (UTC+01:00)"."""
    return f"{moment:%A} {moment.day} {moment:%B %Y, %H:%M} (UTC{moment.isoformat()[-6:]})"


def readme(course, student, notebooks):
    """What the student reads first."""
    rows = "\n".join(f"| {number} | {in_words(courses.deadline(course, number, student.id))} | `{name}` |"
                     for number, (name, _) in notebooks.items())
    return README.format(course=course.name, name=student.name or student.id, student=student.id, rows=rows,
                         number=next(iter(notebooks)),
                         safe=student.folder, late=lateness(course.late))


def lateness(late):
    """What handing in late costs, in words; empty where nothing is said of it."""
    told = []
    if late.percent_per_day:
        least = f", down to {late.floor_percent:g}%" if late.floor_percent else ""
        told.append(f"Every started day after the deadline costs {late.percent_per_day:g}% of the points earned{least}.")
    if late.grace_minutes:
        told.append(f"The first {late.grace_minutes:g} minutes do not count.")
    if late.most_days is not None:
        told.append(f"More than {count(late.most_days, 'day')} late, nothing is earned.")
    return f"\n{' '.join(told)}\n" if told else ""


def contents(course, student, notebooks):
    """From name to text, the files that a student gets; notebooks: those of `templates`."""
    own = {name: nbformat.writes(personal(notebook, course, student.id, number), version=4) + "\n"
           for number, (name, notebook) in notebooks.items()}
    return {"README.md": readme(course, student, notebooks), **own}


# --- all of them -----------------------------------------------------------------------------------------------------

def release(course, students, source, out):
    """Write a folder, and the same as a zip, for each of `students` into `out`; yields (student, files written, files
    kept).

    source: the folder of the course's own student notebooks. What is there already is a student's work, and is kept as
    it is.
    Raises ValueError for an extension of somebody who is no student of the course, and for a notebook that is not in
    `source`.
    """
    if strangers := sorted(set(course.extensions) - {student.id for student in students}):
        raise ValueError(f"{course.name} gives an extension to {', '.join(map(repr, strangers))}, who is not in the "
                         "roster")
    notebooks = templates(course, source)
    for student in students:
        texts = contents(course, student, notebooks)
        wanted = {Path(out) / student.folder / name: text for name, text in texts.items()}
        wanted[Path(out) / f"{student.folder}.zip"] = files.zipped({f"{student.folder}/{name}": text
                                                                    for name, text in texts.items()})
        missing = [path for path in wanted if not path.exists()]
        for path in missing:
            files.write(path, wanted[path])
        yield student, len(missing), len(wanted) - len(missing)
