"""Our batched augmentation beside that of other libraries: the same operations, each image by its own numbers.

Writes results/augmentation.json and .md.

    pip install --target peers --no-deps kornia kornia_rs albumentations albucore==0.0.24 opencv-python-headless \\
        simsimd stringzilla
    python benchmarks/augmentation.py --peers peers             # a minute of CPU
    python benchmarks/augmentation.py --peers peers --quick     # three repeats; writes nothing

A batch of 256 images, 3×32×32, on one thread. Time is CPU time of the process; all contenders run one after the other
in each repeat, and medians are compared. torchvision's transforms draw once for all they are given, so that it is asked
image by image, and stacked; its row "for all" draws once for the whole batch, and is no augmentation like ours.
Albumentations takes NumPy arrays (height, width, channels), which it gets ready-made. A peer that is not installed, or
that fails, is a row that says so.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import time
import warnings
from datetime import date
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from attacks import processor
from torchvision.transforms import v2

from advcourse import files, invariance

IMAGES, SIDE = 256, 32
AREA, ASPECT, FACTOR, HUE = (0.08, 1.0), (3 / 4, 4 / 3), 0.5, 0.1
OPERATIONS = {"flip": ("flip",), "crop": ("crop",), "colour": ("colour",), "all three": ("flip", "crop", "colour")}
GOALS = {"torchvision": 10, "kornia": 2}  # how many times as fast ours is to be, with all three operations


def ours(parts, x):
    chosen = {"flip": {"left_right": 0.5}, "crop": {"area": AREA, "shape": (SIDE, SIDE)},
              "colour": {"brightness": FACTOR, "contrast": FACTOR, "saturation": FACTOR, "hue": HUE}}
    arguments = {name: value for part in parts for name, value in chosen[part].items()}
    generator = torch.Generator().manual_seed(0)
    return lambda: invariance.apply(x, invariance.draws(len(x), generator=generator, **arguments))


def of_torchvision(parts):
    chosen = {"flip": v2.RandomHorizontalFlip(), "crop": v2.RandomResizedCrop(SIDE, AREA, ASPECT),
              "colour": v2.ColorJitter(FACTOR, FACTOR, FACTOR, HUE)}
    return v2.Compose([chosen[part] for part in parts])


def torchvision(parts, x):
    transform = of_torchvision(parts)
    return lambda: torch.stack([transform(image) for image in x])


def torchvision_for_all(parts, x):
    transform = of_torchvision(parts)
    return lambda: transform(x)


def kornia(parts, x):
    library = import_module("kornia.augmentation")
    chosen = {"flip": library.RandomHorizontalFlip(p=0.5),
              "crop": library.RandomResizedCrop((SIDE, SIDE), scale=AREA, ratio=ASPECT),
              "colour": library.ColorJitter(FACTOR, FACTOR, FACTOR, HUE, p=1.0)}
    transform = torch.nn.Sequential(*(chosen[part] for part in parts))
    return lambda: transform(x)


def albumentations(parts, x):
    library = import_module("albumentations")
    within = (1 - FACTOR, 1 + FACTOR)
    chosen = {"flip": library.HorizontalFlip(p=0.5),
              "crop": library.RandomResizedCrop((SIDE, SIDE), scale=AREA, ratio=ASPECT),
              "colour": library.ColorJitter(within, within, within, (-HUE, HUE), p=1.0)}
    transform = library.Compose([chosen[part] for part in parts])
    arrays = list(np.ascontiguousarray(x.movedim(1, -1).numpy()))
    return lambda: torch.from_numpy(np.stack([transform(image=image)["image"] for image in arrays])).movedim(-1, 1)


CONTENDERS = {"ours": ours, "torchvision": torchvision, "torchvision, for all": torchvision_for_all, "kornia": kornia,
              "albumentations": albumentations}


def compare(parts, x, repeats):
    """{contender: its median seconds, or why there are none}, of one list of operations."""
    calls, rows = {}, {}
    for name, make in CONTENDERS.items():
        try:
            calls[name] = make(parts, x)
            out = calls[name]()  # the first call of all imports and allocates
            assert out.shape == x.shape, f"{tuple(out.shape)}"
        except Exception as error:
            calls.pop(name, None)
            rows[name] = f"{type(error).__name__}: {error}"[:120]
    seconds = {name: [] for name in calls}
    for _ in range(repeats):
        for name, call in calls.items():
            begin = time.process_time()
            call()
            seconds[name].append(time.process_time() - begin)
    return rows | {name: statistics.median(measured) for name, measured in seconds.items()}


def table(content):
    """A Markdown table, one line per contender: milliseconds, and how many times as long as ours."""
    results = content["results"]
    lines = [f"| | {' | '.join(results)} |", f"|---|{'--:|' * len(results)}"]
    for name in CONTENDERS:
        cells = []
        for rows in results.values():
            value = rows[name]
            cells.append(value if isinstance(value, str) else
                         f"{1e3 * value:.2f}" + (f" ({value / rows['ours']:.1f} ×)" if name != "ours" else ""))
        library, *how = name.split(",")
        title = ",".join([f"{library} {content['libraries'].get(library, '')}".rstrip(), *how])
        lines.append(f"| {title} | {' | '.join(cells)} |")
    head = (f"Milliseconds for {IMAGES} images, 3×{SIDE}×{SIDE}, on one thread, and how many times as long as ours "
            f"({content['machine']}, torch {content['torch']}, {content['date']}).\nFlip: half of the images. Crop: "
            "area 8 to 100 %, aspect 3:4 to 4:3. Colour: brightness, contrast and saturation by 0.5 to 1.5, hue by up "
            "to a tenth of a turn.\n\"For all\": one draw for the whole batch.")
    return head + "\n\n" + "\n".join(lines) + "\n"


def goals(content):
    """Each goal and whether it holds: [(words, bool)]."""
    rows = content["results"]["all three"]
    ratios = {name: rows[name] / rows["ours"] for name in GOALS if not isinstance(rows[name], str)}
    return [(f"at least {GOALS[name]} × as fast as {name}: {ratio:.1f} ×", ratio >= GOALS[name])
            for name, ratio in ratios.items()]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", nargs="+", default=[], metavar="FOLDER", help="where the other libraries are")
    parser.add_argument("--quick", action="store_true", help="three repeats; writes nothing")
    options = parser.parse_args()
    sys.path += options.peers  # at the end: what is installed comes first
    os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    x = torch.rand(IMAGES, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    results = {name: compare(parts, x, 3 if options.quick else 15) for name, parts in OPERATIONS.items()}
    here = [name for name in ("torchvision", "kornia", "albumentations")
            if not isinstance(results["all three"][name], str)]
    content = {"made by": "python benchmarks/augmentation.py", "date": str(date.today()), "machine": processor(),
               "cores": os.cpu_count(), "threads": 1, "clock": "CPU time of the process",
               "python": platform.python_version(), "torch": torch.__version__,
               "libraries": {name: version(name) for name in here}, "results": results}
    print(table(content))
    for words, holds in goals(content):
        print("holds" if holds else "DOES NOT HOLD", words)
    if not options.quick:
        out = Path(__file__).parent / "results"
        files.write(out / "augmentation.json", json.dumps(content, indent=1) + "\n")
        files.write(out / "augmentation.md", table(content))


if __name__ == "__main__":
    main()
