"""Attacks that imitate another image: its hidden features (`feature_adversary`), or its look (`towards_image`).

A network sees an image as the activations of its layers, and two images that look different can be made the same to it.
`feature_adversary` stays close to x and takes on the guide's features. `towards_image` is the mirror image: it walks as
close as it can to a given picture while the model still sees the class that was asked for.
"""

import math
from functools import partial

import torch
from torch import Tensor, nn

from advcourse.attacks.cards import AttackCard
from advcourse.attacks.contract import (
    Model,
    Nearest,
    attacking,
    check,
    check_positive,
    check_range,
    fresh,
    input_gradient,
    labels_fit,
)
from advcourse.attacks.geometry import distance, normalise, per_example, project
from advcourse.attacks.losses import fools, margin


def feature_adversary(model: Model, x: Tensor, guide: Tensor, *, eps: float, layer: str | nn.Module | None = None,
                      step_size: float | None = None, steps: int = 100, low: float = 0, high: float = 1) -> Tensor:
    """The image within eps of x, in linf, whose hidden features are nearest to those of a guide image.

        x_adv = argmin_z ‖φ(z) − φ(guide)‖₂²,   ‖z − x‖_∞ <= eps,   z in [low, high],    φ: the output of `layer`
        g ← 0.75 g + ∇ / ‖∇‖₂,   z ← Π(z − step_size_k · sign(g)),   step_size_k = step_size (1 + cos(π k / steps)) / 2

    model: from images in [low, high], shape (N, ...), to a tensor with first axis N; an nn.Module, or with layer=None
        any callable.
    x: such images, float32 or float64; guide: one image for each, of the shape, dtype and device of x.
    eps: the radius of the ball, at least 0.
    layer: a submodule of the model or its name, as in model.named_modules(); None: the model's own output is φ.
    step_size: of the first step, above 0; None: eps / 2. steps: how many, at least 1.
    low, high: the ends of the valid range: 0 and 1 for images, −1 and 1 for waveforms.
    Returns x_adv in [low, high], shape of x, detached, within eps of x: of the iterates the one nearest to the guide's
    features.
    Raises ValueError for other arguments than these; NoGradientError, a ValueError, where φ carries no gradient to x.
    Cost: 1 + steps forward and steps backward passes per image, and one forward pass for its guide.

    Sabour, Cao, Faghri, Fleet, "Adversarial manipulation of deep representations", ICLR 2016, equations 1 and 2. What
    differs: the paper uses L-BFGS-B, one image at a time; projected sign steps need no line search, and so all images
    of the batch can go together.
    """
    box = check(x, eps=eps, low=low, high=high, steps=steps)
    check_positive(step_size=step_size)
    _check_image("guide", guide, x, box)
    x, guide = fresh(x), fresh(guide)
    if len(x) == 0:
        return x
    nearest, x_adv, momentum = Nearest(x), x, torch.zeros_like(x)  # in the distance of features
    with attacking(_Features(model, layer)) as ask:
        with torch.no_grad():
            wanted = ask(guide)
        for step in range(steps):
            # A loss is called with the model's output, here φ.
            _, size, gradient = input_gradient(ask, x_adv, partial(_squared_distance, wanted=wanted))
            nearest.update(x_adv, size)
            momentum = 0.75 * momentum + normalise(gradient, "l2")
            reach = (eps / 2 if step_size is None else step_size) * (1 + math.cos(math.pi * step / steps)) / 2
            x_adv = project(x_adv - reach * momentum.sign(), x, eps, "linf", box)
        with torch.no_grad():
            nearest.update(x_adv, _squared_distance(ask(x_adv), wanted))
    return nearest.x_adv


def _squared_distance(found, wanted):
    return (found - wanted).square().sum(1)


def feature_distance(model: Model, x: Tensor, guide: Tensor, *, layer: str | nn.Module | None = None) -> Tensor:
    """‖φ(x) − φ(guide)‖₂ per pair of images, shape (N,); φ: the output of `layer`, as for `feature_adversary`."""
    with attacking(_Features(model, layer)) as ask, torch.no_grad():
        return (ask(x) - ask(guide)).norm(dim=1)


class _Features(nn.Module):
    """From images to the layer's output, flattened to shape (N, D); layer None: to the model's own output."""

    def __init__(self, model, layer):
        super().__init__()
        self.model, self.layer = model, None
        if layer is None:
            return
        modules = dict(model.named_modules()) if isinstance(model, nn.Module) else {}
        self.layer = modules.get(layer) if isinstance(layer, str) else layer
        if not any(self.layer is known for known in modules.values()):
            raise ValueError("layer must be a submodule of the model or the name of one "
                             f"({', '.join(filter(None, modules)) or 'it has none'}); got {layer!r}")

    def forward(self, images):
        if self.layer is None:
            return self.model(images).flatten(1)
        caught = []
        def catch(module, inputs, output):
            caught.append(output.flatten(1).clone())  # a ReLU(inplace=True) that follows may write over the output
        handle = self.layer.register_forward_hook(catch)
        try:
            self.model(images)
        finally:
            handle.remove()
        return caught[-1]


