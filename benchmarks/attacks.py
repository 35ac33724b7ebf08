"""Our attacks beside those of other libraries: same model, images, labels and budget, in turns.

Writes results/attacks.json, .md and .png.

    pip install --target peers --no-deps foolbox eagerpy GitPython gitdb smmap torchattacks \\
        adversarial-robustness-toolbox cleverhans
    git clone https://github.com/fra31/auto-attack peers/auto-attack
    python benchmarks/attacks.py --peers peers peers/auto-attack           # half an hour of CPU
    python benchmarks/attacks.py --peers peers --only "DeepFool l2" FMN    # the attacks whose names begin so
    python benchmarks/attacks.py --peers peers --quick                     # a tenth of the images, once each

The last two write nothing.

Time is CPU time of the process on one thread, so that other work on the machine costs little; with --gpu it is
wall-clock time between two synchronisations. Each repeat runs all contenders one after the other, and the medians of at
least five repeats are compared; who takes longer than SLOW seconds runs once, and the table says so. A wrapper around
the model counts what passes through it, forward and backward, image by image. A peer that is not installed, or that
fails, is a row that says so.
"""

import argparse
import os
import platform
import statistics
import sys
import time
import warnings
from contextlib import suppress
from datetime import date
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import peers
import report
import robust_cnn
import torch
from torch.nn import functional as F

from advcourse import data, zoo
from advcourse.attacks.geometry import distance
from advcourse.models.inference import predict

SLOW = 6  # seconds: a contender whose first run takes longer is not run again; it is never the fastest
SHORT = 1  # seconds: contenders that take less than this together are repeated until they have


class Counted(torch.nn.Module):
    """The model, and how many images have passed through it forward and backward."""

    def __init__(self, model):
        super().__init__()
        self.model, self.forwards, self.backwards = model, 0, 0

    def forward(self, x):
        self.forwards += len(x)
        logits = self.model(x.float())  # ART asks in float64 at times
        if logits.requires_grad:
            logits.register_hook(self._count)
        return logits

    def _count(self, gradient):
        self.backwards += len(gradient)


def clock(device):
    """Seconds of the process's CPU time; on a GPU, where the work in the queue is waited for, of the wall clock."""
    if device.type == "cpu":
        return time.process_time()
    torch.cuda.synchronize()
    return time.perf_counter()


def run(call, model, x, y, seed):
    """(x_adv, seconds, images forward, images backward) of one call, with the global generators set to the seed."""
    counted = Counted(model).eval()
    torch.manual_seed(seed), np.random.seed(seed)
    with warnings.catch_warnings(), open(os.devnull, "w") as nowhere:
        warnings.simplefilter("ignore")
        printed, sys.stdout = sys.stdout, nowhere
        try:
            begin = clock(x.device)
            x_adv = call(counted, x, y)
            seconds = clock(x.device) - begin
        finally:
            sys.stdout = printed
    return x_adv.detach(), seconds, counted.forwards, counted.backwards


def judge(model, x, y, x_adv, comparison, eps):
    """(share of the images that it fools within its budget, median distance or None); a failure is infinitely far."""
    x_adv = x_adv.to(x.dtype).clamp(0, 1)
    answer = predict(model, x_adv).argmax(1)
    fooled = answer == y if comparison.targeted else answer != y
    if comparison.kind == "budget":
        if comparison.norm != "none":
            fooled &= distance(x_adv, x, comparison.norm) <= eps * (1 + 1e-5)
        return fooled.double().mean().item(), None
    if comparison.norm == "elastic net":
        far = 0.01 * distance(x_adv, x, "l1") + distance(x_adv, x, "l2") ** 2
    else:
        far = distance(x_adv, x, comparison.norm)
    far = far.double().masked_fill(~fooled, float("inf"))
    return fooled.double().mean().item(), far.quantile(0.5, interpolation="higher").item()


def bare_loop(forwards, backwards):
    """The floor: so many forward and backward passes of the whole batch, with the loss, and nothing else."""
    def call(model, x, y):
        for _ in range(backwards):
            images = x.detach().requires_grad_()
            torch.autograd.grad(F.cross_entropy(model(images), y, reduction="sum"), images)
        with torch.no_grad():
            for _ in range(forwards - backwards):
                model(x)
        return x
    return call


