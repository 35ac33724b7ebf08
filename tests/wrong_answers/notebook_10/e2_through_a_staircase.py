"""Plausible wrong answers to exercise 10.2, each with a part of the message that it should get, and right ones."""

import torch
from torch.nn import functional as F

from advcourse.exercises.notebook_10.e2_through_a_staircase import straight_through_gradient
from advcourse.exercises.probes import loss_gradient, score_gradient, unit


def takes_the_true_gradient(model, transform, x, y):
    x = x.clone().requires_grad_()
    loss = F.cross_entropy(model(transform(x) + 0 * x), y, reduction="sum")  # 0 * x: else autograd finds no path at all
    return torch.autograd.grad(loss, x)[0]


def forgets_the_transform(model, transform, x, y):
    return loss_gradient(model, x, y)


def divides_by_the_batch(model, transform, x, y):
    return loss_gradient(model, transform(x), y) / len(x)


def takes_the_sign(model, transform, x, y):
    return straight_through_gradient(model, transform, x, y).sign()


def goes_down(model, transform, x, y):
    return -straight_through_gradient(model, transform, x, y)


def multiplies_by_the_image(model, transform, x, y):
    return straight_through_gradient(model, transform, x, y) * transform(x)


def asks_the_model_for_labels(model, transform, x, y):
    return loss_gradient(model, transform(x), model(transform(x)).argmax(1))


def differentiates_the_transform(model, transform, x, y):
    x = x.clone().requires_grad_()
    return torch.autograd.grad(F.cross_entropy(model(transform(x).requires_grad_()), y, reduction="sum"), x)[0]


def gives_the_loss(model, transform, x, y):
    return F.cross_entropy(model(transform(x)), y, reduction="none")


def takes_the_step(model, transform, x, y):
    return x + straight_through_gradient(model, transform, x, y)


def divides_by_the_length(model, transform, x, y):
    return unit(straight_through_gradient(model, transform, x, y))


def adds_the_transform_to_the_image(model, transform, x, y):
    x = x.clone().requires_grad_()
    return torch.autograd.grad(F.cross_entropy(model(x + transform(x).detach()), y, reduction="sum"), x)[0]


def transforms_twice(model, transform, x, y):
    return loss_gradient(model, transform(transform(x)), y)


def transforms_the_gradient(model, transform, x, y):
    return transform(loss_gradient(model, x, y))


def follows_the_logit(model, transform, x, y):
    return score_gradient(model, transform(x), y)


def takes_the_softmax_first(model, transform, x, y):
    return straight_through_gradient(lambda z: model(z).softmax(1), transform, x, y)


def takes_a_squared_error(model, transform, x, y):
    z = transform(x).requires_grad_()
    return torch.autograd.grad((model(z).softmax(1) - F.one_hot(y, 4)).pow(2).sum(), z)[0]


def switches_the_callers_images(model, transform, x, y):
    x.requires_grad_()
    z = x + (transform(x) - x).detach()
    return torch.autograd.grad(F.cross_entropy(model(z), y, reduction="sum"), x)[0]


def goes_image_by_image(model, transform, x, y):
    found = []
    for image, label in zip(transform(x), y, strict=True):
        z = image[None].clone().requires_grad_()
        F.cross_entropy(model(z), label[None]).backward()
        found.append(z.grad[0].tolist())
    return found


def derives_it_by_hand_in_float64(model, transform, x, y):
    z = transform(x).detach().requires_grad_()
    logits = model(z)
    slope = (logits.softmax(1) - F.one_hot(y, logits.shape[1])).detach()
    return torch.autograd.grad(logits, z, slope)[0].double()


class Rounded(torch.autograd.Function):
    """A transform whose derivative is said to be 1."""

    @staticmethod
    def forward(ctx, x, transform):
        return transform(x)

    @staticmethod
    def backward(ctx, gradient):
        return gradient, None


def writes_its_own_function(model, transform, x, y):
    x = x.clone().requires_grad_()
    return torch.autograd.grad(F.cross_entropy(model(Rounded.apply(x, transform)), y, reduction="sum"), x)[0].numpy()


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
    (takes_the_step, "the image after a step"),
    (divides_by_the_length, "divided by its length"),
    (adds_the_transform_to_the_image, "at x + t(x)"),
    (transforms_twice, "applied twice"),
    (transforms_the_gradient, "applied to the gradient"),
    (follows_the_logit, "the logit of y"),
    (takes_the_softmax_first, "`cross_entropy` of probabilities"),
    (takes_a_squared_error, "the squared error of probabilities"),
    (switches_the_callers_images, "switches `requires_grad` of `x`"),
]

RIGHT = [adds_the_difference_detached, goes_image_by_image, derives_it_by_hand_in_float64, writes_its_own_function]
