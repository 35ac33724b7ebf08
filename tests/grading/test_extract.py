"""What is taken out of a notebook to be graded, whatever was done to it."""

import json
import sys
import warnings

import nbformat
import pytest

from advcourse.exercises import Exercise, all_exercises, engine, letter_of_right_answer
from advcourse.files import checkout
from advcourse.grading import extract as module
from advcourse.grading.extract import extract, shipped

SLOW = {"10.5"}  # trains a network
NUMBERS = sorted(shipped())


class NoCourse:
    """Importing the course fails, as it does where students' code is run."""

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "advcourse":
            raise ImportError(name)


def execute(work):
    """The namespace after the statements, one by one; those that fail are left out."""
    hidden = {name: sys.modules.pop(name) for name in [*sys.modules] if name.split(".")[0] == "advcourse"}
    sys.meta_path.insert(0, NoCourse())
    namespace = {"__name__": "student"}
    try:
        for statement in work.statements:
            try:
                exec(statement, namespace)
            except Exception:
                continue
    finally:
        del sys.meta_path[0]
        sys.modules.update(hidden)
    return namespace


def states(work, notebook):
    """The state of every exercise that is quick to check."""
    namespace = execute(work)
    return {task.number: engine.run(task, namespace.get(work.functions[task.number])).state
            for task in all_exercises(notebook) if isinstance(task, Exercise) and task.number not in SLOW}


def right_answers(notebook):
    return {task.number: letter_of_right_answer(task.number) for task in all_exercises(notebook)
            if not isinstance(task, Exercise)}


def cells(*sources, **metadata):
    """The bytes of a notebook of these code cells."""
    code = [{"cell_type": "code", "source": source} for source in sources]
    return json.dumps({"cells": code, "nbformat": 4, "nbformat_minor": 5, **metadata}).encode()


def kept(*sources):
    return [statement.strip() for statement in extract(cells(*sources), "01").statements]


STUB = 'def project(x_p, x, eps):\n    """What to do."""\n    raise NotImplementedError  # your work'
REAL = "def project(x_p, x, eps):\n    return x_p.clamp(x - eps, x + eps).clamp(0, 1)"
CHECK = 'project = check("01.1", project)'


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
    monkeypatch.setattr(module.advcourse, "__file__", str(tmp_path / "__init__.py"))
    assert [*shipped.__wrapped__()] == ["01"] and [*shipped()] == NUMBERS
    assert checkout() is not None


# --- files -----------------------------------------------------------------------------------------------------------

def old_format(major, minor):
    code = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(REAL), nbformat.v4.new_markdown_cell("no code (")])
    for cell in code.cells:
        cell.pop("id") if (major, minor) != (4, 5) else None
    code.nbformat_minor = minor if major == 4 else 4
    return nbformat.writes(code if major == 4 else nbformat.convert(code, major)).encode()


@pytest.mark.parametrize("content", [
    *(old_format(*version) for version in [(3, 0), (4, 0), (4, 1), (4, 2), (4, 3), (4, 4), (4, 5)]),
    b"\xef\xbb\xbf" + cells(REAL), cells(REAL).decode().encode("utf-16"), cells(REAL).decode().encode("utf-32"),
    cells(REAL.replace("\n", "\r\n")),
    json.dumps({"cells": [{"source": REAL.splitlines(keepends=True)}]}).encode(),
    json.dumps({"cells": [None, 3, {}, {"cell_type": "code"}, {"cell_type": "code", "source": {"a": 1}},
                          {"source": [REAL, 3, None]}]}).encode(),
    json.dumps({"cells": [{"cell_type": "code", "source": REAL, "outputs": ["x" * 3_000_000]}],
                "metadata": 7}).encode(),
    b'{"cells": [{"source": ' + json.dumps(REAL + "\n# " + "\ud800").encode() + b"}]}",
    cells(REAL).replace(b"clamp(0, 1)", b"clamp(0, 1) # \xff"),
])
def test_formats(content):
    work = extract(content, "01")
    assert [*map(str.split, work.statements)] == [*map(str.split,
                                                       [REAL if b"#" not in content else work.statements[0]])]
    assert states(work, "01")["01.1"] == "passed"


