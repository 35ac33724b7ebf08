"""Virtual support vectors: only what lies at the boundary is moved about, and the machine is trained once more."""

from collections.abc import Sequence

import torch
from sklearn.base import clone
from sklearn.svm import SVC
from torch import Tensor

from advcourse.invariance.shifts import NEIGHBOURS, shift_all


def virtual_examples(x: Tensor, y: Tensor, support: Tensor, shifts: Sequence[tuple[int, int]] = NEIGHBOURS
                     ) -> tuple[Tensor, Tensor]:
    """The support vectors, then all of them moved by the first shift, then by the second, and so on.

    x: images, shape (N, C, H, W). y: their labels, (N,). support: the rows of x that are support vectors, (S,), int64.
    shifts: (right, down) in pixels.
    Returns (images, labels), S · (1 + number of shifts) of each.
    """
    kept, labels = x[support], y[support]
    return torch.cat([kept, *(shift_all(kept, *move) for move in shifts)]), labels.repeat(1 + len(shifts))


def virtual_svm(svm: SVC, x: Tensor, y: Tensor, shifts: Sequence[tuple[int, int]] = NEIGHBOURS) -> SVC:
    """A support vector machine, trained anew on the support vectors of a trained one and on their shifts.

    svm: fitted on the flat images x. x: images, shape (N, C, H, W). y: their labels, (N,). shifts: (right, down) in
        pixels.
    Returns another SVC with the same parameters, fitted.
    Raises ValueError where svm is not fitted.
    Cost: one training on S · (1 + number of shifts) images, S the support vectors.

    Schölkopf, Burges, Vapnik, "Incorporating invariances in support vector learning machines", ICANN 1996.
    """
    if not hasattr(svm, "support_"):
        raise ValueError("svm has no support vectors: fit it on x and y first")
    images, labels = virtual_examples(x, y, torch.from_numpy(svm.support_).long(), shifts)
    return clone(svm).fit(images.flatten(1).numpy(), labels.numpy())
