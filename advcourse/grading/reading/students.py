"""Whose a file is, and for which notebook: by folders, by what platforms write into names, and by its content."""

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass, replace
from itertools import chain, count
from pathlib import PurePosixPath
from typing import NamedTuple

from advcourse.grading.reading.archives import NOTEBOOK, Found, is_notebook, is_zip
from advcourse.handin.work import shipped

WRAPPERS = {"submissions", "submission", "submitted"}  # a folder around the students' that is none of theirs
MOODLE = re.compile(r"(.+?)_(\d+)_assignsubmission_(?:file|onlinetext)(?:_(.*))?", re.DOTALL)
CANVAS = re.compile(r"([^_]+)_(LATE_)?(\d{3,})_(\d{3,})_(.+)", re.DOTALL)
HANDED_IN = re.compile(r"^\d\d_(.+)_submission$")  # what advcourse.submit() calls its file
CALL = re.compile(rb"\b(?:start|check|answer|question)\(\s*\\?[\"'](\d\d)[.\\\"']")


@dataclass(frozen=True)
class Entry:
    """A Found with its student and notebook. key: (name, the platform's number of the student or "")."""

    key: tuple
    notebook: str
    rank: tuple  # that of the latest is the highest
    found: Found
    notes: tuple


def identify(found, root, order):
    """The Entry of a file, the order-th of all; None for what is no student's, such as a list of marks."""
    *above, name = found.parts
    above = [HANDED_IN.sub(r"\1", part[:-4]) if is_zip(part) else part for part in above]
    platform, stem = platform_name([*above, name])
    if platform:
        key = platform.key
    elif above:
        key = (above[0], "")
    else:
        number, rest = number_in(stem)
        if not number and found.content is None and not found.problem:
            return None
        key = (rest or (root.resolve().name if root.is_dir() else root.stem), "")
    key = tuple(unicodedata.normalize("NFC", part) for part in key)
    number, notes = which_notebook(stem, found.content or b"")
    again, late = (platform.again, platform.notes) if platform else (0, ())
    return Entry(key, number, (again, found.submitted, order), found, late + notes)


# --- the folder around them ------------------------------------------------------------------------------------------

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
    """Whether a file lies in a folder or a zip, or has a name, that can be a student's, or is no submission at all."""
    name = found.parts[0]
    is_other = found.content is None and found.problem is None
    return len(found.parts) > 1 or is_zip(name) or all(number_in(name)) or is_other


# --- what names tell -------------------------------------------------------------------------------------------------

class Platform(NamedTuple):
    """What Moodle or Canvas says in a name: who, the file's own name, how often it was handed in again, and notes."""

    key: tuple
    own_name: str
    again: int = 0
    notes: tuple = ()


def platform_name(parts):
    """(the Platform of the first part that bears one, or None; the file's name without it)."""
    for part in parts:
        if platform := moodle_or_canvas(part):
            return platform, platform.own_name if part == parts[-1] else parts[-1]
    return None, parts[-1]


def moodle_or_canvas(name):
    """The Platform in the name of a file or folder, or None."""
    if moodle := MOODLE.fullmatch(name):
        return Platform((moodle[1], moodle[2]), moodle[3] or "")
    if canvas := CANVAS.fullmatch(name):
        suffix = re.search(r"-([1-9]\d?)(\.\w+)*$", name)  # Canvas numbers what is handed in again
        return Platform((canvas[1], canvas[3]), canvas[5], int(suffix[1]) if suffix else 0,
                        ("Canvas marks it as late",) if canvas[2] else ())
    return None


def which_notebook(stem, content):
    """(number or "", notes) of a file's notebook: a title in its name tells most, then its content, then a number."""
    number, _ = number_in(stem)
    inside = number_inside(content)
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
    """The number of the notebook that a file's calls of start, check and answer name most often; "" without any."""
    found = Counter(CALL.findall(content.replace(b"\0", b"")))  # without the zeros, UTF-16 is read, too
    numbers = [number.decode() for number, _ in found.most_common() if number.decode() in shipped()]
    return numbers[0] if numbers else ""


# --- what students are called ----------------------------------------------------------------------------------------

def display_names(keys):
    """From every (name, platform's number) to the student's name in one line, with a number where two share it."""
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
