"""04.5: EAD's shrinkage-thresholding."""

import torch

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.probes import random_images
from advcourse.exercises.properties import equals


def shrink(z, x, beta):
    delta = z - x
    return (x + delta.sign() * (delta.abs() - beta).clamp_min(0)).clamp(0, 1)


def shrink_probes(generator):
    probes = []
    for beta in (0.05, 0.2):
        x = random_images(generator)
        probes.append({"z": x + 0.4 * torch.randn(x.shape, generator=generator), "x": x, "beta": beta})
    return probes


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
                lambda z, x, beta: x + (z - x).sign() * ((z - x).abs() - beta).clamp_min(0),
            "you shrink the image z towards black; it is the change z − x that should shrink":
                lambda z, x, beta: (z.sign() * (z.abs() - beta).clamp_min(0)).clamp(0, 1),
            "the sign is lost: pixels that became darker come out lighter":
                lambda z, x, beta: (x + ((z - x).abs() - beta).clamp_min(0)).clamp(0, 1),
            "this limits every change to β; shrinking does the opposite: it takes β off every change":
                lambda z, x, beta: (x + (z - x).clamp(-beta, beta)).clamp(0, 1),
            "small changes turn round instead of vanishing: |δ| − β must not fall below 0":
                lambda z, x, beta: (x + (z - x).sign() * ((z - x).abs() - beta)).clamp(0, 1),
            "nothing was shrunk, only clipped": lambda z, x, beta: z.clamp(0, 1),
            "you return the change; wanted is the image x + change":
                lambda z, x, beta: (z - x).sign() * ((z - x).abs() - beta).clamp_min(0),
        }),
    },
)
