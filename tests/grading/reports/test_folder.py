"""The folder of a graded class: whole, right, and harmless whatever was handed in."""

import json
import re
import zipfile
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from advcourse import files
from advcourse.grading.course import Course
from advcourse.grading.marks import Mark
from advcourse.grading.reading.roster import Student
from advcourse.grading.reports import anonymous, folder
from advcourse.grading.reports.safe_text import file_name
from advcourse.grading.reports.standings import standings
from tests.chromium import CHROMIUM, needs_chromium
from tests.grading.reports.samples import (
    DRESSED,
    FAULT,
    HOSTILE,
    LONG,
    OPEN,
    OTHERS,
    PASSED,
    WRONG,
    Reader,
    classroom,
    graded,
    read,
    table,
)
from tests.grading.rules import DUE

# Of every text its colour and the one behind it.
COLOURS = """[...document.querySelectorAll('td, th, h1, h2, h3, p, a, span, summary, svg text')].map(node =>
    [node instanceof SVGElement ? getComputedStyle(node).fill : getComputedStyle(node).color,
     getComputedStyle(document.body).backgroundColor])"""


def named(name):
    """A course of this name."""
    return Course.model_validate({"name": name, "notebooks": {"01": {"deadline": datetime.fromtimestamp(DUE, UTC)}}})


def write(graded, path, course=None, roster=()):
    folder.write(standings(graded, course, roster), path, course)


# --- the folder -------------------------------------------------------------------------------------------------------

def test_every_student_has_a_page_that_the_class_page_links_to(tmp_path):
    found = [graded("Ada"), graded("Ada", notebook="02"), graded("Émile/../\n"), FAULT]
    write(found, tmp_path)
    links = [value for name, value in Reader((tmp_path / "index.html").read_text("utf-8")).attributes if name == "href"]
    pages = sorted(f"students/{path.name}" for path in (tmp_path / "students").iterdir())
    assert len(pages) == 3 and set(links) == {*pages, "grades.csv"}
    assert len(list((tmp_path / "results").iterdir())) == 4
    assert sorted(path.name for path in tmp_path.iterdir()) == ["grades.csv", "index.html", "results", "students",
                                                                "students.csv"]


def test_a_changed_class_changes_the_pages_and_an_unchanged_one_does_not(tmp_path):
    def written(*found):
        write(list(found), tmp_path)
        return {path.name: path.read_bytes() for path in tmp_path.rglob("*.*") if path.is_file()}

    before = written(graded("Ada"), graded("Alan"))
    assert written(graded("Alan"), graded("Ada")) == before
    after = written(graded("Ada"), graded("Alan", PASSED))
    changed = {name for name in before if before[name] != after[name]}
    alan = file_name("Alan")
    assert changed == {"grades.csv", "index.html", f"{alan}.html", f"{alan}-01.json"}


@pytest.mark.parametrize("name", ["grades.csv", "index.html", f"{file_name('Ada')}.html",
                                  f"{file_name('Ada')}-01.json"])
def test_a_write_that_fails_leaves_the_old_file_whole(tmp_path, monkeypatch, name):
    write([graded("Ada")], tmp_path)
    path, = tmp_path.rglob(name)
    before, replaced = path.read_bytes(), files.os.replace

    def full(source, target):
        if target == path:
            raise OSError("no space left")
        replaced(source, target)

    monkeypatch.setattr(files.os, "replace", full)
    with pytest.raises(OSError, match="no space left"):
        write([graded("Ada", PASSED)], tmp_path)
    assert path.read_bytes() == before and not list(tmp_path.rglob("*.part"))


def test_an_empty_class_has_a_page(tmp_path):
    write([], tmp_path)
    assert "Nothing is graded yet" in (tmp_path / "index.html").read_text("utf-8")
    assert (tmp_path / "grades.csv").read_text("utf-8-sig").count("\n") == 1


def test_who_is_no_longer_there_leaves_and_other_files_stay(tmp_path):
    write([graded("Ada", path=MOODLE, platform="7"), graded("Ada", PASSED, notebook="02"), graded("Bob")], tmp_path)
    mine = [tmp_path / path for path in ("students/notes.html", "students/my-own-page.txt", "results/mine.json",
                                         "feedback/mine.zip", "overrides.csv")]
    for path in mine:
        path.write_text("mine")
    write([graded("ada.lovelace")], tmp_path)
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    ada = file_name("ada.lovelace")
    assert left == {*(path.relative_to(tmp_path).as_posix() for path in mine), f"students/{ada}.html",
                    f"results/{ada}-01.json", "grades.csv", "students.csv", "index.html"}
    assert "Bob" not in (tmp_path / "grades.csv").read_text() + (tmp_path / "index.html").read_text()


def test_a_table_tells_whose_each_page_is(tmp_path):
    roster = [Student("Ada", "Ada L"), Student("c", "C")]
    write([graded("Ada", platform="12345"), graded("Bob")], tmp_path, roster=roster)
    rows = read((tmp_path / "students.csv").read_text("utf-8"))
    assert [(row["student"], row["name"], row["platform"]) for row in rows] == [
        ("Ada", "Ada L", "12345"), ("Bob", "", ""), ("c", "C", "")]
    assert rows[2]["feedback"] == "" and "Ada L" in (tmp_path / rows[0]["feedback"]).read_text("utf-8")


