"""The rules of a class: what the file may say, what lateness costs, and what it all comes to."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from advcourse.grading import course as courses
from advcourse.grading.marks import Graded, Mark

SMALLEST = 'name = "A"\n[notebooks.01]\ndeadline = 2026-11-30T23:59:00+01:00\n'
DUE = datetime(2026, 11, 30, 22, 59, tzinfo=UTC).timestamp()
MINUTE, HOUR, DAY = 60, 3600, 86400


def load(tmp_path, text):
    path = tmp_path / "course.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return courses.load(path)


def rules(tmp_path, more=""):
    return load(tmp_path, SMALLEST + more)


def graded(student="ada", notebook="01", points=(4, 2), maximum=(4, 4), submitted=DUE, problem=None):
    state = "passed" if problem is None else "to be graded"
    marks = tuple(Mark(f"{notebook}.{k}", "t", state, p, m) for k, (p, m) in enumerate(zip(points, maximum, strict=True), start=1))
    return Graded(student, notebook, "x.ipynb", "0" * 64, marks=marks, submitted=submitted, problem=problem)


def test_the_example_of_the_docstring_is_a_course(tmp_path):
    example = "\n".join(line[4:] for line in courses.__doc__.splitlines() if line.startswith("    "))
    course = load(tmp_path, example)
    assert course.notebooks["01"].weight == 2 and course.late.most_days == 7 and course.limits.memory_mb == 4096
    assert courses.deadline(course, "01",
                            "ada@uni.example").day == 3 and courses.deadline(course, "01", "bob").day == 30


def test_little_is_needed(tmp_path):
    course = rules(tmp_path)
    assert course.notebooks["01"].weight == 1 and course.secret == "" and course.limits.seconds == 30 and not course.personal
    assert courses.final_points(course, 7, DUE + 100 * DAY, "01",
                                "ada") == 7, "lateness costs nothing unless the file says so"


MISTAKES = {
    "": "name is missing; notebooks is missing",
    "name=": "is not TOML: Invalid value",
    SMALLEST + "[notebooks.01]": "is not TOML: Cannot declare",
    SMALLEST.encode("utf-16"): "is not UTF-8 text",
    "nmae = 'A'\n" + SMALLEST: "nmae is not known; did you mean name?",
    SMALLEST + "wieght = 2": "notebooks.01.wieght is not known; did you mean weight?",
    SMALLEST + "[late]\ngrace = 3": "late.grace is not known; did you mean grace_minutes?",
    SMALLEST + "[limits]\nmemory = 3": "limits.memory is not known; did you mean memory_mb?",
    SMALLEST + "[qqq]": "qqq is not known; known are name, secret, personal, notebooks, late, extensions, limits",
    SMALLEST + "weight = 'two'": "notebooks.01.weight: input should be a valid number; got 'two'",
    SMALLEST + "weight = true": "notebooks.01.weight: input should be a valid number; got True",
    SMALLEST + "weight = 0": "notebooks.01.weight: input should be greater than 0; got 0",
    SMALLEST + "weight = nan": "notebooks.01.weight: input should be a finite number; got nan",
    SMALLEST + "weight = inf": "finite number",
    SMALLEST + "[late]\npercent_per_day = 101": "late.percent_per_day: input should be less than or equal to 100; got "
                                                "101",
    SMALLEST + "[late]\nmost_days = 1.5": "late.most_days: input should be a valid integer; got 1.5",
    SMALLEST + "[late]\ngrace_minutes = -1": "late.grace_minutes: input should be greater than or equal to 0; got -1",
    SMALLEST + "[limits]\nseconds = 0": "limits.seconds: input should be greater than 0; got 0",
    SMALLEST.replace("T23:59:00+01:00", ""): "notebooks.01.deadline must be a date, a time and their offset from UTC",
    SMALLEST.replace("+01:00", ""): "such as 2026-11-30T23:59:00+01:00, without quotes; got 2026-11-30T23:59:00",
    SMALLEST.replace("2026-11-30T23:59:00+01:00", '"2026-11-30T23:59:00+01:00"'): "without quotes; got "
                                                                                  "'2026-11-30T23:59:00+01:00'",
    SMALLEST.replace("11-30", "02-30"): "is not TOML: Invalid date",
    SMALLEST + "[extensions.ada]\n01 = 2026-12-03": "extensions.ada.01 must be a date, a time and their offset",
    SMALLEST + "[extensions.ada]\n02 = 2026-12-03T12:00:00Z": "extensions.ada names notebook 02; the course has 01",
    SMALLEST + "[extensions]\nada = 2026-12-03": "extensions.ada: input should be a section",
    SMALLEST.replace("[notebooks.01]", "[notebooks.1]"): "notebooks have two digits, such as 01; got '1'",
    SMALLEST.replace("deadline", "deadlin"): "notebooks.01.deadline is missing; notebooks.01.deadlin is not known; did "
                                             "you mean deadline?",
    "name = 'A'\nnotebooks = ['01']": "notebooks: input should be a section; got ['01']",
    "name = 'A'\n[notebooks]": "at least 1 item",
    SMALLEST.replace('"A"', '" "'): "name: must not be empty; got ' '",
    SMALLEST.replace('"A"', "3"): "name: input should be a valid string; got 3",
}


@pytest.mark.parametrize("text, message", MISTAKES.items(), ids=range(len(MISTAKES)))
def test_mistakes_are_named(tmp_path, text, message):
    with pytest.raises(ValueError) as caught:
        load(tmp_path, text)
    assert message in str(caught.value) and "course.toml" in str(caught.value) and "pydantic" not in str(caught.value)


def test_a_course_is_found_by_path_folder_and_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "winter").mkdir()
    for name in ("spring.toml", "winter/course.toml"):
        (tmp_path / name).write_text(SMALLEST)
    assert str(courses.find("spring")) == str(courses.find("spring.toml")) == "spring.toml"
    assert str(courses.find("winter")) == str(courses.find("winter/course.toml")) == "winter/course.toml"
    with pytest.raises(FileNotFoundError,
                       match="no course 'summer': looked for summer, summer.toml, summer/course.toml"):
        courses.find("summer")


@pytest.mark.parametrize("after, days", [
    (-30 * DAY, 0), (0, 0), (15 * MINUTE, 0), (15 * MINUTE + 1, 1), (HOUR, 1),
    (15 * MINUTE + DAY, 1), (16 * MINUTE + DAY, 2), (10 * DAY, 10)])
def test_days_are_counted_from_the_end_of_the_grace(tmp_path, after, days):
    course = rules(tmp_path, "[late]\ngrace_minutes = 15")
    assert courses.days_late(course, DUE + after, "01", "ada") == days


@pytest.mark.parametrize("days, left", [(0, 40), (1, 36), (2, 32), (5, 20), (6, 20), (7, 20), (8, 0), (400, 0)])
def test_penalties_by_hand(tmp_path, days, left):
    course = rules(tmp_path, "[late]\npercent_per_day = 10\nfloor_percent = 50\nmost_days = 7")
    assert courses.final_points(course, 40, DUE + days * DAY, "01", "ada") == left


def test_a_floor_does_not_lift_what_costs_less_and_no_floor_ends_at_nothing(tmp_path):
    course = rules(tmp_path, "[late]\npercent_per_day = 30")
    assert [courses.final_points(course, 10, DUE + k * DAY, "01", "ada") for k in range(5)] == [10, 7, 4, 1, 0]


def test_another_time_zone_and_a_leap_day(tmp_path):
    """Due on 28 February, 23:30 in New York, which is 1 March in Kolkata: 29 February lies between them in a leap
    year."""
    course = load(tmp_path, 'name = "A"\n[notebooks.01]\ndeadline = 2028-02-28T23:30:00-05:00\n[late]\npercent_per_day '
                            '= 25')
    kolkata = timezone(timedelta(hours=5, minutes=30))
    moments = {datetime(2028, 2, 29, 10, 0, tzinfo=kolkata): 8, datetime(2028, 2, 29, 10, 0, 1, tzinfo=kolkata): 6,
               datetime(2028, 3, 1, 10, 0, tzinfo=kolkata): 6, datetime(2028, 3, 1, 10, 1, tzinfo=kolkata): 4}
    for moment, left in moments.items():
        assert courses.final_points(course, 8, moment.timestamp(), "01", "ada") == left, moment


def test_an_extension_is_one_student_s_and_one_notebook_s(tmp_path):
    course = rules(tmp_path, "[notebooks.02]\ndeadline = 2026-11-30T23:59:00+01:00\n[late]\npercent_per_day = 10\n"
                             '[extensions."ada"]\n01 = 2026-12-02T23:59:00+01:00')
    late = DUE + 2 * DAY
    given = {(student, number): courses.final_points(course, 10, late, number, student)
             for student in ("ada", "bob") for number in ("01", "02")}
    assert given == {("ada", "01"): 10, ("ada", "02"): 8, ("bob", "01"): 8, ("bob", "02"): 8}
    assert courses.final_points(course, 10, late + 1, "01", "ada") == 9


def test_a_notebook_that_the_course_does_not_have(tmp_path):
    with pytest.raises(ValueError, match="A has no notebook '07'; it has 01"):
        courses.final_points(rules(tmp_path), 1, DUE, "07", "ada")


def test_totals_are_weighted(tmp_path):
    course = rules(tmp_path, "weight = 3\n[notebooks.02]\ndeadline = "
                             "2026-11-30T23:59:00+01:00\n[late]\npercent_per_day = 50")
    rows = courses.totals(course, [
        graded("bob"), graded("ada", points=(4, 4)),
        graded("ada", "02", points=(1, 1), maximum=(1, 3), submitted=DUE + 1),
        graded("ada", "09")])
    assert rows == [
        {"student": "ada", "raw": {"01": 8, "02": 2}, "final": {"01": 8, "02": 1},
         "total": 100 * (3 * 8 / 8 + 1 * 1 / 4) / 4},
        {"student": "bob", "raw": {"01": 6}, "final": {"01": 6}, "total": 100 * (3 * 6 / 8) / 4}]


def test_what_is_still_to_be_graded_is_never_a_zero(tmp_path):
    course = rules(tmp_path, "[notebooks.02]\ndeadline = 2026-11-30T23:59:00+01:00")
    for first, second in (("01", "02"), ("02", "01")):
        row, = courses.totals(course, [graded(notebook=first, problem="the sandbox died"), graded(notebook=second)])
        assert row["raw"][first] == row["final"][first] == row["total"] == "to be graded"
        assert row["raw"][second] == row["final"][second] == 6
    row, = courses.totals(course, [graded(points=(), maximum=(), problem="the sandbox died")])
    assert row["total"] == "to be graded"
    row, = courses.totals(course, [graded(points=(), maximum=())])
    assert row["total"] == "to be graded", "no marks at all are no marks of 0"


def test_the_latest_submission_counts(tmp_path):
    course = rules(tmp_path)
    for order in (1, -1):
        row, = courses.totals(course, [graded(points=(4, 4)), graded(points=(1, 0), submitted=DUE + 5)][::order])
        assert row["raw"] == {"01": 1}
