"""Who is in the class: a list of students, as learning platforms and spreadsheets save it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from advcourse import files
from advcourse.grading.course import Course
from advcourse.grading.reading.sheets import not_once, places, table

# What columns are called, as `heading` has it: a whole name, its two parts, an e-mail address. English, German, French,
# Spanish, Italian, Dutch.
NAMES = ("name", "fullname", "studentname", "displayname", "sortablename", "lastnamefirstname", "vollstandigername",
         "nachnamevorname", "namevorname", "nomcomplet", "nometprenom", "nomprenom", "nombrecompleto",
         "apellidosynombre", "apellidosnombre", "nombreyapellidos")
FIRST = ("firstname", "firstnames", "givenname", "givennames", "forename", "forenames", "first", "firstnameofstudent",
         "vorname", "vornamen", "rufname", "prenom", "prenoms", "nombre", "nombres", "nome", "voornaam")
LAST = ("lastname", "lastnames", "surname", "surnames", "familyname", "familynames", "last", "familynameofstudent",
        "nachname", "familienname", "zuname", "nom", "noms", "nomdefamille", "apellidos", "apellido", "cognome",
        "achternaam")
EMAILS = ("email", "emailaddress", "mail", "mailaddress", "studentemail", "useremail", "universityemail",
          "emailadresse", "mailadresse", "adressedecourriel", "courriel", "adresseemail", "adressemail",
          "adresseelectronique", "direcciondecorreo", "direcciondecorreoelectronico", "correoelectronico", "correo",
          "direccionemail", "indirizzoemail", "emailadres")
# What platforms call a student by, the first of them that a student has is the id: a number of the university's, a
# login, an e-mail address, a platform's own number.
NUMBERS = ("idnumber", "studentid", "studentidnumber", "sisuserid", "sisid", "sid", "studentnumber", "studentno",
           "studentnr", "universityid", "orgdefinedid", "registrationnumber", "registrationno", "matriculationnumber",
           "matriculationno", "matrikelnummer", "matrikelnr", "matrikel", "matrnr", "matrno", "matnr",
           "studentennummer", "idnummer", "numerodidentification", "numeroetudiant", "numerodetudiant", "noetudiant",
           "netudiant", "codeetudiant", "numerodeid", "numerodeidentificacion", "numerodematricula", "matricula",
           "numerodealumno", "numerodimatricola", "matricola", "studentnummer")
LOGINS = ("username", "sisloginid", "loginid", "login", "loginname", "userid", "netid", "uid", "userprincipalname",
          "benutzername", "nutzername", "anmeldename", "benutzerkennung", "kennung", "nomdutilisateur",
          "nombredeusuario", "usuario", "nomeutente", "gebruikersnaam")
IDENTIFIERS = ("identifier", "identifiant", "identificador", "rosteridentifier")
IDS = (*NUMBERS, *LOGINS, *EMAILS, *IDENTIFIERS, "githubusername", "id")
ID_IS_OURS = {"id", "name", "firstname", "lastname", "email", "lmsuserid"}  # a list as nbgrader's, or a short own one
SHORTENED = re.compile(r"\d([.,]\d+)?E\+\d+", re.IGNORECASE)
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
        told = [self.numbers[column] for column in (*IDENTIFIERS, "id") if column in self.numbers]
        found = PARTICIPANT.fullmatch(told[0] if told else "")
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
    own = ("id",) if set(columns) <= ID_IS_OURS else ("student",)
    ids = [at for at in places(columns, own) if at not in names] or others
    twice = [name for name in ("student", "name") if columns.count(name) > 1]
    if twice or not names or not ids:
        wanted = twice[0] if twice else "name" if "student" in columns or (others and not names) else "student"
        raise not_once(path, columns, [wanted])
    students, line_of = [], {}
    for number, row in rows:
        student = student_in(columns, row, names, ids)
        if student is None:
            continue
        if not student.id or not student.id.isprintable():
            raise ValueError(f"{path}, line {number}: the student's id is "
                             f"{student.id!r}; letters and digits are wanted")
        if SHORTENED.fullmatch(student.id):
            raise ValueError(f"{path}, line {number}: the id {student.id} is what a spreadsheet made of a long number: "
                             "give the column the format text there, fill it in again, and save it")
        if (first := line_of.setdefault(student.folder.lower(), number)) != number:
            raise ValueError(f"{path}, line {number}: {student.id!r} is in line {first} already, or cannot be told "
                             "from it in a file name")
        students.append(student)
    if not students:
        raise ValueError(f"{path} holds no student")
    return students


def places_of_names(columns):
    """Where a student's name stands: in one column or two. Canvas has it in the column Student."""
    parts = [places(columns, FIRST)[:1], places(columns, LAST)[:1]]
    if parts[0] and not parts[1] and "name" in columns:  # Name;Vorname;Matrikelnummer
        return [*parts[0], columns.index("name")]
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
