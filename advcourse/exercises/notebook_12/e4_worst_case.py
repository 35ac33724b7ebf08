"""12.4: the worst of all changes, each weighed by how plausible it is."""

import torch

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.probes import telling_apart
from advcourse.exercises.properties import equals


def worst_case(losses, eta):
    return (eta * losses).amax(1).mean()


def loss_probes(generator):
    """Losses of which the largest is often not the worst once it is weighed, and weights below 1."""
    def draw():
        losses = torch.rand(12, 6, generator=generator) ** 3 * 4 + 0.01
        eta = 0.1 + 0.7 * torch.rand(6, generator=generator)
        eta[0], eta[4] = 0.9, 0.03
        losses[::3, 4] += 4  # what counts for nearly nothing may cost most
        return {"losses": losses, "eta": eta}

    return [telling_apart(draw, worst_case, list(MISTAKES.values()), apart=0.01) for _ in range(3)]


MISTAKES = {
    "this is the largest loss, whatever its change counts: weigh the losses with η before the maximum":
        lambda losses, eta: losses.amax(1).mean(),
    "you look for the largest loss first and weigh that one: multiply by η, then take the maximum":
        lambda losses, eta: (eta[losses.argmax(1)] * losses.amax(1)).mean(),
    "you look for the largest loss and multiply by the largest η: each loss goes with its own":
        lambda losses, eta: (losses.amax(1) * eta.max()).mean(),
    "this is the mean over the changes, which is plain augmentation; wanted is the worst":
        lambda losses, eta: (eta * losses).mean(),
    "this is the mean over the changes, weighed; wanted is the worst":
        lambda losses, eta: ((eta * losses).sum(1) / eta.sum()).mean(),
    "this is the sum over the changes; wanted is the worst": lambda losses, eta: (eta * losses).sum(1).mean(),
    "this is the least of the losses; a sup wants the largest": lambda losses, eta: (eta * losses).amin(1).mean(),
    "the worst is taken over the images (dim 0); take it over the changes, dim 1, for each image":
        lambda losses, eta: (eta * losses).amax(0).mean(),
    "this is the worst of all images; wanted is the mean over the images of the worst of each":
        lambda losses, eta: (eta * losses).max(),
    "this is the sum over the images; wanted is the mean": lambda losses, eta: (eta * losses).amax(1).sum(),
    "you subtract 1 − η from the loss; η multiplies it: η · l":
        lambda losses, eta: (losses - (1 - eta)).amax(1).mean(),
    "you divide by η: a change that counts less then costs more":
        lambda losses, eta: (losses / eta.clamp_min(1e-6)).amax(1).mean(),
    "this is the loss of the identity alone, plain training": lambda losses, eta: losses[:, 0].mean(),
}

exercise = Exercise(
    number="12.4",
    title="The worst case",
    points=3,
    minutes=8,
    hints=(
        ("What is weighed?", "Each loss by the η of its own change: `eta * losses` multiplies every row by eta."),
        ("What is the sup here?", "There are K changes: the maximum over dim 1, one number for each image."),
        ("Show me nearly all of it.", "Weigh, then `.amax(1)`, then `.mean()` over the images; keep the gradient."),
    ),
    reference=worst_case,
    probes=loss_probes,
    differentiated_by="losses",
    properties={"it is the mean over images of max over k of η_k · l_k": equals(worst_case, MISTAKES)},
)
