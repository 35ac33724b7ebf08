"""What people read of a graded class: whole, right, and harmless whatever was handed in."""

import csv
import io
import json
import re
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from advcourse import files
from advcourse.grading import reports
from advcourse.grading.course import Course
from advcourse.grading.marks import TO_BE_GRADED, Graded, Mark

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SCRIPT = "<script>alert(1)</script>"
HOSTILE = [
    SCRIPT, "</code></pre><script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7 * 7 }}{% include 'x' %}",
    "<!-- ",
    "</style><svg onload=alert(1)>", "<a href='javascript:alert(1)'>`<b onclick=x>`</a>", "*<i onmouseover=x>*",
    "&lt;script&gt;",
    "<base href=https://example.org>", "<meta http-equiv=refresh content='0;url=https://example.org'>",
    "\udcff\ud800", "a\0b\x1b[31m\x07",
    "\u202eevil\u2066",
    "\n\r\n\t", "", "`" * 999, "*" * 999, "x" * 100_000, "]]>", "<![CDATA[<script>", "<plaintext>",
    "\u2028\u2029\ufeff\u200b",
]
PASSED = Mark("01.1", "Clip", "passed", 2, 2, "", {"it is clipped": None}, code="def clip(x):\n    return x.clamp(0, "
                                                                                "1)\n")
WRONG = Mark("01.2", "Step", "wrong", 1.5, 3, "it leaves the ball by 0.2: clip",
             {"it goes up": None, "it stays near": "it leaves the ball by 0.2: clip with `torch.clamp(x, 0, 1)`"},
             hint="What is `x`?", code="def step(x):\n    return x < 1\n")
OPEN = Mark("01.3", "Curve", "not attempted", 0, 4, "not attempted", hint="Begin.")
WAITING = Mark("01.1", "Clip", "to be graded", 0, 2)


def graded(student="Ada", *marks, notebook="01", **more):
    values = {"path": f"class/{student}/01_x.ipynb", "sha256": "ab", "walls": "namespaces", "seed": 987654,
              "submitted": 1.7e9} | more
    return Graded(student, notebook, marks=marks or (PASSED, WRONG, OPEN), **values)


FAULT = graded("Evan", WAITING, problem="fork failed at /home/teacher")


class Reader(HTMLParser):
    """Collects the elements, attributes and text of a page."""

    def __init__(self, page):
        super().__init__()
        self.elements, self.attributes, self.text = [], [], ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.elements.append(tag)
        if tag in ("td", "th", "div", "p", "li", "h2", "h3"):
            self.text += " "
        self.attributes += attributes

    def handle_data(self, data):
        self.text += data


def text(page):
    body = re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", Reader(body).text)


def student_page(*notebooks):
    return reports.feedback_page(notebooks[0].student, list(notebooks))


def class_page(*found):
    students = {}
    for one in found:
        students.setdefault(one.student, []).append(one)
    return reports.class_page(students)


def table(*found):
    return list(csv.DictReader(io.StringIO(reports.grades_table(found).removeprefix("\ufeff"))))


# --- the folder -------------------------------------------------------------------------------------------------------

def test_every_student_has_a_page_that_the_class_page_links_to(tmp_path):
    found = [graded("Ada"), graded("Ada", notebook="02"), graded("Émile/../\n"), FAULT]
    reports.write(found, tmp_path, course="Autumn")
    links = [value for name, value in Reader((tmp_path / "index.html").read_text("utf-8")).attributes if name == "href"]
    pages = sorted(f"students/{path.name}" for path in (tmp_path / "students").iterdir())
    assert len(pages) == 3 and set(links) == {*pages, "grades.csv"}
    assert len(list((tmp_path / "results").iterdir())) == 4
    assert sorted(path.name for path in tmp_path.iterdir()) == ["grades.csv", "index.html", "results", "students"]


def test_a_changed_class_changes_the_pages_and_an_unchanged_one_does_not(tmp_path):
    def written(*found):
        reports.write(list(found), tmp_path)
        return {path.name: path.read_bytes() for path in tmp_path.rglob("*.*") if path.is_file()}

    before = written(graded("Ada"), graded("Alan"))
    assert written(graded("Alan"), graded("Ada")) == before
    after = written(graded("Ada"), graded("Alan", PASSED))
    changed = {name for name in before if before[name] != after[name]}
    alan = reports.file_name("Alan")
    assert changed == {"grades.csv", "index.html", f"{alan}.html", f"{alan}-01.json"}


