"""Nobody's file goes to somebody else, and nobody is lost: what students and other folders' names may look like."""

import pytest

from advcourse.grading.reading.roster import Student
from advcourse.grading.reading.submissions import collect
from tests.grading.reading.samples import file_name, lay_out, notebook, zipped

FILE = file_name()
WORK, OTHER, BLANK = notebook(work="return 1"), notebook(work="return 2"), notebook()
ADA, BOB = Student("ada", "Ada Lovelace"), Student("bob", "Bob Beta")


def told(folder, files, *given):
    """From each student to (content, flags)."""
    return {one.student: (one.content, one.flags) for one in collect(lay_out(folder / "class", files), *given)}


def contents(found):
    return {student: content for student, (content, _) in found.items()}


# --- Blackboard ------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("forged", ["bob_attempt_2026-11-03-00-00-00", "x_attempt_2026-11-01-00-00-00"])
@pytest.mark.parametrize("roster", [(), (ADA, BOB)])
def test_what_a_student_calls_a_file_on_blackboard_says_neither_who_nor_when(tmp_path, forged, roster):
    late = f"HW_ada_attempt_2026-12-20-12-00-00_{forged}_{FILE}"
    found = collect(lay_out(tmp_path, {late: WORK, f"HW_bob_attempt_2026-11-01-13-00-00_{FILE}": OTHER}), roster)
    assert [(one.student, one.content) for one in found] == [("ada", WORK), ("bob", OTHER)]
    assert found[0].submitted > found[1].submitted + 40 * 86400


@pytest.mark.parametrize("roster", [(), (Student("john_smith", ""), Student("jane_smith", ""), Student("smith", ""))])
@pytest.mark.parametrize("course", ["HW", "Home work_2"])
def test_blackboard_s_user_names_may_hold_what_parts_them_from_the_course(tmp_path, roster, course):
    name = f"{course}_{{}}_attempt_2026-11-01-12-00-00_{FILE}"
    found = told(tmp_path, {name.format("john_smith"): WORK, name.format("jane_smith"): OTHER}, roster)
    assert found == {"john_smith": (WORK, ()), "jane_smith": (OTHER, ())}


def test_the_one_student_of_each_of_two_columns_of_blackboard(tmp_path):
    found = told(tmp_path, {f"HW1_john_smith_attempt_2026-11-01-12-00-00_{FILE}": WORK,
                            f"HW2_jane_smith_attempt_2026-11-01-12-00-00_{FILE}": OTHER})
    assert contents(found) == {"john_smith": WORK, "jane_smith": OTHER}


# --- numbers ---------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("names", [("Ada Lovelace_123456_assignsubmission_file_/",
                                    "Bob Beta_777777_assignsubmission_file_/"),
                                   ("lovelaceada_123456_99999_", "betabob_777777_99998_")])
def test_a_platform_s_number_that_is_another_s_id(tmp_path, names):
    ada, bob = (f"{name}{FILE}" for name in names)
    roster = [Student("123456", "Bob Beta"), Student("555555", "Ada Lovelace")]
    assert told(tmp_path, {ada: WORK, bob: OTHER}, roster) == {"555555": (WORK, ()), "123456": (OTHER, ())}


def test_where_a_number_says_one_and_the_name_another_it_is_flagged(tmp_path):
    """The worksheet of another assignment, where Moodle numbers anew."""
    roster = [Student("a", "Ada Lovelace", "", {"identifier": "Participant 12"}),
              Student("b", "Bob Beta", "", {"identifier": "Participant 11"})]
    found = told(tmp_path, {f"Ada Lovelace_11_assignsubmission_file_/{FILE}": WORK,
                            f"Bob Beta_12_assignsubmission_file_/{FILE}": OTHER}, roster)
    assert all("by its number, and" in flags[0] for _, flags in found.values()) and len(found) == 2


@pytest.mark.parametrize("number, student", [("2026", "Ada Lovelace"), ("ada1", "Ada Lovelace")])
def test_an_id_within_a_name_of_somebody_else_joins_nobody(tmp_path, number, student):
    roster = [Student(number, student), BOB]
    found = told(tmp_path, {f"Bob Beta ({number})/{FILE}": WORK, f"Carl/{FILE}": OTHER}, roster)
    assert found[f"Bob Beta ({number})"][1] == (f"'Bob Beta ({number})' may be {number}, bob in the roster",)


def test_two_who_are_taken_for_one_are_flagged(tmp_path):
    found = told(tmp_path, {f"Carl 2026/{FILE}": WORK, f"Dora 2026/{FILE}": WORK}, [Student("2026", "Ada Lovelace")])
    assert "'Carl 2026' and 'Dora 2026'" in found["2026"][1][-1]


