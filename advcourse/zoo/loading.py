"""The shipped checkpoints: `load("mnist-cnn")` gives the model, `card("mnist-cnn")` its origin and quality."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from advcourse import data, models
from advcourse.audio import networks
from advcourse.audio.strings import exact
from advcourse.models.inference import accuracy
from advcourse.zoo.recipes import RECIPES, Recipe, recipe

CHECKPOINTS = Path(__file__).parent / "checkpoints"
# What rounding on another machine may change.
TOLERANCE = 0.003


def card(name: str, *, folder: str | Path = CHECKPOINTS) -> dict[str, Any]:
    """The card of a checkpoint as a dict: data, architecture, training, the command that made it, accuracy, checksum.

    name: one of `names()`; folder: where the checkpoints are, by default those that come with the course.
    Raises ValueError for an unknown name and RuntimeError where the card is missing or damaged.
    """
    check_name(name)
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


def load(name: str, device: str | torch.device | None = None, *, folder: str | Path = CHECKPOINTS) -> nn.Module:
    """The trained model: an `nn.Module` from images (N, C, H, W) in [0, 1] to logits (N, K), or from waveforms.

    It is in evaluation mode, its parameters do not require gradients, and it lies on `device` (the CPU unless told).
    name, folder: as for `card`.
    Raises ValueError for an unknown name and RuntimeError where the files are missing or fail their checksum.
    """
    architecture, checksum = (card(name, folder=folder)[key] for key in ("architecture", "sha256"))
    path = Path(folder) / f"{name}.safetensors"
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise RuntimeError(f"the zoo has no {path.name} in {folder}; {_remedy(name)}") from None
    found = hashlib.sha256(content).hexdigest()
    if found != checksum:
        raise RuntimeError(
            f"the checkpoint {path} is damaged: its {len(content):,} bytes have the SHA-256 {found}, its card says "
            f"{checksum}; {_remedy(name)}"
        )
    return from_bytes(content, architecture).to(device)


def verify(name: str, *, folder: str | Path = CHECKPOINTS) -> float:
    """Load a checkpoint (which checks its checksum), measure its test accuracy again and return it.

    name, folder: as for `card`. Raises RuntimeError when it differs from the card's by more than TOLERANCE.
    """
    expected = card(name, folder=folder)
    model = load(name, folder=folder)
    dataset = data.load(expected["data"]["name"])
    measured, (_, _, x, _) = test_accuracy(recipe(name), model, dataset), parts(dataset)
    if abs(measured - expected["test_accuracy"]) > TOLERANCE:
        raise RuntimeError(
            f"{name} is right on {measured:.2%} of the {len(x):,} test images of {dataset.name}, its card "
            f"says {expected['test_accuracy']:.2%}: the data are not those of the card"
        )
    return measured


def parts(dataset: data.Dataset | data.Sounds) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """x and y for training, x and y for testing: images or waveforms, and their classes."""
    if isinstance(dataset, data.Sounds):
        train, test = dataset.split()
        return train.x, train.y, test.x, test.y
    return dataset.x_train, dataset.y_train, dataset.x_test, dataset.y_test


def test_accuracy(recipe: Recipe, model: nn.Module, dataset: data.Dataset | data.Sounds) -> float:
    """The share of the test set that is read right; for a network that reads strings, of strings made of it."""
    _, _, x, y = parts(dataset)
    return exact(model, x, y) if recipe.network == "string_cnn" else accuracy(model, x, y)


def architecture_of(recipe: Recipe, dataset: data.Dataset | data.Sounds) -> dict[str, Any]:
    """What `build` needs to know for the network of a recipe on a data set."""
    if isinstance(dataset, data.Sounds):
        return {"network": recipe.network, "rate": dataset.rate, "classes": len(dataset.classes)}
    return {"network": recipe.network, "shape": list(dataset.x_train.shape[1:]), "classes": len(dataset.classes)}


def build(network: str, classes: int, shape: Sequence[int] = (), rate: int | None = None) -> nn.Module:
    """A network by the name of its function, with weights drawn from torch's global generator.

    Of `advcourse.models`, for images of this shape, (C, H, W); or of `advcourse.audio.networks`, for waveforms of this
    rate. classes: how many.
    """
    if rate is None:
        return getattr(models, network)(tuple(shape), classes)
    return getattr(networks, network)(classes, rate)


def to_bytes(model: nn.Module) -> bytes:
    """A model's weights as they are shipped: in float16, which moves a logit by about a thousandth of its size."""
    from safetensors.torch import save

    return save({name: _as(torch.float16, weight) for name, weight in model.state_dict().items()})


def from_bytes(content: bytes, architecture: Mapping[str, Any]) -> nn.Module:
    """The model, in float32, in eval mode and frozen, from `content`, the bytes of its weights.

    architecture: what `build` takes, as `architecture_of` gives it.
    """
    from safetensors.torch import load as read_tensors

    # On the meta device no weights are drawn: the global random state stays untouched.
    with torch.device("meta"):
        model = build(**architecture)
    model.load_state_dict({name: _as(torch.float32, weight) for name, weight in read_tensors(content).items()},
                          assign=True)
    return model.requires_grad_(False).eval()


def _as(dtype, weight):
    """The weight in this dtype; what counts (batches, of batch normalisation) stays whole."""
    return weight.to(dtype) if weight.is_floating_point() else weight


def check_name(name: str) -> None:
    """ValueError unless the zoo has a checkpoint of this name."""
    if name not in RECIPES:
        raise ValueError(f"there is no checkpoint {name!r}; the zoo has {', '.join(RECIPES)}")


def _remedy(name):
    return f"reinstall advcourse, or make it again with `advcourse zoo train {name}`"