def compare(comparison, model, x, y, eps, repeats, missing):
    """The rows of one attack on one model: a dict per contender."""
    calls = comparison.calls(eps)
    rows = {label: {"contender": label, "seconds": [], "success": [], "distance": []} for label in calls}
    for label in [label for label in calls if label.split()[0] in missing]:
        del calls[label]
        rows[label] = {"contender": label, "note": "not installed"}
    if comparison.against_floor:
        _, _, forwards, backwards = run(calls["ours"], model, x[:2], y[:2], 0)
        calls["floor"] = bare_loop(forwards // 2, backwards // 2)
        rows["floor"] = {"contender": "floor", "seconds": [], "success": [], "distance": []}
    for call in calls.values():  # the first call of all imports and allocates
        with suppress(Exception):  # some cannot attack two images; what fails on all of them is told below
            run(call, model, x[:2], y[:2], 0)
    repeat, together = 0, 0.0
    while repeat < repeats or (repeats >= 5 and together < SHORT and repeat < 30):
        labels = list(calls)
        first = repeat % len(labels)
        for label in labels[first:] + labels[:first]:  # everyone runs first, and after everyone, in turn
            row = rows[label]
            if "note" in row or (row["seconds"] and row["seconds"][0] > SLOW):
                continue
            try:
                x_adv, seconds, row["forwards"], row["backwards"] = run(calls[label], model, x, y, repeat)
            except Exception as error:
                row["note"] = f"failed: {type(error).__name__}: {error}"[:200]
                continue
            success, far = judge(model, x, y, x_adv, comparison, eps)
            for name, value in (("seconds", seconds), ("success", success), ("distance", far)):
                row[name].append(value)
            together += seconds
        repeat += 1
    return [summary(row, len(x)) for row in rows.values()]


def summary(row, images):
    """A contender's medians over its repeats; counts per image."""
    if not row.get("seconds"):
        return {"contender": row["contender"], "note": row["note"]}
    far = [value for value in row["distance"] if value is not None]
    return {
        "contender": row["contender"], "repeats": len(row["seconds"]), "seconds": statistics.median(row["seconds"]),
        "fastest": min(row["seconds"]), "success": statistics.mean(row["success"]),
        "distance": statistics.median(far) if far else None,
        "forwards": row["forwards"] / images, "backwards": row["backwards"] / images,
    }


def load_models(device):
    """{name: model}, and the 1,000 first test images with their labels."""
    dataset = data.load("mnist")
    models = {"cnn": zoo.load("mnist-cnn"), "softmax": zoo.load("mnist-softmax"), "robust": robust_cnn.load()}
    return {name: model.to(device)
            for name, model in models.items()}, dataset.x_test[:1000].to(device), dataset.y_test[:1000].to(device)


def right_ones(model, x, y, count, targeted):
    """The first `count` images that the model gets right, and their labels; targeted: random other labels."""
    index = (predict(model, x).argmax(1) == y).nonzero()[:count, 0]
    x, y = x[index], y[index]
    if targeted:
        y = (y + torch.randint(1, 10, y.shape, generator=torch.Generator().manual_seed(0)).to(y.device)) % 10
    return x, y


def find_libraries():
    """({library: its version}, {library: why it is missing})."""
    found, missing = {}, {}
    for name, (module, distribution) in peers.LIBRARIES.items():
        try:
            import_module(module)
        except ImportError as error:
            missing[name] = str(error)
            continue
        try:
            found[name] = version(distribution)
        except PackageNotFoundError:
            found[name] = "from a checkout"
    return found, missing


def processor():
    """The CPU's name as the operating system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="only attacks whose names begin so")
    parser.add_argument("--models", nargs="+", metavar="MODEL", help="only these of cnn, robust, softmax")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--gpu", action="store_true", help="on a GPU, with wall-clock time")
    parser.add_argument("--scale", type=float, default=1.0, help="so many times as many images: 4 for the last point "
                                                                 "of success, on a quiet machine")
    parser.add_argument("--quick", action="store_true", help="a tenth of the images, one repeat")
    parser.add_argument("--peers", nargs="+", default=[], metavar="FOLDER", help="where the other libraries are, if "
                                                                                 "not among the installed packages")
    parser.add_argument("--out", type=Path, help="write NAME.json, NAME.md and NAME.png; default: results/attacks "
                                                 "where all attacks are measured")
    options = parser.parse_args()
    os.environ["TQDM_DISABLE"] = "1"  # before any peer is imported
    sys.path += options.peers  # at the end: what is installed comes first
    torch.set_num_threads(1)
    device = torch.device("cuda" if options.gpu else "cpu")
    found, missing = find_libraries()
    models, x, y = load_models(device)
    whole = not (options.quick or options.only or options.models)
    out = options.out or (Path(__file__).parent / "results" / ("attacks-gpu" if options.gpu else "attacks") if whole
                          else None)
    chosen = [(name, model_name) for name, comparison in peers.COMPARISONS.items() for model_name in comparison.runs
              if (not options.only or any(name.startswith(start) for start in options.only))
              and (not options.models or model_name in options.models)]
    content = {
        "made by": "python benchmarks/attacks.py"
        + (" --gpu" if options.gpu else "") + (f" --scale {options.scale:g}" if options.scale != 1 else ""),
        "date": str(date.today()), "machine": torch.cuda.get_device_name() if options.gpu else processor(),
        "cores": os.cpu_count(), "threads": 1,
        "clock": "wall-clock" if options.gpu else "CPU time of the process", "python": platform.python_version(),
        "torch": torch.__version__,
        "libraries": found, "not installed": sorted(missing), "results": [],
    }
    for name, model_name in chosen:
        comparison, model = peers.COMPARISONS[name], models[model_name]
        count, eps = comparison.runs[model_name]
        count = max(5, int(count * options.scale / (10 if options.quick else 1)))
        images, labels = right_ones(model, x, y, count, comparison.targeted)
        rows = compare(comparison, model, images, labels, eps, 1 if options.quick else options.repeats, missing)
        content["results"].append(report.verdict({
            "attack": name, "model": model_name, "images": len(images), "eps": eps, "kind": comparison.kind,
            "norm": comparison.norm,
            "goal": comparison.goal, "rows": rows}))
        content["measured"] = f"{len(content['results'])} of {len(chosen)} comparisons"
        print(report.table(content["results"][-1:]), flush=True)
        if out:  # each time, so that an interrupted run leaves what it has measured
            report.write(content, out)
    print(report.goals(content["results"]))
    if out:
        report.picture(content, out)


if __name__ == "__main__":
    main()
