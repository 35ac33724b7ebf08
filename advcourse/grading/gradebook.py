"""The gradebook: what is graded already, in one SQLite file that a killed grader leaves whole."""

import json
import sqlite3
from dataclasses import asdict

from advcourse.grading.marks import Graded, Mark

# Written into the file's header, so that no other program's database is taken for a gradebook.
APPLICATION, VERSION = 0x61647663, 2

# submission: the JSON of [student, notebook], so that any name at all can be written, and no two alike.
# graded: the JSON of a Graded, from which everything is read back; the other columns say what is graded already.
TABLES = (
    "CREATE TABLE submissions (submission TEXT PRIMARY KEY, sha256 TEXT NOT NULL, fingerprint TEXT NOT NULL, "
    "has_problem INTEGER NOT NULL, graded TEXT NOT NULL)",
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


def save(connection, graded: Graded, fingerprint):
    """Put `graded` in the place of what this student had for this notebook, in one transaction.

    fingerprint: see `is_graded`.
    """
    connection.execute("INSERT OR REPLACE INTO submissions VALUES (?, ?, ?, ?, ?)", (
        key_of(graded.student, graded.notebook), graded.sha256, fingerprint, graded.problem is not None,
        json.dumps(asdict(graded), allow_nan=False)))


def load(connection):
    """Everything graded so far, a Graded each, by student and notebook."""
    found = []
    for (text,) in connection.execute("SELECT graded FROM submissions"):
        fields = json.loads(text)
        marks = tuple(Mark(**mark) for mark in fields["marks"])
        found.append(Graded(**fields | {"marks": marks, "notes": tuple(fields["notes"])}))
    return sorted(found, key=lambda graded: (graded.student, graded.notebook))


def is_graded(connection, student, notebook, sha256, fingerprint):
    """Is exactly this submission graded, with nothing left to be graded?

    fingerprint: a str that stands for everything else that a grade depends on, such as the seed and the exercises'
    version.
    """
    found = connection.execute("SELECT 1 FROM submissions WHERE submission = ? AND sha256 = ? AND fingerprint = ? "
                               "AND NOT has_problem", (key_of(student, notebook), sha256, fingerprint))
    return found.fetchone() is not None


def key_of(student, notebook):
    """How a submission is called in the table."""
    return json.dumps([student, notebook])
