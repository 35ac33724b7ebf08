"""Adversarial training: every method is a loss for `training.fit`, a function (model, x, y, *, eps, …) -> scalar.

    fit(model, x, y, epochs=10, loss=partial(pgd_loss, eps=0.3))

Each makes examples against the network as it is at that step and trains on them as they are: no gradient flows through
their making. Images lie in [0, 1], shape (N, C, H, W); labels have shape (N,). Random numbers come from torch's global
generator, which `fit` seeds. What makes it cheap, and what goes wrong then, is in fast_training.py.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from advcourse.attacks import contract, geometry
from advcourse.attacks.contract import Norm
from advcourse.attacks.virtual import divergence
from advcourse.models.inference import evaluating
from advcourse.training.loop import cross_entropy_loss

Aim = Literal["least likely", "true", "predicted"]

# The inner maximisation: where near x is the loss highest?

def worst_case(model: nn.Module, x: Tensor, loss: Callable[[Tensor], Tensor], *, eps: float | Tensor,
               norm: Norm = "linf", steps: int = 7, step_size: float | Tensor | None = None,
               start: Tensor | None = None) -> Tensor:
    """Images near x on which `loss` is high: a few steps up its gradient, each followed by a return to ball and box.

        x_{t+1} = P(x_t + step_size · direction(∇ loss(model(x_t))))       direction: the sign (linf), the unit vector

    It is `attacks.pgd` without an attack's care: nothing is checked, no best iterate kept.
    model: from images in [0, 1], shape (N, C, H, W), to logits (N, K). x: such images.
    loss: from logits (N, K) to one number per image, (N,).
    eps: the radius of the ball; in "linf" also one for each image, shape (N,). norm: "linf", "l2" or "l1".
    steps: at least 0. step_size: a number, or of a shape that multiplies x. None: 2.5 eps / steps.
    start: the images to start from. None: a random point of the ball.
    Returns the last iterate, detached.
    Raises ValueError for another norm, or where the logits carry no gradient.
    Cost: steps forward and backward passes.

    Madry et al., "Towards deep learning models resistant to adversarial attacks", ICLR 2018, section 2.1.
    """
    eps = geometry.per_example(eps, x) if isinstance(eps, Tensor) else eps
    step_size = 2.5 * eps / steps if step_size is None else step_size
    if norm == "linf":
        low, high = (x - eps).clamp_(min=0), (x + eps).clamp_(max=1)
        start = x + eps * (2 * torch.rand_like(x) - 1) if start is None else start
        x_adv = torch.clamp(start, low, high)
    else:
        x_adv = geometry.random_start(x, eps, norm, None) if start is None else geometry.project(start, x, eps, norm)
    with contract.attacking(model) as ask:
        for _ in range(steps):
            _, _, gradient = contract.input_gradient(ask, x_adv, loss)
            x_adv = x_adv + step_size * geometry.normalise(gradient, norm)
            x_adv = torch.clamp(x_adv, low, high) if norm == "linf" else geometry.project(x_adv, x, eps, norm)
    return x_adv


def _cross_entropy_of(y):
    """The cross-entropy of the labels y as `worst_case` wants it: from logits (N, K) to (N,)."""
    return partial(F.cross_entropy, target=y, reduction="none")


# Labels for all images

def goodfellow_loss(model: nn.Module, x: Tensor, y: Tensor, *, eps: float, c: float = 0.5) -> Tensor:
    """Clean images and their one-step examples, weighed by c.

        c · J(x, y) + (1 − c) · J(x + p, y),   p = eps · sign(∇_x J(x, y)),   x + p clipped to [0, 1]

    model: from images in [0, 1], shape (N, C, H, W), to logits (N, K). x: such images. y: their labels, (N,).
    eps: the length of the step, at least 0. c: in [0, 1]: 1 is ordinary training, 0 trains on the examples alone.
    Returns the loss, a scalar.
    Raises ValueError where the logits carry no gradient to x.
    Cost: 3 forward and 3 backward passes of the batch.

    Goodfellow, Shlens, Szegedy, "Explaining and harnessing adversarial examples", ICLR 2015, section 6; they use c =
    0.5.
    """
    x_adv = worst_case(model, x, _cross_entropy_of(y), eps=eps, steps=1, step_size=eps, start=x)
    return c * cross_entropy_loss(model, x, y) + (1 - c) * cross_entropy_loss(model, x_adv, y)


def kurakin_loss(model: nn.Module, x: Tensor, y: Tensor, *, eps: float, share: float = 0.5, weight: float = 0.3,
                 aim: Aim = "least likely") -> Tensor:
    """A batch of m images of which the first k = share · m are replaced by one-step examples, of less weight.

        1 / ((m − k) + λ k) · ( Σ_clean J(x_i, y_i) + λ Σ_adv J(x_i^adv, y_i) ),   λ = weight

    model: from images in [0, 1], shape (N, C, H, W), to logits (N, K). x: such images. y: their labels, (N,).
    eps: the largest radius, at least 0. Every image has its own, drawn by `random_radius`: so the network does not only
        learn one eps. share: of the batch, in [0, 1]. weight: of an example, at least 0.
    aim: where the step goes. "least likely": down the loss of the class that the model thinks least likely, as in the
        paper. "true": up the loss of y. It *leaks the label*: the step is a simple function of y, and a network can
        learn to read y off the step. "predicted": up the loss of the model's own answer, the usual cure.
    Returns the loss, a scalar.
    Raises ValueError for another aim, or where the logits carry no gradient to x.
    Cost: 1 + share forward and backward passes of the batch.

    Kurakin, Goodfellow, Bengio, "Adversarial machine learning at scale", ICLR 2017, Algorithm 1 and section 4.1 (share
    1/2, λ = 0.3).
    """
    k = round(share * len(x))
    x_adv = step_towards(model, x[:k], y[:k], eps=random_radius(k, eps, x), aim=aim)
    losses = F.cross_entropy(model(torch.cat([x_adv, x[k:]])), y, reduction="none")
    return (losses[k:].sum() + weight * losses[:k].sum()) / (len(x) - k + weight * k)


def step_towards(model: nn.Module, x: Tensor, y: Tensor, *, eps: float | Tensor, aim: Aim) -> Tensor:
    """One step of size eps: up the loss of the "true" or "predicted" class, or towards the "least likely".

    model: from images in [0, 1], shape (N, C, H, W), to logits (N, K). x: such images. y: their labels, (N,).
    eps: at least 0, a number or one per image, (N,). aim: "true", "predicted" or "least likely".
    Returns x_adv, in [0, 1] and within eps of x in linf.
    Raises ValueError for another aim, or where the logits carry no gradient to x.
    Cost: 1 forward and 1 backward pass.

    Kurakin, Goodfellow, Bengio, "Adversarial machine learning at scale", ICLR 2017, section 2.
    """
    if aim not in ("true", "predicted", "least likely"):
        raise ValueError(f"aim must be 'true', 'predicted' or 'least likely'; got {aim!r}")

    def loss(logits):
        label = {"true": y, "predicted": logits.argmax(1), "least likely": logits.argmin(1)}[aim]
        return (-1 if aim == "least likely" else 1) * F.cross_entropy(logits, label, reduction="none")

    step_size = geometry.per_example(eps, x) if isinstance(eps, Tensor) else eps
    return worst_case(model, x, loss, eps=eps, steps=1, step_size=step_size, start=x)


def random_radius(count: int, eps: float, like: Tensor) -> Tensor:
    """Radii in [0, eps]: the absolute value of a normal with standard deviation eps / 2, cut off at eps.

    count: how many. eps: the largest. like: a tensor on the device and of the dtype wanted.
    Returns radii, shape (count,).
    Raises RuntimeError where count is negative.
    Cost: no pass of a model.

    Kurakin, Goodfellow, Bengio, "Adversarial machine learning at scale", ICLR 2017, section 4.1: there eps is 16 grey
    values and the normal's standard deviation 8.
    """
    cut = math.erf(math.sqrt(2))  # the share of a normal within two standard deviations
    return eps / math.sqrt(2) * torch.erfinv(cut * torch.rand(count, device=like.device, dtype=like.dtype))


def pgd_loss(model: nn.Module, x: Tensor, y: Tensor, *, eps: float, norm: Norm = "linf", steps: int = 7,
             step_size: float | None = None) -> Tensor:
    """The loss at the worst image that a few steps find: the saddle point's inner half.

        max_{‖δ‖ ≤ eps} J(x + δ, y)

    On small networks a large eps must be reached slowly (`warm_up`): else training ends in a constant.
    model: from images in [0, 1], shape (N, C, H, W), to logits (N, K). x: such images. y: their labels, (N,).
    eps: the radius of the ball, at least 0. norm: "linf", "l2" or "l1".
    steps: from a random point of the ball, at least 1. step_size: above 0. None: 2.5 eps / steps.
    Returns the loss, a scalar.
    Raises ValueError for another norm, or where the logits carry no gradient to x.
    Cost: steps + 1 forward and backward passes.

    Madry et al., "Towards deep learning models resistant to adversarial attacks", ICLR 2018, section 2.1 (MNIST: eps
    0.3, 40 steps of 0.01).
    """
    x_adv = worst_case(model, x, _cross_entropy_of(y), eps=eps, norm=norm, steps=steps, step_size=step_size)
    return cross_entropy_loss(model, x_adv, y)


def trades_loss(model: nn.Module, x: Tensor, y: Tensor, *, eps: float, beta: float = 6.0, norm: Norm = "linf",
                steps: int = 7, step_size: float | None = None) -> Tensor:
    """Be right on x, and say the same nearby.

        J(x, y) + β · max_{‖δ‖ ≤ eps} KL( p(x) ‖ p(x + δ) )

    The labels do not enter the second part: x + δ is where the answer changes most.
    model: from images in [0, 1], shape (N, C, H, W), to logits (N, K). x: such images. y: their labels, (N,).
    eps: the radius of the ball, at least 0. beta: β, what robustness is worth, at least 0. norm: "linf", "l2" or "l1".
    steps: from beside x, at least 1. step_size: above 0. None: 2.5 eps / steps.
    Returns the loss, a scalar.
    Raises ValueError for another norm, or where the logits carry no gradient to x.
    Cost: steps + 3 forward and steps + 2 backward passes.

    Zhang et al., "Theoretically principled trade-off between robustness and accuracy", ICML 2019, equation 5 and
    Algorithm 1.
    """
    with torch.no_grad(), evaluating(model):
        clean = model(x)
    # At x itself the divergence has no slope: start beside it.
    x_adv = worst_case(model, x, partial(divergence, clean), eps=eps, norm=norm, steps=steps, step_size=step_size,
                       start=x + 0.001 * torch.randn_like(x))
    logits = model(x)
    return F.cross_entropy(logits, y) + beta * divergence(logits, model(x_adv)).mean()


def mart_loss(model: nn.Module, x: Tensor, y: Tensor, *, eps: float, weight: float = 5.0, norm: Norm = "linf",
              steps: int = 7, step_size: float | None = None) -> Tensor:
    """Push harder where the network errs.

        mean of  B(x + δ, y) + λ · KL( p(x) ‖ p(x + δ) ) · (1 − p_y(x)),   λ = weight
        B(x, y) = −log p_y(x) − log(1 − max_{k ≠ y} p_k(x))

    B also pushes the strongest rival down; δ is that of `pgd_loss`.
    model: from images in [0, 1], shape (N, C, H, W), to logits (N, K). x: such images. y: their labels, (N,).
    eps: the radius of the ball, at least 0. weight: at least 0. norm: "linf", "l2" or "l1".
    steps: from a random point of the ball, at least 1. step_size: above 0. None: 2.5 eps / steps.
    Returns the loss, a scalar.
    Raises ValueError for another norm, or where the logits carry no gradient to x.
    Cost: steps + 2 forward and backward passes.

    Wang et al., "Improving adversarial robustness requires revisiting misclassified examples", ICLR 2020, equations 9
    to 11.
    """
    x_adv = worst_case(model, x, _cross_entropy_of(y), eps=eps, norm=norm, steps=steps, step_size=step_size)
    clean, attacked = model(x), model(x_adv)
    rival = attacked.softmax(1).scatter(1, y[:, None], 0).amax(1)
    boosted = F.cross_entropy(attacked, y, reduction="none") - torch.log1p(-rival.clamp(max=1 - 1e-6))
    unsure = 1 - clean.softmax(1).gather(1, y[:, None])[:, 0]
    return (boosted + weight * divergence(clean, attacked) * unsure).mean()


def logit_pairing_loss(model: nn.Module, x: Tensor, y: Tensor, *, eps: float, weight: float = 0.5, norm: Norm = "linf",
                       steps: int = 7, step_size: float | None = None) -> Tensor:
    """Clean and adversarial images, with a penalty on the difference of their logits.

        (J(x, y) + J(x', y)) / 2 + λ · mean (z(x) − z(x'))²,   λ = weight

    x' as in `pgd_loss`, z the logits; the mean is over images and classes. It flattens the loss at the images, which
    few steps take for robustness: Engstrom, Ilyas, Athalye, "Evaluating and understanding the robustness of adversarial
    logit pairing", 2018.
    model: from images in [0, 1], shape (N, C, H, W), to logits (N, K). x: such images. y: their labels, (N,).
    eps: the radius of the ball, at least 0. weight: at least 0. norm: "linf", "l2" or "l1".
    steps: from a random point of the ball, at least 1. step_size: above 0. None: 2.5 eps / steps.
    Returns the loss, a scalar.
    Raises ValueError for another norm, or where the logits carry no gradient to x.
    Cost: steps + 2 forward and backward passes.

    Kannan, Kurakin, Goodfellow, "Adversarial logit pairing", 2018, section 3.
    """
    x_adv = worst_case(model, x, _cross_entropy_of(y), eps=eps, norm=norm, steps=steps, step_size=step_size)
    clean, attacked = model(x), model(x_adv)
    return (F.cross_entropy(clean, y) + F.cross_entropy(attacked, y)) / 2 + weight * F.mse_loss(clean, attacked)


# Labels for some images

def virtual_adversarial_loss(model: nn.Module, x: Tensor, y: Tensor, *, eps: float, unlabelled: Tensor | None = None,
                             weight: float = 1.0, xi: float = 0.1, steps: int = 1) -> Tensor:
    """Be right where there is a label, and steady where there is none.

        J(x, y) + α · mean KL( p(x_u) ‖ p(x_u + r) ),   α = weight

    r: of length eps (l2), in the direction in which the model's own answer changes most. p(x_u) is a constant: the
        neighbours shall follow the image. There is no box: r may leave [0, 1].
    model: from images, shape (N, C, H, W), to logits (N, K). x: images. y: their labels, (N,).
    eps: the length of r, at least 0. weight: at least 0.
    unlabelled: images of which each step takes as many at random as x holds, beside x itself. None: x alone is
        smoothed.
    xi: how far the power iterations look, above 0. steps: of them, at least 1.
    Returns the loss, a scalar.
    Raises ValueError where the logits carry no gradient to x.
    Cost: steps + 2 forward and backward passes, of twice the batch with unlabelled images.

    Miyato et al., "Virtual adversarial training", TPAMI 2019, equations 6 to 8 and Algorithm 1. As an attack:
    `attacks.virtual_adversarial`.
    """
    images = x
    if unlabelled is not None:
        chosen = torch.randint(len(unlabelled), (len(x),), device=unlabelled.device)
        images = torch.cat([x, unlabelled[chosen].to(x.device)])
    logits = model(images)
    clean = logits.detach()
    direction = geometry.normalise(torch.randn_like(images), "l2")
    with contract.attacking(model) as ask:
        for _ in range(steps):
            _, _, gradient = contract.input_gradient(ask, images + xi * direction, partial(divergence, clean))
            direction = geometry.normalise(gradient, "l2")
    return F.cross_entropy(logits[:len(x)], y) + weight * divergence(clean, model(images + eps * direction)).mean()


# Reaching a large eps

def warm_up(loss: Callable[..., Tensor], *, eps: float, batches: int) -> Callable[..., Tensor]:
    """`loss` with an eps that grows in a straight line over the first batches, and then stays.

    loss: one of the losses of this module, or partial(…) of one. eps: what it grows to, from 0.
    batches: how many training batches that takes, at least 1. Batches of a validation do not count.
    Returns a loss (model, x, y) -> scalar. It remembers what it has seen: use it for one training.
    Raises ZeroDivisionError, at its first batch, where batches is 0.
    Cost: that of the loss.

    As in Gowal et al., "On the effectiveness of interval bound propagation for training verifiably robust models",
    2018.
    """
    seen = 0

    def growing(model, x, y):
        nonlocal seen
        seen += model.training
        return loss(model, x, y, eps=eps * min(1, seen / batches))
    return growing
