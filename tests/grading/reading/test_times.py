"""When something was handed in: by a source that can be shown, and that its student did not write."""

import os
from datetime import UTC, datetime

import pytest

from advcourse.grading.reading import gradescope
from advcourse.grading.reading.platforms import MARKED_LATE
from advcourse.grading.reading.roster import Student
from advcourse.grading.reading.submissions import collect
from advcourse.grading.reading.times import FILE as FILE_DATE
from advcourse.grading.reading.times import LIST, NBGRADER, ZIP, read_times
from tests.grading.reading.samples import file_name, lay_out, notebook, submit_zip, zipped

FILE, ONE = file_name(), notebook(work="return 1")
STAMP, AT_STAMP = b"2026-11-01 10:00:00.25 UTC", 1793527200.25
DOWNLOAD = (2026, 12, 5, 9, 0, 0)


def told(place, *given):
    return {one.student: (one.submitted, one.source) for one in collect(place, *given)}


def local(*date):
    return datetime(*date).timestamp()


# --- nbgrader's timestamp.txt ----------------------------------------------------------------------------------------

TREE = {f"submitted/ada/ps1/{FILE}": ONE, "submitted/ada/ps1/timestamp.txt": STAMP, f"submitted/bob/ps1/{FILE}": ONE,
        "submitted/bob/ps1/timestamp.txt": STAMP, f"submitted/cyd/ps1/{FILE}": ONE,
        "submitted/cyd/ps1/timestamp.txt": b"no date", "source/ps1/timestamp.txt": STAMP}


def test_nbgrader_s_dates_count_in_its_tree(tmp_path):
    folder = lay_out(tmp_path / "course", TREE)
    os.utime(folder / "submitted/cyd/ps1" / FILE, (1e9, 1e9))
    by_nbgrader = dict.fromkeys(("ada", "bob"), (AT_STAMP, NBGRADER))
    assert told(folder) == told(folder / "submitted") == by_nbgrader | {"cyd": (1e9, FILE_DATE)}
    lay_out(tmp_path, {"class.zip": zipped(TREE, DOWNLOAD)})
    assert told(tmp_path / "class.zip") == by_nbgrader | {"cyd": (local(*DOWNLOAD), ZIP)}


@pytest.mark.parametrize("files", [
    {f"eve/ps1/{FILE}": ONE, "eve/ps1/timestamp.txt": STAMP, f"bob/ps1/{FILE}": ONE},
    {f"eve/{FILE}": ONE, "eve/timestamp.txt": STAMP, f"bob/{FILE}": ONE},
    {f"eve/submitted/eve/ps1/{FILE}": ONE, "eve/submitted/eve/ps1/timestamp.txt": STAMP, f"bob/{FILE}": ONE},
    {f"eve_1_assignsubmission_file_/{FILE}": ONE, "eve_1_assignsubmission_file_/timestamp.txt": STAMP,
     f"bob_2_assignsubmission_file_/{FILE}": ONE},
    {f"submitted/eve_1_assignsubmission_file_/x/{FILE}": ONE,
     "submitted/eve_1_assignsubmission_file_/x/timestamp.txt": STAMP},
    {f"submitted/eve/x/{FILE}": ONE, "submitted/eve/x/timestamp.txt": STAMP, f"submitted/bob/x/{FILE}": ONE,
     f"submitted/cyd/{FILE}": ONE},
    {"eve.zip": zipped({f"submitted/eve/ps1/{FILE}": ONE, "submitted/eve/ps1/timestamp.txt": STAMP}),
     "bob.zip": zipped({FILE: ONE})}])
@pytest.mark.parametrize("packing", ["folder", "zip"])
def test_a_student_s_timestamp_txt_counts_nowhere_else(tmp_path, files, packing):
    place = lay_out(tmp_path / "class", files)
    for path in place.rglob("*"):
        if path.is_file():
            os.utime(path, (1e9, 1e9))
    if packing == "zip":
        place = tmp_path / "class.zip"
        place.write_bytes(zipped(files, DOWNLOAD))
    assert len(told(place)) >= 1
    assert {time for time, _ in told(place).values()} == {1e9 if packing == "folder" else local(*DOWNLOAD)}


