"""Plausible wrong answers to exercise 09.1, each with a part of the message that it should get, and right ones."""

import torch
from torch.nn import functional as F

from advcourse.exercises.probes import loss_gradient


def fgsm(model, x, y, eps):
    return (x + eps * loss_gradient(model, x, y).sign()).clamp(0, 1)


def exchanges_the_weights(model, x, y, eps, c):
    return (1 - c) * F.cross_entropy(model(x), y) + c * F.cross_entropy(model(fgsm(model, x, y, eps)), y)


def forgets_to_attack(model, x, y, eps, c):
    return c * F.cross_entropy(model(x), y) + (1 - c) * F.cross_entropy(model(x), y)


def forgets_the_second_part(model, x, y, eps, c):
    return c * F.cross_entropy(model(x), y)


def trains_on_the_attack_alone(model, x, y, eps, c):
    return F.cross_entropy(model(fgsm(model, x, y, eps)), y)


def adds_without_weights(model, x, y, eps, c):
    return F.cross_entropy(model(x), y) + F.cross_entropy(model(fgsm(model, x, y, eps)), y)


def helps_the_network(model, x, y, eps, c):
    x_adv = (x - eps * loss_gradient(model, x, y).sign()).clamp(0, 1)
    return c * F.cross_entropy(model(x), y) + (1 - c) * F.cross_entropy(model(x_adv), y)


def forgets_the_sign(model, x, y, eps, c):
    x_adv = (x + eps * loss_gradient(model, x, y)).clamp(0, 1)
    return c * F.cross_entropy(model(x), y) + (1 - c) * F.cross_entropy(model(x_adv), y)


def forgets_the_sign_of_the_mean(model, x, y, eps, c):
    x_adv = (x + eps * loss_gradient(model, x, y) / len(x)).clamp(0, 1)
    return c * F.cross_entropy(model(x), y) + (1 - c) * F.cross_entropy(model(x_adv), y)


def attacks_the_prediction(model, x, y, eps, c):
    x_adv = fgsm(model, x, model(x).argmax(1), eps)
    return c * F.cross_entropy(model(x), y) + (1 - c) * F.cross_entropy(model(x_adv), y)


def forgets_to_clip(model, x, y, eps, c):
    x_adv = x + eps * loss_gradient(model, x, y).sign()
    return c * F.cross_entropy(model(x), y) + (1 - c) * F.cross_entropy(model(x_adv), y)


def sums_over_the_batch(model, x, y, eps, c):
    x_adv = fgsm(model, x, y, eps)
    clean, attacked = (F.cross_entropy(model(images), y, reduction="sum") for images in (x, x_adv))
    return c * clean + (1 - c) * attacked


def returns_one_loss_per_image(model, x, y, eps, c):
    x_adv = fgsm(model, x, y, eps)
    clean, attacked = (F.cross_entropy(model(images), y, reduction="none") for images in (x, x_adv))
    return c * clean + (1 - c) * attacked


def forgets_eps(model, x, y, eps, c):
    return c * F.cross_entropy(model(x), y) + (1 - c) * F.cross_entropy(model(fgsm(model, x, y, 1.0)), y)


def steps_by_backward(model, x, y, eps, c):
    image = x.detach().clone().requires_grad_()
    F.cross_entropy(model(image), y).backward()
    x_adv = torch.clamp(x + eps * image.grad.sign(), 0, 1)
    losses = -torch.cat([model(x), model(x_adv)]).log_softmax(1).gather(1, y.repeat(2)[:, None])[:, 0]
    weights = torch.cat([torch.full((len(x),), c), torch.full((len(x),), 1 - c)]).to(losses)
    return (losses * weights).sum() / len(x)


WRONG = [
    (exchanges_the_weights, "the weights are exchanged"),
    (forgets_to_attack, "the loss on clean images alone"),
    (forgets_the_second_part, "only the clean part is here"),
    (trains_on_the_attack_alone, "the adversarial images alone"),
    (adds_without_weights, "without their weights"),
    (helps_the_network, "down the loss"),
    (forgets_the_sign, "in proportion to the gradient"),
    (forgets_the_sign_of_the_mean, "in proportion to the gradient of the mean loss"),
    (attacks_the_prediction, "the model's own answers"),
    (forgets_to_clip, "leaves [0, 1]"),
    (sums_over_the_batch, "this is the sum"),
    (returns_one_loss_per_image, "a tensor of shape (12,)"),
    (forgets_eps, "by a full 1"),
]

RIGHT = [steps_by_backward]
