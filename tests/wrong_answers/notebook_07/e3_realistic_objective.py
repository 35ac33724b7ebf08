"""Plausible wrong answers to exercise 07.3, each with a part of the message that it should get, and right ones."""

import torch
from torch.nn import functional as F

from advcourse.exercises.notebook_07.e3_realistic_objective import realistic_loss


def takes_the_root(model, z, picture, target, weight):
    return F.cross_entropy(model(z), target, reduction="none") + weight * (z - picture).flatten(1).norm(dim=1)


def averages_over_pixels(model, z, picture, target, weight):
    return F.cross_entropy(model(z), target, reduction="none") + weight * (z - picture).square().flatten(1).mean(1)


def subtracts_the_distance(model, z, picture, target, weight):
    return F.cross_entropy(model(z), target, reduction="none") - weight * (z - picture).square().flatten(1).sum(1)


def flees_the_target(model, z, picture, target, weight):
    return weight * (z - picture).square().flatten(1).sum(1) - F.cross_entropy(model(z), target, reduction="none")


def weighs_the_name(model, z, picture, target, weight):
    return weight * F.cross_entropy(model(z), target, reduction="none") + (z - picture).square().flatten(1).sum(1)


def forgets_the_weight(model, z, picture, target, weight):
    return F.cross_entropy(model(z), target, reduction="none") + (z - picture).square().flatten(1).sum(1)


def forgets_the_picture(model, z, picture, target, weight):
    return F.cross_entropy(model(z), target, reduction="none")


def forgets_the_name(model, z, picture, target, weight):
    return weight * (z - picture).square().flatten(1).sum(1)


def averages_over_the_batch(model, z, picture, target, weight):
    return realistic_loss(model, z, picture, target, weight).mean()


def averages_the_names(model, z, picture, target, weight):
    return F.cross_entropy(model(z), target) + weight * (z - picture).square().flatten(1).sum(1)


def adds_up_the_batch(model, z, picture, target, weight):
    return F.cross_entropy(model(z), target, reduction="none") + weight * (z - picture).square().sum()


def takes_absolute_values(model, z, picture, target, weight):
    return F.cross_entropy(model(z), target, reduction="none") + weight * (z - picture).abs().flatten(1).sum(1)


def sums_by_einsum(model, z, picture, target, weight):
    difference = (z - picture).reshape(len(z), -1)
    loss = -model(z).log_softmax(1)[torch.arange(len(z)), target]
    return loss + weight * torch.einsum("nd,nd->n", difference, difference)


WRONG = [
    (takes_the_root, "take no root"),
    (averages_over_pixels, "average the squares over the pixels"),
    (subtracts_the_distance, "the loss falls as z leaves the picture"),
    (flees_the_target, "as the target gets less likely"),
    (weighs_the_name, "belongs to the distance, not"),
    (forgets_the_weight, "the weight is missing"),
    (forgets_the_picture, "the distance is missing"),
    (forgets_the_name, "the cross-entropy is missing"),
    (averages_over_the_batch, "a tensor of shape"),
    (averages_the_names, "so that each has its own"),
    (adds_up_the_batch, "the distance of the whole batch"),
    (takes_absolute_values, "absolute differences"),
]

RIGHT = [sums_by_einsum]
