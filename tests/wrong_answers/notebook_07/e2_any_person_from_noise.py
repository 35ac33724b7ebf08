"""Plausible wrong answers to exercise 07.2, each with a part of the message that it should get, and right ones."""

import torch
from torch.nn import functional as F

from advcourse.exercises.notebook_07.e2_any_person_from_noise import from_noise, probability


def target_gradient(model, x, target):
    """The gradient of the cross-entropy at the target with respect to every image."""
    x = x.detach().requires_grad_()
    return torch.autograd.grad(F.cross_entropy(model(x), target, reduction="sum"), x)[0]


def takes_one_step(model, x, target, confidence):
    short = probability(model, x, target) < confidence
    return (x - 0.02 * short.view(-1, 1, 1, 1) * target_gradient(model, x, target).sign()).clamp(0, 1).detach()


def climbs(model, x, target, confidence):
    for _ in range(100):
        short = probability(model, x, target) < confidence
        x = (x + 0.02 * short.view(-1, 1, 1, 1) * target_gradient(model, x, target).sign()).clamp(0, 1)
    return x.detach()


def never_clips(model, x, target, confidence):
    for _ in range(500):
        short = probability(model, x, target) < confidence
        x = x - 0.02 * short.view(-1, 1, 1, 1) * target_gradient(model, x, target).sign()
    return (x * 3 - 1).detach()


def returns_the_noise(model, x, target, confidence):
    return x


def takes_the_first_target_for_all(model, x, target, confidence):
    return from_noise(model, x, target[:1].expand(len(x)), confidence)


def never_stops_anybody(model, x, target, confidence):
    for _ in range(100):
        x = (x - 0.02 * target_gradient(model, x, target).sign()).clamp(0, 1)
    return x.detach()


def stops_when_all_are_named(model, x, target, confidence):
    for _ in range(500):
        short = model(x).argmax(1) != target
        x = (x - 0.02 * short.view(-1, 1, 1, 1) * target_gradient(model, x, target).sign()).clamp(0, 1)
    return x.detach()


def stops_when_one_is_there(model, x, target, confidence):
    for _ in range(500):
        short = probability(model, x, target) < confidence
        if not short[:5].all():
            break
        x = (x - 0.02 * short.view(-1, 1, 1, 1) * target_gradient(model, x, target).sign()).clamp(0, 1)
    return x.detach()


def returns_the_confidences(model, x, target, confidence):
    return probability(model, from_noise(model, x, target, confidence), target).detach()


def forgets_to_return(model, x, target, confidence):
    from_noise(model, x, target, confidence)


def lets_each_go_on_alone(model, x, target, confidence):
    images = []
    for image, label in zip(x.split(1), target.split(1), strict=True):
        while probability(model, image, label).item() < confidence:
            image = image.detach().requires_grad_()
            gain = torch.autograd.grad(model(image).log_softmax(1)[0, label.item()], image)[0]
            image = (image + 0.05 * gain.sign()).clamp(0, 1)
        images.append(image.detach())
    return torch.cat(images)


WRONG = [
    (takes_one_step, "Take more steps"),
    (climbs, "subtract its gradient"),
    (never_clips, "Clip to [0, 1]"),
    (returns_the_noise, "came back unchanged"),
    (takes_the_first_target_for_all, "each has a target of its own"),
    (never_stops_anybody, "1 where the goal is not reached"),
    (stops_when_all_are_named, "compare the softmax probability"),
    (stops_when_one_is_there, "stop only when all have arrived"),
    (returns_the_confidences, "a tensor of shape"),
    (forgets_to_return, "returns None"),
]

RIGHT = [lets_each_go_on_alone]
