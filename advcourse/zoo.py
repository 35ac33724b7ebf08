"""The shipped checkpoints: trained models with a card each that says how they came about and how good they are.

`load("mnist-cnn")` gives the model, `card("mnist-cnn")` its card; `train` makes both again, `verify` measures anew.
"""

import hashlib
import json
import os
import platform
from importlib.metadata import version
from pathlib import Path

import torch
from torch.nn import functional as F

from advcourse import __version__, data, files, models
from advcourse.defenses.adversarial_training import goodfellow_loss, pgd_loss, warm_up
from advcourse.evaluate import accuracy, robust_accuracy
from advcourse.training import cross_entropy_loss, fit, one_cycle, seeded

CHECKPOINTS = Path(__file__).parent / "checkpoints"
SEED = 0
BATCH_SIZE = 128
# What rounding on another machine, or letters drawn by another version of the font library, may change.
TOLERANCE = 0.003
ROBUST_IMAGES = 1000  # of the test set, on which a card says what stands the attacks: two minutes of CPU; all 10,000 of MNIST take twenty


def shifted_cross_entropy_loss(model, x, y):
    """Cross-entropy on images that are each moved by a random -1, 0 or 1 pixel along both axes."""
    images, _, height, width = x.shape
    padded = F.pad(x, (1, 1, 1, 1))
    rows = torch.randint(3, (images, 1), device=x.device) + torch.arange(height, device=x.device)
    columns = torch.randint(3, (images, 1), device=x.device) + torch.arange(width, device=x.device)
    image = torch.arange(images, device=x.device)[:, None, None]
    # Indices on both sides of the channels' slice put the channels last.
    shifted = padded[image, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
    return cross_entropy_loss(model, shifted, y)


def beyond_eps_loss(model, x, y, *, eps):
    """PGD's loss in five steps, in a ball 7 % larger than eps: at the border of what was trained a network is weakest."""
    radius = 1.07 * eps
    return pgd_loss(model, x, y, eps=radius, steps=5, step_size=radius / 3)


# The recipes. The last column: epochs at a learning rate, one training after the other; those at a lower rate settle the weights.
# Those trained on adversarial examples have a third number, their eps, which grows over the first third (at 0.3 from the start nothing is
# learnt), and their learning rate is the top of a cycle.
# On one CPU core: softmax 5 s, mlp 20 s, cnn 90 s, fgsm 60 s, robust 5 minutes, and about as long to measure what it stands.
RECIPES = {
    # name: (data set, network, loss, ((epochs, learning rate), ...))
    "mnist-softmax": ("mnist", "softmax_regression", cross_entropy_loss, ((10, 1e-3),)),
    "mnist-mlp": ("mnist", "mlp", cross_entropy_loss, ((10, 1e-3), (5, 1e-4))),
    "mnist-cnn": ("mnist", "cnn", shifted_cross_entropy_loss, ((10, 1e-3), (5, 1e-4))),
    "mnist-fgsm": ("mnist", "mlp", goodfellow_loss, ((20, 3e-3, 0.25),)),
    "mnist-robust": ("mnist", "cnn", beyond_eps_loss, ((10, 3e-3, 0.3),)),
    "fonts-softmax": ("fonts", "softmax_regression", cross_entropy_loss, ((10, 1e-3),)),
    "fonts-mlp": ("fonts", "mlp", cross_entropy_loss, ((10, 1e-3), (5, 1e-4))),
    "fonts-cnn": ("fonts", "cnn", shifted_cross_entropy_loss, ((10, 1e-3), (5, 1e-4))),
    "fonts-fgsm": ("fonts", "mlp", goodfellow_loss, ((20, 3e-3, 0.2),)),
    "fonts-robust": ("fonts", "cnn", beyond_eps_loss, ((8, 3e-3, 0.15),)),
}


def names():
    """The names of the checkpoints, such as "mnist-cnn"."""
    return list(RECIPES)


def card(name, *, folder=CHECKPOINTS):
    """The card of a checkpoint as a dict: data, architecture, training, the command that made it, accuracy, checksum.

    Raises ValueError for an unknown name and RuntimeError where the card is missing or damaged.
    """
    _check_name(name)
    path = Path(folder) / f"{name}.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["name"] != name:
            raise ValueError(f"it is the card of {content['name']!r}")
        return content
    except FileNotFoundError:
        raise RuntimeError(f"the zoo has no {path.name} in {folder}; {_remedy(name)}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise RuntimeError(f"the card {path} is damaged ({error}); {_remedy(name)}") from error


def load(name, device=None, *, folder=CHECKPOINTS):
    """The trained model: an `nn.Module` from images (N, C, H, W) in [0, 1] to logits (N, K).

    It is in evaluation mode, its parameters do not require gradients, and it lies on `device` (the CPU unless told).
    Raises ValueError for an unknown name and RuntimeError where the files are missing or fail their checksum.
    """
    from safetensors.torch import load as read_tensors

    architecture, checksum = (card(name, folder=folder)[key] for key in ("architecture", "sha256"))
    path = Path(folder) / f"{name}.safetensors"
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise RuntimeError(f"the zoo has no {path.name} in {folder}; {_remedy(name)}") from None
    found = hashlib.sha256(content).hexdigest()
    if found != checksum:
        raise RuntimeError(
            f"the checkpoint {path} is damaged: its {len(content):,} bytes have the SHA-256 {found}, its card says {checksum}; {_remedy(name)}"
        )
    # On the meta device no weights are drawn: the global random state stays untouched.
    with torch.device("meta"):
        model = _network(**architecture)
    model.load_state_dict(read_tensors(content), assign=True)
    return model.requires_grad_(False).eval().to(device)


def train(name, *, folder=CHECKPOINTS):
    """Train a checkpoint by its recipe, on the CPU, and write its weights and its card into `folder`; return the card.

    Repeats the shipped weights bit for bit on the same kind of CPU with the same versions (they are on the card);
    elsewhere the last bits of floating-point sums differ, and with them the weights, but hardly the accuracy.
    """
    _check_name(name)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK):
        raise PermissionError(f"the checkpoints' folder {folder} cannot be written to; give another folder")

    dataset_name, network, loss, schedule = RECIPES[name]
    dataset = data.load(dataset_name)
    architecture = {"network": network, "shape": list(dataset.x_train.shape[1:]), "classes": len(dataset.classes)}
    # Sums are split among threads, so that their number changes the last bits: always one.
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with seeded(SEED):
            model = _network(**architecture)
        for part, (epochs, learning_rate, *eps) in enumerate(schedule):
            fit(
                model,
                dataset.x_train,
                dataset.y_train,
                epochs=epochs,
                batch_size=BATCH_SIZE,
                learning_rate=one_cycle(learning_rate) if eps else learning_rate,
                loss=warm_up(loss, eps=eps[0], batches=epochs * len(dataset.x_train) // BATCH_SIZE // 3) if eps else loss,
                seed=SEED + part,
            )
    finally:
        torch.set_num_threads(threads)

    content = _to_bytes(model)
    new_card = {
        "name": name,
        "data": {
            "name": dataset.name,
            "card": dataset.card,
            "train": len(dataset.x_train),
            "test": len(dataset.x_test),
            "classes": list(dataset.classes),
        },
        "architecture": architecture,
        "parameters": sum(p.numel() for p in model.parameters()),
        "command": f"advcourse zoo train {name}",
        "seed": SEED,
        "training": {
            "loss": loss.__name__,
            "optimizer": "Adam",
            "batch_size": BATCH_SIZE,
            "schedule": [dict(zip(("epochs", "learning_rate", "eps"), part)) for part in schedule],
            "device": "cpu",
            "threads": 1,
        },
        "test_accuracy": accuracy(model, dataset.x_test, dataset.y_test),
        **_robustness(model, dataset, schedule),
        "sha256": hashlib.sha256(content).hexdigest(),
        "reproducible": "bit for bit on the same kind of CPU with the same versions and one thread; elsewhere up to rounding",
        "versions": {"advcourse": __version__, "python": platform.python_version()}
        | {package: version(package) for package in ("torch", "numpy", "matplotlib", "pillow", "safetensors")},
        "cpu": f"{platform.machine()}, {torch.backends.cpu.get_cpu_capability()}",
    }
    files.write(folder / f"{name}.safetensors", content)
    files.write(folder / f"{name}.json", json.dumps(new_card, indent=2, ensure_ascii=False) + "\n")
    return new_card


def verify(name, *, folder=CHECKPOINTS):
    """Load a checkpoint (which checks its checksum), measure its test accuracy again and return it.

    Raises RuntimeError when it differs from the card's by more than TOLERANCE.
    """
    expected = card(name, folder=folder)
    model = load(name, folder=folder)
    dataset = data.load(expected["data"]["name"])
    measured = accuracy(model, dataset.x_test, dataset.y_test)
    if abs(measured - expected["test_accuracy"]) > TOLERANCE:
        raise RuntimeError(
            f"{name} is right on {measured:.2%} of the {len(dataset.x_test):,} test images of {dataset.name}, its card says {expected['test_accuracy']:.2%}: the data are not those of the card"
        )
    return measured


def _robustness(model, dataset, schedule):
    """What a robust network's card says besides: the share of the first test images that stands `evaluate.robust_accuracy` at the last eps."""
    if len(schedule[-1]) < 3:
        return {}
    eps = schedule[-1][2]
    x, y = dataset.x_test[:ROBUST_IMAGES], dataset.y_test[:ROBUST_IMAGES]
    measured = robust_accuracy(model, x, y, eps=eps).accuracy
    return {"robust_accuracy": measured,
            "robust_to": {"norm": "linf", "eps": eps, "attacks": "evaluate.robust_accuracy", "images": len(x)}}


def _network(network, shape, classes):
    build = {"softmax_regression": models.softmax_regression, "mlp": models.mlp, "cnn": models.cnn}[network]
    return build(tuple(shape), classes)


def _check_name(name):
    if name not in RECIPES:
        raise ValueError(f"there is no checkpoint {name!r}; the zoo has {', '.join(RECIPES)}")


def _remedy(name):
    return f"reinstall advcourse, or make it again with `advcourse zoo train {name}`"


def _to_bytes(model):
    from safetensors.torch import save

    return save(model.state_dict())
