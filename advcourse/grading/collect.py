"""From a folder or a zip, as a learning platform gives it, to the submissions in it. Nothing is unpacked to disk."""

import io
import os
import re
import stat
import unicodedata
import zipfile
import zlib
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain, count
from pathlib import Path, PurePosixPath
from zoneinfo import ZoneInfo

from advcourse.grading.extract import shipped
from advcourse.grading.statements import one_line

LARGEST_NOTEBOOK = 20_000_000  # bytes
# bytes of a student's zip, and of a zip's table of contents
LARGEST_ARCHIVE, LARGEST_DIRECTORY = 100_000_000, 20_000_000
# What a student's archives may hold, those inside included, and what that of the whole class may.
MOST_MEMBERS, MOST_UNPACKED, DEEPEST = 2_000, 200_000_000, 3
MOST_OF_CLASS, MOST_UNPACKED_OF_CLASS = 200_000, 8_000_000_000
IGNORED = {".png", ".jpg", ".jpeg", ".gif", ".svg", ".csv", ".npy", ".npz", ".pt", ".pth", ".safetensors", ".xml",
           ".db"}
WRAPPERS = {"submissions", "submission", "submitted"}  # a folder around the students' that is none of theirs
MOODLE = re.compile(r"(.+?)_(\d+)_assignsubmission_(?:file|onlinetext)(?:_(.*))?", re.DOTALL)
CANVAS = re.compile(r"([^_]+)_(LATE_)?(\d{3,})_(\d{3,})_(.+)", re.DOTALL)
HANDED_IN = re.compile(r"^\d\d_(.+)_submission$")  # what advcourse.submit() calls its file
NOTEBOOK = re.compile(r"\.ipynb(\.txt|\.json)?$", re.IGNORECASE)  # browsers append the latter
CALL = re.compile(rb"\b(?:start|check|answer|question)\(\s*\\?[\"'](\d\d)[.\\\"']")
BROKEN = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError, OSError)


@dataclass(frozen=True)
class Submission:
    """One student's file for one notebook.

    student: a name of one line, no two students' the same.
    notebook: its number, such as "01"; "" where nothing tells it: then there is a problem.
    path: where it was found, for people: a Path, or "archive.zip!inner/name".
    content: the file; empty where there is a problem.
    problem: why it cannot be read, in one line, or None.
    submitted: seconds since the epoch, by the file's or the platform's date; 0 where there is none.
    notes: one line each on what else was found, such as an earlier file for the same notebook.
    """

    student: str
    notebook: str
    path: Path | str
    content: bytes = b""
    problem: str | None = None
    submitted: float = 0.0
    notes: tuple = ()


@dataclass(frozen=True)
class Found:
    """A file that may be a submission. parts: the folders, archives and the name that lead to it."""

    parts: tuple
    path: Path | str
    submitted: float
    content: bytes | None = None  # None where it was not read
    problem: str | None = None


@dataclass
class Allowance:
    """What archives may still hold and be unpacked to."""

    members: int
    size: int


def collect(folder):
    """The Submissions in a folder or a zip, sorted by student and notebook.

    Layouts: Moodle's and Canvas's downloads, a folder or a zip for each student, nbgrader's
    submitted/STUDENT/ASSIGNMENT, and files whose names hold the student's. Of several files for a notebook the latest
    that can be read counts. A file that is no notebook is given, with a problem, where its student has no notebook of
    the number in its name; with no number in its name, where its student has nothing else. What is no student's, such
    as a list of marks, is left out.
    Raises ValueError where `folder` is neither a folder nor a zip, or a zip that cannot be read.
    """
    root = Path(folder)
    if root.is_dir():
        found = list(walk_folder(root))
    elif root.is_file():
        with open(root, "rb") as file:
            found = list(walk_zip(file, (), str(root)))
    else:
        raise ValueError(f"there is no {root}; give the folder or the zip that holds the submissions")
    for one in found:
        if not one.parts:
            raise ValueError(f"{root} is neither a folder nor a zip that can be read: {one.problem}")
    entries = [identify(one, root, order) for order, one in enumerate(unwrapped(found))]
    students = defaultdict(list)
    for entry in filter(None, entries):
        students[entry.key].append(entry)
    names = display_names(students)
    submissions = [submission for key, entries in students.items() for submission in of_student(names[key], entries)]
    return sorted(submissions, key=lambda one: (one.student, one.notebook))


