"""Gradebooks as Moodle and Canvas export them, filled in: everybody's own points, and nobody else's."""

import csv
import io
from dataclasses import replace

import pytest

from advcourse.grading.marks import Mark
from advcourse.grading.reading.roster import Student
from advcourse.grading.reports.platforms import filled
from advcourse.grading.reports.standings import standings
from tests.grading.reports.samples import FAULT, PASSED, WRONG, graded
from tests.grading.rules import DAY, DUE, rules

WORKSHEET = """Identifier,"Full name","Email address",Status,Grade,"Maximum grade","Grade can be changed","Last modified (submission)","Last modified (grade)","Feedback comments"
"Participant 11","Ada Lovelace",ada@x.org,"Submitted for grading",,100.00,Yes,"Monday, 30 November 2026, 10:00 PM",-,
"Participant 12","Alan Turing",alan@x.org,"Submitted for grading",50.00,100.00,Yes,"Monday, 30 November 2026, 10:00 PM",-,old
"Participant 13",Nobody,no@x.org,"No submission",,100.00,Yes,-,-,
"""  # noqa: E501 (as Moodle writes it)
CANVAS = """Student,ID,SIS User ID,SIS Login ID,Section,01 Adversarial examples (4711),Essay (4712),02 Attacks (4713),Assignments Current Score,01 Current Score
,,,,,Manual Posting,,,(read only),(read only)
    Points Possible,,,,,10,5,4.0,(read only),(read only)
"Lovelace, Ada",67890,s1,ada,Section 1,,3,,90,
"Turing, Alan",67891,,T42,Section 1,7,,2,80,
"Student, Test",67892,,,Section 1,,,,,
"""  # noqa: E501 (as Canvas writes it)
GRADER_REPORT = """First name;Last name;ID number;Email address;Assignment: 01 Adversarial examples (Real);Assignment: 01 Adversarial examples (Feedback)
Ada;Lovelace;;ada@x.org;-;-
Alan;Turing;s2;;-;-
"""  # noqa: E501 (as Moodle writes it)


ROSTER = [Student("s1", "Ada Lovelace", "ada@x.org"), Student("s2", "Alan Turing", "alan@x.org", {"loginid": "t42"})]


def fill(tmp_path, template, *found, name="grades-01.csv", course=None, roster=ROSTER, delimiter=","):
    """(the lines of a filled gradebook, what was told)."""
    path = tmp_path / name
    path.write_bytes(template if isinstance(template, bytes) else template.encode())
    text, told = filled(path, standings(found, course, roster))
    return list(csv.reader(io.StringIO(text), delimiter=delimiter)), [line.replace(str(path), name) for line in told]


@pytest.mark.parametrize("found", [
    [graded("ada lovelace", platform="11", name="?"), graded("at", platform="12")],
    [graded("s1"), graded("s2")], [graded("Ada Lovelace"), graded("ALAN TURING")]], ids=["number", "e-mail", "name"])
def test_moodles_worksheet_is_filled_in_and_nothing_else_changes(tmp_path, found):
    roster = ROSTER if found[0].student == "s1" else []
    lines, told = fill(tmp_path, WORKSHEET, *found, roster=roster)
    before = list(csv.reader(io.StringIO(WORKSHEET)))
    assert [line[4] for line in lines] == ["Grade", "38.89", "38.89", ""], "3.5 of 9 points, of 100"
    assert lines[1][9].startswith("3.5 of 9 points; 01.2 wrong: it leaves the ball by 0.2")
    assert [line[:4] + line[5:9] for line in lines] == [line[:4] + line[5:9] for line in before]
    assert told == ["grades-01.csv, line 4: Participant 13, no@x.org, Nobody is no student of this class"]


def test_what_has_no_points_yet_keeps_what_stands_there(tmp_path):
    rar = Mark("01.1", "t", "unreadable", 0, 2, "it is a .rar")
    lines, _ = fill(tmp_path, WORKSHEET, graded("s1", rar), replace(FAULT, student="s2"))
    assert [line[4] for line in lines[1:]] == ["", "50.00", ""]
    assert lines[1][9] == "unreadable: it is a .rar" and lines[2][9] == "to be graded", "no fault's details"


