"""Tables for spreadsheets and results for Gradescope: right, and harmless whatever was handed in."""

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from itertools import product

import pytest

from advcourse.grading.course import Course
from advcourse.grading.marks import TO_BE_GRADED, UNREADABLE, Graded, Mark
from advcourse.grading.reading.roster import Student
from advcourse.grading.reports.folder import students_table
from advcourse.grading.reports.safe_text import cell
from advcourse.grading.reports.standings import standings
from advcourse.grading.reports.tables import grades_table, gradescope, rows, totals_table
from tests.grading.reports.samples import FAULT, PASSED, WAITING, WRONG, graded, read, table
from tests.grading.rules import DAY, DUE

COURSE = Course.model_validate({"name": "c", "late": {"percent_per_day": 10, "free_days": 1}, "notebooks": {
    "01": {"deadline": datetime.fromtimestamp(DUE, UTC)}}})

# --- grades.csv -------------------------------------------------------------------------------------------------------

def test_the_table_has_a_row_for_every_exercise():
    rows = table(graded("Ada"), graded("Ada", PASSED, notebook="02"))
    assert [(row["student"], row["notebook"], row["exercise"], row["points"], row["maximum"], row["state"])
            for row in rows] == [
        ("Ada", "01", "01.1", "2", "2", "passed"), ("Ada", "01", "01.2", "1.5", "3", "wrong"),
        ("Ada", "01", "01.3", "0", "4", "not attempted"), ("Ada", "02", "01.1", "2", "2", "passed")]
    assert rows[1]["reason"] == "it leaves the ball by 0.2: clip"


def test_what_is_to_be_graded_has_no_points_and_is_never_0():
    row, = table(FAULT)
    assert row["points"] == "" and row["state"] == "to be graded" and row["reason"] == "fork failed at /home/teacher"


def test_a_submission_without_any_mark_is_not_left_out():
    rows = table(replace(graded("Ada"), marks=(), notes=("this is not a notebook",)), replace(FAULT, marks=()))
    assert [(row["student"], row["points"], row["state"], row["reason"]) for row in rows] == [
        ("Ada", "", "unreadable", "this is not a notebook"),
        ("Evan", "", "to be graded", "fork failed at /home/teacher")]


@pytest.mark.parametrize("start", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "\0=1",
                                   "\ufeff=1",
                                   "＝1", "'=1"])  # noqa: RUF001 (a wide sign begins a formula, too)
def test_no_cell_is_a_formula(start):
    evil = start + "|cmd' /C calc'!A0,\"x\";=2\n=3"
    row, = table(graded(evil, replace(WRONG, reason=evil)))
    for value in (row["student"], row["reason"]):
        assert value[0] not in "=+-@\uff1d\t\r\n" and "\n" not in value and "calc" in value


SIGNS = "=+-@＝＋－＠"  # noqa: RUF001 (a wide sign begins a formula, too)


@pytest.mark.parametrize("before", ["", ";", "\t", ",", "|", ' ; "', '";"', "x;", "\r\n", "a;'", '"', ";;"])
def test_no_cell_is_a_formula_wherever_a_spreadsheet_parts_fields(before):
    """In German or French, Excel parts fields at semicolons, before quotes mean anything."""
    for sign, parted in product(SIGNS, ",;\t|"):
        evil = f"{before}{sign}cmd|' /C calc'!A0;{sign} 1"
        one = graded(evil, replace(WRONG, reason=evil, comment=evil), name=evil, source=evil, notes=(evil,))
        unread = graded(f"z{evil}", Mark("01.1", evil, UNREADABLE, 0, 2, evil))
        everybody = standings([one, unread], COURSE, [Student(evil, evil), Student("n", evil)])
        for text in (grades_table(everybody), totals_table(COURSE, everybody), students_table(everybody)):
            for line in csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=parted):
                for field in line:
                    start = field.lstrip(" \t\"")[:1]
                    assert not start or start not in SIGNS, field


def test_points_below_0_stay_numbers():
    """What a person takes from a whole notebook: the points of the rows add up."""
    rows = table(graded("Ada", set_points=2, comment="copied"))
    assert [row["points"] for row in rows] == ["2", "1.5", "0", "-1.5"] and rows[-1]["comment"] == "copied"
    assert rows[-1]["state"] == "set by hand" and rows[-1]["exercise"] == ""


@pytest.mark.parametrize("text", ["x - y", "1 - 2", "a-b; c", "-", "the loss is -1", "Doe, Jane", "O'Brien; ok"])
def test_what_is_no_formula_stays_as_it_is(text):
    assert cell(text) == text


def test_the_table_opens_in_excel_and_holds_any_name():
    text = grades_table(standings([graded("Éva, \"E\" 王\udcff")]))
    assert text.startswith("\ufeff") and read(text)[0]["student"] == 'Éva, "E" 王⟨U+DCFF⟩'


def test_an_unreadable_file_has_its_own_state_its_reason_and_no_points():
    rar = Mark("01.1", "Clip", UNREADABLE, 0, 2, "it is a .rar")
    row, = table(graded("Ada", rar))
    assert (row["points"], row["state"], row["reason"]) == ("", "unreadable", "it is a .rar")
    row, = read(totals_table(COURSE, standings([graded("Ada", rar)], COURSE)))
    assert (row["01 points"], row["01 after lateness"], row["percent"]) == ("unreadable",) * 3
    assert row["remarks"] == "01 unreadable: it is a .rar"
    row, = read(totals_table(COURSE, standings([graded("Ada", rar, set_points=0)], COURSE)))
    assert (row["01 points"], row["percent"], row["remarks"]) == ("0", "0", "")