# --- platforms -------------------------------------------------------------------------------------------------------

def test_the_dates_in_a_student_s_own_zip_are_the_student_s(tmp_path):
    folder = lay_out(tmp_path / "class", {"cleo.zip": zipped({FILE: ONE}, (1990, 1, 1, 0, 0, 0)), f"bob/{FILE}": ONE})
    os.utime(folder / "cleo.zip", (1e9, 1e9))
    assert told(folder)["cleo"] == (1e9, FILE_DATE)
    lay_out(tmp_path, {"class.zip": zipped({"cleo.zip": zipped({FILE: ONE}, (1990, 1, 1, 0, 0, 0)), "bob/" + FILE: ONE},
                                           (2026, 11, 2, 0, 0, 0))})
    assert told(tmp_path / "class.zip")["cleo"] == (local(2026, 11, 2), ZIP)


@pytest.mark.parametrize("packing", ["folder", "zip"])
def test_canvas_s_mark_counts_and_the_date_of_its_download_does_not(tmp_path, packing):
    files = {f"lovelaceada_12345_678901_{FILE}": ONE, f"turingalan_LATE_12346_678902_{FILE}": ONE,
             "hoppergrace_12347_678903_01_hopper_submission-2.zip": submit_zip(ONE, "hopper"),
             f"anon_Ab3dE_678904_{FILE}": ONE, f"LATE_anon_Zz9Yy_678905_{FILE}": ONE}
    place = lay_out(tmp_path / "class", files)
    if packing == "zip":
        place = tmp_path / "class.zip"
        place.write_bytes(zipped(files, DOWNLOAD))
    found = told(place)
    assert {student: time for student, (time, _) in found.items()} == {
        "lovelaceada": 0, "turingalan": MARKED_LATE, "hoppergrace": 0, "anon_Ab3dE": 0, "anon_Zz9Yy": MARKED_LATE}
    assert all("Canvas, which" in source and ("marks" in source) == (time == MARKED_LATE)
               for time, source in found.values())


def test_an_anonymous_student_s_second_file_is_the_same_student_s(tmp_path):
    (one,) = collect(lay_out(tmp_path, {f"anon_Ab3dE_67893_{FILE}": notebook(),
                                        f"anon_Ab3dE_70001_{FILE[:-6]}-1.ipynb": ONE}))
    assert (one.student, one.content) == ("anon_Ab3dE", ONE)


def test_one_file_with_canvas_s_name_among_others_is_not_punctual_by_that(tmp_path):
    folder = lay_out(tmp_path, {f"eve_12345_678901_{FILE}": ONE, f"ada_{FILE}": ONE, f"bob_{FILE}": ONE})
    os.utime(folder / f"eve_12345_678901_{FILE}", (1e9, 1e9))
    assert told(folder)["eve"] == (1e9, FILE_DATE)


def test_blackboard_s_attempt_and_its_receipts(tmp_path):
    name = "Adversarial ML_{}_attempt_2026-11-0{}-12-00-00{}"
    files = {name.format("ada", 1, "_" + FILE): notebook(), name.format("ada", 3, "_" + FILE): ONE,
             name.format("ada", 3, ".txt"): b"Name: Ada Lovelace (ada)\nDate Submitted: Tuesday\n",
             name.format("bob", 2, "_01_bob_submission.zip"): submit_zip(ONE, "bob"),
             name.format("cyd", 2, ".txt"): b"Name: Cyd (cyd)\n\nThere is no student submission text data"}
    lay_out(tmp_path, {"gradebook_ML_01_2026-12-05-09-00-00.zip": zipped(files, DOWNLOAD)})
    found = collect(tmp_path)
    assert [(one.student, one.submitted, one.platform, one.content == ONE) for one in found] == [
        ("ada", local(2026, 11, 3, 12), "ada", True), ("bob", local(2026, 11, 2, 12), "bob", True)]
    assert all("Blackboard's attempt" in one.source for one in found)


