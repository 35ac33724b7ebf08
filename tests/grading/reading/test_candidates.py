"""Which of a student's files is graded: the one with work in it, never the course's own; and what is loud about it."""

import os

import pytest

from advcourse.grading.reading.notebooks import done, number_in
from advcourse.grading.reading.roster import Student
from advcourse.grading.reading.submissions import collect
from advcourse.handin.work import shipped
from advcourse.pipeline import masters
from tests.grading.reading.samples import file_name, lay_out, notebook, submit_zip, zipped

FILE, TITLE = file_name(), file_name().removesuffix(".ipynb")
WORK, OTHER = notebook(work="return 1"), notebook(work="return 2")
BLANK = notebook()


def dated(folder, times):
    for name, seconds in times.items():
        os.utime(folder / name, (seconds, seconds))
    return folder


@pytest.mark.parametrize("copy", [
    f"{TITLE}__20261104104101.ipynb", f"{TITLE}-Copy1.ipynb", f"{TITLE} (1).ipynb", f"{TITLE} - Copy.ipynb",
    f"{TITLE} - Copy (2).ipynb", f"{TITLE} copy.ipynb", f"Copy of {FILE}", f"deeper/{FILE}", "homework.ipynb"])
@pytest.mark.parametrize("blank_is", ["the renamed one", "the plain one"])
@pytest.mark.parametrize("newer", ["blank", "work"])
def test_a_fresh_blank_beside_the_work_is_passed_over(tmp_path, copy, blank_is, newer):
    plain, renamed = (WORK, BLANK) if blank_is == "the renamed one" else (BLANK, WORK)
    folder = lay_out(tmp_path, {f"ada/{FILE}": plain, f"ada/{copy}": renamed, f"bob/{FILE}": WORK})
    is_renamed = (blank_is == "the renamed one") == (newer == "blank")
    dated(folder, {f"ada/{FILE}": 1e9, f"ada/{copy}": 1e9 + (1000 if is_renamed else -1000)})
    one, _ = collect(folder)
    assert (one.student, one.content, one.flags) == ("ada", WORK, ())
    assert "there is no work in it" in one.notes[0]


def test_two_with_different_work_are_loud_and_the_latest_counts(tmp_path):
    folder = lay_out(tmp_path, {f"ada/{FILE}": WORK, f"ada/{TITLE}-Copy1.ipynb": OTHER, f"bob/{FILE}": WORK,
                                f"bob/{TITLE} (1).ipynb": WORK.replace(b'"metadata": {}', b'"metadata": {"x": 1}')})
    dated(folder, {f"ada/{TITLE}-Copy1.ipynb": 1e9})
    ada, bob = collect(folder)
    assert ada.content == WORK and len(ada.flags) == 1
    assert f"graded is {folder / 'ada' / FILE}" in ada.flags[0] and "Copy1" in ada.flags[0]
    assert bob.flags == () and len(bob.notes) == 1, "they say the same"


def test_what_a_platform_numbers_is_an_earlier_one_and_not_loud(tmp_path):
    canvas = "lovelaceada_12345_67890{}_{}{}.ipynb"
    blackboard = "HW_ada_attempt_2026-11-0{}-12-00-00_{}"
    for files in ({canvas.format(1, TITLE, ""): OTHER, canvas.format(2, TITLE, "-1"): WORK},
                  {blackboard.format(1, FILE): OTHER, blackboard.format(2, FILE): WORK,
                   "HW_ada_attempt_2026-11-02-12-00-00.txt": b"Name: Ada (ada)\nAssignment: HW 01\n"}):
        folder = lay_out(tmp_path / str(len(files)), files)
        (one,) = collect(folder)
        assert (one.content, one.flags, len(one.notes)) == (WORK, (), 1)


def test_both_the_zip_and_the_notebook_are_one(tmp_path):
    (one,) = collect(lay_out(tmp_path, {f"Ada_1_assignsubmission_file_/{FILE}": WORK,
                                        "Ada_1_assignsubmission_file_/01_ada_submission.zip": submit_zip(WORK, "ada")}))
    assert one.student == "Ada" and not one.flags


