"""Marks in nbgrader's gradebook, read back by nbgrader itself in a process of its own."""

import csv
import json
from functools import partial

import pytest

from advcourse.grading.reports.nbgrader_gradebook import checked

ROWS = [
    {"student": "ada", "notebook": "01", "exercise": "01.1", "points": 2, "maximum": 2, "reason": ""},
    {"student": "ada", "notebook": "01", "exercise": "01.2", "points": 1, "maximum": 3,
     "reason": "your x leaves the ε-ball <b>"},
    {"student": "bob", "notebook": "01", "exercise": "01.1", "points": "", "maximum": "2",
     "reason": "to be graded: no memory left"},
]
# Writes each batch of rows and prints what is then in the gradebook; all in one process, as starting nbgrader takes
# seconds.
SCRIPT = """
import json, sys
from nbgrader.api import Gradebook
from advcourse.grading.reports.nbgrader_gradebook import write_gradebook
url = "sqlite:///gradebook.db"
for batch in json.loads(sys.argv[1]):
    if isinstance(batch, str):
        with Gradebook(url) as gradebook:
            exec(batch)
            gradebook.db.commit()
        continue
    write_gradebook(batch, url)
    with Gradebook(url) as gradebook:
        found = {}
        for assignment in gradebook.assignments:
            for submission in gradebook.assignment_submissions(assignment.name):
                (notebook,) = submission.notebooks
                comments = {comment.name: comment.comment for comment in notebook.comments}
                for grade in notebook.grades:
                    found[f"{assignment.name}/{submission.student.id}/{grade.name}"] = [
                        grade.auto_score, grade.max_score, grade.score, grade.needs_manual_grade,
                        comments[grade.name.replace("exercise", "answer")]]
        print(json.dumps(found))
"""


@pytest.fixture
def nbgrader(tmp_path, run_grader):
    """Runs Python with nbgrader in an empty course folder; returns what it printed."""
    return partial(run_grader, "nbgrader", tmp_path)


def gradebooks(nbgrader, *batches):
    """What is in the gradebook after each batch of rows; a batch may also be code for nbgrader's API."""
    return [json.loads(line) for line in nbgrader("-c", SCRIPT, json.dumps(batches)).splitlines()]


def test_marks_are_in_the_gradebook_and_in_what_nbgrader_exports(nbgrader, tmp_path):
    (marks,) = gradebooks(nbgrader, ROWS)
    assert marks["01/ada/exercise_01_1"] == [2, 2, 2, False, None]
    assert marks["01/ada/exercise_01_2"] == [1, 3, 1, False, "your x leaves the ε-ball <b>"]
    assert marks["01/bob/exercise_01_1"] == [None, 2, 0, True, "to be graded: no memory left"], "waits for a person"

    nbgrader("-m", "nbgrader", "export", "--to", "grades.csv")
    with open(tmp_path / "grades.csv", newline="") as file:
        exported = {row["student_id"]: row for row in csv.DictReader(file)}
    assert (exported["ada"]["assignment"], exported["ada"]["score"],
            exported["ada"]["max_score"]) == ("01", "3.0", "5.0")


def test_rows_written_again_replace_what_was_there_and_a_persons_grade_stays(nbgrader):
    by_hand = 'gradebook.find_grade("exercise_01_2", "01", "01", "ada").manual_score = 3'
    later = {"student": "ada", "notebook": "01", "exercise": "01.3", "points": 4, "maximum": 4, "reason": ""}
    first, second, third = gradebooks(nbgrader, ROWS, by_hand,
                                      [*ROWS[:2], ROWS[2] | {"points": 1.5, "reason": "half"}, later],
                                      [ROWS[1] | {"points": 2}])
    assert second == first | {
        "01/ada/exercise_01_2": [1, 3, 3, False, "your x leaves the ε-ball <b>"],
        "01/bob/exercise_01_1": [1.5, 2, 1.5, False, "half"],
        "01/ada/exercise_01_3": [4, 4, 4, False, None]}
    decided = third["01/ada/exercise_01_2"][:4]
    assert decided == [2, 3, 3, True], "the person decided on other points: to be looked at again"


def test_an_assignment_that_nbgrader_knows_already_receives_the_marks(nbgrader):
    (marks,) = gradebooks(nbgrader, """
gradebook.add_assignment("week 1")
gradebook.add_notebook("01_adversarial_examples", "week 1")
gradebook.add_grade_cell("exercise_01_1", "01_adversarial_examples", "week 1", max_score=2, cell_type="code")
gradebook.add_student("ada")
gradebook.add_submission("week 1", "ada")
""", ROWS)
    assert marks["week 1/ada/exercise_01_1"] == [2, 2, 2, False, None]


def test_a_gradebook_that_cannot_be_opened_is_one_clear_error(nbgrader):
    said = nbgrader("-c", """
from advcourse.grading.reports.nbgrader_gradebook import write_gradebook
try:
    write_gradebook([], "sqlite:////no/such/folder/gradebook.db")
except OSError as error:
    print(error)
""")
    assert "sqlite:////no/such/folder/gradebook.db cannot be written" in said


@pytest.mark.parametrize("change, problem", [
    ({"student": None}, "has no student"),
    ({"points": "many"}, "must be numbers; got 'many'"),
    ({"points": 4}, "between 0 and the maximum; got 4.0 of 3"),
    ({"points": -1}, "between 0 and the maximum"),
    ({"points": "nan"}, "between 0 and the maximum"),
    ({"points": "", "maximum": "inf"}, "got None of inf"),
])
def test_a_wrong_row_is_refused(change, problem):
    with pytest.raises(ValueError, match=problem):
        checked(ROWS[1] | change)
