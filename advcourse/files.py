"""Files that are there whole or not at all, and where the checkout is."""

import os
from pathlib import Path


def write(path, content):
    """Write a str (as UTF-8) or bytes to `path`, whole or not at all; folders on the way are made.

    The content goes to another name in the same folder first, and is then renamed.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(content.encode() if isinstance(content, str) else content)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def checkout():
    """The folder of the checkout that this package runs from; None for an installed package."""
    folder = Path(__file__).resolve().parent.parent
    return folder if (folder / "pyproject.toml").is_file() else None
