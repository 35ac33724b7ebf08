"""From the bytes of a notebook to its statements: any format, broken cells, lines of Jupyter, hostile text."""

import json
import warnings

import nbformat
import pytest

from advcourse.handin.work import extract
from tests.handin.notebooks import CHECK, REAL, cells, kept, states

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
    [statement] = work.statements
    assert statement.split() == REAL.split() or b"#" in content
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


# --- cells -----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("source", [
    f"%matplotlib inline\n{REAL}", f"%%time\n{REAL}", f"# timed\n%%capture\n%%time\n{REAL}",
    f"!pip install \\\n    torch\n{REAL}",
    f"?print\n{REAL}\nprint??", f"files = !ls\n{REAL}\nx = %who", f"if True:\n    !ls\n    %cd ..\n{REAL}",
    f"    {REAL.replace(chr(10), chr(10) + '    ')}\n    %time", f"%time\nx = ('%s'\n% 3)\n{REAL}",
    f"{REAL}\n!ls \\\n  -l",
])
def test_lines_of_jupyter_are_left_out(source):
    work = extract(cells(source), "01")
    assert work.notes == () and states(work, "01")["01.1"] == "passed"


def test_python_beside_lines_of_jupyter_is_kept():
    source = "%time\nSHIFT = (1 if True\n  else 2)\n@torch.no_grad()\ndef project(x):\n    !ls\n    return SHIFT\n"
    assert kept(source) == ["SHIFT = (1 if True\n  else 2)",
                            "@torch.no_grad()\ndef project(x):\n    pass\n    return SHIFT"]


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
