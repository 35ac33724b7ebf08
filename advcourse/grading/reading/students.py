"""Whose a file is, and for which notebook: by folders, by what platforms write into names, and by its content."""

import json
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from advcourse.grading.reading import gradescope
from advcourse.grading.reading.archives import OWN, Found, is_zip
from advcourse.grading.reading.notebooks import COPY_OF, HANDED_IN, is_notebook, number_in, which_notebook
from advcourse.grading.reading.platforms import Platform, in_name, user_names

WRAPPERS = {"submissions", "submission", "submitted"}  # a folder around the students' that is none of theirs
NBGRADER = {"submitted", "source", "release", "autograded", "feedback"}  # the folders of a course of nbgrader's
MANIFEST = "manifest.json"  # what advcourse.submit() puts beside the notebook in its zip
REPOSITORY = {"notebooks", "pyproject.toml"}  # what lies in a fork of the course


class Who(NamedTuple):
    """Whom a layout names. key: (name, the platform's number or ""). called: all that it may call them, best first.

    called is empty where only the file itself tells. doubt: a line on why it may be nobody, or "". For the others see
    `Platform`.
    """

    key: tuple
    called: tuple = ()
    number: str = ""
    again: float = 0
    submitted: float | None = None
    source: str = ""
    doubt: str = ""


@dataclass(frozen=True)
class Entry:
    """A Found with its student and notebook.

    said: (where, what) the file says of its student. rank: that of the latest is the highest; first of it, what the
    platform numbers. place: the folders and archives around the students'.
    """

    who: Who
    notebook: str
    rank: tuple
    found: Found
    notes: tuple = ()
    said: tuple = ()
    place: tuple = ()

    @property
    def key(self):
        return self.who.key

    @property
    def is_own(self):
        """Whether it is the course's own, and no student's."""
        return self.found.problem == OWN


def identify(found: Found, order: int, layout: "Layout") -> list[Entry]:
    """The Entries of a file, the order-th of all, one for each of its students.

    None for what is no student's, such as a list of marks.
    """
    if found.parts[-1] in (MANIFEST, gradescope.METADATA):
        return []
    platform = layout.platform(found.parts)
    stem = platform.own_name if platform and len(found.parts) == layout.depth + 1 else found.parts[-1]
    is_other = found.inside is None and not found.problem
    if is_other and (not stem or (len(found.parts) == 1 and not platform and not number_in(stem)[0])):
        return []
    number, notes = which_notebook(stem, found.inside.number if found.inside else "")
    entries = []
    for who in layout.whose(found, platform):
        if who.submitted is not None:
            found = replace(found, submitted=who.submitted, source=who.source)
        entries.append(Entry(who, number, (who.again, found.submitted, order), found, notes, layout.said(found),
                             found.parts[:layout.depth or 0]))
    return entries


# --- the folder around them ------------------------------------------------------------------------------------------

def unwrapped(found: list[Found], known: Callable[[str], object] = lambda name: False) -> list[Found]:
    """The files without the folder or archive around all of them, where that is no student's.

    known: whether a name is that of somebody in the roster.
    """
    submitted = [one for one in found if one.parts[0] == "submitted" and len(one.parts) > 1]
    if submitted and not any(map(may_be_student_s, found)):  # an nbgrader course: its other folders hold other things
        return [replace(one, parts=one.parts[1:]) for one in submitted]
    inner = [one for one in found if len(one.parts) > 1]
    if (len({one.parts[0] for one in inner}) != 1 or known(inner[0].parts[0])
            or any(is_notebook(one.parts[0]) or one.parts == (gradescope.METADATA,) for one in found)):
        return found
    name, inner = inner[0].parts[0], [replace(one, parts=one.parts[1:]) for one in inner]
    if name.lower() in WRAPPERS or gradescope.is_export({one.parts for one in inner}, ()):
        return inner
    deeper, tops = unwrapped(inner, known), {one.parts[0] for one in inner}
    if deeper is not inner or (len(tops) > 1 and not tops >= REPOSITORY
                               and (all(map(may_tell_student, inner)) or are_drive_s(inner))):
        return deeper
    return found


