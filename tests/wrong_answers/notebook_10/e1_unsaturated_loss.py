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


def loops_over_the_classes(logits, y):
    result = []
    for row, label in zip(logits, y.tolist(), strict=True):
        result.append(max(value for k, value in enumerate(row) if k != label) - row[label])
    return torch.stack(result)


WRONG = [
    (takes_the_true_one_first, "the sign is turned"),
    (keeps_the_true_class_among_the_others, "includes the true class"),
    (takes_the_cross_entropy, "which saturates"),
    (takes_probabilities, "you take probabilities"),
    (takes_the_mean_of_the_others, "not their mean"),
    (lowers_the_true_logit_only, "minus the true logit alone"),
    (stops_at_zero, "do not cut it off"),
    (gives_the_mean_over_the_batch, "a tensor of shape"),
]

RIGHT = [loops_over_the_classes]
