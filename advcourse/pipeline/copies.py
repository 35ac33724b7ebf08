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
    """A hash of what stands in the cells of a notebook: their kinds and sources, as str or as lists of lines."""
    texts = [(cell["cell_type"], "".join(cell["source"])) for cell in cells]
    return hashlib.sha256(json.dumps(texts).encode()).hexdigest()


def read(content: bytes) -> tuple[dict, str]:
    """(what the course wrote into the notebook's metadata, the fingerprint of its cells), of a notebook's file.

    ({}, "") where it is no notebook.
    """
    try:
        notebook = json.loads(content)
        return dict(notebook["metadata"].get("advcourse", {})), fingerprint(notebook["cells"])
    except (ValueError, TypeError, KeyError, AttributeError):
        return {}, ""


def update(source: Path, folder: Path) -> list[str]:
    """Copy the notebooks in `source` to `folder`, where there are none yet or ones without work in them.

    Returns the names of the copies with work in them whose notebook in `source` is no longer the one they started from.
    """
    kept = []
    for path in sorted(source.glob("*.ipynb")):
        copy, new = folder / path.name, path.read_bytes()
        if copy.exists():
            (about, cells), (new_about, new_cells) = read(copy.read_bytes()), read(new)
            if cells not in (about.get("cells"), new_cells):  # there is work in it
                kept += [path.name] if about.get("cells") != new_cells else []
                continue
            if (about, cells) == (new_about, new_cells):  # nothing is newer, and outputs stay
                continue
        files.write(copy, new)
    return kept
