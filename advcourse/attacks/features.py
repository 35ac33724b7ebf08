"""Attacks that imitate: the hidden features of another image (`feature_adversary`), or the look of another image
(`towards_image`).

A network sees an image as the activations of its layers, and two images that look different can be made the same to it.
`feature_adversary` stays close to x and takes on the guide's features. `towards_image` is the mirror image: it walks as
close as it can to a given picture while the model still sees the class that was asked for.
"""

import math

import torch
from torch import nn

from advcourse.attacks.cards import AttackCard
from advcourse.attacks.contract import Best, attacking, check, check_positive, fresh, input_gradient, labels_fit
from advcourse.attacks.geometry import distance, normalise, per_example, project
from advcourse.attacks.losses import fools, margin


def feature_adversary(model, x, guide, *, eps, layer=None, step_size=None, steps=100):
    """The image within eps of x, in linf, whose hidden features are nearest to those of a guide image.

        x_adv = argmin_z ‖φ(z) − φ(guide)‖₂²,   ‖z − x‖_∞ <= eps,   z in [0, 1],        φ: the output of `layer`

    model: an nn.Module, or with layer=None any callable. x: images in [0, 1], shape (N, ...). guide: one image for
    each, same shape.
    layer: a submodule of the model or its name, as in model.named_modules(); its output is φ. None: the model's own
    output.
    step_size None: eps / 2. Sign steps with momentum 0.75, falling along half a cosine to 0.
    Returns x_adv, in [0, 1], within eps of x: of the iterates the one nearest to the guide's features.
    Costs 1 + steps forward and steps backward passes per image.

    Sabour, Cao, Faghri, Fleet, "Adversarial manipulation of deep representations", ICLR 2016, equations 1 and 2. The
    paper uses L-BFGS-B, one image at a time; projected sign steps need no line search and so all images of the batch
    can go together.
    """
    check(x, eps=eps, steps=steps)
    check_positive(step_size=step_size)
    _check_image("guide", guide, x)
    x, guide = fresh(x), fresh(guide)
    if len(x) == 0:
        return x
    best, x_adv, momentum = Best(x), x, torch.zeros_like(x)
    with attacking(model):
        features = _features_of(model, layer)
        with torch.no_grad():
            wanted = features(guide)
        for step in range(steps):
            # input_gradient calls a loss with the model's output; here the output is φ.
            _, losses, gradient = input_gradient(features, x_adv, lambda found: (found - wanted).square().sum(1))
            best.update(x_adv, -losses, torch.zeros_like(losses, dtype=torch.bool))
            momentum = 0.75 * momentum + normalise(gradient, "l2")
            size = (eps / 2 if step_size is None else step_size) * (1 + math.cos(math.pi * step / steps)) / 2
            x_adv = project(x_adv - size * momentum.sign(), x, eps, "linf")
        with torch.no_grad():
            losses = (features(x_adv) - wanted).square().sum(1)
        best.update(x_adv, -losses, torch.zeros_like(losses, dtype=torch.bool))
    return best.x_adv


def feature_distance(model, x, guide, *, layer=None):
    """‖φ(x) − φ(guide)‖₂ per pair of images, shape (N,); φ: the output of `layer`, as for `feature_adversary`."""
    with attacking(model), torch.no_grad():
        features = _features_of(model, layer)
        return (features(x) - features(guide)).norm(dim=1)


def _features_of(model, layer):
    """A function from images to the layer's output, flattened to shape (N, D)."""
    if layer is None:
        return lambda images: model(images).flatten(1)
    modules = dict(model.named_modules()) if isinstance(model, nn.Module) else {}
    module = modules.get(layer) if isinstance(layer, str) else layer
    if not any(module is known for known in modules.values()):
        raise ValueError("layer must be a submodule of the model or the name of one "
                         f"({', '.join(filter(None, modules)) or 'it has none'}); got {layer!r}")

    def features(images):
        caught = []
        # A copy, as a ReLU(inplace=True) that follows may write over the layer's output later in the same pass.
        handle = module.register_forward_hook(lambda module, inputs, output: caught.append(output.flatten(1).clone()))
        try:
            model(images)
        finally:
            handle.remove()
        return caught[-1]

    return features


