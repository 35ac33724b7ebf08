"""10.6: intervals through a layer."""

import torch

from advcourse.exercises.catalogue import Exercise


def interval(weight, bias, low, high):
    centre, half = (low + high) / 2, (high - low) / 2
    centre, half = centre @ weight.T + bias, half @ weight.abs().T
    return centre - half, centre + half


def interval_probes(generator):
    probes = []
    for inputs, outputs in ((5, 3), (20, 8)):
        middle = torch.rand(6, inputs, generator=generator).double()
        half = 0.3 * torch.rand(6, inputs, generator=generator).double()
        probes.append({"weight": torch.randn(outputs, inputs, generator=generator).double(),
                       "bias": torch.randn(outputs, generator=generator).double(),
                       "low": middle - half, "high": middle + half})
    return probes


def ends_in_order(probe, result):
    if (result[0] > result[1] + 1e-9).any():
        return "some of your lower ends lie above the upper ends: a negative weight turns an interval round"


def holds_every_image(probe, result):
    weight, bias, low, high = (probe[name] for name in ("weight", "bias", "low", "high"))
    corners = low + (high - low) * torch.rand(200, *low.shape).round().to(low.dtype)
    outputs = corners @ weight.T + bias
    beyond = torch.maximum(result[0] - outputs, outputs - result[1]).max().item()
    if beyond > 1e-9:
        return ("there are images between low and high whose outputs "
                f"leave your interval by {beyond:.2g}: it proves nothing")


def is_tight(probe, result):
    right = interval(**probe)
    width = ((result[1] - result[0]) / (right[1] - right[0])).max().item()
    if width > 1 + 1e-6:
        return (f"your interval is up to {width:.2g} times as wide as it needs to be: only the half width goes through "
                "|W|, and it has no bias")
    if width < 1 - 1e-6 or any((a - b).abs().max() > 1e-6 for a, b in zip(result, right, strict=True)):
        return ("your interval is not the one that the formula gives: the centre goes through W and the bias, the "
                "half width through |W|")


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
        "lower ends lie below upper ends": ends_in_order,
        "no image of the box gets out": holds_every_image,
        "the interval is as narrow as it can be": is_tight,
    },
)
