"""The rules of a class: what the file may say."""

import pytest

from advcourse.grading import course as courses
from advcourse.grading.reading import lateness
from tests.grading.rules import DAY, DUE, SMALLEST, handed_in, load, rules


def test_the_example_of_the_docstring_is_a_course(tmp_path):
    example = "\n".join(line[4:] for line in courses.__doc__.splitlines() if line.startswith("    "))
    course = load(tmp_path, example)
    assert course.notebooks["01"].weight == 2 and course.late.most_days == 7 and course.limits.memory_mb == 4096
    assert lateness.deadline(course, "01", "ada@uni.example").day == 3
    assert lateness.deadline(course, "01", "bob").day == 30


def test_little_is_needed(tmp_path):
    course = rules(tmp_path)
    assert course.notebooks["01"].weight == 1 and course.limits.seconds == 30
    assert course.secret == "" and not course.personal
    late = lateness.priced(course, "ada", {"01": handed_in(submitted=DUE + 100 * DAY)})
    assert late["01"].percent == 100, "lateness costs nothing unless the file says so"


MISTAKES = {
    "": "name is missing; notebooks is missing",
    "name=": "is not TOML: Invalid value",
    SMALLEST + "[notebooks.01]": "is not TOML: Cannot declare",
    SMALLEST.encode("utf-16"): "is not UTF-8 text",
    "nmae = 'A'\n" + SMALLEST: "nmae is not known; did you mean name?",
    SMALLEST + "wieght = 2": "notebooks.01.wieght is not known; did you mean weight?",
    SMALLEST + "[late]\ngrace = 3": "late.grace is not known; did you mean grace_minutes?",
    SMALLEST + "[limits]\nmemory = 3": "limits.memory is not known; did you mean memory_mb?",
    SMALLEST + "[qqq]": "qqq is not known; known are name, secret, personal, notebooks, late, extensions, groups, "
                        "limits",
    SMALLEST + "weight = 'two'": "notebooks.01.weight: input should be a valid number; got 'two'",
    SMALLEST + "weight = true": "notebooks.01.weight: input should be a valid number; got True",
    SMALLEST + "weight = 0": "notebooks.01.weight: input should be greater than 0; got 0",
    SMALLEST + "weight = nan": "notebooks.01.weight: input should be a finite number; got nan",
    SMALLEST + "weight = inf": "finite number",
    SMALLEST + "[late]\npercent_per_day = 101":
        "late.percent_per_day: input should be less than or equal to 100; got 101",
    SMALLEST + "[late]\nmost_days = 1.5": "late.most_days: input should be a valid integer; got 1.5",
    SMALLEST + "[late]\ngrace_minutes = -1": "late.grace_minutes: input should be greater than or equal to 0; got -1",
    SMALLEST + "[limits]\nseconds = 0": "limits.seconds: input should be greater than 0; got 0",
    SMALLEST.replace("T23:59:00+01:00", ""): "notebooks.01.deadline must be a date, a time and their offset from UTC",
    SMALLEST.replace("+01:00", ""): "such as 2026-11-30T23:59:00+01:00, without quotes; got 2026-11-30T23:59:00",
    SMALLEST.replace("2026-11-30T23:59:00+01:00", '"2026-11-30T23:59:00+01:00"'):
        "without quotes; got '2026-11-30T23:59:00+01:00'",
    SMALLEST.replace("11-30", "02-30"): "is not TOML: Invalid date",
    SMALLEST + "[extensions.ada]\n01 = 2026-12-03": "extensions.ada.01 must be a date, a time and their offset",
    SMALLEST + "[extensions.ada]\n02 = 2026-12-03T12:00:00Z": "extensions.ada names notebook 02; the course has 01",
    SMALLEST + "[late]\nfree_days = 1.5": "late.free_days: input should be a valid integer; got 1.5",
    SMALLEST + "[groups]\na = ['ada']": "groups.a: list should have at least 2 items",
    SMALLEST + "[groups]\na = 'ada'": "groups.a: input should be a valid list; got 'ada'",
    SMALLEST + "[groups]\na = ['ada', 'bob']\nb = ['ada', 'cy']": "groups: ada must stand in one group, and once",
    SMALLEST + "[groups]\na = ['ada', 'ada']": "groups: ada must stand in one group, and once",
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
                       match=r"no course 'summer': looked for summer, summer\.toml, summer/course\.toml"):
        courses.find("summer")
