"""When a student's notebook is due, and what lateness costs."""

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from advcourse.grading import course as courses
from advcourse.grading.reading import lateness
from advcourse.grading.reading.platforms import MARKED_LATE
from advcourse.grading.reading.submissions import Submission
from advcourse.grading.reading.times import FILE
from tests.grading.rules import DAY, DUE, HOUR, MINUTE, handed_in, load, rules


def left(course, after, notebook="01", student="ada", points=(10,), source=""):
    """What is left of so many points that were handed in so long after the deadline."""
    one = replace(handed_in(student, notebook, points, points, DUE + after), source=source)
    return one.points * lateness.priced(course, student, {notebook: one})[notebook].percent / 100


@pytest.mark.parametrize("after, days", [
    (-30 * DAY, 0), (0, 0), (15 * MINUTE, 0), (15 * MINUTE + 1, 1), (HOUR, 1),
    (15 * MINUTE + DAY, 1), (16 * MINUTE + DAY, 2), (10 * DAY, 10)])
def test_days_are_counted_from_the_end_of_the_grace(tmp_path, after, days):
    course = rules(tmp_path, "[late]\ngrace_minutes = 15")
    assert lateness.days_late(course, DUE + after, "01", "ada") == days


@pytest.mark.parametrize("days, wanted", [(0, 40), (1, 36), (2, 32), (5, 20), (6, 20), (7, 20), (8, 0), (400, 0)])
def test_penalties_by_hand(tmp_path, days, wanted):
    course = rules(tmp_path, "[late]\npercent_per_day = 10\nfloor_percent = 50\nmost_days = 7")
    assert left(course, days * DAY, points=(40,)) == wanted


def test_a_floor_does_not_lift_what_costs_less_and_no_floor_ends_at_nothing(tmp_path):
    course = rules(tmp_path, "[late]\npercent_per_day = 30")
    assert [left(course, k * DAY) for k in range(5)] == [10, 7, 4, 1, 0]


def test_another_time_zone_and_a_leap_day(tmp_path):
    """Due on 28 February, 23:30 in New York, which in a leap year is 29 February in Kolkata."""
    course = load(tmp_path, 'name = "A"\n[notebooks.01]\ndeadline = '
                            '2028-02-28T23:30:00-05:00\n[late]\npercent_per_day = 25')
    kolkata = timezone(timedelta(hours=5, minutes=30))
    moments = {datetime(2028, 2, 29, 10, 0, tzinfo=kolkata): 8, datetime(2028, 2, 29, 10, 0, 1, tzinfo=kolkata): 6,
               datetime(2028, 3, 1, 10, 0, tzinfo=kolkata): 6, datetime(2028, 3, 1, 10, 1, tzinfo=kolkata): 4}
    for moment, wanted in moments.items():
        assert left(course, moment.timestamp() - DUE, points=(8,)) == wanted, moment


def test_an_extension_is_one_student_s_and_one_notebook_s(tmp_path):
    course = rules(tmp_path, "[notebooks.02]\ndeadline = 2026-11-30T23:59:00+01:00\n[late]\npercent_per_day = 10\n"
                             '[extensions."ada"]\n01 = 2026-12-02T23:59:00+01:00')
    late = 2 * DAY
    given = {(student, number): left(course, late, number, student)
             for student in ("ada", "bob") for number in ("01", "02")}
    assert given == {("ada", "01"): 10, ("ada", "02"): 8, ("bob", "01"): 8, ("bob", "02"): 8}
    assert left(course, late + 1) == 9


def test_a_notebook_that_the_course_does_not_have(tmp_path):
    with pytest.raises(ValueError, match="A has no notebook '07'; it has 01"):
        left(rules(tmp_path), 0, "07")


# --- late passes -----------------------------------------------------------------------------------------------------

TWO = "[notebooks.02]\ndeadline = 2026-12-10T23:59:00+01:00\n[late]\npercent_per_day = 10\nfree_days = 3\n"


def passes(course, days, points=((10,), (10,))):
    """From notebook to (days late, days free, percent left), both notebooks handed in so many days late."""
    files = {number: handed_in("ada", number, given, (10,), lateness.deadline(course, number, "ada").timestamp()
                               + late * DAY) for number, late, given in zip(("01", "02"), days, points, strict=True)}
    return {number: (one.days, one.free, one.percent)
            for number, one in lateness.priced(course, "ada", dict(reversed(files.items()))).items()}


@pytest.mark.parametrize("days, first, second", [
    ((2, 2), (2, 2, 100), (2, 1, 90)), ((5, 1), (5, 3, 80), (1, 0, 90)), ((0, 4), (0, 0, 100), (4, 3, 90)),
    ((1, 1), (1, 1, 100), (1, 1, 100))])
def test_late_passes_are_used_up_in_the_order_of_deadlines(tmp_path, days, first, second):
    assert passes(rules(tmp_path, TWO), days) == {"01": first, "02": second}


