"""Attacks that meet transformations: robust to them (`eot`), made of them (`spatial`), and the way into the real world
(`print_photo`).

A perturbation found for one exact image is lost when the image is turned, blurred or photographed: so `eot` maximises
the expected loss over random transformations. `spatial` needs no noise at all: a rotation and a shift that the model
has not learnt are enough. `print_photo` simulates an image that is printed and photographed; gradients flow through all
of it.
"""

import itertools
import math

import torch
from torch.nn import functional as F

from advcourse.attacks.camera import print_photo
from advcourse.attacks.cards import AttackCard
from advcourse.attacks.contract import (
    Best,
    attacking,
    check,
    check_positive,
    fresh,
    generator_for,
    input_gradient,
    labels_fit,
    warn_if_flat,
)
from advcourse.attacks.geometry import normalise, project
from advcourse.attacks.losses import cross_entropy, fools
from advcourse.models.inference import predict
from advcourse.randomness import seeded

__all__ = ["CARDS", "destruction_rate", "eot", "move", "print_photo", "spatial"]

CHUNK = 512  # images in one call of the model: larger ones are no faster on a CPU and cost memory


def eot(model, x, y, *, eps, transform, norm="linf", samples=8, step_size=None, steps=60, targeted=False,
        generator=None):
    """Expectation over transformation: within the ball, the image whose random transforms fool the model most.

        x_adv <- P(x_adv + step_size · direction(∇_x  1/samples Σ_j J(model(t_j(x_adv)), y))),     t_j ~ transform

    model: from images in [0, 1], shape (N, C, H, W), to logits (N, K). x, y: such images and their labels (targeted:
    labels to reach).
    transform: the distribution; a callable from images (N, C, H, W) to images (N, ...), another one at every call,
        differentiable: any of torchvision.transforms.v2 that takes float tensors, or `print_photo`. Torchvision draws
        one transform for the whole batch. Its random numbers come from torch's global generator, which is seeded from
        `generator` meanwhile and restored.
    eps, norm: the size of the perturbation, "linf" or "l2". samples: transforms per step. step_size None: 12 eps /
    steps, falling linearly.
    Returns x_adv: of all iterates the one which fools in most of its `samples` transforms and those of the seven steps
        before; among equals, of highest loss. (A share of few samples is noisy: the best of many single ones would be
        the luckiest.)
    Costs steps · samples forward and backward passes per image.

    Athalye, Engstrom, Ilyas, Kwok, "Synthesizing robust adversarial examples", ICML 2018, section 3. The paper writes a
    Lagrangian, the distance after transformation as a penalty in LAB colours; here the perturbation has a fixed budget
    instead.
    """
    check(x, y, eps=eps, norm=norm, norms=("linf", "l2"), samples=samples, steps=steps)
    check_positive(step_size=step_size)
    if not callable(transform):
        raise ValueError(f"transform must be a callable from images to images; got {type(transform).__name__}")
    generator = generator_for(x, generator)
    x, y = fresh(x), fresh(y)
    if len(x) == 0:
        return x
    sign = -1 if targeted else 1
    best, recent, x_adv = Best(x), [], x
    with attacking(model), seeded(_seed(generator)):
        for step in range(steps):
            loss, share, gradient = _over_transforms(model, x_adv, y, transform, samples, targeted)
            if step == 0:
                warn_if_flat((gradient == 0).flatten(1).all(1))
            recent = [*recent[-7:], share]
            # Best compares a loss: the share of transforms that fool comes first, a loss squashed below one sample's
            # worth second.
            score = torch.stack(recent).mean(0) + torch.sigmoid(sign * loss) / (8 * samples)
            best.update(x_adv, score, torch.zeros_like(score, dtype=torch.bool))
            if step < steps - 1:
                size = (1 - step / steps) * (12 * eps / steps if step_size is None else step_size)
                x_adv = project(x_adv + sign * size * normalise(gradient, norm), x, eps, norm)
    return best.x_adv


