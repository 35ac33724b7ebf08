"""What Gradescope's export says of its folders submission_…: who handed them in, and when."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple

import yaml

LARGEST = 10_000_000  # bytes of a list; one of a thousand students has less
SUBMISSION = re.compile(r"submission_\d+")  # how its folders are called
METADATA, SOURCE = "submission_metadata.yml", "Gradescope's submission_metadata.yml"


class Submitter(NamedTuple):
    """A student of a submission, of which a group has several."""

    name: str
    sid: str
    email: str

    @property
    def called(self):
        return tuple(filter(None, (self.sid, self.email, self.name)))


class Submission(NamedTuple):
    """A folder's students, and seconds since the epoch or None."""

    students: list
    submitted: float | None


class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """Reads Ruby's objects as what they hold."""


def plain(loader, _kind, node):
    """What stands in an object, without its kind."""
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    return loader.construct_sequence(node, deep=True) if isinstance(node, yaml.SequenceNode) else str(node.value)


Loader.add_multi_constructor("!", plain)


def read(content: bytes) -> dict[str, Submission]:
    """From a folder's name to its Submission, of the bytes of a submission_metadata.yml.

    Folders of nobody's are left out. Raises ValueError where it is none.
    """
    if len(content) > LARGEST:
        raise ValueError(f"{METADATA} is too large: at most {LARGEST:,} bytes are read")
    try:
        folders = yaml.load(content, Loader)
        return {str(name): Submission([submitter(one) for one in told[":submitters"]], moment(told.get(":created_at")))
                for name, told in folders.items() if told.get(":submitters")}
    except (yaml.YAMLError, AttributeError, TypeError, KeyError, ValueError, OverflowError, RecursionError) as error:
        raise ValueError(f"{METADATA} is not as Gradescope writes it: {' '.join(str(error).split())[:200]}") from None


def places(files: Iterable[tuple]) -> set[tuple]:
    """The folders with lists of the class's: its top, else all of its folders, such as an export for each assignment.

    files: each the tuple of its folders and its name. A list anywhere else may be a student's own.
    """
    files = set(files)
    exports = {parts[:-1] for parts in files if parts[-1] == METADATA and len(parts) < 3
               and is_export(files, parts[:-1])}
    if () in exports:
        return {()}
    return exports if {parts[:1] for parts in files} <= exports else set()


def is_export(files: Iterable[tuple], place: tuple) -> bool:
    """Whether a list lies in this folder, and folders beside it, which are all called as Gradescope calls them."""
    inside = [parts[len(place):] for parts in files if parts[:len(place)] == place]
    folders = {parts[0] for parts in inside if len(parts) > 1}
    return (METADATA,) in inside and bool(folders) and all(map(SUBMISSION.fullmatch, folders))


def submitter(told):
    """The Submitter in a mapping with Ruby's keys."""
    name, sid, email = (plain_text(told.get(key)) for key in (":name", ":sid", ":email"))
    return Submitter(name or email or sid, sid, email)


def plain_text(told):
    """A text or a number as text; TypeError for what holds others: aliases make that endless."""
    if told is not None and not isinstance(told, str | int):
        raise TypeError(f"a text is wanted, not a {type(told).__name__}")
    return str(told or "").strip()


def moment(told):
    """Seconds since the epoch of a time as Ruby writes it: with a zone, else in UTC; None where it is none."""
    if isinstance(told, dict):  # ActiveSupport::TimeWithZone
        told = told.get("utc")
    try:
        time = told if isinstance(told, datetime) else datetime.fromisoformat(str(told))
    except ValueError:
        return None
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
