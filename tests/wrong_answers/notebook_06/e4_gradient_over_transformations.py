"""Plausible wrong answers to exercise 06.4, each with a part of the message that it should get, and right ones."""

import torch
from torch.nn import functional as F

from advcourse.exercises.notebook_06.e4_gradient_over_transformations import eot_gradient


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


WRONG = [
    (forgets_the_transforms, "no transform is in it"),
    (returns_in_the_loop, "only the first transform"),
    (overwrites_the_loss, "only the last transform"),
    (chains_the_transforms, "one after the other"),
    (adds_up, "divide by their number"),
    (adds_images_up, "the sum over the images"),
    (averages_images, "one blurred image"),
    (averages_logits, "average the logits"),
    (differentiates_at_the_views, "not turned back"),
    (averages_signs, "you average signs"),
    (returns_the_sign, "the sign of the gradient"),
    (descends, "no minus"),
    (detaches_the_views, "does not require grad"),
]

RIGHT = [averages_gradients]