def test_lateness_and_what_was_set_by_hand_count(tmp_path):
    course = rules(tmp_path, "[late]\npercent_per_day = 10")
    late = graded("s1", PASSED, submitted=DUE + DAY, source="Canvas")
    lines, _ = fill(tmp_path, WORKSHEET, late, graded("s2", PASSED, set_points=0.5, comment="see me"), course=course)
    assert [line[4] for line in lines[1:]] == ["90", "25", ""]
    assert lines[1][9] == "2 of 2 points; 1 day late by Canvas: −10 %" and "set by hand: see me" in lines[2][9]


def test_canvas_gets_a_mark_in_each_column_that_tells_a_notebook(tmp_path):
    lines, told = fill(tmp_path, CANVAS, graded("s1", platform="67890"), graded("s2", PASSED, notebook="02"),
                       graded("s2", WRONG), name="2026_Grades-Course.csv")
    before = list(csv.reader(io.StringIO(CANVAS)))
    before[3][5], before[4][5], before[4][7] = "3.89", "5", "4"
    assert (lines, told) == (before, [])


def test_moodles_grader_report_is_filled_in_without_a_maximum(tmp_path):
    lines, told = fill(tmp_path, GRADER_REPORT, graded("s1"), graded("s2", PASSED), delimiter=";", name="g.csv")
    assert [line[4:] for line in lines[1:]] == [["3.5", "-"], ["2", "-"]] and told == []


def test_a_comma_for_the_decimal_point_stays_one(tmp_path):
    lines, _ = fill(tmp_path, "Identifier;Grade;Maximum grade\nParticipant 11;;10,00\n", graded("a", platform="11"),
                    delimiter=";")
    assert lines[1] == ["Participant 11", "3,89", "10,00"]


def test_nobody_gets_the_marks_of_somebody_else(tmp_path):
    """Two of one name, and a row whose number says one student and whose name another."""
    namesakes = [Student("a1", "Jan Novák"), Student("a2", "Jan Novák")]
    lines, told = fill(tmp_path, "Identifier,Full name,Grade\nParticipant 1,Jan Novák,\n", graded("a1"), graded("a2"),
                       roster=namesakes)
    assert lines[1][2] == "" and "line 2: Participant 1, Jan Novák may be one of several students" in told[0]
    assert told[1:] == ["grades-01.csv has no row for Jan Novák"] * 2
    lines, told = fill(tmp_path, "Identifier,Full name,Grade\nParticipant 1,Jan Novák,\nParticipant 2,Jan Novák,\n",
                       graded("a1", PASSED, platform="1"), graded("a2", platform="2"), roster=namesakes)
    assert [line[2] for line in lines[1:]] == ["2", "3.5"] and told == []
    lines, told = fill(tmp_path, "Identifier,Full name,Grade\nParticipant 1,Alan Turing,\n",
                       graded("s1", platform="1"), graded("s2", platform="2"))
    assert lines[1][2] == "" and "may be one of several" in told[0]


def test_a_number_is_that_of_its_own_notebook(tmp_path):
    """Moodle numbers participants anew in every assignment."""
    lines, _ = fill(tmp_path, "Identifier,Grade\nParticipant 5,\n", graded("a", platform="5", notebook="02"),
                    graded("b", PASSED, platform="5"), roster=[])
    assert lines[1][1] == "2"


@pytest.mark.parametrize("template, name, problem", [
    ("a,b\n1,2\n", "g.csv", r"neither Moodle's .* its columns are: a, b"), ("", "g.csv", "its columns are: none"),
    ("Student,ID,Essay\nA,1,2\n", "g.csv", "whose title tells a graded notebook"),
    ("Identifier,Grade\n", "grades.csv", "put its number into the name of the file"),
    ("Student,ID,PS 01 (1),HW 01 (2)\n", "g.csv", r"two columns for one notebook: PS 01 \(1\), HW 01 \(2\)"),
    (b"\xff\xfe\x00", "g.csv", "is no|not UTF")])
def test_what_is_no_gradebook_is_refused(tmp_path, template, name, problem):
    with pytest.raises(ValueError, match=problem):
        fill(tmp_path, template, graded("s1"), graded("s1", notebook="02"), name=name)


def test_the_number_in_the_name_of_moodles_file_tells_the_notebook(tmp_path):
    found = graded("s1", PASSED), graded("s1", WRONG, notebook="02")
    template = "Identifier,Email address,Grade\nParticipant 1,ada@x.org,\n"
    for name, points in (("Grades-ML-01 Adversarial examples--17.csv", "2"), ("02.csv", "1.5")):
        assert fill(tmp_path, template, *found, name=name)[0][1][2] == points


