"""Measure every claim of the notebooks over several seeds and data sets: the evidence for their bands.

    python benchmarks/claims.py            # writes benchmarks/results/claims.json

A claim's band, in its notebook, must hold every value in that file (tests/notebooks/test_claims.py).
"""

import json
import platform
from datetime import date
from pathlib import Path

import torch

from advcourse import files
from advcourse.pipeline import report, run

ROOT = Path(__file__).parent.parent
OUT = Path(__file__).parent / "results" / "claims.json"
SEEDS = range(5)
DATASETS = ("mnist", "fonts")


def measure(seed, dataset):
    """From (notebook, sentence) to the value that this seed gives on this data set."""
    parameters = {"PROFILE": "quick", "DATASET": dataset, "SEED": seed}
    values = {}
    for result in run.run(run.find(ROOT / "notebooks" / "solutions"), parameters, workers=run.default_workers()):
        if result.failure:
            raise RuntimeError(f"{result.name} with seed {seed} on {dataset}: {result.failure}")
        for claim in report.claims(json.loads(result.notebook)):
            values[result.name, claim["sentence"]] = claim
    return values


def main():
    measured = {}
    for dataset in DATASETS:
        for seed in SEEDS:
            for key, claim in measure(seed, dataset).items():
                measured.setdefault(key, {name: [] for name in DATASETS})[dataset].append(round(claim["value"], 5))
                if not claim["holds"]:
                    print(f"outside [{claim['low']:g}, {claim['high']:g}] with seed {seed} on {dataset}: {claim['said']}")
    content = {
        "made by": "python benchmarks/claims.py", "date": str(date.today()), "machine": platform.machine(),
        "torch": torch.__version__, "profile": "quick", "seeds": list(SEEDS),
        "claims": [{"notebook": name, "sentence": sentence, "values": values}
                   for (name, sentence), values in sorted(measured.items())],
    }
    files.write(OUT, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