def towards_image(model, x, y, *, image, step_size=1.0, steps=100, shrink=0.08):
    """A realistic adversarial input: as close to a given picture as possible, yet of class y to the model.

        min_z ‖z − image‖₂   subject to   argmax model(z) = y,   z in [0, 1]

    model: from images in [0, 1], shape (N, ...), to logits (N, K). x: where to start: noise, grey, or pictures of class
    y.
    y: the class to be seen, shape (N,). image: the pictures to come close to, shape of x.
    Each step: down the gradient of the margin, then onto the sphere around the image whose radius shrinks by the factor
    1 − shrink where the model already sees y, and grows by 1 + shrink where it does not: from the distance of the
    start, or step_size if that is more, to at most the distance of the start, or 10 step_size.
        z <- z + step_size_k · direction(∇ margin(model(z), y)),   r <- r (1 ∓ shrink),   z <- image + r · (z − image) /
                                                                   ‖z − image‖₂
    Both step_size and shrink fall to a hundredth along half a cosine. step_size is measured in l2, so that large images
    need larger ones.
    Returns, per image, the nearest to `image` of all the inputs that the model saw as y, `image` itself among them; x
    where there was none. Costs 2 + steps forward and steps backward passes per image.

    The "realistic output" of the course's taxonomy. The method is that of DDN: Rony, Hafemann, Oliveira, Ben Ayed,
    Sabourin, Granger, "Decoupling direction and norm", CVPR 2019, Algorithm 1, around a picture that is not the start,
    with the margin as its loss.
    """
    check(x, y, steps=steps)
    check_positive(step_size=step_size, shrink=shrink)
    if shrink >= 1:
        raise ValueError(f"shrink must be below 1; got {shrink!r}")
    _check_image("image", image, x)
    x, y, image = fresh(x), fresh(y), fresh(image)
    if len(x) == 0:
        return x
    best, nearest = x, x.new_full((len(x),), math.inf)

    def keep(z, logits):
        nonlocal best, nearest
        seen, apart = fools(logits, y, targeted=True), distance(z, image, "l2")
        better = seen & (apart < nearest)
        best, nearest = torch.where(per_example(better, x), z, best), torch.where(better, apart, nearest)
        return seen

    with attacking(model), torch.no_grad():
        logits = model(image)
        labels_fit(logits, y)
        keep(image, logits)
        z, start = x, distance(x, image, "l2")
        radius = start.clamp_min(step_size)
        for step in range(steps):
            with torch.enable_grad():
                logits, _, gradient = input_gradient(model, z, lambda logits: margin(logits, y))
            seen = keep(z, logits)
            decay = 0.01 + 0.99 * (1 + math.cos(math.pi * step / steps)) / 2
            z = z + decay * step_size * normalise(gradient, "l2")
            radius = torch.where(seen, (1 - decay * shrink) * radius, (1 + decay * shrink) * radius)
            radius = torch.minimum(radius, start.clamp_min(10 * step_size))
            apart = distance(z, image, "l2").clamp_min(torch.finfo(x.dtype).tiny)
            z = (image + per_example(radius / apart, x) * (z - image)).clamp(0, 1)
        keep(z, model(z))
    return best


def _check_image(name, image, x):
    if not isinstance(image,
                      torch.Tensor) or image.shape != x.shape or image.dtype != x.dtype or image.device != x.device:
        given = f"{image.dtype} of shape {tuple(image.shape)} on {image.device}" if isinstance(image,
                                                                                               torch.Tensor) else type(image).__name__
        raise ValueError(f"{name} must hold one image per image of x: {x.dtype} of shape {tuple(x.shape)} on "
                         f"{x.device}; got {given}")
    if image.numel() and not (image.min() >= 0 and image.max() <= 1):
        raise ValueError(f"{name} must lie in [0, 1]; got values from {image.min():.3g} to {image.max():.3g}")


CARDS = (
    AttackCard(
        name="feature_adversary", input="non-random", frequency="iterative", specificity="targeted", scope="individual",
        measurement="linf",
        realism="non-realistic", falsification="both", knowledge="white box",
        method="gradient descent on the distance between the hidden features of the image and those of a guide",
        paper="Sabour et al., 2016, arXiv:1511.05122", cost="1 + steps forward and steps backward passes per image",
    ),
    AttackCard(
        name="towards_image", input="non-random", frequency="iterative", specificity="targeted", scope="individual",
        measurement="l2 distance to a given picture", realism="realistic", falsification="both", knowledge="white box",
        method="a sphere around a given picture that shrinks while the model sees the wanted class",
        paper="after Rony et al., 2019, arXiv:1811.09600", cost="2 + steps forward and steps backward passes per image",
    ),
)
