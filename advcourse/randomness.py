"""Random numbers that leave everybody else's as they were."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Inside, torch's global generators start from `seed`; afterwards they are as they were."""
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(seed)
        yield


def seed_from(generator: torch.Generator) -> int:
    """A seed drawn from the generator: for `seeded`, around code that takes no generator."""
    return torch.randint(2**31, (), generator=generator, device=generator.device).item()
