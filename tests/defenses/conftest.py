"""A task on which a plain network is fooled, and a plain network on it."""

import pytest
import torch

from advcourse.training.loop import cross_entropy_loss
from tests.defenses.training_task import robust


@pytest.fixture(scope="module")
def task():
    """Images of 8x8 with one strong feature and many weak ones: a plain network is fooled through the weak ones."""
    generator = torch.Generator().manual_seed(0)
    patterns = (torch.rand(3, 1, 8, 8, generator=generator) < 0.5).float()
    def draw(count):
        y = torch.randint(3, (count,), generator=generator)
        x = 0.5 + 0.06 * (patterns[y] - 0.5) + 0.08 * torch.randn(count, 1, 8, 8, generator=generator)
        for i, label in enumerate(y):
            x[i, :, 2 * label:2 * label + 2, :2] += 0.35
        return x.clamp(0, 1), y
    return *draw(1200), *draw(400)


@pytest.fixture(scope="module")
def plain(task):
    return robust(cross_entropy_loss, task)
