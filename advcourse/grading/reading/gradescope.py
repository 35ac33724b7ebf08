"""What Gradescope's export says of its folders submission_…: who handed them in, and when."""

from datetime import UTC, datetime
from typing import NamedTuple

import yaml

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

    Raises ValueError where it is none.
    """
    try:
        folders = yaml.load(content, Loader)
        return {str(name): Submission([submitter(one) for one in told[":submitters"]], moment(told.get(":created_at")))
                for name, told in folders.items() if told.get(":submitters")}
    except (yaml.YAMLError, AttributeError, TypeError, KeyError, RecursionError) as error:
        raise ValueError(f"{METADATA} is not as Gradescope writes it: {' '.join(str(error).split())[:200]}") from None


def submitter(told):
    """The Submitter in a mapping with Ruby's keys."""
    name, sid, email = (str(told.get(key) or "").strip() for key in (":name", ":sid", ":email"))
    return Submitter(name or email or sid, sid, email)


def moment(told):
    """Seconds since the epoch of a time as Ruby writes it: with a zone, else in UTC; None where it is none."""
    if isinstance(told, dict):  # ActiveSupport::TimeWithZone
        told = told.get("utc")
    try:
        time = told if isinstance(told, datetime) else datetime.fromisoformat(str(told))
    except ValueError:
        return None
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
