"""Data sets: `load(name)` gives images and labels, from the disk, by download, or generated; of sounds, waveforms."""

from dataclasses import replace
from pathlib import Path
from typing import Literal, overload

from advcourse.data import faces, fonts, images, portraits, sounds, tones  # importing them registers their data sets
from advcourse.data.download import DataError, DownloadError, NotHereError, find, folder, time_limit
from advcourse.data.registry import LOADERS, Dataset, register
from advcourse.data.sounds import Sounds

__all__ = ["DataError", "Dataset", "DownloadError", "NotHereError", "Sounds", "faces", "find", "folder", "fonts",
           "from_disk", "images", "load", "names", "portraits", "register", "sounds", "tones", "verify"]

AUTO_SECONDS = 5  # how long "auto" may wait for MNIST
_no_mnist = False  # whether "auto" has waited in vain in this process: the wait is not paid twice


def names() -> list[str]:
    """The data sets that `load` knows by name."""
    return sorted(LOADERS)


@overload
def load(name: Literal["fsdd", "tones"], *, train: int | None = None, test: int | None = None,
         seed: int = 0) -> Sounds: ...


@overload
def load(name: str = "auto", *, train: int | None = None, test: int | None = None, seed: int = 0) -> Dataset: ...


def load(name="auto", *, train=None, test=None, seed=0):
    """A data set, as a Dataset; "fsdd" and "tones" as Sounds.

    name: one of `names()`; "auto", which is MNIST where it is on disk or arrives within a few seconds, else fonts; or
    the path of a folder (or .tar.gz) of images in train/<class>/ and test/<class>/.
    train, test: how many images to keep at most, the first of a fixed order; None keeps all.
    seed: for what is generated; the others ignore it.
    Raises ValueError for an unknown name, DataError for damaged files, NotHereError (a DataError) for files that are
    not on this machine, which is a DownloadError where they could have been downloaded.
    """
    for count, what in ((train, "train"), (test, "test")):
        if count is not None and count < 1:
            raise ValueError(f"{what} must be at least 1 image, or None for all; got {count}")
    if name == "auto":
        return _mnist_or_fonts(train=train, test=test, seed=seed)
    if name in LOADERS:
        return LOADERS[name](train=train, test=test, seed=seed)
    if str(name).strip() and Path(name).exists():  # Path("") is the working directory
        return images.folder_of_images(name, train, test)
    known = ", ".join(["auto", *names()])
    raise ValueError(f"unknown data set {str(name)!r}; there are {known}, or give the path of a folder of images")


def from_disk(name: str, *, train: int | None = None, test: int | None = None) -> Dataset:
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


def _mnist_or_fonts(**options):
    global _no_mnist
    try:
        with time_limit(0 if _no_mnist else AUTO_SECONDS):
            return load("mnist", **options)
    except DownloadError:
        _no_mnist = True
    dataset = load("fonts", **options)
    return replace(dataset, card=f"{dataset.card} (in place of MNIST, "
                                 "which is neither on this machine nor quick to download)")
