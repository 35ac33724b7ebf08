"""A linear filter for the worst case in which words are taken out of messages (Globerson and Roweis 2006, FDROP)."""

from collections.abc import Sequence

import numpy as np
import torch

from advcourse.randomness import seeded
from advcourse.text.characters import disguise
from advcourse.text.features import presence
from advcourse.text.filters import Labels, LinearFilter, linear
from advcourse.text.tokens import words


def robust_to_deletion(texts: Sequence[str], labels: Labels, deleted: int, *, decay: float = 1e-3, epochs: int = 8,
                       seed: int = 0) -> LinearFilter:
    """A linear filter trained on what is left of each message when the `deleted` words go that hurt most.

        min decay/2 · ‖w‖₂² + mean of max(0, 1 − y·(w·x + b) + the `deleted` largest of max(0, y·w_j·x_j)),   y = ±1

    With 0 it is an SVM, by the same optimiser: the control. Adam on batches of 64, with steps
    that shrink to nothing; Globerson and Roweis solve the
    quadratic program.
    """
    x, vocabulary = presence(texts)
    x = torch.from_numpy(x.toarray()).float()
    y = torch.from_numpy(2.0 * np.asarray(labels) - 1).float()
    weights, bias = torch.zeros(len(vocabulary), requires_grad=True), torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.Adam([weights, bias], lr=3e-2)
    slower = torch.optim.lr_scheduler.LinearLR(optimizer, 1, 0, total_iters=epochs)
    with seeded(seed):
        for _ in range(epochs):
            for batch in torch.randperm(len(x)).split(64):
                optimizer.zero_grad()
                loss = worst_case_hinge(x[batch], y[batch], weights, bias, deleted)
                (loss + decay / 2 * weights.square().sum()).backward()
                optimizer.step()
            slower.step()
    return linear(vocabulary, weights.tolist(), bias.item())


def worst_case_hinge(x: torch.Tensor, y: torch.Tensor, weights: torch.Tensor, bias: torch.Tensor,
                     deleted: int) -> torch.Tensor:
    """The loss of `robust_to_deletion`, its mean over a batch.

    x: zeros and ones, (N, V); y: −1 or 1, (N,); weights: (V,); bias: (1,).
    """
    help_of_each = (y[:, None] * weights * x).clamp(min=0)
    lost = help_of_each.topk(deleted, dim=1).values.sum(1)
    return (1 - y * (x @ weights + bias) + lost).clamp(min=0).mean()


def without_worst(judge: LinearFilter, text: str, count: int) -> str:
    """The text without its `count` tokens that weigh most towards spam: the attack that the filter was made for."""
    bad = sorted((word for word in words(text) if judge.weights.get(word, 0) > 0),
                 key=lambda word: (-judge.weights[word], word))  # fmt: skip
    return " ".join(disguise(text, bad[:count], lambda word: " ").split())
