"""07.3: the realistic objective."""

import torch
from torch.nn import functional as F

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.probes import steep_linear_model
from advcourse.exercises.properties import equals


def realistic_loss(model, z, picture, target, weight):
    return F.cross_entropy(model(z), target, reduction="none") + weight * (z - picture).square().flatten(1).sum(1)


def loss_parts(model, z, picture, target):
    """Cross-entropy and squared distance, per image."""
    return F.cross_entropy(model(z), target, reduction="none"), (z - picture).square().flatten(1).sum(1)


def loss_probes(generator):
    probes = []
    for weight in (0.3, 2.0):
        model = steep_linear_model(generator)
        z, picture = torch.rand(2, 5, 1, 6, 6, generator=generator, dtype=torch.float64)
        probes.append({"model": model, "z": z, "picture": picture, "target": torch.arange(5) % 4, "weight": weight})
    return probes


def another_loss(combine):
    """A formula that a student may have written; combine: of (cross-entropy, squared distance, weight, pixels)."""
    def formula(model, z, picture, target, weight):
        return combine(*loss_parts(model, z, picture, target), weight, z[0].numel())
    return formula


exercise = Exercise(
    number="07.3",
    title="The realistic objective",
    points=3,
    minutes=8,
    hints=(
        ("Which two parts are there?",
         "The cross-entropy of `model(z)` at the target, "
         "and weight times the squared distance of z from the picture."),
        ("One number per image?",
         "`F.cross_entropy(…, reduction=\"none\")` gives one per image. For the distance: `.square()`, then "
         "`.flatten(1)`, then `.sum(1)`."),
        ("Show me nearly all of it.",
         "`F.cross_entropy(model(z), target, reduction=\"none\") + weight * (z - "
         "picture).square().flatten(1).sum(1)`."),
    ),
    reference=realistic_loss,
    probes=loss_probes,
    properties={
        "it is J(f(z), t) + λ‖z − x‖²": equals(realistic_loss, tolerance=1e-4, mistakes={
            "the distance is not squared: sum the squares and take no root":
                another_loss(lambda loss, square, weight, pixels: loss + weight * square.sqrt()),
            "you average the squares over the pixels; ‖z − x‖₂² is their sum":
                another_loss(lambda loss, square, weight, pixels: loss + weight * square / pixels),
            "the distance is subtracted: as it is, the loss falls as z leaves the picture. Add it":
                another_loss(lambda loss, square, weight, pixels: loss - weight * square),
            "the cross-entropy is subtracted: as it is, the loss falls as the target gets less likely. Add it":
                another_loss(lambda loss, square, weight, pixels: weight * square - loss),
            "the weight belongs to the distance, not to the cross-entropy":
                another_loss(lambda loss, square, weight, pixels: weight * loss + square),
            "the weight multiplies both parts; it belongs to the distance alone":
                another_loss(lambda loss, square, weight, pixels: weight * (loss + square)),
            "the weight is missing: the distance counts with a factor of 1":
                another_loss(lambda loss, square, weight, pixels: loss + square),
            "the distance is missing: nothing keeps z near the picture":
                another_loss(lambda loss, square, weight, pixels: loss),
            "the cross-entropy is missing: nothing moves z towards the target":
                another_loss(lambda loss, square, weight, pixels: weight * square),
            "every image gets the mean loss of the batch: use reduction=\"none\", so that each has its own":
                another_loss(lambda loss, square, weight, pixels: loss.mean() + weight * square),
            "every image gets the distance of the whole batch: flatten from dimension 1 and sum over that":
                another_loss(lambda loss, square, weight, pixels: loss + weight * square.sum()),
            "you add up absolute differences; wanted are their squares":
                lambda model, z, picture, target, weight: loss_parts(model, z, picture, target)[0]
                + weight * (z - picture).abs().flatten(1).sum(1),
        }),
    },
)
