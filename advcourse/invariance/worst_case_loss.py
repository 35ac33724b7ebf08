"""The loss at the worst of all allowed changes, weighed by how plausible each is: invariances and attacks in one.

    L(x, y, f) = sup over δ of η(δ) · l(f(x + δ), y),        0 <= η <= 1

With η = 1 for what we know to change nothing and a ball of small changes for Δ it is an attack's objective; with η = 1
at the identity alone it is plain training. It is convex in f wherever l is.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from advcourse.models.inference import Model

Transform = Callable[[Tensor], Tensor]  # from images (N, C, H, W) to such images


def gaussian_penalty(shifts: Sequence[tuple[int, int]], tau: float) -> Tensor:
    """η(δ) = exp(−‖δ‖² / 2τ²) for shifts of (right, down) pixels: 1 for none, less for far ones; shape (K,).

    tau: in pixels, at least 0; 0: the identity alone counts. Raises ValueError where it is negative.
    """
    if tau < 0:
        raise ValueError(f"tau must be at least 0 pixels; got {tau}")
    squares = torch.tensor(shifts, dtype=torch.float32).square().sum(1)
    return torch.where(squares == 0, 1, torch.exp(-squares / max(2 * tau**2, 1e-30)))


def worst_case_losses(losses: Tensor, eta: Tensor) -> Tensor:
    """max over k of η_k · l_k, shape (N,).

    losses: of each image under each of K changes, (N, K), none negative. eta: in [0, 1], (K,), or (N, K) where each
    image has its own.
    """
    return (eta * losses).amax(1)


def worst_case_loss(model: Model, x: Tensor, y: Tensor, *, transforms: Sequence[Transform], eta: Tensor) -> Tensor:
    """The mean over images of the worst weighed cross-entropy; a loss for `training.fit`.

    model: from images in [0, 1], shape (N, C, H, W), to logits (N, C). x: such images. y: their labels, (N,).
    transforms: K functions from images to images. eta: what each counts, in [0, 1], shape (K,).
    Returns the loss, a scalar.
    Raises ValueError unless there is one weight in [0, 1] for each transform.
    Cost: K forward passes and a backward pass of each.

    Teo, Globerson, Roweis, Smola, "Convex learning with invariances", NIPS 2007.
    """
    if eta.shape != (len(transforms),) or not (eta.min() >= 0 and eta.max() <= 1):
        raise ValueError(f"eta must hold a weight in [0, 1] for each of the {len(transforms)} transforms; got shape "
                         f"{tuple(eta.shape)}, {eta.tolist()[:5]}")
    losses = torch.stack([F.cross_entropy(model(transform(x)), y, reduction="none") for transform in transforms], 1)
    return worst_case_losses(losses, eta.to(losses)).mean()


def linear_worst_case_losses(model: nn.Sequential, x: Tensor, y: Tensor, eps: float) -> Tensor:
    """The worst cross-entropy of a linear model in an ℓ∞ ball: every rival's lead grows by ε times an ℓ1 norm.

        log(1 + Σ_{k ≠ y} exp(z_k − z_y + ε ‖w_k − w_y‖₁)) >= sup over ‖δ‖∞ <= ε of J(x + δ, y)

    For two classes there is one rival, and the two are equal: x + ε · sign(∇J), FGSM's image, attains it. For more no
    single δ is the worst for all rivals: then it is an upper bound, and FGSM's loss a lower one.
    model: `models.softmax_regression`, Flatten and one Linear layer. x: images, shape (N, C, H, W); pixels may leave
        [0, 1]. y: their labels, (N,). eps: at least 0.
    Returns losses, shape (N,).
    Raises ValueError where eps is negative or model is not linear.
    Cost: one matrix product and the ℓ1 norms of all pairs of classes.

    Teo, Globerson, Roweis, Smola, "Convex learning with invariances", NIPS 2007, for the sup; Goodfellow, Shlens,
    Szegedy, "Explaining and harnessing adversarial examples", ICLR 2015, section 5, for two classes.
    """
    if eps < 0 or len(model) != 2 or not isinstance(model[1], nn.Linear):
        raise ValueError(f"wanted eps >= 0 and a Sequential of Flatten and Linear; got eps={eps!r} and {model}")
    logits, weight = model(x), model[1].weight
    norms = torch.cdist(weight, weight, p=1)  # ‖w_k − w_y‖₁
    leads = logits - logits.gather(1, y[:, None]) + eps * norms[y]
    return leads.logsumexp(1)  # y's own lead is 0
