"""`advcourse grade` from hand-ins to what goes back to the platform: a small class, graded in real boxes once."""

import shutil
import zipfile

import pytest

from advcourse import files
from advcourse.cli.grading import tell
from advcourse.grading import run as grading
from advcourse.grading.course import load
from advcourse.grading.reading.submissions import Submission
from advcourse.handin.work import shipped
from tests.cli.test_cli import run
from tests.grading.reports.samples import read

COURSE = """name = "Winter"
[notebooks.00]
deadline = 2026-12-01T00:59:00+01:00
[groups]
pair = ["Ada", "Grace"]
"""
WORKSHEET = "Identifier,Full name,Grade,Maximum grade\nParticipant 1,Ada,,3\nParticipant 2,Bob,,3\n"
SET = "student,exercise,points,comment\nBob,00,1.5,read from the rar\nAda,00.2,0,see me\n"


@pytest.fixture(scope="module")
def submissions(tmp_path_factory):
    """A folder with a solved notebook of Ada's and an archive of Bob's; skips where there is no box."""
    try:
        grading.proven()
    except OSError as error:
        pytest.skip(f"no box here: {error}")
    folder = tmp_path_factory.mktemp("class") / "submissions"
    files.write(folder / "Bob" / "00_welcome.rar", b"Rar!\x1a\x07")
    (folder / "Ada").mkdir()
    shutil.copy(shipped()["00"].parent / "solutions" / shipped()["00"].name, folder / "Ada")
    files.write(folder.parent / "course.toml", COURSE)
    files.write(folder.parent / "grades-00.csv", WORKSHEET)
    return folder


def grade(submissions, out, *more):
    done = run("grade", str(submissions), "--out", str(out), "--workers", "1", "--course",
               str(submissions.parent / "course.toml"), *more)
    return done, {path.name: path.read_text("utf-8") for path in out.glob("*.csv")}


def errors(done):
    """The lines of errors, without those on what to look at: nothing came from Grace herself."""
    return [line for line in done.stderr.splitlines() if not line.startswith("look: Winter has in a group 'Grace'")]


def totals(written):
    return {row["student"]: (row["00 points"], row["percent"]) for row in read(written["totals.csv"])}


def test_a_class_from_hand_ins_to_the_platform(submissions, tmp_path):
    out = tmp_path / "out"
    done, written = grade(submissions, out, "--fill", str(submissions.parent / "grades-00.csv"), "--anonymous")
    assert done.exit_code == 0 and "3 notebooks graded, 1 of them unreadable" in done.stdout
    assert totals(written) == {"Ada": ("3", "100"), "Grace": ("3", "100"), "Bob": ("unreadable", "unreadable")}
    assert {row["state"] for row in read(written["grades.csv"]) if row["student"] == "Bob"} == {"unreadable"}
    filled = read((out / "filled" / "grades-00.csv").read_text("utf-8"))
    assert [row["Grade"] for row in filled] == ["3", ""]
    assert "grades-00.csv has no row for Grace" in done.stderr
    assert "Ada" not in (out / "anonymous" / "grades.csv").read_text("utf-8")
    assert written["overrides.csv"] == "student,exercise,points,comment\n", "to be filled in"

    code = next(row["code"] for row in read(written["key.csv"]) if row["student"] == "Ada")
    files.write(out / "overrides.csv", SET.replace("Ada", code))
    for _ in range(2):  # they survive the next run
        done, written = grade(submissions, out, "--regrade", "00.1")
        assert done.exit_code == 0 and "unreadable" not in done.stdout
        assert totals(written) == {"Ada": ("2", "66.67"), "Grace": ("3", "100"), "Bob": ("1.5", "50")}
        assert written["overrides.csv"] == SET.replace("Ada", code)

    files.write(out / "overrides.csv", SET + "Eve,00.1,1,\nAda,00.1,9,\n")
    before = written
    done, written = grade(submissions, out)
    assert done.exit_code == 1 and len(errors(done)) == 2
    assert "line 4: there is no student 'Eve'" in done.stderr and "from 0 to 2; got '9'" in done.stderr
    assert written == before | {"overrides.csv": written["overrides.csv"]}, "nothing is half applied"

    shutil.copytree(submissions, tmp_path / "submissions")
    (tmp_path / "submissions" / "Bob").rename(tmp_path / "submissions" / "bob.b")
    shutil.copy(submissions.parent / "course.toml", tmp_path)
    files.write(out / "overrides.csv", "")
    done, written = grade(tmp_path / "submissions", out)
    assert set(totals(written)) == {"Ada", "Grace", "bob.b"}
    assert "1 of earlier runs, which are not in" in done.stdout


@pytest.mark.parametrize("more, problem", [
    (["--regrade", "77.1"], "there is no exercise '77.1'"), (["--fill", "none.csv"], "none.csv"),
    (["--fill", str(files.PACKAGE / "py.typed")], "is neither Moodle's grading worksheet")])
def test_what_is_given_wrong_is_told_before_anything_is_graded(submissions, tmp_path, monkeypatch, more, problem):
    monkeypatch.setattr(grading, "grade_class", lambda *args, **options: pytest.fail("graded"))
    done, _ = grade(submissions, tmp_path / "out", *more)
    assert done.exit_code == 1 and problem in done.stderr and len(errors(done)) == 1


def test_the_zip_for_moodle_holds_a_page_for_each_of_its_folders(submissions, tmp_path):
    folder = tmp_path / "Ada Lovelace_4711_assignsubmission_file_"
    shutil.copytree(submissions / "Ada", tmp_path / "submissions" / folder.name)
    shutil.copy(submissions.parent / "course.toml", tmp_path)
    done, _ = grade(tmp_path / "submissions", tmp_path / "out")
    assert done.exit_code == 0
    with zipfile.ZipFile(tmp_path / "out" / "feedback" / "00.zip") as archive:
        assert archive.namelist() == [f"{folder.name}/feedback.html"]


def test_without_a_roster_whom_the_rules_misspell_is_told(tmp_path, capsys):
    extension = "[extensions.Adda]\n00 = 2026-12-03T12:00:00Z\n"
    files.write(tmp_path / "c.toml", COURSE.replace("Grace", "Graze") + extension)
    tell([Submission("Ada", "00", "a"), Submission("Grace", "00", "g")], [], load(tmp_path / "c.toml"))
    told = " ".join(capsys.readouterr().err.split())
    assert "has in a group 'Graze', of whom nothing was found" in told and "an extension to 'Adda', of whom" in told
    assert "Grace" not in told


def test_where_nothing_was_handed_in_it_is_said(tmp_path, submissions):
    (tmp_path / "class").mkdir()
    done = run("grade", str(tmp_path / "class"), "--out", str(tmp_path / "out"))
    assert done.exit_code == 1 and "nothing that students handed in was found" in done.stderr
    assert not (tmp_path / "out").exists()
