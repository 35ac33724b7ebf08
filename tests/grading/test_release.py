"""Handing a course out: every student's own notebooks, and that nobody's work is overwritten."""

import io
import re
import zipfile
from pathlib import Path
from types import SimpleNamespace

import nbformat
import papermill
import pytest
from typer.testing import CliRunner

from advcourse.cli.app import app
from advcourse.exercises import get
from advcourse.exercises.session import choices_of
from advcourse.grading import course as courses
from advcourse.grading import release
from advcourse.grading.reading.roster import Student
from advcourse.pipeline import lint

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
RULES = """
name = "Winter"
[notebooks.01]
deadline = 2026-11-30T23:59:00+01:00
[notebooks.09]
deadline = 2026-12-14T08:05:00Z
[late]
percent_per_day = 10
most_days = 1
[extensions.bob]
01 = 2026-12-03T12:00:00-05:00
"""
CLASS = [Student("ada", "Ada Lovelace"), Student("bob", "Bob"), Student("ü/3", "")]


@pytest.fixture
def course(tmp_path):
    (tmp_path / "winter.toml").write_text(RULES)
    return courses.load(tmp_path / "winter.toml")


@pytest.fixture
def handed_out(course, tmp_path):
    """The folder into which the course was released for CLASS."""
    for student, written, kept in release.release(course, CLASS, NOTEBOOKS, tmp_path / "out"):
        assert (written, kept) == (4, 0), student
    return tmp_path / "out"


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def parameters(path):
    cell, = [cell for cell in nbformat.read(path, as_version=4).cells if "parameters" in cell.metadata.get("tags", [])]
    found = {}
    exec(cell.source, found)
    return found


# --- the notebooks ---------------------------------------------------------------------------------------------------

def test_every_student_gets_a_folder_and_a_zip_of_it(handed_out):
    names = ["01_adversarial_examples.ipynb", "09_adversarial_training.ipynb", "README.md"]
    found = files(handed_out)
    assert set(found) == {"ada.zip", "bob.zip", "ü_3.zip",
                          *(f"{who}/{name}" for who in ("ada", "bob", "ü_3") for name in names)}
    for who in ("ada", "bob", "ü_3"):
        with zipfile.ZipFile(io.BytesIO(found[f"{who}.zip"])) as archive:
            assert {name: archive.read(name) for name in archive.namelist()} == {
                name: content for name, content in found.items() if name.startswith(f"{who}/")}


def test_the_notebooks_are_notebooks_without_outputs_that_end_with_the_hand_in(handed_out):
    for path in handed_out.glob("*/*.ipynb"):
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
        assert not lint.lint_built(path)
        assert all(not cell.outputs and cell.execution_count is None for cell in notebook.cells
                   if cell.cell_type == "code")
        assert notebook.cells[-1].source.endswith("advcourse.submit()") and "## Hand in" in notebook.cells[-2].source
        assert "Open in " not in notebook.cells[0].source, "these buttons would open the course's own notebook"
        assert "DATASET" in papermill.inspect_notebook(path), "parameters can still be set"


def test_nothing_but_the_parameters_differs_from_the_course_s_own(handed_out):
    own = nbformat.read(handed_out / "ada/09_adversarial_training.ipynb", as_version=4)
    the_course_s = nbformat.read(NOTEBOOKS / "09_adversarial_training.ipynb", as_version=4)
    differ = [index for index, (mine, theirs) in enumerate(zip(own.cells, the_course_s.cells, strict=False))
              if mine.source != theirs.source]
    tags = [own.cells[index].metadata.get("tags", []) for index in differ]
    assert len(own.cells) == len(the_course_s.cells) + 2
    assert tags == [[], ["parameters"], []], "the title loses its button"
    assert "\nEPS = " in own.cells[differ[2]].source


def test_every_notebook_has_its_own_seed_and_student(handed_out):
    found = {path: parameters(path) for path in handed_out.glob("*/*.ipynb")}
    assert len(found) == len({values["SEED"] for values in found.values()}) == 6
    assert all(0 < values["SEED"] <= 10**8 for values in found.values())
    assert {values["STUDENT"] for values in found.values()} == {"ada", "bob", "ü/3"}
    assert all(values["DATASET"] == "auto" and values["PROFILE"] == "quick" for values in found.values())


def test_every_student_has_an_eps_near_the_course_s(course):
    """Measured: the claims of notebooks with an EPS of their own hold at 0.95 of it; at 1.05 one of 09 does not."""
    factors = {release.eps_factor(course, f"s{k}", "09") for k in range(100)}
    assert factors == {0.95, 0.96, 0.97, 0.98, 0.99, 1.0}
    for number in ("06", "08", "09", "10"):
        path, = NOTEBOOKS.glob(f"{number}_*.ipynb")
        sources = [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.source.startswith("EPS = ")
                   or "\nEPS = " in cell.source]
        line, = re.findall("^EPS = .*$", sources[0], re.MULTILINE)
        for dataset in ("mnist", "fonts"):
            values = []
            for text in (line, release.OWN_EPS.sub(lambda found: f"EPS = round(0.97 * {found[1]}, 4)", line)):
                found = {"course": SimpleNamespace(data=SimpleNamespace(name=dataset))}
                exec(text, found)
                values.append(found["EPS"])
            assert values[1] == round(0.97 * values[0], 4) and text.partition("#")[2] == line.partition("#")[2]


def test_seeds_do_not_change_from_one_day_to_the_next(course):
    """They decide what students have seen: whoever changes them breaks every course that runs."""
    assert release.seed(course, "ada", "01") == 57715614
    assert len({release.seed(course, f"s{k}", "01") for k in range(1000)}) == 1000