def test_lateness_and_its_source_stand_in_both_tables():
    one = graded("Ada", PASSED, submitted=DUE + 3 * DAY, source="Canvas")
    row, = table(one, course=COURSE)
    assert (row["days late"], row["dated by"]) == ("3", "Canvas")
    row, = read(totals_table(COURSE, standings([one], COURSE)))
    assert [row[f"01 {what}"] for what in ("points", "after lateness", "days late", "days free", "dated by")] == [
        "2", "1.6", "3", "1", "Canvas"]


def test_what_a_person_set_is_in_the_table():
    row, = table(graded("Ada", replace(WRONG, state="set by hand", points=3, comment="a bug of ours")))
    assert (row["points"], row["state"], row["comment"]) == ("3", "set by hand", "a bug of ours")


# --- Gradescope -------------------------------------------------------------------------------------------------------

def test_gradescope_gets_a_score_and_a_test_for_every_exercise():
    results = json.loads(gradescope(graded("Ada", notes=("cell 3 was cut",))))
    assert results["score"] == 3.5 and results["extra_data"] == {"max_score": 9}
    assert results["output"] == "cell 3 was cut"
    assert [(test["name"], test["score"], test["max_score"], test["status"], test["visibility"])
            for test in results["tests"]] == [
        ("01.1 Clip", 2, 2, "passed", "visible"), ("01.2 Step", 1.5, 3, "failed", "visible"),
        ("01.3 Curve", 0, 4, "failed", "visible")]
    assert results["tests"][1]["output"].splitlines() == [
        "✗ wrong", "✗ it stays near: it leaves the ball by 0.2: clip with `torch.clamp(x, 0, 1)`", "✓ it goes up",
        "Hint: What is `x`?"]
    assert results["output_format"] == results["test_output_format"] == results["test_name_format"] == "text"


def test_gradescope_gets_no_score_while_something_is_to_be_graded():
    for one in (FAULT, graded("Ada", PASSED, replace(WAITING, exercise="01.4"))):
        results = json.loads(gradescope(one))
        assert "score" not in results
        assert [("score" in test) for test in results["tests"]] == [mark.state == "passed" for mark in one.marks]
    assert "The grader had a fault" in json.loads(gradescope(FAULT))["output"]


def test_gradescope_gets_what_a_person_set_and_no_score_for_what_could_not_be_read():
    results = json.loads(gradescope(graded("Ada", replace(WRONG, state="set by hand", points=3, comment="our bug"))))
    assert results["score"] == 3 and results["tests"][0]["score"] == 3 and results["tests"][0]["status"] == "passed"
    assert "our bug" in results["tests"][0]["output"]
    results = json.loads(gradescope(graded("Ada", set_points=7, comment="our bug")))
    assert results["score"] == 7 and "our bug" in results["output"]
    results = json.loads(gradescope(graded("Ada", Mark("01.1", "t", UNREADABLE, 0, 2, "a .rar"), notes=("a .rar",))))
    assert "score" not in results and "score" not in results["tests"][0] and results["output"] == "a .rar"


# --- nbgrader --------------------------------------------------------------------------------------------------------

def test_nbgrader_shares_the_points_of_a_whole_notebook_among_its_exercises():
    assert [(row["exercise"], row["points"]) for row in rows(standings([graded("Ada", set_points=3)]))] == [
        ("01.1", 2 / 3), ("01.2", 1), ("01.3", 4 / 3)]
    assert [row["points"] for row in rows(standings([graded("A", Mark("01.1", "t", UNREADABLE, 0, 2))]))] == [None]
    row, = rows(standings([graded("A", replace(WRONG, state="set by hand", comment="our bug"))]))
    assert (row["points"], row["reason"]) == (1.5, "our bug")


# --- totals ----------------------------------------------------------------------------------------------------------

def test_totals_tell_points_lateness_and_percentages():
    course = Course.model_validate({"name": "c", "late": {"percent_per_day": 10}, "notebooks": {
        "01": {"deadline": datetime(2026, 1, 1, tzinfo=UTC), "weight": 3},
        "02": {"deadline": datetime(2026, 1, 1, tzinfo=UTC)}}})
    on_time, late = datetime(2025, 12, 31, tzinfo=UTC).timestamp(), datetime(2026, 1, 1, 1, tzinfo=UTC).timestamp()
    mark = Mark("01.1", "t", "passed", 4, 4)
    open_mark = Mark("02.1", "t", TO_BE_GRADED, 0, 4)
    graded = [Graded("=ada", "01", "p", "0", (mark,), submitted=late),
              Graded("bob", "01", "p", "0", (mark,), submitted=on_time),
              Graded("bob", "02", "p", "0", (open_mark,), problem="ours", submitted=on_time)]
    lines = list(csv.reader(io.StringIO(totals_table(course, standings(graded, course)).removeprefix("\ufeff"))))
    each = ("points", "after lateness", "days late", "days free", "dated by")
    assert lines == [
        ["student", "name", *(f"{number} {kind}" for number in ("01", "02") for kind in each), "percent", "remarks"],
        ["'=ada", "", "4", "3.6", "1", "0", "", "", "", "", "", "", "67.5", ""],
        ["bob", "", "4", "4", "0", "0", "", "to be graded", "to be graded", "0", "0", "", "to be graded",
         "02 to be graded: ours"]]


def test_who_handed_in_nothing_is_in_the_totals():
    roster = [Student("ada", "Ada L"), Student("bob", "B")]
    everybody = standings([graded("ada", PASSED, submitted=DUE)], COURSE, roster)
    assert [(row["student"], row["name"], row["percent"], row["remarks"])
            for row in read(totals_table(COURSE, everybody))] == [
        ("ada", "Ada L", "100", ""), ("bob", "B", "0", "nothing handed in")]
