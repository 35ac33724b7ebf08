"""What is taken out of a notebook to be graded, whatever was done to it."""

import pytest

from advcourse.exercises import session
from advcourse.files import checkout
from advcourse.handin import work as module
from advcourse.handin.work import extract, shipped
from advcourse.version import __version__
from tests.handin.notebooks import CHECK, NUMBERS, REAL, STUB, cells, kept, right_answers, states

# --- the course's own notebooks --------------------------------------------------------------------------------------

@pytest.mark.parametrize("notebook", NUMBERS)
def test_solved_notebooks_pass(notebook):
    path = shipped()[notebook]
    work = extract((path.parent / "solutions" / path.name).read_bytes(), notebook)
    assert work.notes == () and work.student == ""
    assert set(states(work, notebook).values()) == {"passed"}
    assert work.answers == right_answers(notebook)
    assert all(work.cells[number].startswith(f"def {name}(") for number, name in work.functions.items())


@pytest.mark.parametrize("notebook", NUMBERS)
def test_blank_notebooks_are_not_attempted(notebook):
    work = extract(shipped()[notebook].read_bytes(), notebook)
    assert work.notes == ()
    assert set(states(work, notebook).values()) == {"not attempted"}
    assert set(work.answers.values()) <= {None} and work.answers.keys() == right_answers(notebook).keys()


def test_the_shipped_notebooks_are_found_where_they_are_installed(tmp_path, monkeypatch):
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks" / "01_adversarial_examples.ipynb").write_bytes(cells(CHECK))
    monkeypatch.setattr(module, "checkout", lambda: None)
    monkeypatch.setattr(module, "PACKAGE", tmp_path)
    assert [*shipped.__wrapped__()] == ["01"] and [*shipped()] == NUMBERS
    assert checkout() is not None


@pytest.mark.parametrize("call, version", [
    ('start("01", version="0.0.9", profile=PROFILE)', "0.0.9"), ('v = "9.9"\nnotebook.start("01", version=v)', "9.9"),
    (f'start("01", version="{__version__}")', None), ('start("01", profile=PROFILE)', None),
    ('start("01", version=input())', None), (f'start("01", version="{"9" * 300}")', "9" * 20)])
def test_a_notebook_of_another_version_is_noted(call, version):
    notes = [note for note in extract(cells(call), "01").notes if "version" in note]
    assert notes == ([] if version is None else
                     [f"the notebook is of version {version} of the course, and was read by {__version__}"])


def test_no_such_notebook():
    with pytest.raises(ValueError, match="no notebook '77'; the course has 00, 01"):
        extract(cells(REAL), "77")


# --- which statements ------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("helper", [
    "A = 1", "A: int = 1", "A, B = 1, 2", "(A := 1)", "import a as A", "from a import A", "import A.b", "def A(): pass",
    "class A: x = 1",
    "async def A(): pass", "if x:\n    A = 1", "try:\n    A = 1\nexcept E:\n    A = 2", "with open(f) as A:\n    pass",
    "A = 1\nA += 2",
    "[A := 1]",
    "A = {}\nA['b'] = 1", "A = b\nA.c.d = 1", "match x:\n    case A:\n        pass", "A = B = 1", "A = lambda: 3",
])
def test_what_a_function_needs_is_kept(helper):
    statements = kept(f"{helper}\nUNUSED = 1\nprint(A)", "def project(x):\n    A\n")
    assert "\n".join(statements) == f"{helper}\ndef project(x):\n    A"


@pytest.mark.parametrize("helper", [
    "for A in range(10**9):\n    pass", "while True:\n    A = 1", "del A", "A == 1", "A()", "A: int", "A = start('01')",
    "A = check('01.2', A)",
    "A = exercises.check('01.2', A)", "B = 1", "A.b()", "if progress():\n    A = 1", "print(answer('01.6', A))",
    "def f(A): A = 1",
    "[A for A in x]",
    "lambda A: 1", "async for A in b: pass",
])
def test_what_it_does_not_need_or_may_not_do_is_not(helper):
    assert kept(helper, "def project(x):\n    A") == ["def project(x):\n    A"]


