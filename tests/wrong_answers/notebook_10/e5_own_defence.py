"""Plausible wrong answers to exercise 10.5, each with a part of the message that it should get, and right ones."""

import torch
from torch import nn
from torch.nn import functional as F

from advcourse.defenses import masking
from advcourse.exercises.notebook_10.e5_own_defence import CLASSES, defend, plain_network


def trained(x, y, steps=80, scale=1.0):
    torch.manual_seed(0)
    model = plain_network()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.03)
    for _ in range(steps):
        optimizer.zero_grad()
        F.cross_entropy(scale * model(x), y).backward()
        optimizer.step()
    return model.requires_grad_(False)


def defends_nothing(x, y, eps):
    return trained(x, y)


def saturates(x, y, eps):
    return masking.saturated(trained(x, y), 1e4)


def saturates_the_last_layer(x, y, eps):
    model = trained(x, y)
    model[3].weight.mul_(1e4), model[3].bias.mul_(1e4)
    return model


def distils(x, y, eps):
    return trained(x, y, steps=300, scale=0.002)


def quantises(x, y, eps):
    return masking.quantised(trained(x, y), levels=12)


def compresses(x, y, eps):
    return masking.jpeg_compressed(trained(x, y), quality=90)


def climbs_stairs(x, y, eps):
    model = trained(x, y)
    return lambda images: model((16 * images).floor() / 16 + 0.03 + 0 * images)


def dithers(x, y, eps):
    return masking.dithered(trained(x, y))


def ripples(x, y, eps):
    return masking.rippled(trained(x, y), height=0.02)


def hides_an_honest_defence(x, y, eps):
    return masking.saturated(defend(x, y, eps), 1e4)


def gives_one_answer(x, y, eps):
    def answer(images):
        return images.flatten(1)[:, :CLASSES] * 0 + F.one_hot(torch.tensor(0), CLASSES)
    return answer


def trains_on_noise(x, y, eps):
    return trained((x + eps * torch.randn(x.shape).sign()).clamp(0, 1), y)


def returns_labels(x, y, eps):
    model = trained(x, y)
    return lambda images: model(images).argmax(1)


def returns_the_weights(x, y, eps):
    return trained(x, y)[1].weight


def trains_a_linear_model_by_its_closed_form(x, y, eps):
    model = nn.Sequential(nn.Flatten(), nn.Linear(36, CLASSES))
    nn.init.zeros_(model[1].weight), nn.init.zeros_(model[1].bias)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    for _ in range(80):
        weight = model[1].weight
        worst = eps * (weight[None] - weight[:, None]).abs().sum(2)  # how much every other class can gain on y
        optimizer.zero_grad()
        F.cross_entropy(model(x) + worst[y], y).backward()
        optimizer.step()
    return model.requires_grad_(False)


WRONG = [
    (defends_nothing, "withstands little"),
    (saturates, "Zero gradients"),
    (saturates_the_last_layer, "Zero gradients"),
    (distils, "Masked gradients earn nothing"),
    (quantises, "Zero gradients"),
    (compresses, "autograd finds no path"),
    (climbs_stairs, "Zero gradients"),
    (dithers, "The model is random"),
    (ripples, "Masked gradients earn nothing"),
    (hides_an_honest_defence, "Zero gradients"),
    (gives_one_answer, "must not give up the task"),
    (trains_on_noise, "withstands little"),
    (returns_labels, "cannot be asked"),
    (returns_the_weights, "is wanted"),
]

RIGHT = [trains_a_linear_model_by_its_closed_form]
