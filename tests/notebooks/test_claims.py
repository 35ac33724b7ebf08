"""The bands of the notebooks' claims hold what five seeds gave, on real and on generated data."""

import json

import pytest

from advcourse.pipeline import masters, report

MEASURED = json.loads((masters.ROOT / "benchmarks" / "results" / "claims.json").read_text(encoding="utf-8"))
VALUES = {(claim["notebook"], claim["sentence"]): claim["values"] for claim in MEASURED["claims"]}


def stored_claims():
    for path in masters.find():
        built = json.loads((masters.ROOT / "notebooks" / f"{path.stem}.ipynb").read_text(encoding="utf-8"))
        for claim in report.claims(built):
            yield pytest.param(path.stem, claim, id=f"{path.name[:2]} {claim['sentence'][:40]}")


@pytest.mark.parametrize("name, claim", list(stored_claims()))
def test_every_band_holds_what_was_measured(name, claim):
    values = VALUES.get((name, claim["sentence"]))
    assert values, "never measured: run python benchmarks/claims.py"
    for dataset in ("mnist", "fonts"):
        assert len(values[dataset]) >= 5
        outside = [value for value in values[dataset] if not claim["low"] <= value <= claim["high"]]
        assert not outside, f"{dataset}: {outside} outside [{claim['low']}, {claim['high']}]"


def test_every_measured_claim_is_still_made():
    assert set(VALUES) == {(parameters.values[0], parameters.values[1]["sentence"]) for parameters in stored_claims()}
