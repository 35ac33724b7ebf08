"""The benchmark that hands the hostile notebooks to other graders counts what got through, and what did not."""

import nbformat
import pytest

UNHARMED = {"seconds": 5.0, "ended": 0, "scores": {"exercise_01_1": 0, "exercise_01_2": 3}, "read": False,
            "changed": False, "knocked": 0, "left": 0}


@pytest.fixture(scope="module")
def benchmark(import_benchmark):
    return import_benchmark("hostile_elsewhere")


@pytest.fixture
def case(benchmark):
    return benchmark.Case("forgery", "a case", ("def project(x_p, x, eps):\n    return 1",), 3)


@pytest.mark.parametrize(("change", "wrong"), [
    ({}, {}),
    ({"scores": {"exercise_01_1": 2, "exercise_01_2": 3}}, {"undeserved points": 2}),
    ({"scores": {"exercise_01_1": 0, "exercise_01_2": None}}, {"deserved points lost": 3}),
    ({"scores": None}, {"not graded": True, "deserved points lost": 3}),
    ({"read": True}, {"leak": True}),
    ({"changed": True}, {"harm": True}),
    ({"knocked": 1}, {"harm": True}),
    ({"left": 2}, {"harm": True}),
    ({"ended": None}, {"taken down": True}),
    ({"ended": -9}, {"taken down": True}),
    ({"ended": 1}, {}),  # a grader that gives up with an error has ended by itself
])
def test_what_is_wrong_with_an_outcome(benchmark, case, change, wrong):
    assert benchmark.judged(case, UNHARMED | change)["wrong"] == wrong


def test_a_wall_that_they_do_not_claim_to_have_counts_for_points_alone(benchmark):
    case = benchmark.Case("reading", sorted(benchmark.NOT_APPLICABLE)[0], (), 3)
    row = benchmark.judged(case, UNHARMED | {"read": True, "left": 1, "scores": {"exercise_01_1": 9}})
    assert row["wrong"] == {"undeserved points": 6} and row["not applicable"]


def test_every_case_without_a_wall_is_a_case(benchmark):
    assert {case.name for case in benchmark.CASES} >= benchmark.NOT_APPLICABLE


def test_rows_are_summed_up_and_honest_ones_stand_for_themselves(benchmark, case):
    honest = benchmark.HONEST_ONES[2]
    rows = [benchmark.judged(case, UNHARMED | change)
            for change in ({}, {"read": True}, {"read": True, "ended": None}, {"scores": None})]
    rows += [benchmark.judged(honest, UNHARMED | {"scores": {"exercise_01_1": points}}) for points in (0, 1)]
    found = benchmark.summary(rows)
    assert (found["run"], found["got through"], found["leak"], found["taken down"],
            found["not graded"]) == (4, 2, 2, 1, 1)
    assert (found["honest right"], found["honest"]) == (1, 2)
    table = benchmark.table({"otter": found}, found | {"date": "2026-01-02"}, "2026-01-01")
    line = next(line for line in table.splitlines() if line.startswith("| otter"))
    assert [cell.strip() for cell in line.split("|")][3:9] == [f"4 of {found['all']}", "2", "0", "2", "0", "1"]


def test_the_first_cases_are_spread_over_the_themes(benchmark):
    half = benchmark.CASES[:len(benchmark.CASES) // 2]
    for theme in {case.theme for case in benchmark.CASES}:
        all_ = sum(case.theme == theme for case in benchmark.CASES)
        assert abs(sum(case.theme == theme for case in half) - all_ / 2) <= 1.5, theme


def test_a_case_stands_before_the_exercises_and_in_the_place_of_those_that_it_speaks_of(benchmark, case, tmp_path):
    stub = "def {0}(x):\n    raise NotImplementedError\n\n{0} = check(\"01.{1}\", {0})"
    cells = ["import torch", stub.format("project", 1), stub.format("linear_attack", 2)]
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells]),
                   tmp_path / "released.ipynb")
    made = nbformat.reads(benchmark.submission(tmp_path / "released.ipynb", case), as_version=4)
    assert [cell.source for cell in made.cells] == [cells[0], case.code[0], 'project = check("01.1", project)',
                                                    cells[2]]
    nbformat.validate(made)
