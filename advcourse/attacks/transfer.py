"""Attacks made to be carried over: found on one model or several, meant for another that nobody has seen.

A perturbation that fits one network too closely stays with it. What carries over is found by keeping the search from
following the details: momentum (`gradient.mim`), another random view of the image at each step, a gradient averaged
over shifted images, several models at once. All of these climb with momentum; without any of it they are `mim`.
"""

from collections.abc import Sequence
from functools import partial
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from advcourse.attacks import contract
from advcourse.attacks.cards import AttackCard
from advcourse.attacks.contract import Model, Norm
from advcourse.attacks.gradient import Walk, climb_with_momentum, mim

Fuse = Literal["probabilities", "logits", "losses"]


def di_fgsm(model: Model, x: Tensor, y: Tensor, *, eps: float, norm: Norm = "linf", step_size: float | None = None,
            steps: int = 10, decay: float = 1.0, probability: float = 0.7, smallest: float = 0.85,
            targeted: bool = False, low: float = 0, high: float = 1,
            generator: torch.Generator | None = None) -> Tensor:
    """Diverse inputs: at each step the gradient is taken at a randomly shrunken and shifted copy of the image.

        g_{t+1} = decay · g_t + ∇_x J(view_t(x_t), y) / ‖·‖₁,   x_{t+1} = clip(x_t + step_size · sign(g_{t+1}))
                                                                (targeted: minus)

    view_t: with this probability the image shrunk to a random share of its size, at least `smallest`, at a random place
    on black; else the image as it is. One draw for all images of the batch.
    model: from images in [low, high], shape (N, C, H, W), to logits (N, K).
    x: such images. y: their labels, shape (N,), int64; with targeted=True the labels to reach.
    eps: the radius of the ball, at least 0. norm: "linf" or "l2"; l2: g / ‖g‖₂ in place of the sign.
    step_size: above 0. None: 2.5 eps / steps. steps: at least 1. decay: of the momentum, at least 0.
    probability: in [0, 1]. smallest: in (0, 1].
    low, high: the ends of the valid range: 0 and 1 for images, −1 and 1 for waveforms.
    generator: of the views, on x's device. None: a fresh one of seed 0, the same numbers in every call.
    Returns x_adv: detached, in the ball and the box: per image, of all iterates, judged as they are and not by a view,
        the one of highest loss among those that fool, else of highest loss.
    Raises ValueError where an argument is not as said here, or y does not fit the logits, or these carry no gradient.
    Cost: 2 steps + 1 forward and steps backward passes.

    Xie et al., "Improving transferability of adversarial examples with input diversity", CVPR 2019, section 3.3
    (M-DI²-FGSM). They enlarge the canvas, from 299 to 330 pixels; a network that takes one size only needs the
    opposite, and sees a smaller image instead.
    """
    if not 0 <= probability <= 1:
        raise ValueError(f"probability must lie in [0, 1]; got {probability!r}")
    if not 0 < smallest <= 1:
        raise ValueError(f"smallest must lie in (0, 1]; got {smallest!r}")
    generator = contract.generator_for(x, generator) if isinstance(x, Tensor) else generator
    view = partial(random_view, probability=probability, smallest=smallest, black=low, generator=generator)
    walk = Walk(eps=eps, norm=norm, step_size=step_size, steps=steps, decay=decay, targeted=targeted,
                low=low, high=high)
    return climb_with_momentum(model, x, y, walk, view=view)


def random_view(x: Tensor, probability: float, smallest: float, generator: torch.Generator,
                black: float = 0) -> Tensor:
    """The images, with this probability shrunk to a random share of their size, at a random place on black.

    One draw for all of them.
    """
    draw, share, top, left = torch.rand(4, generator=generator, device=generator.device).tolist()
    if draw >= probability:
        return x
    height, width = x.shape[2:]
    share = smallest + share * (1 - smallest)
    rows, columns = max(1, round(share * height)), max(1, round(share * width))
    top, left = int(top * (height - rows + 1)), int(left * (width - columns + 1))
    small = F.interpolate(x, size=(rows, columns), mode="bilinear", align_corners=False)
    return F.pad(small, (left, width - columns - left, top, height - rows - top), value=black)


