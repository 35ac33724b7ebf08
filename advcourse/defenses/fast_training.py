"""Adversarial training at the price of one or two ordinary trainings, and what can go wrong: catastrophic overfitting.

Losses (model, x, y, *, eps, …) -> scalar for `training.fit`, as in adversarial_training.py.
A network that meets one-step examples alone may learn to bend its loss so that one step leads nowhere. Its accuracy
under FGSM is then high, and under PGD it is nothing. `one_step_gap` sees it happen; small steps, the gradients'
alignment and early stopping prevent it.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from advcourse.attacks import fgsm, pgd
from advcourse.defenses.adversarial_training import pgd_loss
from advcourse.models.inference import accuracy, device_of
from advcourse.training.loop import cross_entropy_loss


def fast_loss(model: nn.Module, x: Tensor, y: Tensor, *, eps: float, step_size: float | None = None) -> Tensor:
    """The loss after one step from a random point of the ball.

        J(x + δ, y),   δ = clip(u + α · sign(∇_x J(x + u, y))),   u uniform in [−eps, eps],   α = step_size

    model: from images in [0, 1], shape (N, C, H, W), to logits (N, K). x: such images. y: their labels, (N,).
    eps: the radius of the ball in linf, at least 0. step_size: above 0. None: 1.25 eps.
    Returns the loss, a scalar.
    Raises ValueError where the logits carry no gradient to x.
    Cost: 2 forward and 2 backward passes per image, twice the price of ordinary training.

    Wong, Rice, Kolter, "Fast is better than free: revisiting adversarial training", ICLR 2020, Algorithm 3.
    """
    return pgd_loss(model, x, y, eps=eps, steps=1, step_size=1.25 * eps if step_size is None else step_size)


def free_loss(*, eps: float) -> Callable[[nn.Module, Tensor, Tensor], Tensor]:
    """A loss that attacks for free: the backward pass which trains the weights also gives δ its next step.

        δ <- clip(δ + eps · sign(∇_x J(x + δ, y))),   after every backward pass; δ stays when the batch changes

    Give it to `fit` with replays=m (the paper: 8 on CIFAR-10) and an m-th of the epochs: every batch is trained on m
    times, and δ has m steps.
    eps: the radius of the ball in linf, at least 0.
    Returns a loss (model, x, y) -> scalar. It remembers δ from call to call: make one for each training.
    Raises nothing itself.
    Cost: 1 forward and 1 backward pass per image and replay: no more than ordinary training.

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


def grad_align_loss(model: nn.Module, x: Tensor, y: Tensor, *, eps: float, weight: float = 0.2) -> Tensor:
    """One step as in FGSM, with a second part that keeps one step honest.

        J(x', y) + λ · mean (1 − cos(∇_x J(x, y), ∇_x J(x + u, y))),   λ = weight

    x': x after one step of size eps along the gradient's sign; u uniform in [−eps, eps]. Where the gradients at x and
    beside it point the same way, the loss is nearly straight in the ball and one step is as good as many.
    model: from images in [0, 1], shape (N, C, H, W), to logits (N, K). x: such images. y: their labels, (N,).
    eps: the radius of the ball in linf, at least 0. weight: at least 0.
    Returns the loss, a scalar.
    Raises RuntimeError where the logits carry no gradient to x.
    Cost: 3 forward passes and the gradient of two gradients, about twice the price of `fast_loss`.

    Andriushchenko, Flammarion, "Understanding and improving fast adversarial training", NeurIPS 2020, equation 6 and
    section 4.
    """
    u = eps * (2 * torch.rand_like(x) - 1)
    at, beside = (_gradient(model, images, y) for images in (x, x + u))
    x_adv = (x + eps * at.detach().sign()).clamp(0, 1)
    cosine = F.cosine_similarity(at.flatten(1), beside.flatten(1))
    return cross_entropy_loss(model, x_adv, y) + weight * (1 - cosine).mean()


def _gradient(model, x, y):
    """∇_x J, through which gradients flow back to the weights."""
    x = x.detach().requires_grad_()
    loss = F.cross_entropy(model(x), y, reduction="sum")
    return torch.autograd.grad(loss, x, create_graph=True)[0]


def one_step_gap(model: nn.Module, x: Tensor, y: Tensor, *, eps: float, steps: int = 20) -> dict[str, float]:
    """The accuracies under FGSM and under PGD, and their difference: a dict, such as `fit` wants from `measure`.

    model: from images in [0, 1], shape (N, C, H, W), to logits (N, K). x: such images. y: their labels, (N,), int64.
    eps: the radius of the ball in linf, at least 0. steps: of PGD, at least 1.
    Returns {"fgsm": share, "pgd": share, "gap": difference}. A gap near 0 is healthy; a large one means that single
        steps are blocked and many are not.
    Raises ValueError where an argument is not as said here, or y does not fit the logits, or these carry no gradient.
    Cost: steps + 4 forward and steps + 1 backward passes per image.

    Wong, Rice, Kolter, "Fast is better than free: revisiting adversarial training", ICLR 2020.
    """
    x, y = x.to(device_of(model, x.device)), y.to(device_of(model, y.device))
    one = accuracy(model, fgsm(model, x, y, eps=eps), y)
    many = accuracy(model, pgd(model, x, y, eps=eps, steps=steps), y)
    return {"fgsm": one, "pgd": many, "gap": one - many}


def catastrophic_epoch(history: Sequence[dict], gap: float = 0.4) -> int | None:
    """The first epoch after which FGSM leaves more images right than PGD by at least `gap`.

    history: as `fit` returns it with measure=partial(one_step_gap, x=…, y=…, eps=…). gap: a share, in [0, 1].
    Returns the epoch's number, from 1; the weights to go back to are those of the epoch before. None where all went
        well.
    Raises KeyError where the history holds no gap.
    Cost: no pass of a model.

    Wong, Rice, Kolter, "Fast is better than free: revisiting adversarial training", ICLR 2020.
    """
    return next((entry["epoch"] for entry in history if entry["gap"] >= gap), None)
