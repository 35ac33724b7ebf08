"""The measurements behind the bands: every column is measured, and a run that was stopped goes on where it was."""

import json
from types import SimpleNamespace

import pytest


@pytest.fixture
def claims(import_benchmark, tmp_path, monkeypatch):
    """benchmarks/claims.py with two seeds, whose notebooks say which run it was; `ran` lists the runs."""
    module = import_benchmark("claims")
    monkeypatch.setattr(module, "SEEDS", range(2))
    monkeypatch.setattr(module, "PART", tmp_path / "build" / "claims.json")
    monkeypatch.setattr(module, "OUT", tmp_path / "claims.json")
    other = {"notebook": "00_welcome", "sentence": "Kept.", "values": {"mnist": [1], "fonts": [2]}}
    mine = {"notebook": "03_gradient_attacks", "sentence": "Gone.", "values": {}}
    module.OUT.write_text(json.dumps({"claims": [other, mine]}))
    module.ran, module.stop_after = [], 100

    def run(paths, parameters, workers):
        for path in paths:
            if len(module.ran) == module.stop_after:
                raise KeyboardInterrupt
            seed, fonts = parameters["SEED"], parameters["DATASET"] == "fonts"
            handed_out = path.parent.name != "solutions"
            module.ran.append((seed, fonts, handed_out))
            claim = {"kind": "claim", "sentence": "It is {value}.", "value": seed + 10 * fonts + 100 * handed_out,
                     "low": 0, "high": 999, "holds": True}
            outputs = [{"data": {"application/vnd.advcourse+json": claim}}]
            yield SimpleNamespace(name=path.stem, failure=None, notebook=json.dumps({"cells": [{"outputs": outputs}]}))

    monkeypatch.setattr(module.run, "run", run)
    return module


def test_each_notebook_is_measured_solved_and_handed_out_and_others_values_stay(claims):
    claims.main(["3"])
    kept, measured = json.loads(claims.OUT.read_text())["claims"]
    assert kept["sentence"] == "Kept." and measured["notebook"] == "03_gradient_attacks"
    assert measured["values"] == {"mnist": [0, 1], "fonts": [10, 11],
                                  "mnist, handed out": [100, 101], "fonts, handed out": [110, 111]}
    assert not claims.PART.exists()


def test_where_bands_differ_by_data_set_they_stand_beside_the_values(claims):
    low_of = {"mnist": 0, "fonts": -5}
    done = {f"03_gradient_attacks, {seed}, {column}": [["Alike.", 1, 0, 9], ["Apart.", 2, low_of[column[:5]], 9]]
            for seed in claims.SEEDS for column in claims.COLUMNS}
    alike, apart = claims.table(["03"], done)
    assert "bands" not in alike
    assert apart["bands"] == {"mnist": (0, 9), "fonts": (-5, 9), "mnist, handed out": (0, 9),
                              "fonts, handed out": (-5, 9)}


def test_a_run_that_was_stopped_goes_on_where_it_was(claims):
    claims.stop_after = 5
    with pytest.raises(KeyboardInterrupt):
        claims.main(["03"])
    claims.stop_after = 100
    claims.main(["03"])
    assert len(claims.ran) == len(set(claims.ran)) == 8
    assert json.loads(claims.OUT.read_text())["claims"][1]["values"]["fonts"] == [10, 11]