def towards_image(model: Model, x: Tensor, y: Tensor, *, image: Tensor, step_size: float = 1.0, steps: int = 100,
                  shrink: float = 0.08, low: float = 0, high: float = 1) -> Tensor:
    """A realistic adversarial input: as close to a given picture as possible, yet of class y to the model.

        min_z ‖z − image‖₂   subject to   argmax model(z) = y,   z in [low, high]

        z ← z + step_size · h_k · ∇m / ‖∇m‖₂                  m = z_y − max_{k≠y} z_k, the margin of the logits
        r ← r · (1 − shrink · h_k)  where the model sees y,  else  r · (1 + shrink · h_k)
        z ← clip(image + r · (z − image) / ‖z − image‖₂)      h_k = 0.01 + 0.99 (1 + cos(π k / steps)) / 2
        r_0 = max(‖x − image‖₂, step_size);   r is at most max(‖x − image‖₂, 10 step_size)

    model: from images in [low, high], shape (N, ...), to logits, shape (N, K).
    x: where to start, images, float32 or float64: noise, grey, or pictures of class y.
    y: the class to be seen, shape (N,), int64.
    image: the pictures to come close to, in [low, high], of the shape, dtype and device of x.
    step_size: of the first step, in l2, so that large images need a larger one, above 0; steps: how many, at least 1.
    shrink: by what share the sphere around the image shrinks or grows in the first step, between 0 and 1.
    low, high: the ends of the valid range: 0 and 1 for images, −1 and 1 for waveforms.
    Returns x_adv in [low, high], shape of x, detached: the nearest to `image` of all the inputs that the model saw as
    y, `image` itself among them; x where there was none.
    Raises ValueError for other arguments than these; NoGradientError, a ValueError, for logits without a gradient to x.
    Cost: 2 + steps forward and steps backward passes per image.

    The "realistic output" of the course's taxonomy. The method is that of DDN: Rony, Hafemann, Oliveira, Ben Ayed,
    Sabourin, Granger, "Decoupling direction and norm", CVPR 2019, algorithm 1, around a picture that is not the start,
    with the margin as its loss.
    """
    box = check(x, y, low=low, high=high, steps=steps)
    check_positive(step_size=step_size, shrink=shrink)
    if shrink >= 1:
        raise ValueError(f"shrink must be below 1; got {shrink!r}")
    _check_image("image", image, x, box)
    x, y, image = fresh(x), fresh(y), fresh(image)
    if len(x) == 0:
        return x
    nearest = Nearest(x)

    def keep(z, logits):
        seen = fools(logits, y, targeted=True)
        nearest.update(z, distance(z, image, "l2"), seen)
        return seen

    with attacking(model) as ask, torch.no_grad():
        logits = ask(image)
        labels_fit(logits, y)
        keep(image, logits)
        z, start = x, distance(x, image, "l2")
        radius = start.clamp_min(step_size)
        for step in range(steps):
            with torch.enable_grad():
                logits, _, gradient = input_gradient(ask, z, partial(margin, y=y))
            seen = keep(z, logits)
            decay = 0.01 + 0.99 * (1 + math.cos(math.pi * step / steps)) / 2
            z = z + decay * step_size * normalise(gradient, "l2")
            radius = torch.where(seen, (1 - decay * shrink) * radius, (1 + decay * shrink) * radius)
            radius = torch.minimum(radius, start.clamp_min(10 * step_size))
            apart = distance(z, image, "l2").clamp_min(torch.finfo(x.dtype).tiny)
            z = (image + per_example(radius / apart, x) * (z - image)).clamp(*box)
        keep(z, ask(z))
    return nearest.x_adv


def _check_image(name, image, x, box):
    if not isinstance(image, Tensor):
        given = type(image).__name__
    elif image.shape != x.shape or image.dtype != x.dtype or image.device != x.device:
        given = f"{image.dtype} of shape {tuple(image.shape)} on {image.device}"
    else:
        return check_range(name, image, box)
    raise ValueError(f"{name} must hold one image per image of x: "
                     f"{x.dtype} of shape {tuple(x.shape)} on {x.device}; got {given}")


CARDS = (
    AttackCard(
        notebook="04",
        name="feature_adversary", input="non-random", frequency="iterative", specificity="targeted", scope="individual",
        measurement="linf", realism="non-realistic", falsification="both", knowledge="white box",
        method="gradient descent on the distance between the hidden features of the image and those of a guide",
        paper="Sabour et al., 2016, arXiv:1511.05122", cost="1 + steps forward and steps backward passes per image",
    ),
    AttackCard(
        notebook="07",
        name="towards_image", input="non-random", frequency="iterative", specificity="targeted", scope="individual",
        measurement="l2 distance to a given picture", realism="realistic", falsification="both", knowledge="white box",
        method="a sphere around a given picture that shrinks while the model sees the wanted class",
        paper="after Rony et al., 2019, arXiv:1811.09600", cost="2 + steps forward and steps backward passes per image",
    ),
)
