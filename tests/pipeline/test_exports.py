"""The course for nbgrader and otter: what is written, and what these tools themselves make of it and of submissions."""

import ast
import json
import re
import subprocess
import sys

import nbformat
import pytest

from advcourse.exercises import all_exercises, answer, check, exported, letter_of_right_answer, session
from advcourse.exercises.session import set_notebook
from advcourse.pipeline import exports, masters

NAME = "00_welcome"
NOISE = """
    import logging, os, subprocess, sys, warnings
    warnings.warn("careful")
    logging.getLogger("student").warning("mind the gap")
    os.write(2, b"from below Python")
    subprocess.run("echo from a child >&2", shell=True)
    from tqdm import tqdm
    [None for _ in tqdm(range(3), disable=False)]
"""
# What a student may write for 00.1 in place of the stub, and the letter for 00.2; None leaves the choice open.
RIGHT = letter_of_right_answer("00.2")
SUBMISSIONS = {
    "solved": (NOISE + "    return (x_p - x).abs().flatten(1).amax(1)", RIGHT),
    "blank": (None, None),
    # right, but it changes x_p
    "half": ("    return x_p.sub_(x).abs().flatten(1).amax(1)", "abcd".replace(RIGHT, "")[0]),
}
POINTS = {"solved": (2, 1), "blank": (0, 0), "half": (1, 0)}


def cells(path):
    return nbformat.read(path, as_version=4).cells


def submit(released, path, body, letter):
    """Write to `path` what a student with this answer makes of the released notebook."""
    notebook = nbformat.read(released, as_version=4)
    for cell in notebook.cells:
        if body and "def largest_change" in cell.source:
            stub = re.search(r"( *# your work\n)? *raise NotImplementedError.*", cell.source)
            cell.source = cell.source.replace(stub[0], body)
        if letter and "answer(" in cell.source:
            cell.source = cell.source.replace("choice = ...", f'choice = "{letter}"')
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)


def no_solution_in(notebook):
    """Whether none of the solutions' lines stands in a released notebook."""
    text = "\n".join(cell.source for cell in cells(notebook))
    return not any(solved in text for solved in ("amax(1)", "SOLUTION", "HIDDEN", f'choice = "{RIGHT}"'))


# What is written.

@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """The folders for both tools, of all notebooks."""
    folder = tmp_path_factory.mktemp("exports")
    for tool in ("nbgrader", "otter"):
        exports.export(tool, folder / tool, seed=7)
    return folder


@pytest.mark.parametrize("path", masters.find(), ids=lambda path: path.stem)
def test_every_exercise_of_every_notebook_is_graded_with_its_points(course, path):
    wanted = {task.number: task.points for task in all_exercises(path.stem[:2])}

    source = cells(course / "nbgrader" / "source" / path.stem / f"{path.stem}.ipynb")
    known = [cell.metadata["nbgrader"] for cell in source if "nbgrader" in cell.metadata]
    assert len({cell["grade_id"] for cell in known}) == len(known)
    assert {cell["grade_id"]: cell["points"] for cell in known if cell["grade"]} == {
        f"exercise_{number.replace('.', '_')}": points for number, points in wanted.items()}
    assert all("nbgrader" in cell.metadata for cell in source if "### BEGIN" in cell.source)

    master = cells(course / "otter" / path.stem / f"{path.stem}.ipynb")
    text = "\n".join(cell.source for cell in master)
    tests = re.findall(r'require\("(\d\d\.\d+)", (\d+), \w+, seed=7\)', text)
    assert sorted(tests) == sorted((number, str(least)) for number, points in wanted.items()
                                   for least in range(1, points + 1))
    for cell in source + master:
        if cell.cell_type == "code":
            ast.parse(cell.source)


def test_solutions_return_before_the_exception_that_nbgrader_leaves_to_students(course):
    for path in (course / "nbgrader").glob("source/*/*.ipynb"):
        for cell in cells(path):
            if "\n    ### END SOLUTION" in cell.source:
                ends = [node.body[-2:] for node in ast.parse(cell.source).body if isinstance(node, ast.FunctionDef)]
                ((last, _raised),) = [end for end in ends if isinstance(end[-1], ast.Raise)]
                assert isinstance(last, ast.Return), path


def test_an_export_changes_no_byte_the_second_time_and_keeps_the_teachers_config(course, tmp_path):
    (tmp_path / "nbgrader_config.py").write_text("# mine\n")
    exports.export("nbgrader", tmp_path, ["00"], seed=7)
    path = f"source/{NAME}/{NAME}.ipynb"
    assert (tmp_path / path).read_bytes() == (course / "nbgrader" / path).read_bytes()
    assert (tmp_path / "nbgrader_config.py").read_text() == "# mine\n"


