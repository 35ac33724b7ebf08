"""Plausible wrong answers to exercise 04.1, each with a part of the message that it should get, and right ones."""

import math

import numpy as np
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


def guards_its_own_class_by_a_small_number(weight, bias, x, y):
    _, lead = leads(weight, bias, x, y)
    return (lead / (weight[y][:, None] - weight).norm(dim=2).clamp_min(1e-9)).amin(1).clamp(min=0)


def divides_by_the_largest_entry(weight, bias, x, y):
    _, lead = leads(weight, bias, x, y)
    distance = lead / torch.linalg.vector_norm(weight[y][:, None] - weight, math.inf, dim=2)
    return distance.scatter(1, y[:, None], math.inf).amin(1).clamp(min=0)


def divides_by_its_own_row(weight, bias, x, y):
    _, lead = leads(weight, bias, x, y)
    return (lead / weight[y].norm(dim=1, keepdim=True)).scatter(1, y[:, None], math.inf).amin(1).clamp(min=0)


def takes_absolute_values(weight, bias, x, y):
    _, lead = leads(weight, bias, x, y)
    return (lead.abs() / (weight[y][:, None] - weight).norm(dim=2)).scatter(1, y[:, None], math.inf).amin(1)


def skips_the_classes_that_lead(weight, bias, x, y):
    _, lead = leads(weight, bias, x, y)
    distance = lead / (weight[y][:, None] - weight).norm(dim=2)
    return torch.stack([row[row > 0].min() if (row > 0).any() else torch.tensor(0.0) for row in distance])


def measures_from_the_prediction(weight, bias, x, y):
    return linear_distance(weight, bias, x, leads(weight, bias, x, y)[0].argmax(1))


def measures_probabilities(weight, bias, x, y):
    p = leads(weight, bias, x, y)[0].softmax(1)
    distance = (p.gather(1, y[:, None]) - p) / (weight[y][:, None] - weight).norm(dim=2)
    return distance.scatter(1, y[:, None], math.inf).amin(1).clamp(min=0)


def gives_nothing(weight, bias, x, y):
    return x.new_zeros(len(x))


def measures_in_numpy(weight, bias, x, y):
    weight, bias, images, y = weight.double().numpy(), bias.double().numpy(), x.flatten(1).double().numpy(), y.numpy()
    z = images @ weight.T + bias
    distance = np.full(z.shape, np.inf)
    for k in range(len(weight)):
        other = y != k
        distance[other, k] = (z[other, y[other]] - z[other, k]) / np.linalg.norm(weight[y[other]] - weight[k], axis=1)
    return np.maximum(distance.min(1), 0)


def lists_the_distances(weight, bias, x, y):
    distances = []
    for image, label in zip(x, y, strict=True):
        others = torch.arange(len(weight)) != label
        z = weight @ image.flatten() + bias
        lead = z[label] - z[others]
        distances.append((lead / (weight[label] - weight[others]).norm(dim=1)).min().clamp(min=0))
    return distances


def adds_a_little_to_the_length(weight, bias, x, y):
    _, lead = leads(weight, bias, x, y)
    lead[torch.arange(len(y)), y] = math.inf
    return torch.relu((lead / ((weight[y][:, None] - weight).norm(dim=2) + 1e-8)).min(dim=1)[0])


WRONG = [
    (divides_by_the_squared_length, "squared length"),
    (divides_by_the_l1_norm, "ℓ1 norm"),
    (gives_the_lead, "the lead itself"),
    (goes_to_the_second_largest_logit, "second largest logit"),
    (takes_the_farthest_class, "farthest class"),
    (forgets_the_bias, "bias is missing"),
    (keeps_negative_distances, "a distance is negative"),
    (keeps_the_class_itself, "a division by zero"),
    (divides_by_one_row, "w_k alone"),
    (gives_all_distances, "a tensor of shape"),
    (guards_its_own_class_by_a_small_number, "class y itself was not left out"),
    (divides_by_the_largest_entry, "the largest entry"),
    (divides_by_its_own_row, "the length of w_y alone"),
    (takes_absolute_values, "take no absolute value"),
    (skips_the_classes_that_lead, "you leave out the classes that are ahead"),
    (measures_from_the_prediction, "from the class that the model says now"),
    (measures_probabilities, "you work on probabilities"),
    (gives_nothing, "class y itself was not left out"),
]

RIGHT = [measures_class_by_class, measures_in_numpy, lists_the_distances, adds_a_little_to_the_length]
