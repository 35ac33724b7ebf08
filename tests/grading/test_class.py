"""A whole class through the command: released by the roster, collected by a platform, graded by the roster's ids."""

import csv
import io
import tracemalloc
from pathlib import Path

import distributed
import nbformat
import pytest
from typer.testing import CliRunner

from advcourse.cli.app import app
from advcourse.exercises.session import letter_of_right_answer
from advcourse.grading import course as courses
from advcourse.grading import release, run
from advcourse.grading.reading.archives import Stored
from advcourse.grading.reading.roster import read_roster
from advcourse.grading.reading.submissions import collect
from tests.grading.reading.samples import lay_out, notebook, submit_zip, zipped

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
RULES = """
name = "Winter"
personal = true
[notebooks.00]
deadline = 2026-11-30T23:59:00+01:00
[late]
percent_per_day = 50
[extensions.s472]
00 = 2026-12-03T12:00:00Z
"""
CANVAS = """Student,ID,SIS User ID,SIS Login ID,Section
    Points Possible,,,,
"O'Brien, Siobhán",40001,s471,sob12,1
"Lovelace, Ada",40002,s472,ada,1
"Turing, Alan",40003,s473,turing,1
"Hopper, Grace",40004,s474,hopper,1
"""


@pytest.fixture
def work(tmp_path, monkeypatch):
    """A folder with winter.toml and roster.csv."""
    monkeypatch.chdir(tmp_path)
    lay_out(tmp_path, {"winter.toml": RULES.encode(), "roster.csv": CANVAS.encode()})
    return tmp_path


def grade(*arguments):
    return CliRunner().invoke(app, ["grade", *map(str, arguments), "--unsafe", "--workers", "1"],
                              env={"COLUMNS": "200", "TERM": "dumb"})


def points(folder):
    """From (student, exercise) to the points in grades.csv."""
    rows = csv.DictReader(io.StringIO((folder / "grades.csv").read_text(encoding="utf-8-sig")))
    return {(row["student"], row["exercise"]): float(row["points"]) for row in rows}


def solved(student):
    """The released notebook 00 of a student, all of it right."""
    rules = courses.load("winter.toml")
    (text,) = [text for name, text in release.contents(rules, student, release.templates(rules, NOTEBOOKS)).items()
               if name.endswith(".ipynb")]
    body = "return (x_p - x).abs().flatten(1).amax(1)"
    document = nbformat.reads(text, as_version=4)
    for cell in document.cells:
        cell.source = cell.source.replace("raise NotImplementedError  # your work", body).replace(
            "choice = ...", f'choice = "{letter_of_right_answer("00.2", student.id)}"')
    return nbformat.writes(document).encode()


def test_a_class_that_canvas_collected_gets_what_it_deserves(work):
    """Before, personal questions were judged in the order of Canvas's names, and no extension was found."""
    siobhan, ada, alan, _ = read_roster("roster.csv")
    files = {"obriensiobhán_40001_901_00_s471_submission.zip": submit_zip(solved(siobhan), "s471", "00"),
             "lovelaceada_LATE_40002_902_00_welcome.ipynb": solved(ada),
             "turingalan_LATE_40003_903_00_welcome-1.ipynb": solved(alan)}
    (work / "canvas.zip").write_bytes(zipped(files, (2027, 1, 5, 9, 0, 0)))
    done = grade("canvas.zip", "--course", "winter", "--students", "roster.csv", "--out", "out")
    assert done.exit_code == 0, done.output
    assert done.stderr == "" and "notebook 00: nothing from 1 of 4: s474" in done.stdout
    assert points(work / "out") == {(student, f"00.{number}"): full for student in ("s471", "s472", "s473")
                                    for number, full in ((1, 2), (2, 1))}
    (work / "times.csv").write_text("student,notebook,time\nTuring Alan,0,2026-11-30T10:00:00Z\n")
    found = collect("canvas.zip", read_roster("roster.csv"), {("turing", "00"): 5.0})
    assert [(one.student, one.name, one.platform, one.submitted) for one in found] == [
        ("s471", "O'Brien, Siobhán", "40001", 0), ("s472", "Lovelace, Ada", "40002", -1),
        ("s473", "Turing, Alan", "40003", 5)]
    assert grade("canvas.zip", "--course", "winter", "--students", "roster.csv", "--out", "out", "--times",
                 "times.csv").exit_code == 0


