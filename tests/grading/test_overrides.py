"""Points that a person sets: they count, they stay, and a wrong row is told in one line."""

from dataclasses import replace

import pytest

from advcourse.exercises import all_exercises
from advcourse.grading.marks import Mark
from advcourse.grading.overrides import EMPTY, Override, read_overrides, with_overrides
from tests.grading.rules import handed_in

STUDENTS = {"ada": "ada", "Ada Lovelace": "ada", "Sx1": "ada", "bob": "bob"}
WHOLE = sum(task.points for task in all_exercises("01"))


def read(tmp_path, text):
    path = tmp_path / "overrides.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    found, problems = read_overrides(path, STUDENTS)
    return found, [problem.removeprefix(f"{path}, ") for problem in problems]


# --- the table -------------------------------------------------------------------------------------------------------

def test_no_file_and_an_empty_one_set_nothing(tmp_path):
    assert read_overrides(tmp_path / "none.csv", STUDENTS) == ([], [])
    assert read(tmp_path, EMPTY) == read(tmp_path, "\n") == ([], [])


@pytest.mark.parametrize("text", [
    "student,exercise,points,comment\nada,01.1,1.5,our bug\n", "student;exercise;points;comment\nada;1.1;1,5;our bug\n",
    "\ufeffComment\tPoints\tExercise\tStudent\r\nour  bug\t1.5\t01.1\tAda Lovelace\r\n\r\n",
    "sep=;\nstudent;exercise;points;comment\nSx1;01.1;1,5;our bug\n",
    "student,exercise,points,comment,mine\n ada ,01.1,1.5, our bug\n"])
def test_a_spreadsheet_may_have_saved_it(tmp_path, text):
    assert read(tmp_path, text) == ([Override("ada", "01.1", 1.5, "our bug")], [])


@pytest.mark.parametrize("row, problem", [
    ("adda,01.1,1,", "there is no student 'adda'; did you mean 'ada'?"), ("zzzzzz,01.1,1,", "no student 'zzzzzz'"),
    (",01.1,1,", "there is no student ''"),
    ("ada,01.99,1,", "there is no exercise '01.99'; wanted is one such as 01.2, or a notebook such as 01 (it has "),
    ("ada,77,1,", "there is no exercise '77'; wanted is"), ("ada,,1,", "there is no exercise ''"),
    ("ada,x.1,1,", "there is no exercise 'x.1'"), ("ada,../01,1,", "there is no exercise"),
    ("ada,01.1,many,", "points for 01.1 must be a number from 0 to 2; got 'many'"), ("ada,01.1,,", "got ''"),
    ("ada,01.1,2.5,", "from 0 to 2; got '2.5'"), ("ada,01.1,-1,", "got '-1'"), ("ada,01.1,nan,", "got 'nan'"),
    ("ada,01.1,inf,", "got 'inf'"), (f"ada,01,{WHOLE + 1},", f"points for 01 must be a number from 0 to {WHOLE}")])
def test_a_wrong_row_is_told_in_one_line(tmp_path, row, problem):
    found, problems = read(tmp_path, f"student,exercise,points,comment\nbob,01.2,1,\n{row}\n")
    assert [one.student for one in found] == ["bob"] and len(problems) == 1
    assert problems[0].startswith("line 3: ") and problem in problems[0] and "\n" not in problems[0]


def test_what_is_set_twice_is_wrong(tmp_path):
    _, problems = read(tmp_path, "student,exercise,points,comment\nada,01.1,1,\nAda Lovelace,1.1,2,\nada,01,2,\n")
    assert problems == ["line 3: 01.1 of ada is set in line 2 already"]


def test_a_file_that_is_no_such_table_is_refused(tmp_path):
    with pytest.raises(ValueError, match="needs one column 'exercise' and one column 'points' and one column 'comment' "
                                         "in its first line; the columns are: student, x"):
        read(tmp_path, "student,x\n")
    with pytest.raises(ValueError, match="UTF-8"):
        read(tmp_path, b"student,exercise,points,comment\nad\xe9,01.1,1,\n")


# --- what they do ----------------------------------------------------------------------------------------------------

def test_an_exercise_gets_its_points_and_the_comment():
    one, other = with_overrides([handed_in("ada"), handed_in("bob")], [Override("ada", "01.2", 4, "our bug")])
    assert [(mark.state, mark.points, mark.comment) for mark in one.marks] == [
        ("passed", 4, ""), ("set by hand", 4, "our bug")]
    assert (one.points, one.set_points) == (8, None) and other == handed_in("bob")


def test_a_notebook_gets_its_points_whatever_its_exercises_have():
    rar = replace(handed_in("ada"), marks=(Mark("01.1", "t", "unreadable", 0, 4, "a .rar"),))
    for before in (handed_in("ada"), rar, handed_in("ada", problem="the box died")):
        one, = with_overrides([before], [Override("ada", "01", 3.5, "from the pdf")])
        assert (one.points, one.pending, one.comment) == (3.5, "", "from the pdf")
        assert one.marks == before.marks, "what the check found stays to be seen"


def test_all_exercises_of_a_graders_fault_may_be_set():
    one, = with_overrides([handed_in("ada", problem="the box died")], [Override("ada", "01.1", 1, "")])
    assert one.is_open and one.points is None
    one, = with_overrides([handed_in("ada", problem="the box died")],
                          [Override("ada", "01.1", 1, ""), Override("ada", "01.2", 2, "")])
    assert not one.is_open and one.points == 3


def test_points_may_be_set_for_what_was_not_handed_in_here():
    bob, one = with_overrides([handed_in("bob")], [Override("ada", "01.1", 2, "by e-mail")])
    assert bob == handed_in("bob")
    assert (one.student, one.notebook, one.points, one.maximum) == ("ada", "01", 2, WHOLE)
    assert {mark.state for mark in one.marks} == {"set by hand", "not attempted"}
