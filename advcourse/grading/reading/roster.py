"""Who is in the class: a list of students, as learning platforms and spreadsheets save it."""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from advcourse import files
from advcourse.grading.course import Course

# What columns are called, in lower-case letters and digits alone: a whole name, its two parts, an e-mail address.
NAMES = ("name", "fullname", "studentname", "displayname", "vollstandigername", "nomcomplet", "nombrecompleto")
FIRST = ("firstname", "firstnames", "givenname", "vorname", "prenom", "nombre", "nome", "voornaam")
LAST = ("lastname", "surname", "familyname", "nachname", "nom", "nomdefamille", "apellidos", "cognome", "achternaam")
EMAILS = ("email", "emailaddress", "mail", "emailadresse", "adressedecourriel", "direcciondecorreo", "indirizzoemail",
          "emailadres")
# What platforms call a student by; the first of them that a student has is the id.
IDS = ("idnumber", "studentid", "sisuserid", "sid", "studentnumber", "orgdefinedid", "matriculationnumber",
       "matrikelnummer", "idnummer", "numerodidentification", "numerodeid", "username", "sisloginid", "loginid",
       "login", "userid", "netid", "benutzername", "anmeldename", *EMAILS, "identifier", "githubusername", "id")
PARTICIPANT = re.compile(r"(Participant|Teilnehmer\S*?|Participante|Deelnemer)?\s*(\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class Student:
    """A row of the roster.

    email: "" where there is none. numbers: from a column of `IDS` ("sisuserid") to what stands there.
    """

    id: str
    name: str
    email: str = ""
    numbers: dict = field(default_factory=dict, compare=False)

    @property
    def folder(self):
        return files.safe_name(self.id)

    @property
    def canvas(self):
        """Canvas's own number of the student, which stands in a column ID beside its SIS columns, or ""."""
        return self.numbers.get("id", "") if self.numbers.keys() & {"sisuserid", "sisloginid"} else ""

    @property
    def moodle(self):
        """Moodle's number of the student in one assignment, which its grading worksheet has, or ""."""
        found = PARTICIPANT.fullmatch(self.numbers.get("identifier") or self.numbers.get("id", ""))
        return found[2] if found and (found[1] or "identifier" in self.numbers) else ""

    @property
    def platform(self):
        """The platform's own number of the student, by which it takes marks back, or ""."""
        return self.canvas or self.moodle


def read_roster(path: str | Path) -> list[Student]:
    """The Students in the CSV file at `path`: one's own, with the columns student (the id) and name, or an export.

    Exports of Moodle, Canvas, Blackboard, Brightspace, Gradescope and GitHub Classroom are known by their columns; a
    student's id is then what stands in the first column of `IDS` that is not empty. Commas, semicolons and tabs may
    part the columns. Raises ValueError for columns that are missing, an id that is empty or there twice, and text that
    is neither UTF-8 nor UTF-16.
    """
    columns, rows = table(path)
    names, others = places_of_names(columns), places(columns, IDS)
    ids = [at for at in places(columns, ("student",)) if at not in names] or others
    twice = [name for name in ("student", "name") if columns.count(name) > 1]
    if twice or not names or not ids:
        wanted = twice[0] if twice else "name" if "student" in columns or (others and not names) else "student"
        raise ValueError(f"{path} needs one column {wanted!r} in its first line; the columns are: "
                         f"{', '.join(filter(None, columns)) or 'none'}")
    students, line_of = [], {}
    for number, row in rows:
        student = student_in(columns, row, names, ids)
        if student is None:
            continue
        if not student.id or not student.id.isprintable():
            raise ValueError(f"{path}, line {number}: the student's id is "
                             f"{student.id!r}; letters and digits are wanted")
        if (first := line_of.setdefault(student.folder.lower(), number)) != number:
            raise ValueError(f"{path}, line {number}: {student.id!r} is in line {first} already, or cannot be told "
                             "from it in a file name")
        students.append(student)
    if not students:
        raise ValueError(f"{path} holds no student")
    return students


def places(columns, names):
    """Where columns of these names stand, in the order of the names."""
    return [at for name in names for at, column in enumerate(columns) if column == name]


def places_of_names(columns):
    """Where a student's name stands: in one column or two. Canvas has it in the column Student."""
    parts = [places(columns, FIRST)[:1], places(columns, LAST)[:1]]
    return places(columns, NAMES)[:1] or ([*parts[0], *parts[1]] if all(parts) else places(columns, ("student",)))


def student_in(columns, row, names, ids):
    """The Student in a row; None where it holds none, such as Canvas's rows of points and its student for tests."""
    name = " ".join(filter(None, (row[at] for at in names)))
    numbers = {columns[at]: row[at].lstrip("#") for at in places(columns, IDS) if row[at].lstrip("#")}
    if columns[names[0]] == "student":
        is_test = name in ("Student, Test", "Test Student") and not numbers.get("sisuserid")
        if is_test or name == "Points Possible" or not numbers:
            return None
    email = next((numbers[column] for column in EMAILS if column in numbers), "")
    return Student(next((row[at].lstrip("#") for at in ids if row[at].lstrip("#")), ""), name, email, numbers)


def require_known(course: Course, students: Iterable[Student]) -> None:
    """ValueError where the course names somebody who is not in the roster, by an extension or in a group."""
    known = {student.id for student in students}
    for does, named in course.named().items():
        if strangers := sorted(named - known):
            raise ValueError(f"{course.name} {does} {', '.join(map(repr, strangers))}, who is not in the roster")


# --- tables ----------------------------------------------------------------------------------------------------------

def table(path: str | Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """(columns, [(number of the line, fields)]) of a CSV file, as many fields in each as there are columns.

    Columns are in lower-case letters and digits alone. Lines that hold nothing are left out, and Excel's `sep=;`.
    Raises ValueError for text that is none, and for a line with more fields than columns, or one alone.
    """
    text = decoded(path)
    skipped = 0
    parted = re.match(r'"?sep=(.)"?[\r\n]+', text)
    if parted:
        text, skipped = text[parted.end():], 1
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=parted[1] if parted else delimiter(text)))
    except csv.Error as error:
        raise ValueError(f"{path} is no CSV file: {error}") from None
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
        rows.append((number, fields + [""] * (len(columns) - len(fields))))
    return columns, rows


def rows_of(path: str | Path, wanted: Sequence[str]) -> list[tuple[int, dict[str, str]]]:
    """[(number of the line, from these columns to its fields)] of a CSV file; ValueError where one is missing."""
    columns, rows = table(path)
    if missing := [name for name in wanted if columns.count(name) != 1]:
        raise ValueError(f"{path} needs the columns {', '.join(wanted)} in its first line, once each; not so "
                         f"{', '.join(missing)}; the columns are: {', '.join(filter(None, columns)) or 'none'}")
    return [(number, {name: row[columns.index(name)] for name in wanted}) for number, row in rows]


def heading(text):
    """What stands at the head of a column, in lower-case letters and digits alone, without accents."""
    plain = unicodedata.normalize("NFKD", text.replace("ß", "ss")).lower()
    return re.sub(r"[\W_]+", "", "".join(letter for letter in plain if not unicodedata.combining(letter)))


def decoded(path):
    """The text of a file that a spreadsheet wrote."""
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
