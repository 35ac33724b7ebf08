"""The built notebooks: what a student gets, nothing of a solution in it, and a second build that changes no byte."""

import base64
import json
import re
import shutil

import nbformat
import pytest

from advcourse.handin.calls import version_told, walk
from advcourse.handin.statements import read
from advcourse.pipeline import build, masters, told
from advcourse.pipeline.copies import fingerprint
from advcourse.version import __version__

MASTER = '''\
# %% [markdown]
# # 98 · Sums
#
# A small notebook.

# %% tags=["parameters"]
PROFILE = "quick"

# %% tags=["setup"]
import os

def start(number, **_): ...

start("98", profile=PROFILE)

# %%
def double(x):
    """Twice x, a number."""
    ### BEGIN SOLUTION
    unlikely_name = x + x
    return unlikely_name
    ### END SOLUTION

print(isinstance(double, object))

# %%
### BEGIN SOLUTION
choice = "the second one, of course"
### END SOLUTION
choice is ...

# %%
print({"b", "a", "c"}, os.environ["OMP_NUM_THREADS"])

# %% tags=["tells"]
print("It is 57 %.")

# %% tags=["nbval-ignore-output"]
import time
print(time.time_ns(), object())
'''


@pytest.fixture(scope="module")
def built_once(tmp_path_factory):
    """A folder like a checkout with one small master, which needs no data, and what is built of it."""
    root = tmp_path_factory.mktemp("course")
    (root / "notebooks" / "source").mkdir(parents=True)
    (root / "pyproject.toml").write_text('[project.urls]\nRepository = "https://github.com/someone/course/"\n')
    (root / "notebooks" / "source" / "98_sums.py").write_text(MASTER)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "require_data", lambda: None)
        build.build(root=root)
    return root


@pytest.fixture
def course(built_once, tmp_path, monkeypatch):
    """A copy of that folder for one test."""
    monkeypatch.setattr(build, "require_data", lambda: None)
    return shutil.copytree(built_once, tmp_path / "course")


def built(course):
    """The bytes of every notebook in the folder."""
    return {path.relative_to(course).as_posix(): path.read_bytes() for path in course.glob("**/*.ipynb")}


def rewrite(course, old, new):
    """Change the small master."""
    path = course / "notebooks" / "source" / "98_sums.py"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def test_the_students_notebook_has_work_to_do_and_outputs_and_the_solved_one_has_the_solution_and_none(course):
    student = nbformat.read(course / "notebooks" / "98_sums.ipynb", as_version=4)
    solved = nbformat.read(course / "notebooks" / "solutions" / "98_sums.ipynb", as_version=4)
    nbformat.validate(student)
    nbformat.validate(solved)
    assert student.cells[3].source.startswith(
        'def double(x):\n    """Twice x, a number."""\n    raise NotImplementedError  # your work\n')
    assert student.cells[4].source == "choice = ...\nchoice is ..."
    assert student.cells[4].outputs[0].data["text/plain"] == "True"
    assert "    unlikely_name = x + x\n    return unlikely_name\n" in solved.cells[3].source
    assert solved.cells[4].source.startswith('choice = "the second one, of course"\n')
    assert not any(cell.get("outputs") for cell in solved.cells)
    assert masters.BEGIN not in build.text(student) + build.text(solved)
    assert [cell.id for cell in student.cells] == [cell.id for cell in solved.cells]


def test_no_line_of_a_solution_is_in_the_students_notebook(course):
    text = (course / "notebooks" / "98_sums.ipynb").read_text()
    assert "unlikely_name" not in text and "second one" not in text


def test_the_cell_ids_do_not_depend_on_the_solution(course):
    """An id made from the solution would let a student try out the four answers of a question."""
    before = [cell.id for cell in nbformat.reads(built(course)["notebooks/98_sums.ipynb"], as_version=4).cells]
    rewrite(course, "the second one, of course", "the third one, of course")
    build.build(root=course, force=True)
    after = [cell.id for cell in nbformat.reads(built(course)["notebooks/98_sums.ipynb"], as_version=4).cells]
    assert before == after and len(set(after)) == len(after)


