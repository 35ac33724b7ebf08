"""04.4: Carlini and Wagner's loss."""

import math

import torch

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.properties import equals


def cw_loss(logits, target, kappa):
    wanted = logits.gather(1, target[:, None])[:, 0]
    others = logits.scatter(1, target[:, None], -math.inf).amax(1)
    return (others - wanted).clamp_min(-kappa)


def loss_probes(generator):
    probes = []
    for shift, kappa in ((0, 1.5), (-1100, 4.0), (0, 0.0)):  # no number but −∞ is below all logits
        logits = 3 * torch.randn(24, 5, generator=generator) + shift
        target = torch.randint(5, (24,), generator=generator)
        # A third of the images are the target's already, by leads on both sides of κ.
        leads = torch.linspace(0.5, 8, 8)
        logits[torch.arange(0, 24, 3), target[::3]] = logits[::3].amax(1) + leads
        probes.append({"logits": logits, "target": target, "kappa": kappa})
    return probes


def lead_of_others(logits, target):
    return cw_loss(logits, target, math.inf)


def with_the_target_at(value):
    """The mistake of putting a number in the target's place that the others do not exceed."""
    return lambda logits, target, kappa: (
        logits.scatter(1, target[:, None], value).amax(1) - logits.gather(1, target[:, None])[:, 0]).clamp_min(-kappa)


def one_hot(logits, target):
    return torch.nn.functional.one_hot(target, logits.shape[1])


def cut(logits, where):
    """The logits, with no gradient where `where` is 1."""
    return torch.where(where == 1, logits.detach(), logits)


exercise = Exercise(
    number="04.4",
    title="Carlini and Wagner's loss",
    points=3,
    minutes=10,
    hints=(
        ("What should the loss measure?",
         "By how much the target is behind: the largest logit of the *other* classes minus the logit of the target."),
        ("How do I leave the target out of the maximum?",
         "Put −∞ in its place: `logits.scatter(1, target[:, None], "
         "-math.inf)`. A 0 would win where all logits are negative."),
        ("Show me nearly all of it.",
         "`wanted = logits.gather(1, target[:, None])[:, 0]`, `others` as the maximum over the rest, and "
         "`(others - wanted).clamp_min(-kappa)`."),
    ),
    reference=cw_loss,
    probes=loss_probes,
    differentiated_by="logits",
    cut_gradients={
        "the others are cut off from the gradient (by `.detach()`, or `.data`), so nothing pushes them down":
            lambda logits, target, kappa: cw_loss(cut(logits, 1 - one_hot(logits, target)), target, kappa),
        "the target is cut off from the gradient (by `.detach()`, or `.data`), so nothing pulls it up":
            lambda logits, target, kappa: cw_loss(cut(logits, one_hot(logits, target)), target, kappa),
    },
    properties={
        "it is max(max over i ≠ t of z_i − z_t, −κ)": equals(cw_loss, tolerance=1e-3, mistakes={
            "the loss goes on falling for ever: stop it at −κ, "
            "so that the distance has its say once the target leads by κ":
                lambda logits, target, kappa: lead_of_others(logits, target),
            "κ has no effect: your loss never falls below 0, but the target should lead by κ, so the floor is −κ (and "
            "leave the target out of the maximum)":
                lambda logits, target, kappa: lead_of_others(logits, target).clamp_min(0),
            "the floor is at +κ; a lead of the target makes the difference negative, so it is at −κ":
                lambda logits, target, kappa: lead_of_others(logits, target).clamp_min(kappa),
            "your loss is the right one plus κ, with its floor at 0; the formula here has the floor at −κ":
                lambda logits, target, kappa: cw_loss(logits, target, kappa) + kappa,
            "this is the size of the difference; where the target leads it is negative: take no absolute value":
                lambda logits, target, kappa: lead_of_others(logits, target).abs(),
            "you take the smaller of the difference and −κ; wanted is the larger: −κ is a floor, `.clamp_min(-kappa)`":
                lambda logits, target, kappa: lead_of_others(logits, target).clamp_max(-kappa),
            "you add up all the other logits; wanted is the largest of them":
                lambda logits, target, kappa: (logits.sum(1) - 2 * logits.gather(1, target[:, None])[:, 0]
                                               ).clamp_min(-kappa),
            "you take the mean of the other logits; wanted is the largest of them":
                lambda logits, target, kappa: ((logits.sum(1) - logits.gather(1, target[:, None])[:, 0]
                                                ) / (logits.shape[1] - 1)
                                               - logits.gather(1, target[:, None])[:, 0]).clamp_min(-kappa),
            "the sign is reversed: this pushes away from the target. Others minus target":
                lambda logits, target, kappa: (-lead_of_others(logits, target)).clamp_min(-kappa),
            **{f"a {value:g} stands in the target's place, and wins where all logits are lower: put −∞ there".replace(
                "-", "−"): with_the_target_at(value) for value in (0.0, -1.0, -10.0, -100.0, -1000.0)},
            "you work on probabilities; the point of this loss is to use the logits, which do not saturate":
                lambda logits, target, kappa: cw_loss(logits.softmax(1), target, kappa),
            "this is cross-entropy, which always asks for more: use the difference of two logits":
                lambda logits, target, kappa: torch.nn.functional.cross_entropy(logits, target, reduction="none"),
        }),
    },
)
