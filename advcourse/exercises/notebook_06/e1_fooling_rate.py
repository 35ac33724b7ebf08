"""06.1: the fooling rate."""

import torch

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.probes import random_images, small_model
from advcourse.exercises.properties import equals


def fooling_rate(model, x, delta):
    changed = model((x + delta).clamp(0, 1)).argmax(1) != model(x).argmax(1)
    return changed.float().mean().item()


def fooling_probes(generator):
    model, x = small_model(generator), random_images(generator, count=80)
    return [{"model": model, "x": x, "delta": size * torch.randn(1, 6, 6, generator=generator).double()}
            for size in (0.1, 0.3)]


def fooling_rate_without_clip(model, x, delta):
    return (model(x + delta).argmax(1) != model(x).argmax(1)).float().mean().item()


def fooling_rate_backwards(model, x, delta):
    return fooling_rate(model, x, -delta)


def share_read_as_the_perturbation(model, x, delta):
    """The mistake of asking the model about delta itself."""
    return (model(x).argmax(1) != model(delta[None].clamp(0, 1)).argmax(1)).float().mean().item()


def share_of_changed_logits(model, x, delta):
    return (model((x + delta).clamp(0, 1)) != model(x)).any(1).float().mean().item()


def mean_loss_of_probability(model, x, delta):
    clean = model(x).softmax(1)
    answer = clean.argmax(1, keepdim=True)
    return (clean - model((x + delta).clamp(0, 1)).softmax(1)).gather(1, answer).mean().item()


exercise = Exercise(
    number="06.1",
    title="The fooling rate",
    points=2,
    minutes=6,
    hints=(
        ("Which two answers do I compare?",
         "What the model says of x, and what it says of x + delta. No label is needed."),
        ("What has to happen to x + delta first?",
         "It must be an image: `.clamp(0, 1)`. One delta of shape (C, "
         "H, W) is added to all N images at once by broadcasting."),
        ("Show me nearly all of it.",
         "Compare `model((x + delta).clamp(0, 1)).argmax(1)` with `model(x).argmax(1)` by `!=`, then "
         "`.float().mean().item()`."),
    ),
    reference=fooling_rate,
    probes=fooling_probes,
    properties={
        "it is the share of images whose class changes": equals(fooling_rate, tolerance=1e-4, mistakes={
            "this is the share of images that keep their class; wanted is the share whose class changes":
                lambda **probe: 1 - fooling_rate(**probe),
            "this is a percentage; wanted is a share between 0 and 1":
                lambda **probe: 100 * fooling_rate(**probe),
            "this is a count; divide by the number of images":
                lambda **probe: len(probe["x"]) * fooling_rate(**probe),
            "x + delta leaves [0, 1] and is no image: clip it before the model sees it":
                fooling_rate_without_clip,
            "you subtract delta; it is to be added":
                fooling_rate_backwards,
            "the model is to see x + delta, not delta alone":
                share_read_as_the_perturbation,
            "you compare logits, which always change a little; compare the classes, `.argmax(1)`":
                share_of_changed_logits,
            "this is how much probability the answers lose; wanted is how many answers change":
                mean_loss_of_probability,
        }),
    },
)