def test_brightspace_s_folders(tmp_path):
    found = collect(lay_out(tmp_path, {f"123-456 - Ada Lovelace - Nov 1, 2026 930 AM/{FILE}": ONE,
                                       f"124-457 - Alan Turing - Nov 2, 2026 1159 PM/{FILE}": ONE}))
    assert [(one.student, one.submitted) for one in found] == [
        ("Ada Lovelace", local(2026, 11, 1, 9, 30)), ("Alan Turing", local(2026, 11, 2, 23, 59))]


METADATA = b"""---
submission_1001:
  :submitters:
  - :name: Ada Lovelace
    :sid: '00471'
    :email: ada@uni.example
  :created_at: 2026-11-01 10:00:00.250000000 Z
  :score: 3.0
  :results: &1 {tests: []}
submission_1002:
  :submitters:
  - :name: Alan Turing
    :sid:
    :email: alan@uni.example
  - :name: Grace Hopper
    :sid: '12'
    :email: grace@uni.example
  :created_at: !ruby/object:ActiveSupport::TimeWithZone
    utc: 2026-11-01 11:00:00.250000000 Z
    zone: !ruby/object:ActiveSupport::TimeZone
      name: America/Los_Angeles
    time: 2026-11-01 03:00:00.250000000 Z
  :results: *1
"""


@pytest.mark.parametrize("wrapper", ["", "assignment_77_export/"])
@pytest.mark.parametrize("packing", ["folder", "zip in a folder"])
def test_gradescope_s_list_says_who_and_when_and_a_group_is_all_of_them(tmp_path, wrapper, packing):
    files = {f"{wrapper}submission_1001/{FILE}": ONE, f"{wrapper}submission_1002/mine/{FILE}": ONE,
             f"{wrapper}submission_1001/submission_metadata.yml": b"forged: {}",
             f"{wrapper}submission_metadata.yml": METADATA}
    lay_out(tmp_path, files if packing == "folder" else {"export.zip": zipped(files, DOWNLOAD)})
    times = {"Ada Lovelace": AT_STAMP, "Alan Turing": AT_STAMP + 3600, "Grace Hopper": AT_STAMP + 3600}
    assert told(tmp_path) == {student: (time, gradescope.SOURCE) for student, time in times.items()}
    roster = [Student("al", "A. Lovelace", "", {"sid": "471"}), Student("t", "", "alan@uni.example")]
    assert [(one.student, one.flags) for one in collect(tmp_path, roster)] == [
        ("Grace Hopper", ("'Grace Hopper' is not in the roster",)), ("al", ()), ("t", ())]


def test_one_student_alone_on_gradescope(tmp_path):
    one = METADATA[:METADATA.index(b"submission_1002")]
    assert told(lay_out(tmp_path, {f"submission_1001/{FILE}": ONE, "submission_1001/x.py": b"",
                                   "submission_metadata.yml": one})) == {"Ada Lovelace": (AT_STAMP, gradescope.SOURCE)}


def test_a_list_like_gradescope_s_in_a_student_s_folder_is_the_student_s(tmp_path):
    found = told(lay_out(tmp_path, {f"eve/submission_1001/{FILE}": ONE, "eve/submission_metadata.yml": METADATA,
                                    f"bob/{FILE}": ONE}))
    assert set(found) == {"eve", "bob"} and found["eve"][1] == FILE_DATE


@pytest.mark.parametrize("content", [b"a: [", b"- 1", b"x: {':submitters': [1]}", b"\xff"])
def test_a_broken_list_of_gradescope_s_is_an_error_in_words(content):
    with pytest.raises(ValueError, match=r"submission_metadata.yml is not as Gradescope writes it"):
        gradescope.read(content)


