"""Adversarial patches: a pattern of unlimited strength on few pixels, the same for all images, to print and wear.

The pattern may look as it likes, but only inside a mask: a sticker anywhere in the picture, or the frame of a pair of
glasses. It is trained over many images and over random places, angles and sizes at once, so that it works wherever it
lands. Unlike other attacks `patch` therefore returns the pattern, which has the shape of one image; `apply_patch` puts
it on.
"""

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor

from advcourse.attacks.cards import AttackCard
from advcourse.attacks.contract import (
    Model,
    attacking,
    check,
    check_positive,
    fresh,
    generator_for,
    input_gradient,
    labels_fit,
)
from advcourse.attacks.losses import cross_entropy, fools
from advcourse.randomness import seed_from, seeded


def patch(model: Model, x: Tensor, y: Tensor, *, mask: Tensor, place: Callable[[Tensor], Tensor] | None = None,
          steps: int = 200, batch_size: int = 64, places: int = 8, step_size: float = 0.1, targeted: bool = False,
          generator: torch.Generator | None = None) -> Tensor:
    """One pattern that fools the model on the images x when it covers the mask, wherever `place` moves it.

        p* = argmax_p  E_{x, t} [ J(model(A(p, x, t)), y) ],     A(p, x, t) = (1 − t(m)) · x + t(m) · t(p)
                       (targeted: argmin)

    model: from images in [0, 1], shape (N, C, H, W), to logits (N, K).
    x: such images; a single one gives a patch for this image.
    y: their labels, shape (N,), int64; with targeted=True the labels to reach: one class for all is Brown's patch,
        "toaster".
    mask: m, shape (H, W), bool or in [0, 1]: where the pattern covers the image, such as `glasses_mask(x.shape[1:])`.
    place: the location distribution; a random transform that takes pattern and mask together, as an image of C + 1
        channels, and fills with 0: any affine one of torchvision.transforms.v2. None: the patch stays where the mask
        is. Its random numbers come from torch's global generator, which is seeded from `generator` meanwhile and
        restored.
    steps: of Adam on the pattern, which starts at grey and is kept in [0, 1]; at least 1.
    batch_size: images drawn for each step, at least 1. places: placements that they share, at least 1.
    step_size: Adam's, above 0, falling along a straight line to 0.
    generator: on x's device. None: a fresh one of seed 0, the same numbers in every call.
    Returns the pattern, shape (C, H, W), in [0, 1], 0 outside the mask: of those after every 20th step the one that
        fooled most in the 20 steps before.
    Raises ValueError where an argument is not as said here, or y does not fit the logits, or these carry no gradient.
    Cost: steps · batch_size forward and backward passes in all.

    Brown, Mané, Roy, Abadi, Gilmer, "Adversarial patch", 2017, section 2. Sharif, Bhagavatula, Bauer, Reiter,
    "Accessorize to a crime", CCS 2016, for glasses; their terms for smoothness and printable colours are left out.
    """
    check(x, y, steps=steps, batch_size=batch_size, places=places)
    check_positive(step_size=step_size)
    if x.dim() != 4:
        raise ValueError(f"x must be images of shape (N, channels, height, width); got shape {tuple(x.shape)}")
    mask = fresh(_check_mask(mask, x))
    generator = generator_for(x, generator)
    x, y = fresh(x), fresh(y)
    pattern = fresh(0.5 * mask.expand(1, *x.shape[1:]).ceil())
    if len(x) == 0:
        return pattern[0]
    sign = 1 if targeted else -1
    average, square = fresh(torch.zeros_like(pattern)), fresh(torch.zeros_like(pattern))
    best, best_rate, rates = pattern, -1.0, []
    put_on = partial(apply_patch, mask=mask, place=place, places=places)
    with attacking(model) as ask, seeded(seed_from(generator)):
        for step in range(steps):
            chosen = torch.randint(len(x), (batch_size,), generator=generator, device=x.device)
            labels = y[chosen]
            logits, _, gradient = input_gradient(partial(_logits_under, ask, put_on, x[chosen], labels), pattern,
                                                 partial(cross_entropy, y=labels))
            rates.append(fools(logits, labels, targeted).double().mean())
            if step % 20 == 19 or step == steps - 1:
                rate = torch.stack(rates[-20:]).mean().item()
                best, best_rate = (pattern, rate) if rate > best_rate else (best, best_rate)
            # Adam, written out: the mean and the mean square of the gradient, each corrected for its start at 0.
            average, square = 0.9 * average + 0.1 * gradient, 0.999 * square + 0.001 * gradient.square()
            change = (average / (1 - 0.9 ** (step + 1))) / ((square / (1 - 0.999 ** (step + 1))).sqrt() + 1e-12)
            pattern = (pattern - sign * step_size * (1 - step / steps) * change).clamp(0, 1) * mask.ceil()
    return best[0].detach()