FORK = {"notebooks/{}": BLANK, "notebooks/solutions/{}": WORK, "notebooks/source/{}": WORK, "pyproject.toml": b"",
        "advcourse/files.py": b"", "README.md": b"", "tests/house/test_01.py": b"", "docs/01_x.md": b"",
        "venv/lib/python3.12/site-packages/advcourse/notebooks/{}": WORK}


@pytest.mark.parametrize("packing", ["folders", "zips", "one folder", "one zip", "the fork itself", "in moodle"])
def test_the_solutions_in_a_fork_of_the_course_are_nobody_s(tmp_path, packing):
    fork = {name.format(FILE): content for name, content in FORK.items()}
    ada = {f"adv-ml-ada/{name}": content for name, content in fork.items()}
    bob = {f"adv-ml-bob/{name}": content for name, content in fork.items()} | {f"adv-ml-bob/notebooks/{FILE}": OTHER}
    files = {
        "folders": ada | bob, "one folder": ada, "the fork itself": fork,
        "zips": {"ada.zip": zipped({f"advcourse-main/{name}": content for name, content in fork.items()}),
                 "bob.zip": zipped({f"advcourse/{name.removeprefix('adv-ml-bob/')}": content
                                    for name, content in bob.items()})},
        "one zip": {"class.zip": zipped(ada)},
        "in moodle": {"Ada_1_assignsubmission_file_/fork.zip": zipped(fork),
                      f"Bob_2_assignsubmission_file_/{FILE}": OTHER}}[packing]
    found = collect(lay_out(tmp_path / "download", files))
    blank, *worked = found
    assert (blank.content, blank.notebook, blank.flags) == (BLANK, "01", ())
    assert [one.content for one in worked] == ([OTHER] if packing in ("folders", "zips", "in moodle") else [])
    if packing in ("folders", "one folder"):
        assert blank.student == "adv-ml-ada"


def test_who_hands_in_the_course_s_solutions_alone_hands_in_nothing_that_counts(tmp_path):
    one, _ = collect(lay_out(tmp_path, {f"ada/solutions/{FILE}": WORK, f"bob/{FILE}": WORK}))
    assert one.notebook == "01" and "never a submission" in one.problem and one.content == b""


def test_the_work_in_the_copies_of_advcourse_lab_counts(tmp_path):
    one, _ = collect(lay_out(tmp_path, {f"ada/notebooks/{FILE}": BLANK, f"ada/advcourse-notebooks/{FILE}": WORK,
                                        "ada/pyproject.toml": b"", f"bob/{FILE}": WORK}))
    assert one.content == WORK


def test_a_file_that_is_no_json_is_not_better_than_an_earlier_one_with_work(tmp_path):
    folder = lay_out(tmp_path, {f"ada/{FILE}": WORK, f"ada/{TITLE} (1).ipynb": b"<<<<<<< HEAD\n" + BLANK,
                                f"bob/{FILE}": WORK})
    dated(folder, {f"ada/{FILE}": 1e9})
    assert collect(folder)[0].content == WORK


# --- Google Drive ----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("students", [("ada", "bob"), ("", "")])
def test_copies_of_two_people_stay_two(tmp_path, students):
    one, two = (notebook("01", student, f"return {work}") for work, student in enumerate(students))
    found = collect(lay_out(tmp_path, {f"Copy of {FILE}": one, f"Copy of {TITLE} (1).ipynb": two}))
    names = ["ada", "bob"] if all(students) else [f"Copy of {TITLE}", f"Copy of {TITLE} (1)"]
    assert [one.student for one in found] == names and not any(one.flags for one in found)
    assert {one.content for one in found} == {one, two}


@pytest.mark.parametrize("packing", ["folder", "zip"])
def test_a_folder_of_drive_s_is_of_as_many_students_as_it_tells(tmp_path, packing):
    """Drive packs a folder with its name."""
    names = {f"Copy of {FILE}": "ada", f"Copy of {TITLE} (1).ipynb": "bob", f"Copy of {TITLE} (2).ipynb": "",
             f"Cyd - {FILE}": "cyd"}
    files = {f"HW 1/{name}": notebook("01", student, "return 1") for name, student in names.items()}
    place = lay_out(tmp_path / "class", {"drive.zip": zipped(files)} if packing == "zip" else files)
    assert [one.student for one in collect(place)] == [f"Copy of {TITLE} (2)", "Cyd", "ada", "bob"]
    alone = lay_out(tmp_path / "alone", {f"HW 1/Copy of {FILE}": WORK, f"HW 1/Copy of {TITLE} (1).ipynb": BLANK})
    assert [one.student for one in collect(alone)] == ["HW 1"]


