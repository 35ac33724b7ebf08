"""What attacks climb, and whether they have succeeded: one number per image, from logits of shape (N, K)."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F


def cross_entropy(logits: Tensor, y: Tensor) -> Tensor:
    """−log softmax(logits)[y], shape (N,), as softplus(logsumexp(the other logits) − logit of y).

    The same number as F.cross_entropy, but without its 1 − p: where p is 1 up to rounding, which is where confident
    networks live, that difference is 0 and half of the gradient is lost; here it stays exact down to p = 1 − 1e-38.
    """
    true = logits.gather(1, y[:, None])[:, 0]
    others = logits.scatter(1, y[:, None], -math.inf).logsumexp(1)
    return F.softplus(others - true)


def margin(logits: Tensor, y: Tensor) -> Tensor:
    """The logit of y minus the largest other one, shape (N,): negative where the model errs; 0 for equal infinities."""
    true = logits.gather(1, y[:, None])[:, 0]
    others = logits.scatter(1, y[:, None], -math.inf).amax(1)
    return torch.where((true == others) & true.isinf(), torch.zeros_like(true), true - others)


def smooth_margin(logits: Tensor, y: Tensor, temperature: Tensor) -> Tensor:
    """z_y − T log Σ_{k≠y} exp(z_k / T), shape (N,), for temperatures T > 0, shape (N,); never above the margin.

    The smaller T, the closer to the margin, which sees only the likeliest other class; this pulls at all that are
    within a few T of it. With T = 1 it is the log odds of y, and its gradient points as that of the cross-entropy.
    On adversarially trained networks attacks find smaller changes with it.
    """
    true = logits.gather(1, y[:, None])[:, 0]
    others = logits.scatter(1, y[:, None], -math.inf)
    return true - temperature * (others / temperature[:, None]).logsumexp(1)


def an_eighth_of(margins: Tensor) -> Tensor:
    """Temperatures for `smooth_margin` from margins of either sign, shape (N,): they scale as the logits do."""
    return margins.abs().clamp_min(1e-6).nan_to_num(1, 1, 1) / 8


def fools(logits: Tensor, y: Tensor, targeted: bool = False) -> Tensor:
    """Where the attack has succeeded, shape (N,): the answer is not y (targeted: is y), and no logit is nan."""
    answer = logits.argmax(1)
    return (answer == y if targeted else answer != y) & ~logits.isnan().any(1)


def shortfall(logits: Tensor, y: Tensor, *, targeted: bool = False, confidence: float = 0.0) -> Tensor:
    """How many logits the attack lacks, shape (N,), to lead by `confidence`: 0 or less where it has succeeded."""
    return (-1 if targeted else 1) * margin(logits, y) + confidence
