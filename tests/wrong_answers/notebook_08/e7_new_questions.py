"""Plausible wrong answers to exercise 08.7, each with a part of the message that it should get, and right ones."""

import torch
from torch.nn import functional as F

from advcourse.exercises.notebook_08.e7_new_questions import augment
from advcourse.exercises.probes import loss_gradient, score_gradient


def step(x, change):
    return (x + change.view(x.shape)).clamp(0, 1)


def climbs_the_loss(model, x, labels, step):
    return (x + step * loss_gradient(model, x, labels).sign()).clamp(0, 1)


def descends_the_loss(model, x, labels, step):
    return (x - step * loss_gradient(model, x, labels).sign()).clamp(0, 1)


def subtracts_the_step(model, x, labels, step):
    return (x - step * score_gradient(model, x, labels).sign()).clamp(0, 1)


def forgets_the_sign(model, x, labels, step):
    return (x + step * score_gradient(model, x, labels)).clamp(0, 1)


def uses_its_own_answer(model, x, labels, step):
    return (x + step * score_gradient(model, x, model(x).argmax(1)).sign()).clamp(0, 1)


def adds_up_all_scores(model, x, labels, step):
    x = x.clone().requires_grad_()
    return (x + step * torch.autograd.grad(model(x).sum(), x)[0].sign()).clamp(0, 1).detach()


def goes_forward_only(model, x, labels, step):
    return augment(model, x, labels, abs(step))


def does_not_clip(model, x, labels, step):
    return x + step * score_gradient(model, x, labels).sign()


def returns_the_same(model, x, labels, step):
    return x.clone()


def joins_old_and_new(model, x, labels, step):
    return torch.cat([x, augment(model, x, labels, step)])


def differentiates_one_by_one(model, x, labels, step):
    new = []
    for image, label in zip(x, labels, strict=True):
        z = image[None].clone().requires_grad_()
        model(z)[0, label].backward()
        new.append(torch.clamp(z.detach() + step * torch.sign(z.grad), 0, 1))
    return torch.cat(new)


def takes_all_labels_for_each(model, x, labels, step):
    z = x.clone().requires_grad_()
    gradient, = torch.autograd.grad(model(z)[:, labels].sum(), z)
    return (x + step * gradient.sign()).clamp(0, 1)


def climbs_the_probability(model, x, labels, step):
    z = x.clone().requires_grad_()
    gradient, = torch.autograd.grad(model(z).softmax(1).gather(1, labels[:, None]).sum(), z)
    return (x + step * gradient.sign()).clamp(0, 1)


def follows_the_squared_error(model, x, labels, step):
    z = x.clone().requires_grad_()
    gradient, = torch.autograd.grad(F.mse_loss(model(z), F.one_hot(labels, 4).float()), z)
    return (x + step * gradient.sign()).clamp(0, 1)


def returns_the_change(model, x, labels, step):
    return step * score_gradient(model, x, labels).sign()


def forgets_the_step(model, x, labels, step):
    return (x + score_gradient(model, x, labels).sign()).clamp(0, 1)


def leaves_a_gradient(model, x, labels, step):
    x.requires_grad = True
    model(x)[torch.arange(len(x)), labels].sum().backward()
    return (x + step * x.grad.sign()).clamp(0, 1).detach()


def picks_by_one_hot(model, x, labels, step):
    z = torch.nn.Parameter(x.clone())
    (model(z) * F.one_hot(labels, 4)).mean().backward()
    return (x.double() + step * z.grad.sign()).clip(0, 1).numpy()


def changes_a_clone_in_place(model, x, labels, step):
    z = x.clone().requires_grad_()
    gradient, = torch.autograd.grad(model(z)[torch.arange(len(z)), labels].sum(), z)
    with torch.no_grad():
        z += step * gradient.sign()
        z.clamp_(0, 1)
    return z


WRONG = [
    (climbs_the_loss, "the gradient of the loss"),
    (descends_the_loss, "the label's probability"),
    (subtracts_the_step, "turned round"),
    (forgets_the_sign, "take its sign"),
    (uses_its_own_answer, "substitute's own answer"),
    (adds_up_all_scores, "pick the label's"),
    (goes_forward_only, "always forward"),
    (does_not_clip, "Clip to [0, 1]"),
    (returns_the_same, "unchanged"),
    (joins_old_and_new, "a tensor of shape"),
    (takes_all_labels_for_each, "`model(x)[:, labels]`"),
    (climbs_the_probability, "the label's probability"),
    (follows_the_squared_error, "the squared error"),
    (returns_the_change, "this is the change alone"),
    (forgets_the_step, "multiply the sign by `step`"),
    (leaves_a_gradient, "leaves a gradient in `x`"),
]

RIGHT = [differentiates_one_by_one, picks_by_one_hot, changes_a_clone_in_place]
