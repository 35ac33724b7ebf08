"""Tables for spreadsheets and results for Gradescope: right, and harmless whatever was handed in."""

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from advcourse.grading.course import Course
from advcourse.grading.marks import TO_BE_GRADED, Graded, Mark
from advcourse.grading.reports.standings import standings
from advcourse.grading.reports.tables import gradescope, grades_table, totals_table
from tests.grading.reports.samples import FAULT, PASSED, WAITING, WRONG, graded, read, table
from tests.grading.rules import DUE, handed_in, rules

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
        ("Ada", "", "unreadable", "this is not a notebook"), ("Evan", "", "to be graded", "fork failed at /home/teacher")]


@pytest.mark.parametrize("start", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "\0=1", "\ufeff=1",
                                   "＝1", "'=1"])  # noqa: RUF001 (a wide sign begins a formula, too)
def test_no_cell_is_a_formula(start):
    evil = start + "|cmd' /C calc'!A0,\"x\";=2\n=3"
    row, = table(graded(evil, replace(WRONG, reason=evil)))
    for value in (row["student"], row["reason"]):
        assert value[0] not in "=+-@\uff1d\t\r\n" and "\n" not in value and "calc" in value


def test_the_table_opens_in_excel_and_holds_any_name(tmp_path):
    write([graded("Éva, \"E\" 王\udcff")], tmp_path)
    content = (tmp_path / "grades.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    row = next(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    assert row["student"] == 'Éva, "E" 王⟨U+DCFF⟩'


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
    rows = list(csv.reader(io.StringIO(totals_table(course, graded).removeprefix("\ufeff"))))
    assert rows == [["student", "01 points", "01 after lateness", "02 points", "02 after lateness", "percent"],
                    ["'=ada", "4", "3.6", "", "", "67.5"],
                    ["bob", "4", "4", "to be graded", "to be graded", "to be graded"]]


def test_totals_are_weighted(tmp_path):
    course = rules(tmp_path, "weight = 3\n[notebooks.02]\ndeadline = "
                             "2026-11-30T23:59:00+01:00\n[late]\npercent_per_day = 50")
    rows = totals(course, [
        handed_in("bob"), handed_in("ada", points=(4, 4)),
        handed_in("ada", "02", points=(1, 1), maximum=(1, 3), submitted=DUE + 1),
        handed_in("ada", "09")])
    assert rows == [
        {"student": "ada", "raw": {"01": 8, "02": 2}, "final": {"01": 8, "02": 1},
         "total": 100 * (3 * 8 / 8 + 1 * 1 / 4) / 4},
        {"student": "bob", "raw": {"01": 6}, "final": {"01": 6}, "total": 100 * (3 * 6 / 8) / 4}]


def test_what_is_still_to_be_graded_is_never_a_zero(tmp_path):
    course = rules(tmp_path, "[notebooks.02]\ndeadline = 2026-11-30T23:59:00+01:00")
    for first, second in (("01", "02"), ("02", "01")):
        row, = totals(course, [handed_in(notebook=first, problem="the sandbox died"), handed_in(notebook=second)])
        assert row["raw"][first] == row["final"][first] == row["total"] == "to be graded"
        assert row["raw"][second] == row["final"][second] == 6
    row, = totals(course, [handed_in(points=(), maximum=(), problem="the sandbox died")])
    assert row["total"] == "to be graded"
    row, = totals(course, [handed_in(points=(), maximum=())])
    assert row["total"] == "to be graded", "no marks at all are no marks of 0"


def test_the_latest_submission_counts(tmp_path):
    course = rules(tmp_path)
    for order in (1, -1):
        row, = totals(course, [handed_in(points=(4, 4)), handed_in(points=(1, 0), submitted=DUE + 5)][::order])
        assert row["raw"] == {"01": 1}
