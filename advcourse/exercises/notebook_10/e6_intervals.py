"""10.6: intervals through a layer."""

import torch

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.properties import equals

ROUNDING = 1e-4


def interval(weight, bias, low, high):
    centre, half = (low + high) / 2, (high - low) / 2
    centre, half = centre @ weight.T + bias, half @ weight.abs().T
    return centre - half, centre + half


def interval_probes(generator):
    probes = []
    for inputs, outputs in ((5, 3), (20, 8)):
        middle = torch.rand(6, inputs, generator=generator)
        half = 0.05 + 0.3 * torch.rand(6, inputs, generator=generator)
        probes.append({"weight": torch.randn(outputs, inputs, generator=generator),
                       "bias": torch.randn(outputs, generator=generator),
                       "low": middle - half, "high": middle + half})
    return probes


def ends_in_order(probe, result):
    low, high = result
    if (low > high + ROUNDING).any():
        return "some of your lower ends lie above the upper ends: a negative weight turns an interval round"


def holds_every_image(probe, result):
    right = interval(**probe)
    beyond = torch.maximum(result[0] - right[0], right[1] - result[1]).max().item()
    if beyond > ROUNDING:
        return ("there are images between low and high whose outputs "
                f"leave your interval by {beyond:.2g}: it proves nothing")


def from_centre(formula):
    """A mistake: (low, high) by formula(centre, half, weight, bias), as one tensor."""
    def ends(weight, bias, low, high):
        return torch.stack(formula((low + high) / 2, (high - low) / 2, weight, bias))
    return ends


def around(centre, half):
    return centre - half, centre + half


known = equals(lambda **probe: torch.stack(interval(**probe)), tolerance=1e-4, mistakes={
    "these are the outputs of the two ends: where a weight is negative, the largest output comes of the lower end":
        lambda weight, bias, low, high: torch.stack([low @ weight.T + bias, high @ weight.T + bias]),
    "these are the outputs of the two ends, sorted, or the half width is |W r|: where one weight is negative and "
    "another positive, each wants an end of its own, |W| r":
        lambda weight, bias, low, high: torch.stack([low @ weight.T + bias, high @ weight.T + bias]).sort(0).values,
    "the upper end comes first: return the lowest, then the highest":
        from_centre(lambda c, r, weight, bias: around(c @ weight.T + bias, -r @ weight.abs().T)),
    "these are the centre and the half width; the ends are centre − half and centre + half":
        from_centre(lambda c, r, weight, bias: (c @ weight.T + bias, r @ weight.abs().T)),
    "the bias is missing: it moves the centre":
        from_centre(lambda c, r, weight, bias: around(c @ weight.T, r @ weight.abs().T)),
    "the bias is added to the half width, too: it only moves the centre":
        from_centre(lambda c, r, weight, bias: around(c @ weight.T + bias, r @ weight.abs().T + bias)),
    "the bias widens the interval; it only moves the centre":
        from_centre(lambda c, r, weight, bias: around(c @ weight.T + bias, r @ weight.abs().T + bias.abs())),
    "the centre goes through |W|; it goes through W, and the half width alone through |W|":
        from_centre(lambda c, r, weight, bias: around(c @ weight.abs().T + bias, r @ weight.abs().T)),
    "the half width is not halved: it is (high − low) / 2":
        from_centre(lambda c, r, weight, bias: around(c @ weight.T + bias, 2 * r @ weight.abs().T)),
    "the half width goes through W; it goes through |W|, as a negative weight turns an interval round":
        from_centre(lambda c, r, weight, bias: around(c @ weight.T + bias, r @ weight.T)),
    "the half width takes the Euclidean norm; in a box every input may be at its end at once: |W| r":
        from_centre(lambda c, r, weight, bias: around(
            c @ weight.T + bias, (r.square() @ weight.T.square()).sqrt())),
    "both ends are cut at 0, as by a ReLU: here only the linear layer is asked for":
        from_centre(lambda c, r, weight, bias: tuple(
            end.clamp_min(0) for end in around(c @ weight.T + bias, r @ weight.abs().T))),
})


def is_tight(probe, result):
    """The known mistakes first, then what a wrong interval shows."""
    message = known(probe, torch.stack(result))
    if message is None or "not what the formula gives" not in message:
        return message
    return ends_in_order(probe, result) or holds_every_image(probe, result) or (
        "your interval is wider than it needs to be: only the half width goes through |W|, and it has no bias")


exercise = Exercise(
    number="10.6",
    title="A box through a layer",
    points=3,
    minutes=10,
    hints=(
        ("What is largest?",
         "w·x over a box: where a weight is positive take the upper "
         "end of its input, where it is negative the lower one."),
        ("How is that written without cases?",
         "With the centre c and the half width r of the box: "
         "the centre of the result is W c + b, its half width |W| r."),
        ("Show me nearly all of it.",
         "`centre = (low + high) / 2 @ weight.T + bias`, `half = (high - low) / 2 @ weight.abs().T`, and "
         "`(centre - half, centre + half)`."),
    ),
    reference=interval,
    probes=interval_probes,
    properties={
        "no image of the box gets out, and the interval is as narrow as it can be": is_tight,
    },
)
