"""Files that are there whole or not at all, their names, and where the checkout is."""

import io
import os
import re
import tempfile
import unicodedata
import zipfile
from collections.abc import Mapping
from contextlib import contextmanager
from pathlib import Path

LONGEST_NAME = 200  # bytes: systems end at 255, and something may be put before and after it


def write(path: str | Path, content: str | bytes) -> None:
    """Write a str (as UTF-8) or bytes to `path`, whole or not at all; folders on the way are made.

    The content goes to another name in the same folder first, and is then renamed.
    """
    with _part(path, content) as part:
        os.replace(part, path)


def write_new(path: str | Path, content: str | bytes) -> None:
    """As `write`, but FileExistsError where there is such a file already: of several processes one alone succeeds."""
    with _part(path, content) as part:
        try:
            os.link(part, path)
        except FileExistsError:
            raise
        except OSError:  # a file system without links: this may overwrite what another process writes at this moment
            if Path(path).exists():
                raise FileExistsError(f"{path} is there already") from None
            os.replace(part, path)


@contextmanager
def _part(path, content):
    """The path of a file with this content in the folder of `path`, which is made; afterwards it is gone."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(content.encode() if isinstance(content, str) else content)
        yield part
    finally:
        part.unlink(missing_ok=True)


def require_folder(path: str | Path) -> None:
    """Make the folder `path` where it is missing; OSError, which names it, where nothing can be written there."""
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except FileExistsError:
        raise OSError(f"{path} is a file, where a folder is wanted") from None
    except OSError as error:
        raise OSError(f"nothing can be written to the folder {path}: {error.strerror}") from None


def zipped(contents: Mapping[str, str | bytes]) -> bytes:
    """The bytes of a zip archive with `contents`, from name to str (as UTF-8) or bytes; every file is dated now."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as members:
        for name, content in contents.items():
            members.writestr(name, content)
    return archive.getvalue()


def safe_name(text: str) -> str:
    """`text` as a name that any system takes for one file or folder.

    Raises ValueError where it holds no letter and no digit.
    """
    name = re.sub(r"[^\w@.-]+", "_", unicodedata.normalize("NFC", text)).strip("._-")[:80]
    name = name.encode("utf-8", "replace")[:LONGEST_NAME].decode("utf-8", "ignore")
    if not re.search(r"[^\W_]", name):
        raise ValueError(f"{text!r} makes no file name: it holds no letter and no digit")
    return name


PACKAGE = Path(__file__).resolve().parent  # this package, wherever it is installed


def checkout() -> Path | None:
    """The folder of the checkout that this package runs from; None for an installed package."""
    folder = PACKAGE.parent
    return folder if (folder / "pyproject.toml").is_file() else None