def ti_fgsm(model: Model, x: Tensor, y: Tensor, *, eps: float, norm: Norm = "linf", step_size: float | None = None,
            steps: int = 10, decay: float = 1.0, kernel: int = 5, targeted: bool = False, low: float = 0,
            high: float = 1) -> Tensor:
    """Translation invariance: the gradient is blurred before each step, nearly its mean over shifted copies.

        g_{t+1} = decay · g_t + W ∗ ∇_x J(x_t, y) / ‖·‖₁,   x_{t+1} = clip(x_t + step_size · sign(g_{t+1}))
                                                            (targeted: minus)

    W: a Gaussian of kernel × kernel pixels that ends at three standard deviations.
    model: from images in [low, high], shape (N, C, H, W), to logits (N, K).
    x: such images. y: their labels, shape (N,), int64; with targeted=True the labels to reach.
    eps: the radius of the ball, at least 0. norm: "linf" or "l2"; l2: g / ‖g‖₂ in place of the sign.
    step_size: above 0. None: 2.5 eps / steps. steps: at least 1. decay: of the momentum, at least 0.
    kernel: odd, at least 1; 1 blurs nothing.
    low, high: the ends of the valid range: 0 and 1 for images, −1 and 1 for waveforms.
    Returns x_adv: detached, in the ball and the box: per image, of all iterates, the last one included, the one of
        highest loss among those that fool, else of highest loss.
    Raises ValueError where an argument is not as said here, or y does not fit the logits, or these carry no gradient.
    Cost: steps + 1 forward and steps backward passes.

    Dong, Pang, Su, Zhu, "Evading defenses to transferable adversarial examples by translation-invariant attacks", CVPR
    2019, section 3.3 (TI-MI-FGSM). They blur by 15 of 299 pixels; our images are small.
    """
    if isinstance(kernel, bool) or not isinstance(kernel, int) or kernel < 1 or kernel % 2 == 0:
        raise ValueError(f"kernel must be an odd integer of at least 1; got {kernel!r}")
    walk = Walk(eps=eps, norm=norm, step_size=step_size, steps=steps, decay=decay, targeted=targeted,
                low=low, high=high)
    return climb_with_momentum(model, x, y, walk, smooth=partial(blur, kernel=kernel))


