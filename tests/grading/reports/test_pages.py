"""What students and their teacher read of a graded class."""

import re
from dataclasses import replace

import pytest

from advcourse.grading.marks import Mark
from advcourse.grading.reading.roster import Student
from advcourse.grading.reports.pages import distributions, feedback_page, hardest
from advcourse.grading.reports.standings import standings
from advcourse.grading.reports.tables import gradescope
from tests.grading.reports.samples import (
    DRESSED,
    FAULT,
    LONG,
    OPEN,
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
from tests.grading.rules import DAY, DUE, rules

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
    for one in (graded("Evan", flags=("987654 of /home/teacher",)), FAULT):
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


@pytest.mark.parametrize("submitted", [0, -1.0, -1e18, 1e18, float("inf"), float("nan")])
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


def test_lateness_is_shown_with_its_source_and_its_price(tmp_path):
    course = rules(tmp_path, "[late]\npercent_per_day = 10\nfloor_percent = 50")
    late = graded("Ada", PASSED, submitted=DUE + 5 * DAY, source="the file's date")
    told = text(student_page(late, course=course))
    assert "notebook 01: 1 of 2 points" in told and "handed in 2026-12-05 22:59 UTC by the file's date" in told
    assert "5 days late by the file's date: −50 %. 2 points before, 1 after." in told
    told = text(class_page(late, course=course))
    assert "1 of 2 01: 5 days late by the file's date: −50 %, of 2 points" in told
    assert "late" not in text(student_page(graded("Ada", PASSED, submitted=DUE), course=course))


def test_what_a_platform_says_of_the_time_is_shown_without_one():
    told = text(student_page(graded("Ada", submitted=-1.0, source="Canvas, which marks it as late")))
    assert "time: Canvas, which marks it as late" in told and "1969" not in told


def test_a_file_that_could_not_be_read_is_shown_as_such_with_the_reason_and_no_hints():
    rar = graded("Bob", *(replace(OPEN, state="unreadable", reason="it is a .rar", exercise=f"01.{number}")
                          for number in (1, 2)), notes=("it is a .rar",))
    told = text(student_page(rar))
    assert told.count("it is a .rar") == 1 and "That is no 0" in told and "Begin." not in told and "0 of" not in told


def test_what_a_person_set_is_shown_with_the_comment():
    by_hand = replace(WRONG, state="set by hand", points=3, comment="the check was wrong")
    told = text(student_page(graded("Ada", PASSED, by_hand)))
    assert "01.2 Step set by hand · 3 of 3 points" in told and "the check was wrong" in told
    told = text(student_page(graded("Ada", PASSED, set_points=1, comment="see me")))
    assert "1 of 2 points" in told and "The points of this notebook were set by hand: see me" in told
    told = text(class_page(graded("Ada", PASSED, by_hand), graded("Bob", PASSED, set_points=1)))
    assert "01: set by hand: 01.2" in told and "01: set by hand: the whole notebook" in told


def test_a_group_s_page_tells_whose_file_it_was():
    assert "for the group, with Bob, Cy" in text(student_page(graded("Ada", group=("Bob", "Cy"))))
    standing, = standings([graded("s2", group=("s1",), handed_in_by="s1")])
    assert "handed in for the group by Ada L" in text(feedback_page(standing, called={"s1": "Ada L"}))
    assert "handed in for the group by Ada" in text(student_page(graded("Bob", group=("Ada",), handed_in_by="Ada")))


# --- the class page ---------------------------------------------------------------------------------------------------

def test_the_class_page_begins_with_what_is_to_be_graded_and_ends_with_walls_and_seed():
    told = text(class_page(graded("Ada"), FAULT, graded("Zoe", PASSED, replace(WAITING, exercise="01.4"))))
    assert told.index("To be graded: 2") < told.index("Points")
    assert "Evan 01 fork failed at /home/teacher" in told and "Zoe 01 01.4" in told
    assert told.index("Students") < told.index("3 submissions: sandbox namespaces; seed 987654")


def test_the_class_page_begins_with_all_that_a_person_should_look_at():
    told = text(class_page(
        graded("Ada", flags=("two files that differ",)),
        graded("Bob", replace(OPEN, state="unreadable", reason="it is a .rar"), notes=("it is a .rar",)),
        replace(graded("Cy"), notebook="", marks=(), notes=("it is a .7z",)), FAULT,
        roster=[Student("Dora", "Dora D")]))
    places = [told.index(words) for words in (
        "To be graded: 1", "Unreadable: 2", "Bob 01 it is a .rar", "Cy – it is a .7z", "To look at: 1",
        "Ada 01 two files that differ", "Points")]
    assert places == sorted(places)
    assert "5 students · 4 submissions · nothing from 1" in told and "Dora D Dora" in told
    assert "nothing handed in" in told[places[-1]:]
    assert "To look at" not in text(class_page(graded("Ada")))


def test_the_members_of_a_group_are_not_said_to_write_alike():
    group = [graded("Ada", replace(WRONG, code=LONG), group=("Bob",)),
             graded("Bob", replace(WRONG, code=LONG), group=("Ada",), handed_in_by="Ada")]
    told = text(class_page(*group, *classroom(*OTHERS)))
    assert "None was found" in told and "5 students · 4 submissions" in told


def test_points_fall_into_tenths_and_open_ones_are_left_out():
    def one(points):
        return graded(f"s{points}", Mark("01.1", "t", "wrong", points, 10))

    found, = distributions([*map(one, (0, 0.5, 3, 7, 9.9, 10)), FAULT])
    assert found["counts"] == [2, 0, 0, 1, 0, 0, 0, 1, 0, 2]
    assert (found["median"], found["maximum"], found["students"]) == (5, 10, 6)
    assert distributions([replace(graded("Ada"), marks=()), FAULT]) == []


def test_the_hardest_exercise_comes_first():
    found = hardest([graded("Ed", replace(WRONG, state="unreadable"), replace(PASSED, state="set by hand")),
                     graded("Ada"), graded("Alan", PASSED, replace(WRONG, state="passed")), FAULT])
    assert [(one["exercise"], one["passed"], one["students"])
            for one in found] == [("01.3", 0, 1), ("01.2", 0.5, 2), ("01.1", 1, 2)]


def test_the_class_page_accuses_nobody():
    page = class_page(*classroom(LONG, *OTHERS, DRESSED))
    told = text(page)
    assert "A person should look at these. They are no finding" in told and "s0, s4 01.2 · 100 % alike" in told
    assert not re.search(r"plagiar|cheat|copied|suspect|fraud", told, re.IGNORECASE)
