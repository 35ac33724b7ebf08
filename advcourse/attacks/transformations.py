"""Attacks that meet transformations: robust to them, made of them, and on their way through a camera.

A perturbation found for one exact image is lost when the image is turned, blurred or photographed: so `eot` maximises
the expected loss over random transformations. `spatial` needs no noise at all: a rotation and a shift that the model
has not learnt are enough. `print_photo` simulates an image that is printed and photographed; gradients flow through all
of it.
"""

import itertools
import math
from collections.abc import Callable
from functools import partial
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from advcourse.attacks.camera import print_photo
from advcourse.attacks.cards import AttackCard
from advcourse.attacks.contract import (
    Best,
    Model,
    Norm,
    at_least_float32,
    attacking,
    check,
    check_positive,
    fresh,
    generator_for,
    input_gradient,
    labels_fit,
    radii,
    warn_if_flat,
)
from advcourse.attacks.geometry import normalise, project
from advcourse.attacks.gradient import is_flat
from advcourse.attacks.losses import cross_entropy, fools
from advcourse.models.inference import IMAGES_AT_ONCE, predict
from advcourse.randomness import seed_from, seeded

__all__ = ["CARDS", "destruction_rate", "eot", "move", "print_photo", "spatial"]


def eot(model: Model, x: Tensor, y: Tensor, *, eps: float | Tensor, transform: Callable[[Tensor], Tensor],
        norm: Norm = "linf", samples: int = 8, step_size: float | None = None, steps: int = 60, targeted: bool = False,
        low: float = 0, high: float = 1, generator: torch.Generator | None = None) -> Tensor:
    """Expectation over transformation: within the ball, the image whose random transforms fool the model most.

        x_adv <- P(x_adv + step_size · direction(∇_x  1/samples Σ_j J(model(t_j(x_adv)), y))),     t_j ~ transform
                                                                                                (targeted: minus)

    direction: the sign (linf) or gradient / ‖gradient‖₂ (l2).
    model: from images in [low, high], shape (N, C, H, W), to logits (N, K).
    x: such images. y: their labels, shape (N,), int64; with targeted=True the labels to reach.
    eps: the radius of the ball, at least 0; in linf also a tensor that broadcasts to x, a radius for every value: 0
        where nothing may change. norm: "linf" or "l2".
    transform: the distribution; a callable from images (N, C, H, W) to images (N, ...), another one at every call,
        differentiable: any of torchvision.transforms.v2 that takes float tensors, or `print_photo`. Torchvision draws
        one transform for the whole batch. Its random numbers come from torch's global generator, which is seeded from
        `generator` meanwhile and restored.
    samples: transforms per step, at least 1. steps: at least 1.
    step_size: of the first step, above 0; it falls linearly. None: 12 eps / steps.
    low, high: the ends of the valid range: 0 and 1 for images, −1 and 1 for waveforms.
    generator: on x's device. None: a fresh one of seed 0, the same numbers in every call.
    Returns x_adv: detached, in the ball and the box: of all iterates the one which fools in most of its `samples`
        transforms and those of the seven steps before; among equals, of highest loss. (A share of few samples is noisy:
        the best of many single ones would be the luckiest.)
    Raises ValueError where an argument is not as said here, or y does not fit the logits, or these carry no gradient.
    Cost: steps · samples forward and backward passes per image.

    Athalye, Engstrom, Ilyas, Kwok, "Synthesizing robust adversarial examples", ICML 2018, section 3. The paper writes a
    Lagrangian, the distance after transformation as a penalty in LAB colours; here the perturbation has a fixed budget
    instead.
    """
    box = check(x, y, norm=norm, norms=("linf", "l2"), low=low, high=high, samples=samples, steps=steps)
    eps = radii(eps, x, norm)
    check_positive(step_size=step_size)
    if not callable(transform):
        raise ValueError(f"transform must be a callable from images to images; got {type(transform).__name__}")
    generator = generator_for(x, generator)
    x, y = fresh(x), fresh(y)
    if len(x) == 0:
        return x
    sign = -1 if targeted else 1
    best, recent, x_adv = Best(x), [], x
    with attacking(model) as ask, seeded(seed_from(generator)):
        for step in range(steps):
            loss, share, gradient = _over_transforms(ask, x_adv, y, transform=transform, samples=samples,
                                                     targeted=targeted)
            if step == 0:
                warn_if_flat(is_flat(gradient))
            # Best compares a loss: the share of transforms that fool comes first, a loss squashed below one sample's
            # worth second.
            recent = [*recent[-7:], share]
            score = torch.stack(recent).mean(0) + torch.sigmoid(sign * loss) / (8 * samples)
            best.update(x_adv, score, torch.zeros_like(score, dtype=torch.bool))
            if step < steps - 1:
                size = (1 - step / steps) * (12 * eps / steps if step_size is None else step_size)
                x_adv = project(x_adv + sign * size * normalise(gradient, norm), x, eps, norm, box)
    return best.x_adv


