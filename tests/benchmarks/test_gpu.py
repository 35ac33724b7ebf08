"""What a GPU run leaves in results/gpu.json, tried on the CPU; and what README says until there is one."""

import json
from pathlib import Path

import pytest

from advcourse.pipeline import masters

RESULTS = masters.ROOT / "benchmarks" / "results" / "gpu.json"
SUITE = """<testsuites><testsuite>
<testcase classname="tests.notebooks.test_notebooks" name="test_a" time="1.5"/>
<testcase name="test_b" time="2"><failure message="x">x</failure></testcase>
<testcase name="test_c" time="0"><error message="x">x</error></testcase>
<testcase name="test_d" time="0"><skipped message="no browser">x</skipped></testcase>
</testsuite></testsuites>"""


@pytest.fixture(scope="module")
def benchmark(import_benchmark):
    return import_benchmark("gpu")


def test_a_suite_is_told_by_its_failures_and_by_what_it_skipped(benchmark, tmp_path):
    path = tmp_path / "suite.xml"
    path.write_text(SUITE)
    told = benchmark.suite(path, device="cpu")
    assert (told["tests"], told["failed"], told["skipped"]) == (4, ["test_b", "test_c"], {"no browser": 1})
    assert told["seconds"] == 4 and told["torch"] and len(told["commit"]) == 40
    for other in ("<testsuites/>", SUITE.replace("tests.notebooks", "tests.house")):
        path.write_text(other)
        with pytest.raises(ValueError, match="not the tests of the whole suite"):
            benchmark.suite(path, device="cpu")


def test_a_notebook_is_told_by_what_it_measured_and_the_others_stay(benchmark, tmp_path, monkeypatch):
    path, = masters.ROOT.glob("notebooks/solutions/00_*.ipynb")
    told = benchmark.full(path, profile="quick", device="cpu")
    assert told["failure"] is None and told["claims"] and set(told["exercises"]) == {"passed"}
    assert all(claim["low"] <= claim["value"] <= claim["high"] for claim in told["claims"])
    monkeypatch.setattr(benchmark, "OUT", tmp_path / "gpu.json")
    benchmark.keep("full", {"01": "kept"})
    benchmark.keep("suite", {"tests": 1})
    benchmark.keep("full", {path.stem: told})
    content = json.loads((tmp_path / "gpu.json").read_text())
    assert content == {"full": {"01": "kept", path.stem: json.loads(json.dumps(told))}, "suite": {"tests": 1}}


def test_without_a_gpu_nothing_is_written_that_looks_like_one(benchmark, monkeypatch, tmp_path):
    monkeypatch.setattr(benchmark.torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(benchmark, "OUT", tmp_path / "gpu.json")
    with pytest.raises(SystemExit, match="no CUDA GPU"):
        benchmark.main(["full"])
    assert not list(tmp_path.iterdir())


def test_the_readme_says_so_until_there_is_a_run_on_a_gpu():
    said = "no run on a GPU is on record yet" in Path(masters.ROOT, "README.md").read_text(encoding="utf-8")
    assert said != RESULTS.exists()
