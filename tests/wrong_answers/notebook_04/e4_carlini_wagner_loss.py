"""Plausible wrong answers to exercise 04.4, each with a part of the message that it should get, and right ones."""

import math

import torch
from torch.nn import functional as F

from advcourse.exercises.notebook_04.e4_carlini_wagner_loss import cw_loss


def parts(logits, target):
    return logits.gather(1, target[:, None])[:, 0], logits.scatter(1, target[:, None], -math.inf).amax(1)


def has_no_floor(logits, target, kappa):
    wanted, others = parts(logits, target)
    return others - wanted


def ignores_kappa(logits, target, kappa):
    wanted, others = parts(logits, target)
    return F.relu(others - wanted)


def puts_the_floor_above(logits, target, kappa):
    wanted, others = parts(logits, target)
    return (others - wanted).clamp(min=kappa)


def adds_kappa(logits, target, kappa):
    wanted, others = parts(logits, target)
    return F.relu(others - wanted + kappa)


def keeps_the_target_in(logits, target, kappa):
    return (logits.amax(1) - logits.gather(1, target[:, None])[:, 0]).clamp(min=-kappa)


def reverses_the_sign(logits, target, kappa):
    wanted, others = parts(logits, target)
    return (wanted - others).clamp(min=-kappa)


def masks_with_zero(logits, target, kappa):
    one_hot = F.one_hot(target, logits.shape[1])
    return (((1 - one_hot) * logits).amax(1) - (one_hot * logits).sum(1)).clamp(min=-kappa)


def works_on_probabilities(logits, target, kappa):
    wanted, others = parts(logits.softmax(1), target)
    return (others - wanted).clamp(min=-kappa)


def takes_cross_entropy(logits, target, kappa):
    return F.cross_entropy(logits, target, reduction="none")


def averages(logits, target, kappa):
    return cw_loss(logits, target, kappa).mean()


def compares_by_sorting(logits, target, kappa):
    rows = torch.arange(len(logits))
    order = logits.topk(2, dim=1)
    other = torch.where(order.indices[:, 0] == target, order.values[:, 1], order.values[:, 0])
    return torch.maximum(other - logits[rows, target], torch.full_like(other, -kappa))


WRONG = [
    (has_no_floor, "falling for ever"),
    (ignores_kappa, "κ has no effect"),
    (puts_the_floor_above, "the floor is at +κ"),
    (adds_kappa, "plus κ"),
    (keeps_the_target_in, "leave the target out of the maximum"),
    (reverses_the_sign, "the sign is reversed"),
    (masks_with_zero, "a 0 stands in the target's place"),
    (works_on_probabilities, "probabilities"),
    (takes_cross_entropy, "cross-entropy"),
    (averages, "a tensor of shape"),
]

RIGHT = [compares_by_sorting]