# --- what is there ---------------------------------------------------------------------------------------------------

def walk_folder(root):
    """What lies in a folder and its folders; no link is followed."""
    visible = [path for path in root.iterdir() if not hidden(path.name)]
    of_class = sum(path.is_dir() or is_zip(path.name) or is_notebook(path.name) for path in visible) == 1
    for base, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not hidden(name))
        links = [name for name in folders if os.path.islink(os.path.join(base, name))]
        date = nbgrader_date(Path(base, "timestamp.txt"))
        for name in sorted([*links, *(name for name in names if not ignored(name))]):
            path = Path(base, name)
            parts = path.relative_to(root).parts
            try:
                status = path.lstat()
                submitted = date or status.st_mtime
                if not stat.S_ISREG(status.st_mode):
                    what = "a symbolic link, which is not followed" if stat.S_ISLNK(status.st_mode) else "no plain file"
                    yield Found(parts, path, submitted, problem=f"it is {what}")
                elif is_zip(name):
                    with open(path, "rb") as file:
                        yield from walk_zip(file, parts, str(path),
                                            *(() if of_class else (submitted, students_allowance())))
                elif is_notebook(name):
                    with open(path, "rb") as file:
                        yield Found(parts, path, submitted, *bounded(file, LARGEST_NOTEBOOK))
                else:
                    yield Found(parts, path, submitted)
            except OSError as error:
                yield Found(parts, path, 0.0, problem=f"it cannot be read: {one_line(error.strerror)}")


def students_allowance():
    return Allowance(MOST_MEMBERS, MOST_UNPACKED)


def walk_zip(file, parts, path, date=None, allowance=None):
    """What is in an archive, and in the archives in it.

    parts, path: those of the archive.
    date, allowance: when a student handed this archive in, for the dates inside are the student's own, and what it
        may hold. None: it is the whole class's.
    """
    of_class = allowance is None
    if of_class:
        allowance = Allowance(MOST_OF_CLASS, MOST_UNPACKED_OF_CLASS)
    try:
        size = file.seek(0, os.SEEK_END)
        if not of_class and size > LARGEST_ARCHIVE:
            raise ValueError(f"it has {size:,} bytes, and at most {LARGEST_ARCHIVE:,} are read")
        if sum(map(is_zip, parts)) > DEEPEST:
            raise ValueError("there are too many archives in archives")
        if directory_size(file, size) > LARGEST_DIRECTORY:
            raise ValueError("its table of contents is too large")
        archive = zipfile.ZipFile(file)
        if len(archive.infolist()) > allowance.members:
            raise ValueError(f"it holds more than {allowance.members:,} files")
    except BROKEN as error:
        yield Found(parts, path, date or 0.0, problem=f"this zip is not opened: {one_line(error)}")
        return
    allowance.members -= len(archive.infolist())
    for info in archive.infolist():
        inner = tuple(part[-255:] for part in info.filename.replace("\\", "/").split("/")
                      if part not in ("", ".", ".."))
        if info.is_dir() or not inner or any(map(hidden, inner)) or ignored(inner[-1]):
            continue
        where, submitted = f"{path}!{info.filename}", zip_date(archive, info) if of_class else date
        if stat.S_ISLNK(info.external_attr >> 16):
            yield Found(parts + inner, where, submitted, problem="it is a symbolic link, which is not followed")
        elif is_zip(inner[-1]):
            content, problem = member(archive, info, LARGEST_ARCHIVE, allowance)
            if problem:
                yield Found(parts + inner, where, submitted, problem=problem)
            else:
                yield from walk_zip(io.BytesIO(content), parts + inner, where, submitted,
                                    students_allowance() if of_class else allowance)
        elif is_notebook(inner[-1]):
            yield Found(parts + inner, where, submitted, *member(archive, info, LARGEST_NOTEBOOK, allowance))
        else:
            yield Found(parts + inner, where, submitted)


def member(archive, info, largest, allowance):
    """(content, problem) of an archive's member; one of them is None."""
    largest = min(largest, allowance.size)
    if info.flag_bits & 1:
        return None, "it is encrypted: a password is wanted"
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return None, "it is packed by a method that is not read here; deflate is"
    try:
        with archive.open(info) as file:
            content, problem = bounded(file, largest)
    except BROKEN as error:
        content, problem = None, f"it cannot be unpacked: {one_line(error)}"
    allowance.size -= largest if content is None else len(content)
    return content, problem


