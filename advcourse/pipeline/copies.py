"""Students work in copies of the notebooks, so that an update of the course is never in the way of their work.

A built notebook carries a fingerprint of its cells. A copy that still fits its own holds no work, whatever JupyterLab
added on opening it (outputs, metadata), and is replaced when the course's notebook changes; any other copy is kept.
"""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

from advcourse import files


def fingerprint(cells: Iterable[dict]) -> str:
    """A hash of what stands in the cells of a notebook: their kinds and sources, as str or as lists of lines.

    Cells without text do not count, such as JupyterLab adds at the end, nor do blanks at a cell's end.
    """
    texts = [(cell["cell_type"], "".join(cell["source"]).rstrip()) for cell in cells]
    return hashlib.sha256(json.dumps([(kind, text) for kind, text in texts if text]).encode()).hexdigest()


def read(content: bytes) -> tuple[dict, str]:
    """(what the course wrote into the notebook's metadata, the fingerprint of its cells), of a notebook's file.

    ({}, "") where it is no notebook.
    """
    try:
        notebook = json.loads(content)
        return dict(notebook["metadata"].get("advcourse", {})), fingerprint(notebook["cells"])
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}, ""


def update(source: Path, folder: Path) -> tuple[list[str], list[str]]:
    """Copy the notebooks in `source` to `folder`, where there are none yet or ones without work in them.

    Returns the names of two kinds of copies that were kept: those with work in them whose notebook in `source` is no
    longer the one they started from, and those that cannot be read as a notebook.
    """
    kept, unreadable = [], []
    for path in sorted(source.glob("*.ipynb")):
        copy, new = folder / path.name, path.read_bytes()
        if copy.exists():
            (about, cells), (new_about, new_cells) = read(content_of(copy)), read(new)
            if not cells:  # there may be work in it
                unreadable.append(path.name)
                continue
            if cells not in (about.get("cells"), new_cells):  # there is work in it
                kept += [path.name] if about.get("cells") != new_cells else []
                continue
            if (about, cells) == (new_about, new_cells):  # nothing is newer, and outputs stay
                continue
        files.write(copy, new)
    return kept, unreadable


def content_of(path: Path) -> bytes:
    """The bytes of a file; none where it cannot be opened, or is a folder."""
    try:
        return path.read_bytes()
    except OSError:
        return b""
