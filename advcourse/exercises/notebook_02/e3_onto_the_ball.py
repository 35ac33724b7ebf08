"""02.3: onto the Euclidean ball."""

import math

import torch

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.properties import equals, in_ball


def onto_ball(x_p, x, eps):
    delta = x_p - x
    length = delta.flatten(1).norm(dim=1).clamp_min(1e-12)
    return x + delta * (eps / length).clamp(max=1).view(-1, 1, 1, 1)


def ball_probes(generator):
    probes = []
    for eps in (0.5, 2.0):
        x = torch.rand(8, 2, 3, 5, generator=generator)
        direction = torch.randn(x.shape, generator=generator)
        # Of each kind some: far outside, just outside, well inside, and x itself.
        length = eps * torch.tensor([0.0, 0.3, 0.5, 0.8, 1.2, 1.5, 2.0, 12.0])
        direction *= (length / direction.flatten(1).norm(dim=1)).view(-1, 1, 1, 1)
        probes.append({"x_p": x + direction, "x": x, "eps": eps})
    return probes


def scaled(factor):
    """x + factor(delta, eps) · delta, the factor being one number per image."""
    return lambda x_p, x, eps: x + (x_p - x) * factor((x_p - x).flatten(1), eps).view(-1, 1, 1, 1)


exercise = Exercise(
    number="02.3",
    title="Onto the Euclidean ball",
    points=3,
    minutes=8,
    hints=(
        ("Which point of a ball is nearest?",
         "On the straight line to its centre: keep the direction of δ = x_p − x and shorten it."),
        ("By how much?",
         "A δ of length L > ε is multiplied by ε / L. One that is short enough is left alone: its factor is 1."),
        ("Show me nearly all of it.",
         "`length = delta.flatten(1).norm(dim=1)`, then `factor = (eps / length.clamp_min(1e-12)).clamp(max=1)`, and "
         "`x + delta * factor.view(-1, 1, 1, 1)`."),
    ),
    reference=onto_ball,
    probes=ball_probes,
    gates={"every image is within ε of x in Euclidean length": in_ball("l2", name="image")},
    properties={
        "it is the point of the ball nearest to x_p": equals(onto_ball, mistakes={
            "you pull the near ones out to the border as well: a δ that is short enough stays as it is":
                scaled(lambda delta, eps: eps / delta.norm(dim=1).clamp_min(1e-12)),
            "x_p comes back as it was: where δ is longer than ε, shorten it":
                lambda x_p, x, eps: x_p,
            "you give x back: shorten δ only as far as it must be":
                scaled(lambda delta, eps: torch.zeros(len(delta))),
            "you take one length for the whole batch, "
            "and shorten some that were short enough: every image has its own":
                lambda x_p, x, eps: x + (x_p - x) * min(1.0, eps / (x_p - x).norm().item()),
            "you take the largest length of the batch for all images: every image has its own":
                lambda x_p, x, eps: x + (x_p - x) * min(1.0, eps / (x_p - x).flatten(1).norm(dim=1).amax().item()),
            "you measure with the ℓ1 size; Euclidean length is the root of the sum of squares":
                scaled(lambda delta, eps: (eps / delta.abs().sum(1).clamp_min(1e-12)).clamp(max=1)),
            "you clip every entry to ε / √n: that is inside the ball, but it bends the direction. Scale δ as a whole":
                lambda x_p, x, eps: x + (x_p - x).clamp(-eps / math.sqrt(x[0].numel()), eps / math.sqrt(x[0].numel())),
            "you clip every entry to ±ε, as for ℓ∞; the limit is on the Euclidean length of δ as a whole":
                lambda x_p, x, eps: x + (x_p - x).clamp(-eps, eps),
            "the images outside of the ball went back to x; wanted is the nearest point, on the border":
                scaled(lambda delta, eps: (delta.norm(dim=1) <= eps).to(delta.dtype)),
            "you clip to [0, 1] as well: here that is left aside, and after it the point is not the nearest one":
                lambda x_p, x, eps: onto_ball(x_p, x, eps).clamp(0, 1),
            "the root is missing: you divide by the square of the length":
                scaled(lambda delta, eps: (eps / delta.square().sum(1).clamp_min(1e-12)).clamp(max=1)),
            "you take the length over the channels, pixel by pixel: make one row of each image first (`.flatten(1)`)":
                lambda x_p, x, eps: x + (x_p - x) * (eps / (x_p - x).norm(dim=1, keepdim=True)).clamp(max=1),
            "you take the mean of the squares for the length; it is the root of their sum":
                scaled(lambda delta, eps: (eps / delta.square().mean(1).sqrt().clamp_min(1e-12)).clamp(max=1)),
            "you measure by the largest entry (ℓ∞); Euclidean length is the root of the sum of squares":
                scaled(lambda delta, eps: (eps / delta.abs().amax(1).clamp_min(1e-12)).clamp(max=1)),
            "you shorten x_p itself; shorten the way to it, δ = x_p − x, and add it to x":
                lambda x_p, x, eps: onto_ball(x_p, torch.zeros_like(x), eps),
        }),
    },
)
