"""What learning platforms write into the names of what they give: whose it is, which of several, and when it came."""

import re
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

MARKED_LATE = -1.0  # in place of a time: the platform says that it is late, and not when it came
CANVAS_SAYS = {True: "Canvas, which marks it as late and does not say when it came",
               False: "Canvas, which does not mark it as late"}
MOODLE = re.compile(r"(.+?)_(\d+)_assignsubmission_(?:file|onlinetext)(?:_(.*))?", re.DOTALL)
NUMBER = re.compile(r"(?:Moodle|Canvas) (\d+)")  # in `Platform.called`
# Canvas names what is handed in anonymously after no one, and what is no file "…_text.html" or "…_link.html".
ANONYMOUS = re.compile(r"(LATE_)?anon_([A-Za-z0-9]+)_(?:\d+_)?(.+)", re.DOTALL)
CANVAS = re.compile(r"(.+?)_(LATE_)?(\d{3,}|[1-9]\d?)_(?:(\d{3,}|[1-9]\d?)_(.+)|((?:text|link)\.html))", re.DOTALL)
BLACKBOARD = re.compile(r"(.+?)_attempt_(\d{4}(?:-\d\d){5})(?:_(.+)|\.txt)?", re.DOTALL)
BRIGHTSPACE = re.compile(r"\d+-\d+ - (.+?) - (\w{3} \d{1,2}, \d{4} \d{3,4} [AP]M)(?: - (.+))?", re.DOTALL)


class Platform(NamedTuple):
    """What a platform says in the name of a file or folder.

    kind: of platform. name: of the student, as the platform calls them. number: its own of the student, or "".
    own_name: the file's own, "" for a folder or a receipt. again: later ones of a student are greater.
    submitted, source: the time that the name tells, see `times`, and what tells it; None and "" where it tells none.
    called: all that the name may call the student, the likeliest first; numbers that only this platform gives have its
    kind before them. On Blackboard the name has the column's before it, see `user_names`.
    """

    kind: str
    name: str
    number: str
    own_name: str
    again: float = 0
    submitted: float | None = None
    source: str = ""
    called: tuple = ()


def in_name(name: str, *, is_folder: bool = False) -> Platform | None:
    """What a platform says in this name; None where it is no platform's. Canvas gives no folders."""
    readers = (moodle, blackboard, brightspace) if is_folder else (moodle, anonymous, blackboard, brightspace, canvas)
    return next(filter(None, (read(name) for read in readers)), None)


def moodle(name):
    """`Siobhán O'Brien_123456_assignsubmission_file_…`; in a class of groups `Group A-Siobhán O'Brien_…`."""
    if found := MOODLE.fullmatch(name):
        whole = found[1]
        parts = [whole[at + 1:] for at, letter in enumerate(whole) if letter == "-"]
        return Platform("Moodle", whole, found[2], found[3] or "", called=(f"Moodle {found[2]}", whole, *parts))
    return None


def canvas(name):
    """`obriensiobhan_LATE_12345_67890_…`: what is handed in again ends in -1, -2, …"""
    if found := CANVAS.fullmatch(name):
        name, late, number, file, own_name, text = found.groups()
        if min(len(number), len(file or number)) < 3 and not (name.isalnum() and name == name.lower()):
            return None  # with numbers as short, any name may look like it
        return by_canvas(name, number, own_name or text, late=bool(late), called=(f"Canvas {number}", name))
    return None


def anonymous(name):
    """`anon_Ab3dE_67890_…`, `LATE_anon_Ab3dE_67890_…`: the second number is the file's."""
    if found := ANONYMOUS.fullmatch(name):
        return by_canvas(f"anon_{found[2]}", "", found[3], late=bool(found[1]), called=())
    return None


def by_canvas(name, number, own_name, *, late, called):
    """The dates in Canvas's zip are those of the download, so its mark is all that can be known."""
    suffix = re.search(r"-([1-9]\d?)(\.\w+)*$", own_name)
    return Platform("Canvas", name, number, own_name, int(suffix[1]) if suffix else 0, MARKED_LATE if late else 0.0,
                    CANVAS_SAYS[late], called)


def blackboard(name):
    """`Homework_01_obrien_attempt_2026-11-01-12-00-00_…`, and a receipt beside it, which ends there and in .txt."""
    if found := BLACKBOARD.fullmatch(name):
        parts = [found[1][at + 1:] for at, letter in enumerate(found[1]) if letter == "_"] or [found[1]]
        moment = local(found[2], "%Y-%m-%d-%H-%M-%S")
        return Platform("Blackboard", found[1], "", found[3] or "", moment or 0, moment,
                        "Blackboard's attempt, in this machine's time zone", tuple(parts))
    return None


def user_names(names: Iterable[str]) -> dict[str, str]:
    """From `Homework_01_obrien`, as Blackboard names a class's files, to the user name: what not all have in common.

    Both the column's name and the user's may hold a "_"; those with the same first part are taken for one column.
    """
    columns, users = defaultdict(set), {}
    for name in names:
        columns[name.partition("_")[0]].add(name)
    for column in columns.values():
        words = [name.split("_") for name in column]
        same = next((at for at, some in enumerate(zip(*words, strict=False)) if len(set(some)) > 1), 1)
        users |= {name: "_".join(name.split("_")[same:]) or name for name in column}
    return users


def brightspace(name):
    """`12345-67890 - Siobhan O'Brien - Nov 1, 2026 1200 PM - …`."""
    if found := BRIGHTSPACE.fullmatch(name):
        moment = local(re.sub(r" (\d{3} [AP]M)", r" 0\1", found[2]), "%b %d, %Y %I%M %p")
        return Platform("Brightspace", found[1], "", found[3] or "", moment or 0, moment,
                        "Brightspace, in this machine's time zone", (found[1],))
    return None


def local(text, form):
    """Seconds since the epoch of a time of this machine's zone; None where it is none."""
    try:
        return datetime.strptime(text, form).timestamp()
    except (ValueError, OverflowError, OSError):
        return None


def of_class(names) -> bool:
    """Whether all that lies in an archive has names that a platform made, so that it is a class's."""
    return bool(names) and all(in_name(name) for name in names)
