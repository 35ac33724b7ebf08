"""Random numbers that leave everybody else's as they were."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


def check_seed(seed: int) -> None:
    """ValueError unless the seed is a whole number that every generator takes, NumPy's too."""
    if type(seed) is not int or not 0 <= seed < 2**32:  # True is an int
        raise ValueError(f"the seed must be a whole number from 0 to {2**32 - 1}; got {seed!r}")


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Inside, torch's global generators start from `seed`; afterwards they are as they were."""
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(seed)
        yield


def seed_from(generator: torch.Generator) -> int:
    """A seed drawn from the generator: for `seeded`, around code that takes no generator."""
    return torch.randint(2**31, (), generator=generator, device=generator.device).item()
