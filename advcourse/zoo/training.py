"""Training the networks of the zoo anew, with a card each that says how they came about and how good they are."""

import hashlib
import json
import os
import platform
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import nn

from advcourse import data, files
from advcourse.defenses.adversarial_training import warm_up
from advcourse.evaluate.robustness import robust_accuracy
from advcourse.models.inference import predict
from advcourse.randomness import seeded
from advcourse.training.loop import fit, one_cycle
from advcourse.version import __version__
from advcourse.zoo.loading import (
    CHECKPOINTS,
    architecture_of,
    build,
    check_name,
    from_bytes,
    parts,
    test_accuracy,
    to_bytes,
)
from advcourse.zoo.recipes import BATCH_SIZE, ENOUGH_IMAGES, RECIPES, SEED, recipe

# of the test set, on which a card says what stands the attacks: two minutes of CPU; all 10,000 of MNIST take twenty
ROBUST_IMAGES = 1000


def train_network(name: str, dataset: data.Dataset | data.Sounds, *, seed: int = SEED,
                  device: str | torch.device = "cpu") -> nn.Module:
    """A network trained by its recipe on a data set, in eval mode and frozen; the same seed gives the same weights.

    name: that of a recipe, see `recipe`. A data set that the zoo does not know, of less than 10,000 images, takes more
    epochs.
    """
    its, (x, y, _, _) = recipe(name), parts(dataset)
    rounds = 1 if name in RECIPES else max(1, ENOUGH_IMAGES // len(x))
    with seeded(seed):
        model = build(**architecture_of(its, dataset)).to(device)
    for part, stage in enumerate(its.schedule):
        epochs = rounds * stage.epochs
        options = {"learning_rate": stage.learning_rate, "loss": its.loss}
        if its.eps is not None:
            third = max(1, epochs * len(x) // BATCH_SIZE // 3)
            options = {"learning_rate": one_cycle(stage.learning_rate),
                       "loss": warm_up(its.loss, eps=its.eps, batches=third)}
        fit(model, x, y, epochs=epochs, batch_size=BATCH_SIZE, seed=seed + part, **options)
    return model.requires_grad_(False)


def train(name: str, *, folder: str | Path = CHECKPOINTS) -> dict[str, Any]:
    """Train a checkpoint by its recipe, on the CPU, and write its weights and its card into `folder`; return the card.

    Repeats the shipped weights bit for bit on the same kind of CPU with the same versions (they are on the card);
    elsewhere the last bits of floating-point sums differ, and with them the weights, but hardly the accuracy.
    Raises ValueError for an unknown name and PermissionError where `folder` cannot be written to.
    """
    check_name(name)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK):
        raise PermissionError(f"the checkpoints' folder {folder} cannot be written to; give another folder")

    dataset = data.load(name.rpartition("-")[0])
    # Sums are split among threads, so that their number changes the last bits: always one.
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        model = train_network(name, dataset)
    finally:
        torch.set_num_threads(threads)
    content = to_bytes(model)
    new_card = describe(name, dataset, model, content)
    files.write(folder / f"{name}.safetensors", content)
    files.write(folder / f"{name}.json", json.dumps(new_card, indent=2, ensure_ascii=False) + "\n")
    return new_card


def describe(name: str, dataset: data.Dataset | data.Sounds, trained: nn.Module, content: bytes) -> dict[str, Any]:
    """The card of a checkpoint, with what it does on the test images of its data set.

    trained: the network as it comes from its training, in float32; content: the bytes that are shipped, its weights in
        float16. These are measured, and beside them, as "in_float32", what the rounding may have changed.
    """
    its = recipe(name)
    architecture = architecture_of(its, dataset)
    model = from_bytes(content, architecture)
    x_train, _, x_test, _ = parts(dataset)
    answers, before = (predict(network, x_test).argmax(-1) for network in (model, trained))
    return {
        "name": name,
        "data": {
            "name": dataset.name,
            "card": dataset.card,
            "train": len(x_train),
            "test": len(x_test),
            "classes": list(dataset.classes),
        },
        "architecture": architecture,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "weights": "float16",
        "command": f"advcourse zoo train {name}",
        "seed": SEED,
        "training": {
            "loss": its.loss.__name__,
            "optimizer": "Adam",
            "batch_size": BATCH_SIZE,
            "schedule": [asdict(stage) for stage in its.schedule],
            "eps": its.eps,
            "device": "cpu",
            "threads": 1,
        },
        "test_accuracy": test_accuracy(its, model, dataset),
        **robustness(model, dataset, its.eps),
        "in_float32": {
            "test_accuracy": test_accuracy(its, trained, dataset),
            "robust_accuracy": robustness(trained, dataset, its.eps).get("robust_accuracy"),
            "other_answers": int((answers != before).sum()),
        },
        "sha256": hashlib.sha256(content).hexdigest(),
        "reproducible": "bit for bit on the same kind of CPU with the same "
                        "versions and one thread; elsewhere up to rounding",
        "versions": {"advcourse": __version__, "python": platform.python_version()}
        | {package: version(package) for package in ("torch", "numpy", "matplotlib", "pillow", "safetensors")},
        "cpu": f"{platform.machine()}, {torch.backends.cpu.get_cpu_capability()}",
    }


def robustness(model: nn.Module, dataset: data.Dataset, eps: float | None) -> dict[str, Any]:
    """What a robust network's card says besides: its robust accuracy, and against what."""
    if eps is None:
        return {}
    x, y = dataset.x_test[:ROBUST_IMAGES], dataset.y_test[:ROBUST_IMAGES]
    measured = robust_accuracy(model, x, y, eps=eps).accuracy
    return {"robust_accuracy": measured,
            "robust_to": {"norm": "linf", "eps": eps, "attacks": "evaluate.robust_accuracy", "images": len(x)}}
