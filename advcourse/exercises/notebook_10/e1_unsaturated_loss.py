"""10.1: a loss that does not saturate."""

import torch
from torch.nn import functional as F

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.properties import equals


def lead(logits, y):
    return logits.scatter(1, y[:, None], -torch.inf).amax(1) - true(logits, y)


def true(logits, y):
    """The logit of the true class, image by image."""
    return logits.gather(1, y[:, None])[:, 0]


def lead_of_the_mean(logits, y):
    return (logits.sum(1) - true(logits, y)) / (logits.shape[1] - 1) - true(logits, y)


def with_the_true_logit_at(value):
    """The mistake of putting a number in the place of the true logit that others do not exceed."""
    return lambda logits, y: logits.scatter(1, y[:, None], value).amax(1) - true(logits, y)


def lead_probes(generator):
    """Logits of both sizes; in every third row all are negative, so that a 0 among them is the largest.

    In the first row of the large ones a −1000 is, too.
    """
    probes = []
    for classes, scale in ((4, 3.0), (10, 1000.0)):
        logits = scale * torch.randn(12, classes, generator=generator)
        logits[::3] -= logits[::3].amax(1, keepdim=True) + scale / 4
        logits[0] -= scale
        y = torch.randint(classes, (12,), generator=generator)
        y[1], y[2] = logits[1].argmax(), logits[2].argmin()  # one that is read right, and one that is not
        probes.append({"logits": logits, "y": y})
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
        "it is the largest other logit minus the true one, image by image": equals(lead, tolerance=1e-3, mistakes={
            "the sign is turned: this falls where the attack succeeds; the loss should grow towards a mistake":
                lambda logits, y: -lead(logits, y),
            **{f"the logit of the true class is set to {value:g} before the maximum, and where all others are lower "
               f"the {value:g} wins: put −∞ in its place".replace("-", "−"): with_the_true_logit_at(value)
               for value in (0.0, -1.0, -10.0, -100.0, -1000.0)},
            "this goes over the images, not over the classes: of logits of shape (N, K) the classes are dimension 1":
                lambda logits, y: logits.amax(0)[y] - true(logits, y),
            "these are the largest other logits; subtract the true one":
                lambda logits, y: logits.scatter(1, y[:, None], -torch.inf).amax(1),
            "your maximum includes the true class (or is cut off at 0, which is the same), so that the loss never "
            "falls below 0: leave it out":
                lambda logits, y: logits.amax(1) - true(logits, y),
            "this is the cross-entropy, which saturates: use the logits as they are, without softmax":
                lambda logits, y: F.cross_entropy(logits, y, reduction="none"),
            "this is the cross-entropy of probabilities, which saturates twice: use the logits as they are":
                lambda logits, y: F.cross_entropy(logits.softmax(1), y, reduction="none"),
            "you take probabilities: after the softmax everything is 0 or 1 and the slope is gone":
                lambda logits, y: lead(logits.softmax(1), y),
            "this is the size of the difference, without its sign: a mistake and a right answer look the same":
                lambda logits, y: lead(logits, y).abs(),
            "this is the lead of the second largest logit over the largest, whatever y is: y names the true class":
                lambda logits, y: lead(logits, logits.argmax(1)),
            "only the nearest rival can take over: the maximum of the other logits, not their mean":
                lead_of_the_mean,
            "this is minus the true logit alone: an attack could lower all logits together and gain nothing":
                lambda logits, y: -true(logits, y),
        }),
    },
    differentiated_by="logits",
    cut_gradients={
        "no gradient flows through the true logit: an attack would only raise the others":
            lambda logits, y: lead(logits, y) + true(logits, y) - true(logits, y).detach(),
        "no gradient flows through the other logits: an attack would only lower the true one":
            lambda logits, y: (lead(logits, y) + true(logits, y)).detach() - true(logits, y),
    },
)