def test_a_second_build_executes_nothing_and_a_forced_one_changes_no_byte(course, monkeypatch):
    first = built(course)
    assert len(first) == 3
    assert build.build(root=course, force=True) != []
    assert built(course) == first
    monkeypatch.setattr(build, "executed", lambda *_: pytest.fail("executed again"))
    assert build.build(root=course) == []
    assert built(course) == first


def test_nothing_of_when_and_where_a_notebook_was_built_is_stored(course):
    notebook = json.loads((course / "notebooks" / "98_sums.ipynb").read_text())
    assert notebook["metadata"] == masters.METADATA | {"advcourse": {"cells": fingerprint(notebook["cells"]),
                                                                     "version": __version__}}
    assert all(set(cell["metadata"]) <= {"tags"} for cell in notebook["cells"] if "tells" not in str(cell["metadata"]))
    assert notebook["cells"][-1]["outputs"] == []
    assert notebook["cells"][-3]["outputs"][0]["text"][0].endswith(" 1\n")  # one thread


def test_what_tells_an_outcome_is_hidden_from_students_and_its_outputs_lie_beside_the_tests(course):
    student, telling, solved = (nbformat.read(course / folder / "98_sums.ipynb", as_version=4)
                                for folder in ("notebooks", "tests/notebooks/told", "notebooks/solutions"))
    cell = student.cells[-2]
    assert cell.source == f'{told.TITLE}\nprint("It is 57 %.")' and cell.outputs == [] and not cell.execution_count
    assert cell.metadata == {"tags": ["tells", "hide-input"], "jupyter": {"source_hidden": True}, "cellView": "form"}
    assert [(told_one.id, told_one.outputs[0].text) for told_one in telling.cells] == [(cell.id, "It is 57 %.\n")]
    assert solved.cells[-2].source == 'print("It is 57 %.")' and solved.cells[-2].metadata == {"tags": ["tells"]}


def test_cells_with_work_in_them_let_run_all_go_on_in_the_students_notebook_alone(course):
    student, solved = (nbformat.read(course / folder / "98_sums.ipynb", as_version=4)
                       for folder in ("notebooks", "notebooks/solutions"))
    assert [index for index, cell in enumerate(student.cells)
            if "raises-exception" in cell.metadata.get("tags", [])] == [3, 4]
    assert "raises-exception" not in build.text(solved)


def test_check_names_what_is_stale_and_writes_nothing(course):
    assert build.build(root=course, check=True) == []
    for path in built(course):
        (course / path).unlink()
    assert build.build(root=course, check=True) == [
        "notebooks/98_sums.ipynb: is missing", "tests/notebooks/told/98_sums.ipynb: is missing",
        "notebooks/solutions/98_sums.ipynb: is not what its master gives"]
    assert built(course) == {}


@pytest.mark.parametrize("old, new, stale", [
    ("A small notebook.", "A smaller notebook.", 2),
    ("Twice x", "Two times x", 2),
    ("return unlikely_name", "return 2 * x", 1),
    ('tags=["nbval-ignore-output"]', 'tags=["other"]', 2),
    ("It is 57", "It is 58", 3),
    ('tags=["tells"]', 'tags=["varies-by-processor"]', 3),
])
def test_a_changed_master_makes_stale_what_depends_on_it(course, old, new, stale):
    before = built(course)
    rewrite(course, old, new)
    assert len(build.build(root=course, check=True)) == stale
    assert built(course) == before


@pytest.mark.parametrize("damage, problem", [
    (lambda text: text[:500], "cannot be read"),
    (lambda text: text.replace("choice = ...", 'choice = \\"b\\"'), "its cells are not"),
    (lambda text: re.sub(r'"execution_count": 5', '"execution_count": null', text), "was not executed"),
])
def test_a_damaged_built_file_is_stale(course, damage, problem):
    path = course / "notebooks" / "98_sums.ipynb"
    assert damage(path.read_text()) != path.read_text()
    path.write_text(damage(path.read_text()))
    assert [line for line in build.build(root=course, check=True) if problem in line]


