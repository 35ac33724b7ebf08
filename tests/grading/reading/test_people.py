"""Whose a submission is: what platforms and files call people, joined with the roster; and who may not be joined."""

import pytest

from advcourse.grading.reading.people import Register
from advcourse.grading.reading.roster import Student
from advcourse.grading.reading.submissions import collect, missing
from tests.grading.reading.samples import file_name, lay_out, notebook, submit_zip, zipped

OBRIEN = Student("obrien", "Siobhán O'Brien", "s.obrien@uni.example", {"id": "40001", "sisloginid": "sob12"})
MUELLER = Student("mueller", "Möller-Lüdenscheidt, Jürg", "jurg@uni.example", {"id": "40002", "sisuserid": "00471"})
ZOE = Student("zhao", "Zoë van der Ærø", "", {"githubusername": "zoe-codes"})
LI = Student("47", "李小龍")
CLASS = [OBRIEN, MUELLER, ZOE, LI]
WORK = "return 1"
FILE = file_name()


def who(submissions):
    return {(one.student, one.notebook): one for one in submissions}


@pytest.mark.parametrize("called, student", [
    ("Siobhán O'Brien", OBRIEN), ("SIOBHAN O’BRIEN", OBRIEN), ("O'Brien, Siobhán", OBRIEN), ("obriensiobhán", OBRIEN),
    ("obriensiobhan", OBRIEN), ("Siobha\u0301n O'Brien", OBRIEN), ("O'Brien Siobhán", OBRIEN), ("Obrien", OBRIEN),
    ("s.obrien@uni.example", OBRIEN), ("S.OBrien@Uni.example", OBRIEN), ("40001", OBRIEN), ("sob12", OBRIEN),
    ("Jürg Möller-Lüdenscheidt", MUELLER), ("mollerludenscheidtjurg", MUELLER), ("möllerlüdenscheidtjürg", MUELLER),
    ("Juerg Moeller-Luedenscheidt", MUELLER), ("00471", MUELLER), ("471", MUELLER),
    ("O'Brien Siobhan (sob12)", OBRIEN), ("vanderærøzoë", ZOE), ("Zoe van der Aeroe", ZOE), ("zoe-codes", ZOE),
    ("李小龍", LI), ("47", LI), ("047", LI)])
def test_everything_that_platforms_call_somebody(called, student):
    assert Register(CLASS).find(called) == [student]


def test_a_platform_s_number_is_no_other_number(tmp_path):
    """A student's number at the university may be Canvas's of another."""
    (found,) = collect(lay_out(tmp_path, {f"lovelaceada_471_678901_{FILE}": notebook()}), [
        Student("471", "Bob", "", {"id": "900", "sisuserid": "471"}), Student("47", "Ada Lovelace")])
    assert found.student == "47"
    one, two = Student("41", "Ada", "", {"id": "42", "sisloginid": "ada"}), Student("42", "Bob", "", {"id": "41"})
    assert Register([one, two]).find("Canvas 42") == [one] and Register([one, two]).find("Canvas 41", "Bob") == [two]


@pytest.mark.parametrize("called", ["", "O'Brien", "Siobhan", "Jürg", "brien", "4", "4001", "@", "Zoe Aero"])
def test_a_part_of_a_name_is_nobody_s(called):
    assert Register(CLASS).find(called) == []


