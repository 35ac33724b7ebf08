"""What is installed, which device and data there are, is there a network: look here first when something fails."""

import platform
import shutil
import threading
from importlib import metadata
from typing import Any, NamedTuple

from advcourse.version import __version__

OK, WARNING, MISSING = "ok", "warning", "missing"


class Row(NamedTuple):
    """One finding."""

    what: str
    state: str  # "ok", "warning" (the course runs, with less) or "missing" (the course needs it)
    detail: str


def report(network_timeout: float = 2) -> list[Row]:
    """All findings, as a list of Rows. Never raises: what cannot be looked at is a finding, too.

    network_timeout: seconds to wait for an answer from the course's repository
    """
    looks = {"Python": python, "packages": packages, "device": device, "data": data_sets, "disk": disk,
             "network": lambda: network(network_timeout)}
    rows = []
    for what, look in looks.items():
        try:
            rows += look()
        except Exception as error:  # whatever is broken on this machine, the rest of the report is worth having
            rows.append(Row(what, WARNING, f"could not look: {type(error).__name__}: {error}"))
    return rows


def python() -> list[Row]:
    """The interpreter and the course itself."""
    return [Row("Python", OK, f"{platform.python_version()} on {platform.system()} {platform.machine()}"),
            Row("advcourse", OK, __version__)]


def packages() -> list[Row]:
    """Every package that the course needs, against the versions that its metadata ask for."""
    from packaging.requirements import Requirement

    wanted = {}
    for line in metadata.requires("advcourse"):
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            wanted[requirement.name] = (requirement.specifier, MISSING)
        elif requirement.marker.evaluate({"extra": "lab"}):
            # On Colab the versions that the course itself needs are enough.
            wanted.setdefault(requirement.name, (requirement.specifier, WARNING))
    return [package(name, versions, state) for name, (versions, state) in wanted.items()]


def package(name: str, versions: Any, state_if_missing: str) -> Row:
    """One package against the versions asked for."""
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        what_for = "" if state_if_missing == MISSING else ", which only running the course on your own machine needs"
        return Row(name, state_if_missing, f"not installed; the course asks for {versions}{what_for}")
    if versions.contains(version, prereleases=True):
        return Row(name, OK, f"{version} ({versions})")
    return Row(name, WARNING, f"{version} is outside {versions}")


def device() -> list[Row]:
    """What computes, and with how many threads."""
    import torch

    from advcourse.device import choose, cores

    threads = Row("threads", OK, f"{torch.get_num_threads()} of {cores()} cores")
    try:
        chosen = choose()
    except ValueError as error:  # the environment variable DEVICE asks for what is not there
        return [Row("device", WARNING, str(error)), threads]
    if chosen.type == "cuda":
        memory = torch.cuda.get_device_properties(chosen).total_memory / 1e9
        detail = f"{chosen}: {torch.cuda.get_device_name(chosen)}, {memory:.0f} GB"
    else:
        detail = f"{chosen}; the quick profile needs no GPU"
    return [Row("device", OK, detail), threads]


def data_sets() -> list[Row]:
    """Which data sets are here and whole, and which would be downloaded."""
    from advcourse import data

    return [Row(f"data: {name}", *data_set(name)) for name in data.names()]


def data_set(name: str) -> tuple[str, str]:
    """The state of one data set, and what there is to say about it."""
    from advcourse import data

    try:
        return OK, data.from_disk(name, train=1, test=1).card
    except (data.DataError, OSError) as error:
        return WARNING, str(error)


def disk() -> list[Row]:
    """Room for downloads."""
    from advcourse import data

    folder = data.folder()
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(existing).free / 1e9
    return [Row("disk", OK if free > 2 else WARNING, f"{free:.1f} GB free for downloads in {folder}")]


def repository() -> str:
    """The address of the course's repository, as its metadata tell it."""
    urls = dict(line.split(", ", 1) for line in metadata.metadata("advcourse").get_all("Project-URL"))
    return urls["Repository"].rstrip("/")


def archive(address: str) -> str:
    """Where the course of the repository at `address` is in one file, as it is today: pip needs no git for it."""
    return f"{address}/archive/refs/heads/main.zip"


def network(timeout: float = 2) -> list[Row]:
    """Whether the course's repository answers within `timeout` seconds."""
    import requests

    address, answers = repository(), []

    def ask():
        try:
            requests.head(address, timeout=timeout)
            answers.append("")
        except requests.RequestException as error:
            answers.append(f" ({type(error).__name__})")

    # In a thread, because looking up a name has no timeout of its own.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(timeout)
    if answers == [""]:
        return [Row("network", OK, f"{address} answers")]
    why = answers[0] if answers else f" within {timeout} s"
    return [Row("network", WARNING, f"no answer from {address}{why}; the course runs on the data that is here")]
