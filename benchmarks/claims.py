"""Measure every claim of the notebooks over several seeds and data sets: the evidence for their bands.

    python benchmarks/claims.py            # writes benchmarks/results/claims.json
    python benchmarks/claims.py 03 04      # measures these notebooks again and leaves the others' values

A claim's band, in its notebook, must hold every value in that file (tests/notebooks/test_claims.py).
"""

import json
import platform
import sys
from datetime import date
from pathlib import Path

import torch

from advcourse import files
from advcourse.pipeline import report, run

ROOT = Path(__file__).parent.parent
OUT = Path(__file__).parent / "results" / "claims.json"
SEEDS = range(10)
DATASETS = ("mnist", "fonts")


def measure(seed, dataset, numbers):
    """From (notebook, sentence) to the value that this seed gives on this data set."""
    parameters = {"PROFILE": "quick", "DATASET": dataset, "SEED": seed}
    values = {}
    for result in run.run(run.find(ROOT / "notebooks" / "solutions", numbers), parameters,
                          workers=run.default_workers()):
        if result.failure:
            raise RuntimeError(f"{result.name} with seed {seed} on {dataset}: {result.failure}")
        for claim in report.claims(json.loads(result.notebook)):
            values[result.name, claim["sentence"]] = claim
    return values


def main(numbers):
    measured = {}
    for dataset in DATASETS:
        for seed in SEEDS:
            for key, claim in measure(seed, dataset, numbers).items():
                measured.setdefault(key, {name: [] for name in DATASETS})[dataset].append(round(claim["value"], 5))
                if not claim["holds"]:
                    print(f"outside [{claim['low']:g}, {claim['high']:g}] "
                          f"with seed {seed} on {dataset}: {claim['said']}")
    kept = [claim for claim in json.loads(OUT.read_text(encoding="utf-8"))["claims"]
            if claim["notebook"][:2] not in numbers] if numbers else []
    content = {
        "made by": "python benchmarks/claims.py", "date": str(date.today()), "machine": platform.machine(),
        "torch": torch.__version__, "profile": "quick", "seeds": list(SEEDS),
        "claims": sorted(kept + [{"notebook": name, "sentence": sentence, "values": values}
                                 for (name, sentence), values in measured.items()],
                         key=lambda claim: (claim["notebook"], claim["sentence"])),
    }
    files.write(OUT, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
