"""The benchmark of attacks counts what passes through the model, judges fairly, and goes on where a peer is missing."""

import json
import math

import pytest
import torch

from advcourse import models


@pytest.fixture(scope="module")
def benchmark(import_benchmark):
    return import_benchmark("attacks")


@pytest.fixture(scope="module")
def problem():
    torch.manual_seed(0)
    model, x = models.softmax_regression(), torch.rand(6, 1, 28, 28)
    return model.requires_grad_(False).eval(), x, model(x).argmax(1)


def test_every_forward_and_backward_pass_is_counted_by_images(benchmark, problem):
    model, x, _ = problem
    counted = benchmark.Counted(model)
    assert torch.equal(counted(x), model(x))
    images = x[:4].clone().requires_grad_()
    logits = counted(images)
    torch.autograd.grad(logits[:, 0].sum(), images, retain_graph=True)
    torch.autograd.grad(logits, images, torch.ones_like(logits))
    assert (counted.forwards, counted.backwards) == (6 + 4, 2 * 4)


def test_a_missing_peer_and_a_failing_one_are_rows_that_say_so(benchmark, problem):
    model, x, y = problem

    def fails(model, x, y):
        raise RuntimeError("cannot")

    calls = {"ours": lambda model, x, y: (1 - x) * model(x).sum().ge(-math.inf), "foolbox": fails,
             "cleverhans 3": fails}
    comparison = benchmark.peers.Comparison(lambda eps: calls, "distance", "linf", {})
    rows = {row["contender"]: row for row in benchmark.compare(comparison, model, x, y, None, 2,
                                                               {"cleverhans": "no module"})}
    assert rows["cleverhans 3"]["note"] == "not installed"
    assert rows["foolbox"]["note"] == "failed: RuntimeError: cannot"
    assert (rows["ours"]["repeats"], rows["ours"]["forwards"], rows["ours"]["backwards"]) == (2, 1, 0)


def test_what_leaves_its_ball_fools_nobody_and_failures_are_infinitely_far(benchmark, problem):
    model, x, y = problem
    far = torch.where(torch.arange(6)[:, None, None, None] < 3, 1 - x, x)
    fooled = (model(far).argmax(1) != y).double().mean().item()
    assert 0 < fooled <= 0.5
    within, beyond, near = (benchmark.peers.Comparison(None, kind, "linf", {})
                            for kind in ("budget", "budget", "distance"))
    assert benchmark.judge(model, x, y, far, within, 1.0) == (fooled, None)
    assert benchmark.judge(model, x, y, far, beyond, 0.1) == (0, None)
    assert benchmark.judge(model, x, y, far, near, None) == (fooled, math.inf)


def row(contender, seconds, success, distance=None):
    return {"contender": contender, "repeats": 5, "seconds": seconds, "success": success, "distance": distance,
            "forwards": 1.0, "backwards": 1.0}


def result(*rows, kind="distance", **more):
    return {"attack": "A", "model": "cnn", "images": 10, "eps": None, "kind": kind, "norm": "l2", "goal": 3,
            "rows": list(rows)} | more


@pytest.mark.parametrize("ours, quality, speed_up", [
    (row("ours", 1, 1.0, 1.50), "equal", 4),  # only the slow peer is as good
    (row("ours", 1, 1.0, 1.40), "better", 4),  # none is: the best one counts
    (row("ours", 1, 1.0, 1.60), "worse", 2),
    (row("ours", 1, 0.9, 1.50), "worse", 4),
])
def test_the_fastest_peer_is_sought_among_those_that_are_as_good(benchmark, ours, quality, speed_up):
    verdict = benchmark.report.verdict(result(ours, row("foolbox", 4, 1.0, 1.50), row("foolbox, short", 2, 1.0, 1.55),
                                              row("floor", 0.5, 0, math.inf)))
    assert (verdict["quality"], verdict["speed_up"], verdict["of_floor"]) == (quality, speed_up, 2)


@pytest.mark.parametrize("success, quality", [(0.5, "worse"), (0.796, "equal"), (0.804, "equal"), (0.9, "better")])
def test_half_a_point_of_success_more_or_less_is_equal(benchmark, success, quality):
    assert benchmark.report.verdict(result(row("ours", 1, success), row("foolbox", 4, 0.8), row("ART", 4, 0.1),
                                           kind="budget"))["quality"] == quality


def test_the_report_is_a_table_a_picture_and_the_goals(benchmark, tmp_path):
    report = benchmark.report
    results = [
        report.verdict(result(row("ours", 1, 0.9), row("foolbox", 2, 0.9), kind="budget", eps=0.1)),
        report.verdict(result(row("ours", 1, 0.9, 3.0), row("foolbox", 4, 0.4, math.inf))),
        report.verdict(result(row("ours", 1, 1.0, 2.0), row("foolbox", 4, 1.0, 1.0),
                              {"contender": "ART", "note": "not installed"})),
        report.verdict(result(row("ours", 1, 1.0, 2.0), {"contender": "ART", "note": "not installed"})),
    ]
    lines = report.goals(results).splitlines()
    assert lines[0] == "4 of 6 goals hold."
    assert [line.split()[0] for line in lines[1:]] == ["DOES", "DOES", "holds", "holds", "holds", "holds", "not"]
    content = {"made by": "a test", "date": "2020-01-01", "machine": "a machine", "cores": 2, "threads": 1,
               "clock": "CPU time", "torch": "2",
               "libraries": {"foolbox": "3"}, "not installed": ["ART"], "measured": "4 of 4 comparisons",
               "results": results}
    report.write(content, tmp_path / "out")
    report.picture(content, tmp_path / "out")
    assert json.loads((tmp_path / "out.json").read_text())["results"][2]["quality"] == "worse"
    text = (tmp_path / "out.md").read_text()
    assert "not installed" in text and "no peer succeeds on half" in text
    assert "worse (2.000 × the best peer's distance); 4.00 × as fast as foolbox" in text
    assert (tmp_path / "out.png").read_bytes().startswith(b"\x89PNG")


def test_the_starting_images_are_wrong_ones(benchmark, problem):
    model, x, y = problem
    starts = benchmark.peers.wrong_images(benchmark.Counted(model), x, y)
    noise_fools = model(starts).argmax(1) != y
    of_others = [bool((start == x[y != label]).flatten(1).all(1).any()) for start, label in zip(starts, y, strict=True)]
    assert all(fools or other for fools, other in zip(noise_fools.tolist(), of_others, strict=True))
    assert sum(of_others) < len(x)