@pytest.mark.parametrize("use", [
    "def project(x, eps=A): 1", "def project(x: A): 1", "@A\ndef project(x): 1",
    "def project(x): return [A for b in x]",
    "def project(x):\n    def inner(): return lambda: A\n    return inner()",
    "def project(x):\n    global A\n    A += 1\n    return A",
    "project = lambda x: A", "project = A", "class project:\n    def __call__(self, x): return A",
    "def project(x): return f'{A}'",
])
def test_every_way_to_need_a_name(use):
    assert kept("A = 1", use) == ["A = 1", use]


@pytest.mark.parametrize("use", [
    "def project(A): A", "def project(x): A = 1; return A", "def project(x): return [A for A in x]",
    "def project(x): return lambda A: A", "def project(x): return x.A", "def project(x): return x(A=1)"])
def test_names_of_its_own_are_no_need(use):
    assert kept("A = 1", use) == [use]


def test_needs_are_followed_through():
    sources = ["from torch import clamp", "LOW = HIGH - 1", "HIGH = 1", "def low(x):\n    return clamp(x, LOW)",
               "def other(): return project",
               "def project(x, x_p, eps):\n    return low(x)"]
    assert kept(*sources) == [sources[i] for i in (0, 1, 2, 3, 5)]


def test_future_imports_come_first_and_stars_only_for_names_that_nothing_else_gives():
    future = "from __future__ import annotations"
    assert kept("A = 1\nfrom math import *", REAL, future) == [future, REAL]
    assert kept("from math import *", "def project(x): return sqrt(print(x))")[0] == "from math import *"


# --- which function --------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("sources, name, words", [
    ([REAL, CHECK], "project", None), ([REAL], "project", None), ([CHECK, REAL], "project", None),
    ([STUB, CHECK], "project", None),
    ([REAL.replace("project", "mine"), 'project = check("01.1", mine)'], "mine",
     "graded is mine, which the notebook checks"),
    ([STUB, REAL.replace("project", "mine"), 'check("01.1", mine)'], "mine", "graded is mine"),
    ([REAL.replace("project", "mine"), 'exercises.check(number="01.1", function=mine)'], "mine", "graded is mine"),
    ([REAL, "mine = 3", 'check("01.1", mine)'], "project", "the notebook checks mine"),
    ([REAL.replace("project", "mine"), 'project = check("01.2", mine)'], None, None),
    (['project = check("01.1", lambda x_p, x, eps: x)'], None, "something else than the name"),
    (['project = check("01.1")'], None, "something else"),
    (["from advcourse.attacks import project", CHECK], None, None),
    (["import advcourse.attacks as project", CHECK], None, None),
    (["from scipy import project", CHECK], "project", None),
    (["for project in range(3): pass"], None, None), ([], None, None), (["project: int"], None, None),
    (["project = torch.clamp"], "project", None),
])
def test_which_function_is_an_exercises(sources, name, words):
    work = extract(cells(*sources), "01")
    assert work.functions["01.1"] == name and (name is None) == ("01.1" not in work.cells)
    notes = [note for note in work.notes if note.startswith("01.1: ")]
    assert not notes if words is None else words in notes[0]
    assert set(work.functions) == {"01.1", "01.2", "01.3", "01.4", "01.5"}


@pytest.mark.parametrize("sources", [[REAL, STUB], [STUB, REAL], [STUB, CHECK, REAL, CHECK, STUB],
                                     [REAL, "project = ..."],
                                     [REAL, "project = None"],
                                     [REAL, STUB.replace("raise NotImplementedError", "...")],
                                     [REAL, STUB.replace("raise NotImplementedError", "pass")],
                                     [REAL, STUB.replace("Error", "Error('to do')")], [REAL, CHECK, "project = 28"],
                                     [REAL, "project = project(1, 2, 3)"]])
def test_a_stub_or_another_use_of_the_name_takes_nothing_away(sources):
    work = extract(cells(*sources), "01")
    assert [statement.strip() for statement in work.statements] == [REAL] and work.cells["01.1"] == REAL


def test_what_is_none_at_first_stays_so_where_it_is_no_exercise():
    sources = ["A = None", "try:\n    A = load()\nexcept OSError:\n    pass", "def project(x): return A"]
    assert kept(*sources) == sources


def test_the_last_definition_wins():
    first = REAL.replace("(0, 1)", "(0, 2)")
    work = extract(cells(first, CHECK, REAL, CHECK), "01")
    assert kept(first, CHECK, REAL, CHECK) == [first, REAL]
    assert work.cells["01.1"] == REAL and states(work, "01")["01.1"] == "passed"


