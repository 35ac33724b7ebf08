"""The virtual adversarial perturbation: where the model's own answer changes fastest, without any label.

At x itself the divergence between the answers there and nearby is zero and so is its gradient: what counts is the
curvature. Power iteration finds the direction of largest curvature, with one gradient per turn and without ever forming
the Hessian.
"""

from functools import partial

import torch
from torch import Tensor
from torch.nn import functional as F

from advcourse.attacks.cards import AttackCard
from advcourse.attacks.contract import (
    Best,
    Model,
    at_least_float32,
    attacking,
    check,
    check_positive,
    fresh,
    generator_for,
    input_gradient,
    labels_fit,
)
from advcourse.attacks.geometry import normalise, per_example, project
from advcourse.attacks.gradient import is_flat


def virtual_adversarial(model: Model, x: Tensor, y: Tensor | None = None, *, eps: float, steps: int = 5,
                        xi: float = 0.1, low: float = 0, high: float = 1,
                        generator: torch.Generator | None = None) -> Tensor:
    """The perturbation in the l2 ball of radius eps that changes the model's answers most, to second order.

        d <- u / ‖u‖₂,   u = ∇_r KL(p(· | x) ‖ p(· | x + r)) at r = ξ d,          `steps` times from a random d
        x_adv = P(x ± eps · d):  of the two signs, which the second order cannot tell apart, the one of larger KL

    P projects onto the ball and the box.
    model: from images in [low, high], shape (N, ...), to logits (N, K). At x + ξ d it may see values outside of it by
        up to ξ.
    x: images. y: not used, and only checked: the model's own distribution p(· | x) stands in for it ("virtual" labels);
        it is accepted so that all attacks are called alike.
    eps: the radius of the ball, at least 0. steps: power iterations, at least 1; one is enough for training, the paper
        finds. xi: ξ, the finite difference, above 0, in units of ‖x_adv − x‖₂.
    low, high: the ends of the valid range: 0 and 1 for images, −1 and 1 for waveforms.
    generator: of the first d, on x's device. None: a fresh one of seed 0, the same numbers in every call.
    Returns x_adv: detached, in the ball and the box; x itself only where no change of the answer was found.
    Raises ValueError where an argument is not as said here, or y does not fit the logits, or these carry no gradient.
    Cost: steps (1 forward + 1 backward) + 3 forward passes per image.

    Miyato, Maeda, Koyama, Ishii, "Virtual adversarial training", TPAMI 2019, section 3.3 and Algorithm 1. The paper
    adds + eps · d without a look at −d, and there is no box. Probabilities are computed in float64: where a network is
    sure to 1 − 1e-8, their float32 difference and with it the direction would be lost.
    """
    box = check(x, y, eps=eps, low=low, high=high, steps=steps)
    check_positive(xi=xi)
    generator = generator_for(x, generator)
    x = fresh(x)
    if len(x) == 0:
        return x
    direction = normalise(torch.randn(x.shape, generator=generator, device=x.device, dtype=x.dtype), "l2")
    with attacking(model) as ask:
        with torch.no_grad():
            clean = at_least_float32(ask(x))
        labels_fit(clean, clean.new_zeros(len(x), dtype=torch.int64) if y is None else y)
        for _ in range(steps):
            _, _, gradient = input_gradient(ask, x + xi * direction, partial(divergence, clean))
            direction = torch.where(per_example(is_flat(gradient), x), direction, normalise(gradient, "l2"))
        best = Best(x)
        best.update(x, x.new_zeros(len(x)), x.new_zeros(len(x), dtype=torch.bool))
        with torch.no_grad():
            for sign in (1, -1):
                x_adv = project(x + sign * eps * direction, x, eps, "l2", box)
                logits = at_least_float32(ask(x_adv))
                best.update(x_adv, divergence(clean, logits), logits.argmax(1) != clean.argmax(1))
    return best.x_adv


def divergence(clean: Tensor, logits: Tensor) -> Tensor:
    """KL(softmax(clean) ‖ softmax(logits)) per image, shape (N,), in float64: Σ_k p_k (log p_k − log q_k)."""
    log_p, log_q = F.log_softmax(clean.double(), 1), F.log_softmax(logits.double(), 1)
    return (log_p.exp() * (log_p - log_q)).sum(1)


CARDS = (
    AttackCard(
        name="virtual_adversarial", input="random", frequency="iterative", specificity="non-targeted",
        scope="individual", measurement="l2", realism="non-realistic", falsification="both", knowledge="white box",
        method="power iteration for the direction in which the model's own distribution changes fastest; no labels",
        paper="Miyato et al., 2019, arXiv:1704.03976",
        cost="steps (1 forward + 1 backward) + 3 forward passes per image", notebook="04",
    ),
)
