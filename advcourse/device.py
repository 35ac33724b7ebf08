"""Where the numbers are crunched: every device of the course comes from here."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def cores() -> int:
    """How many cores this process may use, where the system tells; else how many there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def choose(name: str = "auto") -> torch.device:
    """The `torch.device` to use.

    name: "auto", "cpu", "cuda" or the number of a GPU ("cuda:1"); capitals and spaces around it do not matter.
    "auto" takes the environment variable DEVICE where it is set, else a CUDA GPU where there is one, else the CPU.
    Raises ValueError for any other device ("mps", Apple's, too), and for a GPU that is not there.
    """
    import torch

    if str(name).strip().lower() == "auto":
        name = os.environ.get("DEVICE", "").strip() or "auto"
    wanted = str(name).strip().lower()
    if wanted == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if wanted == "cpu":
        return torch.device("cpu")

    asked, instead = f"the device {name!r} was asked for", "use 'cpu' or 'auto'"
    if wanted.split(":")[0] == "mps":
        raise ValueError(f"{asked}, but the course computes in double precision too, which MPS has not; {instead}")
    cuda = re.fullmatch(r"cuda(?::([0-9]+))?", wanted)
    if not cuda:
        raise ValueError(f"{asked}, but the course knows 'cpu', 'cuda' and 'cuda:NUMBER' alone; {instead}")
    if not torch.cuda.is_available():
        raise ValueError(f"{asked}, but torch sees no CUDA GPU; {instead}")
    if cuda[1] is None:
        return torch.device("cuda")
    last = torch.cuda.device_count() - 1
    if int(cuda[1]) > last:
        raise ValueError(f"{asked}, but the last GPU that torch sees is 'cuda:{last}'; {instead}")
    return torch.device("cuda", int(cuda[1]))