def _over_transforms(ask, x, y, *, transform, samples, targeted):
    """Means over transforms, per image: the loss (N,), the share that fools (N,), and the gradient of the loss."""
    loss, share, gradient = 0, 0, 0
    at_once = max(1, min(samples, IMAGES_AT_ONCE // len(x)))
    for start in range(0, samples, at_once):
        labels = y.repeat(min(at_once, samples - start))
        logits, losses, part = input_gradient(partial(_logits_of_transforms, ask, transform, labels=labels), x,
                                              partial(cross_entropy, y=labels))
        loss = loss + losses.view(-1, len(x)).sum(0) / samples
        share = share + fools(logits, labels, targeted).view(-1, len(x)).to(x.dtype).sum(0) / samples
        gradient = gradient + part / samples
    return loss, share, gradient


def _logits_of_transforms(ask, transform, images, *, labels):
    """The logits of as many transforms of the images as there are labels for, one after the other."""
    transformed = [transform(images) for _ in range(len(labels) // len(images))]
    for moved in transformed:
        if len(moved) != len(images):
            raise ValueError(f"transform must return as many images as it is given, {len(images)}; got {len(moved)}")
    logits = ask(torch.cat(transformed))
    labels_fit(logits, labels)
    return logits


def spatial(model: Model, x: Tensor, y: Tensor, *, rotation: float = 30.0, translation: float = 0.1,
            search: Literal["grid", "random", "gradient"] = "grid", angles: int = 31, shifts: int = 5, tries: int = 10,
            steps: int = 100, targeted: bool = False, generator: torch.Generator | None = None) -> Tensor:
    """The worst rotation and translation: no pixel noise, every image is turned about its centre and moved.

        x_adv = the move of x, |angle| <= rotation, |dx|, |dy| <= translation, of highest loss J    (targeted: lowest)

    Black comes in from outside, pixels are interpolated linearly, as in the paper.
    model: from images in [0, 1], shape (N, C, H, W), to logits (N, K).
    x: such images. y: their labels, shape (N,), int64; with targeted=True the labels to reach.
    rotation: in degrees, 0 to 180. translation: a share of the width and of the height, 0 to 1.
    search: "grid": all angles × shifts × shifts moves of an even grid.
        "random": the worst of `tries` random moves (the paper's "worst of 10"), the same for all images of the batch.
        "gradient": `steps` steps of projected gradient ascent on the three numbers, from `tries` random starts; a step
            is a tenth of each range at first, falling linearly. The paper's finding is that this loses to the grid: the
            loss is far from concave.
    angles, shifts: of the grid, at least 1; the paper's by default. tries, steps: at least 1.
    generator: of the random moves, on x's device. None: a fresh one of seed 0, the same numbers in every call.
    Returns x_adv: detached, in [0, 1]: of all moves, the unmoved image included, the one of highest loss among those
        that fool, else of highest loss.
    Raises ValueError where an argument is not as said here, or y does not fit the logits, or "gradient" finds none.
    Cost: grid: 1 + angles · shifts² forward passes per image; random: 1 + tries; gradient: 1 + tries · steps forward
        and tries · steps backward.

    Engstrom, Tran, Tsipras, Schmidt, Madry, "Exploring the landscape of spatial robustness", ICML 2019, sections 3 and
    4.
    """
    check(x, y, angles=angles, shifts=shifts, tries=tries, steps=steps)
    for name, value, largest in (("rotation", rotation, 180), ("translation", translation, 1)):
        if not (isinstance(value, (int, float)) and 0 <= value <= largest):
            raise ValueError(f"{name} must be a number in [0, {largest}]; got {value!r}")
    if search not in ("grid", "random", "gradient"):
        raise ValueError(f"search must be 'grid', 'random' or 'gradient'; got {search!r}")
    if x.dim() != 4:
        raise ValueError("x must be images of shape (N, channels, height, width) to be rotated; got shape "
                         f"{tuple(x.shape)}")
    generator = generator_for(x, generator)
    x, y = fresh(x), fresh(y)
    if len(x) == 0:
        return x
    limits, best, sign = x.new_tensor([rotation, translation, translation]), Best(x), -1 if targeted else 1
    if search == "grid":
        moves = x.new_tensor(_grid((rotation, translation, translation), (angles, shifts, shifts)))
    else:
        moves = limits * (2 * torch.rand(tries, 3, generator=generator, device=x.device, dtype=x.dtype) - 1)
    with attacking(model) as ask:
        with torch.no_grad():
            logits = at_least_float32(ask(x))
        labels_fit(logits, y)
        best.update(x, sign * cross_entropy(logits, y), fools(logits, y, targeted))
        if search == "gradient":
            for start in moves:
                _climb_moves(ask, x, y, start=start, limits=limits, steps=steps, targeted=targeted, best=best)
        else:
            _try_moves(ask, x, y, moves=moves, targeted=targeted, best=best)
    return best.x_adv


def _grid(limits, counts):
    """All moves of an even grid, a list of tuples; an axis of one point stays at 0."""
    axes = [torch.linspace(-limit, limit, count).tolist() if count > 1 else [0.0]
            for limit, count in zip(limits, counts, strict=True)]
    return list(itertools.product(*axes))


@torch.no_grad()
def _try_moves(ask, x, y, *, moves, targeted, best):
    """Show every move of every image to `best`; of a small batch several moves go through the model at once."""
    for some in moves.split(max(1, IMAGES_AT_ONCE // len(x))):
        moved = move(x.repeat(len(some), 1, 1, 1), some.repeat_interleave(len(x), 0))
        logits, labels = at_least_float32(ask(moved)), y.repeat(len(some))
        losses = cross_entropy(logits, labels) * (-1 if targeted else 1)
        parts = (part.split(len(x)) for part in (moved, losses, fools(logits, labels, targeted)))
        for one_move in zip(*parts, strict=True):
            best.update(*one_move)


def _climb_moves(ask, x, y, *, start, limits, steps, targeted, best):
    """Projected gradient ascent on each image's move, from `start`, shape (3,); every iterate is shown to `best`."""
    moves, moved, sign = start.repeat(len(x), 1), x, -1 if targeted else 1

    def logits_of(moves):
        nonlocal moved
        moved = move(x, moves)
        return ask(moved)

    for step in range(steps):
        logits, losses, gradient = input_gradient(logits_of, moves, partial(cross_entropy, y=y))
        best.update(moved.detach(), sign * losses, fools(logits, y, targeted))
        # The three numbers have different units: measure each in its own range.
        direction = normalise(gradient * limits, "l2") * limits
        moves = torch.clamp(moves + sign * 0.1 * (1 - step / steps) * direction, -limits, limits)


def move(x: Tensor, moves: Tensor) -> Tensor:
    """The images x, shape (N, C, H, W), turned counter-clockwise about their centre, then shifted; differentiable.

    moves: shape (N, 3): degrees, then right and down as shares of the width and the height. Black comes in from
        outside.
    """
    angle, right, down = moves.to(x.dtype).unbind(1)
    angle = angle * (math.pi / 180)
    cos, sin, ratio = angle.cos(), angle.sin(), x.shape[2] / x.shape[3]
    # grid_sample wants the way back, from each pixel of the result to its source, in coordinates from -1 to 1.
    right, down = 2 * right, 2 * down
    back = torch.stack([cos, -sin * ratio, -cos * right + sin * ratio * down, sin / ratio, cos,
                        -sin / ratio * right - cos * down], 1)
    grid = F.affine_grid(back.view(-1, 2, 3), list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, mode="bilinear", padding_mode="zeros", align_corners=False).clamp(0, 1)


def destruction_rate(model: Model, x: Tensor, x_adv: Tensor, y: Tensor, transform: Callable[[Tensor], Tensor], *,
                     draws: int = 1, generator: torch.Generator | None = None) -> float:
    """Kurakin's destruction rate: the share of adversarial images that a transform makes harmless again, in [0, 1].

        d = Σ C(x, y) ¬C(x_adv, y) C(t(x_adv), y) / Σ C(x, y) ¬C(x_adv, y),        C(x, y) = 1 where the model is right

    model: from images in [0, 1], shape (N, C, H, W), to logits (N, K).
    x, x_adv: clean images and their adversarial examples. y: the true labels, shape (N,), int64.
    transform: from images to images, random as for `eot`. draws: how many of it d is the mean over, at least 1.
    generator: of the transforms, on x's device. None: a fresh one of seed 0, the same numbers in every call.
    Returns d; nan where there is no adversarial image of a correctly classified one.
    Raises ValueError where an argument is not as said here.
    Cost: 2 + draws forward passes per image.

    Kurakin, Goodfellow, Bengio, "Adversarial examples in the physical world", 2017, equation 1.
    """
    check(x, y, draws=draws)
    check(x_adv, y)
    seed = seed_from(generator_for(x, generator))

    def right(images):
        return predict(model, images).argmax(1) == y

    with torch.no_grad(), seeded(seed):
        adversarial = right(x) & ~right(x_adv)
        saved = sum((adversarial & right(transform(x_adv))).sum() for _ in range(draws)) / draws
    return (saved / adversarial.sum()).item()


CARDS = (
    AttackCard(
        name="eot", input="random", frequency="iterative", specificity="both", scope="individual",
        measurement="linf, l2", realism="realistic", falsification="both", knowledge="white box",
        method="gradient ascent on the expected loss over random transformations",
        paper="Athalye et al., 2018, arXiv:1707.07397", cost="steps · samples forward and backward passes per image",
        notebook="06",
    ),
    AttackCard(
        name="spatial", input="random", frequency="iterative", specificity="both", scope="individual",
        measurement="degrees of rotation, fraction of the image's size in translation",
        realism="realistic", falsification="both", knowledge="white box",
        method="the worst of a grid, of random draws (both need scores "
               "only) or of gradient ascent over rotations and translations",
        paper="Engstrom et al., 2019, arXiv:1712.02779",
        cost="grid: 1 + angles · shifts² forward passes per image; random: 1 + tries; gradient (white box): tries · "
             "steps forward and backward",
        notebook="02",
    ),
)