def are_drive_s(files):
    """Whether files are a folder of Google Drive's: copies, and notebooks with a name, of more than one student."""
    def told(one):
        number, name = number_in(one.parts[0])
        is_copy = COPY_OF.search(one.parts[0])
        return (number and name) or (one.inside.student if is_copy and one.inside else "") or (is_copy and "nobody")
    people = [told(one) for one in files]
    return all(people) and len({*people} - {"nobody"}) > 1


def may_be_student_s(found):
    """Whether a file beside nbgrader's folders may be a student's, and no example or solution."""
    is_submission = (found.inside or found.problem) and found.problem != OWN and found.parts[0] not in NBGRADER
    return bool(is_submission and (len(found.parts) > 1 or number_in(found.parts[0])[1]))


def within_fork(found: list[Found], root: Path) -> list[Found]:
    """The files of one student, under the name of what holds them, where that is a copy of the course's repository."""
    is_fork = {one.parts[0] for one in found} >= REPOSITORY
    return [replace(one, parts=(root.resolve().stem, *one.parts)) for one in found] if is_fork else found


def may_tell_student(found):
    """Whether a file lies in a folder or a zip, or has a name, that can be a student's, or is no submission at all."""
    name = found.parts[0]
    is_other = found.inside is None and found.problem is None
    return len(found.parts) > 1 or is_zip(name) or all(number_in(name)) or is_other or in_name(name)


# --- the layout of a class -------------------------------------------------------------------------------------------

@dataclass
class Layout:
    """How a class was handed over.

    depth: which part of a path bears a platform's name; None where none does. What lies deeper is named by students.
    kind: the platform whose word on times counts: that of most. submitters: from the path of a folder to Gradescope's
    Whos. manifests: from a folder or zip to the manifests in it. prefix: what the names of folders have in common.
    users: those of Blackboard, see `user_names`.
    """

    root: Path
    depth: int | None = None
    kind: str = ""
    submitters: dict = field(default_factory=dict)
    manifests: dict = field(default_factory=dict)
    prefix: str = ""
    users: dict = field(default_factory=dict)

    def platform(self, parts) -> Platform | None:
        """What a platform says in a path."""
        return name_at(parts, self.depth) if self.depth is not None and len(parts) > self.depth else None

    def whose(self, found, platform) -> list[Who]:
        """Whom the layout names as the students of a file, else the file itself."""
        for at in range(1, len(found.parts)):
            if found.parts[:at] in self.submitters:
                return self.submitters[found.parts[:at]]
        if self.submitters:
            *folder, _ = found.parts[len(min(self.submitters)) - 1:]
            return [Who(normal(folder[0] if folder else self.root.resolve().stem),
                        doubt="Gradescope's list does not say whose it is")]
        if platform:
            times = (platform.submitted, platform.source) if platform.kind == self.kind else (None, "")
            user = self.users.get(platform.name)
            return [Who(normal(user or platform.name, platform.number), platform.called, user or platform.number,
                        platform.again, *times)]
        if len(found.parts) > 1:
            label = handed_in_by(found.parts[0]) or found.parts[0].removesuffix(".zip")
            if label.lower() in WRAPPERS:
                return [Who(normal("/".join((label, *found.parts[1:-1][:1]))),
                            doubt=f"it lies in a folder {label!r} beside students' own, and may be anybody's")]
            return [Who(normal(label), (label, *self.without_prefix(label)))]
        number, name = number_in(found.parts[0])
        is_copy = COPY_OF.search(found.parts[0])
        if name and (number or not is_copy):
            return [Who(normal(name), (name,))]
        if found.inside and found.inside.student:
            return [Who(normal(found.inside.student))]
        return [Who(normal(PurePosixPath(found.parts[0]).stem if is_copy else self.root.resolve().stem))]

    def without_prefix(self, label):
        """What GitHub Classroom's `assignment-username` may call a student, the longest first."""
        return tuple(label[at + 1:] for at in range(len(self.prefix)) if label[at] == "-"
                     and label.startswith(self.prefix))

    def said(self, found) -> tuple:
        """(where, what) a file and the zip around it say of the student, without what they leave open."""
        manifests = self.manifests.get(found.parts[:-1], [])
        told = [(MANIFEST, student) for sha256, student in manifests if found.inside and sha256 == found.inside.sha256]
        told += [("the name of its zip", handed_in_by(part)) for part in found.parts[:-1]]
        return (*(one for one in told if one[1]), *([("STUDENT", found.inside.student)] if found.inside else []))