def test_a_wrapper_before_the_check_counts():
    assert kept(REAL, "project = torch.no_grad()(project)", CHECK) == [REAL, "project = torch.no_grad()(project)"]


# --- answers ---------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("sources, given, words", [
    (['answer("01.6", "b")'], "b", None), (['choice = "b"\nanswer("01.6", choice)'], "b", None),
    (['choice = "b"', 'answer("01.6", choice)'], "b", None),
    (['choice = b\nanswer("01.6", choice)'], "b", None), (['answer("01.6", B)'], "B", None),
    (['b = "a"\nchoice = b\nanswer("01.6", choice)'], "a", None),
    (['choice = ...\nanswer("01.6", choice)'], None, None), (['answer("01.6", None)'], None, None),
    (['answer("01.6", " ")'], None, None),
    (['mine = choice = "(B)."\nanswer("01.6", letter=mine)'], "(B).", None),
    (['answer("01.6", choice := "b")'], "b", None),
    (['choice, x = "b", 3\nanswer("01.6", choice)'], "b", None),
    (['choice: str = "b"\nanswer("01.6", choice)'], "b", None),
    (['answer("01.6", 3)'], "3", None), (['answer("01.6", "b".lower())'], None, "not written as a letter"),
    (['choice = pick()\nanswer("01.6", choice)'], None, "not written"),
    (['answer("01.6", unknown)'], None, "not written"),
    (['answer("01.6")'], None, None),
    (['answer("01.6", "b")', 'answer("01.6", ...)'], "b", None),
    (['answer("01.6", "b")', 'answer("01.6", "c")'], "c", None),
    (['choice = "a"\nanswer("01.7", choice)\nchoice = "b"\nanswer("01.6", choice)'], "b", None),
    (['exercises.answer("01.6", "b")'], "b", None),
    (['if True:\n    choice = "b"\n    answer("01.6", choice)'], "b", None),
    (['question("01.6")', 'choice = "b"', 'question("01.7")'], "b", "is missing"),
    (['question("01.6")', 'choice = "b"\nchoice = "c"'], "b", "is missing"),
    (['question("01.6")', 'question("01.7")', 'choice = "b"'], None, None),
    (['question("01.6")', 'choice = "b"\nanswer("01.7", choice)'], None, None), (['choice = "b"'], None, None),
    (['question("01.6")', 'choice = "b"', 'choice = "a"\nanswer("01.7", choice)'], "b", "is missing"),
    (['answer("01.6", "' + "b" * 999 + '")'], "b" * 200, None),
    (['question("01.6")\nchoice = ...', 'choice = "b"'], "b", "is missing"),
    (['def later():\n    answer("01.6", "b")'], None, None),
])
def test_answers(sources, given, words):
    work = extract(cells(*sources), "01")
    assert work.answers["01.6"] == given and work.answers.keys() == {"01.6", "01.7"}
    notes = [note for note in work.notes if note.startswith("01.6: ")]
    assert not notes if words is None else words in notes[0]


@pytest.mark.parametrize("sources, student", [
    (['STUDENT = "Ada"'], "Ada"), (['STUDENT = "Ada"', 'STUDENT = "Bob"  # me'], "Bob"), (["STUDENT = name()"], ""),
    (['STUDENT = " Ada "'], "Ada"), (["STUDENT = 1234"], "1234"), (["STUDENT = None"], ""), ([], ""),
])
def test_the_students_own_name(sources, student):
    assert extract(cells(*sources), "01").student == student


@pytest.mark.parametrize("value", [1234, 12.5, True, None, ..., "", "  ", " Ada ", "!!!", "😀", "../../x", "ada\nbob",
                                   "x" * 999, " " * 250 + "x" * 250, "\ud800"], ids=ascii)
def test_the_grader_names_the_student_as_the_notebook_did(value):
    session.set_student(value)
    try:
        assert extract(cells(f"STUDENT = {'...' if value is ... else ascii(value)}"), "01").student == (
            session.state()[0])
    finally:
        session.set_student("")


@pytest.mark.parametrize("value, student", [("-5", "-5"), ("+5", "5"), ("-1.5", "-1.5"), ("f'ada'", "ada"), ("f''", ""),
                                            ("True", "True"), ("0x" + "f" * 6000, ""), ("-0x" + "f" * 6000, "")])
def test_the_student_is_read_as_the_notebook_reads_it(value, student):
    assert extract(cells(f"STUDENT = {value}", REAL), "01").student == student