def test_two_of_one_name_in_one_assignment_are_flagged(tmp_path):
    found = told(tmp_path, {f"Ada Lovelace_11_assignsubmission_file_/{FILE}": WORK,
                            f"Ada Lovelace_12_assignsubmission_file_/{FILE}": WORK}, [ADA])
    assert found["ada"][1] == ("'Ada Lovelace' (11) and 'Ada Lovelace' (12) are taken for one student",)


# --- lists of Gradescope's, and what looks like them ---------------------------------------------------------------

def listed(*folders):
    """Gradescope's list: from a folder to its one student."""
    text = ""
    for folder, name in folders:
        student = f"\n  - :name: {name}\n    :sid: {name.split()[0].lower()}" if name else " []"
        text += f"{folder}:\n  :submitters:{student}\n  :created_at: 2026-11-01 10:00:00 Z\n"
    return text.encode()


FORGED = {"broken": b"{{{", "a list": b"- a\n", "no date": b"bob: 2026-13-45\n", "huge": b"a: " + b"9" * 6000,
          "deep": b"[" * 100_000, "no text": b"\xff\xfe\0", "slow": b"- {a: [1, 2, 3]}\n" * 200_000,
          "forged": listed(("submission_1", "Ada Lovelace"), ("bob", "Ada Lovelace"), ("ada", "Bob Beta"))}


@pytest.mark.parametrize("kind", FORGED)
@pytest.mark.parametrize("packing", ["folder", "zip", "moodle"])
def test_a_student_s_own_list_stops_nothing_and_says_nothing(tmp_path, kind, packing):
    inner = {"submission_metadata.yml": FORGED[kind], FILE: OTHER, f"submission_1/{FILE}": OTHER}
    files = {"folder": {f"ada/{FILE}": WORK} | {f"bob/{name}": content for name, content in inner.items()},
             "zip": {f"ada/{FILE}": WORK, "bob.zip": zipped(inner)},
             "moodle": {f"ada_1_assignsubmission_file_/{FILE}": WORK} | {
                 f"bob_2_assignsubmission_file_/{name}": content for name, content in inner.items()}}[packing]
    assert contents(told(tmp_path, files)) == {"ada": WORK, "bob": OTHER}


def test_one_list_in_the_only_folder_beside_others_files_is_a_student_s(tmp_path):
    bob = {"submission_metadata.yml": listed(("submission_1", "Ada Lovelace")), f"submission_1/{FILE}": OTHER}
    assert contents(told(tmp_path, {f"ada_{FILE}": WORK, "bob.zip": zipped(bob)})) == {"ada": WORK, "bob": OTHER}


@pytest.mark.parametrize("content", [value for kind, value in FORGED.items() if kind not in ("forged", "slow")] + [
    b"submission_1:\n  a: &a [x, x]\n  :submitters:\n  - :name: [*a, *a]\n", b"#" * 11_000_000])
def test_a_broken_list_of_the_class_is_one_error_that_names_it(tmp_path, content):
    folder = lay_out(tmp_path, {f"submission_1/{FILE}": WORK, "submission_metadata.yml": content})
    with pytest.raises(ValueError, match=r"submission_metadata.yml is (not as Gradescope writes it|too large)"):
        collect(folder)


@pytest.mark.parametrize("roster", [(), (ADA, BOB)])
@pytest.mark.parametrize("wrapper", ["", "export/"])
def test_a_submission_of_nobody_s_and_a_stray_file_leave_the_rest_of_the_list(tmp_path, roster, wrapper):
    text = listed(("submission_1", "Ada Lovelace"), ("submission_2", ""))
    found = told(tmp_path, {f"{wrapper}submission_metadata.yml": text, f"{wrapper}submission_1/{FILE}": WORK,
                            f"{wrapper}submission_2/{FILE}": OTHER, f"{wrapper}{FILE}": BLANK}, roster)
    assert found.pop("ada" if roster else "Ada Lovelace") == (WORK, ())
    assert found["submission_2"][0] == OTHER and len(found) == 2
    assert all("Gradescope's list does not say whose it is" in " ".join(flags) for _, flags in found.values())


def test_two_exports_of_gradescope_s(tmp_path):
    two = {f"e{at}/submission_1/{file_name(number)}": notebook(number) for at, number in enumerate(("01", "02"))}
    lists = {f"e{at}/submission_metadata.yml": listed(("submission_1", "Ada Lovelace")) for at in range(2)}
    found = collect(lay_out(tmp_path, two | lists))
    assert [(one.student, one.notebook) for one in found] == [("Ada Lovelace", "01"), ("Ada Lovelace", "02")]


# --- what looks like Canvas's, and folders around a class ------------------------------------------------------------

