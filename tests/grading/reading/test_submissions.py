"""From the layouts of learning platforms, honest or hostile, to submissions."""

import io
import json
import os
import stat
import zipfile

import pytest

from advcourse.grading.reading import archives
from advcourse.grading.reading.platforms import MARKED_LATE
from advcourse.grading.reading.submissions import collect
from tests.grading.reading.samples import lay_out, zipped


def notebook(number="01", text=""):
    source = f'{text}\nproject = check("{number}.1", project)'
    return json.dumps({"cells": [{"cell_type": "code", "source": source}], "nbformat": 4, "nbformat_minor": 5}).encode()


ONE = notebook("01")
UNTITLED = json.dumps({"cells": []}).encode()


def found(folder):
    return [(one.student, one.notebook) for one in collect(folder) if one.problem is None]


LAYOUTS = {
    "moodle, folders": {"Ada Lovelace_123456_assignsubmission_file_/01_adversarial_examples.ipynb": ONE,
                        "Alan Turing_123457_assignsubmission_file_/my work.ipynb": ONE},
    "moodle, flat": {"Ada Lovelace_123456_assignsubmission_file_x.ipynb": ONE,
                     "Alan Turing_123457_assignsubmission_file_01_adversarial_examples.ipynb": ONE},
    "moodle, a zip each": {"Ada Lovelace_123456_assignsubmission_file_work.zip": zipped({"work/01.ipynb": ONE}),
                           "Alan Turing_123457_assignsubmission_file_/work.zip": zipped({"homework (1).ipynb": ONE})},
    "canvas": {"Ada Lovelace_12345_678901_01_adversarial_examples.ipynb": ONE,
               "Alan Turing_LATE_12346_678902_01_adversarial_examples-1.ipynb": ONE},
    "what submit() writes": {
        "01_Ada Lovelace_submission.zip": zipped({"01_adversarial_examples.ipynb": ONE, "manifest.json": b"{}"}),
        "01_Alan Turing_submission.zip": zipped({"homework.ipynb": ONE, "manifest.json": b"{}"})},
    "folders": {"Ada Lovelace/01_adversarial_examples.ipynb": ONE, "Alan Turing/homework (1).ipynb": ONE,
                "marks.csv": b"",
                "README.txt": b""},
    "deeper folders": {"Ada Lovelace/week 1/01.ipynb": ONE, "Alan Turing/01.ipynb.txt": ONE},
    "files": {"Ada Lovelace_01_adversarial_examples.ipynb": ONE, "Alan Turing-01.ipynb": ONE},
    "other files": {"01_adversarial_examples_Ada Lovelace (2).ipynb": ONE,
                    "Alan Turing adversarial-examples.ipynb": ONE},
    "nbgrader": {"Ada Lovelace/ps1/01_adversarial_examples.ipynb": ONE,
                 "Ada Lovelace/ps1/timestamp.txt": b"2026-11-01 10:00:00 UTC",
                 "Alan Turing/ps1/problem.ipynb": ONE},
    "nbgrader's course": {"submitted/Ada Lovelace/ps1/01.ipynb": ONE, "submitted/Alan Turing/ps1/01.ipynb": ONE,
                          "source/ps1/01.ipynb": ONE, "gradebook.db": b""},
    "a zip each": {"Ada Lovelace.zip": zipped({"01.ipynb": ONE}), "Alan Turing.zip": zipped({"a/b/01.ipynb": ONE})},
    "rubbish beside": {"Ada Lovelace/01.ipynb": ONE, "Ada Lovelace/.ipynb_checkpoints/02.ipynb": ONE,
                       "__MACOSX/x/01.ipynb": ONE,
                       "Alan Turing/._01.ipynb": ONE, "Alan Turing/01.ipynb": ONE, ".hidden/01.ipynb": ONE,
                       "Alan Turing/plot_02.png": b"x"},
}


@pytest.mark.parametrize("layout, packing", [
    (layout, packing) for layout in LAYOUTS
    for packing in ("folder", "zip", "zip in a folder", "wrapped folder", "wrapped zip")
    if (layout, packing) != ("nbgrader's course", "wrapped folder")])  # its submitted/ lies at the top