@pytest.mark.parametrize("name", ["grades.csv", "index.html", f"{reports.file_name('Ada')}.html",
                                  f"{reports.file_name('Ada')}-01.json"])
def test_a_write_that_fails_leaves_the_old_file_whole(tmp_path, monkeypatch, name):
    reports.write([graded("Ada")], tmp_path)
    path, = tmp_path.rglob(name)
    before, replaced = path.read_bytes(), files.os.replace

    def full(source, target):
        if target == path:
            raise OSError("no space left")
        replaced(source, target)

    monkeypatch.setattr(files.os, "replace", full)
    with pytest.raises(OSError, match="no space left"):
        reports.write([graded("Ada", PASSED)], tmp_path)
    assert path.read_bytes() == before and not list(tmp_path.rglob("*.part"))


def test_an_empty_class_has_a_page(tmp_path):
    reports.write([], tmp_path)
    assert "Nothing is graded yet" in (tmp_path / "index.html").read_text("utf-8")
    assert (tmp_path / "grades.csv").read_text("utf-8-sig").count("\n") == 1


@pytest.mark.parametrize("student", ["", ".", "..", "../../etc/passwd", "a/b", "a\\b", "a\nb", "con", "-rf", ".hidden",
                                     "王选", "\udcff\0",
                                     "x" * 5000, "a b", "é" * 300, "*?<>|:"])
def test_file_names_are_safe_and_stable(student):
    name = reports.file_name(student)
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{0,79}", name) and name == reports.file_name(student)


def test_no_two_students_share_a_file():
    students = ["Ada", "ada", "Ada ", " Ada", "A da", "Ádà",
                "A/da", "A\nda", "王", "选", "", "-", "x" * 500, "x" * 501, reports.file_name("Ada")]
    assert len({reports.file_name(student) for student in students}) == len(students)


# --- grades.csv -------------------------------------------------------------------------------------------------------

def test_the_table_has_a_row_for_every_exercise():
    rows = table(graded("Ada"), graded("Ada", PASSED, notebook="02"))
    assert [(row["student"], row["notebook"], row["exercise"], row["points"], row["maximum"], row["state"])
            for row in rows] == [
        ("Ada", "01", "01.1", "2", "2", "passed"), ("Ada", "01", "01.2", "1.5", "3", "wrong"),
        ("Ada", "01", "01.3", "0", "4", "not attempted"), ("Ada", "02", "01.1", "2", "2", "passed")]
    assert rows[1]["reason"] == "it leaves the ball by 0.2: clip"


def test_what_is_to_be_graded_has_no_points_and_is_never_0():
    row, = table(FAULT)
    assert row["points"] == "" and row["state"] == "to be graded" and row["reason"] == "fork failed at /home/teacher"


def test_a_submission_without_any_mark_is_not_left_out():
    rows = table(replace(graded("Ada"), marks=(), notes=("this is not a notebook",)), replace(FAULT, marks=()))
    assert [(row["student"], row["points"], row["state"], row["reason"]) for row in rows] == [
        ("Ada", "", "", "this is not a notebook"), ("Evan", "", "to be graded", "fork failed at /home/teacher")]


@pytest.mark.parametrize("start", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "\0=1", "\ufeff=1",
                                   "＝1", "'=1"])
def test_no_cell_is_a_formula(start):
    evil = start + "|cmd' /C calc'!A0,\"x\";=2\n=3"
    row, = table(graded(evil, replace(WRONG, reason=evil)))
    for value in (row["student"], row["reason"]):
        assert value[0] not in "=+-@＝\t\r\n" and "\n" not in value and "calc" in value


