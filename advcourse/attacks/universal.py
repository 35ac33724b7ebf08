"""Universal perturbations: one image of noise that fools the model on most images it is added to.

The directions that lead out of the classes are much the same for all images, so a single delta can push along them.
It is found on a set of images, one image or one mini-batch at a time, and works on images that it has never seen.
Unlike other attacks `universal` therefore returns delta, which has the shape of one image; `add_universal` adds it.
"""

import math
from functools import partial
from typing import Literal

import torch
from torch import Tensor

from advcourse.attacks.cards import AttackCard
from advcourse.attacks.contract import (
    Model,
    Norm,
    attacking,
    box_of,
    check,
    check_positive,
    differentiable,
    fresh,
    generator_for,
    input_gradient,
    labels_fit,
)
from advcourse.attacks.geometry import add_inside, normalise, representable, summed_radius
from advcourse.attacks.losses import cross_entropy, fools
from advcourse.models.inference import predict


def universal(model: Model, x: Tensor, y: Tensor | None = None, *, eps: float, norm: Norm = "linf",
              method: Literal["gradient", "deepfool"] = "gradient", step_size: float | None = None, steps: int = 10,
              batch_size: int = 100, overshoot: float = 0.02, targeted: bool = False, low: float = 0, high: float = 1,
              generator: torch.Generator | None = None) -> Tensor:
    """One perturbation for all the images x: delta, of the shape of one image, ‖delta‖ <= eps.

        gradient:   delta ← Π(delta + step_size_k · direction(Σ_{i in B} ∇_delta min(J(clip(x_i + delta), y_i), β)))
                    for each mini-batch B;  β = 2 log K;  targeted: −J, without β;  Π: the projection onto the ball
        deepfool:   delta ← Π(delta + r_i)  for each image that delta does not fool, in random order;  r_i: DeepFool's
                    steps from clip(x_i + delta), 1 + overshoot times as long, until the class changes, 10 at most

    model: from images in [low, high], shape (N, ...), to logits, shape (N, K).
    x: such images, float32 or float64, the more and the more varied the better.
    y: the labels to leave, shape (N,), int64; None: the model's own answers, as in Moosavi-Dezfooli's paper, which
        measures how many answers change. If targeted, the labels to reach (all equal, as a rule).
    eps: the radius of the ball, at least 0; norm: "linf" or "l2".
    method: "gradient" (Shafahi et al., algorithm 2; sign or l2 steps for the "fgsm" form) or "deepfool"
        (Moosavi-Dezfooli et al., algorithm 1; not targeted).
    step_size: of the first pass, for "gradient", above 0; it falls to a tenth of that; None: eps / 2.
    steps: passes over the images; batch_size: images in a mini-batch, for "gradient"; both at least 1.
    overshoot: by what share of itself a step is longer, for "deepfool".
    targeted: whether y is to be reached, not left.
    low, high: the ends of the valid range: 0 and 1 for images, −1 and 1 for waveforms.
    generator: of the order of the images; None: a fresh one of seed 0, the same numbers in every call.
    Returns the delta, detached, that fools most of x of those after each pass. delta = 0 where x is empty.
    Raises ValueError for other arguments than these; NoGradientError, a ValueError, for logits without a gradient to x.
    Cost: in images, gradient: steps · N · (2 forward + 1 backward); deepfool: steps · N · 2 forward, and for every
    image that is not fooled about 3 · (1 forward + K backward).

    Moosavi-Dezfooli, Fawzi, Fawzi, Frossard, "Universal adversarial perturbations", CVPR 2017. What differs: the paper
    stops at a wanted error rate; here all the passes are made and the best delta is kept.
    Shafahi, Najibi, Xu, Dickerson, Davis, Goldstein, "Universal adversarial training", AAAI 2020. What differs: the
    paper calls for a β without fixing it; 2 log K keeps images that are fooled already from outweighing the others.
    """
    box = check(x, y, eps=eps, norm=norm, norms=("linf", "l2"), low=low, high=high, steps=steps, batch_size=batch_size)
    check_positive(step_size=step_size)
    if method not in ("gradient", "deepfool"):
        raise ValueError(f"method must be 'gradient' or 'deepfool'; got {method!r}")
    if targeted and (y is None or method == "deepfool"):
        raise ValueError("a targeted universal perturbation needs the labels to reach, y, and method='gradient'")
    generator = generator_for(x, generator)
    images = fresh(x)
    delta = torch.zeros_like(images[:1]) if len(x) else x.new_zeros(1, *x.shape[1:])
    if len(x) == 0 or eps == 0:
        return delta[0]
    with attacking(model) as ask:
        logits = predict(ask, images)
        y = logits.argmax(1) if y is None else fresh(y)
        labels_fit(logits, y)
        best, best_rate = delta, fools(logits, y, targeted).double().mean()
        for step in range(steps):
            order = torch.randperm(len(images), generator=generator, device=x.device)
            if method == "gradient":
                size = (1 - 0.9 * step / steps) * (eps / 2 if step_size is None else step_size)
                for batch in order.split(batch_size):
                    delta = _gradient_step(ask, images[batch], y[batch], delta=delta, size=size, norm=norm,
                                           targeted=targeted, box=box)
                    delta = _onto_ball(delta, eps, norm)
            else:
                for i in order.split(1):
                    image = (images[i] + delta).clamp(*box)
                    change = _deepfool_change(ask, image, y[i], norm=norm, overshoot=overshoot, box=box)
                    delta = _onto_ball(delta + change, eps, norm)
            rate = fools(predict(ask, add_inside(images, delta.expand_as(images), box)), y, targeted).double().mean()
            best, best_rate = (delta, rate) if rate > best_rate else (best, best_rate)
    return best[0].detach()