@pytest.mark.parametrize("name, rest", [
    (f"Copy of {FILE}", ""), (f"Ada Lovelace - Copy of {FILE}", "Ada Lovelace"),
    (f"Kopie von {TITLE} - Ada.ipynb", "Ada"), (f"Ada - {TITLE} (1).ipynb", "Ada"),
    (f"{TITLE}__20261104104101.ipynb", ""), (f"Ada_{TITLE}-Copy1.ipynb", "Ada"), (f"Copia de {TITLE} (2).ipynb", "")])
def test_what_a_copy_is_called_is_no_part_of_a_name(name, rest):
    assert number_in(name) == ("01", rest)


# --- what work is ----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("number", list(shipped()))
def test_the_course_s_own_notebooks(number):
    (solved,) = (masters.ROOT / "notebooks" / "solutions").glob(f"{number}_*.ipynb")
    assert not done(shipped()[number].read_bytes(), number).own
    assert done(solved.read_bytes(), number).own


@pytest.mark.parametrize("content, is_work", [
    (BLANK, False), (notebook("01", "ada"), False), (b"no notebook", False), (WORK, True),
    (notebook(work="'''What I think of it.'''\\n    pass"), False), (notebook(work="..."), False),
    (BLANK.replace(b"STUDENT = ", b"SEED, EPS, STUDENT = 5, 0.1, "), False),
    (BLANK.replace(b'"cells": [', b'"cells": [{"cell_type": "code", "source": "answer(\\"01.6\\", \\"b\\")"}, '), True),
    (BLANK.replace(b'"cells": [', b'"cells": [{"cell_type": "code", "source": "answer(\\"01.6\\", ...)"}, '), False)])
def test_a_stub_is_no_work_whatever_else_is_changed(content, is_work):
    assert bool(done(content, "01").own) == is_work


# --- work first ------------------------------------------------------------------------------------------------------

ROSTER = [Student("ada", "Ada Lovelace"), Student("bob", "Bob Beta")]


@pytest.mark.parametrize("personal", [False, True])
@pytest.mark.parametrize("blank", [BLANK, notebook("01", "ada")])
def test_work_in_doubt_counts_before_a_blank_without(tmp_path, personal, blank):
    folder = lay_out(tmp_path, {f"ada/{FILE}": blank, f"ada/{TITLE}-Copy1.ipynb": notebook("01", "Addie", "return 1"),
                                f"bob/{FILE}": WORK})
    one, _ = collect(folder, ROSTER, personal=personal)
    assert one.content == notebook("01", "Addie", "return 1")
    assert one.flags == ("STUDENT says 'Addie', who is not in the roster",)


@pytest.mark.parametrize("name, content", [
    ("my work.7z", b"x"), ("01_adversarial_examples.rar", b"x"), ("scan.PDF", b"x"), ("work.tar.gz", b"x"),
    ("work.zip", b"PKxx"), ("other.ipynb", b'{"broken'), (f"{TITLE} (1).ipynb", b"<<<<<<< HEAD\n" + WORK)])
@pytest.mark.parametrize("roster", [(), ROSTER])
def test_a_blank_beside_what_cannot_be_read_is_flagged(tmp_path, name, content, roster):
    folder = lay_out(tmp_path, {f"ada/{FILE}": BLANK, f"ada/{name}": content, f"bob/{FILE}": WORK,
                                f"bob/{name}": content})
    dated(folder, {f"ada/{name}": 1e9})
    ada, bob = (one for one in collect(folder, roster) if one.notebook)
    assert ada.content == BLANK and bob.content == WORK and bob.flags == ()
    assert len(ada.flags) == 1 and "no work in it" in ada.flags[0] and name in ada.flags[0]


def test_pictures_tables_and_programs_beside_a_blank_are_no_flag(tmp_path):
    others = {f"ada/{name}": b"x" for name in ("a.png", "b.csv", "c.py", "README.md", "d.toml")}
    assert collect(lay_out(tmp_path, {f"ada/{FILE}": BLANK, f"bob/{FILE}": WORK} | others))[0].flags == ()
