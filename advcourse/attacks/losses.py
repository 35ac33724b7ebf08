"""What attacks climb, and whether they have succeeded: one number per image, from logits of shape (N, K)."""

import math

import torch
from torch.nn import functional as F


def cross_entropy(logits, y):
    """−log softmax(logits)[y], shape (N,), as softplus(logsumexp(the other logits) − logit of y).

    The same number as F.cross_entropy, but without its 1 − p: where p is 1 up to rounding, which is where confident
    networks live, that difference is 0 and half of the gradient is lost; here it stays exact down to p = 1 − 1e-38.
    """
    true = logits.gather(1, y[:, None])[:, 0]
    others = logits.scatter(1, y[:, None], -math.inf).logsumexp(1)
    return F.softplus(others - true)


def margin(logits, y):
    """The logit of y minus the largest other one, shape (N,): negative where the model errs. Two equal infinities give
    0."""
    true = logits.gather(1, y[:, None])[:, 0]
    others = logits.scatter(1, y[:, None], -math.inf).amax(1)
    return torch.where((true == others) & true.isinf(), torch.zeros_like(true), true - others)


def smooth_margin(logits, y, temperature):
    """z_y − T log Σ_{k≠y} exp(z_k / T), shape (N,), for temperatures T > 0, shape (N,): never above the margin, and
    near it where T is small.

    The margin sees only the likeliest other class; this pulls at all of them that are within a few T of it. With T = 1
    it is the log odds of y, and its gradient points as that of the cross-entropy. On adversarially trained networks
    attacks come nearer by it.
    """
    true = logits.gather(1, y[:, None])[:, 0]
    others = logits.scatter(1, y[:, None], -math.inf)
    return true - temperature * (others / temperature[:, None]).logsumexp(1)


def an_eighth_of(margins):
    """A temperature for `smooth_margin` from margins, shape (N,), in either direction: so scaled logits change
    nothing."""
    return margins.abs().clamp_min(1e-6).nan_to_num(1, 1, 1) / 8


def fools(logits, y, targeted=False):
    """Where the attack has succeeded, shape (N,): the answer is not y; targeted: it is y. Never where a logit is
    nan."""
    answer = logits.argmax(1)
    return (answer == y if targeted else answer != y) & ~logits.isnan().any(1)
