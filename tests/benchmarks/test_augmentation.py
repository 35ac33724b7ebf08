"""The benchmark of augmentation: every contender does the same to a batch, a missing one is a row, the goals hold."""

import json
from pathlib import Path

import pytest
import torch

RESULTS = Path(__file__).resolve().parents[2] / "benchmarks" / "results"


@pytest.fixture(scope="module")
def benchmark(import_benchmark):
    return import_benchmark("augmentation")


@pytest.mark.parametrize("parts", [("flip",), ("crop",), ("colour",)])
def test_each_image_is_changed_by_its_own_numbers_but_by_torchvision_for_all(benchmark, parts):
    same = torch.rand(1, 3, 32, 32).expand(24, -1, -1, -1).contiguous()
    for name in ("ours", "torchvision", "torchvision, for all"):
        out = benchmark.CONTENDERS[name](parts, same)()
        kinds = len(out.flatten(1).unique(dim=0))
        assert out.shape == same.shape and (kinds == 1) == (name == "torchvision, for all"), name


def test_a_peer_that_is_not_here_or_fails_is_a_row_that_says_so(benchmark, monkeypatch):
    monkeypatch.setattr(benchmark, "import_module", lambda name: __import__("no_such_library"))
    rows = benchmark.compare(("flip",), torch.rand(8, 3, 32, 32), repeats=1)
    assert rows.keys() == benchmark.CONTENDERS.keys() and rows["ours"] > 0 and rows["torchvision"] > 0
    assert "no_such_library" in rows["kornia"] and "no_such_library" in rows["albumentations"]


def test_the_stored_results_are_whole_and_hold_the_goals(benchmark):
    content = json.loads((RESULTS / "augmentation.json").read_text(encoding="utf-8"))
    assert (RESULTS / "augmentation.md").read_text(encoding="utf-8") == benchmark.table(content)
    assert content["libraries"].keys() == {"torchvision", "kornia", "albumentations"}
    assert content["results"].keys() == benchmark.OPERATIONS.keys()
    goals = benchmark.goals(content)
    assert len(goals) == 2 and all(holds for _, holds in goals), goals
    slow = {**content, "results": {"all three": {"ours": 1.0, "torchvision": 9.0, "kornia": 1.9}}}
    assert [holds for _, holds in benchmark.goals(slow)] == [False, False]