def add_universal(x: Tensor, delta: Tensor, *, low: float = 0, high: float = 1) -> Tensor:
    """x + delta, in [low, high], for images x, (N, ...), and one delta for all; each within max |delta| of x."""
    return add_inside(x, delta.expand_as(x), box_of(low, high, x.dtype))


def _gradient_step(ask, images, y, *, delta, size, norm, targeted, box):
    """delta after one step up the bounded loss of a mini-batch (targeted: down the loss)."""
    def with_delta(delta):
        return ask((images + delta).clamp(*box))
    _, _, gradient = input_gradient(with_delta, delta, partial(_bounded_loss, y=y, targeted=targeted))
    return delta + size * normalise(gradient, norm)


def _bounded_loss(logits, y, *, targeted):
    losses = cross_entropy(logits, y)
    return -losses if targeted else losses.clamp(max=2 * math.log(logits.shape[1]))


def _deepfool_change(ask, image, y, *, norm, overshoot, box):
    """What takes one image, shape (1, ...), just over the next boundary, to first order, in 10 steps at most."""
    moved = image
    for _ in range(10):
        point, logits = differentiable(ask, moved)
        if logits[0].argmax() != y[0]:
            break
        # The differences to the logit of y, f_k = z_k − z_y, and their gradients w_k, all from one forward pass.
        gradients = torch.cat([torch.autograd.grad(z, point, retain_graph=True)[0] for z in logits[0]]).flatten(1)
        others = torch.arange(logits.shape[1], device=y.device) != y[0]
        gaps = (logits[0, y[0]] - logits[0])[others].detach()
        w = (gradients - gradients[y[0]])[others]
        # The nearest boundary: least |f_k| / ‖w_k‖ in the dual norm; the step that reaches it if f is linear.
        length = w.abs().sum(1) if norm == "linf" else w.norm(dim=1)
        distances = gaps / length.clamp_min(torch.finfo(w.dtype).tiny)
        nearest = distances.argmin()
        if not length[nearest] > 0:
            break  # no gradient, no direction
        direction = normalise(w[nearest].view_as(image), norm)
        # A hair further than the boundary, or the loop would creep up to it and never cross.
        moved = (moved + (1 + overshoot) * (distances[nearest] + 1e-6) * direction).clamp(*box)
    return moved - image


def _onto_ball(delta, eps, norm):
    """The nearest delta with ‖delta‖ <= eps, in the arithmetic of its dtype."""
    if norm == "linf":
        eps = representable(eps, delta.dtype)
        return delta.clamp(-eps, eps)
    length = delta.norm().clamp_min(torch.finfo(delta.dtype).tiny)
    return delta * (summed_radius(eps, delta.dtype) / length).clamp(max=1)


CARDS = (
    AttackCard(
        notebook="06",
        name="universal", input="random", frequency="iterative", specificity="both", scope="universal",
        measurement="linf, l2", realism="non-realistic", falsification="both", knowledge="white box",
        method="one delta for all images, by mini-batch gradient steps or by adding up DeepFool's steps",
        paper="Moosavi-Dezfooli et al., 2017, arXiv:1610.08401; Shafahi et al., 2020, arXiv:1811.11304",
        cost="gradient: 2 forward and 1 backward per image and pass; deepfool: 2 forward per image and pass, and about "
             "3 (1 forward + K backward) per image not yet fooled",
    ),
)