def bounded(file, largest):
    """(content, problem) of an open file; one of them is None. What a header says of the size is not trusted."""
    content = file.read(largest + 1)
    return (content, None) if len(content) <= largest else (None,
                                                            f"it is too large: at most {largest:,} bytes are read")


def directory_size(file, size):
    """The size of a zip's table of contents, which ZipFile reads at once, by the record at its end; 0 where there is
    none."""
    file.seek(max(0, size - 65_600))
    end = file.read()
    at = end.rfind(b"PK\5\6")
    is_64 = at >= 20 and end[at - 20:at - 16] == b"PK\6\7"  # a second record, of larger numbers: no class needs it
    return 2**32 if is_64 else int.from_bytes(end[at + 12:at + 16], "little") if at >= 0 else 0


def zip_date(archive, info):
    """When a member was handed in, in seconds since the epoch: nbgrader's date or its own, by this machine's clock; 0
    for none."""
    stamp = str(PurePosixPath(info.filename).parent / "timestamp.txt")
    if stamp in archive.NameToInfo:
        content, _ = member(archive, archive.getinfo(stamp), 1000, Allowance(1, 1000))
        if date := parse_date((content or b"").decode("utf-8", "replace")):
            return date
    try:
        return datetime(*info.date_time).timestamp()
    except (ValueError, OverflowError, OSError):
        return 0.0


