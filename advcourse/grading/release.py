"""Hand a course out: every student gets notebooks of their own (seed, images, ε, order of choices), and a README."""

import copy
import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import nbformat

from advcourse import files
from advcourse.grading.course import Course
from advcourse.grading.reading import lateness
from advcourse.grading.reading.roster import Student, require_known

OWN_EPS = re.compile(r"^EPS = (.+?)(?=\s+#|$)", re.MULTILINE)
SUBMIT = "import advcourse\n\nadvcourse.submit()"

HAND_IN = """\
## Hand in

Due **{deadline}**. Before you do:

* *Restart the kernel and run all cells*: what counts is what the notebook does from top to bottom.
* Every exercise is tried, every question has an answer; look at what `progress()` says.
* `SEED` and `STUDENT` in the first code cell stand as you got them, and so does `EPS` where there is one: they are
  yours alone.
* Save the notebook.

Then run the next cell. It writes **one file** beside this notebook, and says what is still missing. Hand in that file;
you may do it again after every improvement."""

README = """\
# {course}

For {name} ({student}).

| notebook | due | file |
|---|---|---|
{rows}

## How to work

1. Open a notebook: with `jupyter lab` in this folder, in VS Code, or by uploading it to Google Colab. Its set-up cell
   installs the course where it is missing; nothing else has to be set up.
2. Run the cells from the top (Shift + Enter). Complete the functions that say
   `raise NotImplementedError  # your work`, and put your answers in place of `...`.
3. `check` tells you at once what is right and what is not, in words. `hint("{number}.1")` gives one hint at a time.
   What is not solved yet never stops the notebook: it goes on with the course's own solution.
4. These notebooks are yours: `SEED` decides which test images you see and what is drawn at random, `STUDENT` the order
   of the choices, and `EPS`, where a notebook has one, may be a little smaller than your neighbour's. Leave them as
   they are.

## How to hand in

1. Restart the kernel, run all cells, and save.
2. Run the last cell, `advcourse.submit()`. It writes `{number}_{safe}_submission.zip` (likewise for the other
   notebooks) and says what is still missing.
3. Hand in that one file. You may do it again: the last one counts.
{late}
Marks are given for what your functions do, on other images and seeds than those you see. Cells that you add, move or
delete cost nothing.
"""


# --- one student's notebooks -----------------------------------------------------------------------------------------

def templates(course, folder):
    """From the number of each of the course's notebooks to its file name and its content in `folder`, without outputs.

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
    """What a notebook's EPS is multiplied by for this student: 0.95, 0.96, … or 1."""
    # No more than 1: at 1.05 a claim of notebook 09 leaves its band.
    return (95 + seed(course, student, notebook) % 6) / 100


def personal(notebook, course, student, number):
    """A copy of `notebook` with this student's SEED, STUDENT and EPS, and at its end how to hand it in.

    Raises ValueError where the notebook has no cell with the lines `SEED = 0` and `STUDENT = ""` of the course's own.
    """
    notebook = copy.deepcopy(notebook)
    set_parameter(notebook, number, "SEED", "0", str(seed(course, student, number)))
    set_parameter(notebook, number, "STUDENT", '""', json.dumps(student, ensure_ascii=False))
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.source = OWN_EPS.sub(lambda line: f"EPS = round({eps_factor(course, student, number)} * {line[1]}, 4)",
                                      cell.source)
    # The buttons open the course's own notebook, not this one.
    notebook.cells[0].source = re.sub(r'\n\n<a href="[^\n]*alt="Open in Colab"[^\n]*', "", notebook.cells[0].source)
    due = in_words(lateness.deadline(course, number, student))
    v4 = nbformat.v4
    notebook.cells += [v4.new_markdown_cell(HAND_IN.format(deadline=due), id="hand-in"),
                       v4.new_code_cell(SUBMIT, id="submit")]
    return notebook


def set_parameter(notebook, number, name, given, wanted):
    """Replace `name = given` in the notebook's one cell of parameters; ValueError where that is not there."""
    line = re.compile(rf"^{name} = {given}(?=\s|$)", re.MULTILINE)
    cells = [cell for cell in notebook.cells if line.search(cell.source)]
    if len(cells) != 1 or "parameters" not in cells[0].metadata.get("tags", []):
        raise ValueError(f"notebook {number} has no parameter `{name} = {given}` to be set for each student")
    cells[0].source = line.sub(lambda _: f"{name} = {wanted}", cells[0].source)


def in_words(moment):
    """A deadline for people: "Monday 30 November 2026, 23:59 (UTC+01:00)"."""
    return f"{moment:%A} {moment.day} {moment:%B %Y, %H:%M} (UTC{moment.isoformat()[-6:]})"


def readme(course, student, notebooks):
    """What the student reads first."""
    rows = "\n".join(f"| {number} | {in_words(lateness.deadline(course, number, student.id))} | `{name}` |"
                     for number, (name, _) in notebooks.items())
    return README.format(course=course.name, name=student.name or student.id, student=student.id, rows=rows,
                         number=next(iter(notebooks)), safe=student.folder, late=lateness.in_words(course.late))


def contents(course, student, notebooks):
    """From name to text, the files that a student gets; notebooks: those of `templates`."""
    own = {name: nbformat.writes(personal(notebook, course, student.id, number), version=4) + "\n"
           for number, (name, notebook) in notebooks.items()}
    return {"README.md": readme(course, student, notebooks), **own}


# --- all of them -----------------------------------------------------------------------------------------------------

def release(course: Course, students: Iterable[Student], source: str | Path,
            out: str | Path) -> Iterator[tuple[Student, int, int]]:
    """Write a folder and a zip of it for each student into `out`; yields (student, files written, files kept).

    source: the folder of the course's own student notebooks. What is there already is a student's work, and is kept as
    it is.
    Raises ValueError for an extension of somebody who is no student of the course, and for a notebook that is not in
    `source`.
    """
    students = list(students)
    require_known(course, students)
    notebooks = templates(course, source)
    for student in students:
        texts = contents(course, student, notebooks)
        archive = files.zipped({f"{student.folder}/{name}": text for name, text in texts.items()})
        wanted = {Path(out) / student.folder / name: text for name, text in texts.items()}
        wanted[Path(out) / f"{student.folder}.zip"] = archive
        missing = [path for path in wanted if not path.exists()]
        for path in missing:
            files.write(path, wanted[path])
        yield student, len(missing), len(wanted) - len(missing)
