"""What students and their teacher read of a graded class."""

import re
from dataclasses import replace

import pytest

from advcourse.grading.marks import Mark
from advcourse.grading.reports.pages import distributions, hardest
from advcourse.grading.reports.tables import gradescope
from tests.grading.reports.samples import (
    DRESSED,
    FAULT,
    LONG,
    OTHERS,
    PASSED,
    SCRIPT,
    WAITING,
    WRONG,
    class_page,
    classroom,
    graded,
    student_page,
    text,
)

# --- a student's page -------------------------------------------------------------------------------------------------

def test_a_student_reads_every_verdict_the_hint_and_the_own_code():
    page = student_page(graded("Ada", notes=("cell 3 cannot be parsed",)), graded("Ada", PASSED, notebook="02"))
    told = text(page)
    assert "notebook 01: 3.5 of 9 points · notebook 02: 2 of 2 points" in told
    assert "01.2 Step wrong · 1.5 of 3 points" in told and "01.3 Curve not attempted · 0 of 4 points" in told
    assert "it stays near it leaves the ball by 0.2: clip with torch.clamp(x, 0, 1)" in told
    assert "<code>torch.clamp(x, 0, 1)</code>" in page
    assert told.index("it stays near") < told.index("it goes up"), "what is wrong comes first"
    assert "A hint: What is x ?" in told.replace("x?", "x ?") and "A hint: Begin." in told
    assert "return x < 1" in told and "cell 3 cannot be parsed" in told and "handed in 2023-11-14 22:13 UTC" in told


def test_a_student_does_not_learn_the_instructors_secrets():
    for one in (graded("Evan"), FAULT):
        for page in (student_page(one), gradescope(one)):
            assert "987654" not in page and "/home/teacher" not in page and "class/" not in page


def test_a_graders_fault_is_shown_as_such():
    told = text(student_page(FAULT))
    assert "The grader had a fault of its own" in told and "to be graded · 2 points" in told
    assert "0 of" not in told


def test_without_walls_the_marks_say_so():
    unsafe = graded("Ada", walls="none: --unsafe")
    assert "Graded without a sandbox" in text(student_page(unsafe))
    assert "Graded without" not in text(student_page(graded()))
    assert "1 of 2 submissions ran without a sandbox" in text(class_page(unsafe, graded("Alan")))


@pytest.mark.parametrize("submitted", [0, -1e18, 1e18, float("inf"), float("nan")])
def test_a_strange_date_does_no_harm(submitted):
    assert "handed in" not in student_page(graded("Ada", submitted=submitted))


def test_hostile_text_is_shown_as_text():
    evil = f"{SCRIPT}</code>"
    told = text(student_page(graded(evil, Mark("01.2", "t", "wrong", 0, 3, "r", {"a": evil}, hint=evil, code=evil),
                                    notes=(evil,))))
    assert told.count(evil) == 6, "as name in title and heading, note, message, hint and code"


def test_long_texts_are_clipped_and_say_so():
    page = student_page(graded("n" * 9000, Mark("01.2", "t", "wrong", 0, 3, "r", {"a": "m" * 9000}, code="c" * 90_000),
                               notes=("x",) * 999))
    assert len(page) < 60_000
    for told in ("(8,000 more characters)", "(70,000 more characters)", "(8,800 more characters)", "and 979 more"):
        assert told in page
    assert "c" * 20_000 in page and page.count("<li>") == 21


# --- the class page ---------------------------------------------------------------------------------------------------

def test_the_class_page_begins_with_what_is_to_be_graded_and_ends_with_walls_and_seed():
    told = text(class_page(graded("Ada"), FAULT, graded("Zoe", PASSED, replace(WAITING, exercise="01.4"))))
    assert told.index("To be graded: 2") < told.index("Points")
    assert "Evan 01 fork failed at /home/teacher" in told and "Zoe 01 01.4" in told
    assert told.index("Students") < told.index("3 submissions: sandbox namespaces; seed 987654")


def test_points_fall_into_tenths_and_open_ones_are_left_out():
    def one(points):
        return graded(f"s{points}", Mark("01.1", "t", "wrong", points, 10))

    found, = distributions([*map(one, (0, 0.5, 3, 7, 9.9, 10)), FAULT])
    assert found["counts"] == [2, 0, 0, 1, 0, 0, 0, 1, 0, 2]
    assert (found["median"], found["maximum"], found["students"]) == (5, 10, 6)
    assert distributions([replace(graded("Ada"), marks=()), FAULT]) == []


def test_the_hardest_exercise_comes_first():
    found = hardest([graded("Ada"), graded("Alan", PASSED, replace(WRONG, state="passed")), FAULT])
    assert [(one["exercise"], one["passed"], one["students"])
            for one in found] == [("01.3", 0, 1), ("01.2", 0.5, 2), ("01.1", 1, 2)]


def test_the_class_page_accuses_nobody():
    page = class_page(*classroom(LONG, *OTHERS, DRESSED))
    told = text(page)
    assert "A person should look at these. They are no finding" in told and "s0, s4 01.2 · 100 % alike" in told
    assert not re.search(r"plagiar|cheat|copied|suspect|fraud", told, re.IGNORECASE)
