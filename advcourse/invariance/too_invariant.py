"""Too invariant: images that have become another class within eps, on which a robust network keeps the old answer."""

import torch
from torch import Tensor

from advcourse.attacks.contract import check
from advcourse.attacks.geometry import project


def towards_another_class(x: Tensor, y: Tensor, x_train: Tensor, y_train: Tensor, *, eps: float, candidates: int = 100
                          ) -> tuple[Tensor, Tensor]:
    """Each image, changed as far towards an image of another class as eps allows; the model is not asked.

        x' = x + clip(t − x, −ε, ε),    t the one of the nearest images of other classes of which the least is missing

    x: images in [0, 1], shape (N, C, H, W). y: their labels, (N,).
    x_train, y_train: where t comes from. eps: the radius of the ℓ∞ ball, at least 0.
    candidates: how many of the nearest (ℓ2) images of other classes are tried, at least 1; fewer where there are fewer.
    Returns (x', new): images in [0, 1] and within eps of x, and the labels of their t, shape (N,). Whether x' shows the
        new class a person must say.
    Raises ValueError where an argument is not as said here, or an image has no other class in the training set.
    Cost: the distances of all pairs; no pass of a model.

    After Tramèr, Behrmann, Carlini, Papernot, Jacobsen, "Fundamental tradeoffs between invariance and sensitivity to
    adversarial perturbations", ICML 2020, who align the images first; that a network can ignore what makes
    the class: Jacobsen, Behrmann, Zemel, Bethge, "Excessive invariance causes adversarial vulnerability", ICLR 2019.
    """
    check(x, y, eps=eps, candidates=candidates)
    check(x_train, y_train)
    if not all((y_train != label).any() for label in y.unique()):
        raise ValueError("x_train must hold images of other classes than each of y's")
    distances = torch.cdist(x.flatten(1), x_train.flatten(1)).masked_fill(y[:, None] == y_train, torch.inf)
    nearest = distances.topk(min(candidates, len(x_train)), largest=False)
    blended, labels = [], []
    for image, rows, lengths in zip(x, nearest.indices, nearest.values, strict=True):
        others = x_train[rows[lengths < torch.inf]]
        inside = project(others, image.expand_as(others), eps, "linf")
        best = (others - inside).flatten(1).norm(dim=1).argmin()
        blended.append(inside[best])
        labels.append(y_train[rows[best]])
    return torch.stack(blended), torch.stack(labels)