LAYOUTS = {
    "moodle": {"Siobhán O'Brien_123_assignsubmission_file_/{}": "obrien",
               "Jürg Möller-Lüdenscheidt_124_assignsubmission_file_/{}": "mueller"},
    "moodle with groups": {"Group A-Siobhán O'Brien_123_assignsubmission_file_/{}": "obrien",
                           "Group-B-Jürg Möller-Lüdenscheidt_124_assignsubmission_file_/{}": "mueller"},
    "canvas": {"obriensiobhán_40001_678901_{}": "obrien", "möllerlüdenscheidtjürg_LATE_40002_678902_{}": "mueller"},
    "canvas, renamed since": {"obrianshivaun_40001_678901_{}": "obrien", "xy_40002_678902_{}": "mueller"},
    "blackboard": {"Home_work_sob12_attempt_2026-11-01-12-00-00_{}": "obrien",
                   "Home_work_mueller_attempt_2026-11-01-12-00-00_{}": "mueller"},
    "brightspace": {"12-678 - Siobhan O'Brien - Nov 1, 2026 1200 PM/{}": "obrien",
                    "13-679 - Jürg Möller-Lüdenscheidt - Nov 1, 2026 930 AM/{}": "mueller"},
    "e-mail": {"s.obrien@uni.example/{}": "obrien", "JURG@uni.example/{}": "mueller"},
    "github classroom": {"adv-ml-zoe-codes/notebooks/{}": "zhao", "adv-ml-sob12/notebooks/{}": "obrien"},
    "drive": {"Siobhán O'Brien - {}": "obrien", "Jürg Möller-Lüdenscheidt - {}": "mueller"},
    "names of files": {"obrien_{}": "obrien", "40002_{}": "mueller"},
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("packing", ["folder", "zip"])
def test_a_layout_is_joined_with_the_roster(tmp_path, layout, packing):
    files = {name.format(FILE): notebook("01", student, WORK) for name, student in LAYOUTS[layout].items()}
    place = lay_out(tmp_path / "download", files)
    if packing == "zip":
        place = tmp_path / "download.zip"
        place.write_bytes(zipped(files))
    found = collect(place, CLASS, personal=True)
    assert sorted(one.student for one in found) == sorted(LAYOUTS[layout].values())
    names = {student.id: student.name for student in CLASS}
    assert all(one.name == names[one.student] and not one.flags and not one.problem for one in found)


def test_what_submit_wrote_is_joined_whatever_the_platform_calls_its_student(tmp_path):
    """Release made the notebooks; the roster knows ids alone; Moodle writes names."""
    roster = [Student("obrien", ""), Student("ada.l", "")]
    found = collect(lay_out(tmp_path, {
        "Siobhán O'Brien_123_assignsubmission_file_/01_obrien_submission.zip": submit_zip(notebook(), "obrien"),
        "Ada_124_assignsubmission_file_/work.ipynb": notebook("01", "ada.l")}), roster)
    assert [(one.student, one.platform) for one in found] == [("ada.l", "124"), ("obrien", "123")]
    assert all("told by the file alone" in one.flags[0] for one in found), "it is the student's own word"


def test_the_manifest_counts_where_its_notebook_is_the_one_beside_it(tmp_path):
    other = zipped({FILE: notebook(work=WORK), "manifest.json": submit_zip(notebook(), "obrien")})
    manifest = b'{"sha256": "00", "student": "obrien"}'
    found = collect(lay_out(tmp_path, {
        "Ada_1_assignsubmission_file_/w.zip": submit_zip(notebook(), "obrien"),
        "Bob_2_assignsubmission_file_/manifest.json": manifest, f"Bob_2_assignsubmission_file_/{FILE}": notebook(),
        "Cyd_3_assignsubmission_file_/w.zip": other}), [OBRIEN])
    assert [one.student for one in found] == ["Bob", "Cyd", "obrien"]


# --- who writes somebody else's id -----------------------------------------------------------------------------------

def test_a_platform_counts_more_than_what_a_student_writes_and_the_difference_is_loud(tmp_path):
    eve = Student("eve", "Eve")
    found = who(collect(lay_out(tmp_path, {
        "Eve_1_assignsubmission_file_/01_obrien_submission.zip": submit_zip(notebook("01", "obrien", WORK), "obrien"),
        f"Siobhán O'Brien_2_assignsubmission_file_/{FILE}": notebook("01", "nobody", WORK)}), [OBRIEN, eve]))
    assert set(found) == {("eve", "01"), ("obrien", "01")}
    told = "\n".join(found["eve", "01"].flags)
    assert all(words in told for words in ("manifest.json says 'obrien', who is obrien",
                                           "STUDENT says 'obrien', who is obrien", "the name of its zip says"))
    assert found["obrien", "01"].flags == ("STUDENT says 'nobody', who is not in the roster",)
    assert set(found["eve", "01"].flags) <= set(found["eve", "01"].notes)


@pytest.mark.parametrize("others", [
    {f"Siobhán O'Brien_2_assignsubmission_file_/{file_name('02')}": notebook("02", "obrien", WORK)},
    {f"Mallory_3_assignsubmission_file_/{FILE}": notebook("01", "obrien", WORK)}], ids=["herself", "another liar"])
def test_nobody_is_taken_by_their_own_word_for_who_is_there_already(tmp_path, others):
    found = collect(lay_out(tmp_path, others | {
        f"Eve_1_assignsubmission_file_/{FILE}": notebook("01", "obrien", WORK)}), [OBRIEN])
    (eve,) = [one for one in found if one.student == "Eve"]
    assert "'Eve' is not in the roster" in eve.flags
    assert "STUDENT says 'obrien', who is obrien (Siobhán O'Brien)" in eve.flags


def test_a_file_that_names_itself_never_takes_the_place_of_one_that_its_student_handed_in(tmp_path):
    """In a folder into which everybody may put files, Eve puts one under another's name; the real one is older."""
    found = collect(lay_out(tmp_path, {
        "01_obrien_submission.zip": submit_zip(notebook("01", "obrien", WORK), "obrien"),
        "01_obrien_submission (1).zip": submit_zip(notebook("01", "eve", "return 'harm'"), "eve"),
    }), [OBRIEN, Student("eve", "Eve")])
    (one,) = found
    assert one.student == "obrien" and b"harm" not in one.content
    assert "two files with different work" in one.flags[0]


def test_a_student_s_own_file_name_is_no_platform_s(tmp_path):
    """In a folder for each student, they name what lies in it."""
    folder = lay_out(tmp_path, {
        f"eve/bob_40001_678901_{FILE}": notebook(work=WORK), f"mallory/Bob_1_assignsubmission_file_/{FILE}": notebook(),
        f"bob/{FILE}": notebook(work="return 2")})
    found = who(collect(folder, [Student(name, name) for name in ("bob", "eve", "mallory")]))
    assert set(found) == {("eve", "01"), ("bob", "01"), ("mallory", "01")}
    assert all(one.source == "the file's date" for one in found.values())


def test_two_of_one_name_are_told_apart_by_what_they_write_and_else_not_at_all(tmp_path):
    roster = [Student("k1", "Jan Kowalski"), Student("k2", "Jan Kowalski")]
    name = "Jan Kowalski_{}_assignsubmission_file_/{}"
    found = collect(lay_out(tmp_path, {name.format(1, FILE): notebook("01", "k2"),
                                       name.format(2, FILE): notebook("01", "")}), roster)
    unknown, known = sorted(found, key=lambda one: one.student == "k2")
    assert known.student == "k2" and not known.flags
    assert unknown.student not in ("k1", "k2") and "may be k1, k2 in the roster" in unknown.flags[0]


def test_who_is_not_in_the_roster_is_told_and_gets_nobody_s_id(tmp_path):
    found = collect(lay_out(tmp_path, {f"Visitor/{FILE}": notebook(), "Visitor 2/x.pdf": b"%PDF", "notes.txt": b"",
                                       f"obrien/{FILE}": notebook()}), [OBRIEN])
    assert [(one.student, one.flags) for one in found] == [
        ("Visitor", ("'Visitor' is not in the roster",)), ("Visitor 2", ("'Visitor 2' is not in the roster",)),
        ("obrien", ())]


def test_a_group_s_file_may_bear_the_name_of_any_of_them(tmp_path):
    submitters = "".join(f"  - :name: {name}\n    :sid: '{number}'\n" for number, name in (("1", "Ada"), ("2", "Bob")))
    yml = f"submission_1:\n  :submitters:\n{submitters}  :created_at: 2026-12-01 10:00:00 Z\n".encode()

    def flags(student):
        return [one.flags for one in collect(lay_out(tmp_path, {
            "submission_metadata.yml": yml, f"submission_1/{FILE}": notebook("01", student)}),
            [Student("1", "Ada"), Student("2", "Bob"), Student("3", "Eve")])]
    assert flags("2") == flags("1") == [(), ()]
    assert flags("3") == 2 * [("STUDENT says '3', who is 3 (Eve)",)]


def test_an_order_of_choices_that_was_not_seen_is_flagged(tmp_path):
    place = lay_out(tmp_path, {f"obrien/{FILE}": notebook("01", "")})
    assert not collect(place, [OBRIEN])[0].flags
    assert "STUDENT was left open" in collect(place, [OBRIEN], personal=True)[0].flags[0]


def test_who_handed_in_nothing(tmp_path):
    found = collect(lay_out(tmp_path, {f"obrien/{FILE}": notebook(), "47/01.pdf": b"%PDF"}), CLASS)
    assert missing(CLASS, found, ["01", "02"]) == {"01": [MUELLER, ZOE], "02": CLASS}
