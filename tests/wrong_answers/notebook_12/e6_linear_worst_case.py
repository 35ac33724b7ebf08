"""Plausible wrong answers to exercise 12.6, each with a part of the message that it should get, and right ones."""

import torch
from torch.nn import functional as F


def margins(weight, bias, x, y):
    return y * (x.flatten(1) @ weight + bias)


def changes_nothing(weight, bias, x, y, eps):
    return F.softplus(-margins(weight, bias, x, y))


def takes_the_euclidean_norm(weight, bias, x, y, eps):
    return F.softplus(eps * weight.norm() - margins(weight, bias, x, y))


def takes_the_largest_weight(weight, bias, x, y, eps):
    return F.softplus(eps * weight.abs().max() - margins(weight, bias, x, y))


def helps(weight, bias, x, y, eps):
    return F.softplus(-margins(weight, bias, x, y) - eps * weight.abs().sum())


def forgets_the_absolute_value(weight, bias, x, y, eps):
    return F.softplus(eps * weight.sum() - margins(weight, bias, x, y))


def forgets_the_bias(weight, bias, x, y, eps):
    return F.softplus(eps * weight.abs().sum() - margins(weight, 0, x, y))


def adds_outside(weight, bias, x, y, eps):
    return F.softplus(-margins(weight, bias, x, y)) + eps * weight.abs().sum()


def forgets_the_labels(weight, bias, x, y, eps):
    return F.softplus(eps * weight.abs().sum() - margins(weight, bias, x, 1))


def lets_one_class_win(weight, bias, x, y, eps):
    return F.softplus(-y * (x.flatten(1) @ weight + bias - eps * weight.abs().sum()))


def takes_the_hinge(weight, bias, x, y, eps):
    return F.relu(1 - margins(weight, bias, x, y) + eps * weight.abs().sum())


def returns_the_margin(weight, bias, x, y, eps):
    return margins(weight, bias, x, y) - eps * weight.abs().sum()


def turns_the_margin_round(weight, bias, x, y, eps):
    return F.softplus(margins(weight, bias, x, y) - eps * weight.abs().sum())


def forgets_eps(weight, bias, x, y, eps):
    return F.softplus(weight.abs().sum() - margins(weight, bias, x, y))


def averages_the_weights(weight, bias, x, y, eps):
    return F.softplus(eps * weight.abs().mean() - margins(weight, bias, x, y))


def averages_over_the_images(weight, bias, x, y, eps):
    return F.softplus(eps * weight.abs().sum() - margins(weight, bias, x, y)).mean()


def forgets_to_flatten(weight, bias, x, y, eps):
    return F.softplus(eps * weight.abs().sum() - y * (x @ weight + bias))


def attacks_by_fgsm(weight, bias, x, y, eps):
    image = x.flatten(1).clone().requires_grad_()
    gradient, = torch.autograd.grad(F.softplus(-y * (image @ weight + bias)).sum(), image)
    worst = image.detach() + eps * gradient.sign()
    return F.softplus(-y * (worst @ weight + bias))


def writes_the_logarithm(weight, bias, x, y, eps):
    return torch.log1p(torch.exp(eps * torch.linalg.norm(weight, 1) - margins(weight, bias, x, y)))


def takes_the_binary_cross_entropy(weight, bias, x, y, eps):
    score = x.flatten(1).double() @ weight.double() + bias - y * eps * weight.abs().sum().double()
    return F.binary_cross_entropy_with_logits(score, (y.double() + 1) / 2, reduction="none")


def goes_image_by_image(weight, bias, x, y, eps):
    change = eps * sum(abs(w) for w in weight.tolist())
    return [-F.logsigmoid(label * ((image.flatten() * weight).sum() + bias) - change).item()
            for image, label in zip(x, y, strict=True)]


WRONG = [
    (changes_nothing, "the loss without a change"),
    (takes_the_euclidean_norm, "the worst of an ℓ2 ball"),
    (takes_the_largest_weight, "the worst of an ℓ1 ball"),
    (helps, "the change that helps most"),
    (forgets_the_absolute_value, "as if every pixel went up"),
    (forgets_the_bias, "the bias is missing"),
    (adds_outside, "inside the loss"),
    (forgets_the_labels, "the labels are not used"),
    (lets_one_class_win, "both classes lose by it"),
    (takes_the_hinge, "the hinge loss"),
    (returns_the_margin, "the smallest margin itself"),
    (turns_the_margin_round, "the wrong sign inside the loss"),
    (forgets_eps, "ε is missing"),
    (averages_the_weights, "it is a sum, not a mean"),
    (averages_over_the_images, "a tensor of shape (9,)"),
    (forgets_to_flatten, "your function raises"),
]

RIGHT = [attacks_by_fgsm, writes_the_logarithm, takes_the_binary_cross_entropy, goes_image_by_image]
