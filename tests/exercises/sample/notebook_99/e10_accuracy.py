"""99.10: accuracy."""

import torch

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.properties import equals


def share(logits, y):
    return (logits.argmax(1) == y).float().mean().item()


def share_probes(generator):
    return [{"logits": torch.randn(9, 4, generator=generator), "y": torch.arange(9) % 4}]


exercise = Exercise(
    number="99.10",
    title="Accuracy",
    points=2,
    minutes=1,
    hints=(("1?", "one"), ("2?", "two"), ("3?", "three")),
    reference=share,
    probes=share_probes,
    properties={
        "is the share of right answers": equals(share, mistakes={
            "that is the error rate": lambda logits, y: 1 - share(logits, y),
            "that is a percentage: divide by 100": lambda logits, y: 100 * share(logits, y),
        }),
    },
)
