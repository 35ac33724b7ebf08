"""The bands of the notebooks' claims hold what five seeds gave, on real and on generated data."""

import json

import pytest

from advcourse.pipeline import masters, report, told

MEASURED = json.loads((masters.ROOT / "benchmarks" / "results" / "claims.json").read_text(encoding="utf-8"))
VALUES = {(claim["notebook"], claim["sentence"]): claim["values"] for claim in MEASURED["claims"]}
BANDS = {(claim["notebook"], claim["sentence"]): claim["bands"] for claim in MEASURED["claims"] if "bands" in claim}


def stored_claims():
    for path in masters.find():
        for place in (masters.ROOT / "notebooks" / f"{path.stem}.ipynb", told.place(path.stem, masters.ROOT)):
            for claim in report.claims(json.loads(place.read_text(encoding="utf-8"))):
                yield pytest.param(path.stem, claim, id=f"{path.name[:2]} {claim['sentence'][:40]}")


@pytest.mark.parametrize("name, claim", list(stored_claims()))
def test_every_band_holds_what_was_measured(name, claim):
    values = VALUES.get((name, claim["sentence"]))
    assert values, "never measured: run python benchmarks/claims.py"
    assert {"mnist", "fonts"} <= values.keys()
    stored = [claim["low"], claim["high"]]
    bands = BANDS.get((name, claim["sentence"]), dict.fromkeys(values, stored))
    assert bands["mnist"] == stored, "the notebook's band is another one than that of the measurement"
    for column, measured in values.items():
        assert len(measured) >= 5
        low, high = bands[column]
        outside = [value for value in measured if not low <= value <= high]
        assert not outside, f"{column}: {outside} outside [{low}, {high}]"


def test_every_measured_claim_is_still_made():
    assert set(VALUES) == {(parameters.values[0], parameters.values[1]["sentence"]) for parameters in stored_claims()}
