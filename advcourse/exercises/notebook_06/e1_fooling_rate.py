"""06.1: the fooling rate."""

import torch
from torch.nn import functional as F

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.probes import linear_model, random_images, telling_apart
from advcourse.exercises.properties import equals


def fooling_rate(model, x, delta):
    changed = model((x + delta).clamp(0, 1)).argmax(1) != model(x).argmax(1)
    return changed.float().mean().item()


def fooling_probes(generator):
    def draw(size):
        x = random_images(generator, count=487).view(-1, 2, 3, 6)
        return {"model": linear_model(generator), "x": x, "delta": size * torch.randn(2, 3, 6, generator=generator)}

    return [telling_apart(lambda size=size: draw(size), fooling_rate, MISTAKES.values()) for size in (0.2, 0.4)]


def rate_with(count):
    """The mean of count(logits of x, logits of clip(x + delta))."""
    return lambda model, x, delta: count(model(x), model((x + delta).clamp(0, 1))).float().mean().item()


def rate_on(change):
    """The fooling rate where the model sees change(x, delta)."""
    return lambda model, x, delta: (model(change(x, delta)).argmax(1) != model(x).argmax(1)).float().mean().item()


MISTAKES = {
    "this is the share of images that keep their class; wanted is the share whose class changes":
        rate_with(lambda before, after: before.argmax(1) == after.argmax(1)),
    "this is a percentage; wanted is a share between 0 and 1":
        lambda **probe: 100 * fooling_rate(**probe),
    "this is a count; divide by the number of images":
        lambda **probe: len(probe["x"]) * fooling_rate(**probe),
    "x + delta leaves [0, 1] and is no image: clip it before the model sees it":
        rate_on(lambda x, delta: x + delta),
    "you clip delta before you add it; its negative entries count, so clip the sum alone":
        rate_on(lambda x, delta: (x + delta.clamp(0, 1)).clamp(0, 1)),
    "you subtract delta; it is to be added":
        rate_on(lambda x, delta: (x - delta).clamp(0, 1)),
    "the model is to see x + delta, not delta alone":
        rate_on(lambda x, delta: delta[None].clamp(0, 1)),
    "you compare logits, which always change a little; compare the classes, `.argmax(1)`":
        lambda **probe: 1.0,
    "`.argmax(0)` asks which image is largest in a class; an image's class is `.argmax(1)`":
        rate_with(lambda before, after: before.argmax(0) != after.argmax(0)),
    "this is how much probability the answers lose; wanted is how many answers change":
        rate_with(lambda before, after: (before.softmax(1) - after.softmax(1)).gather(1, before.argmax(1)[:, None])),
    "this is how much the loss rises; wanted is how many answers change":
        rate_with(lambda before, after: F.cross_entropy(after, before.argmax(1))
                  - F.cross_entropy(before, before.argmax(1))),
}


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
        "it is the share of images whose class changes": equals(fooling_rate, MISTAKES, tolerance=1e-4),
    },
)
