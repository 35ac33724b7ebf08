"""04.5: EAD's shrinkage-thresholding."""

import torch

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.probes import random_images
from advcourse.exercises.properties import equals


def shrink(z, x, beta):
    return (x + softly(z - x, beta)).clamp(0, 1)


def shrink_probes(generator):
    probes = []
    for beta in (0.05, 0.2):
        x = random_images(generator)
        probes.append({"z": x + 0.4 * torch.randn(x.shape, generator=generator), "x": x, "beta": beta})
    return probes


def softly(delta, beta):
    return delta.sign() * (delta.abs() - beta).clamp_min(0)


def lengths(delta):
    return delta.flatten(1).norm(dim=1).clamp_min(1e-12).view(-1, 1, 1, 1)


def thresholded(z, x, beta):
    return torch.where((z - x).abs() > beta, z, x)


exercise = Exercise(
    number="04.5",
    title="Shrink and threshold",
    points=3,
    minutes=8,
    hints=(
        ("What happens to a small change?",
         "Where |z − x| ≤ β the pixel goes back to x exactly. That is what makes the change sparse."),
        ("And to a large one?", "It loses β of its size and keeps its sign: sign(δ) · (|δ| − β), with δ = z − x."),
        ("Show me nearly all of it.",
         "`delta = z - x`, then `x + delta.sign() * (delta.abs() - beta).clamp_min(0)`, clipped to [0, 1]."),
    ),
    reference=shrink,
    probes=shrink_probes,
    properties={
        "changes up to β vanish, larger ones lose β, all in [0, 1]": equals(shrink, mistakes={
            "large changes keep their full size: they should lose β, too, else this does not solve the ℓ1 problem":
                lambda z, x, beta: thresholded(z, x, beta).clamp(0, 1),
            "large changes keep their full size, and the result is not clipped": thresholded,
            "the result leaves [0, 1]: clip it at the end":
                lambda z, x, beta: x + softly(z - x, beta),
            "you shrink the image z towards black; it is the change z − x that should shrink":
                lambda z, x, beta: softly(z, beta).clamp(0, 1),
            "the sign is lost: pixels that became darker come out lighter":
                lambda z, x, beta: (x + ((z - x).abs() - beta).clamp_min(0)).clamp(0, 1),
            "this limits every change to β; shrinking does the opposite: it takes β off every change":
                lambda z, x, beta: (x + (z - x).clamp(-beta, beta)).clamp(0, 1),
            "small changes turn round instead of vanishing: |δ| − β must not fall below 0":
                lambda z, x, beta: (x + (z - x).sign() * ((z - x).abs() - beta)).clamp(0, 1),
            "you shrink by half of β: |δ| − β": lambda z, x, beta: shrink(z, x, beta / 2),
            "you shrink by 2 β: |δ| − β": lambda z, x, beta: shrink(z, x, 2 * beta),
            "you clip z to [0, 1] before you shrink its change: clip last, or the change was cut already":
                lambda z, x, beta: shrink(z.clamp(0, 1), x, beta),
            "you clip the change to [0, 1], so that no pixel gets darker: clip the image":
                lambda z, x, beta: (x + softly(z - x, beta).clamp(0, 1)).clamp(0, 1),
            "you shorten the change of each image as a whole, by its length; shrinking takes β off every pixel":
                lambda z, x, beta: (x + (z - x) * (1 - beta / lengths(z - x)).clamp_min(0)).clamp(0, 1),
            "you take the change to be x − z: it is z − x, and x + change is the image":
                lambda z, x, beta: (x - softly(z - x, beta)).clamp(0, 1),
            "large changes are taken back and small ones kept: turn the condition round":
                lambda z, x, beta: torch.where((z - x).abs() > beta, x, z).clamp(0, 1),
            "you multiply the change by 1 − β: take β off its size":
                lambda z, x, beta: (x + (1 - beta) * (z - x)).clamp(0, 1),
            "nothing was shrunk, only clipped": lambda z, x, beta: z.clamp(0, 1),
            "you return the change; wanted is the image x + change":
                lambda z, x, beta: softly(z - x, beta),
            "you return the change, clipped; wanted is the image x + change":
                lambda z, x, beta: softly(z - x, beta).clamp(0, 1),
        }),
    },
)
