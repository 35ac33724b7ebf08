"""One file for a group, and its marks for each member."""

from dataclasses import replace

import pytest

from advcourse.grading.groups import with_groups
from advcourse.grading.reports.standings import standings
from tests.grading.rules import DAY, DUE, handed_in, rules

GROUPS = {"penguins": ["ada", "bob"]}


def by_student(graded, groups=GROUPS):
    return {(one.student, one.notebook): one for one in with_groups(graded, groups)}


def test_all_members_get_the_marks_and_others_are_left_alone():
    found = by_student([handed_in("ada"), handed_in("cy", points=(1, 1))])
    assert {place: one.points for place, one in found.items()} == {("ada", "01"): 6, ("bob", "01"): 6, ("cy", "01"): 2}
    assert (found["ada", "01"].group, found["ada", "01"].handed_in_by) == (("bob",), "")
    assert (found["bob", "01"].group, found["bob", "01"].handed_in_by) == (("ada",), "ada")
    assert not any(one.flags for one in found.values())


def test_lateness_is_each_ones_own(tmp_path):
    course = rules(tmp_path, "[late]\npercent_per_day = 10\n[extensions.bob]\n01 = 2026-12-02T23:59:00+01:00\n"
                             "[groups]\npenguins = ['ada', 'bob']")
    found = standings(with_groups([handed_in("ada", submitted=DUE + 2 * DAY)], course.groups), course)
    assert [(one.student, one.late["01"].days, one.final["01"]) for one in found] == [("ada", 2, 4.8), ("bob", 0, 6)]


def test_who_also_handed_in_alone_is_flagged():
    alone = replace(handed_in("bob", points=(1, 0)), sha256="1" * 64, name="Bob")
    for files in ([handed_in("ada", submitted=DUE + 1), alone], [alone, handed_in("ada", submitted=DUE + 1)]):
        found = by_student(files)
        assert {one.points for one in found.values()} == {6}, "the later file is the group's"
        assert found["bob", "01"].flags == (
            "handed in a file of their own, too, which is not graded: the group's is that of ada",)
        assert found["ada", "01"].flags == () and found["bob", "01"].name == "Bob"
    same = by_student([handed_in("ada", submitted=DUE + 1), handed_in("bob")])
    assert not any(one.flags for one in same.values()), "the same file twice"


def test_a_file_that_can_be_read_goes_before_a_later_one_that_cannot():
    rar = replace(handed_in("bob", submitted=DUE + 9), sha256="1" * 64, marks=(), notes=("a .rar",))
    assert {one.points for one in by_student([handed_in("ada"), rar]).values()} == {6}


def test_notebooks_are_apart_and_files_of_no_notebook_are_nobody_elses():
    found = by_student([handed_in("ada"), handed_in("bob", "02"), replace(handed_in("ada"), notebook="", marks=())])
    assert sorted(found) == [("ada", ""), ("ada", "01"), ("ada", "02"), ("bob", "01"), ("bob", "02")]
    assert found["ada", "02"].handed_in_by == "bob"


@pytest.mark.parametrize("groups", [{}, {"none": ["x", "y"]}])
def test_without_a_group_nothing_changes(groups):
    files = [handed_in("ada"), handed_in("bob")]
    assert with_groups(files, groups) == files
