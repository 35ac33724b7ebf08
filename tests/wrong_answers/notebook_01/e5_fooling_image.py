"""Plausible wrong answers to exercise 01.5, each with a part of the message that it should get, and right ones."""

import torch

from advcourse.exercises.notebook_01.e5_fooling_image import fooling_image
from advcourse.exercises.probes import loss_gradient


def takes_one_step(model, x, target):
    return (x - 0.02 * loss_gradient(model, x, torch.tensor([target])).sign()).clamp(0, 1)


def flees_the_target(model, x, target):
    for _ in range(100):
        x = (x + 0.02 * loss_gradient(model, x, torch.tensor([target])).sign()).clamp(0, 1)
    return x


def never_clips(model, x, target):
    for _ in range(100):
        x = x - 0.02 * loss_gradient(model, x, torch.tensor([target])).sign()
    return x


def returns_the_noise(model, x, target):
    return x


def reaches_class_zero(model, x, target):
    return fooling_image(model, x, 0)


def loses_the_batch(model, x, target):
    return fooling_image(model, x, target)[0]


def returns_the_confidence(model, x, target):
    return model(fooling_image(model, x, target)).softmax(1)[0, target].item()


def flees_the_present_class(model, x, target):
    for _ in range(100):
        x = (x + 0.02 * loss_gradient(model, x, model(x).argmax(1)).sign()).clamp(0, 1)
    return x


def climbs_the_logit_lead(model, x, target):
    for _ in range(60):
        x = x.detach().requires_grad_()
        probability = model(x).log_softmax(1)[0, target]
        x = (x + 0.05 * torch.autograd.grad(probability, x)[0].sign()).clamp(0, 1)
    return x.detach()


WRONG = [
    (takes_one_step, "take more steps"),
    (flees_the_target, "subtract its gradient"),
    (never_clips, "Clip to [0, 1]"),
    (returns_the_noise, "back unchanged"),
    (reaches_class_zero, "it now reads the image as class 0"),
    (loses_the_batch, "a tensor of shape"),
    (returns_the_confidence, "returned a number"),
    (flees_the_present_class, "of the target class"),
]

RIGHT = [climbs_the_logit_lead]
