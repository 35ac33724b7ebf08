"""`evaluate.robust_accuracy` beside the code of AutoAttack's authors: the same answers, in how much CPU time?

    python benchmarks/robust_accuracy.py                    # 1,000 images: hours; writes results/robust_accuracy.json
    python benchmarks/robust_accuracy.py --images 50        # a look, in a few minutes
    python benchmarks/robust_accuracy.py --case robust-linf --only ours    # one of them again; everything else is kept

The authors' code (github.com/fra31/auto-attack) must be importable as `autoattack`; without it ours runs alone. One
thread, one process, CPU seconds of that process (time.process_time), so that other programs on the machine disturb
little. Ours runs twice: as it is, and with exhaustive=True, where every image meets every attack to its end, as in the
authors' code.
"""

import argparse
import json
import os
import platform
import time
from datetime import date
from importlib.util import find_spec
from pathlib import Path

import robust_cnn
import torch

from advcourse import data, evaluate, files, zoo

OUT = Path(__file__).parent / "results" / "robust_accuracy.json"
CASES = {  # model ("robust": adversarially trained), norm, a radius at which a part of the images survives
    "cnn-linf": ("mnist-cnn", "linf", 0.08),
    "robust-linf": ("robust", "linf", 0.3),
    "cnn-l2": ("mnist-cnn", "l2", 1.2),
    "mlp-linf": ("mnist-mlp", "linf", 0.03),
    "fonts-linf": ("fonts-cnn", "linf", 0.05),
    "robust-l2": ("robust", "l2", 2.0),
    "cnn-l1": ("mnist-cnn", "l1", 10.0),
}


class Counting(torch.nn.Module):
    """The model, counting the images that go forward through it."""

    def __init__(self, model):
        super().__init__()
        self.model, self.passes = model, 0

    def forward(self, x):
        self.passes += len(x)
        return self.model(x)


# The contestants: (robust, bool of shape (N,); what fell to which attack, or None)

def ours(model, x, y, eps, norm, exhaustive=False):
    result = evaluate.robust_accuracy(model, x, y, eps=eps, norm=norm, exhaustive=exhaustive)
    return result.robust, result.fell


def exhaustive(model, x, y, eps, norm):
    return ours(model, x, y, eps, norm, exhaustive=True)


def authors(model, x, y, eps, norm):
    from autoattack import AutoAttack

    attack = AutoAttack(model, norm={"linf": "Linf", "l2": "L2", "l1": "L1"}[norm], eps=eps, seed=0, device="cpu",
                        verbose=False)
    x_adv = attack.run_standard_evaluation(x, y, bs=250)
    return model(x_adv).argmax(1) == y, None


CONTESTANTS = {"ours": ours, "authors": authors, "exhaustive": exhaustive}


def measure(contestant, name, images):
    """One contestant on one case; which images (as a string of 0 and 1) stood."""
    model_name, norm, eps = CASES[name]
    model = robust_cnn.load() if model_name == "robust" else zoo.load(model_name)
    dataset = data.load("fonts" if model_name.startswith("fonts") else "mnist")
    x, y = dataset.x_test[:images], dataset.y_test[:images]
    counted, start = Counting(model), time.process_time()
    robust, fell = CONTESTANTS[contestant](counted, x, y, eps, norm)
    seconds = time.process_time() - start
    found = {"robust accuracy": robust.double().mean().item(), "seconds": round(seconds, 1),
             "forward images": counted.passes}
    found |= {"date": str(date.today()), "stood": "".join("01"[stood] for stood in robust.tolist())}
    return found | ({"fell": fell} if fell else {})


def compare(case):
    """Enter on how many images ours agrees with the authors' code, and how many times faster it is."""
    for contestant in ("ours", "exhaustive"):
        if "authors" in case and contestant in case:
            mine, theirs = case[contestant], case["authors"]
            mine["agrees on"] = sum(map(str.__eq__, mine["stood"], theirs["stood"]))
            mine["times faster"] = round(theirs["seconds"] / mine["seconds"], 2)


def show(name, case):
    for contestant in CONTESTANTS:
        if contestant in case:
            found = case[contestant]
            print(f"{name:12} {contestant:10} {found['robust accuracy']:7.2%} {found['seconds']:8.1f} s "
                  f"{found['forward images']:9} forward", end="")
            if "agrees on" in found:
                print(f"   agrees on {found['agrees on']} of {case['images']}, {found['times faster']:.2f} x faster",
                      end="")
            print(flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--case", action="append", choices=list(CASES),
                        help="only this one; may be given several times")
    parser.add_argument("--only", action="append", choices=list(CONTESTANTS), help="only this contestant; "
                                                                                   "may be given several times")
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    torch.set_num_threads(1)
    contestants = options.only or list(CONTESTANTS)
    if not find_spec("autoattack"):
        print("autoattack, the authors' code, is not installed: ours runs alone")
        contestants = [contestant for contestant in contestants if contestant != "authors"]
    for name in options.case or CASES:
        for contestant in contestants:
            found = measure(contestant, name, options.images)
            content = json.loads(options.out.read_text(encoding="utf-8")) if options.out.exists() else {"cases": {}}
            content |= {
                "made by": "python benchmarks/robust_accuracy.py", "seconds": "CPU time of one thread",
                "authors' code": "github.com/fra31/auto-attack, commit a39220048b3c, unless told otherwise",
                "machine": f"{platform.machine()}, {os.cpu_count()} cores, {torch.backends.cpu.get_cpu_capability()}",
                "versions": {"python": platform.python_version(), "torch": torch.__version__},
            }
            kind = dict(zip(("model", "norm", "eps", "images"), (*CASES[name], len(found["stood"])), strict=True))
            case = content["cases"].setdefault(name, {})
            if {key: case.get(key) for key in kind} != kind:
                case = content["cases"][name] = kind
            case[contestant] = found
            compare(case)
            files.write(options.out, json.dumps(content, indent=1) + "\n")
            show(name, case)


if __name__ == "__main__":
    main()
