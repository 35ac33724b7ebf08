"""12.6: the worst change in a box, for a linear model, in closed form."""

import math

import torch
from torch.nn import functional as F

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.probes import telling_apart
from advcourse.exercises.properties import equals


def linear_worst_case(weight, bias, x, y, eps):
    margin = y * (x.flatten(1) @ weight + bias)
    return F.softplus(-(margin - eps * weight.abs().sum()))


def margin_probes(generator):
    def draw():
        weight = torch.randn(12, generator=generator)
        return {"weight": weight, "bias": torch.randn((), generator=generator).item() + 0.5,
                "x": torch.rand(9, 1, 3, 4, generator=generator), "y": 1 - 2 * (torch.arange(9) % 3 == 0).float(),
                "eps": 0.05 + 0.1 * torch.rand((), generator=generator).item()}

    return [telling_apart(draw, linear_worst_case, list(MISTAKES.values())) for _ in range(3)]


def with_loss(size=lambda weight: weight.abs().sum(), sign=-1.0, loss=lambda m: F.softplus(-m), signed=True,
              biased=True, inside=True):
    """The formula with one of its parts exchanged."""
    def formula(weight, bias, x, y, eps):
        score = x.flatten(1) @ weight + bias * biased
        margin, change = (y * score if signed else score), sign * eps * size(weight)
        return loss(margin + change) if inside else loss(margin) + change.abs()

    return formula


MISTAKES = {
    "this is the loss without a change: the margin falls by ε ‖w‖₁": with_loss(sign=0.0),
    "you change the margin by ε ‖w‖₂, which is the worst of an ℓ2 ball; in a box each pixel goes its own way, ε ‖w‖₁":
        with_loss(size=lambda weight: weight.norm()),
    "you change the margin by ε max |w|, which is the worst of an ℓ1 ball; in a box all pixels move: ε ‖w‖₁":
        with_loss(size=lambda weight: weight.abs().max()),
    "you add ε ‖w‖₁ to the margin: that is the change that helps most. The worst one takes it off": with_loss(sign=1.0),
    "you change the margin by ε Σ w, as if every pixel went up: each goes against the sign of its weight, which gives "
    "ε Σ |w|": with_loss(size=lambda weight: weight.sum()),
    "the bias is missing from the margin": with_loss(biased=False),
    "ε ‖w‖₁ is added to the loss; it belongs to the margin, inside the loss": with_loss(inside=False),
    "the labels are not used: the margin is y (wᵀx + b), and y is −1 or 1": with_loss(signed=False),
    "y multiplies ε ‖w‖₁, too: both classes lose by it, y (wᵀx + b) − ε ‖w‖₁":
        lambda weight, bias, x, y, eps: F.softplus(-y * (x.flatten(1) @ weight + bias - eps * weight.abs().sum())),
    "this is the hinge loss; wanted is log(1 + exp(−margin))": with_loss(loss=lambda m: (1 - m).clamp_min(0)),
    "this is the smallest margin itself; the loss of it is wanted": with_loss(loss=lambda m: m),
    "the margin has the wrong sign inside the loss: log(1 + exp(−margin))": with_loss(loss=lambda m: F.softplus(m)),
    "this is the loss in bits; take the natural logarithm": with_loss(loss=lambda m: F.softplus(-m) / math.log(2)),
    "ε is missing: ‖w‖₁ counts ε times": lambda weight, bias, x, y, eps: F.softplus(
        weight.abs().sum() - y * (x.flatten(1) @ weight + bias)),
    "you divide ‖w‖₁ by the number of pixels: it is a sum, not a mean": with_loss(
        size=lambda weight: weight.abs().mean()),
}


exercise = Exercise(
    number="12.6",
    title="The worst case in closed form",
    points=4,
    minutes=12,
    hints=(
        ("What does a change do to the margin?",
         "It becomes y (wᵀ(x + δ) + b) = y (wᵀx + b) + y wᵀδ. The loss falls as the margin grows, so the worst δ "
         "makes y wᵀδ as small as it can be."),
        ("How small?",
         "Each pixel of δ lies in [−ε, ε] and is chosen alone: −ε |w_i| each, −ε ‖w‖₁ in all, whatever y is."),
        ("Show me nearly all of it.",
         "`margin = y * (x.flatten(1) @ weight + bias) - eps * weight.abs().sum()`, then `F.softplus(-margin)`."),
    ),
    reference=linear_worst_case,
    probes=margin_probes,
    properties={"it is log(1 + exp(−(y (wᵀx + b) − ε ‖w‖₁)))": equals(linear_worst_case, MISTAKES)},
)
