"""The gradebook: what is graded already, in one SQLite file that a killed grader leaves whole."""

import json
import sqlite3
from dataclasses import asdict

from advcourse.grading.marks import Graded, Mark

# Written into the file's header, so that no other program's database is taken for a gradebook.
APPLICATION, VERSION = 0x61647663, 3

# submission: the JSON of [student, notebook], so that any name at all can be written, and no two alike.
# graded: the JSON of a Graded. fingerprints: that of a dict, from every exercise to what its mark depends on.
TABLES = (
    "CREATE TABLE submissions (submission TEXT PRIMARY KEY, fingerprints TEXT NOT NULL, graded TEXT NOT NULL)",
    f"PRAGMA application_id = {APPLICATION}",
    f"PRAGMA user_version = {VERSION}",
)


def open_gradebook(path):
    """A connection to the gradebook at `path`, which is made where it is missing.

    Raises OSError where the file cannot be opened, ValueError where it is something else or from another version.
    """
    try:
        connection = sqlite3.connect(path, timeout=60, isolation_level=None)
        try:
            prepare(connection, path)
        except BaseException:
            connection.close()
            raise
    except sqlite3.OperationalError as error:
        raise OSError(f"the gradebook {path} cannot be opened: {error}") from None
    except sqlite3.DatabaseError as error:
        raise ValueError(f"{path} is no gradebook: {error}") from None
    return connection


def is_gradebook(header: bytes) -> bool:
    """Whether a file that begins so is one of ours; 72 bytes tell."""
    return header.startswith(b"SQLite format 3\0") and int.from_bytes(header[68:72]) == APPLICATION


def prepare(connection, path):
    """Make the tables in a new file; a file that is anything else is left as it was."""
    connection.execute("BEGIN IMMEDIATE")  # of two graders that start at once, one makes the tables
    application, version, is_empty = (connection.execute(query).fetchone()[0] for query in (
        "PRAGMA application_id", "PRAGMA user_version", "SELECT NOT EXISTS (SELECT 1 FROM sqlite_schema)"))
    if is_empty and not application:
        for statement in TABLES:
            connection.execute(statement)
    elif application != APPLICATION:
        raise ValueError(f"{path} is another program's database; give the gradebook a file of its own")
    elif version != VERSION:
        raise ValueError(f"{path} is a gradebook of version {version}, and this advcourse has version {VERSION}: "
                         "use the advcourse that made it, or grade into a new folder")
    connection.execute("COMMIT")
    connection.execute("PRAGMA journal_mode = WAL")


def save(connection, graded: Graded, fingerprints: dict):
    """Put `graded` in the place of what this student had for this notebook, in one transaction.

    fingerprints: from every exercise's number to a str that stands for all that its mark depends on but the
    submission, such as the seed and the exercise's version.
    """
    connection.execute("INSERT OR REPLACE INTO submissions VALUES (?, ?, ?)", (
        key_of(graded.student, graded.notebook), json.dumps(fingerprints), json.dumps(asdict(graded), allow_nan=False)))


def find(connection, student, notebook) -> tuple[Graded, dict] | None:
    """(the Graded, its fingerprints) of what this student has for this notebook; None where nothing is graded."""
    found = connection.execute("SELECT graded, fingerprints FROM submissions WHERE submission = ?",
                               (key_of(student, notebook),)).fetchone()
    return found and (read(found[0]), json.loads(found[1]))


def submissions(connection) -> list[tuple[str, str]]:
    """The (student, notebook) of everything graded so far, sorted."""
    return sorted(tuple(json.loads(text)) for (text,) in connection.execute("SELECT submission FROM submissions"))


def read(text):
    """The Graded in a JSON text."""
    fields = {key: tuple(value) if isinstance(value, list) else value for key, value in json.loads(text).items()}
    return Graded(**fields | {"marks": tuple(Mark(**mark) for mark in fields["marks"])})


def key_of(student, notebook):
    """How a submission is called in the table."""
    return json.dumps([student, notebook])
