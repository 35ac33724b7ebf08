"""Plausible wrong answers to exercise 08.6, each with a part of the message that it should get, and right ones."""

import torch
from torch.nn import functional as F

from advcourse.exercises.notebook_08.e6_ensemble_loss import ensemble_loss


def losses(models, x, y):
    return torch.stack([F.cross_entropy(model(x), y, reduction="none") for model in models])


def averages_the_losses(**probe):
    return losses(**probe).mean(0)


def adds_up_the_losses(**probe):
    return losses(**probe).sum(0)


def averages_the_logits(models, x, y):
    return F.cross_entropy(sum(model(x) for model in models) / len(models), y, reduction="none")


def gives_probabilities_to_cross_entropy(models, x, y):
    return F.cross_entropy(sum(model(x).softmax(1) for model in models) / len(models), y, reduction="none")


def forgets_the_minus(**probe):
    return -ensemble_loss(**probe)


def forgets_the_logarithm(models, x, y):
    return (sum(model(x).softmax(1) for model in models) / len(models))[torch.arange(len(y)), y]


def forgets_to_divide(models, x, y):
    return -sum(model(x).softmax(1) for model in models)[torch.arange(len(y)), y].log()


def returns_in_the_loop(models, x, y):
    for model in models:
        return -model(x).softmax(1)[torch.arange(len(y)), y].log()


def overwrites_in_the_loop(models, x, y):
    for model in models:
        loss = -model(x).softmax(1)[torch.arange(len(y)), y].log()
    return loss


def takes_the_worst(**probe):
    return losses(**probe).amax(0)


def gives_the_mean_over_images(**probe):
    return ensemble_loss(**probe).mean()


def takes_the_logsumexp(models, x, y):
    each = torch.stack([model(x).log_softmax(1)[torch.arange(len(y)), y] for model in models])
    return torch.log(torch.tensor(float(len(models)), dtype=each.dtype)) - each.logsumexp(0)


WRONG = [
    (averages_the_losses, "the logarithm last"),
    (adds_up_the_losses, "the sum of the models' losses"),
    (averages_the_logits, "you average the logits"),
    (gives_probabilities_to_cross_entropy, "another softmax"),
    (forgets_the_minus, "the minus is missing"),
    (forgets_the_logarithm, "the probability itself"),
    (forgets_to_divide, "divide by the number of models"),
    (returns_in_the_loop, "only the first model"),
    (overwrites_in_the_loop, "only the last model"),
    (takes_the_worst, "the largest loss"),
    (gives_the_mean_over_images, "a tensor of shape"),
]

RIGHT = [takes_the_logsumexp]