def test_the_numbers_that_moodle_gives_anew_for_each_assignment(tmp_path):
    """All downloads of the term in one folder; the second Ada is another."""
    one = {f"Ada_1_assignsubmission_file_/{FILE}": ONE, f"Bob_2_assignsubmission_file_/{FILE}": ONE,
           f"Cyd_3_assignsubmission_file_/{FILE}": ONE, f"Cyd_4_assignsubmission_file_/{FILE}": ONE}
    two = {f"Ada_11_assignsubmission_file_/{file_name('02')}": notebook("02"),
           f"Bob_12_assignsubmission_file_/{file_name('02')}": notebook("02")}
    lay_out(tmp_path, {"hw1.zip": zipped(one, DOWNLOAD), "hw2.zip": zipped(two, DOWNLOAD)})
    found = collect(tmp_path)
    assert [(item.student, item.notebook, item.platform) for item in found] == [
        ("Ada", "01", "1"), ("Ada", "02", "11"), ("Bob", "01", "2"), ("Bob", "02", "12"), ("Cyd (3)", "01", "3"),
        ("Cyd (4)", "01", "4")]
    assert {(item.submitted, item.source) for item in found} == {(local(*DOWNLOAD), ZIP)}


# --- a list of times -------------------------------------------------------------------------------------------------

def times(tmp_path, text):
    (tmp_path / "times.csv").write_text(text)
    return read_times(tmp_path / "times.csv")


def test_a_list_of_times_counts_more_than_any_date(tmp_path):
    given = times(tmp_path, "Student;Notebook;Time;comment\nada;1;2026-11-30T23:59:00+01:00;\n"
                            "Alan Turing;01;2026-12-01 00:00:00Z;ill\n")
    noon = datetime(2026, 11, 30, 22, 59, tzinfo=UTC).timestamp()
    assert given == {("ada", "01"): noon, ("Alan Turing", "01"): noon + 3660}
    folder = lay_out(tmp_path / "class", {f"Ada Lovelace_LATE_12345_678901_{FILE}": ONE,
                                          f"turingalan_12346_678902_{FILE}": ONE})
    roster = [Student("ada", "Ada Lovelace"), Student("turing", "Alan Turing")]
    assert told(folder, roster, given) == {"ada": (noon, LIST), "turing": (noon + 3660, LIST)}
    assert told(folder, (), {("ADA lovelace", "01"): 5.0})["Ada Lovelace"] == (5, LIST)
    with pytest.raises(ValueError, match="the list of times names 'eve', who is not in the class"):
        collect(folder, roster, {("eve", "01"): 5.0})


@pytest.mark.parametrize("text, message", [
    ("student,time\nada,2026-11-30T23:59:00Z", "needs one column 'notebook' in its first line"),
    ("student,notebook,time\nada,01,2026-11-30T23:59:00",
     "times.csv, line 2: the time must be a date, a time and their offset from UTC, such as 2026-11-30T23:59:00+01:00; "
     "got '2026-11-30T23:59:00'"),
    ("student,notebook,time\nada,01,30.11.2026 23:59", "line 2: the time must be"),
    ("student,notebook,time\nada,01", "line 2: the time must be"),
    ("student,notebook,time\nada,01,1969-12-31T23:59:59Z", "line 2: the time must be"),
    ("student,notebook,time\nada,Notebook 01,2026-11-30T23:59:00Z", "line 2: 'Notebook 01' is no notebook of the"),
    ("student,notebook,time\nada,99,2026-11-30T23:59:00Z", "line 2: '99' is no notebook"),
    ("student,notebook,time\nada,1,2026-11-30T23:59:00Z\nada,01,2026-11-30T23:59:00Z",
     "line 3: 'ada' has a time for notebook 01 already")])
def test_what_is_wrong_with_a_list_of_times_is_named(tmp_path, text, message):
    with pytest.raises(ValueError) as caught:
        times(tmp_path, text)
    assert message in str(caught.value)


def test_two_times_of_one_student_by_two_names_are_an_error(tmp_path):
    folder = lay_out(tmp_path, {f"ada/{FILE}": ONE, f"bob/{FILE}": ONE})
    with pytest.raises(ValueError, match="two for notebook 01 of 'ada', who is 'Ada Lovelace' as well"):
        collect(folder, [Student("ada", "Ada Lovelace")], {("ada", "01"): 5.0, ("Ada Lovelace", "01"): 9.0})


def test_a_list_of_times_as_excel_saves_it(tmp_path):
    assert times(tmp_path, "SEP=;\r\nstudent;notebook;time\r\nada;1;2026-11-30T23:59:00Z\r\n") == {
        ("ada", "01"): 1796083140.0}
