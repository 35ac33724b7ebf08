"""Where the numbers are crunched: every device of the course comes from here."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def choose(name: str = "auto") -> torch.device:
    """The `torch.device` to use.

    name: "auto", or anything that torch.device accepts ("cpu", "cuda", "cuda:1", "mps").
    "auto" takes the environment variable DEVICE where it is set, else a GPU where there is one, else the CPU.
    Raises ValueError when the device asked for is not there.
    """
    import torch

    if name == "auto":
        name = os.environ.get("DEVICE", "auto")
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    device = torch.device(name)
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(f"the device {name!r} was asked for, but torch sees no CUDA GPU; use 'cpu' or 'auto'")
    return device