def test_layouts(tmp_path, layout, packing):
    files = LAYOUTS[layout]
    if packing == "folder":
        folder = lay_out(tmp_path / "download", files)
    elif packing == "wrapped folder":
        folder = lay_out(tmp_path / "download", {f"submissions/{name}": content for name, content in files.items()})
    else:
        if packing == "wrapped zip":
            files = {f"course-2026/{name}": content for name, content in files.items()}
        lay_out(tmp_path, {"download.zip": zipped(files), "roster.csv": b""})
        folder = tmp_path / "download.zip" if packing == "zip" else tmp_path
    assert found(folder) == [("Ada Lovelace", "01"), ("Alan Turing", "01")]
    assert all(one.content == ONE and one.source for one in collect(folder))


def test_a_folder_around_one_student_is_no_student(tmp_path):
    assert found(lay_out(tmp_path, {"submissions/Ada/01.ipynb": ONE})) == [("Ada", "01")]
    assert found(tmp_path / "submissions" / "Ada") == [("Ada", "01")]


@pytest.mark.parametrize("name, student, number", [
    ("lovelaceada_12345_678901_01_adversarial_examples.ipynb", "lovelaceada", "01"),
    ("ada_adversarial_examples_01.ipynb", "ada", "01"), ("ada-adversarial-examples.ipynb", "ada", "01"),
    ("Adversarial Examples Ada.IPYNB", "Ada", "01"), ("ada_00_welcome.ipynb", "ada", "00"),
    ("02_threat_models.ipynb", "download", "02"),
    ("03-Copy1.ipynb", "download", "03"), ("ada (10).ipynb", "ada", ""), ("ada_2026-10-05.ipynb", "ada_2026-10-05", ""),
    ("ada_99.ipynb", "ada_99", ""), ("10.ipynb", "download", "10"), ("", "download", ""),
])
def test_what_a_name_tells(tmp_path, name, student, number):
    submissions = collect(lay_out(tmp_path / "download", {name or "(1).ipynb": UNTITLED}))
    assert [(one.student, one.notebook) for one in submissions] == [(student, number)]
    assert (submissions[0].problem is None) == bool(number)


def test_what_is_in_a_file_tells_more_than_a_number_in_its_name_and_less_than_a_title(tmp_path):
    folder = lay_out(tmp_path, {"ada/02.ipynb": ONE, "bob/02_threat_models.ipynb": ONE,
                                "cleo/x.ipynb": ONE.decode().encode("utf-16"),
                                "dan/x.ipynb": notebook("77"), "fay.ipynb": ONE,
                                "eve/x.ipynb": notebook("01", 'start("02", "x")\nstart("02")')})
    assert found(folder) == [("ada", "01"), ("bob", "02"), ("cleo", "01"), ("eve", "02"), ("fay", "01")]
    assert "its name says 02" in collect(folder)[0].notes[0]


def test_the_latest_file_counts_and_the_others_are_noted(tmp_path):
    folder = lay_out(tmp_path, {"ada/01.ipynb": notebook(text="old"), "ada/homework.ipynb": notebook(text="new"),
                                "ada/02.ipynb": notebook("02")})
    os.utime(folder / "ada/01.ipynb", (1e9, 1e9))
    one, two = collect(folder)
    assert b"new" in one.content and len(one.notes) == 1 and str(folder / "ada/01.ipynb") in one.notes[0]
    assert two.notes == () and two.notebook == "02"


def test_what_canvas_numbers_again_is_later_than_any_date(tmp_path):
    name = "adal_LATE_12345_67890{}_01_adversarial_examples{}.ipynb"
    folder = lay_out(tmp_path, {name.format(1, "-1"): notebook(text="middle"),
                                name.format(2, "-2"): notebook(text="last"),
                                name.format(3, ""): notebook(text="first")})
    os.utime(folder / name.format(2, "-2"), (1e9, 1e9))
    (one,) = collect(folder)
    assert one.student == "adal" and b"last" in one.content
    assert one.submitted == MARKED_LATE and "marks it as late" in one.source and len(one.notes) == 2