def test_the_byte_order_mark_is_kept_and_none_is_added(tmp_path):
    for mark in (b"", b"\xef\xbb\xbf"):
        (tmp_path / "01.csv").write_bytes(mark + b"Identifier,Grade\nParticipant 1,\n")
        assert filled(tmp_path / "01.csv", standings([graded("a", platform="1")]))[0].encode().startswith(
            mark + b"Identifier")


def test_no_formula_comes_in_and_what_was_there_stays_to_the_letter(tmp_path):
    text = ('sep=;\r\n"Identifier";"Full name";Grade;Feedback comments;"Re""mark"\r\n'
            '"Participant 1";Ada ;;old;-2 for style\r\n\r\nParticipant 9;=1+1;"3,00";"a\nb";\r\n')
    (tmp_path / "01.csv").write_bytes(text.encode("utf-8"))
    written, _ = filled(tmp_path / "01.csv", standings([graded("Ada", replace(WRONG, reason=";=1+1"), platform="1")]))
    assert written == text.replace(";;old;", """;1.5;"1.5 of 3 points; 01.2 wrong: ;'=1+1";""")


def test_a_short_line_gets_its_mark(tmp_path):
    lines, _ = fill(tmp_path, "Identifier,Status,Grade,Status\nParticipant 1\nParticipant 2", graded("a", platform="1"),
                    graded("b", PASSED, platform="2"), roster=[])
    assert lines[1:] == [["Participant 1", "", "3.5"], ["Participant 2", "", "2"]]


@pytest.mark.parametrize("other", ["Week 01 attendance", "Lab 01 attendance (13)", "Quiz 01 (Real)", "01 presence"])
@pytest.mark.parametrize("own", ["01 Adversarial examples (12)", "HW 01 (12)", "Aufgabe: Adversarial examples (Real)"])
def test_a_column_of_something_else_is_left_alone(tmp_path, other, own):
    for titles in ([other, own], [own, other]):
        lines, _ = fill(tmp_path, f"Student,ID,{','.join(titles)}\nAda Lovelace,1,7,7\n", graded("s1"), name="g.csv")
        assert lines[1][2 + titles.index(own)] == "3.5" and lines[1][2 + titles.index(other)] == "7"
    with pytest.raises(ValueError, match="whose title tells a graded notebook"):
        fill(tmp_path, f"Student,ID,{other}\nAda Lovelace,1,7\n", graded("s1"), name="g.csv")


@pytest.mark.parametrize(("titles", "participant"), [
    ("Identifiant;Nom complet;Adresse de courriel;Statut;Note;Note maximale;Feedback par commentaires", "Participant"),
    ("Identificador;Nombre completo;Dirección de correo;Estado;Calificación;Calificación máxima;"
     "Comentarios de retroalimentación", "Participante")])
def test_french_and_spanish_headings(tmp_path, titles, participant):
    sheet = f"{titles}\r\n{participant} 111;Ada Lovelace;ada@x.org;;;10,00;\r\n"
    for found, roster in ((graded("?", PASSED, platform="111"), []), (graded("s1", PASSED), ROSTER)):
        lines, told = fill(tmp_path, sheet, found, roster=roster, delimiter=";")
        assert lines[-1][4:] == ["10", "10,00", "2 of 2 points"] and told == []


@pytest.mark.parametrize("before", ["", "sep=;\r\n"])
def test_german_headings(tmp_path, before):
    sheet = (f"{before}ID;Vollständiger Name;E-Mail-Adresse;Status;Bewertung;Bestwertung;Feedback als Kommentar\r\n"
             "Teilnehmer/in 111;Ada Lovelace;ada@x.org;;;10,00;\r\n")
    for found, roster in ((graded("?", PASSED, platform="111"), []), (graded("s1", PASSED), ROSTER)):
        lines, told = fill(tmp_path, sheet, found, roster=roster, delimiter=";")
        assert lines[-1][4:] == ["10", "10,00", "2 of 2 points"] and told == []
    book = f"{before}Name;Vorname;Aufgabe: 01 (Punkte);Aufgabe: 01 (Prozentsatz)\r\nLovelace;Ada;-;-\r\n"
    assert fill(tmp_path, "sep=|\n" + book.removeprefix("sep=;\r\n").replace(";", "|"), graded("s1"), name="g.csv",
                delimiter="|")[0][-1] == ["Lovelace", "Ada", "3.5", "-"]
    assert fill(tmp_path, book, graded("s1"), name="g.csv", delimiter=";")[0][-1] == ["Lovelace", "Ada", "3.5", "-"]
