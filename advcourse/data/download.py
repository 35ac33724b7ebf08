"""Files of data sets: found on disk, else downloaded; their checksum is verified after every read."""

import contextlib
import contextvars
import errno
import hashlib
import os
import queue
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from advcourse import files

ATTEMPTS = 3  # for failures that pass: a connection cut, a damaged transfer, a server that is busy
PAUSE = 1.0  # seconds before the second attempt, twice that before the third
TIMEOUT = (10, 30)  # seconds to connect, and to wait for the next bytes
CHUNK = 1 << 16  # bytes
ONE_DAY = 24 * 60 * 60  # seconds
TOO_LATE = "it did not arrive within the time allowed"

_deadline = contextvars.ContextVar("deadline", default=float("inf"))  # on the monotonic clock


class DataError(RuntimeError):
    """A data set cannot be had; the message says what happened and what to do."""


class NotHereError(DataError):
    """A data set is not on this machine: nothing is damaged."""


class DownloadError(NotHereError):
    """A file is not on this machine and did not arrive; nothing of it is left on the disk."""


class _Passing(Exception):
    """A failure that may be gone at the next attempt."""


class _Final(Exception):
    """A failure that another attempt at the same address will not mend."""


@dataclass(frozen=True)
class File:
    """One file of a data set.

    path: where it lies below a data folder; checksum: "sha256:…" or "md5:…"; urls: where to get it, tried in this
    order. instead: the generated data set that serves the same notebooks.
    """

    path: str
    checksum: str
    urls: tuple[str, ...] = ()
    instead: str = "fonts"


def folder() -> Path:
    """Where downloads land: `data/` of the checkout when running from one, else the user's cache folder."""
    if files.checkout():
        return files.checkout() / "data"
    import pooch

    return Path(pooch.os_cache("advcourse"))