@pytest.mark.parametrize("name", ["AML_2026_1001_{}", "AML_1001_2026_{}"])
def test_folders_and_files_with_numbers_are_not_taken_for_canvas_s(tmp_path, name):
    ada, bob = f"{name.format('ada').replace('1001', '1002')}", name.format("bob")
    assert contents(told(tmp_path, {f"{ada}/{FILE}": WORK, f"{bob}/{FILE}": OTHER})) == {ada: WORK, bob: OTHER}
    found = contents(told(tmp_path / "files", {f"{ada}.ipynb": WORK, f"{bob}.ipynb": OTHER}))
    assert sorted(found.values()) == sorted([WORK, OTHER])


def test_one_student_s_two_notebooks_on_canvas_are_one_student_s(tmp_path):
    found = collect(lay_out(tmp_path, {f"lovelaceada_12_67_{FILE}": WORK,
                                       f"lovelaceada_12_68_{file_name('02')}": notebook("02")}))
    assert [(one.student, one.notebook, one.platform) for one in found] == [
        ("lovelaceada", "01", "12"), ("lovelaceada", "02", "12")]


@pytest.mark.parametrize("numbers", ["12_67", "7_8", "12_123456"])
def test_canvas_s_ids_may_be_short(tmp_path, numbers):
    files = {f"lovelaceada_{numbers}_{FILE}": WORK, f"betabob_LATE_1{numbers}_{FILE}": OTHER}
    found = collect(lay_out(tmp_path, files))
    assert [(one.student, one.submitted) for one in found] == [("betabob", -1.0), ("lovelaceada", 0.0)]


@pytest.mark.parametrize("roster", [(), (ADA, BOB)])
def test_a_folder_submitted_beside_students_drops_nobody(tmp_path, roster):
    files = {f"ada/{FILE}": WORK, f"submitted/bob/01/{FILE}": OTHER, f"submitted/cyd/01/{FILE}": BLANK,
             "submitted/bob/01/timestamp.txt": b"2026-11-01 10:00:00 UTC"}
    found = told(tmp_path, files, roster)
    assert contents(found) == {"ada": WORK, "submitted/bob": OTHER, "submitted/cyd": BLANK} and not found["ada"][1]
    assert "it lies in a folder 'submitted' beside students' own" in " ".join(found["submitted/bob"][1])


def test_the_other_folders_of_an_nbgrader_course_hold_no_submissions(tmp_path):
    others = ("release", "source", "autograded", "feedback", "solutions")
    files = {f"{folder}/ada/01/{FILE}": OTHER for folder in others}
    files |= {f"submitted/ada/01/{FILE}": WORK, "nbgrader_config.py": b"", "gradebook.db": b"", "roster.csv": b"",
              "README.md": b""}
    assert told(tmp_path, files) == {"ada": (WORK, ())}


@pytest.mark.parametrize("name", ["solutions", "source"])
@pytest.mark.parametrize("packing", ["folder", "zip", "zip in a folder"])
def test_a_folder_around_the_class_may_be_called_solutions(tmp_path, name, packing):
    files = {f"{name}/ada/{FILE}": WORK, f"{name}/bob/{FILE}": OTHER, f"{name}/bob/solutions/{FILE}": WORK,
             f"{name}/cyd.zip": zipped({FILE: WORK})}
    if packing != "folder":
        files = {"class.zip": zipped(files)}
    place = lay_out(tmp_path, files)
    found = collect(place / "class.zip" if packing == "zip" else place)
    assert [(one.student, one.content) for one in found] == [("ada", WORK), ("bob", OTHER), ("cyd", WORK)]


def test_a_student_s_gradebook_db_hides_nothing(tmp_path):
    folder = lay_out(tmp_path, {f"ada/{FILE}": WORK, f"bob/{FILE}": OTHER, "bob/gradebook.db": b"x" * 200})
    assert [one.student for one in collect(folder)] == ["ada", "bob"]


# --- numbers of blind marking ----------------------------------------------------------------------------------------

@pytest.mark.parametrize("word, folder", [
    ("Participant ", "Participant"), ("Teilnehmer/in ", "Teilnehmerin"), ("Teilnehmer/in", "Teilnehmer_in"),
    ("Teilnehmer*in ", "Teilnehmer_in")])
def test_blind_marking_joins_by_moodle_s_number(tmp_path, word, folder):
    roster = [Student("a@x", "Ada", "a@x", {"identifier" if folder == "Participant" else "id": f"{word}123"}),
              Student("b@x", "Bob", "b@x", {"identifier" if folder == "Participant" else "id": f"{word}124"})]
    found = told(tmp_path, {f"{folder}_123_assignsubmission_file_/{FILE}": WORK,
                            f"{folder}_124_assignsubmission_file_/{FILE}": OTHER}, roster)
    assert found == {"a@x": (WORK, ()), "b@x": (OTHER, ())} and roster[0].platform == "123"