def test_a_students_notebook_with_a_told_outcome_in_it_is_stale(course):
    path = course / "notebooks" / "98_sums.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[-2].outputs = [nbformat.v4.new_output("stream", text="It is 57 %.\n")]
    nbformat.write(notebook, path)
    assert build.build(root=course, check=True) == ["notebooks/98_sums.ipynb: stores what tells the outcome of a guess"]


@pytest.mark.parametrize("damage, problem", [
    (lambda text: text[:200], "cannot be read"), (lambda text: text.replace("57", "58"), "its cells are not"),
    (lambda text: re.sub(r'"execution_count": \d', '"execution_count": null', text), "was not executed"),
])
def test_damaged_outputs_beside_the_tests_are_stale_and_made_again(course, damage, problem):
    before, path = built(course), course / "tests" / "notebooks" / "told" / "98_sums.ipynb"
    path.write_text(damage(path.read_text()))
    [line] = build.build(root=course)
    assert line.startswith("tests/notebooks/told/98_sums.ipynb: ") and problem in line
    assert built(course) == before


def test_a_built_file_without_a_master_is_named(course):
    for folder in ("notebooks/solutions", "tests/notebooks/told"):
        (course / folder / "97_gone.ipynb").write_text("{}")
        assert f"{folder}/97_gone.ipynb: has no master; delete it" in build.build(root=course, check=True)


def test_a_build_that_fails_names_notebook_and_cell_and_leaves_the_files_alone(course):
    before = built(course)
    rewrite(course, "A small notebook.", "A broken notebook.")
    rewrite(course, "print({", "1 / 0; print({")
    with pytest.raises(RuntimeError, match=r"98_sums, cell 6 .*ZeroDivisionError"):
        build.build(root=course)
    assert built(course) == before
    assert not list(course.glob("notebooks/.*"))


@pytest.mark.parametrize("line, problem", [
    ("print(object())", "an object's address"),
    ("import sys; print('trouble', file=sys.stderr)", "writes to stderr: trouble"),
    ("import ipywidgets; display(ipywidgets.IntSlider())", "a live widget"),
    (f"print({str(masters.ROOT)!r})", "a path of this machine"),
])
def test_outputs_that_differ_between_runs_are_refused(course, line, problem):
    rewrite(course, 'print({"b", "a", "c"}, os.environ["OMP_NUM_THREADS"])', line)
    with pytest.raises(RuntimeError, match=f"98_sums, cell 6 .*{problem}"):
        build.build(root=course)


def test_without_the_real_data_nothing_is_built(course, monkeypatch):
    monkeypatch.undo()
    monkeypatch.setenv("ADVCOURSE_DATA", str(course / "empty"))
    monkeypatch.setattr("advcourse.data.download.folder", lambda: course / "empty")
    before = built(course)
    with pytest.raises(RuntimeError, match="made with mnist, sms-spam, fsdd: not here; `advcourse data get mnist`"):
        build.build(root=course, force=True)
    assert built(course) == before


def test_only_the_named_masters_are_built_and_an_unknown_name_is_an_error(course):
    (course / "notebooks" / "source" / "99_other.py").write_text("# %% [markdown]\n# # 99\n")
    build.build(["99"], root=course)
    assert {"notebooks/99_other.ipynb", "notebooks/solutions/99_other.ipynb"} <= set(built(course))
    with pytest.raises(ValueError, match="no master's name begins with '55'; the masters are: 98_sums, 99_other"):
        build.build(["55"], root=course)


def test_badge_and_set_up_cell_take_the_repository_from_pyproject(course):
    title, _, setup = masters.make(course / "notebooks" / "source" / "98_sums.py", False, course).cells[:3]
    assert title.source.splitlines()[:3] == [
        "# 98 · Sums", "",
        '<a href="https://colab.research.google.com/github/someone/course/blob/main/notebooks/98_sums.ipynb">'
        '<img alt="Open in Colab" src="https://colab.research.google.com/assets/colab-badge.svg"></a> '
        '<a href="https://kaggle.com/kernels/welcome?src=https://github.com/someone/course/blob/main/notebooks/'
        '98_sums.ipynb"><img alt="Open in Kaggle" src="https://kaggle.com/static/images/open-in-kaggle.svg"></a>']
    assert '"https://github.com/someone/course/archive/refs/heads/main.zip")' in setup.source


