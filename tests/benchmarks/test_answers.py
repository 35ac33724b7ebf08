"""The committed result of benchmarks/answers.py tells of every answer that there is, and of none that fails a seed."""

import json

import pytest

from advcourse.pipeline import masters
from tests.exercises.harness import answers, functions, notebooks

MEASURED = json.loads((masters.ROOT / "benchmarks" / "results" / "answers.json").read_text(encoding="utf-8"))
EXERCISES = [pytest.param(exercise, id=exercise.number) for notebook in notebooks() for exercise in functions(notebook)]


@pytest.mark.parametrize("exercise", EXERCISES)
def test_every_answer_was_tried(exercise):
    rows, found = MEASURED["exercises"].get(exercise.number), answers(exercise.number)
    assert rows, "never tried: run python benchmarks/answers.py"
    assert set(rows["right"]) == {function.__name__ for function in [exercise.reference, *found.RIGHT]}
    assert set(rows["wrong"]) == {function.__name__ for function, _ in found.WRONG}


def test_nothing_else_was_tried():
    assert set(MEASURED["exercises"]) <= {parameters.id for parameters in EXERCISES}


@pytest.mark.parametrize("number", MEASURED["exercises"])
def test_right_answers_pass_and_wrong_ones_fail_on_every_seed(number):
    rows = MEASURED["exercises"][number]
    assert not {name: row for name, row in rows["right"].items() if row["rejected on"]}
    assert not {name: row for name, row in rows["wrong"].items() if row["accepted on"]}
    assert rows["nothing"]["most points"] == 0


def test_nine_in_ten_are_named():
    assert MEASURED["totals"]["named"] >= 0.9 and MEASURED["totals"]["seeds"] == 100


def test_the_benchmark_tries_every_answer_and_sees_one_that_is_wrong(import_benchmark, monkeypatch):
    benchmark = import_benchmark("answers")
    tasks = list(benchmark.tasks(["00"]))
    [right] = [task for task in tasks if task[1] == "right"][:1]
    wrong = [task for task in tasks if task[1] == "wrong"]
    assert len(wrong) == len(answers("00.1").WRONG) and tasks[-1] == ("00.1", "nothing", "")
    assert benchmark.tried(right, 2) == {"rejected on": []}
    row = benchmark.tried(wrong[0], 2)
    assert row["accepted on"] == [] and row["named on"] == 1
    monkeypatch.setattr(benchmark, "answers", lambda number: type("Answers", (), {
        "WRONG": [(benchmark.get("00.1").reference, "said")], "RIGHT": [answers("00.1").WRONG[0][0]]}))
    accepted = benchmark.tried(("00.1", "wrong", benchmark.get("00.1").reference.__name__), 2)
    assert accepted["accepted on"] == [0, 1] and accepted["named on"] == 0
    rows = {"00.1": {"points": 1, "right": {"a": {"rejected on": [1]}}, "wrong": {"b": accepted},
                     "nothing": {"most points": 1}}}
    assert benchmark.totals(rows, 2) | {"kill rate": 0, "named": 0, "points for nothing": 1,
                                        "right answers rejected on a seed": 1} == benchmark.totals(rows, 2)
