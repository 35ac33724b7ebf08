"""Marks back to the learning platform: the gradebook that it exported, filled in, and feedback as it takes it."""

import re
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path

from advcourse import files
from advcourse.grading.marks import UNREADABLE
from advcourse.grading.reading.notebooks import named, number_in
from advcourse.grading.reading.people import AS_TWO, codes_of, spellings, squashed
from advcourse.grading.reading.roster import IDENTIFIERS, IDS, places_of_names
from advcourse.grading.reading.sheets import Sheet, heading, read_sheet, with_cells
from advcourse.grading.reports.pages import feedback_page
from advcourse.grading.reports.safe_text import cell, one_line
from advcourse.grading.reports.tables import BOM

MOODLE = re.compile(r"_assignsubmission_(?:file|onlinetext)")
# Columns of Moodle's worksheet, as `heading` has them.
GRADE = ("grade", "bewertung", "calificacion", "note")
MAXIMUM = ("maximumgrade", "bestwertung", "calificacionmaxima", "notemaximale")
COMMENTS = ("feedbackcomments", "feedbackalskommentar", "comentariosderetroalimentacion", "feedbackparcommentaires")
# Moodle's other columns of an assignment.
NO_POINTS = re.compile(r"\((feedback|percentage|letter|prozentsatz|buchstabe|pourcentage|lettre|porcentaje|letra)\)",
                       re.IGNORECASE)
# What stands before a notebook's number in the title of a column that is about it, and what tells that it is not.
WORDS = {"assignment", "aufgabe", "homework", "hw", "hausaufgabe", "notebook", "exercise", "exercises", "sheet",
         "blatt", "worksheet", "ubung", "ubungsblatt", "tarea", "lab", "problem", "set", "ps"}
OTHER = {"attendance", "participation", "presence", "quiz", "exam", "midterm", "survey", "bonus", "feedback",
         "anwesenheit", "teilnahme", "klausur", "umfrage", "asistencia"}


@dataclass(frozen=True)
class Gradebook:
    """A gradebook as a platform exported it.

    names: its columns, as `heading` has them. notebooks: from column to notebook. maxima: the line of points possible,
    or [].
    """

    sheet: Sheet
    names: list
    notebooks: dict
    maxima: list

    @property
    def lines(self):
        return self.sheet.lines

    def at(self, line, *names):
        """What a line holds in the first column of one of these names; "" where there is none."""
        place = next((place for place, name in enumerate(self.names) if name in names), len(line))
        return line[place].strip() if place < len(line) else ""


def filled(path, standings):
    """(a platform's gradebook with the marks of the class as text, lines on what could not be done).

    path: Moodle's grading worksheet or Canvas's gradebook, as it was exported. A row is a student by the platform's
    number, the id, the e-mail or the name. Points are those after lateness, in the platform's own maximum; what has
    none yet keeps what stands there. Raises ValueError for a file that is neither.
    """
    path = Path(path)
    sheet = read_gradebook(path, {one.notebook for standing in standings for one in standing.notebooks})
    people, told, seen = known_as(standings), [], set()
    before = [list(line) for line in sheet.lines]
    for number, line in enumerate(sheet.lines[1:], start=2):
        if line is sheet.maxima or not any(map(str.strip, line)) or is_no_person(sheet, line):
            continue
        line += [""] * (len(sheet.names) - len(line))
        problems = set()
        for column, notebook in sheet.notebooks.items():
            standing = person(sheet, line, people, notebook)
            if isinstance(standing, str):
                problems.add(standing)
                continue
            seen.add(standing.student)
            possible = sheet.at(line, *MAXIMUM) or (sheet.maxima[column].strip() if sheet.maxima else "")
            write_mark(sheet, line, column, notebook, standing, possible)
        told += [f"{path}, line {number}: {why}" for why in sorted(problems)]
    told += [f"{path} has no row for {standing.name or standing.student}"
             for standing in standings if standing.notebooks and standing.student not in seen]
    cells = {(at, column): field for at, (line, old) in enumerate(zip(sheet.lines, before, strict=True))
             for column, field in enumerate(line) if field != (old[column] if column < len(old) else "")}
    return BOM * path.read_bytes().startswith(BOM.encode()) + with_cells(sheet.sheet, cells), told


def read_gradebook(path, graded):
    """The Gradebook in a file; graded: the notebooks that there are marks for."""
    sheet = read_sheet(path)
    lines = sheet.lines
    titles = lines[0] if lines else []
    names = [heading(name) for name in titles]
    grade = next((at for at, name in enumerate(names) if name in GRADE), None)
    if grade is not None and {"id", *IDENTIFIERS} & set(names):
        # Moodle's worksheet is of one assignment, named in the file's name
        number = number_in(path.stem)[0] or (next(iter(graded)) if len(graded) == 1 else "")
        if not number:
            raise ValueError(f"{path} does not say of which notebook it is: put its number into the name of the file, "
                             "such as grades-01.csv")
        return Gradebook(sheet, names, {grade: number}, [])
    maxima = next((line for line in lines if "points possible" in " ".join(line[:1]).lower()), [])
    columns, by_title = {}, set()
    for place, title in enumerate(titles):
        number, _ = number_in(title.replace("/", " "))
        computed = place < len(maxima) and "read only" in maxima[place]
        if number in graded and not computed and not NO_POINTS.search(title) and is_about(title, number):
            columns[place] = number
            by_title |= {number} if named(title) else set()
    columns = {place: number for place, number in columns.items() if number not in by_title or named(titles[place])}
    if not (places_of_names(names) or set(names) & set(IDS)) or not columns:
        raise ValueError(f"{path} is neither Moodle's grading worksheet (with the columns Identifier and Grade) nor a "
                         "gradebook with a column whose title tells a graded notebook, such as Canvas's 01 Adversarial "
                         f"examples (1234); its columns are: {', '.join(titles) or 'none'}")
    if len(set(columns.values())) < len(columns):
        raise ValueError(f"{path} has two columns for one notebook: {', '.join(titles[place] for place in columns)}")
    return Gradebook(sheet, names, columns, maxima)


