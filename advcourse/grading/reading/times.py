"""When something was handed in: by a file's date, by nbgrader's, or by a list of times that overrides them."""

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from advcourse.grading.reading.platforms import in_name
from advcourse.grading.reading.sheets import rows_of
from advcourse.handin.work import shipped

FILE, ZIP, NBGRADER, LIST = "the file's date", "the date in the zip", "nbgrader's timestamp.txt", "the list of times"
FORM = "2026-11-30T23:59:00+01:00"


# --- the dates of files ----------------------------------------------------------------------------------------------

def of_zip(date_time):
    """Seconds since the epoch of a date in a zip, which has no time zone; 0 where it is none."""
    try:
        return datetime(*date_time).timestamp()
    except (ValueError, OverflowError, OSError):
        return 0.0


def is_nbgrader_tree(files) -> bool:
    """Whether files, each the tuple of its folders and its name, are nbgrader's submitted/STUDENT/ASSIGNMENT/…

    nbgrader writes a timestamp.txt into each of these folders; where most have none, those that are there may be
    students' own.
    """
    folders = {parts[:3] for parts in files if len(parts) > 3 and parts[0] == "submitted"}
    stamped = {parts[:3] for parts in files if len(parts) == 4 and parts[3] == "timestamp.txt"} & folders
    return 2 * len(stamped) > len(folders) and not any(in_name(student, is_folder=True) for _, student, _ in folders)


def nbgrader_date(path):
    """The date in nbgrader's timestamp.txt, None where there is none."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return parse_date(file.read(1000))
    except OSError:
        return None


def parse_date(text):
    """Seconds since the epoch of a text such as "2026-11-01 10:00:00.25 UTC"; None where it is none."""
    try:
        day, hour, *zone = text.split()
        return datetime.fromisoformat(f"{day} {hour}").replace(tzinfo=ZoneInfo(zone[0] if zone else "UTC")).timestamp()
    except (ValueError, OverflowError, OSError, KeyError):  # the latter for a zone that nobody knows
        return None


# --- a list of times -------------------------------------------------------------------------------------------------

def read_times(path: str | Path) -> dict[tuple[str, str], float]:
    """From (student, notebook) to seconds since the epoch, of the CSV file at `path`: student, notebook, time.

    Times have their offset from UTC. Raises ValueError for a column that is missing, a time that is none, and a student
    who is there twice with one notebook.
    """
    found = {}
    for number, fields in rows_of(path, ("student", "notebook", "time")):
        key = fields["student"], fields["notebook"].zfill(2)  # a spreadsheet takes the zero from 01
        if key[1] not in shipped():
            raise ValueError(f"{path}, line {number}: {fields['notebook']!r} is no notebook of the course; a number "
                             "such as 01 is wanted")
        if key in found:
            raise ValueError(f"{path}, line {number}: {key[0]!r} has a time for notebook {key[1]} already")
        found[key] = moment(fields["time"], f"{path}, line {number}")
    return found


def moment(text, where):
    """Seconds since the epoch of a time with its offset; ValueError, which says where it stands, for anything else."""
    try:
        time = datetime.fromisoformat(text)
        if time.tzinfo is not None and time.timestamp() > 0:
            return time.timestamp()
    except (ValueError, OverflowError):
        pass
    raise ValueError(f"{where}: the time must be a date, a time and their offset from UTC, such as {FORM}; "
                     f"got {text!r}")
