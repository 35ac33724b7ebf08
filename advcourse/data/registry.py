"""What a data set is, and the table from its name to the small function that loads it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch

Loader = Callable[..., Any]  # gives a Dataset, or another record with a name and a card: Messages, Sounds
LOADERS: dict[str, Loader] = {}


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images and labels in memory.

    x_train, x_test: float32 in [0, 1], shape (N, C, H, W); y_train, y_test: int64, shape (N,), indices into `classes`.
    card: one line that says what it is, how large, under which licence and whose work.
    """

    name: str
    x_train: torch.Tensor = field(repr=False)
    y_train: torch.Tensor = field(repr=False)
    x_test: torch.Tensor = field(repr=False)
    y_test: torch.Tensor = field(repr=False)
    classes: tuple[str, ...]
    card: str


def register(name: str) -> Callable[[Loader], Loader]:
    """Decorator: make `load(name)` call the function below it.

    The function takes the keywords train, test (how many images to keep, or None for all) and seed (for generated
    images; others ignore it), and returns a Dataset, or a record of its own for what is no image. It gets its files
    with `download.read`.
    """

    def remember(loader):
        if name in LOADERS:
            raise ValueError(f"there is a data set named {name!r} already; choose another name")
        LOADERS[name] = loader
        return loader

    return remember
