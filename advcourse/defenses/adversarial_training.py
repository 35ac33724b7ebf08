"""Adversarial training: every method is a loss for `training.fit`, a function (model, x, y, *, eps, …) -> scalar.

    fit(model, x, y, epochs=10, loss=partial(pgd_loss, eps=0.3))

Each makes examples against the network as it is at that step and trains on them as they are: no gradient flows through
their making. Images lie in [0, 1], shape (N, C, H, W); labels have shape (N,). Random numbers come from torch's global
generator, which `fit` seeds. What makes it cheap, and what goes wrong then, is in fast_training.py.
"""

import math
from functools import partial

import torch
from torch.nn import functional as F

from advcourse.attacks import contract, geometry
from advcourse.attacks.virtual import divergence
from advcourse.models.inference import evaluating
from advcourse.training.loop import cross_entropy_loss

# The inner maximisation: where near x is the loss highest?

def worst_case(model, x, loss, *, eps, norm="linf", steps=7, step_size=None, start=None):
    """Images near x on which `loss` is high: a few steps up its gradient, after each of them back into the ball and
    into [0, 1].

    loss: from logits (N, K) to one number per image, (N,). eps: the radius, or in "linf" a tensor (N,) with one for
    each image;
    norm: "linf", "l2" or "l1"; step_size: 2.5 eps / steps. start: the images to start from; else a random point of the
    ball.
    Returns the last iterate, detached. It is the walk of `attacks.pgd` without an attack's care: nothing is checked, no
    best iterate kept.

    Madry et al., "Towards deep learning models resistant to adversarial attacks", ICLR 2018, section 2.1.
    """
    eps = geometry.per_example(eps, x) if isinstance(eps, torch.Tensor) else eps
    step_size = 2.5 * eps / steps if step_size is None else step_size
    if norm == "linf":
        low, high = (x - eps).clamp_(min=0), (x + eps).clamp_(max=1)
        start = x + eps * (2 * torch.rand_like(x) - 1) if start is None else start
        x_adv = torch.clamp(start, low, high)
    else:
        x_adv = geometry.random_start(x, eps, norm, None) if start is None else geometry.project(start, x, eps, norm)
    with contract.attacking(model):
        for _ in range(steps):
            _, _, gradient = contract.input_gradient(model, x_adv, loss)
            x_adv = x_adv + step_size * geometry.normalise(gradient, norm)
            x_adv = torch.clamp(x_adv, low, high) if norm == "linf" else geometry.project(x_adv, x, eps, norm)
    return x_adv


def cross_entropy_of(y):
    """The cross-entropy of the labels y as `worst_case` wants it: from logits (N, K) to (N,)."""
    return partial(F.cross_entropy, target=y, reduction="none")


# Labels for all images

def goodfellow_loss(model, x, y, *, eps, c=0.5):
    """Clean images and their one-step examples, weighed by c:  c · J(x, y) + (1 − c) · J(x + p, y),   p = eps ·
    sign(∇_x J(x, y)).

    c = 1 is ordinary training, c = 0 trains on the examples alone. x + p is clipped to [0, 1].

    Goodfellow, Shlens, Szegedy, "Explaining and harnessing adversarial examples", ICLR 2015, section 6; they use c =
    0.5.
    """
    x_adv = worst_case(model, x, cross_entropy_of(y), eps=eps, steps=1, step_size=eps, start=x)
    return c * cross_entropy_loss(model, x, y) + (1 - c) * cross_entropy_loss(model, x_adv, y)


def kurakin_loss(model, x, y, *, eps, share=0.5, weight=0.3, aim="least likely"):
    """A batch of m images of which the first k = share · m are replaced by one-step examples, which count `weight`
    each.

        1 / ((m − k) + λ k) · ( Σ_clean J(x_i, y_i) + λ Σ_adv J(x_i^adv, y_i) ),   λ = weight

    Every image has its own radius, drawn by `random_radius`: so the network does not only learn one eps.
    aim: where the step goes. "least likely": down the loss of the class that the model thinks least likely, as in the
        paper. "true": up the loss of y. It *leaks the label*: the step is a simple function of y, and a network can
        learn to read y off the step. "predicted": up the loss of the model's own answer, the usual cure.

    Kurakin, Goodfellow, Bengio, "Adversarial machine learning at scale", ICLR 2017, Algorithm 1 and section 4.1 (share
    1/2, λ = 0.3).
    """
    k = round(share * len(x))
    x_adv = step_towards(model, x[:k], y[:k], eps=random_radius(k, eps, x), aim=aim)
    losses = F.cross_entropy(model(torch.cat([x_adv, x[k:]])), y, reduction="none")
    return (losses[k:].sum() + weight * losses[:k].sum()) / (len(x) - k + weight * k)


def step_towards(model, x, y, *, eps, aim):
    """One step of size eps, a number or one per image (N,): up the loss of the "true" or "predicted" class, or towards
    the "least likely"."""
    if aim not in ("true", "predicted", "least likely"):
        raise ValueError(f"aim must be 'true', 'predicted' or 'least likely'; got {aim!r}")
    def loss(logits):
        label = {"true": y, "predicted": logits.argmax(1), "least likely": logits.argmin(1)}[aim]
        return (-1 if aim == "least likely" else 1) * F.cross_entropy(logits, label, reduction="none")
    return worst_case(model, x, loss, eps=eps, steps=1,
                      step_size=geometry.per_example(eps, x) if isinstance(eps, torch.Tensor) else eps, start=x)