@pytest.mark.parametrize("content, words", [
    (b"", "empty"), (b"  \n", "empty"), (b"print(1)", "no JSON"), (b"%PDF-1.7\xff", "no JSON"), (b"[]", "no cells"),
    (b'{"cells": 3}', "no cells"),
    (b'"text"', "no cells"), (b'{"worksheets": {}}', "no cells"), (b'{"cells": ' + b"[" * 200_000, "nested too deep"),
    (cells(REAL)[:-30], "no JSON"), (b'{"cells": [' + b"[]," * 1_000_001 + b"0]}", "lists and objects"),
    (b"9" * 10_000, "no JSON"),
])
def test_not_a_notebook(content, words):
    with pytest.raises(ValueError, match=f"this is not a notebook: it .*{words}"):
        extract(content, "01")


def test_no_such_notebook():
    with pytest.raises(ValueError, match="no notebook '77'; the course has 00, 01"):
        extract(cells(REAL), "77")


# --- cells -----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("source", [
    f"%matplotlib inline\n{REAL}", f"%%time\n{REAL}", f"# timed\n%%capture\n%%time\n{REAL}", "!pip install \\\n    "
                                                                                             f"torch\n{REAL}",
    f"?print\n{REAL}\nprint??", f"files = !ls\n{REAL}\nx = %who", f"if True:\n    !ls\n    %cd ..\n{REAL}",
    f"    {REAL.replace(chr(10), chr(10) + '    ')}\n    %time", f"%time\nx = ('%s'\n% 3)\n{REAL}",
    f"{REAL}\n!ls \\\n  -l",
])
def test_lines_of_jupyter_are_left_out(source):
    work = extract(cells(source), "01")
    assert work.notes == () and states(work, "01")["01.1"] == "passed"


def test_python_beside_lines_of_jupyter_is_kept():
    source = "%time\nSHIFT = (1 if True\n  else 2)\n@torch.no_grad()\ndef project(x):\n    !ls\n    return SHIFT\n"
    assert kept(source) == ["SHIFT = (1 if True\n  else 2)", "@torch.no_grad()\ndef project(x):\n    pass\n    return "
                                                             "SHIFT"]


@pytest.mark.parametrize("magic", ["%%bash", "%%writefile x.py", "%%html", "%%", "%%javascript"])
def test_cells_of_other_languages_do_not_count(magic):
    assert kept(f"\n{magic}\n{REAL}") == []


@pytest.mark.parametrize("wrong", [
    "x = (1,", "for i in range(3)", "print 'hello'", "def broken(:\n    return 1", "x = 'no end", "try:\n    x = 1",
    "x = )",
    "\x00", "x = " + "(" * 300, "x = " + "-" * 50_000 + "1",
])
@pytest.mark.parametrize("place", ["before", "after", "between"])
def test_a_mistake_loses_only_itself(wrong, place):
    helper = "if True:\n    LOW = 0\nelse:\n    LOW = 9"
    real = REAL.replace("(0, 1)", "(LOW, 1)")
    parts = {"before": [wrong, helper, real], "after": [helper, real, wrong], "between": [helper, wrong, real]}[place]
    work = extract(cells("x = 1", "\n".join(parts)), "01")
    assert len(work.notes) >= 1 and work.notes[0].startswith("cell 2, line ") and "\n" not in work.notes[0]
    assert [statement.strip() for statement in work.statements] == [helper, real]


def test_a_text_that_looks_like_code_stays_a_text():
    text = 'TEXT = """\ndef project(x):\n    return 0\n"""'
    assert kept(f"x = )\n{text}\ndef project(x):\n    return TEXT") == [text, "def project(x):\n    return TEXT"]


def test_statements_stand_on_their_line_of_the_cell():
    work = extract(cells("x = 1", f"# a\nEPS = 1; OTHER = 'é'; {'TWO = 2'}\n\n@f\n@g(\n 1)\n"
                         + REAL.replace("eps):", "eps=TWO):")), "01")
    assert work.statements[0] == "\nTWO = 2" and work.statements[1].startswith("\n\n\n@f\n@g(\n 1)\ndef project")


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
    "def project(x):\n    def inner(): return lambda: A\n    return inner()", "def project(x):\n    global A\n    A += "
                                                                              "1\n    return A",
    "project = lambda x: A", "project = A", "class project:\n    def __call__(self, x): return A",
    "def project(x): return f'{A}'",
])
def test_every_way_to_need_a_name(use):
    assert kept("A = 1", use) == ["A = 1", use]


@pytest.mark.parametrize("use", ["def project(A): A", "def project(x): A = 1; return A", "def project(x): return [A "
                                                                                         "for A in x]",
                                 "def project(x): return lambda A: A", "def project(x): return x.A",
                                 "def project(x): return x(A=1)"])
def test_names_of_its_own_are_no_need(use):
    assert kept("A = 1", use) == [use]


