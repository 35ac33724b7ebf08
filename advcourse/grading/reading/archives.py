"""The files in a folder or a zip, and in the zips in it. Nothing is unpacked to disk, and no link is followed."""

import io
import os
import re
import stat
import zipfile
import zlib
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path, PurePosixPath
from zoneinfo import ZoneInfo

from advcourse.handin.statements import LARGEST_NOTEBOOK, one_line

# Bytes of a student's zip, and of a zip's table of contents.
LARGEST_ARCHIVE, LARGEST_DIRECTORY = 100_000_000, 20_000_000
# What a student's archives may hold, those inside included, and what that of the whole class may.
MOST_MEMBERS, MOST_UNPACKED, DEEPEST = 2_000, 200_000_000, 3
MOST_OF_CLASS, MOST_UNPACKED_OF_CLASS = 200_000, 8_000_000_000
IGNORED = {".png", ".jpg", ".jpeg", ".gif", ".svg", ".csv", ".npy", ".npz", ".pt", ".pth", ".safetensors", ".xml",
           ".db"}
NOTEBOOK = re.compile(r"\.ipynb(\.txt|\.json)?$", re.IGNORECASE)  # browsers append the latter
BROKEN = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError, OSError)
LINK = "it is a symbolic link, which is not followed"


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


def hidden(name):
    return name.startswith(".") or name == "__MACOSX"


def ignored(name):
    return hidden(name) or name == "timestamp.txt" or PurePosixPath(name).suffix.lower() in IGNORED


def is_zip(name):
    return name.lower().endswith(".zip")


def is_notebook(name):
    return bool(NOTEBOOK.search(name))


# --- folders ---------------------------------------------------------------------------------------------------------

def walk_folder(root):
    """What lies in a folder and its folders."""
    of_class = holds_one_archive(root)
    for base, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not hidden(name))
        links = [name for name in folders if os.path.islink(os.path.join(base, name))]
        date = nbgrader_date(Path(base, "timestamp.txt"))
        for name in sorted([*links, *(name for name in names if not ignored(name))]):
            path = Path(base, name)
            yield from walk_file(path, path.relative_to(root).parts, date=date, of_class=of_class)


def holds_one_archive(root):
    """Whether all that counts in a folder is one thing: where that is a zip, it is the whole class's."""
    visible = [path for path in root.iterdir() if not hidden(path.name)]
    return sum(path.is_dir() or is_zip(path.name) or is_notebook(path.name) for path in visible) == 1


def walk_file(path, parts, *, date, of_class):
    """What a file in a folder is, or what is in it.

    date: when it was handed in; None for the file's own date. of_class: whether a zip is the whole class's.
    """
    try:
        status = path.lstat()
        found = Found(parts, path, date or status.st_mtime)
        if stat.S_ISLNK(status.st_mode):
            yield replace(found, problem=LINK)
        elif not stat.S_ISREG(status.st_mode):
            yield replace(found, problem="it is no plain file")
        elif is_notebook(path.name):
            with open(path, "rb") as file:
                content, problem = bounded(file, LARGEST_NOTEBOOK)
            yield replace(found, content=content, problem=problem)
        elif is_zip(path.name):
            with open(path, "rb") as file:
                if of_class:
                    yield from walk_zip(file, parts, str(path))
                else:
                    yield from walk_zip(file, parts, str(path), date=found.submitted, allowance=students_allowance())
        else:
            yield found
    except OSError as error:
        yield Found(parts, path, 0.0, problem=f"it cannot be read: {one_line(error.strerror)}")


# --- archives --------------------------------------------------------------------------------------------------------

def students_allowance():
    return Allowance(MOST_MEMBERS, MOST_UNPACKED)


def walk_zip(file, parts, path, *, date=None, allowance=None):
    """What is in an archive, and in the archives in it.

    parts, path: those of the archive.
    date, allowance: when a student handed this archive in, for the dates inside are the student's own, and what it
        may hold. None: it is the whole class's.
    """
    of_class = allowance is None
    if of_class:
        allowance = Allowance(MOST_OF_CLASS, MOST_UNPACKED_OF_CLASS)
    try:
        archive = opened(file, parts, allowance, largest=None if of_class else LARGEST_ARCHIVE)
    except BROKEN as error:
        yield Found(parts, path, date or 0.0, problem=f"this zip is not opened: {one_line(error)}")
        return
    for info in archive.infolist():
        inner = inner_parts(info)
        if info.is_dir() or not inner or any(map(hidden, inner)) or ignored(inner[-1]):
            continue
        found = Found(parts + inner, f"{path}!{info.filename}", zip_date(archive, info) if of_class else date)
        if stat.S_ISLNK(info.external_attr >> 16):
            yield replace(found, problem=LINK)
        elif is_notebook(inner[-1]):
            content, problem = member(archive, info, LARGEST_NOTEBOOK, allowance)
            yield replace(found, content=content, problem=problem)
        elif is_zip(inner[-1]):
            content, problem = member(archive, info, LARGEST_ARCHIVE, allowance)
            if problem:
                yield replace(found, problem=problem)
            else:
                yield from walk_zip(io.BytesIO(content), found.parts, found.path, date=found.submitted,
                                    allowance=students_allowance() if of_class else allowance)
        else:
            yield found


def opened(file, parts, allowance, *, largest):
    """The ZipFile of an open file, its members taken off the allowance; one of BROKEN where it holds or is too much.

    largest: bytes of the whole file; None for any.
    """
    size = file.seek(0, os.SEEK_END)
    if largest is not None and size > largest:
        raise ValueError(f"it has {size:,} bytes, and at most {largest:,} are read")
    if sum(map(is_zip, parts)) > DEEPEST:
        raise ValueError("there are too many archives in archives")
    if directory_size(file, size) > LARGEST_DIRECTORY:
        raise ValueError("its table of contents is too large")
    archive = zipfile.ZipFile(file)
    if len(archive.infolist()) > allowance.members:
        raise ValueError(f"it holds more than {allowance.members:,} files")
    allowance.members -= len(archive.infolist())
    return archive


def directory_size(file, size):
    """The size of a zip's table of contents, which ZipFile reads at once, by the record at its end; 0 without one."""
    file.seek(max(0, size - 65_600))
    end = file.read()
    at = end.rfind(b"PK\5\6")
    is_64 = at >= 20 and end[at - 20:at - 16] == b"PK\6\7"  # a second record, of larger numbers: no class needs it
    return 2**32 if is_64 else int.from_bytes(end[at + 12:at + 16], "little") if at >= 0 else 0


def inner_parts(info):
    """The folders and the name of a member, without what leads out of the archive; () where there is no name."""
    parts = info.filename.replace("\\", "/").split("/")
    return tuple(part[-255:] for part in parts if part not in ("", ".", ".."))


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
    if len(content) > largest:
        return None, f"it is too large: at most {largest:,} bytes are read"
    return content, None


# --- dates -----------------------------------------------------------------------------------------------------------

def zip_date(archive, info):
    """When a member was handed in, in seconds since the epoch: by timestamp.txt beside it, else its own date; or 0."""
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
