"""advcourse.submit(): one file, and what is still missing, in a kernel and outside of one."""

import hashlib
import json
import subprocess
import sys
import types
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import nbclient
import nbformat
import pytest

import advcourse
from advcourse import exercises, files
from advcourse.exercises import letter_of_right_answer
from advcourse.exercises.display import MIME
from advcourse.grading.reading.submissions import collect
from advcourse.handin import trial
from advcourse.notebook import frontend, submission

START = "from advcourse.notebook import start\nfrom advcourse.exercises import *\n" + (
    'start("00", dataset="digits", device_name="cpu", student="ada");')
NAMED = f'STUDENT = "ada"\n{START}'
TO_DO = "def largest_change(x, x_p):\n    raise NotImplementedError\n\nlargest_change = check('00.1', largest_change)"
WRONG = TO_DO.replace("raise NotImplementedError", "return (x_p - x).flatten(1).amax(1)")
RIGHT = TO_DO.replace("raise NotImplementedError", "return (x_p - x).abs().flatten(1).amax(1)")
OPEN = 'answer("00.2", ...)'
ANSWERED = f'answer("00.2", "{letter_of_right_answer("00.2", "ada")}")'
SUBMIT = "import advcourse\n\nadvcourse.submit()"


def notebook_of(*sources):
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])


@pytest.fixture
def unpacked():
    """The notebook and the manifest of a submission."""
    def unpack(path):
        with zipfile.ZipFile(path) as archive:
            contents = {name: archive.read(name) for name in archive.namelist()}
        manifest = json.loads(contents.pop("manifest.json"))
        (name, content), = contents.items()
        assert name == manifest["file"] and hashlib.sha256(content).hexdigest() == manifest["sha256"]
        return content, manifest
    return unpack


# --- in a kernel -----------------------------------------------------------------------------------------------------

def test_a_student_s_way_to_a_submission(tmp_path, unpacked):
    """Tries little and submits; solves all and forgets to save; saves. Each time one file is there, and words fit."""
    nbformat.write(notebook_of(NAMED, WRONG, OPEN, SUBMIT), tmp_path / "00_welcome.ipynb")
    nbformat.write(notebook_of(NAMED, RIGHT, ANSWERED, SUBMIT), tmp_path / "later")
    save = "import pathlib; pathlib.Path('later').replace('00_welcome.ipynb');"
    keep = "pathlib.Path('00_ada_submission.zip').replace('{}.zip');"
    session = notebook_of(NAMED, WRONG, OPEN, SUBMIT, "import pathlib; " + keep.format("first"), RIGHT, ANSWERED,
                          SUBMIT, save, SUBMIT)
    nbclient.NotebookClient(session, timeout=120, kernel_name="python3",
                            resources={"metadata": {"path": str(tmp_path)}}).execute()
    first, second, third = ([output["data"] for output in cell.outputs] for cell in session.cells
                            if cell.source == SUBMIT)

    assert len(first) == len(second) == len(third) == 1, "one output, and no path behind it"
    assert first[0][MIME]["missing"] == ["open: 00.2.", "not right yet: 00.1."]
    assert "✗ 00.1" in first[0]["text/plain"] and "○ 00.2" in first[0]["text/plain"]
    assert "Still missing (" in first[0]["text/html"]
    assert second[0][MIME]["missing"] == [
        "the file is older than what you ran last for 00.1, 00.2: save the notebook (Ctrl+S) and run this cell again."]
    assert third[0][MIME]["missing"] == [] and "Nothing is missing" in third[0]["text/plain"]

    for name, code in (("first", WRONG), ("00_ada_submission", RIGHT)):
        content, manifest = unpacked(tmp_path / f"{name}.zip")
        assert code in [cell.source for cell in nbformat.reads(content.decode(), as_version=4).cells]
        assert {key: manifest[key] for key in ("advcourse", "notebook", "student", "file")} == {
            "advcourse": advcourse.__version__, "notebook": "00", "student": "ada", "file": "00_welcome.ipynb"}
        assert abs((datetime.now(UTC) - datetime.fromisoformat(manifest["time"])).total_seconds()) < 600
    assert {path.name for path in tmp_path.iterdir()} == {"00_welcome.ipynb", "first.zip", "00_ada_submission.zip"}


# --- outside of one --------------------------------------------------------------------------------------------------