def test_needs_are_followed_through():
    sources = ["from torch import clamp", "LOW = HIGH - 1", "HIGH = 1", "def low(x):\n    return clamp(x, LOW)",
               "def other(): return project",
               "def project(x, x_p, eps):\n    return low(x)"]
    assert kept(*sources) == [sources[i] for i in (0, 1, 2, 3, 5)]


def test_calls_of_the_course_are_cut_out_of_blocks():
    block = ("if True:\n    def project(x):\n        return x\n    project = check(\n        '01.1',\n        "
             "project); A = 1\n"
             "    print('é'); hint('01.1')")
    (statement,) = kept(block)
    assert "check" not in statement and "hint" not in statement and len(statement.split("\n")) == len(block.split("\n"))
    namespace = {}
    exec(statement, namespace)
    assert namespace["project"](3) == 3 and namespace["A"] == 1


def test_a_thread_has_a_start_and_a_student_a_hint():
    sources = ["A = threading.start(B)", "B = x.hint", "def project(x): return A"]
    assert kept(*sources) == sources


def test_future_imports_come_first_and_stars_only_for_names_that_nothing_else_gives():
    assert kept("A = 1\nfrom math import *", REAL, "from __future__ import annotations") == ["from __future__ import "
                                                                                             "annotations", REAL]
    assert kept("from math import *", "def project(x): return sqrt(print(x))")[0] == "from math import *"


# --- which function --------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("sources, name, words", [
    ([REAL, CHECK], "project", None), ([REAL], "project", None), ([CHECK, REAL], "project", None),
    ([STUB, CHECK], "project", None),
    ([REAL.replace("project", "mine"), 'project = check("01.1", mine)'], "mine", "graded is mine, which the notebook "
                                                                                 "checks"),
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
    assert kept(first, CHECK, REAL, CHECK) == [first,
                                               REAL] and work.cells["01.1"] == REAL and states(work,
                                                                                               "01")["01.1"] == "passed"


def test_a_wrapper_before_the_check_counts():
    assert kept(REAL, "project = torch.no_grad()(project)", CHECK) == [REAL, "project = torch.no_grad()(project)"]


# --- answers ---------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("sources, given, words", [
    (['answer("01.6", "b")'], "b", None), (['choice = "b"\nanswer("01.6", choice)'], "b", None),
    (['choice = "b"', 'answer("01.6", choice)'], "b", None),
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
    (["STUDENT = None"], ""), ([], ""),
])
def test_the_students_own_name(sources, student):
    assert extract(cells(*sources), "01").student == student


# --- hostile ---------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("source", [
    "x=" + "(" * 90_000, "x=1" + "+1" * 30_000, "x=a" + ".a" * 30_000, "x=" + "lambda:" * 30_000 + "1",
    "x=" + "not " * 50_000 + "1",
    "x=" + "9" * 100_000,
    "if 1: pass\n" + "elif 1: pass\n" * 9_000, "x = )\n" * 40_000, "x = (\n" * 40_000, "%time\n" * 40_000,
    "x = )\n" + " " * 200_000,
    "x = '''\n" * 10_000,
    "x = )\n" + "a " * 100_000, "x=1;" * 20_000, "@a\n" * 20_000, "match x:\n case " + "[" * 180 + "]" * 180 + ": pass",
])
def test_what_is_hard_to_parse_harms_nothing_else(source):
    work = extract(cells(REAL, source, CHECK), "01")
    assert work.statements == (REAL,) and len(work.notes) <= 21


def test_more_code_than_any_notebook_has_is_left_out_with_a_note():
    work = extract(cells("#" * 400_000, REAL), "01")
    assert work.statements == (REAL,) and "cell 1 is left out" in work.notes[0]
    work = extract(cells(REAL, "A = 1\n" * 10_000, REAL), "01")
    assert work.statements == (REAL,) and "more than 5,000 statements" in work.notes[0]


def test_lines_far_down_do_not_multiply():
    work = extract(cells("\n" * 100_000 + "A = 1;" * 4_000 + "\n" + "def project(x): return A"), "01")
    assert len(work.statements) == 4_001 and sum(map(len, work.statements)) < 10_000_000


def test_nothing_is_executed_and_nothing_is_said(tmp_path, capfd):
    bad = f"open({str(tmp_path / 'file')!r}, 'w')"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        extract(cells(f"{bad}\nA = {bad}\n@A\ndef project(x=A): return '\\d' is 3",
                      f"import os; os._exit(1)\nanswer('01.6', {bad})"), "01")
    assert not list(tmp_path.iterdir()) and capfd.readouterr() == ("", "")
