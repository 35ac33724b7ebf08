"""The files in a folder or a zip, and in the zips in it. Nothing is unpacked to disk, and no link is followed."""

import functools
import io
import os
import stat
import zipfile
import zlib
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from advcourse.grading.reading import platforms, times
from advcourse.grading.reading.notebooks import Inside, is_notebook, look
from advcourse.grading.reading.own import FOLDERS, HEAD, grades_in, is_of_grades
from advcourse.handin.statements import LARGEST_NOTEBOOK, one_line

# Bytes of a student's zip, and of a zip's table of contents.
LARGEST_ARCHIVE, LARGEST_DIRECTORY = 100_000_000, 20_000_000
# What a student's archives may hold, those inside included, and what that of the whole class may.
MOST_MEMBERS, MOST_UNPACKED, DEEPEST = 2_000, 200_000_000, 3
MOST_OF_CLASS, MOST_UNPACKED_OF_CLASS = 200_000, 8_000_000_000
IGNORED = {".png", ".jpg", ".jpeg", ".gif", ".svg", ".csv", ".npy", ".npz", ".pt", ".pth", ".safetensors", ".xml",
           ".db"}
BROKEN = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError, OSError)
LINK = "it is a symbolic link, which is not followed"
OWN_FOLDERS = {"solutions", "source", "site-packages"}  # in a copy of the course, what is the course's own
OWN = "it lies in a folder solutions or source, where the course keeps its own: that is never a submission"


@dataclass(frozen=True)
class Stored:
    """Where the bytes of a file are: they are read when their turn comes.

    members: its place in the archive at `path`, then in the archive that is found there, and so on; () for a file.
    """

    path: Path
    members: tuple = ()

    def read(self) -> bytes:
        """The bytes; OSError where they are no longer there, or are too many."""
        try:
            content, problem = self.bounded_read()
        except (*BROKEN, IndexError) as error:
            raise OSError(f"{self.path} can no longer be read: {one_line(error)}") from None
        if problem:
            raise OSError(f"{self.path} can no longer be read: {problem}")
        return content

    def bounded_read(self):
        if not self.members:
            with open(self.path, "rb") as file:
                return bounded(file, LARGEST_NOTEBOOK)
        status = self.path.stat()
        archive = outermost(self.path, status.st_mtime_ns, status.st_size)
        for at in self.members[:-1]:
            content, problem = member(archive, archive.infolist()[at], LARGEST_ARCHIVE, students_allowance())
            if problem:
                return None, problem
            archive = zipfile.ZipFile(io.BytesIO(content))
        return member(archive, archive.infolist()[self.members[-1]], LARGEST_NOTEBOOK, students_allowance())


@functools.lru_cache(maxsize=1)
def outermost(path, _modified, _size):
    """The ZipFile at `path`, left open: one after the other, all of its members are asked for."""
    return zipfile.ZipFile(path)


@dataclass(frozen=True)
class Found:
    """A file that may be a submission.

    parts: the folders, archives and the name that lead to it. submitted, source: its date, and what tells it.
    inside: what was seen in it; None where it is no notebook, or was not read. problem: why not.
    """

    parts: tuple
    path: Path | str
    submitted: float
    source: str = ""
    stored: Stored | None = None
    inside: Inside | None = None
    problem: str | None = None

    def seen(self, content, problem):
        """This, with what is in it; content is None where there is a problem."""
        return replace(self, inside=None if problem else look(content), problem=problem)


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


def is_own(parts, around=0):
    """Whether a file lies among the course's own, such as the solutions in a fork of its repository.

    around: so many parts of its path are around the whole class, whatever they are called.
    """
    return bool(OWN_FOLDERS & set(parts[around:-1]))


def around_class(tops):
    """How many folders called as the course's own are around all that lies in a class's folder or archive."""
    return int(len(tops) == 1 and tops <= OWN_FOLDERS)


# --- folders ---------------------------------------------------------------------------------------------------------

def walk_folder(root):
    """What lies in a folder and its folders."""
    of_class, stamped, graded = holds_class_archives(root), nbgrader_folders(root), set()
    around = around_class({path.name for path in visible(root) if not ignored(path.name)})
    for base, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not hidden(name))
        links = [name for name in folders if os.path.islink(os.path.join(base, name))]
        parts = Path(base).relative_to(root).parts
        graded |= {parts} if is_graded(base) else set()
        date = times.nbgrader_date(Path(base, "timestamp.txt")) if Path(base) in stamped else None
        for name in sorted([*links, *(name for name in names if not ignored(name))]):
            if not is_of_grades((*parts, name), graded):
                yield from walk_file(Path(base, name), (*parts, name), date=date, of_class=of_class, around=around)


def visible(root):
    """What lies at the top of a folder and may be of students."""
    own = FOLDERS if is_graded(root) else ()
    return [path for path in root.iterdir()
            if not (hidden(path.name) or path.name in own or (path.is_dir() and is_graded(path)))]


def is_graded(folder):
    """Whether a folder holds a class's marks, written by the grader."""
    def head(name):
        with open(os.path.join(folder, name), "rb") as file:
            return file.read(HEAD)
    try:
        return grades_in([entry.name for entry in os.scandir(folder) if entry.is_file(follow_symlinks=False)], head)
    except OSError:
        return False


def holds_class_archives(root):
    """Whether the zips in a folder are whole classes': one is that holds nothing else, or all names are platforms'."""
    counting = [path for path in visible(root) if path.is_dir() or is_zip(path.name) or is_notebook(path.name)]
    return len(counting) == 1 or all(is_zip(path.name) and platforms.of_class(names_in(path)) for path in counting)


