"""05.3: the gradient from pairs of queries."""

from functools import partial

import torch

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.counted import Counted
from advcourse.exercises.properties import at_cost, equals, finite


def estimate_gradient(loss_of, x, directions, delta):
    rise = loss_of(x + delta * directions) - loss_of(x - delta * directions)
    return (rise.view(-1, 1, 1, 1) / (2 * delta) * directions).mean(0, keepdim=True)


def curved_loss(images, slope):
    """A loss that is not linear, so that one-sided differences are not what two-sided ones are."""
    rise = (images * slope).flatten(1).sum(1)
    return rise + rise.square() + (images * slope).flatten(1).square().sum(1) + 3


def estimate_probes(generator):
    probes = []
    for samples, delta in ((9, 0.1), (20, 0.3)):  # coarse, as float32 rounds the difference of two near losses away
        x = torch.rand(1, 2, 3, 4, generator=generator) * 0.6 + 0.2
        loss_of = Counted(partial(curved_loss, slope=torch.randn(1, 2, 3, 4, generator=generator)))
        directions = (torch.rand(samples, 2, 3, 4, generator=generator) < 0.5).float() * 2 - 1
        probes.append({"loss_of": loss_of, "x": x, "directions": directions, "delta": delta})
    return probes


def one_sided(loss_of, x, directions, delta):
    rise = loss_of(x + delta * directions) - loss_of(x)
    return (rise.view(-1, 1, 1, 1) / delta * directions).mean(0, keepdim=True)


def times(factor):
    """The right estimate times a wrong factor of the probe's arguments."""
    return lambda **probe: estimate_gradient(**probe) * factor(probe)


def one_sided_with_two(loss_of, x, directions, delta):
    return one_sided(loss_of, x, directions, delta) / 2


def sum_of_both(loss_of, x, directions, delta):
    rise = loss_of(x + delta * directions) + loss_of(x - delta * directions)
    return (rise.view(-1, 1, 1, 1) / (2 * delta) * directions).mean(0, keepdim=True)


def slopes_without_directions(loss_of, x, directions, delta):
    rise = (loss_of(x + delta * directions) - loss_of(x - delta * directions)) / (2 * delta)
    return rise.mean().expand_as(x)


def single_value(loss_of, x, directions, delta):
    return estimate_gradient(loss_of, x, directions[:1], delta)


def exact_gradient(loss_of, x, directions, delta):
    x = x.clone().requires_grad_()
    return torch.autograd.grad(loss_of(x).sum(), x)[0]


def mean_direction(loss_of, x, directions, delta):
    return directions.mean(0, keepdim=True)


def signs_of_slopes(loss_of, x, directions, delta):
    rise = loss_of(x + delta * directions) - loss_of(x - delta * directions)
    return (rise.sign().view(-1, 1, 1, 1) * directions).mean(0, keepdim=True)


is_estimate = equals(estimate_gradient, tolerance=1e-4, mistakes={
    "you compare with x itself: ask on both sides, at x + δv and at x − δv": one_sided,
    "you compare with x itself and divide by 2δ: ask on both sides, at x + δv and at x − δv":
        one_sided_with_two,
    "this points downhill: the loss at x + δv comes first, minus the loss at x − δv": times(lambda probe: -1),
    "twice too large: the two points lie 2δ apart, not δ": times(lambda probe: 2),
    "δ is missing: divide the difference by 2δ, the distance of the two points":
        times(lambda probe: 2 * probe["delta"]),
    "half of the difference is not the slope: divide by δ, too": times(lambda probe: probe["delta"]),
    "this is the sum over the directions; wanted is their mean": times(lambda probe: len(probe["directions"])),
    "you add the two losses; their difference tells which way is up": sum_of_both,
    "every pixel gets the same number: multiply each slope by its own direction before you average":
        slopes_without_directions,
    "you used the first direction alone: average over all of them": single_value,
    "this is the mean of the directions; each must be weighted with the slope along it": mean_direction,
    "this is the exact gradient, which nobody outside can compute: use `directions` and ask for losses only":
        exact_gradient,
    "half as large: it is the mean over the directions, S of them, not over the 2 S queries": times(lambda probe: 0.5),
    "you keep the sign of each slope alone; multiply the direction by the slope itself": signs_of_slopes,
    "this is the sign of the estimate: it is taken later, when the step is made":
        lambda **probe: estimate_gradient(**probe).sign(),
    "this is the estimate scaled to length 1: leave its length as it is":
        lambda **probe: estimate_gradient(**probe) / estimate_gradient(**probe).norm(),
    "you go from black, not from x: ask at x + δv and at x − δv":
        lambda x, **probe: estimate_gradient(x=0 * x, **probe),
})


def two_queries_a_direction(probe, result):
    rows, directions = probe["loss_of"].rows, len(probe["directions"])
    if rows == 2 * directions:
        return None
    return (f"you ask for the loss of {rows:.0f} images, for {directions} directions: two queries for each are enough, "
            "so keep what `loss_of` returns")


exercise = Exercise(
    number="05.3",
    title="A gradient from pairs of queries",
    points=4,
    minutes=12,
    hints=(
        ("How steep is it along one direction?",
         "Ask on both sides: the loss at x + δv minus the loss at x − δv, "
         "divided by the distance between the two points, 2δ."),
        ("From slopes to a gradient?",
         "Multiply every direction by its own slope and take the mean over the directions. The slopes have shape "
         "(S,); `.view(-1, 1, 1, 1)` lets them multiply images."),
        ("Show me nearly all of it.",
         "rise = loss_of(x + delta * directions) - loss_of(x - delta * directions); then the mean over dimension 0, "
         "with `keepdim=True`, of rise.view(-1, 1, 1, 1) / (2 * delta) * directions."),
    ),
    reference=estimate_gradient,
    probes=estimate_probes,
    gates={
        "every entry is a number": finite,
    },
    properties={
        "it is the mean of slope · direction": is_estimate,
        "it takes two queries for each direction": at_cost(is_estimate, two_queries_a_direction),
    },
)
