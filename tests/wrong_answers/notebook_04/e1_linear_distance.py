"""Plausible wrong answers to exercise 04.1, each with a part of the message that it should get, and right ones."""

import math

import torch

from advcourse.exercises.probes import linear_distance


def leads(weight, bias, x, y):
    logits = x.flatten(1) @ weight.T + bias
    return logits, logits.gather(1, y[:, None]) - logits


def divides_by_the_squared_length(weight, bias, x, y):
    _, lead = leads(weight, bias, x, y)
    distance = lead / ((weight[y][:, None] - weight) ** 2).sum(2)
    return distance.scatter(1, y[:, None], math.inf).min(1).values.clamp(min=0)


def divides_by_the_l1_norm(weight, bias, x, y):
    _, lead = leads(weight, bias, x, y)
    distance = lead / (weight[y][:, None] - weight).abs().sum(2)
    return distance.scatter(1, y[:, None], math.inf).min(1).values.clamp(min=0)


def gives_the_lead(weight, bias, x, y):
    _, lead = leads(weight, bias, x, y)
    return lead.scatter(1, y[:, None], math.inf).min(1).values.clamp(min=0)


def goes_to_the_second_largest_logit(weight, bias, x, y):
    logits, lead = leads(weight, bias, x, y)
    second = logits.scatter(1, y[:, None], -math.inf).argmax(1)
    return (lead.gather(1, second[:, None])[:, 0] / (weight[y] - weight[second]).norm(dim=1)).clamp(min=0)


def takes_the_farthest_class(weight, bias, x, y):
    _, lead = leads(weight, bias, x, y)
    distance = lead / (weight[y][:, None] - weight).norm(dim=2)
    return distance.scatter(1, y[:, None], -math.inf).max(1).values.clamp(min=0)


def forgets_the_bias(weight, bias, x, y):
    return linear_distance(weight, torch.zeros_like(bias), x, y)


def keeps_negative_distances(weight, bias, x, y):
    _, lead = leads(weight, bias, x, y)
    return (lead / (weight[y][:, None] - weight).norm(dim=2)).scatter(1, y[:, None], math.inf).min(1).values


def keeps_the_class_itself(weight, bias, x, y):
    _, lead = leads(weight, bias, x, y)
    return (lead / (weight[y][:, None] - weight).norm(dim=2)).min(1).values


def divides_by_one_row(weight, bias, x, y):
    _, lead = leads(weight, bias, x, y)
    return (lead / weight.norm(dim=1)).scatter(1, y[:, None], math.inf).min(1).values.clamp(min=0)


def gives_all_distances(weight, bias, x, y):
    _, lead = leads(weight, bias, x, y)
    return lead / (weight[y][:, None] - weight).norm(dim=2)


def measures_class_by_class(weight, bias, x, y):
    distances = []
    for image, label in zip(x.flatten(1), y.tolist(), strict=True):
        z = weight @ image + bias
        away = [((z[label] - z[k]) / torch.linalg.vector_norm(weight[label] - weight[k])).item() for k in range(len(z))
                if k != label]
        distances.append(max(min(away), 0.0))
    return torch.tensor(distances, dtype=x.dtype)


WRONG = [
    (divides_by_the_squared_length, "squared length"),
    (divides_by_the_l1_norm, "ℓ1 norm"),
    (gives_the_lead, "the lead itself"),
    (goes_to_the_second_largest_logit, "second largest logit"),
    (takes_the_farthest_class, "farthest class"),
    (forgets_the_bias, "bias is missing"),
    (keeps_negative_distances, "a distance is negative"),
    (keeps_the_class_itself, "leave that class out"),
    (divides_by_one_row, "w_k alone"),
    (gives_all_distances, "a tensor of shape"),
]

RIGHT = [measures_class_by_class]