def test_what_a_person_should_look_at_is_said_before_marks_go_out(work):
    siobhan, ada, *_ = read_roster("roster.csv")
    lay_out(work / "class", {"s471/00_welcome.ipynb": solved(ada), "Mallory/00_welcome.ipynb": solved(siobhan),
                             "s472/00_welcome.ipynb": solved(ada)})
    done = grade("class", "--course", "winter", "--students", "roster.csv", "--out", "out")
    assert done.exit_code == 0, done.output
    told = done.stderr.splitlines()
    assert all(line.startswith("look: ") for line in told)
    for words in ("s471, notebook 00: STUDENT says 's472', who is s472",
                  "Mallory, notebook 00: 'Mallory' is not in the roster"):
        assert any(words in line for line in told), done.stderr
    assert points(work / "out")["s472", "00.2"] == 1


def test_who_has_left_leaves_the_tables_and_is_told(work):
    (work / "free.toml").write_text(RULES.replace("personal = true", ""))
    blank = (NOTEBOOKS / "00_welcome.ipynb").read_bytes()
    lay_out(work / "class", {f"{name}/00_welcome.ipynb": blank for name in ("Ada", "Bob", "Cyd")})
    first = grade("class", "--course", "free", "--out", "out")
    assert "earlier runs" not in first.stdout and "gives an extension to 's472', of whom nothing was" in first.stderr
    (work / "class" / "Ada").rename(work / "class" / "ada.lovelace")
    (work / "class" / "Bob" / "00_welcome.ipynb").unlink()
    done = grade("class", "--course", "free", "--out", "out")
    assert {student for student, _ in points(work / "out")} == {"ada.lovelace", "Cyd"}
    assert ("2 of earlier runs, which are not in class, are left out (the gradebook keeps them): Ada, notebook 00, "
            "Bob, notebook 00\n2 notebooks graded") in done.stdout


@pytest.mark.parametrize("arguments, message", [
    (["--course", "winter"], "error: Winter has personal = true"),
    (["--course", "winter", "--students", "short.csv"], "error: Winter gives an extension to 's472', who is not in"),
    (["--students", "none.csv"], "none.csv"), (["--students", "winter.toml"], "needs one column 'student'"),
    (["--students", "roster.csv", "--times", "roster.csv"], "needs one column 'notebook'"),
    (["--students", "roster.csv", "--times", "times.csv"], "the list of times names 'eve', who is not in the class")])
def test_what_goes_wrong_is_one_line(work, arguments, message):
    lay_out(work, {"short.csv": b"student,name\nada,Ada\n", "class/ada/x.txt": b"",
                   "times.csv": b"student,notebook,time\neve,00,2026-11-30T10:00:00Z\n"})
    done = grade("class", *arguments, "--out", "out")
    assert done.exit_code == 1 and message in done.stderr and len(done.stderr.splitlines()) == 1
    assert not (work / "out").exists()


# --- memory ----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("packing", ["folder", "zip of zips"])
def test_contents_stay_where_they_are_until_their_turn(tmp_path, packing):
    """40 files of 1 MB: they are read one by one, and none is kept."""
    content = notebook(work="return 1") + b" " * 1_000_000
    files = {f"s{number}/01.ipynb": content for number in range(40)}
    if packing == "folder":
        place = lay_out(tmp_path / "class", files)
    else:
        place = tmp_path / "class.zip"
        place.write_bytes(zipped({name.replace("/01.ipynb", ".zip"): zipped({"01.ipynb": content}) for name in files}))
    collect(place)
    tracemalloc.start()
    found = collect(place)
    kept, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(found) == 40 and kept < 2_000_000 and most < 25_000_000
    assert all(isinstance(one.stored, Stored) and one.content == content == one.in_memory().stored for one in found)


def test_a_file_that_is_gone_or_another_by_its_turn_is_an_error_in_words(tmp_path):
    lay_out(tmp_path, {"ada/01.ipynb": notebook(), "bob.zip": zipped({"x/01.ipynb": notebook()})})
    ada, bob = collect(tmp_path)
    (tmp_path / "ada/01.ipynb").unlink()
    (tmp_path / "bob.zip").write_bytes(b"no zip")
    for one, name in ((ada, "01.ipynb"), (bob, "bob.zip")):
        with pytest.raises(OSError, match=f"{name} can no longer be read"):
            one.in_memory()


def test_a_bounded_number_of_contents_is_under_way(monkeypatch):
    with distributed.Client(processes=False, n_workers=1, threads_per_worker=3, dashboard_address="127.0.0.1:0"):
        client = distributed.default_client()
        started = []
        done = 0
        for item, future in run.under_way(range(20), lambda item: started.append(item) or client.submit(
                str, item, pure=False), 5):
            done += 1
            assert future.result() == str(item) and len(started) - done < 5
        assert started == list(range(20)) and done == 20