def test_the_table_opens_in_excel_and_holds_any_name(tmp_path):
    reports.write([graded("Éva, \"E\" 王\udcff")], tmp_path)
    content = (tmp_path / "grades.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    row = next(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    assert row["student"] == 'Éva, "E" 王⟨U+DCFF⟩'


# --- a student's page -------------------------------------------------------------------------------------------------

def test_a_student_reads_every_verdict_the_hint_and_the_own_code():
    page = student_page(graded("Ada", notes=("cell 3 cannot be parsed",)), graded("Ada", PASSED, notebook="02"))
    told = text(page)
    assert "notebook 01: 3.5 of 9 points · notebook 02: 2 of 2 points" in told
    assert "01.2 Step wrong · 1.5 of 3 points" in told and "01.3 Curve not attempted · 0 of 4 points" in told
    assert "it stays near it leaves the ball by 0.2: clip with torch.clamp(x, 0, 1)" in told
    assert "<code>torch.clamp(x, 0, 1)</code>" in page
    assert told.index("it stays near") < told.index("it goes up"), "what is wrong comes first"
    assert "A hint: What is x ?" in told.replace("x?", "x ?") and "A hint: Begin." in told
    assert "return x < 1" in told and "cell 3 cannot be parsed" in told and "handed in 2023-11-14 22:13 UTC" in told


def test_a_student_does_not_learn_the_instructors_secrets():
    for one in (graded("Evan"), FAULT):
        for page in (student_page(one), reports.gradescope(one)):
            assert "987654" not in page and "/home/teacher" not in page and "class/" not in page


def test_a_graders_fault_is_shown_as_such():
    told = text(student_page(FAULT))
    assert "The grader had a fault of its own" in told and "to be graded · 2 points" in told
    assert "0 of" not in told


def test_without_walls_the_marks_say_so():
    unsafe = graded("Ada", walls="none: --unsafe")
    assert "Graded without a sandbox" in text(student_page(unsafe)) and "Graded without" not in text(student_page(graded()))
    assert "1 of 2 submissions ran without a sandbox" in text(class_page(unsafe, graded("Alan")))


@pytest.mark.parametrize("submitted", [0, -1e18, 1e18, float("inf"), float("nan")])
def test_a_strange_date_does_no_harm(submitted):
    assert "handed in" not in student_page(graded("Ada", submitted=submitted))


# --- hostile text -----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("evil", HOSTILE, ids=range(len(HOSTILE)))
def test_nothing_that_was_handed_in_becomes_part_of_a_page(evil, tmp_path):
    mark = Mark("01.2", evil, "wrong", 0, 3, evil, {f"a{evil}": f"b{evil}", "it": None}, evil, evil, f"c{evil}")
    other = replace(mark, exercise=evil, outcomes={})
    found = [graded(evil, mark, other, notes=(evil,), path=evil), graded(f"z{evil}", mark),
             replace(FAULT, problem=f"d{evil}")]
    reports.write(found, tmp_path, course=evil)
    harmless = Mark("01.2", "t", "wrong", 0, 3, "r", {"a": "b", "it": None}, "m", "h", "c")
    plain = [graded("A", harmless, replace(harmless, exercise="01.3", outcomes={}), notes=("n",)),
             graded("B", harmless), FAULT]
    reports.write(plain, tmp_path / "plain", course="c")
    allowed = {element for path in (tmp_path / "plain").rglob("*.html")
               for element in Reader(path.read_text("utf-8")).elements}
    for path in [*tmp_path.glob("*.html"), *(tmp_path / "students").iterdir()]:
        page = path.read_text("utf-8")
        read = Reader(page)
        assert set(read.elements) <= allowed | {"code", "em"}
        assert not [name for name, _ in read.attributes if name.startswith("on") or name == "src"]
        assert all(re.match(r"(#e|students/|grades\.csv)", value) for name, value in read.attributes if name == "href")
        assert page.count("Content-Security-Policy") == 1 and not re.search("[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", page)
    for path in (tmp_path / "results").iterdir():
        json.loads(path.read_text("utf-8"))
    table(*found)


def test_hostile_text_is_shown_as_text():
    evil = f"{SCRIPT}</code>"
    told = text(student_page(graded(evil, Mark("01.2", "t", "wrong", 0, 3, "r", {"a": evil}, hint=evil, code=evil),
                                    notes=(evil,))))
    assert told.count(evil) == 6, "as name in title and heading, note, message, hint and code"


def test_what_nobody_sees_is_spelt_out():
    assert reports.legible("a\u202eb\0c\udcff\td\ne") == "a⟨U+202E⟩b⟨U+0000⟩c⟨U+DCFF⟩\td\ne"
    for joined in ("क्\u200dष", "می\u200cخواهم", "👩\u200d💻"):
        assert reports.legible(joined) == joined


def test_long_texts_are_clipped_and_say_so():
    page = student_page(graded("n" * 9000, Mark("01.2", "t", "wrong", 0, 3, "r", {"a": "m" * 9000}, code="c" * 90_000),
                               notes=("x",) * 999))
    assert len(page) < 60_000
    for told in ("(8,000 more characters)", "(70,000 more characters)", "(8,800 more characters)", "and 979 more"):
        assert told in page
    assert "c" * 20_000 in page and page.count("<li>") == 21


# --- Gradescope -------------------------------------------------------------------------------------------------------

def test_gradescope_gets_a_score_and_a_test_for_every_exercise():
    results = json.loads(reports.gradescope(graded("Ada", notes=("cell 3 was cut",))))
    assert results["score"] == 3.5 and results["extra_data"] == {"max_score": 9} and results["output"] == "cell 3 was cut"
    assert [(test["name"], test["score"], test["max_score"], test["status"], test["visibility"])
            for test in results["tests"]] == [
        ("01.1 Clip", 2, 2, "passed", "visible"), ("01.2 Step", 1.5, 3, "failed", "visible"),
        ("01.3 Curve", 0, 4, "failed", "visible")]
    assert results["tests"][1]["output"].splitlines() == [
        "✗ wrong", "✗ it stays near: it leaves the ball by 0.2: clip with `torch.clamp(x, 0, 1)`", "✓ it goes up",
        "Hint: What is `x`?"]
    assert results["output_format"] == results["test_output_format"] == results["test_name_format"] == "text"


def test_gradescope_gets_no_score_while_something_is_to_be_graded():
    for one in (FAULT, graded("Ada", PASSED, replace(WAITING, exercise="01.4"))):
        results = json.loads(reports.gradescope(one))
        assert "score" not in results and [("score" in test)
                                           for test in results["tests"]] == [mark.state == "passed"
                                                                             for mark in one.marks]
    assert "The grader had a fault" in json.loads(reports.gradescope(FAULT))["output"]


# --- the class page ---------------------------------------------------------------------------------------------------

def test_the_class_page_begins_with_what_is_to_be_graded_and_ends_with_walls_and_seed():
    told = text(class_page(graded("Ada"), FAULT, graded("Zoe", PASSED, replace(WAITING, exercise="01.4"))))
    assert told.index("To be graded: 2") < told.index("Points")
    assert "Evan 01 fork failed at /home/teacher" in told and "Zoe 01 01.4" in told
    assert told.index("Students") < told.index("3 submissions: sandbox namespaces; seed 987654")


def test_points_fall_into_tenths_and_open_ones_are_left_out():
    def one(points):
        return graded(f"s{points}", Mark("01.1", "t", "wrong", points, 10))

    found, = reports.distributions([*map(one, (0, 0.5, 3, 7, 9.9, 10)), FAULT])
    assert found["counts"] == [2, 0, 0, 1, 0, 0, 0, 1, 0, 2]
    assert (found["median"], found["maximum"], found["students"]) == (5, 10, 6)
    assert reports.distributions([replace(graded("Ada"), marks=()), FAULT]) == []


def test_the_hardest_exercise_comes_first():
    found = reports.hardest([graded("Ada"), graded("Alan", PASSED, replace(WRONG, state="passed")), FAULT])
    assert [(one["exercise"], one["passed"], one["students"])
            for one in found] == [("01.3", 0, 1), ("01.2", 0.5, 2), ("01.1", 1, 2)]


def test_mistakes_that_differ_in_a_number_only_are_one():
    def one(student, *messages, state="wrong"):
        return graded(student, Mark("01.2", "t", state, 0, 3, "r",
                                    {str(place): message for place, message in enumerate(messages)}))

    found = reports.commonest_mistakes([
        one("a", "leaves by 0.2: `clamp(0, 1)`", "NaN"), one("b", "leaves by -3e-05: `clamp(0, 1)`", None),
        one("c", "leaves by 7: `clamp(0, 1)`", "leaves by 8: `clamp(0, 1)`"),
        one("d", "NaN", state="passed"), graded("e",
                                                Mark("01.6", "t", "wrong", 0, 1, "r", message="Chance is no reason."))])
    assert [(one["students"], one["exercise"], one["message"]) for one in found] == [
        (3, "01.2", "leaves by …: `clamp(0, 1)`"), (1, "01.2", "NaN"), (1, "01.6", "Chance is no reason.")]


# --- near-identical code ----------------------------------------------------------------------------------------------

LONG = '''def attack(model, x, y, eps):
    x_adv = x.detach().clone()
    for step in range(40):
        x_adv.requires_grad_()
        loss = torch.nn.functional.cross_entropy(model(x_adv), y)
        gradient = torch.autograd.grad(loss, x_adv)[0]
        x_adv = (x_adv.detach() + 0.02 * gradient.sign()).clamp(0, 1)
    return x_adv
'''
# The same in other clothes: names, types, a docstring, comments, spaces, quotes.
DRESSED = '''def   my_attack(net: object, images, labels, radius) -> "tensor":
    """My own work."""
    best = images.detach().clone()   # copy

    for k in range( 40 ):
        best.requires_grad_()
        cost = torch.nn.functional.cross_entropy(net(best), labels)
        g = torch.autograd.grad(cost, best)[0]  # gradient
        best = (best.detach() + 0.02 * g.sign()).clamp(0, 1)
    return best
'''
OTHERS = ["""def a(model, x, y, eps):
    z = x.clone()
    z.requires_grad = True
    F.cross_entropy(model(z), y).backward()
    return (x + eps * z.grad.sign()).clip(0, 1)
""", """def a(model, x, y, eps):
    d = torch.zeros_like(x, requires_grad=True)
    o = torch.optim.SGD([d], lr=0.1)
    while model(x + d).argmax() == y:
        o.zero_grad()
        (-loss(model(x + d), y)).backward()
        o.step()
    return x + d
""", """def a(model, x, y, eps):
    noise = torch.empty_like(x).uniform_(-eps, eps)
    scores = [model(x + k * noise / 10).softmax(1)[0, y] for k in range(11)]
    return x + min(range(11), key=scores.__getitem__) * noise / 10
"""]


def classroom(*codes):
    return [graded(f"s{place}", replace(WRONG, code=code)) for place, code in enumerate(codes)]


def alike(*codes):
    return [(group["students"], group["alike"]) for group in reports.groups_alike(classroom(*codes))]


def test_the_same_code_under_other_names_is_found():
    assert alike(LONG, *OTHERS, DRESSED) == [(("s0", "s4"), 1.0)]


def test_a_copy_with_a_line_changed_is_found():
    (students, share), = alike(LONG, *OTHERS, DRESSED.replace("0.02 * g.sign()",
                                                              "0.01 * g.sign()").replace("range( 40 )", "range(50)"))
    assert students == ("s0", "s4") and 0.7 <= share < 1


def test_answers_of_ones_own_are_no_group():
    assert alike(LONG, *OTHERS) == []


def test_code_that_is_half_the_same_is_no_group():
    half = LONG.replace("(x_adv.detach() + 0.02 * gradient.sign())",
                        "x + (x_adv.detach() + gradient / gradient.norm() - x).renorm(2, 0, eps)")
    assert alike(LONG, *OTHERS, half) == []


def test_what_everyone_writes_is_no_group():
    assert alike(*[LONG] * 6, *OTHERS) == []
    short = "def clip(x_p, x, eps):\n    return torch.clamp(x_p, x - eps, x + eps).clamp(0, 1)\n"
    assert alike(short, short, *OTHERS) == [], "so short an answer is the obvious one"
    together = [code.replace("\n", f"\n    note{place} = {'+'.join(map(str, range(place * 9, place * 9 + 9)))}\n", 1)
                for place, code in enumerate([LONG] * 9)]
    assert alike(*together) == [], "the given lines are common to all, and what each adds is not shared"


def test_pairs_that_share_most_exercises_come_first():
    def one(student, *codes):
        return graded(student, *(replace(WRONG, exercise=f"01.{place}", code=code)
                                 for place, code in enumerate(codes, 1)))

    def groups(*students):
        found = reports.groups_alike([*students, *(one(f"e{place}", *OTHERS) for place in range(6))])
        return [("".join(group["students"]), [shared["exercise"] for shared in group["exercises"]]) for group in found]

    assert groups(one("a", LONG, LONG), one("b", OTHERS[0], DRESSED), one("c", LONG, OTHERS[1]),
                  one("d", DRESSED, OTHERS[1]),
                  ) == [("ab", ["01.2"]), ("acd", ["01.1"])], "of two that share as much, the smaller one"
    assert groups(one("a", OTHERS[0], OTHERS[1], LONG), one("b", OTHERS[0], OTHERS[1], DRESSED),
                  *(one(student, LONG, DRESSED, OTHERS[2])
                    for student in "cde")) == [("cde", ["01.1", "01.2"]), ("ab", ["01.3"])]


def test_code_that_was_not_attempted_is_not_compared():
    assert reports.groups_alike([graded(student, replace(OPEN, code=LONG)) for student in "abcdefgh"[:2]]) == []


@pytest.mark.parametrize("code", ["", "def (", "\0", "-" * 9000 + "1", "x = " + "1 + " * 4000 + "1", "(" * 9000,
                                  "x = 0x" + "f" * 9000,
                                  "x = 1" + "0" * 9000,
                                  "x = '\udcff'", LONG * 200, "x" + ".y" * 9000, "x = '\\d'", "f'{" * 300])
def test_code_that_nobody_can_read_does_no_harm(code, recwarn):
    assert reports.groups_alike(classroom(code, code, OTHERS[0])) == [] and not recwarn.list


def test_the_class_page_accuses_nobody():
    page = class_page(*classroom(LONG, *OTHERS, DRESSED))
    told = text(page)
    assert "A person should look at these. They are no finding" in told and "s0, s4 01.2 · 100 % alike" in told
    assert not re.search(r"plagiar|cheat|copied|suspect|fraud", told, re.IGNORECASE)


# --- in a browser -----------------------------------------------------------------------------------------------------

def contrast(colour, background):
    def luminance(colour):
        parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
        red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(colour), luminance(background)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.skipif(not CHROMIUM, reason="Chromium is not installed")
def test_in_a_browser_the_pages_are_readable_and_nothing_runs_or_is_fetched(tmp_path):
    from playwright.sync_api import sync_playwright

    evil = "<img src=https://example.org/x onerror='document.title=1'><script>document.title=1</script>" + "x" * 900
    reports.write([graded("Ada", PASSED, replace(WRONG, code=evil, outcomes={"a": evil}), OPEN, notes=(evil,)),
                   graded(evil), FAULT,
                   *classroom(LONG, *OTHERS, DRESSED)], tmp_path)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for page in (tmp_path / "index.html", *(tmp_path / "students").glob("ada*")):
            for scheme in ("light", "dark"):
                tab = browser.new_page(viewport={"width": 400, "height": 800}, color_scheme=scheme)
                asked = []
                tab.on("request", lambda request: asked.append(request.url))
                tab.goto(page.as_uri())
                assert asked == [page.as_uri()] and tab.title() in ("The class", "Ada: feedback")
                assert tab.evaluate("document.documentElement.scrollWidth") <= 400
                colours = tab.evaluate("""[...document.querySelectorAll('td, th, h1, h2, h3, p, a, span, summary, svg text')].map(node =>
                    [node instanceof SVGElement ? getComputedStyle(node).fill : getComputedStyle(node).color,
                     getComputedStyle(document.body).backgroundColor])""")
                assert colours and min(contrast(*pair) for pair in colours) >= 4.5, "WCAG asks for 4.5 : 1"
        browser.close()


def test_totals_tell_points_lateness_and_percentages():
    course = Course.model_validate({"name": "c", "late": {"percent_per_day": 10}, "notebooks": {
        "01": {"deadline": datetime(2026, 1, 1, tzinfo=UTC), "weight": 3},
        "02": {"deadline": datetime(2026, 1, 1, tzinfo=UTC)}}})
    on_time, late = datetime(2025, 12, 31, tzinfo=UTC).timestamp(), datetime(2026, 1, 1, 1, tzinfo=UTC).timestamp()
    mark = Mark("01.1", "t", "passed", 4, 4)
    open_mark = Mark("02.1", "t", TO_BE_GRADED, 0, 4)
    graded = [Graded("=ada", "01", "p", "0", (mark,), submitted=late),
              Graded("bob", "01", "p", "0", (mark,), submitted=on_time),
              Graded("bob", "02", "p", "0", (open_mark,), problem="ours", submitted=on_time)]
    rows = list(csv.reader(io.StringIO(reports.totals_table(course, graded).removeprefix("\ufeff"))))
    assert rows == [["student", "01 points", "01 after lateness", "02 points", "02 after lateness", "percent"],
                    ["'=ada", "4", "3.6", "", "", "67.5"],
                    ["bob", "4", "4", "to be graded", "to be graded", "to be graded"]]
