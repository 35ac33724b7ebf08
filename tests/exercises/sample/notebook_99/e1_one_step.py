"""99.1: one step."""

import torch
from torch import nn

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.properties import equals, in_ball, in_unit_range


def step(model, x, y, eps):
    x = x.clone().requires_grad_()
    loss = nn.functional.cross_entropy(model(x), y, reduction="sum")
    return (x + eps * torch.autograd.grad(loss, x)[0].sign()).clamp(0, 1)


def step_probes(generator):
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, 3))
    with torch.no_grad():
        model[1].weight.copy_(torch.randn(3, 16, generator=generator))
    return [{"model": model, "x": torch.rand(count, 1, 4, 4, generator=generator),
             "y": torch.randint(3, (count,), generator=generator), "eps": eps} for count, eps in ((3, 0.1), (1, 0.3))]


exercise = Exercise(
    number="99.1",
    title="One step",
    points=5,
    minutes=10,
    hints=(
        ("Where do I start?", "With the gradient:\n\n`torch.autograd.grad`"),
        ("And then?", "Its sign."),
        ("All?", "Clip."),
    ),
    reference=step,
    probes=step_probes,
    properties={
        "stays within ε of x": in_ball("linf"),
        "stays in [0, 1]": in_unit_range,
        "is one step up the gradient": equals(step, mistakes={
            "you went down the gradient: add the step": lambda model, x, y, eps: step(model, x, y, -eps),
        }),
    },
)
