"""Plausible wrong answers to exercise 03.1, each with a part of the message that it should get, and right ones."""

import torch
from torch.nn import functional as F

from advcourse.exercises.probes import loss_gradient


def always_goes_up(model, x, y, eps, targeted):
    return (x + eps * loss_gradient(model, x, y).sign()).clamp(0, 1)


def always_goes_down(model, x, y, eps, targeted):
    return (x - eps * loss_gradient(model, x, y).sign()).clamp(0, 1)


def swaps_the_signs(model, x, y, eps, targeted):
    sign = 1 if targeted else -1
    return (x + sign * eps * loss_gradient(model, x, y).sign()).clamp(0, 1)


def forgets_to_clip(model, x, y, eps, targeted):
    sign = -1 if targeted else 1
    return x + sign * eps * loss_gradient(model, x, y).sign()


def flees_the_prediction(model, x, y, eps, targeted):
    return (x + eps * loss_gradient(model, x, model(x).argmax(1)).sign()).clamp(0, 1)


def forgets_the_sign(model, x, y, eps, targeted):
    sign = -1 if targeted else 1
    return (x + sign * (eps * loss_gradient(model, x, y)).clamp(-eps, eps)).clamp(0, 1)


def steps_a_unit_length(model, x, y, eps, targeted):
    sign, gradient = -1 if targeted else 1, loss_gradient(model, x, y)
    return (x + sign * eps * gradient / gradient.flatten(1).norm(dim=1).view(-1, 1, 1, 1)).clamp(0, 1)


def returns_the_step(model, x, y, eps, targeted):
    return (-eps if targeted else eps) * loss_gradient(model, x, y).sign()


def halves_the_step(model, x, y, eps, targeted):
    return (x + (-1 if targeted else 1) * eps / 2 * loss_gradient(model, x, y).sign()).clamp(0, 1)


def one_step_by_backward(model, x, y, eps, targeted):
    start = x.detach().clone().requires_grad_(True)
    loss = F.nll_loss(model(start).log_softmax(1), y)
    (-loss if targeted else loss).backward()
    with torch.no_grad():
        return torch.clamp(x + eps * start.grad.sign(), 0, 1)


WRONG = [
    (always_goes_up, "go down its loss"),
    (always_goes_down, "go up, which means to add"),
    (swaps_the_signs, "go up, which means to add"),
    (forgets_to_clip, "Clip to [0, 1]"),
    (flees_the_prediction, "what the model says now"),
    (forgets_the_sign, "take its sign"),
    (steps_a_unit_length, "Euclidean length ε"),
    (returns_the_step, "leaves the ε-ball"),
    (halves_the_step, "half a step"),
]

RIGHT = [one_step_by_backward]