def test_two_students_of_one_name_stay_two(tmp_path):
    folder = lay_out(tmp_path, {"Ada_123_assignsubmission_file_/01.ipynb": ONE,
                                "Ada_124_assignsubmission_file_/01.ipynb": ONE,
                                "A\nb/01.ipynb": ONE, "A?b/01.ipynb": ONE, "bob/01.ipynb": ONE, "Bob/01.ipynb": ONE,
                                "Bob (1)/01.ipynb": ONE})
    students = [one.student for one in collect(folder)]
    assert len(students) == 7 == len({student.casefold() for student in students})
    assert {"Ada (123)", "Ada (124)", "A?b (1)", "A?b (2)", "Bob (1)", "Bob (2)", "bob (3)"} == set(students)


def test_one_name_in_two_encodings_is_one_student(tmp_path):
    folder = lay_out(tmp_path, {"Zoe\u0308/01.ipynb": ONE, "Zo\u00eb/02.ipynb": notebook("02")})
    assert found(folder) == [("Zo\u00eb", "01"), ("Zo\u00eb", "02")]


@pytest.mark.parametrize("name, student", [
    ("a\nb", "a?b"), ("<script>alert(1)<", "<script>alert(1)<"), ("\x1b[31mred", "?[31mred"),
    ("abc\u202edcba", "abc?dcba"),
    ("..", "download"), ("x" * 250, "x" * 200), ("\udcff", "?"),
])
def test_strange_names_become_one_line(tmp_path, name, student):
    if name == "..":
        content = zipped({"../../../01.ipynb": ONE, "/etc/.././02.ipynb": notebook("02")})
        (tmp_path / "download.zip").write_bytes(content)
        assert found(tmp_path / "download.zip") == [("download", "01"), ("etc", "02")]
        return
    assert found(lay_out(tmp_path / "download", {f"{name}/01.ipynb": ONE})) == [(student, "01")]


def test_nothing_is_written_and_no_link_is_followed(tmp_path):
    secret = lay_out(tmp_path / "secret", {"01.ipynb": notebook(text="secret"),
                                           "class/02.ipynb": notebook("02", "secret")})
    folder = lay_out(tmp_path / "folder", {"bob/01.ipynb": ONE, "ada/03.ipynb": notebook("03")})
    (folder / "ada/01.ipynb").symlink_to(secret / "01.ipynb")
    (folder / "cleo").symlink_to(secret / "class", target_is_directory=True)
    (folder / "dan").mkdir()
    os.mkfifo(folder / "dan/01.ipynb")
    link = zipfile.ZipInfo("01.ipynb")
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    (folder / "eve.zip").write_bytes(zipped({link: b"/etc/passwd", "../../02.ipynb": notebook("02")}))
    before = sorted(tmp_path.rglob("*"))
    submissions = {(one.student, one.notebook): one for one in collect(folder)}
    assert sorted(tmp_path.rglob("*")) == before
    assert not any(b"secret" in one.content for one in submissions.values())
    assert all("link" in submissions[who].problem for who in [("ada", "01"), ("cleo", ""), ("eve", "01")])
    assert submissions["dan", "01"].problem
    assert submissions["eve", "02"].problem is None and submissions["bob", "01"].problem is None