def nbgrader_date(path):
    """The date in nbgrader's timestamp.txt, None where there is none."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return parse_date(file.read(1000))
    except OSError:
        return None


def parse_date(text):
    """Seconds since the epoch of a text such as "2026-11-01 10:00:00.25 UTC"; None where it is none."""
    try:
        day, hour, *zone = text.split()
        return datetime.fromisoformat(f"{day} {hour}").replace(tzinfo=ZoneInfo(zone[0] if zone else "UTC")).timestamp()
    except (ValueError, OverflowError, OSError, KeyError):  # the latter for a zone that nobody knows
        return None


def hidden(name):
    return name.startswith(".") or name == "__MACOSX"


def ignored(name):
    return hidden(name) or name == "timestamp.txt" or PurePosixPath(name).suffix.lower() in IGNORED


def is_zip(name):
    return name.lower().endswith(".zip")


def is_notebook(name):
    return bool(NOTEBOOK.search(name))


# --- whose it is, and which notebook ---------------------------------------------------------------------------------

@dataclass(frozen=True)
class Entry:
    """A Found with its student and notebook. key: (name, the platform's number of the student or "")."""

    key: tuple
    notebook: str
    rank: tuple  # that of the latest is the highest
    found: Found
    notes: tuple


def unwrapped(found):
    """The files without the folder or archive around all of them, where that is no student's."""
    submitted = [one for one in found if one.parts[0] == "submitted" and len(one.parts) > 1]
    if submitted:  # an nbgrader course: its other folders hold other things
        return [replace(one, parts=one.parts[1:]) for one in submitted]
    inner = [one for one in found if len(one.parts) > 1]
    if len({one.parts[0] for one in inner}) != 1 or any(is_notebook(one.parts[0]) for one in found):
        return found
    name, inner = inner[0].parts[0], [replace(one, parts=one.parts[1:]) for one in inner]
    if name.lower() in WRAPPERS:
        return inner
    deeper = unwrapped(inner)
    if deeper is not inner or (len({one.parts[0] for one in inner}) > 1 and all(map(may_tell_student, inner))):
        return deeper
    return found


def may_tell_student(found):
    """Whether a file lies in a folder or a zip, or has a name, that can be a student's; so may what is no
    submission."""
    name = found.parts[0]
    return len(found.parts) > 1 or is_zip(name) or all(number_in(name)) or (found.content is None
                                                                            and found.problem is None)


def identify(found, root, order):
    """The Entry of a file, the order-th of all; None for what is no student's, such as a list of marks beside the
    folders."""
    *above, name = found.parts
    above = [HANDED_IN.sub(r"\1", part[:-4]) if is_zip(part) else part for part in above]
    key, stem, notes, again = None, name, (), 0
    for part in (*above, name):
        if moodle := MOODLE.fullmatch(part):
            key, own = (moodle[1], moodle[2]), moodle[3] or ""
        elif canvas := CANVAS.fullmatch(part):
            key, own = (canvas[1], canvas[3]), canvas[5]
            notes = ("Canvas marks it as late",) if canvas[2] else ()
            suffix = re.search(r"-([1-9]\d?)(\.\w+)*$", part)  # Canvas numbers what is handed in again
            again = int(suffix[1]) if suffix else 0
        if key:
            stem = own if part == name else name
            break
    number, rest = number_in(stem)
    if key is None and above:
        key = (above[0], "")
    elif key is None and (number or found.content is not None or found.problem):
        key = (rest or (root.resolve().name if root.is_dir() else root.stem), "")
    elif key is None:
        return None
    inside = number_inside(found.content or b"")
    if inside and inside != number and not named(stem):
        notes += (f"its name says {number}, its content notebook {inside}",) if number else ()
        number = inside
    key = tuple(unicodedata.normalize("NFC", part) for part in key)
    return Entry(key, number, (again, found.submitted, order), found, notes)


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
    """The notebook's number in the name of a file, "" where it holds none, and what is left of the name: a
    student's."""
    stem = re.sub(r"(\s*\(\d+\)|-Copy\d+)+$", "",
                  NOTEBOOK.sub("", name) if NOTEBOOK.search(name) else PurePosixPath(name).stem)
    known = named(stem)
    numbers = {token for token in re.findall(r"(?<![^\W_])\d\d(?![^\W_])", stem) if token in shipped()}
    number = known[0] if known else numbers.pop() if len(numbers) == 1 else ""
    if not number:
        return "", stem.strip()
    rest = re.sub(rf"(?<![^\W_]){number}(?![^\W_])", "\n", stem, count=1)
    if known:
        rest = re.sub(r"[\W_]+".join(map(re.escape, known[1].split())), "\n", rest, count=1, flags=re.IGNORECASE)
    return number, " ".join(part.strip(" _-.") for part in rest.split("\n")).strip()


def number_inside(content):
    """The number of the notebook that a file's calls of start, check and answer name most often; "" where there are
    none."""
    found = Counter(CALL.findall(content.replace(b"\0", b"")))  # without the zeros, UTF-16 is read, too
    numbers = [number.decode() for number, _ in found.most_common() if number.decode() in shipped()]
    return numbers[0] if numbers else ""


def display_names(keys):
    """From every (name, platform's number) to the student's name: one line, with a number behind it where two share
    it."""
    plain = {key: "".join(letter if letter.isprintable() else "?" for letter in key[0])[:200].strip() or "?"
             for key in keys}
    shared = Counter(name.casefold() for name in plain.values())  # in case files are named after them
    names, taken = {}, {name for name, count in shared.items() if count == 1}
    for key, name in sorted(plain.items()):
        if shared[name.casefold()] > 1:
            tries = chain([key[1]] if key[1] else [], count(1))
            name = next(tried for number in tries if (tried := f"{name} ({number})").casefold() not in taken)
            taken.add(name.casefold())
        names[key] = name
    return names


def of_student(student, entries):
    """The Submissions of one student: the latest readable file for each notebook, else what is wrong with it."""
    by_notebook = defaultdict(list)
    for entry in entries:
        by_notebook[entry.notebook].append(entry)
    nameless = by_notebook.pop("", [])
    if by_notebook:  # beside good notebooks, other files may be anything
        nameless = [entry for entry in nameless if entry.found.problem or entry.found.content is not None]
    return [submission(student, group) for group in [*by_notebook.values(), nameless] if group]


def submission(student, entries):
    """The Submission that a student's files for one notebook come to."""
    best = max(entries, key=lambda entry: (entry.found.content is not None, entry.found.problem is not None,
                                           entry.rank))
    found, problem = best.found, best.found.problem
    if problem is None and found.content is None:
        suffix = PurePosixPath(found.parts[-1]).suffix
        problem = f"it is no notebook but a file of type {one_line(suffix, 20) or 'unknown'}: the .ipynb file is wanted"
    elif problem is None and not best.notebook:
        problem = "neither its name nor its content tells which notebook of the course it is"
    others = tuple(f"not graded, as another file is later or better: {one_line(entry.found.path, 300)}"
                   for entry in entries if entry is not best)
    return Submission(student, best.notebook, found.path, b"" if problem else found.content, problem, found.submitted,
                      best.notes + others)
