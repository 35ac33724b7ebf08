"""From a folder or a zip, as a learning platform gives it, to the submissions in it."""

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from advcourse.grading.reading.archives import walk_folder, walk_zip
from advcourse.grading.reading.students import display_names, identify, unwrapped
from advcourse.handin.statements import one_line


@dataclass(frozen=True)
class Submission:
    """One student's file for one notebook.

    student: the roster's id where there is a roster, else a name of one line, no two students' the same.
    notebook: its number, such as "01"; "" where nothing tells it: then there is a problem.
    path: where it was found, for people: a Path, or "archive.zip!inner/name".
    content: the file; empty where there is a problem.
    problem: why it cannot be read, in one line, or None.
    submitted: seconds since the epoch, by the file's or the platform's date; 0 where there is none.
    notes: one line each on what else was found, such as an earlier file for the same notebook.
    name: the roster's, or "". platform: the learning platform's own number of the student, or "".
    source: what tells when it was submitted, for people, such as "the file's date".
    """

    student: str
    notebook: str
    path: Path | str
    content: bytes = b""
    problem: str | None = None
    submitted: float = 0.0
    notes: tuple = ()
    name: str = ""
    platform: str = ""
    source: str = ""


def collect(folder: str | Path) -> list[Submission]:
    """The Submissions in a folder or a zip, sorted by student and notebook.

    Layouts: Moodle's and Canvas's downloads, a folder or a zip for each student, nbgrader's
    submitted/STUDENT/ASSIGNMENT, and files whose names hold the student's. Of several files for a notebook the latest
    that can be read counts. A file that is no notebook is given, with a problem, where its student has no notebook of
    the number in its name; with no number in its name, where its student has nothing else. What is no student's, such
    as a list of marks, is left out.
    Raises ValueError where `folder` is neither a folder nor a zip, or a zip that cannot be read.
    """
    root = Path(folder)
    students = defaultdict(list)
    for order, found in enumerate(unwrapped(files_in(root))):
        if entry := identify(found, root, order):
            students[entry.key].append(entry)
    names = display_names(students)
    submissions = [submission for key, entries in students.items() for submission in of_student(names[key], entries)]
    return sorted(submissions, key=lambda one: (one.student, one.notebook))


def files_in(root):
    """The list of what is Found in a folder or a zip; ValueError where it is neither."""
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
    return found


def of_student(student, entries):
    """The Submissions of one student: the latest readable file for each notebook, else what is wrong with it."""
    by_notebook = defaultdict(list)
    for entry in entries:
        by_notebook[entry.notebook].append(entry)
    nameless = by_notebook.pop("", [])
    if by_notebook:  # beside good notebooks, other files may be anything
        nameless = [entry for entry in nameless if entry.found.problem or entry.found.content is not None]
    return [submission_of(student, group) for group in [*by_notebook.values(), nameless] if group]


def submission_of(student, entries):
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
