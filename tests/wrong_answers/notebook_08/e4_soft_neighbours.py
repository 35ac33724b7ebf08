"""Plausible wrong answers to exercise 08.4, each with a part of the message that it should get, and right ones."""

import torch
from torch.nn import functional as F

from advcourse.exercises.notebook_08.e4_soft_neighbours import soft_neighbours


def squares(x, x_train):
    return (x.flatten(1)[:, None] - x_train.flatten(1)[None]).square().sum(2)


def votes(weights, y_train, classes):
    return weights @ F.one_hot(y_train, classes).float()


def prefers_the_farthest(x, x_train, y_train, classes, temperature):
    return votes((squares(x, x_train) / temperature).softmax(1), y_train, classes)


def forgets_the_square(x, x_train, y_train, classes, temperature):
    return votes((-torch.cdist(x.flatten(1), x_train.flatten(1)) / temperature).softmax(1), y_train, classes)


def takes_the_city_block(x, x_train, y_train, classes, temperature):
    return votes((-torch.cdist(x.flatten(1), x_train.flatten(1), p=1) / temperature).softmax(1), y_train, classes)


def takes_the_mean_square(x, x_train, y_train, classes, temperature):
    return votes((-squares(x, x_train) / x[0].numel() / temperature).softmax(1), y_train, classes)


def forgets_the_temperature(x, x_train, y_train, classes, temperature):
    return votes((-squares(x, x_train)).softmax(1), y_train, classes)


def multiplies_by_the_temperature(x, x_train, y_train, classes, temperature):
    return votes((-temperature * squares(x, x_train)).softmax(1), y_train, classes)


def asks_the_nearest_alone(x, x_train, y_train, classes, temperature):
    return F.one_hot(y_train[squares(x, x_train).argmin(1)], classes).float()


def does_not_normalise(x, x_train, y_train, classes, temperature):
    return votes((-squares(x, x_train) / temperature).exp(), y_train, classes)


def normalises_the_other_way(x, x_train, y_train, classes, temperature):
    return votes((-squares(x, x_train) / temperature).softmax(0), y_train, classes)


def takes_the_mean_over_each_class(x, x_train, y_train, classes, temperature):
    weights = (-squares(x, x_train) / temperature).exp()
    means = torch.stack([weights[:, y_train == k].mean(1) for k in range(classes)], 1)
    return means / means.sum(1, keepdim=True)


def applies_softmax_twice(**probe):
    return soft_neighbours(**probe).softmax(1)


def returns_the_weights(x, x_train, y_train, classes, temperature):
    return (-squares(x, x_train) / temperature).softmax(1)


def adds_up_class_by_class(x, x_train, y_train, classes, temperature):
    distances = torch.cdist(x.flatten(1), x_train.flatten(1)) ** 2
    votes = torch.exp(-(distances - distances.min(1, keepdim=True).values) / temperature)
    shares = torch.stack([votes[:, y_train == k].sum(1) for k in range(classes)], 1)
    return shares / votes.sum(1, keepdim=True)


def divides_by_twice_the_temperature(x, x_train, y_train, classes, temperature):
    return votes((-squares(x, x_train) / (2 * temperature)).softmax(1), y_train, classes)


def squares_the_temperature(x, x_train, y_train, classes, temperature):
    return votes((-squares(x, x_train) / temperature**2).softmax(1), y_train, classes)


def takes_a_normal_distribution(x, x_train, y_train, classes, temperature):
    return votes((-squares(x, x_train) / (2 * temperature**2)).softmax(1), y_train, classes)


def votes_by_one_over_the_distance(x, x_train, y_train, classes, temperature):
    weights = 1 / squares(x, x_train)
    return votes(weights / weights.sum(1, keepdim=True), y_train, classes)


def asks_the_nearest_of_each_class(x, x_train, y_train, classes, temperature):
    best = [-squares(x, x_train)[:, y_train == k].min(1).values / temperature for k in range(classes)]
    return torch.stack(best, 1).softmax(1)


def normalises_everything(x, x_train, y_train, classes, temperature):
    weights = (-squares(x, x_train) / temperature).exp()
    return votes(weights / weights.sum(), y_train, classes)


def adds_a_little_to_the_divisor(x, x_train, y_train, classes, temperature):
    weights = (-squares(x, x_train) / temperature).exp()
    return votes(weights / (weights.sum(1, keepdim=True) + 1e-8), y_train, classes)


def gives_logarithms(**probe):
    return soft_neighbours(**probe).log()


def expands_the_square(x, x_train, y_train, classes, temperature):
    a, b = x.flatten(1).double(), x_train.flatten(1).double()
    distances = a.square().sum(1)[:, None] + b.square().sum(1)[None] - 2 * a @ b.T
    weights = F.softmax(-distances / temperature, dim=-1)
    return torch.zeros(len(x), classes, dtype=weights.dtype).index_add(1, y_train, weights)


def votes_in_a_loop(x, x_train, y_train, classes, temperature):
    rows = []
    for image in x:
        row = [0.0] * classes
        for other, label in zip(x_train, y_train.tolist(), strict=True):
            row[label] += torch.exp(-((image - other) ** 2).sum() / temperature).item()
        rows.append([share / (sum(row) + 1e-12) for share in row])
    return rows


WRONG = [
    (prefers_the_farthest, "needs a minus"),
    (forgets_the_square, "not squared"),
    (takes_the_city_block, "absolute differences"),
    (takes_the_mean_square, "has their sum"),
    (forgets_the_temperature, "temperature is missing"),
    (multiplies_by_the_temperature, "divide by it"),
    (asks_the_nearest_alone, "only the nearest image votes"),
    (does_not_normalise, "not shares"),
    (normalises_the_other_way, "wrong dimension"),
    (takes_the_mean_over_each_class, "every *image* has a vote"),
    (applies_softmax_twice, "one softmax too many"),
    (returns_the_weights, "a tensor of shape"),
    (divides_by_twice_the_temperature, "by twice the temperature,"),
    (squares_the_temperature, "by the temperature's square"),
    (takes_a_normal_distribution, "by twice the temperature's square"),
    (votes_by_one_over_the_distance, "one over the distance"),
    (asks_the_nearest_of_each_class, "the nearest image of each class"),
    (normalises_everything, "over all images of x together"),
    (gives_logarithms, "these are logarithms"),
]

RIGHT = [adds_a_little_to_the_divisor, adds_up_class_by_class, expands_the_square, votes_in_a_loop]
