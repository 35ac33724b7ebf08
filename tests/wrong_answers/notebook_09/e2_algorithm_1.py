"""Plausible wrong answers to exercise 09.2, each with a part of the message that it should get, and right ones."""

import torch
from torch.nn import functional as F


def losses_of(model, x, x_adv, y):
    k = len(x_adv)
    return (F.cross_entropy(model(x[k:]), y[k:], reduction="none"),
            F.cross_entropy(model(x_adv), y[:k], reduction="none"))


def keeps_the_originals(model, x, x_adv, y, weight):
    k = len(x_adv)
    clean = F.cross_entropy(model(x), y, reduction="sum")
    attacked = F.cross_entropy(model(x_adv), y[:k], reduction="sum")
    return (clean + weight * attacked) / (len(x) + weight * k)


def keeps_the_originals_and_the_divisor(model, x, x_adv, y, weight):
    k = len(x_adv)
    clean = F.cross_entropy(model(x), y, reduction="sum")
    attacked = F.cross_entropy(model(x_adv), y[:k], reduction="sum")
    return (clean + weight * attacked) / (len(x) - k + weight * k)


def leaves_out_the_last(model, x, x_adv, y, weight):
    k, rest = len(x_adv), len(x) - len(x_adv)
    clean = F.cross_entropy(model(x[:rest]), y[:rest], reduction="sum")
    attacked = F.cross_entropy(model(x_adv), y[:k], reduction="sum")
    return (clean + weight * attacked) / (rest + weight * k)


def takes_the_last_labels(model, x, x_adv, y, weight):
    k = len(x_adv)
    clean = F.cross_entropy(model(x[k:]), y[k:], reduction="sum")
    attacked = F.cross_entropy(model(x_adv), y[-k:], reduction="sum")
    return (clean + weight * attacked) / (len(x) - k + weight * k)


def divides_by_m(model, x, x_adv, y, weight):
    clean, attacked = losses_of(model, x, x_adv, y)
    return (clean.sum() + weight * attacked.sum()) / len(x)


def adds_two_means(model, x, x_adv, y, weight):
    clean, attacked = losses_of(model, x, x_adv, y)
    return clean.mean() + weight * attacked.mean()


def does_not_divide(model, x, x_adv, y, weight):
    clean, attacked = losses_of(model, x, x_adv, y)
    return clean.sum() + weight * attacked.sum()


def weighs_the_clean_ones(model, x, x_adv, y, weight):
    clean, attacked = losses_of(model, x, x_adv, y)
    return (weight * clean.sum() + attacked.sum()) / (weight * len(clean) + len(attacked))


def ignores_the_weight(model, x, x_adv, y, weight):
    clean, attacked = losses_of(model, x, x_adv, y)
    return torch.cat([clean, attacked]).mean()


def weighs_only_the_divisor(model, x, x_adv, y, weight):
    clean, attacked = losses_of(model, x, x_adv, y)
    return (clean.sum() + attacked.sum()) / (len(clean) + weight * len(attacked))


def weighs_one_forward_pass(model, x, x_adv, y, weight):
    batch = torch.cat([x_adv, x[len(x_adv):]])
    weights = torch.ones(len(x), dtype=x.dtype)
    weights[:len(x_adv)] = weight
    log_p = model(batch).log_softmax(1)
    return -(weights * log_p[torch.arange(len(x)), y]).sum() / weights.sum()


WRONG = [
    (keeps_the_originals, "still take part"),
    (keeps_the_originals_and_the_divisor, "not counted in the divisor"),
    (leaves_out_the_last, "you left out the last k"),
    (takes_the_last_labels, "y[:k]"),
    (divides_by_m, "you divide by m"),
    (adds_two_means, "two means added up"),
    (does_not_divide, "it is not divided"),
    (weighs_the_clean_ones, "here it weighs the clean ones"),
    (ignores_the_weight, "λ has no effect"),
    (weighs_only_the_divisor, "missing in the numerator"),
]

RIGHT = [weighs_one_forward_pass]