def _logits_under(ask, put_on, images, labels, pattern):
    logits = ask(put_on(images, pattern[0]))
    labels_fit(logits, labels)
    return logits


def apply_patch(x: Tensor, pattern: Tensor, mask: Tensor, *, place: Callable[[Tensor], Tensor] | None = None,
                places: int | None = None) -> Tensor:
    """The images x with the pattern on them: (1 − t(m)) · x + t(m) · t(p), in [0, 1]; differentiable.

    x: shape (N, C, H, W). pattern: p, shape (C, H, W). mask: m, shape (H, W), bool or in [0, 1].
    place: t, as for `patch`, drawn anew `places` times, each for an equal share of the images; None draws for each
        image. Random numbers come from torch's global generator, as always in torchvision.
    Raises ValueError where the shapes do not fit.
    """
    mask = _check_mask(mask, x)
    if pattern.shape != x.shape[1:]:
        raise ValueError(f"pattern must have the shape of one image, {tuple(x.shape[1:])}; got {tuple(pattern.shape)}")
    if len(x) == 0:
        return x.clone()
    # The pattern times the mask: after interpolation its rim is weighted once, not twice.
    sticker = torch.cat([pattern[None] * mask, mask[None, None]], 1)
    if place is None:
        stickers = sticker
    else:
        count = min(len(x), places or len(x))
        placed = torch.cat([place(sticker) for _ in range(count)])
        stickers = placed.repeat_interleave(-(-len(x) // count), 0)[:len(x)]
    covered = stickers[:, -1:].clamp(0, 1)
    return ((1 - covered) * x + stickers[:, :-1]).clamp(0, 1)


def glasses_mask(shape: Sequence[int]) -> Tensor:
    """The frame of a pair of glasses, about 6 % of the image, for a face that fills it: bool, shape (H, W).

    shape: that of an image, (C, H, W) or (H, W). True where the frame is: two oval rims at a third of the way down, the
    bridge between, the temples outside.
    """
    height, width = shape[-2:]
    if height < 16 or width < 16:
        raise ValueError(f"glasses need images of at least 16 × 16 pixels; got {height} × {width}")
    down = ((torch.arange(height) + 0.5) / height)[:, None]
    across = (torch.arange(width) + 0.5) / width
    across = torch.minimum(across, across.flip(0))  # both halves are the same, to the last pixel
    half_thick = 0.0165 + 0.05 / max(height, width)  # a thin line still has to be drawn with whole pixels
    radius = (((across - 0.30) / 0.145) ** 2 + ((down - 0.38) / 0.105) ** 2).sqrt()
    rims = (radius - 1).abs() * 0.125 < half_thick
    level = (down - 0.36).abs() < half_thick
    bridge, temples = level & (across > 0.44), level & (across > 0.06) & (across < 0.16)
    return rims | bridge | temples


def _check_mask(mask, x):
    """The mask as numbers of x's kind, shape (H, W)."""
    if not isinstance(mask, torch.Tensor) or mask.shape != x.shape[2:]:
        given = f"shape {tuple(mask.shape)}" if isinstance(mask, torch.Tensor) else type(mask).__name__
        raise ValueError(f"mask must have the height and width of the images, {tuple(x.shape[2:])}; got {given}")
    mask = mask.to(x)
    if mask.numel() and not (mask.min() >= 0 and mask.max() <= 1):
        raise ValueError(f"mask must be bool or lie in [0, 1]; got values from {mask.min():.3g} to {mask.max():.3g}")
    return mask


CARDS = (
    AttackCard(
        name="patch", input="random", frequency="iterative", specificity="both", scope="universal",
        measurement="the pixels of a mask, of unlimited change", realism="realistic", falsification="both",
        knowledge="white box",
        method="Adam on one pattern over random images and random places",
        paper="Brown et al., 2017, arXiv:1712.09665; Sharif et al., 2016, doi:10.1145/2976749.2978392",
        cost="steps · batch_size forward and backward passes in all", notebook="06",
    ),
)
