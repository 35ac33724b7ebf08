"""Which notebook of the course a file is, what it says of its student, and what work there is in it."""

import ast
import hashlib
import re
import warnings
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import PurePosixPath

from advcourse.exercises.session import name_of
from advcourse.handin.calls import NOT_LITERAL, is_stub, walk
from advcourse.handin.statements import UNREADABLE, code_cells, read_cells
from advcourse.handin.work import extract, shipped

NOTEBOOK = re.compile(r"\.ipynb(\.txt|\.json)?$", re.IGNORECASE)  # browsers append the latter
CALL = re.compile(rb"\b(?:start|check|answer|question)\(\s*\\?[\"'](\d\d)[.\\\"']")
# What JupyterLab, browsers, Windows, macOS and nbgitpuller append to a copy, and what Google Drive puts before it.
COPY = re.compile(r"(\s*\(\d+\)|-Copy\d+|__\d{14}| - Copy| copy( \d+)?)+$", re.IGNORECASE)
COPY_OF = re.compile(r"(^|(?<= - ))(copy of|kopie von|kopie van|copie de|copia de|cópia de|copia di|kopia)\s+",
                     re.IGNORECASE)

HANDED_IN = re.compile(r"^\d\d_(.+)_submission(?:\s*\(\d+\)|-\d+|-Copy\d+)*\.zip$", re.IGNORECASE)  # by submit()


@dataclass(frozen=True)
class Inside:
    """What was seen in a notebook's file: its hash, the number that its calls name or "", and its STUDENT or ""."""

    sha256: str
    number: str
    student: str


def look(content: bytes) -> Inside:
    """What can be seen in the bytes of a file, which may be anything."""
    return Inside(hashlib.sha256(content).hexdigest(), number_inside(content), student_inside(content))


def is_notebook(name):
    return bool(NOTEBOOK.search(name))


# --- what a name tells -----------------------------------------------------------------------------------------------

def which_notebook(stem, inside):
    """(number or "", notes) of a file's notebook: a title in its name tells most, then its content, then a number.

    inside: the number that its content names, or "".
    """
    number, _ = number_in(stem)
    if not inside or inside == number or named(stem):
        return number, ()
    return inside, (f"its name says {number}, its content notebook {inside}",) if number else ()


def slug(text):
    """Lower-case words with one space between, all else dropped: what names of files are compared by."""
    return " ".join(re.findall(r"[^\W_]+", text.lower()))


def named(name):
    """The (number, title) of the notebook whose title stands in the name of a file; None where there is none."""
    words = f" {slug(name)} "
    for number, path in shipped().items():
        if f" {slug(path.stem[3:])} " in words and (number != "00" or f" {number} " in words):  # welcome may be a name
            return number, slug(path.stem[3:])
    return None


def number_in(name):
    """(the notebook's number in the name of a file, or "", what is left of the name: a student's)."""
    stem = NOTEBOOK.sub("", name) if NOTEBOOK.search(name) else PurePosixPath(name).stem
    stem = COPY_OF.sub("", COPY.sub("", stem))
    known = named(stem)
    numbers = {token for token in re.findall(r"(?<![^\W_])\d\d(?![^\W_])", stem) if token in shipped()}
    number = known[0] if known else numbers.pop() if len(numbers) == 1 else ""
    if not number:
        return "", stem.strip()
    rest = re.sub(rf"(?<![^\W_]){number}(?![^\W_])", "\n", stem, count=1)
    if known:
        rest = re.sub(r"[\W_]+".join(map(re.escape, known[1].split())), "\n", rest, count=1, flags=re.IGNORECASE)
    return number, " ".join(part for part in (COPY.sub("", part).strip(" _-.") for part in rest.split("\n"))
                            if part).strip()


# --- what the content tells ------------------------------------------------------------------------------------------

def number_inside(content):
    """The number of the notebook that a file's calls of start, check and answer name most often; "" without any."""
    found = Counter(CALL.findall(content.replace(b"\0", b"")))  # without the zeros, UTF-16 is read, too
    numbers = [number.decode() for number, _ in found.most_common() if number.decode() in shipped()]
    return numbers[0] if numbers else ""


def student_inside(content):
    """What a notebook's STUDENT says, as the grader reads it; "" where it says nothing."""
    if b"STUDENT" not in content.replace(b"\0", b""):
        return ""
    try:
        cells = [(position, source) for position, source in code_cells(content) if "STUDENT" in source]
    except ValueError:
        return ""
    student = walk(read_cells(cells)[0])[1].get("STUDENT")
    return "" if student is NOT_LITERAL else " ".join(name_of(student).split())


@dataclass(frozen=True)
class Done:
    """The work in a notebook: what the student wrote, and with it all that counts when it is graded."""

    own: frozenset
    counts: tuple


@cache
def handed_out(number):
    """The work in the notebook as students were given it: that is none of theirs."""
    return work_in(shipped()[number].read_bytes(), number).own if number in shipped() else frozenset()


def done(content: bytes, number: str) -> Done:
    """The work in a student's file for this notebook; none where it cannot be read, or is as it was handed out."""
    found = work_in(content, number)
    return Done(found.own - handed_out(number), found.counts)


def work_in(content, number):
    """Functions with a body, and answers."""
    try:
        work = extract(content, number)
    except ValueError:
        return Done(frozenset(), ())
    answers = {(task, answer) for task, answer in work.answers.items() if answer is not None}
    functions = {(task, text) for task, text in work.cells.items() if has_body(text)}
    return Done(frozenset(answers | functions), (*(text.strip() for text in work.statements), *sorted(answers)))


def has_body(text):
    """Whether the source of a definition is more than a stub."""
    try:
        with warnings.catch_warnings(action="ignore"):  # the parser warns of odd escapes and comparisons
            return not is_stub(ast.parse(text).body[0])
    except UNREADABLE:
        return True
