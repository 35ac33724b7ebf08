"""Plausible wrong answers to exercise 10.2, each with a part of the message that it should get, and right ones."""

import torch
from torch.nn import functional as F

from advcourse.exercises.notebook_10.e2_through_a_staircase import gradient_at, straight_through_gradient


def takes_the_true_gradient(model, transform, x, y):
    x = x.clone().requires_grad_()
    loss = F.cross_entropy(model(transform(x) + 0 * x), y, reduction="sum")  # 0 * x: else autograd finds no path at all
    return torch.autograd.grad(loss, x)[0]


def forgets_the_transform(model, transform, x, y):
    return gradient_at(model, x, y)


def divides_by_the_batch(model, transform, x, y):
    return gradient_at(model, transform(x), y, "mean")


def takes_the_sign(model, transform, x, y):
    return straight_through_gradient(model, transform, x, y).sign()


def goes_down(model, transform, x, y):
    return -straight_through_gradient(model, transform, x, y)


def multiplies_by_the_image(model, transform, x, y):
    return straight_through_gradient(model, transform, x, y) * transform(x)


def asks_the_model_for_labels(model, transform, x, y):
    return gradient_at(model, transform(x), model(transform(x)).argmax(1))


def differentiates_the_transform(model, transform, x, y):
    x = x.clone().requires_grad_()
    return torch.autograd.grad(F.cross_entropy(model(transform(x).requires_grad_()), y, reduction="sum"), x)[0]


def gives_the_loss(model, transform, x, y):
    return F.cross_entropy(model(transform(x)), y, reduction="none")


def adds_the_difference_detached(model, transform, x, y):
    x = x.clone().requires_grad_()
    z = x + (transform(x) - x).detach()
    F.cross_entropy(model(z), y, reduction="sum").backward()
    return x.grad


WRONG = [
    (takes_the_true_gradient, "the true gradient of a staircase"),
    (forgets_the_transform, "you forget the transform"),
    (divides_by_the_batch, "divided by the number of images"),
    (takes_the_sign, "you give the sign"),
    (goes_down, "the sign is turned"),
    (multiplies_by_the_image, "the derivative of the identity is 1"),
    (asks_the_model_for_labels, "use the labels y"),
    (differentiates_the_transform, "raises"),
    (gives_the_loss, "a tensor of shape"),
]

RIGHT = [adds_the_difference_detached]