MOODLE = "class.zip!Ada Lovelace_7_assignsubmission_file_/01_x.ipynb"


def test_moodle_gets_a_zip_of_feedback_for_each_notebook(tmp_path):
    """Of a name there, Moodle reads what stands between the first four underscores: name, number, plugin."""
    write([graded("Ada_L/..", path=MOODLE, platform="7"), graded("Ada_L/..", PASSED, path=MOODLE, platform="9",
                                                                 notebook="02"),
           graded("canvas", path="lovelaceada_123_456_01.ipynb", platform="123")], tmp_path)
    with zipfile.ZipFile(tmp_path / "feedback" / "01.zip") as first, zipfile.ZipFile(
            tmp_path / "feedback" / "02.zip") as second:
        assert first.namelist() == ["Ada L .._7_assignsubmission_file_/feedback.html"]
        assert second.namelist() == ["Ada L .._9_assignsubmission_file_/feedback.html"]
        assert "Notebook 01" in (page := first.read(first.namelist()[0]).decode()) and "Notebook 02" not in page


# --- hostile text -----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("evil", HOSTILE, ids=range(len(HOSTILE)))
def test_nothing_that_was_handed_in_becomes_part_of_a_page(evil, tmp_path):
    more = {"name": evil, "platform": evil, "source": evil, "flags": (evil,), "found": (evil,), "comment": evil,
            "submitted": 2e9}
    mark = Mark("01.2", evil, "wrong", 0, 3, evil, {f"a{evil}": f"b{evil}", "it": None}, evil, evil, f"c{evil}", evil)
    other = replace(mark, exercise=evil, outcomes={})
    found = [graded(evil, mark, other, notes=(evil,), path=evil, **more),
             graded(f"z{evil}", mark, set_points=1, **more),
             graded(f"y{evil}", replace(mark, state="unreadable"), group=(evil,), handed_in_by=evil, notes=(evil,)),
             replace(FAULT, problem=f"d{evil}")]
    write(found, tmp_path, named(f"c{evil.encode(errors='replace').decode()}"), [Student(f"x{evil}", evil)])
    harmless = Mark("01.2", "t", "wrong", 0, 3, "r", {"a": "b", "it": None}, "m", "h", "c", "k")
    more = dict.fromkeys(("name", "platform", "source", "comment"), "n") | {
        "flags": ("f",), "found": ("g",), "submitted": 2e9}
    plain = [graded("A", harmless, replace(harmless, exercise="01.3", outcomes={}), notes=("n",), **more),
             graded("C", replace(harmless, state="unreadable"), group=("A",)), graded("B", harmless, set_points=1),
             FAULT]
    write(plain, tmp_path / "plain", named("c"), [Student("D", "D")])
    allowed = {element for path in (tmp_path / "plain").rglob("*.html")
               for element in Reader(path.read_text("utf-8")).elements}
    for path in [*tmp_path.glob("*.html"), *(tmp_path / "students").iterdir()]:
        page = path.read_text("utf-8")
        read = Reader(page)
        assert set(read.elements) <= allowed | {"code", "em"}
        assert not [name for name, _ in read.attributes if name.startswith("on") or name == "src"]
        assert all(re.match(r"(#e|students/|grades\.csv)", value) for name, value in read.attributes if name == "href")
        assert page.count("Content-Security-Policy") == 1
        assert not re.search("[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", page)
    for path in (tmp_path / "results").iterdir():
        json.loads(path.read_text("utf-8"))
    table(*found)
    anonymised = anonymous.anonymous(everybody := standings(found), anonymous.with_key(everybody, tmp_path / "key.csv"))
    folder.write(anonymised, tmp_path / "anonymous")


# --- in a browser -----------------------------------------------------------------------------------------------------

def contrast(colour, background):
    def luminance(colour):
        parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
        red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(colour), luminance(background)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@needs_chromium
def test_in_a_browser_the_pages_are_readable_and_nothing_runs_or_is_fetched(tmp_path):
    from playwright.sync_api import sync_playwright

    evil = "<img src=https://example.org/x onerror='document.title=1'><script>document.title=1</script>" + "x" * 900
    write([graded("Ada", PASSED, replace(WRONG, code=evil, outcomes={"a": evil}), OPEN, notes=(evil,)),
           graded(evil, flags=(evil,), set_points=1, comment=evil, source=evil, submitted=2e9), FAULT,
           graded("Adam", replace(OPEN, state="unreadable", reason=evil), replace(WRONG, state="set by hand")),
           *classroom(LONG, *OTHERS, DRESSED)],
          tmp_path, named("The class"), [Student("x" * 90, evil)])
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for page in (tmp_path / "index.html", *(tmp_path / "students").glob("ada*")):
            for scheme in ("light", "dark"):
                tab = browser.new_page(viewport={"width": 400, "height": 800}, color_scheme=scheme)
                asked = []
                tab.on("request", lambda request, asked=asked: asked.append(request.url))
                tab.goto(page.as_uri())
                assert asked == [page.as_uri()] and tab.title() in ("The class", "Ada: feedback", "Adam: feedback")
                assert tab.evaluate("document.documentElement.scrollWidth") <= 400
                colours = tab.evaluate(COLOURS)
                assert colours and min(contrast(*pair) for pair in colours) >= 4.5, "WCAG asks for 4.5 : 1"
        browser.close()
