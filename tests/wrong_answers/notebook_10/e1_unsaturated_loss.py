"""Plausible wrong answers to exercise 10.1, each with a part of the message that it should get, and right ones."""

import torch
from torch.nn import functional as F

from advcourse.exercises.notebook_10.e1_unsaturated_loss import lead


def takes_the_true_one_first(logits, y):
    return -lead(logits, y)


def keeps_the_true_class_among_the_others(logits, y):
    return logits.max(1).values - logits[torch.arange(len(y)), y]


def takes_the_cross_entropy(logits, y):
    return F.cross_entropy(logits, y, reduction="none")


def takes_probabilities(logits, y):
    return lead(logits.softmax(1), y)


def takes_the_mean_of_the_others(logits, y):
    true = logits.gather(1, y[:, None])[:, 0]
    return (logits.sum(1) - true) / (logits.shape[1] - 1) - true


def lowers_the_true_logit_only(logits, y):
    return -logits.gather(1, y[:, None])[:, 0]


def stops_at_zero(logits, y):
    return F.relu(lead(logits, y))


def gives_the_mean_over_the_batch(logits, y):
    return lead(logits, y).mean()


def sets_the_true_logit_to_zero(logits, y):
    others = logits.clone()
    others[torch.arange(len(y)), y] = 0
    return others.max(1).values - logits[torch.arange(len(y)), y]


def multiplies_the_true_logit_away(logits, y):
    is_true = F.one_hot(y, logits.shape[1])
    return ((1 - is_true) * logits).amax(1) - (is_true * logits).sum(1)


def sets_the_true_logit_to_minus_one(logits, y):
    return logits.scatter(1, y[:, None], -1.0).amax(1) - logits.gather(1, y[:, None])[:, 0]


def takes_the_maximum_over_the_images(logits, y):
    return logits.max(0).values[y] - logits.gather(1, y[:, None])[:, 0]


def forgets_to_subtract(logits, y):
    return logits.scatter(1, y[:, None], -torch.inf).amax(1)


def takes_the_cross_entropy_of_probabilities(logits, y):
    return F.cross_entropy(logits.softmax(1), y, reduction="none")


def takes_the_size(logits, y):
    return lead(logits, y).abs()


def compares_the_two_largest(logits, y):
    first, second = logits.topk(2).values.T
    return second - first


def detaches_the_result(logits, y):
    return lead(logits, y).detach()


def takes_the_true_one_as_numbers(logits, y):
    true = torch.tensor([row[label].item() for row, label in zip(logits, y, strict=True)])
    return logits.scatter(1, y[:, None], -torch.inf).amax(1) - true


def detaches_the_others(logits, y):
    return logits.detach().scatter(1, y[:, None], -torch.inf).amax(1) - logits.gather(1, y[:, None])[:, 0]


def overwrites_the_logits(logits, y):
    true = logits.gather(1, y[:, None])[:, 0].clone()
    logits.data[torch.arange(len(y)), y] = -torch.inf
    return logits.amax(1) - true


def subtracts_ten_thousand(logits, y):  # as Carlini and Wagner's code does
    is_true = F.one_hot(y, logits.shape[1])
    return (logits - 1e4 * is_true).amax(1) - (logits * is_true).sum(1)


def takes_the_logarithm_of_probabilities(logits, y):  # of which the normalisation cancels
    log_p = logits.log_softmax(1)
    return log_p.scatter(1, y[:, None], -torch.inf).amax(1) - log_p.gather(1, y[:, None])[:, 0]


def picks_from_the_two_largest(logits, y):
    values, places = logits.topk(2, dim=1)
    others = torch.where(places[:, 0] == y, values[:, 1], values[:, 0])
    return others - logits[torch.arange(len(y)), y]


def fills_a_mask_in_float64(logits, y):
    others = logits.double().clone()
    others.masked_fill_(F.one_hot(y, logits.shape[1]).bool(), -1e9)
    return others.max(dim=1).values - logits.double()[range(len(y)), y]


def loops_over_the_classes(logits, y):
    result = []
    for row, label in zip(logits, y.tolist(), strict=True):
        result.append(max(value for k, value in enumerate(row) if k != label) - row[label])
    return torch.stack(result)


def sets_the_true_logit_to_minus_a_hundred(logits, y):
    return logits.scatter(1, y[:, None], -100.0).amax(1) - logits.gather(1, y[:, None])[:, 0]


def sets_the_true_logit_to_minus_a_thousand(logits, y):
    return logits.scatter(1, y[:, None], -1e3).amax(1) - logits.gather(1, y[:, None])[:, 0]


def adds_seven(logits, y):
    return 7 + lead(logits, y)


WRONG = [
    (sets_the_true_logit_to_minus_a_hundred, "is set to −100 "),
    (sets_the_true_logit_to_minus_a_thousand, "is set to −1000 "),
    (adds_seven, "not what the formula gives"),
    (takes_the_true_one_first, "the sign is turned"),
    (keeps_the_true_class_among_the_others, "includes the true class"),
    (takes_the_cross_entropy, "which saturates"),
    (takes_probabilities, "you take probabilities"),
    (takes_the_mean_of_the_others, "not their mean"),
    (lowers_the_true_logit_only, "minus the true logit alone"),
    (stops_at_zero, "or is cut off at 0"),
    (gives_the_mean_over_the_batch, "a tensor of shape"),
    (sets_the_true_logit_to_zero, "is set to 0"),
    (multiplies_the_true_logit_away, "is set to 0"),
    (sets_the_true_logit_to_minus_one, "is set to −1"),
    (takes_the_maximum_over_the_images, "goes over the images"),
    (forgets_to_subtract, "subtract the true one"),
    (takes_the_cross_entropy_of_probabilities, "which saturates twice"),
    (takes_the_size, "without its sign"),
    (compares_the_two_largest, "whatever y is"),
    (detaches_the_result, "your loss has no gradient"),
    (takes_the_true_one_as_numbers, "through the true logit"),
    (detaches_the_others, "through the other logits"),
    (overwrites_the_logits, "changes `logits` in place"),
]

RIGHT = [loops_over_the_classes, subtracts_ten_thousand, takes_the_logarithm_of_probabilities,
         picks_from_the_two_largest, fills_a_mask_in_float64]
