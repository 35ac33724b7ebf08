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


def takes_the_size(logits, target, kappa):
    wanted, others = parts(logits, target)
    return (others - wanted).abs()


def takes_the_smaller(logits, target, kappa):
    wanted, others = parts(logits, target)
    return torch.minimum(others - wanted, torch.full_like(wanted, -kappa))


def adds_up_the_others(logits, target, kappa):
    wanted, _ = parts(logits, target)
    return (logits.sum(1) - wanted - wanted).clamp(min=-kappa)


def averages_the_others(logits, target, kappa):
    others = F.one_hot(target, logits.shape[1]) == 0
    return (logits[others].view(len(logits), -1).mean(1) - parts(logits, target)[0]).clamp(min=-kappa)


def detaches_the_others(logits, target, kappa):
    wanted, others = parts(logits, target)
    return (others.detach() - wanted).clamp(min=-kappa)


def detaches_the_target(logits, target, kappa):
    wanted, others = parts(logits, target)
    return (others - wanted.detach()).clamp(min=-kappa)


def detaches_everything(logits, target, kappa):
    wanted, others = parts(logits, target)
    return torch.tensor([max(a - b, -kappa) for a, b in zip(others.tolist(), wanted.tolist(), strict=True)])


def writes_into_the_logits(logits, target, kappa):
    rows = torch.arange(len(logits))
    wanted = logits[rows, target].clone()
    logits.data[rows, target] = -math.inf
    return (logits.amax(1) - wanted).clamp(min=-kappa)


def copies_the_logits(logits, target, kappa):
    return cw_loss(logits.detach().clone(), target, kappa)


def masks_as_the_authors_do(logits, target, kappa):
    one_hot = F.one_hot(target, logits.shape[1]).to(logits.dtype)
    real = (one_hot * logits).sum(1)
    other = ((1 - one_hot) * logits - one_hot * 10000).max(1)[0]
    return torch.clamp(other - real, min=-kappa)


def leaves_the_target_out_image_by_image(logits, target, kappa):
    losses = []
    for row, t in zip(logits, target.tolist(), strict=True):
        others = torch.cat([row[:t], row[t + 1:]])
        losses.append(torch.clamp(others.max() - row[t], min=-kappa))
    return losses


def works_on_a_copy_in_place(logits, target, kappa):
    rows, masked = torch.arange(len(logits)), logits.clone()
    masked[rows, target] = -math.inf
    return F.relu(masked.max(dim=1).values - logits[rows, target] + kappa) - kappa


def subtracts_log_probabilities(logits, target, kappa):
    p = logits.double().log_softmax(1)
    others = p.masked_fill(F.one_hot(target, p.shape[1]).bool(), -1e9).max(1).values
    return torch.maximum(others - p.gather(1, target[:, None])[:, 0], torch.tensor(-float(kappa)))


def puts_minus_a_hundred_there(logits, target, kappa):
    others = logits.clone()
    others[torch.arange(len(target)), target] = -100.0
    return (others.amax(1) - logits.gather(1, target[:, None])[:, 0]).clamp(min=-kappa)


WRONG = [
    (puts_minus_a_hundred_there, "a −100 stands in the target's place"),
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
    (takes_the_size, "take no absolute value"),
    (takes_the_smaller, "you take the smaller"),
    (adds_up_the_others, "you add up all the other logits"),
    (averages_the_others, "the mean of the other logits"),
    (detaches_the_others, "the others are cut off"),
    (detaches_the_target, "the target is cut off"),
    (detaches_everything, "has no gradient"),
    (writes_into_the_logits, "in place"),
    (copies_the_logits, "has no gradient"),
]

RIGHT = [
    compares_by_sorting,
    masks_as_the_authors_do,
    leaves_the_target_out_image_by_image,
    works_on_a_copy_in_place,
    subtracts_log_probabilities,
]
