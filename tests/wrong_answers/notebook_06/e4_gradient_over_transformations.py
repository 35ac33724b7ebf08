"""Plausible wrong answers to exercise 06.4, each with a part of the message that it should get, and right ones."""

import random

import torch
from torch.nn import functional as F

from advcourse.exercises.notebook_06.e4_gradient_over_transformations import eot_gradient, mean_gradient


def forgets_the_transforms(model, x, y, transforms):
    return eot_gradient(model, x, y, [lambda images: images])


def returns_in_the_loop(model, x, y, transforms):
    for transform in transforms:
        return eot_gradient(model, x, y, [transform])


def overwrites_the_loss(model, x, y, transforms):
    x = x.clone().requires_grad_()
    for transform in transforms:
        loss = F.cross_entropy(model(transform(x)), y)
    return torch.autograd.grad(loss, x)[0]


def chains_the_transforms(model, x, y, transforms):
    x = x.clone().requires_grad_()
    images = x
    for transform in transforms:
        images = transform(images)
    return torch.autograd.grad(F.cross_entropy(model(images), y), x)[0]


def adds_up(model, x, y, transforms):
    return sum(eot_gradient(model, x, y, [transform]) for transform in transforms)


def adds_images_up(model, x, y, transforms):
    x = x.clone().requires_grad_()
    loss = sum(F.cross_entropy(model(transform(x)), y, reduction="sum") for transform in transforms) / len(transforms)
    return torch.autograd.grad(loss, x)[0]


def averages_images(model, x, y, transforms):
    x = x.clone().requires_grad_()
    blurred = torch.stack([transform(x) for transform in transforms]).mean(0)
    return torch.autograd.grad(F.cross_entropy(model(blurred), y), x)[0]


def averages_logits(model, x, y, transforms):
    x = x.clone().requires_grad_()
    logits = torch.stack([model(transform(x)) for transform in transforms]).mean(0)
    return torch.autograd.grad(F.cross_entropy(logits, y), x)[0]


def differentiates_at_the_views(model, x, y, transforms):
    gradients = []
    for transform in transforms:
        turned = transform(x).clone().requires_grad_()
        gradients.append(torch.autograd.grad(F.cross_entropy(model(turned), y), turned)[0])
    return torch.stack(gradients).mean(0)


def averages_signs(model, x, y, transforms):
    return torch.stack([eot_gradient(model, x, y, [transform]).sign() for transform in transforms]).mean(0)


def returns_the_sign(model, x, y, transforms):
    return eot_gradient(model, x, y, transforms).sign()


def descends(model, x, y, transforms):
    return -eot_gradient(model, x, y, transforms)


def detaches_the_views(model, x, y, transforms):
    x = x.clone().requires_grad_()
    loss = sum(F.cross_entropy(model(transform(x).detach()), y) for transform in transforms)
    return torch.autograd.grad(loss, x)[0]


def averages_gradients(model, x, y, transforms):
    gradients = []
    for transform in transforms:
        leaf = x.clone().requires_grad_()
        F.nll_loss(model(transform(leaf)).log_softmax(1), y).backward()
        gradients.append(leaf.grad)
    return torch.stack(gradients).mean(0)


def draws_one(model, x, y, transforms):
    return eot_gradient(model, x, y, [random.choice(transforms)])


def takes_the_softmax_twice(model, x, y, transforms):
    return mean_gradient(model, x, y, transforms, lambda logits, y: F.cross_entropy(logits.softmax(1), y))


def takes_the_squared_error(model, x, y, transforms):
    return mean_gradient(model, x, y, transforms,
                         lambda logits, y: F.mse_loss(logits.softmax(1), F.one_hot(y, logits.shape[1]).float()))


def adds_up_what_was_there(model, x, y, transforms):
    x, total = x.clone().requires_grad_(), 0
    for transform in transforms:
        F.cross_entropy(model(transform(x)), y).backward()
        total = total + x.grad / len(transforms)
    return total


def follows_the_answers(model, x, y, transforms):
    return eot_gradient(model, x, model(x).argmax(1), transforms)


def divides_twice(model, x, y, transforms):
    return eot_gradient(model, x, y, transforms) / len(x)


def averages_probabilities(model, x, y, transforms):
    x = x.clone().requires_grad_()
    probabilities = torch.stack([model(transform(x)).softmax(1) for transform in transforms]).mean(0)
    return torch.autograd.grad(-probabilities[range(len(y)), y].log().mean(), x)[0]


def takes_the_worst_view(model, x, y, transforms):
    x = x.clone().requires_grad_()
    losses = torch.stack([F.cross_entropy(model(transform(x)), y, reduction="none") for transform in transforms])
    return torch.autograd.grad(losses.max(0).values.mean(), x)[0]


def takes_the_images_gradients(model, x, y, transforms):
    x.requires_grad = True
    sum(F.cross_entropy(model(transform(x)), y) for transform in transforms).div(len(transforms)).backward()
    return x.grad


def accumulates_in_one_leaf(model, x, y, transforms):
    leaf = torch.nn.Parameter(x.clone())
    for transform in transforms:
        (F.cross_entropy(model(transform(leaf)), y) / len(transforms)).backward()
    return leaf.grad.numpy()


def sees_all_views_at_once(model, x, y, transforms):
    x = x.double().requires_grad_()
    views = torch.cat([transform(x) for transform in transforms])
    return torch.autograd.grad(F.cross_entropy(model(views.float()), y.repeat(len(transforms))), x)[0]


WRONG = [
    (forgets_the_transforms, "no transform is in it"),
    (returns_in_the_loop, "only the first of"),
    (overwrites_the_loss, "only the last of"),
    (chains_the_transforms, "one after the other"),
    (adds_up, "divide by their number"),
    (adds_images_up, "the sum over the images"),
    (averages_images, "one blurred image"),
    (averages_logits, "average the logits"),
    (differentiates_at_the_views, "not turned back"),
    (averages_signs, "you average signs"),
    (returns_the_sign, "the sign of the gradient"),
    (descends, "no minus"),
    (detaches_the_views, "not have been used"),
    (draws_one, "of the transforms is in it"),
    (takes_the_softmax_twice, "one softmax too many"),
    (takes_the_squared_error, "mean squared error of the probabilities"),
    (adds_up_what_was_there, "`.grad` adds up"),
    (follows_the_answers, "the model's own answers"),
    (divides_twice, "the mean already"),
    (averages_probabilities, "before the logarithm"),
    (takes_the_worst_view, "the worst of the transforms"),
    (takes_the_images_gradients, "leaves a gradient in `x`"),
]

RIGHT = [averages_gradients, accumulates_in_one_leaf, sees_all_views_at_once]