def test_an_id_with_quotes_stays_text(course):
    text = release.contents(course, Student('a"b\\n\'', "x"),
                            release.templates(course, NOTEBOOKS))["01_adversarial_examples.ipynb"]
    cell, = [cell for cell in nbformat.reads(text, as_version=4).cells if "parameters" in cell.metadata.get("tags", [])]
    found = {}
    exec(cell.source, found)
    assert found["STUDENT"] == 'a"b\\n\''


def test_the_order_of_choices_differs(handed_out):
    orders = {tuple(choices_of(get("01.6"), parameters(path)["STUDENT"]).items())
              for path in handed_out.glob("*/01_*.ipynb")}
    assert len(orders) > 1


def test_a_second_release_elsewhere_is_the_same(handed_out, course, tmp_path):
    list(release.release(course, CLASS[::-1], NOTEBOOKS, tmp_path / "again"))
    without_zips = [{name: content for name, content in files(folder).items() if not name.endswith(".zip")}
                    for folder in (handed_out, tmp_path / "again")]
    assert without_zips[0] == without_zips[1]


def test_work_is_never_overwritten_and_what_is_missing_is_made(handed_out, course):
    before = files(handed_out)
    (handed_out / "ada/01_adversarial_examples.ipynb").write_text("the student's work")
    (handed_out / "bob/README.md").unlink()
    counts = [(written, kept) for _, written, kept in release.release(course, CLASS, NOTEBOOKS, handed_out)]
    assert counts == [(0, 4), (1, 3), (0, 4)]
    assert files(handed_out) == before | {"ada/01_adversarial_examples.ipynb": b"the student's work"}


def test_the_readme_tells_this_student_s_deadlines(handed_out):
    ada, bob = ((handed_out / who / "README.md").read_text(encoding="utf-8") for who in ("ada", "bob"))
    assert "For Ada Lovelace (ada)." in ada
    assert "| 01 | Monday 30 November 2026, 23:59 (UTC+01:00) | `01_adversarial_examples.ipynb` |" in ada
    assert "| 01 | Thursday 3 December 2026, 12:00 (UTC-05:00) |" in bob
    assert "| 09 | Monday 14 December 2026, 08:05 (UTC+00:00) |" in bob
    assert "costs 10% of the points earned. More than 1 day late, nothing is earned." in ada
    assert "`01_ada_submission.zip`" in ada
    notebook = nbformat.read(handed_out / "bob/01_adversarial_examples.ipynb", as_version=4)
    assert "Thursday 3 December 2026, 12:00" in notebook.cells[-2].source


def test_who_is_not_in_the_roster_gets_no_extension(course, tmp_path):
    with pytest.raises(ValueError, match="Winter gives an extension to 'bob', who is not in the roster"):
        list(release.release(course, CLASS[:1], NOTEBOOKS, tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_a_notebook_that_the_series_does_not_have(tmp_path):
    (tmp_path / "c.toml").write_text('name = "A"\n[notebooks.77]\ndeadline = 2026-11-30T23:59:00+01:00\n')
    with pytest.raises(ValueError, match=r"hands out notebook 77, but in .* there are: 00, 01"):
        release.templates(courses.load(tmp_path / "c.toml"), NOTEBOOKS)


@pytest.mark.parametrize("old, new", [("SEED = 0", "SEED = 10"), ('STUDENT = ""', 'STUDENT = "me"'),
                                      ('"parameters"', '"other"')])
def test_a_notebook_without_the_parameters_is_refused(course, tmp_path, old, new):
    name = "01_adversarial_examples.ipynb"
    text = (NOTEBOOKS / name).read_text(encoding="utf-8")
    quoted = old if old == '"parameters"' else old.replace('"', '\\"')
    assert quoted in text
    (tmp_path / name).write_text(text.replace(quoted, new if old == '"parameters"' else new.replace('"', '\\"')),
                                 encoding="utf-8")
    (tmp_path / "c.toml").write_text('name = "A"\n[notebooks.01]\ndeadline = 2026-11-30T23:59:00+01:00\n')
    course = courses.load(tmp_path / "c.toml")
    notebooks = release.templates(course, tmp_path)
    with pytest.raises(ValueError, match=r'notebook 01 has no parameter `(SEED = 0|STUDENT = "")` to be set'):
        release.contents(course, CLASS[0], notebooks)


# --- the command -----------------------------------------------------------------------------------------------------

def command(*arguments):
    return CliRunner().invoke(app, ["release", *map(str, arguments)], env={"COLUMNS": "200", "TERM": "dumb"})


def test_the_command_takes_a_name_and_says_what_it_did(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("winter.toml").write_text(RULES)
    Path("roster.csv").write_text("student,name\nada,Ada\nbob,Bob\n")
    first, second = (command("--course", "winter", "--students", "roster.csv", "--out", "out") for _ in range(2))
    assert first.stdout == f"2 students, 8 files written: {tmp_path / 'out'}\n"
    assert second.stdout == f"2 students, 0 files written, 8 kept as they were: {tmp_path / 'out'}\n"


def test_what_goes_wrong_is_one_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("winter.toml").write_text(RULES.replace("most_days", "max_days"))
    for arguments, message in ((("nope", "roster.csv"), "there is no course 'nope'"),
                               (("winter", "roster.csv"), "late.max_days is not known; did you mean most_days?")):
        done = command("--course", arguments[0], "--students", arguments[1])
        assert done.exit_code == 1 and message in done.stderr and len(done.stderr.splitlines()) == 1
    Path("winter.toml").write_text(RULES)
    assert re.fullmatch(r"error: .*roster.csv.*\n", command("--course", "winter", "--students", "roster.csv").stderr)