def test_an_unknown_tool_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="for nbgrader and for otter; got 'gradescope'"):
        exports.export("gradescope", tmp_path)
    assert not list(tmp_path.iterdir())


# What the test cells call.

def test_the_students_function_is_judged_not_the_solution_that_check_hands_back(capsys):
    set_notebook("00")
    def own(x, x_p):
        return x_p - x
    handed_back = check("00.1", own)
    assert handed_back.stands_for == "00.1"
    assert exported.points("00.1", handed_back, seed=3) == 0
    handed_back = check("00.1", handed_back)  # the cell of the check run again
    assert exported.points("00.1", handed_back, seed=3) == 0
    set_notebook("00")
    assert exported.points("00.1", handed_back, seed=3) == 0, "and where nothing is remembered"


def test_a_question_is_judged_by_its_own_answer_though_the_next_one_took_its_name(capsys):
    set_notebook("01")
    answer("01.6", letter_of_right_answer("01.6"))
    wrong = "abcd".replace(letter_of_right_answer("01.7"), "")[0]
    answer("01.7", wrong)
    exported.require("01.6", 1, wrong, seed=3)
    with pytest.raises(AssertionError, match=r"01.7 More pixels, same ε: wrong · 0 of 1 point"):
        exported.require("01.7", 1, wrong, seed=3)
    set_notebook("01")
    assert session.given("01.6") is None
    with pytest.raises(AssertionError, match="not attempted"):
        exported.require("01.6", 1, ..., seed=3)


def test_nothing_below_python_reaches_stderr_within_quiet():
    code = ("import os, subprocess, sys, warnings; from advcourse.exercises.exported import quiet\n"
            "with quiet():\n"
            "    warnings.warn('a'); os.write(2, b'b'); subprocess.run('echo c >&2', shell=True); print('d', "
            "file=sys.stderr)\n"
            "print('e', file=sys.stderr)\nos.write(2, b'f')")
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stderr == "e\nf"


# The tools themselves.

GRADES = """
import json
from nbgrader.api import Gradebook
with Gradebook("sqlite:///gradebook.db") as gradebook:
    print(json.dumps({submission.student.id: [grade.score for notebook in submission.notebooks
                                              for grade in sorted(notebook.grades, key=lambda grade: grade.name)]
                      for submission in gradebook.assignment_submissions("00_welcome")}))
"""


@pytest.mark.timeout(1800)  # a minute or two where nothing else runs
def test_nbgrader_generates_the_assignment_and_grades_it(tmp_path, run_grader):
    exports.export("nbgrader", tmp_path, ["00"])
    run_grader("nbgrader", tmp_path, "-m", "nbgrader", "generate_assignment", NAME)
    released = tmp_path / "release" / NAME / f"{NAME}.ipynb"
    assert no_solution_in(released)
    for student, work in SUBMISSIONS.items():
        submit(released, tmp_path / "submitted" / student / NAME / f"{NAME}.ipynb", *work)
    run_grader("nbgrader", tmp_path, "-m", "nbgrader", "autograde", NAME)
    grades = json.loads(run_grader("nbgrader", tmp_path, "-c", GRADES))
    assert {student: tuple(points) for student, points in grades.items()} == POINTS


@pytest.mark.timeout(1800)
def test_otter_makes_the_assignment_and_grades_it(tmp_path, run_grader):
    exports.export("otter", tmp_path, ["00"])
    # which runs the solutions, too
    run_grader("otter", tmp_path, "-m", "otter", "assign", f"{NAME}/{NAME}.ipynb", "dist")
    released = tmp_path / "dist" / "student" / f"{NAME}.ipynb"
    assert no_solution_in(released)
    (autograder,) = (tmp_path / "dist" / "autograder").glob("*.zip")
    for student, work in SUBMISSIONS.items():
        submit(released, tmp_path / student / f"{NAME}.ipynb", *work)
        run_grader("otter", tmp_path, "-m", "otter", "run", "-a", autograder, "-o", student, f"{student}/{NAME}.ipynb")
        results = json.loads((tmp_path / student / "results.json").read_text())
        scores = {test["name"]: test["score"] for test in results["tests"] if test["name"].startswith("exercise")}
        assert tuple(scores[name] for name in ("exercise_00_1", "exercise_00_2")) == POINTS[student]