def is_about(title, number):
    """Whether a column's title holds the notebook's, or begins with its number, such as `HW 01 Attacks (4713)`."""
    words = [heading(word) for word in re.findall(r"[^\W_]+", title)]
    if OTHER & set(words):
        return False
    return bool(named(title)) or next((word for word in words if word not in WORDS), "") == number


def is_no_person(sheet, line):
    """Is this one of Canvas's lines that are about columns, or its test student?"""
    return {"student", "id"} <= set(sheet.names) and sheet.at(line, "student") in ("", "Student, Test")


# --- who is who ------------------------------------------------------------------------------------------------------

def known_as(standings):
    """From what a platform may call a student to the students who may be meant, by id.

    A platform's number is a notebook's own: (notebook, number).
    """
    people = defaultdict(dict)
    for standing in standings:
        codes = {standing.student, standing.email, *standing.numbers} - {""}
        for called in {spelling for code in codes for spelling in codes_of(code)} | spellings(
                standing.name or standing.student):
            people[called][standing.student] = standing
        for one in standing.notebooks:
            if one.platform:
                people[one.notebook, one.platform][standing.student] = standing
    return people


def person(sheet, line, people, notebook):
    """The Standing that a line is about, or why none is, in words."""
    whole = " ".join(line[at].strip() for at in places_of_names(sheet.names))
    called = list(filter(None, [*(sheet.at(line, name) for name in (*IDENTIFIERS, "id", *IDS)), whole]))
    called = list(dict.fromkeys(called))
    hits = []
    for text in called:
        if number := re.fullmatch(r"(?:\D*\s)?(\d+)", text):  # Participant 12345
            hits.append(people.get((notebook, number[1])))
        names = text.casefold(), squashed(text), squashed(text, AS_TWO)
        hits.append(next(filter(None, map(people.get, names)), None))
    hits = list(filter(None, hits))
    sure = {student for hit in hits if len(hit) == 1 for student in hit}
    if len(sure) == 1:
        return next(hit for hit in hits if len(hit) == 1)[sure.pop()]
    return f"{one_line(', '.join(called), 100) or 'nobody'} " + (
        "may be one of several students, and is left as it was" if hits else "is no student of this class")


# --- marks -----------------------------------------------------------------------------------------------------------

def write_mark(sheet, line, column, notebook, standing, possible):
    """Put one student's points, and what there is to say of them, into a line."""
    one = next((one for one in standing.notebooks if one.notebook == notebook), None)
    points = standing.final.get(notebook, one.points if one and not one.pending else None)
    if points is not None and not isinstance(points, str):
        line[column] = scaled(points, one.maximum, possible)
    comments = next((at for at, name in enumerate(sheet.names) if name in COMMENTS), None)
    if one and comments is not None:
        line[comments] = cell(comment(one, standing.late.get(notebook)))


def scaled(points, maximum, possible):
    """Points as the platform counts them; possible: its own maximum, a number or something else."""
    try:
        text = f"{round(points / maximum * float(possible.replace(',', '.')), 2):.6g}"
    except ValueError:  # Canvas says "(read only)"
        return f"{round(points, 2):.6g}"
    return text.replace(".", ",") if "," in possible else text


def comment(one, late):
    """What a student is told beside the points."""
    told = [f"{one.points:g} of {one.maximum:g} points" if not one.pending else f"{one.pending}: {one.reason}"
            if one.pending == UNREADABLE else one.pending]
    told += [f"set by hand: {one.comment}"] if one.set_points is not None else []
    told += [f"{mark.exercise} {mark.state}: {mark.comment or mark.reason}" if mark.comment or mark.reason else
             f"{mark.exercise} {mark.state}" for mark in one.marks if not one.pending and mark.state != "passed"]
    return "; ".join([*told, str(late)] if late and late.days else told)


# --- feedback --------------------------------------------------------------------------------------------------------

def moodle_feedback(standings, notebook, course, called):
    """The bytes of a zip that Moodle takes as feedback files for a notebook; None where no name was Moodle's.

    course, called: as in `feedback_page`.
    """
    pages = {}
    for standing in standings:
        for one in standing.notebooks:
            if one.notebook == notebook and one.platform and MOODLE.search(one.path):
                name = re.sub(r'[\\/:*?"<>|_\x00-\x1f]+', " ", one_line(standing.name or standing.student, 80)).strip()
                folder = f"{name or 'student'}_{one.platform}_assignsubmission_file_"
                pages[f"{folder}/feedback.html"] = feedback_page(replace(standing, notebooks=(one,)), course, called)
    return files.zipped(pages) if pages else None