def nbgrader_folders(root):
    """The folders STUDENT/ASSIGNMENT in nbgrader's tree, here or in submitted; none where it is no such tree."""
    tree = root if root.resolve().name == "submitted" else root / "submitted"
    files = [("submitted", *path.relative_to(tree).parts) for path in tree.glob("*/*/*")]
    return {tree.joinpath(*parts[1:3]) for parts in files} if times.is_nbgrader_tree(files) else set()


def names_in(path):
    """The names at the top of a zip; none where it cannot be read."""
    try:
        with open(path, "rb") as file:
            archive = opened(file, (), Allowance(MOST_OF_CLASS, 0), largest=None)
            return {inner[0] for info in archive.infolist() if (inner := inner_parts(info)) and not hidden(inner[0])}
    except BROKEN:
        return set()


def walk_file(path, parts, *, date, of_class, around):
    """What a file in a folder is, or what is in it.

    date: when it was handed in; None for the file's own date. of_class: whether a zip is the whole class's. around: see
    `is_own`.
    """
    try:
        status = path.lstat()
        found = Found(parts, path, date or status.st_mtime, times.NBGRADER if date else times.FILE, Stored(path))
        if stat.S_ISLNK(status.st_mode):
            yield replace(found, problem=LINK)
        elif not stat.S_ISREG(status.st_mode):
            yield replace(found, problem="it is no plain file")
        elif is_own(parts, around):
            yield replace(found, problem=OWN)
        elif is_notebook(path.name):
            with open(path, "rb") as file:
                yield found.seen(*bounded(file, LARGEST_NOTEBOOK))
        elif is_zip(path.name):
            with open(path, "rb") as file:
                yield from walk_zip(file, found if not of_class else replace(found, submitted=0.0),
                                    allowance=None if of_class else students_allowance(), around=around)
        else:
            yield found
    except OSError as error:
        yield Found(parts, path, 0.0, problem=f"it cannot be read: {one_line(error.strerror)}")


# --- archives --------------------------------------------------------------------------------------------------------

def students_allowance():
    return Allowance(MOST_MEMBERS, MOST_UNPACKED)


def walk_zip(file, itself, *, allowance=None, around=0):
    """What is in an open archive, and in the archives in it.

    itself: the Found of the archive.
    allowance: what it may still hold; then a student handed it in, and the dates inside are the student's own. None:
        it is the whole class's.
    around: see `is_own`.
    """
    of_class = allowance is None
    allowance = allowance or Allowance(MOST_OF_CLASS, MOST_UNPACKED_OF_CLASS)
    try:
        archive = opened(file, itself.parts, allowance, largest=None if of_class else LARGEST_ARCHIVE)
    except BROKEN as error:
        yield replace(itself, problem=f"this zip is not opened: {one_line(error)}")
        return
    in_tree = of_class and times.is_nbgrader_tree([inner_parts(info) for info in archive.infolist()])
    graded = graded_in(archive)
    if of_class:
        inside = [inner for info in archive.infolist()
                  if (inner := inner_parts(info)) and not is_of_grades(inner, graded)]
        around = len(itself.parts) + around_class({inner[0] for inner in inside if not ignored(inner[0])})
    for at, info in enumerate(archive.infolist()):
        inner = inner_parts(info)
        if (info.is_dir() or not inner or any(map(hidden, inner)) or ignored(inner[-1])
                or is_of_grades(inner, graded)):
            continue
        date, source = itself.submitted, itself.source
        if of_class:
            date, source = zip_date(archive, info, in_tree and len(inner) == 4)
        yield from walk_member(archive, info, Found(
            itself.parts + inner, f"{itself.path}!{info.filename}", date, source,
            replace(itself.stored, members=(*itself.stored.members, at))), allowance, of_class=of_class, around=around)


def graded_in(archive):
    """The folders in an archive that hold a class's marks, written by the grader."""
    folders = defaultdict(dict)
    for info in archive.infolist():
        if inner := inner_parts(info):
            folders[inner[:-1]][inner[-1]] = info

    def head(info):
        try:
            with archive.open(info) as file:
                return file.read(HEAD)
        except BROKEN:
            return b""
    return {folder for folder, members in folders.items()
            if grades_in(members, lambda name, members=members: head(members[name]))}


def walk_member(archive, info, found, allowance, *, of_class, around):
    """What a member of an archive is, or what is in it. around: see `is_own`."""
    if stat.S_ISLNK(info.external_attr >> 16):
        yield replace(found, problem=LINK)
    elif is_own(found.parts, around):
        yield replace(found, problem=OWN)
    elif is_notebook(found.parts[-1]):
        yield found.seen(*member(archive, info, LARGEST_NOTEBOOK, allowance))
    elif is_zip(found.parts[-1]):
        content, problem = member(archive, info, LARGEST_ARCHIVE, allowance)
        if problem:
            yield replace(found, problem=problem)
        else:
            yield from walk_zip(io.BytesIO(content), found, allowance=students_allowance() if of_class else allowance,
                                around=around)
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

def zip_date(archive, info, stamped):
    """(when a member of a class's archive was handed in, in seconds since the epoch or 0; what tells it).

    stamped: whether nbgrader wrote that beside it.
    """
    stamp = str(PurePosixPath(info.filename).parent / "timestamp.txt")
    if stamped and stamp in archive.NameToInfo:
        content, _ = member(archive, archive.getinfo(stamp), 1000, Allowance(1, 1000))
        if date := times.parse_date((content or b"").decode("utf-8", "replace")):
            return date, times.NBGRADER
    return times.of_zip(info.date_time), times.ZIP
