"""Where every student stands: weights, lateness, and never a 0 for what nobody has judged."""

from dataclasses import replace

from advcourse.grading.marks import Mark
from advcourse.grading.reading.roster import Student
from advcourse.grading.reports.standings import standings
from tests.grading.rules import DUE, handed_in, rules

TWO = "[notebooks.02]\ndeadline = 2026-11-30T23:59:00+01:00\n"


def test_totals_are_weighted(tmp_path):
    course = rules(tmp_path, f"weight = 3\n{TWO}[late]\npercent_per_day = 50")
    ada, bob = standings([
        handed_in("bob"), handed_in("ada", points=(4, 4)),
        handed_in("ada", "02", points=(1, 1), maximum=(1, 3), submitted=DUE + 1), handed_in("ada", "09")], course)
    assert (ada.student, ada.raw, ada.final) == ("ada", {"01": 8, "02": 2}, {"01": 8, "02": 1})
    assert ada.total == 100 * (3 * 8 / 8 + 1 * 1 / 4) / 4 and ada.late["02"].days == 1
    assert (bob.raw, bob.final, bob.total) == ({"01": 6}, {"01": 6}, 100 * (3 * 6 / 8) / 4)
    assert [one.notebook for one in ada.notebooks] == ["01", "02", "09"], "shown, if not counted"


def test_what_is_still_to_be_graded_is_never_a_zero(tmp_path):
    course = rules(tmp_path, TWO)
    for first, second in (("01", "02"), ("02", "01")):
        one, = standings([handed_in(notebook=first, problem="the sandbox died"), handed_in(notebook=second)], course)
        assert one.raw[first] == one.final[first] == one.total == "to be graded" and one.raw[second] == 6
    one, = standings([handed_in(points=(), maximum=(), problem="the sandbox died")], course)
    assert one.total == "to be graded"


def test_what_cannot_be_read_is_never_a_zero(tmp_path):
    course = rules(tmp_path, TWO)
    unreadable = replace(handed_in(), marks=(Mark("01.1", "t", "unreadable", 0, 4, "a .rar"),))
    for one in (unreadable, handed_in(points=(), maximum=())):
        one, = standings([one, handed_in(notebook="02")], course)
        assert one.raw["01"] == one.final["01"] == one.total == "unreadable"
    one, = standings([unreadable, handed_in(notebook="02", problem="ours")], course)
    assert one.total == "to be graded", "what is ours to mend comes first"


def test_the_whole_roster_is_there_sorted_as_people_sort_names(tmp_path):
    roster = [Student("z1", "Ada"), Student("a1", "Émile"), Student("b1", "Zoe")]
    found = standings([handed_in("z1"), replace(handed_in("guest"), name="Dora")], rules(tmp_path), roster)
    assert [(one.name, len(one.notebooks), one.total) for one in found] == [
        ("Ada", 1, 75), ("Dora", 1, 75), ("Émile", 0, 0), ("Zoe", 0, 0)]
    assert standings([], None, roster)[0].total is None, "no course, no percentage"