def blur(gradient: Tensor, kernel: int) -> Tensor:
    """Each channel convolved with a Gaussian of kernel × kernel pixels; outside of the image it is 0."""
    along = gradient.new_zeros(1)
    if kernel > 1:
        along = torch.linspace(-3, 3, kernel, dtype=gradient.dtype, device=gradient.device)
    weights = (-along.square() / 2).exp()
    weights = weights / weights.sum()
    channels = gradient.shape[1]
    for shape in ((kernel, 1), (1, kernel)):  # a Gaussian of two dimensions is one of each, in turn
        filters = weights.view(1, 1, *shape).expand(channels, 1, *shape)
        gradient = F.conv2d(gradient, filters, padding=(shape[0] // 2, shape[1] // 2), groups=channels)
    return gradient


def ensemble(models: Model | Sequence[Model], x: Tensor, y: Tensor, *, eps: float, norm: Norm = "linf",
             step_size: float | None = None, steps: int = 10, decay: float = 1.0, fuse: Fuse = "probabilities",
             weights: Sequence[float] | None = None, targeted: bool = False, low: float = 0, high: float = 1) -> Tensor:
    """One perturbation against several models at once: what fools all of them is more likely to fool one more.

        x_adv climbs  −log Σ_m w_m p_m(y | x_adv)       (targeted: goes down it), with the steps of `mim`

    models: a list of models (or one alone, which makes it `mim`), each from images in [low, high], shape (N, C, H, W),
        to logits (N, K). `Fused(models)` is the model that is attacked, for any other attack.
    x: such images. y: their labels, shape (N,), int64; with targeted=True the labels to reach.
    eps: the radius of the ball, at least 0. norm: "linf" or "l2".
    step_size: above 0. None: 2.5 eps / steps. steps: at least 1. decay: of the momentum, at least 0.
    fuse: what is averaged: "probabilities" (as above, the paper's), "logits", or "losses".
    weights: w, a number above 0 for each model. None: 1 / their count.
    low, high: the ends of the valid range: 0 and 1 for images, −1 and 1 for waveforms.
    Returns x_adv: detached, in the ball and the box: per image, of all iterates, the last one included, the one of
        highest fused loss among those that fool the fused model, else of highest fused loss.
    Raises ValueError where an argument is not as said here, or y does not fit the logits, or these carry no gradient.
    Cost: for each of the models steps + 1 forward and steps backward passes.

    Liu, Chen, Liu, Song, "Delving into transferable adversarial examples and black-box attacks", ICLR 2017, section 5;
    they use Adam and a penalty on the distance. Logits: Dong et al., "Boosting adversarial attacks with momentum", CVPR
    2018, section 3.4.
    """
    models = models if isinstance(models, (list, tuple)) else [models]
    return mim(Fused(models, weights, fuse), x, y, eps=eps, norm=norm, step_size=step_size, steps=steps, decay=decay,
               targeted=targeted, low=low, high=high)


class Fused(nn.Module):
    """Several models as one: to the logits of the weighted mean of their probabilities, logits or losses."""

    def __init__(self, models: Sequence[Model], weights: Sequence[float] | None = None, fuse: Fuse = "probabilities"):
        super().__init__()
        if not isinstance(models, (list, tuple)) or not models or not all(map(callable, models)):
            raise ValueError("models must be a list of at least one model")
        if fuse not in ("probabilities", "logits", "losses"):
            raise ValueError(f"fuse must be 'probabilities', 'logits' or 'losses'; got {fuse!r}")
        weights = [1 / len(models)] * len(models) if weights is None else list(weights)
        if len(weights) != len(models) or not all(weight > 0 for weight in weights):
            raise ValueError(f"weights must be one number above 0 for each of the {len(models)} models; got {weights}")
        self.models, self.weights, self.fuse = list(models), weights, fuse
        # so that eval() reaches them
        self.modules_among_them = nn.ModuleList(model for model in models if isinstance(model, nn.Module))

    def forward(self, x: Tensor) -> Tensor:
        logits = torch.stack([contract.at_least_float32(model(x)) for model in self.models])
        weights = logits.new_tensor(self.weights).view(-1, 1, 1)
        if self.fuse == "logits":
            return (weights * logits).sum(0)
        if self.fuse == "losses":
            return (weights * logits.log_softmax(2)).sum(0)
        return (weights.log() + logits.log_softmax(2)).logsumexp(0)


_COMMON = dict(frequency="iterative", specificity="both", scope="individual", measurement="linf, l2",
               realism="non-realistic", falsification="both", knowledge="white box", notebook="08")
CARDS = (
    AttackCard(**_COMMON, name="di_fgsm", input="random",
               method="momentum along gradients taken at randomly shrunken and shifted copies of the image",
               paper="Xie et al., 2019, arXiv:1803.06978", cost="2 steps + 1 forward and steps backward passes"),
    AttackCard(**_COMMON, name="ti_fgsm", input="non-random",
               method="momentum along blurred gradients, which stand for the mean over shifted copies of the image",
               paper="Dong et al., 2019, arXiv:1904.02884", cost="steps + 1 forward and steps backward passes"),
    AttackCard(**_COMMON, name="ensemble", input="non-random",
               method="momentum up the loss of several models' mean probability",
               paper="Liu et al., 2017, arXiv:1611.02770",
               cost="for each of the models steps + 1 forward and steps backward passes"),
)
