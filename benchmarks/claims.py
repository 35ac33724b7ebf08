"""Measure every claim of the notebooks over several seeds and data sets: the evidence for their bands.

    python benchmarks/claims.py            # writes benchmarks/results/claims.json
    python benchmarks/claims.py 03 04      # measures these notebooks again and leaves the others' values

Every notebook runs solved ("mnist", "fonts") and as it is handed out ("mnist, handed out", "fonts, handed out"). A run
that was stopped goes on where it was: what it has measured lies in build/claims.json; delete that file where notebooks
or library have changed since. A claim's band, in its notebook, must hold every value (tests/notebooks/test_claims.py);
where a notebook has another band for another data set, the bands stand beside the values.
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
PART = ROOT / "build" / "claims.json"
SEEDS = range(10)
SOLVED, HANDED_OUT = ROOT / "notebooks" / "solutions", ROOT / "notebooks"
COLUMNS = {"mnist": ("mnist", SOLVED), "fonts": ("fonts", SOLVED),
           "mnist, handed out": ("mnist", HANDED_OUT), "fonts, handed out": ("fonts", HANDED_OUT)}


def measure(numbers, done):
    """Run what is missing in `done`, from "notebook, seed, column" to its claims; save each.

    A claim is [sentence, value, low, high].
    """
    for seed in SEEDS:
        for column, (dataset, folder) in COLUMNS.items():
            missing = [path for path in run.find(folder, numbers) if f"{path.stem}, {seed}, {column}" not in done]
            if not missing:
                continue
            parameters = {"PROFILE": "quick", "DATASET": dataset, "SEED": seed}
            for result in run.run(missing, parameters, workers=run.default_workers()):
                if result.failure:
                    raise RuntimeError(f"{result.name} with seed {seed} on {column}: {result.failure}")
                claims = report.claims(json.loads(result.notebook))
                for claim in claims:
                    if not claim["holds"]:
                        print(f"{result.name}: outside [{claim['low']:g}, {claim['high']:g}] "
                              f"with seed {seed} on {column}: {claim['said']}")
                done[f"{result.name}, {seed}, {column}"] = [
                    [claim[part] for part in ("sentence", "value", "low", "high")] for claim in claims]
                files.write(PART, json.dumps(done))


def table(numbers, done):
    """The rows of the chosen notebooks: for every claim its values, a list over the seeds for each column.

    Where its band is not the same in all columns, the row has the `bands`, (low, high) for each.
    """
    rows, bands = {}, {}
    for path in run.find(SOLVED, numbers):
        for column in COLUMNS:
            for seed in SEEDS:
                for sentence, value, low, high in done[f"{path.stem}, {seed}, {column}"]:
                    bands.setdefault((path.stem, sentence), {})[column] = (low, high)
                    values = rows.setdefault((path.stem, sentence), {name: [] for name in COLUMNS})
                    values[column].append(round(value, 5))
    return [{"notebook": name, "sentence": sentence, "values": values}
            | ({"bands": bands[name, sentence]} if len(set(bands[name, sentence].values())) > 1 else {})
            for (name, sentence), values in rows.items()]


def main(numbers):
    done = json.loads(PART.read_text(encoding="utf-8")) if PART.exists() else {}
    measure(numbers, done)
    again = {path.stem for path in run.find(SOLVED, numbers)}
    kept = [claim for claim in json.loads(OUT.read_text(encoding="utf-8"))["claims"]
            if claim["notebook"] not in again] if numbers else []
    content = {
        "made by": "python benchmarks/claims.py", "date": str(date.today()), "machine": platform.machine(),
        "torch": torch.__version__, "profile": "quick", "seeds": "from 0 on, one for each value",
        "claims": sorted(kept + table(numbers, done), key=lambda claim: (claim["notebook"], claim["sentence"])),
    }
    files.write(OUT, json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    PART.unlink()


if __name__ == "__main__":
    main(sys.argv[1:])
