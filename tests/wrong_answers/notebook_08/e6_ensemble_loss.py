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


def takes_nll_of_probabilities(models, x, y):
    return F.nll_loss(sum(model(x).softmax(1) for model in models) / len(models), y, reduction="none")


def gives_one_minus_the_probability(models, x, y):
    return 1 - forgets_the_logarithm(models, x, y)


def takes_the_softmax_over_the_images(models, x, y):
    return -(sum(model(x).softmax(0) for model in models) / len(models))[torch.arange(len(y)), y].log()


def takes_the_likeliest_class(models, x, y):
    return -(sum(model(x).softmax(1) for model in models) / len(models)).max(1).values.log()


def takes_the_squared_error(models, x, y):
    probabilities = sum(model(x).softmax(1) for model in models) / len(models)
    return (probabilities - F.one_hot(y, probabilities.shape[1])).square().sum(1)


def detaches_the_loss(**probe):
    return ensemble_loss(**probe).detach()


def detaches_all_but_the_first(models, x, y):
    first, *others = models
    with torch.no_grad():
        known = sum(model(x).softmax(1) for model in others)
    return -((first(x).softmax(1) + known) / len(models)).gather(1, y[:, None])[:, 0].log()


def collects_numbers(models, x, y):
    return torch.tensor([value.item() for value in ensemble_loss(models, x, y)])


def uses_nll_loss(models, x, y):
    probabilities = sum(F.softmax(model(x), dim=-1) for model in models) / len(models)
    return F.nll_loss((probabilities + 1e-12).log(), y, reduction="none").double()


def goes_image_by_image(models, x, y):
    rows = []
    for image, label in zip(x, y, strict=True):
        probability = sum(model(image[None]).softmax(1)[0, label] for model in models) / len(models)
        rows.append(-torch.log(probability + 1e-8))
    return rows


def keeps_away_from_zero(models, x, y):
    probabilities = [(model(x).softmax(1) + 1e-8).clamp(1e-8, 1) for model in models]
    return -(sum(probabilities) / (len(models) + 1e-12)).gather(1, y[:, None])[:, 0].log()


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
    (takes_nll_of_probabilities, "`F.nll_loss` wants logarithms"),
    (gives_one_minus_the_probability, "one minus the probability"),
    (takes_the_softmax_over_the_images, "over the images, `dim=0`"),
    (takes_the_likeliest_class, "find likeliest"),
    (takes_the_squared_error, "the squared error"),
    (detaches_the_loss, "your loss has no gradient"),
    (detaches_all_but_the_first, "only the first model has a gradient"),
    (collects_numbers, "your loss has no gradient"),
]

RIGHT = [keeps_away_from_zero, takes_the_logsumexp, uses_nll_loss, goes_image_by_image]
