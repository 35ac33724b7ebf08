"""Data sets: `load(name)` gives images and labels, or texts, or waveforms: from the disk, by download, or generated."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, overload

# Importing them registers their data sets.
from advcourse.data import faces, fonts, images, messages, portraits, scenes, sounds, texts, tones
from advcourse.data.download import DataError, DownloadError, NotHereError, find, folder, time_limit
from advcourse.data.registry import LOADERS, Dataset, register
from advcourse.data.sounds import Sounds
from advcourse.data.texts import Messages, cleaned

__all__ = ["DataError", "Dataset", "DownloadError", "Messages", "NotHereError", "Sounds", "cleaned", "faces", "find",
           "first_of", "folder", "fonts", "from_disk", "images", "load", "messages", "names", "portraits", "register",
           "scenes", "sounds", "texts", "tones", "verify"]

AUTO_SECONDS = 5  # how long "auto" may wait for real data
_not_here: set[str] = set()  # what was waited for in vain in this process: the wait is not paid twice


def names() -> list[str]:
    """The data sets that `load` knows by name."""
    return sorted(LOADERS)


@overload
def load(name: Literal["messages", "sms-spam"], *, seed: int = 0) -> Messages: ...


@overload
def load(name: Literal["fsdd", "tones"], *, train: int | None = None, test: int | None = None,
         seed: int = 0) -> Sounds: ...


@overload
def load(name: str = "auto", *, train: int | None = None, test: int | None = None, seed: int = 0) -> Dataset: ...


def load(name="auto", *, train=None, test=None, seed=0):
    """A data set, as a Dataset; "messages" and "sms-spam" as Messages, "fsdd" and "tones" as Sounds.

    name: one of `names()`; "auto", which is MNIST where it is on disk or arrives within a few seconds, else fonts; or
    the path of a folder (or .tar.gz) of images in train/<class>/ and test/<class>/.
    train, test: how many images to keep at most, the first of a fixed order; None keeps all. Messages come whole.
    seed: for what is generated; the others ignore it.
    Raises ValueError for an unknown name, DataError for damaged files, NotHereError (a DataError) for files that are
    not on this machine, which is a DownloadError where they could have been downloaded.
    """
    for count, what in ((train, "train"), (test, "test")):
        if count is not None and count < 1:
            raise ValueError(f"{what} must be at least 1 image, or None for all; got {count}")
    if name == "auto":
        return first_of("mnist", "fonts", train=train, test=test, seed=seed)
    if name in LOADERS:
        return LOADERS[name](train=train, test=test, seed=seed)
    if str(name).strip() and Path(name).exists():  # Path("") is the working directory
        return images.folder_of_images(name, train, test)
    known = ", ".join(["auto", *names()])
    raise ValueError(f"unknown data set {str(name)!r}; there are {known}, or give the path of a folder of images")


def first_of(real: str, made: str, **options: Any) -> Any:
    """The data set `real` where it is on disk or arrives within a few seconds, else `made`, whose card then says so.

    options: as for `load`. Raises DataError for files of `real` that are damaged: they are something to mend.
    """
    try:
        with time_limit(0 if real in _not_here else AUTO_SECONDS):
            return load(real, **options)
    except DownloadError:
        _not_here.add(real)
    dataset = load(made, **options)
    return replace(dataset, card=f"{dataset.card} (in place of {real}, "
                                 "which is neither on this machine nor quick to download)")


def from_disk(name: str, *, train: int | None = None, test: int | None = None) -> Dataset | Messages | Sounds:
    """A data set as `load` gives it, without a download.

    Raises DataError, which says what is damaged: NotHereError where it is not here, DownloadError where it can be had.
    """
    try:
        with time_limit(0):
            return load(name, train=train, test=test)
    except DownloadError:
        raise DownloadError(f"not here; `advcourse data get {name}` downloads it") from None


def verify(name: str) -> None:
    """Read a data set from the disk, without a download, and check every file.

    Raises DataError, which says what is missing or damaged, and ValueError for an unknown name.
    """
    if name == "auto":
        raise ValueError(f"verify one data set at a time; there are {', '.join(names())}")
    from_disk(name)