def test_files_that_cannot_be_read_harm_no_one_else(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "LARGEST_NOTEBOOK", 10_000)
    monkeypatch.setattr(archives, "MOST_UNPACKED", 30_000)
    monkeypatch.setattr(archives, "MOST_MEMBERS", 5)
    big = UNTITLED + b" " * 20_000
    encrypted = bytearray(zipped({"01.ipynb": ONE}))
    for signature, at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        encrypted[encrypted.index(signature) + at] |= 1
    damaged = bytearray(zipped({"01.ipynb": ONE}))
    damaged[45:60] = b"x" * 15
    lies = zipped({"01.ipynb": big})
    lies = lies.replace(len(big).to_bytes(4, "little"), (50).to_bytes(4, "little"))
    bzip = io.BytesIO()
    with zipfile.ZipFile(bzip, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("01.ipynb", ONE)
    nested = zipped({"01.ipynb": ONE})
    for _ in range(6):
        nested = zipped({"inner.zip": nested})
    bad = {
        "large/01.ipynb": (big, "01", "too large"), "no zip.zip": (b"no zip", "", "not opened"),
        "empty.zip": (b"", "", "not opened"),
        "encrypted.zip": (bytes(encrypted), "01", "password"), "damaged.zip": (bytes(damaged), "01", "unpacked"),
        "bomb.zip": (zipped({"01.ipynb": big}), "01", "too large"), "liar.zip": (lies, "01", "unpacked"),
        "deep.zip": (nested, "", "archives"),
        "many.zip": (zipped({f"{i}.txt": b"" for i in range(9)}), "", "more than 5"),
        "bzip.zip": (bzip.getvalue(), "01", "method"),
        "zip64.zip": (zipped({"01.ipynb": ONE})[:-22] + b"PK\6\7" + b"\0" * 16 + zipped({"01.ipynb": ONE})[-22:], "",
                      "table of contents"),
    }
    files = {name: content for name, (content, *_) in bad.items()}
    folder = lay_out(tmp_path / "folder", files | {"ada/01.ipynb": ONE, "bob.zip": zipped({"01.ipynb": ONE})})
    (tmp_path / "class.zip").write_bytes(zipped(files | {"ada/01.ipynb": ONE, "bob.zip": zipped({"01.ipynb": ONE})}))
    for place in (folder, tmp_path / "class.zip"):
        assert found(place) == [("ada", "01"), ("bob", "01")]
        problems = {one.student: one for one in collect(place) if one.problem}
        assert len(problems) == len(bad)
        for name, (_, number, words) in bad.items():
            one = problems[name.split("/")[0].removesuffix(".zip")]
            assert words in one.problem and "\n" not in one.problem, one.problem
            assert (one.notebook, one.content) == (number, b"")


def test_all_of_a_students_archive_together_is_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "MOST_UNPACKED", 3 * len(ONE))
    inner = zipped({f"{number}.ipynb": ONE.replace(b"01", number.encode()) for number in ("03", "04", "05", "06")})
    (tmp_path / "ada.zip").write_bytes(zipped({"01.ipynb": ONE, "more.zip": inner}))
    (tmp_path / "bob.zip").write_bytes(zipped({"01.ipynb": ONE}))
    read = found(tmp_path)
    assert ("bob", "01") in read and ("ada", "01") in read and len(read) < 5
    assert any(one.problem and "too large" in one.problem for one in collect(tmp_path))


def test_one_name_twice_in_a_zip(tmp_path):
    with pytest.warns(UserWarning, match="Duplicate"):
        content = zipped([("01.ipynb", notebook(text="first")), ("01.ipynb", notebook(text="second"))])
    lay_out(tmp_path, {"ada.zip": content, "bob.zip": zipped({"01.ipynb": ONE})})
    ada, _ = collect(tmp_path)
    assert b"second" in ada.content and len(ada.notes) == 1


def test_files_that_are_no_notebooks(tmp_path):
    folder = lay_out(tmp_path, {
        "ada/01_adversarial_examples.pdf": b"%PDF", "bob/notes.docx": b"PK", "cleo/01.ipynb": ONE, "cleo/01.py": b"",
        "cleo/notes.pdf": b"",
        "dan_01_adversarial_examples.py": b"", "list of marks.txt": b"", "eve/02.ipynb": notebook("02"),
        "eve/figure_01.png": b""})
    told = {(one.student, one.notebook): one.problem for one in collect(folder)}
    assert told.keys() == {("ada", "01"), ("bob", ""), ("cleo", "01"), ("dan", "01"), ("eve", "02")}
    assert ".pdf" in told["ada", "01"] and ".docx" in told["bob", ""] and ".py" in told["dan", "01"]
    assert told["cleo", "01"] is None and told["eve", "02"] is None


def test_a_readable_file_is_better_than_a_later_one_that_is_not(tmp_path):
    folder = lay_out(tmp_path, {"ada/01.ipynb": ONE, "ada/z/01.pdf": b""})
    os.utime(folder / "ada/01.ipynb", (1e9, 1e9))
    (one,) = collect(folder)
    assert one.content == ONE and "01.pdf" in one.notes[0]


@pytest.mark.parametrize("given", ["nothing", "a file"])
def test_neither_a_folder_nor_a_zip(tmp_path, given):
    if given == "a file":
        (tmp_path / given).write_bytes(b"text")
    with pytest.raises(ValueError, match=f"{given}"):
        collect(tmp_path / given)


def test_an_empty_folder_has_no_submissions(tmp_path):
    assert collect(tmp_path) == []