def random_radius(count, eps, like):
    """`count` radii in [0, eps], shape (count,): the absolute value of a normal with standard deviation eps / 2, cut
    off at eps.

    In the paper eps is 16 grey values and the normal's standard deviation 8. like: a tensor on the device and of the
    dtype wanted.
    """
    cut = math.erf(math.sqrt(2))  # the share of a normal within two standard deviations
    return eps / math.sqrt(2) * torch.erfinv(cut * torch.rand(count, device=like.device, dtype=like.dtype))


def pgd_loss(model, x, y, *, eps, norm="linf", steps=7, step_size=None):
    """The loss at the worst image that a few steps find:  max_{‖δ‖ ≤ eps} J(x + δ, y), the saddle point's inner half.

    Arguments as of `worst_case`. On small networks a large eps must be reached slowly (`warm_up`): else training ends
    in a constant.

    Madry et al., "Towards deep learning models resistant to adversarial attacks", ICLR 2018, section 2.1 (MNIST: eps
    0.3, 40 steps of 0.01).
    """
    x_adv = worst_case(model, x, cross_entropy_of(y), eps=eps, norm=norm, steps=steps, step_size=step_size)
    return cross_entropy_loss(model, x_adv, y)


def trades_loss(model, x, y, *, eps, beta=6.0, norm="linf", steps=7, step_size=None):
    """Be right on x, and say the same nearby:  J(x, y) + β · max_{‖δ‖ ≤ eps} KL( p(x) ‖ p(x + δ) ).

    beta: what robustness is worth. The labels do not enter the second part: x + δ is where the answer changes most.

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


def mart_loss(model, x, y, *, eps, weight=5.0, norm="linf", steps=7, step_size=None):
    """Push harder where the network errs:  mean of  B(x + δ, y) + λ · KL( p(x) ‖ p(x + δ) ) · (1 − p_y(x)),   λ =
    weight.

    B(x, y) = −log p_y(x) − log(1 − max_{k ≠ y} p_k(x)) also pushes the strongest rival down; δ is that of `pgd_loss`.

    Wang et al., "Improving adversarial robustness requires revisiting misclassified examples", ICLR 2020, equations 9
    to 11.
    """
    x_adv = worst_case(model, x, cross_entropy_of(y), eps=eps, norm=norm, steps=steps, step_size=step_size)
    clean, attacked = model(x), model(x_adv)
    rival = attacked.softmax(1).scatter(1, y[:, None], 0).amax(1)
    boosted = F.cross_entropy(attacked, y, reduction="none") - torch.log1p(-rival.clamp(max=1 - 1e-6))
    unsure = 1 - clean.softmax(1).gather(1, y[:, None])[:, 0]
    return (boosted + weight * divergence(clean, attacked) * unsure).mean()


def logit_pairing_loss(model, x, y, *, eps, weight=0.5, norm="linf", steps=7, step_size=None):
    """Clean and adversarial images, and their logits pulled together:  (J(x, y) + J(x', y)) / 2 + λ · mean (z(x) −
    z(x'))²,   λ = weight.

    x' as in `pgd_loss`, z the logits; the mean is over images and classes. It flattens the loss at the images, which
    few steps
    take for robustness: Engstrom, Ilyas, Athalye, "Evaluating and understanding the robustness of adversarial logit
    pairing", 2018.

    Kannan, Kurakin, Goodfellow, "Adversarial logit pairing", 2018, section 3.
    """
    x_adv = worst_case(model, x, cross_entropy_of(y), eps=eps, norm=norm, steps=steps, step_size=step_size)
    clean, attacked = model(x), model(x_adv)
    return (F.cross_entropy(clean, y) + F.cross_entropy(attacked, y)) / 2 + weight * F.mse_loss(clean, attacked)


# Labels for some images

def virtual_adversarial_loss(model, x, y, *, eps, unlabelled=None, weight=1.0, xi=0.1, steps=1):
    """Be right where there is a label, and steady where there is none:  J(x, y) + α · mean KL( p(x_u) ‖ p(x_u + r) ),
    α = weight.

    r: of length eps (l2), in the direction in which the model's own answer changes most, found by `steps` power
        iterations that look xi away. p(x_u) is a constant: the neighbours shall follow the image. There is no box: r
        may leave [0, 1].
    unlabelled: images of which each step takes as many at random as x holds, beside x itself. Without them x alone is
    smoothed.

    Miyato et al., "Virtual adversarial training", TPAMI 2019, equations 6 to 8 and Algorithm 1. As an attack:
    `attacks.virtual_adversarial`.
    """
    images = x if unlabelled is None else torch.cat([x,
                                                     unlabelled[torch.randint(len(unlabelled), (len(x),),
                                                                              device=unlabelled.device)].to(x.device)])
    logits = model(images)
    clean = logits.detach()
    direction = geometry.normalise(torch.randn_like(images), "l2")
    with contract.attacking(model):
        for _ in range(steps):
            _, _, gradient = contract.input_gradient(model, images + xi * direction, partial(divergence, clean))
            direction = geometry.normalise(gradient, "l2")
    return F.cross_entropy(logits[:len(x)], y) + weight * divergence(clean, model(images + eps * direction)).mean()


# Reaching a large eps

def warm_up(loss, *, eps, batches):
    """`loss` with an eps that grows in a straight line from 0 to `eps` over the first `batches` training batches, and
    then stays.

    loss: one of the losses of this module, or partial(…) of one. Batches of a validation do not count. The result
    remembers: use it for one training.
    """
    seen = 0

    def growing(model, x, y):
        nonlocal seen
        seen += model.training
        return loss(model, x, y, eps=eps * min(1, seen / batches))
    return growing