def test_an_extension_changes_the_order_of_deadlines(tmp_path):
    course = rules(tmp_path, TWO + "[extensions.ada]\n01 = 2026-12-20T23:59:00+01:00")
    assert passes(course, (2, 2)) == {"01": (2, 1, 90), "02": (2, 2, 100)}


@pytest.mark.parametrize("more, points", [("floor_percent = 50", (10,)), ("most_days = 4", (10,)), ("", (0,))])
def test_late_passes_are_not_spent_where_they_save_nothing(tmp_path, more, points):
    """Ten days late with three free: the floor, the last day, or no points at all."""
    given = passes(rules(tmp_path, TWO + more), (10, 3), (points, (10,)))
    assert given["01"][1] == 0 and given["02"] == (3, 3, 100)


def test_late_passes_are_not_spent_on_what_cannot_be_read(tmp_path):
    rar = replace(handed_in(submitted=DUE + DAY), marks=())
    assert lateness.priced(rules(tmp_path, TWO), "ada", {"01": rar})["01"].free == 0


def test_lateness_that_costs_nothing_says_so(tmp_path):
    one = handed_in(submitted=DUE + DAY)
    assert str(lateness.priced(rules(tmp_path), "ada", {"01": one})["01"]) == "1 day late: it costs nothing"


def test_lateness_is_told_with_its_source_and_its_price(tmp_path):
    course = rules(tmp_path, "[late]\npercent_per_day = 10\nfloor_percent = 50\nfree_days = 2\nmost_days = 8")

    def told(days, source):
        one = replace(handed_in(submitted=DUE + days * DAY), source=source)
        return str(lateness.priced(course, "ada", {"01": one})["01"])

    assert told(0, "the file's date") == ""
    assert told(7, "the file's date") == "7 days late by the file's date: −50 %"
    assert told(4, "Canvas") == "4 days late by Canvas, 2 of them free: −20 %"
    assert told(1, "") == "1 day late: late passes pay for it" and told(20, "") == "20 days late: −100 %"


def test_a_platform_s_mark_alone_is_one_day(tmp_path):
    """The platform does not know of an extension; without a mark the time is 0."""
    course = rules(tmp_path, "[late]\npercent_per_day = 10\n[extensions.bob]\n01 = 2026-12-02T23:59:00+01:00")
    assert [lateness.days_late(course, time, "01", student) for time, student in (
        (MARKED_LATE, "ada"), (MARKED_LATE, "bob"), (0, "ada"))] == [1, 0, 0]
    with pytest.raises(ValueError, match="has no notebook '07'"):
        lateness.days_late(course, MARKED_LATE, "07", "ada")


def files(times, notebook="01", source=FILE):
    return [Submission(f"s{at}", notebook, str(at), submitted=time, source=source) for at, time in enumerate(times)]


@pytest.mark.parametrize("times, source, words", [
    ([DUE + DAY, DUE + DAY + 60, DUE + DAY + 599, 0, 0], "the date in the zip",
     "notebook 01: 3 of 5 are late within 10 minutes of each other by the date in the zip"),
    ([DUE + DAY, DUE + DAY + 60, DUE + DAY + 601, 0, 0], "the date in the zip", None),
    ([DUE + DAY, DUE + DAY + 60, DUE - 5, 0], "the date in the zip", None),
    ([DUE + DAY, DUE - 5, 0], FILE, "notebook 01: 1 file late by the file's date alone"),
    ([MARKED_LATE] * 5, "Canvas", None), ([DUE - 60] * 5, FILE, None), ([DUE + DAY], "the date in the zip", None)])
def test_lateness_that_may_be_the_date_of_a_download_is_told(tmp_path, times, source, words):
    told = list(lateness.doubtful(rules(tmp_path), [*files(times, source=source), *files([DUE * 2], "09")]))
    assert len(told) == bool(words) and all(line.startswith(words) and "--times" in line for line in told)


def test_a_group_s_file_is_one_file(tmp_path):
    pair = [Submission(student, "01", "both.ipynb", submitted=DUE + DAY, source="a list") for student in ("a", "b")]
    assert list(lateness.doubtful(rules(tmp_path), [*pair, *files([0])])) == []


@pytest.mark.parametrize("late, words", [
    ({}, ""),
    ({"percent_per_day": 5.0, "floor_percent": 50.0, "grace_minutes": 10.0},
     "costs 5% of the points earned, down to 50%. The first 10"),
    ({"percent_per_day": 5.0, "free_days": 3}, "3 days of lateness in all cost nothing"),
    ({"most_days": 0}, "More than 0 days late, nothing is earned.")])
def test_what_lateness_costs_is_told(late, words):
    told = lateness.in_words(courses.Late(**late))
    assert words in told and bool(told) is bool(words)