@pytest.fixture
def work(tmp_path, monkeypatch):
    """A folder with a student's saved notebook 00, in a session where nothing was tried yet."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    monkeypatch.setattr(trial, "tried", lambda content, notebook: {})  # it takes seconds, and has tests of its own
    nbformat.write(notebook_of(START, TO_DO), folder / "00_welcome.ipynb")
    exercises.set_notebook("00")
    exercises.set_student("ada")
    yield folder
    exercises.set_notebook(None)
    exercises.set_student("")


def left(folder):
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".ipynb")


def test_what_was_not_run_is_named(work, capsys):
    assert advcourse.submit() is None
    said = capsys.readouterr().out
    assert "- not run since the kernel started (run the notebook from the top): 00.1, 00.2." in said
    assert "Still missing (" in said and "○ 00.1" in said
    assert left(work) == ["00_ada_submission.zip"]


def test_before_the_set_up_cell_nothing_is_written(work, capsys):
    exercises.set_notebook(None)
    advcourse.submit("00_welcome.ipynb")
    assert "Run the set-up cell first" in capsys.readouterr().out and not left(work)


def test_a_renamed_notebook_is_given_by_name_and_keeps_its_number(work, unpacked):
    (work / "00_welcome.ipynb").rename(work / "homework (1).ipynb")
    advcourse.submit("homework (1).ipynb")
    assert unpacked(work / "00_ada_submission.zip")[1]["file"] == "00_homework (1).ipynb"


def test_a_file_that_is_not_there_or_no_notebook_is_an_error(work):
    with pytest.raises(FileNotFoundError, match=r"there is no file nope\.ipynb in .*; save the notebook"):
        advcourse.submit("nope.ipynb")
    for content in (b"", b"\xff\xfe", b"[]", b"{}", b'{"cells": 3}', b'{"cells": [{}]}', b"[" * 100_000):
        (work / "broken.ipynb").write_bytes(content)
        with pytest.raises(ValueError, match=r"broken\.ipynb is not a notebook: it "):
            advcourse.submit("broken.ipynb")
    assert not left(work)


def test_another_notebook_an_empty_student_and_a_huge_file_are_named(work, capsys, monkeypatch):
    nbformat.write(notebook_of(START.replace('"00"', '"01"')), work / "other.ipynb")
    exercises.set_student("")
    monkeypatch.setattr(submission, "LARGEST_NOTEBOOK", 10)
    advcourse.submit("other.ipynb")
    said = capsys.readouterr().out
    assert "STUDENT is empty" in said and "does not look like notebook 00" in said and "clear the outputs" in said
    assert left(work) == ["00_unnamed_submission.zip"]


def missing(folder, capsys, *sources):
    """What is said to be missing of a saved notebook of these cells, beside that nothing was run."""
    nbformat.write(notebook_of(*sources), folder / "00_welcome.ipynb")
    advcourse.submit("00_welcome.ipynb")
    lines = [line[4:] for line in capsys.readouterr().out.splitlines() if line.startswith("  - ")]
    assert lines.pop().startswith("not run since")
    return lines


@pytest.mark.parametrize("assigned, is_right", [
    ('STUDENT = "ada"', True), ("STUDENT = ' ada '  # me", True), ("", True), ('STUDENT = ""', False),
    ('STUDENT = "bob"', False), ("STUDENT = ...", False), ("STUDENT = input()", False),
    ('STUDENT = "ada"\nSTUDENT = ""', False)])
def test_a_student_whom_the_saved_file_does_not_name_is_told_so(work, capsys, assigned, is_right):
    lines = missing(work, capsys, assigned, START, TO_DO, OPEN)
    assert lines == [] if is_right else "STUDENT in the saved file is not 'ada'" in lines[0]


def test_cells_that_were_deleted_are_named_and_what_remains_of_their_work_counts(work, capsys):
    assert missing(work, capsys, START, TO_DO, OPEN) == []
    line, = missing(work, capsys, START, TO_DO)
    assert line.startswith("the saved file has no cell for 00.2: take it over")
    line, = missing(work, capsys, START)
    assert line.startswith("the saved file has no cell for 00.1, 00.2: ")
    assert missing(work, capsys, START, WRONG.split("\n\n")[0], 'question("00.2")', 'choice = "b"') == []


def test_a_cell_that_was_deleted_after_it_ran_is_not_said_to_be_unsaved(work, capsys, monkeypatch):
    history = types.SimpleNamespace(input_hist_raw=["", START, RIGHT, "%%time\n" + OPEN.replace('"', "'"), "1 +"])
    shell = types.SimpleNamespace(user_ns={}, history_manager=history)
    monkeypatch.setattr(frontend, "ipython", lambda: shell)
    absent, unsaved = missing(work, capsys, START, TO_DO)
    assert absent.startswith("the saved file has no cell for 00.2: ")
    assert unsaved.startswith("the file is older than what you ran last for 00.1: ")


def test_work_that_is_there_and_cannot_be_graded_is_named(work, capsys):
    assert missing(work, capsys, START, 'check("00.1", lambda x, x_p: x)', 'answer("00.2", "b".lower())') == [
        "00.2: an answer is not written as a letter, and does not count.",
        "00.1: check is given something else than the name of a function, so there is nothing to grade."]


@pytest.mark.parametrize("set_up, is_right", [
    ("course = start('00', student=STUDENT)", True), ("%%time\nnotebook.start(\n    notebook='00')", True),
    ("if True:\n    start('00')", True), ('# start("00", student=STUDENT)', False),
    ('TEXT = """start("00", "")"""', False), ('start("01")', False)])
def test_a_call_of_start_is_one_in_code(work, capsys, set_up, is_right):
    lines = missing(work, capsys, set_up, TO_DO, OPEN)
    assert lines == [] if is_right else "does not look like notebook 00" in lines[0]


def test_any_student_s_name_makes_one_file_name(work):
    for student, name in (("../../etc/x", "etc_x"), ("Ada Lovelace", "Ada_Lovelace"),
                          ("ü@uni.example", "ü@uni.example"),
                          ("x" * 999, 80 * "x")):
        exercises.set_student(student)
        advcourse.submit()
        assert left(work) == [f"00_{name}_submission.zip"]
        (work / left(work)[0]).unlink()


@pytest.mark.parametrize("value, name, words", [
    (1234, "1234", None), (True, "True", None), ("ada\nbob", "ada_bob", None),
    ("!!!", "unnamed", "STUDENT is '!!!', with"),
    ("😀", "unnamed", "STUDENT is '😀', with"),
    ("\ud800", "unnamed", "STUDENT is '?', with"),
    (None, "unnamed", "STUDENT is empty"), ("  ", "unnamed", "STUDENT is empty")], ids=ascii)
def test_a_number_is_a_name_and_without_a_letter_or_digit_the_file_is_unnamed(work, capsys, value, name, words):
    exercises.set_student(value)
    lines = missing(work, capsys, f"STUDENT = {value!a}", START, TO_DO, OPEN)
    assert lines == [] if words is None else lines[0].startswith(words) and len(lines) == 1
    assert left(work) == [f"00_{name}_submission.zip"]


def test_the_grader_finds_the_notebook_in_it(work):
    folder = work / "submitted class" / "Ada Lovelace_4711_assignsubmission_file_"
    folder.mkdir(parents=True)
    advcourse.submit()
    (work / "00_ada_submission.zip").rename(folder / "00_ada_submission.zip")
    found, = collect(folder.parent)
    assert (found.student, found.notebook, found.problem) == ("Ada Lovelace", "00", None)
    assert found.content == (work / "00_welcome.ipynb").read_bytes()


def test_a_file_that_cannot_be_finished_is_not_begun(work, monkeypatch, capsys):
    advcourse.submit()
    before = (work / "00_ada_submission.zip").read_bytes()
    monkeypatch.setattr("os.replace", lambda *paths: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    capsys.readouterr()
    advcourse.submit()
    assert capsys.readouterr().out.endswith("\nNothing can be written here (No space left on device). Hand in the "
                                            "notebook's own .ipynb file: it counts as well.\n")
    assert left(work) == ["00_ada_submission.zip"] and (work / "00_ada_submission.zip").read_bytes() == before


def test_where_the_notebook_s_folder_is_only_to_be_read_the_file_is_written_where_one_works(work, monkeypatch, capsys):
    folder = work.parent / "input"
    folder.mkdir()
    (work / "00_welcome.ipynb").rename(folder / "00_welcome.ipynb")
    write = files.write

    def refuse(path, content):
        if path.parent == folder:
            raise OSError(30, "Read-only file system")
        write(path, content)

    monkeypatch.setattr(files, "write", refuse)
    advcourse.submit(folder / "00_welcome.ipynb")
    assert left(work) == ["00_ada_submission.zip"]
    assert f"Wrote {work / '00_ada_submission.zip'}, with 00_welcome.ipynb as it was" in capsys.readouterr().out


@pytest.mark.parametrize("told, version", [('version="0.1.0", ', "0.1.0"), ("", None), ("version=1 + 1, ", None)])
def test_the_manifest_tells_the_versions_of_the_notebook_and_of_the_package(work, unpacked, told, version):
    nbformat.write(notebook_of(START.replace('"00", ', f'"00", {told}'), TO_DO), work / "00_welcome.ipynb")
    advcourse.submit()
    manifest = unpacked(work / "00_ada_submission.zip")[1]
    assert (manifest["advcourse"], manifest["notebook_version"]) == (advcourse.__version__, version)


def test_nothing_of_a_notebook_becomes_html(monkeypatch):
    shown = []
    monkeypatch.setattr(submission, "emit", lambda payload, text, html: shown.append(html))
    submission.show(Path("<i>.zip"), Path("<script>.ipynb"), {}, [("00.1", "<b>title</b>", "passed", 1, 1)],
                    ["<img src=x>"])
    assert not any(tag in shown[0] for tag in ("<b>title", "<i>", "<script", "<img"))


def test_importing_the_package_alone_imports_nothing_heavy():
    code = ("import sys, advcourse; "
            "print(callable(advcourse.submit), 'torch' in sys.modules, 'advcourse.notebook.submission' in sys.modules)")
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "True False False\n"