def find(path: str) -> Path | None:
    """The place of `path` below $ADVCOURSE_DATA, else below `folder()`; None where it is in neither."""
    places = [folder()]
    if os.environ.get("ADVCOURSE_DATA"):
        places.insert(0, Path(os.environ["ADVCOURSE_DATA"]).expanduser())
    return next((place / path for place in places if (place / path).exists()), None)


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Downloads inside this block share so many seconds, whatever the network does; with 0 none is tried."""
    token = _deadline.set(min(_deadline.get(), time.monotonic() + seconds))
    try:
        yield
    finally:
        _deadline.reset(token)


def read(*files: File) -> bytes:
    """The bytes of a file of which these are equivalent forms (say, unpacked and packed): the first that is on disk.

    Where none is, the last one is downloaded.
    Raises DataError for a damaged file, DownloadError for one that cannot be had.
    """
    for file in files:
        place = find(file.path)
        if place:
            break
    else:
        place = _download(file)
    content = place.read_bytes()
    found = _checksum(content, file.checksum)
    if found != file.checksum:
        raise DataError(
            f"{place} is damaged: its checksum is {found}, wanted {file.checksum}. "
            "Delete the file and load again to download it afresh, or put a good copy in its place."
        )
    return content


def _checksum(content, like):
    """The checksum of these bytes, by the algorithm that `like` names."""
    algorithm = like.split(":")[0]
    return f"{algorithm}:{hashlib.new(algorithm, content, usedforsecurity=False).hexdigest()}"


def _download(file):
    """Download one file into `folder()` and return its place. It appears there whole and verified, or not at all."""
    target = folder() / file.path
    try:
        folder().mkdir(parents=True, exist_ok=True)
        _sweep(folder())
        # The scratch folder is on the disk of the target, so that the last step is one atomic rename; being this
        # download's own, it lets several processes fetch the same file at once.
        with tempfile.TemporaryDirectory(prefix=".download-", dir=folder(), ignore_cleanup_errors=True) as scratch:
            deadline = _deadline.get()
            arrived = _by(deadline, lambda: _try_each(file, Path(scratch), deadline))
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(arrived, target)
        return target
    except _Final as error:
        reason = str(error)
    except OSError as error:
        reason = _disk_trouble(error)
    raise DownloadError(
        f"{target.name} is not on this machine and could not be downloaded: {reason}.\n"
        f"What to do: try again later, put the file at {target} (or at {file.path} in the folder that the environment "
        f'variable ADVCOURSE_DATA names), or use DATASET = "{file.instead}", which needs no network.'
    )


def _sweep(place):
    """Remove what downloads left that were killed more than a day ago."""
    for scratch in place.glob(".download-*"):
        with contextlib.suppress(OSError):
            if time.time() - scratch.stat().st_mtime > ONE_DAY:
                shutil.rmtree(scratch)


def _by(deadline, function):
    """function(), or _Final once the deadline has passed.

    Time limits of sockets do not cover a name server that never answers, nor a server that sends a byte now and then:
    so the work is done in a thread that can be left behind.
    """
    if deadline == float("inf"):
        return function()
    if time.monotonic() >= deadline:
        raise _Final("no time was allowed for it")
    results = queue.Queue()

    def work():
        try:
            results.put((function(), None))
        except Exception as error:
            results.put((None, error))

    threading.Thread(target=work, daemon=True).start()
    try:
        result, error = results.get(timeout=max(0, deadline - time.monotonic()))
    except queue.Empty:
        raise _Final(TOO_LATE) from None
    if error:
        raise error
    return result


def _try_each(file, scratch, deadline):
    """Try the addresses in turn, each up to ATTEMPTS times; the place of the verified file below `scratch`."""
    failures = []
    for url in file.urls:
        for attempt in range(1, ATTEMPTS + 1):
            if time.monotonic() >= deadline:
                raise _Final(TOO_LATE)
            try:
                return _fetch(url, file.checksum, scratch, deadline)
            except _Final as error:
                failures.append(f"{url}: {error}")
                break
            except _Passing as error:
                if attempt == ATTEMPTS:
                    failures.append(f"{url}: {error} ({ATTEMPTS} attempts)")
                else:
                    time.sleep(PAUSE * attempt)
    raise _Final("; ".join(failures) or "no address is known to get it from")


def _fetch(url, checksum, scratch, deadline):
    """One attempt at one address: the place of the verified file.

    Raises _Passing or _Final with the reason, or OSError.
    """
    import pooch
    import requests
    from urllib3.exceptions import ProtocolError, ReadTimeoutError

    pooch.get_logger().setLevel("WARNING")  # the progress bar says it all
    try:
        place = pooch.retrieve(
            url,
            known_hash=checksum,
            fname="arrived",
            path=scratch,
            downloader=lambda url, output_file, pooch: _stream(url, output_file, deadline),
        )
    except requests.HTTPError as error:
        status = error.response.status_code
        reason = f"the server answered {status} {error.response.reason}"
        raise (_Passing if status >= 500 or status == 429 else _Final)(reason) from None
    except requests.Timeout:
        raise _Final("the server does not answer") from None
    except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
        cause = error.args[0] if error.args else None
        if isinstance(cause, ProtocolError):
            raise _Passing("the connection was cut before the end") from None
        if isinstance(cause, ReadTimeoutError):
            raise _Passing("the server stopped sending") from None
        raise _Final(f"no connection to the server ({type(error).__name__}; is there a network?)") from None
    except requests.RequestException as error:
        raise _Final(str(error)) from None
    except ValueError:  # pooch's word for another checksum
        raise _Passing("what arrived is damaged or cut short: its checksum is wrong") from None
    return Path(place)


def _stream(url, output_file, deadline):
    """Write what the server sends to `output_file`, a path, with a progress bar."""
    import requests
    from tqdm.auto import tqdm

    with requests.get(url, stream=True, timeout=TIMEOUT, headers={"Accept-Encoding": "identity"}) as response:
        response.raise_for_status()
        size = int(response.headers.get("Content-Length", 0)) or None
        name = url.rsplit("/", 1)[-1]
        with open(output_file, "wb") as output, tqdm(desc=name, total=size, unit="B", unit_scale=True,
                                                     leave=False) as bar:
            start = b""
            for chunk in response.iter_content(CHUNK):
                start = start or chunk[:100]
                if start.lstrip().lower().startswith((b"<!doctype html", b"<html")):
                    raise _Final("a web page came instead of the file (the sign-in page of a network?)")
                if time.monotonic() >= deadline:
                    raise _Final(TOO_LATE)
                output.write(chunk)
                bar.update(len(chunk))


def _disk_trouble(error):
    """In words, why the file could not be written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return f"there is no room for it on the disk of {folder()}: make room there"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{folder()} cannot be written to"
    return f"writing below {folder()} failed: {error}"