def _over_transforms(model, x, y, transform, samples, targeted):
    """Means over transforms, per image: the loss (N,), the share that fools (N,), and the gradient of the loss."""
    loss, share, gradient = 0, 0, 0
    draws = max(1, min(samples, CHUNK // len(x)))
    for start in range(0, samples, draws):
        count = min(draws, samples - start)

        def views(images):
            transformed = torch.cat([transform(images) for _ in range(count)])
            if len(transformed) != count * len(x):
                raise ValueError(f"transform must return as many images as it is given, {len(x)}; got "
                                 f"{len(transformed) // count}")
            logits = model(transformed)
            labels_fit(logits, y.repeat(count))
            return logits

        logits, losses, part = input_gradient(views, x, lambda logits: cross_entropy(logits, y.repeat(count)))
        loss = loss + losses.view(count, -1).sum(0) / samples
        share = share + fools(logits, y.repeat(count), targeted).view(count, -1).to(x.dtype).sum(0) / samples
        gradient = gradient + part / samples
    return loss, share, gradient


def spatial(model, x, y, *, rotation=30.0, translation=0.1, search="grid", angles=31, shifts=5, tries=10, steps=100,
            targeted=False,
            generator=None):
    """The worst rotation and translation: no pixel noise, every image is turned about its centre and moved.

        x_adv = the move of x, |angle| <= rotation (degrees), |dx|, |dy| <= translation (of the width and height), of
        highest loss J

    model: from images in [0, 1], shape (N, C, H, W), to logits (N, K). x, y: such images and their labels (targeted:
    labels to reach). search "grid": all angles × shifts × shifts moves of an even grid (the paper's 31 × 5 × 5 by
    default: 775 forward passes per image).
        "random": the worst of `tries` random moves (the paper's "worst of 10"), the same moves for all images of the
        batch. "gradient": `steps` steps of projected gradient ascent on the three numbers, from `tries` random starts;
        step: a tenth of
            each range at first, falling linearly. The paper's finding is that this loses to the grid: the loss is far
            from concave.
    Black comes in from outside, pixels are interpolated linearly, as in the paper. The unmoved image takes part in
    every search.
    Returns x_adv, in [0, 1]: the move of highest loss among those that fool, else of highest loss.

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
    limits = x.new_tensor([rotation, translation, translation])
    sign = -1 if targeted else 1
    best = Best(x)
    with attacking(model):
        logits = predict(model, x)
        labels_fit(logits, y)
        best.update(x, sign * cross_entropy(logits, y), fools(logits, y, targeted))
        if search == "gradient":
            for start in limits * (2 * torch.rand(tries, 3, generator=generator, device=x.device, dtype=x.dtype) - 1):
                _climb(model, x, y, start.repeat(len(x), 1), limits, steps, sign, targeted, best)
            return best.x_adv
        if search == "grid":
            def axis(limit, count):
                return torch.linspace(-limit, limit, count).tolist() if count > 1 else [0.0]
            grid = itertools.product(axis(rotation, angles), axis(translation, shifts), axis(translation, shifts))
            moves = x.new_tensor(list(grid))
        else:
            moves = limits * (2 * torch.rand(tries, 3, generator=generator, device=x.device, dtype=x.dtype) - 1)
        # several moves of a small batch go through the model at once
        for chunk in moves.split(max(1, CHUNK // len(x))):
            repeated = x.repeat(len(chunk), *[1] * (x.dim() - 1))
            moved = move(repeated, chunk.repeat_interleave(len(x), 0))
            logits = predict(model, moved, CHUNK)
            labels = y.repeat(len(chunk))
            losses, fooled = sign * cross_entropy(logits, labels), fools(logits, labels, targeted)
            for part in zip(moved.split(len(x)), losses.split(len(x)), fooled.split(len(x)), strict=True):
                best.update(*part)
    return best.x_adv


def move(x, moves):
    """The images x, shape (N, C, H, W), turned counter-clockwise about their centre, then shifted; differentiable.

    moves: shape (N, 3): degrees, then right and down as fractions of the width and the height. Black comes in from
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


def _climb(model, x, y, moves, limits, steps, sign, targeted, best):
    """Projected gradient ascent on the moves, shape (N, 3); every iterate is shown to `best`."""
    for step in range(steps):
        shown = []

        def moved_logits(moves):
            shown.append(move(x, moves))
            return model(shown[-1])

        logits, losses, gradient = input_gradient(moved_logits, moves, lambda logits: cross_entropy(logits, y))
        best.update(shown[-1].detach(), sign * losses, fools(logits, y, targeted))
        # The three numbers have different units: measure each in its own range.
        direction = normalise(gradient * limits, "l2") * limits
        moves = torch.clamp(moves + sign * 0.1 * (1 - step / steps) * direction, -limits, limits)


def destruction_rate(model, x, x_adv, y, transform, *, draws=1, generator=None):
    """Kurakin's destruction rate: the share of adversarial images that a transform makes harmless again, in [0, 1].

        d = Σ C(x, y) ¬C(x_adv, y) C(t(x_adv), y) / Σ C(x, y) ¬C(x_adv, y),        C(x, y) = 1 where the model is right

    transform: as for `eot`; d is the mean over `draws` of it. nan where there is no adversarial image of a correctly
    classified one. Kurakin, Goodfellow, Bengio, "Adversarial examples in the physical world", 2017, equation 1.
    """
    check(x, y, draws=draws)
    check(x_adv, y)
    seed = _seed(generator_for(x, generator))
    def right(images):
        return predict(model, images).argmax(1) == y
    with torch.no_grad(), seeded(seed):
        adversarial = right(x) & ~right(x_adv)
        saved = sum((adversarial & right(transform(x_adv))).sum() for _ in range(draws)) / draws
    return (saved / adversarial.sum()).item()


def _seed(generator):
    """A seed for torch's global generators, drawn from ours."""
    return torch.randint(2**31, (), generator=generator, device=generator.device).item()


CARDS = (
    AttackCard(
        name="eot", input="random", frequency="iterative", specificity="both", scope="individual",
        measurement="linf, l2",
        realism="realistic", falsification="both", knowledge="white box",
        method="gradient ascent on the expected loss over random transformations",
        paper="Athalye et al., 2018, arXiv:1707.07397", cost="steps · samples forward and backward passes per image",
    ),
    AttackCard(
        name="spatial", input="random", frequency="iterative", specificity="both", scope="individual",
        measurement="degrees of rotation, fraction of the image's size in translation",
        realism="realistic", falsification="both", knowledge="white box",
        method="the worst of a grid, of random draws (both need scores only) or of gradient ascent over rotations and "
               "translations",
        paper="Engstrom et al., 2019, arXiv:1712.02779",
        cost="grid: 1 + angles · shifts² forward passes per image; random: 1 + tries; gradient (white box): tries · "
             "steps forward and backward",
    ),
)
