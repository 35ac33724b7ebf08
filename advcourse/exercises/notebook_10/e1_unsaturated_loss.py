"""10.1: a loss that does not saturate."""

import torch
from torch.nn import functional as F

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.properties import equals


def lead(logits, y):
    true = logits.gather(1, y[:, None])[:, 0]
    others = logits.scatter(1, y[:, None], -torch.inf).amax(1)
    return others - true


def lead_of_the_mean(logits, y):
    true = logits.gather(1, y[:, None])[:, 0]
    return (logits.sum(1) - true) / (logits.shape[1] - 1) - true


def lead_probes(generator):
    probes = []
    for classes, scale in ((4, 3.0), (10, 2000.0)):
        logits = scale * torch.randn(12, classes, generator=generator).double()
        probes.append({"logits": logits, "y": torch.randint(classes, (12,), generator=generator)})
    return probes


exercise = Exercise(
    number="10.1",
    title="A loss that does not saturate",
    points=2,
    minutes=8,
    hints=(
        ("Which two logits matter?", "That of the true class, and the largest of all the others."),
        ("How do I leave out the true class?",
         "Put −∞ in its place: `logits.scatter(1, y[:, None], -torch.inf)`, then take the maximum."),
        ("Show me nearly all of it.",
         "`true = logits.gather(1, y[:, None])[:, 0]`, `others = logits.scatter(…).amax(1)`, and the difference."),
    ),
    reference=lead,
    probes=lead_probes,
    properties={
        "it is the largest other logit minus the true one, image by image": equals(lead, tolerance=1e-6, mistakes={
            "the sign is turned: this falls where the attack succeeds; the loss should grow towards a mistake":
                lambda logits, y: -lead(logits, y),
            "your maximum includes the true class, so that the loss never falls below 0: leave it out":
                lambda logits, y: logits.amax(1) - logits.gather(1, y[:, None])[:, 0],
            "this is the cross-entropy, which saturates: use the logits as they are, without softmax":
                lambda logits, y: F.cross_entropy(logits, y, reduction="none"),
            "you take probabilities: after the softmax everything is 0 or 1 and the slope is gone":
                lambda logits, y: lead(logits.softmax(1), y),
            "only the nearest rival can take over: the maximum of the other logits, not their mean":
                lead_of_the_mean,
            "this is minus the true logit alone: an attack could lower all logits together and gain nothing":
                lambda logits, y: -logits.gather(1, y[:, None])[:, 0],
            "the attack may stop nowhere: keep what the loss says below 0, do not cut it off":
                lambda logits, y: lead(logits, y).clamp_min(0),
        }),
    },
)
