"""Universal perturbations: one image of noise that fools the model on most images it is added to.

The directions that lead out of the classes are much the same for all images, so a single delta can push along them.
It is found on a set of images, one image or one mini-batch at a time, and works on images that it has never seen.
Unlike other attacks `universal` therefore returns delta, which has the shape of one image; `add_universal` adds it.
"""

import torch

from advcourse.attacks.cards import AttackCard
from advcourse.attacks.contract import (
    attacking,
    check,
    check_positive,
    fresh,
    generator_for,
    input_gradient,
    labels_fit,
)
from advcourse.attacks.geometry import add_inside, normalise, representable, summed_radius
from advcourse.attacks.losses import cross_entropy, fools
from advcourse.models.inference import predict


def universal(model, x, y=None, *, eps, norm="linf", method="gradient", step_size=None, steps=10, batch_size=100,
              overshoot=0.02,
              targeted=False, generator=None):
    """One perturbation for all the images x: delta, of the shape of one image, ‖delta‖ <= eps.

    model: from images in [0, 1], shape (N, ...), to logits (N, K). x: such images, the more and the more varied the
    better.
    y: the labels to leave, shape (N,); None stands for the model's own answers, as in Moosavi-Dezfooli's paper, which
        measures how many answers change. With targeted=True the labels to reach (all equal, as a rule).
    eps, norm: the size of delta, "linf" or "l2". steps: passes over the images.
    method "gradient" (Shafahi et al. 2020, Algorithm 2; sign or l2 steps for the "fgsm" form): for each mini-batch B of
        batch_size images delta <- P(delta + step_size · direction(Σ_{i in B} ∇_delta min(J(clip(x_i + delta), y_i),
        β))) P projects onto the ball; β = 2 log K bounds the loss, so that no image that is fooled already outweighs
        the others. The paper calls for β without fixing it. step_size None: eps / 2, falling to a tenth of that over
        the passes.
    method "deepfool" (Moosavi-Dezfooli et al. 2017, Algorithm 1): for each image that delta does not fool, in random
        order, delta <- P(delta + (1 + overshoot) · the smallest change, to first order, that takes clip(x_i + delta)
        over the next boundary) where DeepFool's steps are repeated until the image is over it, 10 times at most.
        Non-targeted, in batches of one. The paper stops at a wanted error rate; here all the passes are made and the
        best is kept.
    Returns the delta, detached, that fools most of x of those after each pass. delta = 0 where x is empty.
    Costs, in images: gradient: steps · N · (2 forward + 1 backward); deepfool: steps · N · 2 forward, and for every
        image that is not fooled about 3 · (1 forward + K backward).

    Moosavi-Dezfooli, Fawzi, Fawzi, Frossard, "Universal adversarial perturbations", CVPR 2017.
    Shafahi, Najibi, Xu, Dickerson, Davis, Goldstein, "Universal adversarial training", AAAI 2020.
    """
    check(x, y, eps=eps, norm=norm, norms=("linf", "l2"), steps=steps, batch_size=batch_size)
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
    with attacking(model):
        logits = predict(model, images)
        y = logits.argmax(1) if y is None else fresh(y)
        labels_fit(logits, y)
        best, best_rate = delta, fools(logits, y, targeted).double().mean()
        for step in range(steps):
            order = torch.randperm(len(images), generator=generator, device=x.device)
            if method == "gradient":
                decay = 1 - 0.9 * step / steps
                size = decay * (eps / 2 if step_size is None else step_size)
                for batch in order.split(batch_size):
                    delta = _gradient_step(model, images[batch], y[batch], delta, size, eps, norm, targeted)
            else:
                for i in order.split(1):
                    delta = _deepfool_step(model, images[i], y[i], delta, eps, norm, overshoot)
            rate = fools(predict(model, add_universal(images, delta)), y, targeted).double().mean()
            best, best_rate = (delta, rate) if rate > best_rate else (best, best_rate)
    return best[0].detach()


def add_universal(x, delta):
    """x + delta, clipped to [0, 1], for images x, shape (N, ...), and one delta for all; each within max |delta| of
    x."""
    return add_inside(x, delta.expand_as(x))


def _gradient_step(model, images, y, delta, size, eps, norm, targeted):
    """delta after one step up the bounded loss of a mini-batch (targeted: down the loss)."""
    def loss(logits):
        values = cross_entropy(logits, y)
        return -values if targeted else values.clamp(max=2 * torch.log(torch.tensor(float(logits.shape[1]))).item())

    _, _, gradient = input_gradient(lambda delta: model((images + delta).clamp(0, 1)), delta, loss)
    return _onto_ball(delta + size * normalise(gradient, norm), eps, norm)


def _deepfool_step(model, image, y, delta, eps, norm, overshoot):
    """delta, moved so that this one image, shape (1, ...), is classified otherwise, and projected onto the ball."""
    start = moved = (image + delta).clamp(0, 1)
    for _ in range(10):
        point = moved.detach().requires_grad_()
        logits = model(point)
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
        moved = (moved + (1 + overshoot) * (distances[nearest] + 1e-6) * direction).clamp(0, 1)
    return _onto_ball(delta + (moved - start).detach(), eps, norm)


def _onto_ball(delta, eps, norm):
    """The nearest delta with ‖delta‖ <= eps, in the arithmetic of its dtype."""
    if norm == "linf":
        eps = representable(eps, delta.dtype)
        return delta.clamp(-eps, eps)
    return delta * (summed_radius(eps,
                                  delta.dtype) / delta.norm().clamp_min(torch.finfo(delta.dtype).tiny)).clamp(max=1)


CARDS = (
    AttackCard(
        name="universal", input="random", frequency="iterative", specificity="both", scope="universal",
        measurement="linf, l2",
        realism="non-realistic", falsification="both", knowledge="white box",
        method="one delta for all images, by mini-batch gradient steps or by adding up DeepFool's steps",
        paper="Moosavi-Dezfooli et al., 2017, arXiv:1610.08401; Shafahi et al., 2020, arXiv:1811.11304",
        cost="gradient: 2 forward and 1 backward per image and pass; deepfool: 2 forward per image and pass, and about "
             "3 (1 forward + K backward) per image not yet fooled",
    ),
)
