"""How each network of the course is trained: one named record for each, for the zoo and for PROFILE="full" alike."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.nn import functional as F

from advcourse.audio.hardening import later_loss, noisy_loss
from advcourse.audio.strings import string_loss
from advcourse.defenses.adversarial_training import goodfellow_loss, pgd_loss
from advcourse.models.inference import Model
from advcourse.training.loop import cross_entropy_loss

SEED = 0
BATCH_SIZE = 128
ENOUGH_IMAGES = 10_000  # a data set of fewer takes more rounds


@dataclass(frozen=True)
class Stage:
    """A part of a training."""

    epochs: int
    learning_rate: float


@dataclass(frozen=True)
class Recipe:
    """How a network is trained.

    network: the name of its function in `advcourse.models`, or in `advcourse.audio.networks` for sounds.
    loss: what is minimised, a function (model, x, y) -> scalar.
    schedule: Stages, one after the other; those at a lower learning rate settle the weights.
    eps: of the adversarial examples that the loss trains on, which then takes it as a keyword; None where it makes
        none. It grows from 0 over the first third (at 0.3 from the start nothing is learnt), and the learning rate is
        the top of a cycle.
    """

    network: str
    loss: Callable
    schedule: tuple
    eps: float | None = None


def shifted_cross_entropy_loss(model: Model, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Cross-entropy on images that are each moved by a random -1, 0 or 1 pixel along both axes."""
    images, _, height, width = x.shape
    padded = F.pad(x, (1, 1, 1, 1))
    rows = torch.randint(3, (images, 1), device=x.device) + torch.arange(height, device=x.device)
    columns = torch.randint(3, (images, 1), device=x.device) + torch.arange(width, device=x.device)
    image = torch.arange(images, device=x.device)[:, None, None]
    # Indices on both sides of the channels' slice put the channels last.
    shifted = padded[image, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
    return cross_entropy_loss(model, shifted, y)


def beyond_eps_loss(model: Model, x: torch.Tensor, y: torch.Tensor, *, eps: float) -> torch.Tensor:
    """PGD's loss in five steps, in a ball 7 % larger than eps: networks are weakest at the border of that."""
    radius = 1.07 * eps
    return pgd_loss(model, x, y, eps=radius, steps=5, step_size=radius / 3)


# On one CPU core: softmax 5 s, mlp 20 s, cnn 90 s, fgsm 60 s, robust 5 minutes, and about as long to measure what it
# stands.
SETTLED = (Stage(10, 1e-3), Stage(5, 1e-4))
SOFTMAX = Recipe("softmax_regression", cross_entropy_loss, (Stage(10, 1e-3),))
MLP = Recipe("mlp", cross_entropy_loss, SETTLED)
CNN = Recipe("cnn", shifted_cross_entropy_loss, SETTLED)
# Of 26,000 parameters, 10 to 20 s; of 92,000, a minute.
WORDS = Recipe("word_cnn", later_loss, (Stage(8, 2e-3), Stage(4, 3e-4)))
NOISY = Recipe("word_cnn", noisy_loss, (Stage(10, 2e-3), Stage(5, 3e-4)))
STRINGS = Recipe("string_cnn", string_loss, (Stage(16, 2e-3), Stage(6, 4e-4)))
RECIPES = {
    "mnist-softmax": SOFTMAX,
    "mnist-mlp": MLP,
    "mnist-cnn": CNN,
    "mnist-fgsm": Recipe("mlp", goodfellow_loss, (Stage(20, 3e-3),), eps=0.25),
    "mnist-robust": Recipe("cnn", beyond_eps_loss, (Stage(10, 3e-3),), eps=0.3),
    "fonts-softmax": SOFTMAX,
    "fonts-mlp": MLP,
    "fonts-cnn": CNN,
    "fonts-fgsm": Recipe("mlp", goodfellow_loss, (Stage(20, 3e-3),), eps=0.2),
    "fonts-robust": Recipe("cnn", beyond_eps_loss, (Stage(8, 3e-3),), eps=0.15),
    "fsdd-words": WORDS,
    "fsdd-noisy": NOISY,
    "fsdd-strings": STRINGS,
    # A third as many recordings: three times the epochs.
    "tones-words": Recipe("word_cnn", later_loss, (Stage(20, 2e-3), Stage(8, 3e-4))),
    "tones-noisy": Recipe("word_cnn", noisy_loss, (Stage(25, 2e-3), Stage(10, 3e-4))),
    "tones-strings": Recipe("string_cnn", string_loss, (Stage(45, 2e-3), Stage(15, 4e-4))),
}
# For data sets that the zoo has no networks of.
OTHERS = {
    "softmax": SOFTMAX,
    "mlp": MLP,
    "cnn": CNN,
    "fgsm": Recipe("mlp", goodfellow_loss, (Stage(20, 3e-3),), eps=0.1),
    "robust": Recipe("cnn", beyond_eps_loss, (Stage(10, 3e-3),), eps=0.1),
    "words": WORDS,
    "noisy": NOISY,
    "strings": STRINGS,
}


def names() -> list[str]:
    """The names of the checkpoints, such as "mnist-cnn"."""
    return list(RECIPES)


def recipe(name: str) -> Recipe:
    """The Recipe of a network, by its name: "<data set>-<kind>", such as "mnist-cnn".

    kind: softmax, mlp, cnn, fgsm or robust; of sounds words, noisy or strings.

    A data set that the zoo has no networks of gets the recipe of the kind, with eps = 0.1 where there is one.
    Raises ValueError for an unknown kind.
    """
    kind = name.rpartition("-")[2]
    if kind not in OTHERS:
        raise ValueError(f"there is no recipe for {name!r}; the kinds of networks are {', '.join(OTHERS)}")
    return RECIPES.get(name, OTHERS[kind])
