"""Tables as spreadsheets and learning platforms save them."""

import csv
import io
from collections.abc import Collection, Iterator
from pathlib import Path

from advcourse.grading.reading.roster import decoded, delimiter


def table(path: str | Path) -> tuple[list[list[str]], str]:
    """(the lines of a CSV file, a list of fields each, and what parts them); ValueError where it is no such file."""
    text = decoded(path)
    parted = delimiter(text)
    if text[:4].lower() == "sep=":  # Excel's own first line
        first, _, text = text.partition("\n")
        parted = first.strip()[4:] or parted
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=parted)), parted
    except (csv.Error, TypeError) as error:
        raise ValueError(f"{path} is no CSV file: {error}") from None


def rows(path: str | Path, columns: Collection[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """(number of the row, from each of the columns to its field) of every row that holds something.

    Raises ValueError where a column is missing.
    """
    lines, _ = table(path)
    names = [name.strip().lower() for name in lines[0]] if lines else []
    if missing := [name for name in columns if names.count(name) != 1]:
        raise ValueError(f"{path} needs the columns {', '.join(columns)} in its first line, once each; "
                         f"{', '.join(missing)} cannot be told; the columns are: {', '.join(names) or 'none'}")
    for number, fields in enumerate(lines[1:], start=2):
        if any(map(str.strip, fields)):
            fields += [""] * (len(names) - len(fields))
            yield number, {name: " ".join(fields[names.index(name)].split()) for name in columns}
