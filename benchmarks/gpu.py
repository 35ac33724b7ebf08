"""What a GPU run of the course gave: the suite, and every solved notebook with the full profile.

    DEVICE=cuda python -m pytest --junitxml=build/suite.xml; python benchmarks/gpu.py suite build/suite.xml
    python benchmarks/gpu.py full             # hours; `full 03 09` runs these notebooks and leaves the others' figures

Each writes its part of benchmarks/results/gpu.json and leaves the other. The bands of claims are measured with the
quick profile (benchmarks/claims.py): "holds" says whether the full profile's value lies in the quick one's band.
"""

import json
import platform
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter
from datetime import date
from pathlib import Path

import torch

from advcourse import files
from advcourse.pipeline import report, run
from advcourse.version import __version__

ROOT = Path(__file__).parent.parent
OUT = Path(__file__).parent / "results" / "gpu.json"


def machine(device):
    """What the figures were measured on and of what."""
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout.strip()
    name = torch.cuda.get_device_name() if device == "cuda" else platform.processor() or platform.machine()
    return {"date": str(date.today()), "advcourse": __version__, "commit": commit, "device": name,
            "torch": torch.__version__, "cuda": torch.version.cuda, "python": platform.python_version()}


def suite(path, device="cuda"):
    """The outcome of the suite from the file that pytest's --junitxml wrote."""
    cases = list(ElementTree.parse(path).iter("testcase"))
    if not any(case.get("classname", "").startswith("tests.notebooks.") for case in cases):
        raise ValueError(f"these are not the tests of the whole suite: {path}")
    failed = [case.get("name") for case in cases if case.find("failure") is not None or case.find("error") is not None]
    skipped = Counter(case.find("skipped").get("message") for case in cases if case.find("skipped") is not None)
    return machine(device) | {"tests": len(cases), "failed": failed, "skipped": dict(skipped),
                              "seconds": round(sum(float(case.get("time")) for case in cases))}


def full(path, *, profile="full", device="cuda"):
    """How the notebook at `path` went, and what it measured."""
    result, = run.run([path], {"PROFILE": profile, "DEVICE": device})
    notebook = json.loads(result.notebook)
    return machine(device) | {
        "profile": profile, "failure": result.failure, "seconds": round(result.seconds, 1),
        "peak_memory_mb": round(result.peak_memory / 1e6),
        "data": [start["dataset"] for start in report.payloads(notebook, "start")],
        "exercises": Counter(verdict["state"] for verdict in report.verdicts(notebook)),
        "claims": [{name: claim[name] for name in ("sentence", "value", "low", "high", "holds")}
                   for claim in report.claims(notebook)],
        "records": {record["name"]: record["value"] for record in report.payloads(notebook, "record")}}


def keep(part, found):
    """Put `found` into its part of OUT; of the part "full" the other notebooks stay."""
    content = json.loads(OUT.read_text(encoding="utf-8")) if OUT.exists() else {}
    content[part] = content.get(part, {}) | found if part == "full" else found
    files.write(OUT, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def main(arguments):
    if not torch.cuda.is_available():
        sys.exit("torch sees no CUDA GPU, and these are the figures of one")
    match arguments:
        case ["suite", path]:
            keep("suite", suite(path))
        case ["full", *numbers]:
            for path in run.find(ROOT / "notebooks" / "solutions", numbers):
                found = full(path)
                print(f"{path.stem}: {found['failure'] or 'ran'}, {report.duration(found['seconds'])}", flush=True)
                keep("full", {path.stem: found})  # at once: hours of work are not lost to the last notebook
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
