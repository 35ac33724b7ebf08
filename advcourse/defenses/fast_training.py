"""Adversarial training at the price of one or two ordinary trainings, and what can go wrong: catastrophic overfitting.

Losses (model, x, y, *, eps, …) -> scalar for `training.fit`, as in adversarial_training.py.
A network that meets one-step examples alone may learn to bend its loss so that one step leads nowhere. Its accuracy
under FGSM is then high, and under PGD it is nothing. `one_step_gap` sees it happen; small steps, the gradients'
alignment and early stopping prevent it.
"""

import torch
from torch.nn import functional as F

from advcourse.attacks import fgsm, pgd
from advcourse.defenses.adversarial_training import pgd_loss
from advcourse.models.inference import accuracy, device_of
from advcourse.training.loop import cross_entropy_loss


def fast_loss(model, x, y, *, eps, step_size=None):
    """One step from a random point of the ball: J(x + δ, y),   δ = clip(u + α · sign(∇_x J(x + u, y))),   u uniform in
    [−eps, eps].

    α = step_size, 1.25 eps unless told. Two forward and two backward passes per image: twice the price of ordinary
    training.

    Wong, Rice, Kolter, "Fast is better than free: revisiting adversarial training", ICLR 2020, Algorithm 3.
    """
    return pgd_loss(model, x, y, eps=eps, steps=1, step_size=1.25 * eps if step_size is None else step_size)


def free_loss(*, eps):
    """A loss that attacks for free: the backward pass which trains the weights also gives δ its next step.

        δ <- clip(δ + eps · sign(∇_x J(x + δ, y))),   after every backward pass; δ stays when the batch changes

    Give it to `fit` with replays=m (the paper: 8 on CIFAR-10) and an m-th of the epochs: every batch is trained on m
    times, and δ has m steps.
    It remembers δ from call to call: make one for each training.

    Shafahi et al., "Adversarial training for free!", NeurIPS 2019, Algorithm 1.
    """
    delta = None

    def loss(model, x, y):
        nonlocal delta
        if delta is None or delta.shape != x.shape:
            delta = torch.zeros_like(x)
        x_adv = (x + delta).clamp(0, 1).requires_grad_()

        def next_step(gradient):
            nonlocal delta
            delta = (delta + eps * gradient.sign()).clamp(-eps, eps)
        if torch.is_grad_enabled():
            x_adv.register_hook(next_step)
        return cross_entropy_loss(model, x_adv, y)
    return loss


def grad_align_loss(model, x, y, *, eps, weight=0.2):
    """One step as in FGSM, with a loss that keeps one step honest:  J(x', y) + λ · mean (1 − cos(∇_x J(x, y), ∇_x J(x +
    u, y))).

    x': x after one step of size eps along the gradient's sign; u uniform in [−eps, eps]; λ = weight. Where the
    gradients at x and beside it point the same way, the loss is nearly straight in the ball and one step is as good as
    many. The gradient of a gradient: about twice the price of `fast_loss`.

    Andriushchenko, Flammarion, "Understanding and improving fast adversarial training", NeurIPS 2020, equation 6 and
    section 4.
    """
    u = eps * (2 * torch.rand_like(x) - 1)
    at, beside = (_gradient(model, images, y) for images in (x, x + u))
    x_adv = (x + eps * at.detach().sign()).clamp(0, 1)
    return cross_entropy_loss(model, x_adv,
                              y) + weight * (1 - F.cosine_similarity(at.flatten(1), beside.flatten(1))).mean()


def _gradient(model, x, y):
    """∇_x J, through which gradients flow back to the weights."""
    x = x.detach().requires_grad_()
    loss = F.cross_entropy(model(x), y, reduction="sum")
    return torch.autograd.grad(loss, x, create_graph=True)[0]


def one_step_gap(model, x, y, *, eps, steps=20):
    """The accuracies under FGSM and under PGD, and their difference: a dict, such as `fit` wants from `measure`.

    Keys: "fgsm", "pgd" and "gap", shares in [0, 1]. A gap near 0 is healthy; a large one means that single steps are
    blocked and many are not.
    """
    x, y = x.to(device_of(model, x.device)), y.to(device_of(model, y.device))
    one, many = accuracy(model, fgsm(model, x, y, eps=eps), y), accuracy(model, pgd(model, x, y, eps=eps, steps=steps),
                                                                         y)
    return {"fgsm": one, "pgd": many, "gap": one - many}


def catastrophic_epoch(history, gap=0.4):
    """The first epoch after which FGSM leaves more images right than PGD by at least `gap`; None where all went well.

    history: as `fit` returns it with measure=partial(one_step_gap, x=…, y=…, eps=…). The weights to go back to are
    those of the epoch before.
    """
    return next((entry["epoch"] for entry in history if entry["gap"] >= gap), None)
