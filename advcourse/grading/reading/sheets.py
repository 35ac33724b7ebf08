"""Tables as spreadsheets and learning platforms save them: one reader for rosters, times, marks and gradebooks."""

import csv
import io
import re
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple


class Sheet(NamedTuple):
    """A CSV file. before: Excel's line `sep=;`, or "". text: all after it. lines: their fields, parted by `parted`."""

    before: str
    text: str
    parted: str
    lines: list


def read_sheet(path: str | Path) -> Sheet:
    """The Sheet in the file at `path`; ValueError where it is none, or a quote is not closed."""
    text = decoded(path)
    told = re.match(r'"?sep=(.)"?[\r\n]+', text, re.IGNORECASE)
    before, text = (told[0], text[told.end():]) if told else ("", text)
    parted = told[1] if told else delimiter(text)
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=parted, strict=True))
    except csv.Error as error:
        if "unexpected end" in str(error) or "expected after" in str(error):
            error = f"a quote in it is not closed, or not doubled within others ({error})"
        raise ValueError(f"{path} is no CSV file: {error}") from None
    return Sheet(before, text, parted, lines)


def with_cells(sheet: Sheet, cells: Mapping[tuple[int, int], str]) -> str:
    """The text of a Sheet with other texts in some cells, by (line, column); all else stays to the letter."""
    parted, rows = re.escape(sheet.parted), [[]]
    field = rf'("(?:[^"]|"")*"[^{parted}\r\n]*|[^{parted}\r\n]*)({parted}|\r\n|\r|\n|\Z)'
    for raw, end in re.findall(field, sheet.text):
        rows[-1].append([raw, end])
        if end != sheet.parted:
            rows.append([])
    for (line, column), text in cells.items():
        row = rows[line]
        while len(row) <= column:
            row.append(["", row[-1][1]])
            row[-2][1] = sheet.parted
        row[column][0] = f'"{text.replace(chr(34), 2 * chr(34))}"' if re.search(rf'["\r\n{parted}]', text) else text
    return sheet.before + "".join(raw + end for row in rows for raw, end in row)


def table(path: str | Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """(columns, [(number of the line, fields)]) of a CSV file, as many fields in each as there are columns.

    Columns are in lower-case letters and digits alone. Lines that hold nothing are left out.
    Raises ValueError for text that is none, for a line with more fields than columns, or one alone, and where a quote
    that is not closed swallows lines.
    """
    sheet = read_sheet(path)
    lines, skipped = sheet.lines, int(bool(sheet.before))
    while lines and not any(map(str.strip, lines[0])):
        lines, skipped = lines[1:], skipped + 1
    columns = [heading(name) for name in lines[0]] if lines else []
    while columns and not columns[-1]:  # Excel keeps columns that were emptied
        columns.pop()
    rows = []
    for number, row in enumerate(lines[1:], start=2 + skipped):
        fields = [" ".join(field.split()) for field in row]
        while len(fields) > len(columns) and not fields[-1]:
            fields.pop()
        if not any(fields):
            continue
        if not min(2, len(columns)) <= len(fields) <= len(columns):
            raise ValueError(f"{path}, line {number}: {len(fields)} fields, where the first line has {len(columns)}")
        if any(line.count(sheet.parted) == len(columns) - 1 for field in row for line in field.splitlines()[1:]):
            raise ValueError(f"{path}, line {number}: a field holds whole lines of the table; is a quote not closed?")
        rows.append((number, fields + [""] * (len(columns) - len(fields))))
    return columns, rows


def rows_of(path: str | Path, wanted: Sequence[str]) -> list[tuple[int, dict[str, str]]]:
    """[(number of the line, from these columns to its fields)] of a CSV file; ValueError where one is missing."""
    columns, rows = table(path)
    if missing := [name for name in wanted if columns.count(name) != 1]:
        raise not_once(path, columns, missing)
    return [(number, {name: row[columns.index(name)] for name in wanted}) for number, row in rows]


def not_once(path, columns, missing):
    """The ValueError for columns that are not in a table, or there twice."""
    return ValueError(f"{path} needs {' and '.join(f'one column {name!r}' for name in missing)} in its first line; the "
                      f"columns are: {', '.join(filter(None, columns)) or 'none'}")


def heading(text):
    """What stands at the head of a column, in lower-case letters and digits alone, without accents; # is "number"."""
    plain = unicodedata.normalize("NFKD", text.replace("ß", "ss").replace("#", "number")).lower()
    return re.sub(r"[\W_]+", "", "".join(letter for letter in plain if not unicodedata.combining(letter)))


def decoded(path):
    """The text of a file that a spreadsheet wrote."""
    if not Path(path).is_file():
        raise FileNotFoundError(f"there is no file {path}")
    content = Path(path).read_bytes()
    if content[:2] == b"PK" or content[:4] == b"\xd0\xcf\x11\xe0":
        raise ValueError(f'{path} is an Excel workbook; in Excel, save it as "CSV UTF-8"')
    try:
        return content.decode(encoding(content))
    except UnicodeDecodeError:
        raise ValueError(f'{path} is not UTF-8 text; in Excel, save it as "CSV UTF-8"') from None


def encoding(content):
    """UTF-16 is known by its mark, or by the zeros of the first letter; all else is UTF-8."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    return {b"\0": "utf-16-be"}.get(content[:1], {b"\0": "utf-16-le"}.get(content[1:2], "utf-8-sig"))


def delimiter(text):
    """What parts the columns of the first line."""
    first = re.sub(r'"[^"]*"', "", text.partition("\n")[0])
    return max(",;\t", key=first.count)


def places(columns, names):
    """Where columns of these names stand, in the order of the names."""
    return [at for name in names for at, column in enumerate(columns) if column == name]
