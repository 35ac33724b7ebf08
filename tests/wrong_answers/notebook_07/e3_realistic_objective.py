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


def takes_the_softmax_twice(model, z, picture, target, weight):
    loss = F.cross_entropy(model(z).softmax(1), target, reduction="none")
    return loss + weight * (z - picture).square().flatten(1).sum(1)


def takes_the_squared_error(model, z, picture, target, weight):
    loss = (model(z).softmax(1) - F.one_hot(target, 4)).square().sum(1)
    return loss + weight * (z - picture).square().flatten(1).sum(1)


def forgets_the_logarithm(model, z, picture, target, weight):
    loss = F.nll_loss(model(z).softmax(1), target, reduction="none")
    return loss + weight * (z - picture).square().flatten(1).sum(1)


def names_what_it_sees(model, z, picture, target, weight):
    return realistic_loss(model, z, picture, model(z).argmax(1), weight)


def shows_the_picture(model, z, picture, target, weight):
    loss = F.cross_entropy(model(picture), target, reduction="none")
    return loss + weight * (z - picture).square().flatten(1).sum(1)


def detaches_the_loss(model, z, picture, target, weight):
    return realistic_loss(model, z, picture, target, weight).detach()


def detaches_the_name(model, z, picture, target, weight):
    with torch.no_grad():
        loss = F.cross_entropy(model(z), target, reduction="none")
    return loss + weight * (z - picture).square().flatten(1).sum(1)


def detaches_the_distance(model, z, picture, target, weight):
    distance = [weight * (a - b).square().sum().item() for a, b in zip(z, picture, strict=True)]
    return F.cross_entropy(model(z), target, reduction="none") + torch.tensor(distance)


def uses_mse_loss(model, z, picture, target, weight):
    return F.cross_entropy(model(z), target, reduction="none") + weight * F.mse_loss(z, picture)


def weighs_as_shares(model, z, picture, target, weight):
    distance = (z - picture).square().flatten(1).sum(1)
    return (1 - weight) * F.cross_entropy(model(z), target, reduction="none") + weight * distance


def goes_image_by_image(model, z, picture, target, weight):
    rows = [F.cross_entropy(model(one[None]), label[None]) + weight * torch.sum((one - other) ** 2)
            for one, other, label in zip(z, picture, target, strict=True)]
    return torch.stack(rows).double()


def squares_the_norm(model, z, picture, target, weight):
    loss = torch.logsumexp(model(z), 1) - model(z).gather(1, target[:, None])[:, 0]
    squares = torch.linalg.vector_norm(z - picture, dim=(1, 2, 3)) ** 2
    return [a + weight * b for a, b in zip(loss, squares, strict=True)]


def takes_the_logarithm_by_hand(model, z, picture, target, weight):
    probability = model(z).softmax(1)[torch.arange(len(z)), target]
    return weight * (z - picture).square().flatten(1).sum(1) - (probability + 1e-8).log()


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
    (takes_the_softmax_twice, "one softmax too many"),
    (takes_the_squared_error, "squared error of the probabilities"),
    (forgets_the_logarithm, "the logarithm is missing"),
    (names_what_it_sees, "the model's own answers"),
    (shows_the_picture, "the model sees the picture"),
    (detaches_the_loss, "your loss has no gradient"),
    (detaches_the_name, "the cross-entropy has no gradient"),
    (detaches_the_distance, "the distance has no gradient"),
    (uses_mse_loss, "mean squared difference of the whole batch"),
    (weighs_as_shares, "these are shares"),
]

RIGHT = [takes_the_logarithm_by_hand, sums_by_einsum, goes_image_by_image, squares_the_norm]
