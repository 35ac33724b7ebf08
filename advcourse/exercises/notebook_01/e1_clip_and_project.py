"""01.1: clip and project."""

from functools import partial

import torch

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.probes import random_images
from advcourse.exercises.properties import equals, in_ball, in_unit_range


def project(x_p, x, eps):
    return torch.clamp(x_p, x - eps, x + eps).clamp(0, 1)


def project_onto_euclidean_ball(x_p, x, eps):
    delta = x_p - x
    return (x + delta * (eps / delta.flatten(1).norm(dim=1)).clamp(max=1).view(-1, 1, 1, 1)).clamp(0, 1)


def shrink_the_whole_perturbation(x_p, x, eps):
    delta = x_p - x
    return (x + delta * eps / delta.flatten(1).abs().amax(1).view(-1, 1, 1, 1)).clamp(0, 1)


def rescale_the_grey_values(x_p, x, eps):
    near = torch.clamp(x_p, x - eps, x + eps)
    return (near - near.min()) / (near.max() - near.min())


def project_probes(generator):
    probes = []
    for eps in (0.05, 0.3):
        x = random_images(generator)
        probes.append({"x_p": x + torch.randn(x.shape, generator=generator) * 0.4, "x": x, "eps": eps})
    return probes


exercise = Exercise(
    number="01.1",
    title="Clip and project",
    points=2,
    minutes=6,
    hints=(
        ("Which two limits are there?",
         "Each pixel must lie within ε of its original *and* be a grey value between 0 and 1."),
        ("How do I clip to limits that differ from pixel to pixel?",
         "`torch.clamp` takes tensors as its limits: `torch.clamp(a, low, high)`."),
        ("Show me nearly all of it.",
         "Clamp `x_p` between `x - eps` and `x + eps`, then clamp the result between 0 and 1."),
    ),
    reference=project,
    probes=project_probes,
    gates={
        "every pixel stays within ε of x": in_ball("linf", name="image"),
        "every pixel is a grey value in [0, 1]": partial(in_unit_range, name="image"),
    },
    properties={
        "it is the allowed image nearest to x_p": equals(project, mistakes={
            "this is the nearest image in Euclidean length; ε limits every pixel on its own, so clip pixel by pixel":
                project_onto_euclidean_ball,
            "you give x back unchanged; x_p should move only as far as it must":
                lambda x_p, x, eps: x,
            "this shrinks the whole perturbation; clip every pixel "
            "on its own, and leave alone those that are near enough":
                shrink_the_whole_perturbation,
            "every pixel went to x ± ε, the near ones too: clip to the border, don't jump to it":
                lambda x_p, x, eps: (x + eps * (x_p - x).sign()).clamp(0, 1),
            "you clip x around x_p; it is x_p that moves, into the ball around x":
                lambda x_p, x, eps: torch.clamp(x, x_p - eps, x_p + eps).clamp(0, 1),
            "pixels that get darker came back unchanged: the lower limit is x − ε":
                lambda x_p, x, eps: torch.clamp(x_p, x, x + eps).clamp(0, 1),
            "pixels that get brighter came back unchanged: the upper limit is x + ε":
                lambda x_p, x, eps: torch.clamp(x_p, x - eps, x).clamp(0, 1),
            "pixels that were too far away went back to x; wanted is the nearest allowed value, on the border":
                lambda x_p, x, eps: torch.where((x_p - x).abs() <= eps, x_p, x).clamp(0, 1),
            "this clips to x ± ε/2: the ball reaches ε to either side":
                lambda x_p, x, eps: torch.clamp(x_p, x - eps / 2, x + eps / 2).clamp(0, 1),
            "you rescale the grey values, which moves every pixel; clip those that are outside, and no others":
                rescale_the_grey_values,
            "you clip x_p itself to ±ε and add it; what is limited to ±ε is the change, x_p − x":
                lambda x_p, x, eps: (x + x_p.clamp(-eps, eps)).clamp(0, 1),
        }),
    },
)
