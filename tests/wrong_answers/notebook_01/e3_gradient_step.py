"""Plausible wrong answers to exercise 01.3, each with a part of the message that it should get, and right ones."""

import torch
from torch.nn import functional as F

from advcourse.exercises.probes import loss_gradient


def goes_down(model, x, y, eps):
    return (x - eps * loss_gradient(model, x, y).sign()).clamp(0, 1)


def steps_without_sign(model, x, y, eps):
    return (x + eps * loss_gradient(model, x, y)).clamp(x - eps, x + eps).clamp(0, 1)


def takes_the_mean_gradient_without_sign(model, x, y, eps):
    return (x + eps * loss_gradient(model, x, y) / len(x)).clamp(x - eps, x + eps).clamp(0, 1)


def steps_a_unit_length(model, x, y, eps):
    gradient = loss_gradient(model, x, y)
    return (x + eps * gradient / gradient.flatten(1).norm(dim=1).view(-1, 1, 1, 1)).clamp(0, 1)


def forgets_to_clip(model, x, y, eps):
    return x + eps * loss_gradient(model, x, y).sign()


def returns_the_step(model, x, y, eps):
    return eps * loss_gradient(model, x, y).sign()


def uses_the_prediction(model, x, y, eps):
    return (x + eps * loss_gradient(model, x, model(x).argmax(1)).sign()).clamp(0, 1)


def steps_twice(model, x, y, eps):
    for _ in range(2):
        x = (x + eps * loss_gradient(model, x, y).sign()).clamp(0, 1)
    return x


def tosses_coins(model, x, y, eps):
    return (x + eps * torch.randn_like(x).sign()).clamp(0, 1)


def forgets_requires_grad(model, x, y, eps):
    loss = F.cross_entropy(model(x), y)
    return x + eps * torch.autograd.grad(loss, x)[0].sign()


def steps_by_backward(model, x, y, eps):
    x_adv = x.detach().clone().requires_grad_(True)
    F.nll_loss(model(x_adv).log_softmax(1), y, reduction="mean").backward()
    with torch.no_grad():
        return torch.clamp(x + eps * torch.sign(x_adv.grad), 0, 1)


WRONG = [
    (goes_down, "goes uphill"),
    (steps_without_sign, "take its sign"),
    (takes_the_mean_gradient_without_sign, "pixels hardly move"),
    (steps_a_unit_length, "Euclidean length ε"),
    (forgets_to_clip, "Clip to [0, 1]"),
    (returns_the_step, "leaves the ε-ball"),
    (uses_the_prediction, "the model's own prediction"),
    (steps_twice, "leaves the ε-ball"),
    (tosses_coins, "not what the formula gives"),
    (forgets_requires_grad, "does not require grad"),
]

RIGHT = [steps_by_backward]