def layout_of(found: list[Found], root: Path) -> Layout:
    """The Layout of all files of a class."""
    counting = [one.parts for one in found if one.inside or one.problem or len(one.parts) > 1]
    layout = Layout(root, submitters=gradescope_submitters(found), manifests=manifests_in(found))
    tops = {parts[0]: name_at(parts, 0) for parts in counting}
    kinds = Counter(platform.kind for platform in tops.values() if platform)
    if kinds and not is_of_one_word(tops.values()):
        layout.depth = 0
        layout.kind = next((kind for kind, times in kinds.items() if 2 * times > len(tops)), "")
    else:
        below = list({parts[1]: name_at(parts, 1) for parts in counting if len(parts) > 1}.values())
        if below and not is_of_one_word(below) and all(below) and all(len(parts) > 1 for parts in counting):
            layout.depth, layout.kind = 1, Counter(platform.kind for platform in below).most_common(1)[0][0]
    named = filter(None, (layout.platform(one.parts) for one in found))
    layout.users = user_names({platform.name for platform in named if platform.kind == "Blackboard"})
    folders = sorted({parts[0] for parts in counting if len(parts) > 1})
    if len(folders) > 1 and not any(" " in name for name in folders):
        same = next((at for at, (one, two) in enumerate(zip(folders[0], folders[-1], strict=False)) if one != two),
                    min(len(folders[0]), len(folders[-1])))
        layout.prefix = folders[0][:folders[0].rfind("-", 0, same) + 1]
    return layout


def name_at(parts, at):
    """What a platform says in this part of a path: the name of a folder, or of a file, which an archive is as well."""
    return in_name(parts[at], is_folder=len(parts) > at + 1 and not is_zip(parts[at]))


def is_of_one_word(names):
    """Whether it is a term, no student, that names as Canvas's begin with: `AML_2026_1001_ada.ipynb`, `…_bob.ipynb`."""
    names = list(names)
    if not all(one and one.kind == "Canvas" and one.called for one in names) or len({one.name for one in names}) > 1:
        return False
    return len({number_in(re.sub(r"-[1-9]\d?(?=(\.\w+)*$)", "", one.own_name))[1] for one in names}) > 1


def handed_in_by(name):
    """Whom the zip that advcourse.submit() writes names in its name; "" for another."""
    found = HANDED_IN.match(name) if is_zip(name) else None
    return found[1] if found else ""


def normal(name, number=""):
    """The key of somebody: of two encodings of a letter the same."""
    return unicodedata.normalize("NFC", name), number


def manifests_in(found):
    """From the folder or zip around it to (the notebook's sha256, the student) of every manifest of submit()."""
    manifests = defaultdict(list)
    for one in found:
        if one.parts[-1] == MANIFEST and one.stored:
            try:
                told = json.loads(one.stored.read()[:100_000])
                manifests[one.parts[:-1]].append((told["sha256"], " ".join(told["student"].split())[:200]))
            except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
                continue  # another program's, or mended by hand: STUDENT still tells
    return manifests


def gradescope_submitters(found):
    """From the path of a submission's folder to its Whos, by Gradescope's lists of the class."""
    places = gradescope.places(one.parts for one in found)
    told = {(*one.parts[:-1], name): submission for one in found
            if one.parts[-1] == gradescope.METADATA and one.parts[:-1] in places
            for name, submission in gradescope.read(one.stored.read()).items()}
    return {path: [Who(normal(student.name, student.sid), student.called, student.sid, 0, submission.submitted,
                       gradescope.SOURCE if submission.submitted else "") for student in submission.students]
            for path, submission in told.items()}


def by_one_number(entries: list[Entry]) -> list[Entry]:
    """Entries in which somebody has one key: Moodle gives a student another number for each assignment."""
    numbers = defaultdict(lambda: defaultdict(set))
    for entry in entries:
        numbers[entry.key[0]][entry.place].add(entry.key[1])
    one_each = {name for name, places in numbers.items()
                if len(places) > 1 and all(len(found) == 1 for found in places.values())}
    return [replace(entry, who=entry.who._replace(key=(entry.key[0], ""))) if entry.key[0] in one_each else entry
            for entry in entries]