@pytest.mark.parametrize("path", masters.find(), ids=lambda path: path.stem)
def test_every_notebook_tells_its_version_in_its_metadata_and_in_its_call_of_start(path):
    for solved in (False, True):
        notebook = masters.make(path, solved)
        assert notebook.metadata.advcourse.version == __version__
        calls, _ = walk(read(build.text(notebook).encode())[0])
        assert version_told(calls) == __version__ and calls[0][:2] == ("start", path.stem[:2])


@pytest.mark.parametrize("cell", ['# %% tags=["tells"]\n### BEGIN SOLUTION\nguess = 57\n### END SOLUTION\n',
                                  '# %% [markdown] tags=["tells"]\n# It is 57 %.\n'])
def test_work_and_prose_cannot_be_marked_as_telling(course, cell):
    rewrite(course, '# %% tags=["tells"]', f"{cell}\n# %%")
    with pytest.raises(ValueError, match="cell 7: only code without a solution in it can be tagged 'tells'"):
        build.build(root=course)


@pytest.mark.parametrize("source, problem", [
    ("### BEGIN SOLUTION\nx = 1", "has no partner"),
    ("x = 1\n### END SOLUTION", "has no partner"),
    ("### BEGIN SOLUTION\n### BEGIN SOLUTION\n### END SOLUTION", "has no partner"),
    ("### BEGIN SOLUTION\nprint(1)\n### END SOLUTION", r"nothing but `name = value`; this one has `print\(1\)`"),
    ("for i in range(3):\n    ### BEGIN SOLUTION\n    print(i)\n    ### END SOLUTION",
     "must be the body of a function"),
    ('def f(x):\n    ### BEGIN SOLUTION\n    """Doc."""\n    return x\n    ### END SOLUTION',
     "differ in name, signature"),
])
def test_a_solution_that_cannot_be_taken_out_is_refused(source, problem):
    with pytest.raises(ValueError, match=problem):
        masters.without_solution(source)


def test_a_solution_may_have_helpers_and_several_blocks():
    source = ("def f(x):\n    '''Doc.'''\n    y = x\n    ### BEGIN SOLUTION\n    def g(z):\n        return z\n    "
              "return g(y)\n"
              "    ### END SOLUTION\n\n### BEGIN SOLUTION\na = [\n    1]\nb = 2\n### END SOLUTION")
    assert masters.without_solution(source) == (
        f"def f(x):\n    '''Doc.'''\n    y = x\n    {masters.WORK}\n\na = ...\nb = ...")


# The notebooks of the course itself.

def test_the_built_notebooks_are_fresh():
    assert build.build(check=True) == []


@pytest.mark.parametrize("path", masters.find(), ids=lambda path: path.stem)
def test_no_solution_can_be_read_from_a_built_student_notebook(path):
    text = (masters.ROOT / "notebooks" / f"{path.stem}.ipynb").read_text(encoding="utf-8")
    given = "\n".join(masters.without_solution(cell.source) if cell.cell_type == "code" else cell.source
                      for cell in masters.read(path))
    for line in solution_lines(path):
        if line not in given:
            assert json.dumps(line, ensure_ascii=False)[1:-1] not in text


def solution_lines(path):
    """The lines of a master's solutions that are long enough to tell something."""
    blocks = re.findall(rf"{masters.BEGIN}(.*?){masters.END}", path.read_text(encoding="utf-8"), re.DOTALL)
    return [line.strip() for block in blocks for line in block.splitlines() if len(line.strip()) > 12]


@pytest.mark.parametrize("path", masters.find(), ids=lambda path: path.stem)
def test_pictures_in_built_notebooks_carry_no_version_or_date(path):
    text = (masters.ROOT / "notebooks" / f"{path.stem}.ipynb").read_text(encoding="utf-8")
    for picture in re.findall(r"data:image/png;base64,([A-Za-z0-9+/=]+)", text):
        assert b"tEXt" not in base64.b64decode(picture)
