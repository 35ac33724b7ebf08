"""What advcourse itself wrote is no submission: marks and pages of an earlier run, and what was handed out."""

import json

import pytest

from advcourse import files
from advcourse.grading.gradebook import open_gradebook
from advcourse.grading.marks import Graded
from advcourse.grading.reading.submissions import collect
from advcourse.grading.reports import folder
from advcourse.grading.reports.standings import standings
from tests.grading.reading.samples import file_name, lay_out, notebook, zipped

FILE = file_name()
WORK, OTHER, BLANK = notebook(work="return 1"), notebook(work="return 2"), notebook()
CLASSES = {
    "folders": {f"ada/{FILE}": WORK, f"bob/{FILE}": OTHER},
    "moodle": {f"ada_1_assignsubmission_file_/{FILE}": WORK, f"bob_2_assignsubmission_file_/{FILE}": OTHER},
    "canvas": {f"ada_12345_67890_{FILE}": WORK, f"bob_12346_67891_{FILE}": OTHER},
    "a zip of all": {"class.zip": zipped({f"ada_12345_67890_{FILE}": WORK, f"bob_12346_67891_{FILE}": OTHER})},
    "in a folder": {f"solutions/ada/{FILE}": WORK, f"solutions/bob/{FILE}": OTHER},
}


@pytest.fixture(scope="module")
def grades(tmp_path_factory):
    """From name to bytes, all files that grading a class of Moodle's leaves."""
    out = tmp_path_factory.mktemp("grades")
    graded = [Graded(name, "01", path=f"class.zip!{name}_{at}_assignsubmission_file_/{FILE}", sha256="",
                     platform=str(at)) for at, name in enumerate(("ada", "bob"), start=1)]
    for place in (out, out / "anonymous"):
        folder.write(standings(graded), place)
    open_gradebook(out / "gradebook.db").close()
    for name in ("overrides.csv", "seed.txt", "filled/grades-01.csv", "gradebook.db-wal", "notes.docx"):
        files.write(out / name, "x")
    return {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if path.is_file()}


def told(place):
    return {one.student: one.content for one in collect(place)}


def packed(tmp_path, contents, packing):
    """Where these files are: in a folder, or in a zip."""
    if packing == "folder":
        return lay_out(tmp_path / "class", contents)
    (tmp_path / "all.zip").write_bytes(zipped(contents))
    return tmp_path / "all.zip"


@pytest.mark.parametrize("layout, packing", [(layout, packing) for layout in CLASSES for packing in ("folder", "zip")
                                             if (layout, packing) != ("a zip of all", "zip")])
@pytest.mark.parametrize("told_by", ["gradebook.db", "grades.csv"])
@pytest.mark.parametrize("called", ["grades", "marks of week 1"])
def test_marks_and_pages_among_the_submissions_are_skipped(tmp_path, grades, packing, layout, told_by, called):
    kept = {name: content for name, content in grades.items()
            if name == told_by or name.rpartition("/")[2] not in ("gradebook.db", "grades.csv")}
    place = packed(tmp_path, CLASSES[layout] | {f"{called}/{name}": content for name, content in kept.items()}, packing)
    assert told(place) == {"ada": WORK, "bob": OTHER}


@pytest.mark.parametrize("packing", ["folder", "zip"])
@pytest.mark.parametrize("layout", ["folders", "moodle", "canvas"])
def test_a_class_may_be_graded_into_its_own_folder(tmp_path, grades, layout, packing):
    assert told(packed(tmp_path, CLASSES[layout] | grades, packing)) == {"ada": WORK, "bob": OTHER}


@pytest.mark.parametrize("place", ["ada", "ada/grades"])
def test_a_student_who_graded_their_own_work_is_not_lost(tmp_path, grades, place):
    contents = {f"{place}/{name}": content for name, content in grades.items()} | CLASSES["folders"]
    assert told(packed(tmp_path, contents, "folder")) == {"ada": WORK, "bob": OTHER}


@pytest.mark.parametrize("room", ["students", "results", "feedback", "anonymous"])
@pytest.mark.parametrize("packing", ["folder", "zip"])
def test_a_part_of_them_alone_is_skipped_as_well(tmp_path, grades, room, packing):
    part = {name: content for name, content in grades.items() if name.startswith(f"{room}/")}
    assert part and told(packed(tmp_path, CLASSES["folders"] | part, packing)) == {"ada": WORK, "bob": OTHER}


def test_what_only_looks_like_it_is_read(tmp_path):
    contents = {f"grades/{FILE}": WORK, "grades/gradebook.db": b"SQLite format 3\0" + bytes(100),
                f"feedback/{FILE}": OTHER, "students.zip": zipped({FILE: BLANK}), "bob/01.html": b"<html>",
                "eve/results.json": json.dumps({}).encode()}
    found = {one.student: one.problem for one in collect(lay_out(tmp_path, contents))}
    assert found.keys() == {"grades", "feedback", "students", "bob", "eve"}
    assert found["grades"] is found["students"] is None and ".html" in found["bob"]


@pytest.mark.parametrize("packing", ["folder", "zip"])
def test_what_was_handed_out_is_no_submission_before_somebody_works_in_it(tmp_path, packing):
    def released(name, content=BLANK):
        handed_out = zipped({f"{name}/{FILE}": BLANK, f"{name}/README.md": b"# Course"})
        return {f"{name}/{FILE}": content, f"{name}/README.md": b"# Course", f"{name}.zip": handed_out}
    release = {f"release/{name}": content for name, content in (released("ada") | released("bob")).items()}
    assert told(packed(tmp_path, CLASSES["folders"] | release, packing)) == {"ada": WORK, "bob": OTHER}
    if packing == "folder":  # who has a folder of their own there works in it
        there = released("ada", WORK) | released("bob")
        assert told(lay_out(tmp_path / "there", there)) == {"ada": WORK, "bob": BLANK}
        (tmp_path / "around").mkdir()
        (tmp_path / "there").rename(tmp_path / "around" / "2026")
        assert told(tmp_path / "around")["ada"] == WORK


@pytest.mark.parametrize("packing", ["folder", "zip"])
def test_rubbish_beside_a_class_is_skipped(tmp_path, packing):
    rubbish = {f"{folder}/{name}": BLANK for folder in (".ipynb_checkpoints", "__MACOSX", "ada/.ipynb_checkpoints",
                                                         "__MACOSX/ada", ".git", ".Trash-0/ada")
               for name in (FILE, f"._{FILE}")}
    assert told(packed(tmp_path, CLASSES["folders"] | rubbish, packing)) == {"ada": WORK, "bob": OTHER}
