"""What advcourse itself wrote, which nobody handed in: marks and pages of an earlier run, notebooks as handed out."""

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import PurePosixPath

from advcourse.grading.gradebook import is_gradebook
from advcourse.grading.reading.notebooks import is_notebook

# What is written into the folders of a graded class; nobody else's file has such a name.
OURS = {"students": r"[a-z0-9-]{1,40}-[0-9a-f]{16}\.html", "results": r"[a-z0-9-]{1,40}-[0-9a-f]{16}-\w*\.json",
        "feedback": r"\d\d\.zip"}
FOLDERS = {*OURS, "anonymous", "filled"}
GRADES = ["student", "name", "notebook", "exercise", "points", "maximum", "state", "reason", "comment", "days late",
          "dated by"]  # the first line of grades.csv
GENERATOR = "advcourse grade"  # of every page, in its head
HEAD = 1000  # bytes of a file that tell


def is_grades(name: str, head: bytes) -> bool:
    """Whether a file of this name that begins so is a class's gradebook, or its table of marks."""
    columns = re.split(r"[,;\t]", head.decode("utf-8-sig", "replace").partition("\n")[0].strip())
    return is_gradebook(head) if name == "gradebook.db" else columns[:5] == GRADES[:5]


def grades_in(names: Iterable[str], head: Callable[[str], bytes]) -> bool:
    """Whether a folder with files of these names is one of marks and pages, by what they begin with."""
    return any(is_grades(name, head(name)) for name in ("gradebook.db", "grades.csv") if name in set(names))


def is_of_grades(parts: Sequence[str], graded: set[tuple]) -> bool:
    """Whether a file is the grader's own, by the folders `graded`, in which marks lie.

    Such a folder may be a student's as well, or the class's: notebooks and zips in it that are none of ours are read.
    """
    may_be_work = is_notebook(parts[-1]) or parts[-1].lower().endswith(".zip")
    return any(parts[:at] in graded and (parts[at] in FOLDERS or not may_be_work) for at in range(len(parts)))


def is_page(one) -> bool:
    """Whether a Found is a page or a result of the grader's, wherever it was copied to."""
    name = one.parts[-1]
    if one.inside or one.problem or not one.stored:
        return False
    if PurePosixPath(name).suffix.lower() != ".html":
        return bool(re.fullmatch(OURS["results"], name))
    try:
        return f'name="generator" content="{GENERATOR}"'.encode() in one.stored.read()[:HEAD]
    except OSError:
        return False


def without_handed_out(found: list) -> list:
    """The Founds without what `advcourse release` wrote and nobody worked in, where that lies beside the class.

    It makes a folder and a zip of it for each student: where the notebooks in both are still the same.
    """
    notebooks = {one.parts: one.inside.sha256 for one in found if one.inside}
    untouched = {}
    for parts, sha256 in notebooks.items():
        if len(parts) > 3 and parts[-3] == f"{parts[-2]}.zip":  # …/release/ada.zip/ada/01.ipynb
            folder = (*parts[:-3], parts[-2])
            untouched[folder] = untouched.get(folder, True) and notebooks.get((*folder, parts[-1])) == sha256
    places = {place for folder, is_so in untouched.items() if is_so
              for place in (folder, (*folder[:-1], f"{folder[-1]}.zip"))}
    return [one for one in found if not any(one.parts[:at] in places for at in range(len(one.parts)))]
