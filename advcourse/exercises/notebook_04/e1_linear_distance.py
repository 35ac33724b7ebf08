"""04.1: the distance that a linear model allows."""

import math
from functools import partial

import torch

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.probes import (
    distances_measured_otherwise,
    linear_distance,
    linear_model,
    random_images,
    telling_apart,
)
from advcourse.exercises.properties import equals, finite


def distance_probe(generator):
    model, x = linear_model(generator), random_images(generator, count=20)
    # Rows of different lengths, so that the nearest class is not always the one with the second largest logit.
    weight = model[1].weight.detach() * torch.tensor([0.3, 1.0, 1.0, 3.0])[:, None]
    bias = 2 * torch.randn(4, generator=generator)
    read = (x.flatten(1) @ weight.T + bias).argmax(1)
    y = torch.where(torch.arange(len(x)) % 4 == 0, (read + 1) % 4, read)
    return {"weight": weight, "bias": bias, "x": x, "y": y}


def distance_probes(generator):
    return [telling_apart(lambda: distance_probe(generator), linear_distance, MISTAKES.values()) for _ in range(2)]


def to_the_second_largest_logit(**probe):
    return distances_measured_otherwise(**probe, pick=lambda logits, distance: logits.argmax(1))


def the_farthest(logits, distance):
    return distance.masked_fill(distance.isinf(), -math.inf).argmax(1)


def distance_along_one_row(weight, bias, x, y, whose):
    """The mistake of dividing by the length of one class's weights."""
    length = weight.norm(dim=1)
    lengths = length[y][:, None] if whose == "y" else length.expand(len(y), -1)
    return distances_measured_otherwise(weight, bias, x, y, size=lambda rows: lengths)


def to_all_classes(weight, bias, x, y, values=lambda logits: logits):
    """The distance to every class, below 0 where it leads, and infinite for y; values: of the logits, for a mistake."""
    z = values(x.flatten(1) @ weight.T + bias)
    distances = (z.gather(1, y[:, None]) - z) / (weight[y][:, None] - weight).norm(dim=2)
    return distances.scatter(1, y[:, None], math.inf)


def without_the_classes_that_lead(**probe):
    distances = to_all_classes(**probe)
    return distances.where(distances > 0, math.inf).amin(1).nan_to_num(posinf=0)


def from_the_prediction(weight, bias, x, y):
    return linear_distance(weight, bias, x, (x.flatten(1) @ weight.T + bias).argmax(1))


def no_negative_distance(probe, result):
    if message := finite(probe, result):
        return f"{message}. The difference of class y with itself is 0: leave that class out of the minimum"
    if (result < 0).any():
        return ("a distance is negative: an image that the model "
                "already gets wrong needs no change, so its distance is 0")
    return None


def nothing_moves(weight, bias, x, y):
    return torch.zeros(len(x))


MISTAKES = {
    "every distance is 0: class y itself was not left out of the minimum": nothing_moves,
    "you divide by the squared length; that gives the factor of the step, not its length":
        partial(distances_measured_otherwise, size=lambda rows: rows.square().sum(2)),
    "you divide by the ℓ1 norm, which is right where every pixel "
    "may change by ε; for Euclidean length divide by the ℓ2 norm":
        partial(distances_measured_otherwise, size=lambda rows: rows.abs().sum(2)),
    "you divide by the largest entry; for Euclidean length divide by the ℓ2 norm":
        partial(distances_measured_otherwise, size=lambda rows: rows.abs().amax(2)),
    "this is the lead itself; divide it by how fast it falls, ‖w_y − w_k‖₂":
        partial(distances_measured_otherwise, size=lambda rows: torch.ones_like(rows[:, :, 0])),
    "you go to the class with the second largest logit; another may be nearer, as its plane is met sooner. "
    "Divide first, then take the minimum": to_the_second_largest_logit,
    "this is the farthest class; take the minimum over the classes":
        partial(distances_measured_otherwise, pick=the_farthest),
    "the bias is missing: z = W x + b": lambda weight, bias, x, y: linear_distance(weight, 0 * bias, x, y),
    "you divide by the length of w_y alone; the lead falls along the difference of two rows":
        partial(distance_along_one_row, whose="y"),
    "you divide by the length of w_k alone; the lead falls along the difference of two rows":
        partial(distance_along_one_row, whose="k"),
    "you measure how far an image is that the model gets wrong, as if it were right: its distance is 0, so cut "
    "the lead off at 0 and take no absolute value":
        lambda **probe: to_all_classes(**probe).abs().amin(1),
    "you leave out the classes that are ahead of y already: where there is one, the distance is 0":
        without_the_classes_that_lead,
    "this is the distance from the class that the model says now; wanted is the one from the label y, which is "
    "0 where the model errs": from_the_prediction,
    "you work on probabilities; the border is a plane for the logits only":
        lambda **probe: to_all_classes(**probe, values=lambda z: z.softmax(1)).amin(1).clamp_min(0),
}


exercise = Exercise(
    number="04.1",
    title="The exact distance of a linear model",
    points=4,
    minutes=12,
    hints=(
        ("What stands between x and class k?",
         "A plane: the images on which both have the same logit. "
         "The lead of y is z_y − z_k, and along w_y − w_k it falls fastest."),
        ("How far is that plane?",
         "The lead divided by the length of its gradient: "
         "(z_y − z_k) / ‖w_y − w_k‖₂. Wanted is the smallest of these."),
        ("Show me nearly all of it.",
         "`lead = z.gather(1, y[:, None]) - z`; divide by `(weight[y][:, None] - weight).norm(dim=2)`; set the column "
         "of y to infinity with `.scatter(1, y[:, None], math.inf)`; then `.amin(1).clamp_min(0)`."),
    ),
    reference=linear_distance,
    probes=distance_probes,
    gates={
        "no distance is negative or not a number": no_negative_distance,
    },
    properties={
        "it is the distance to the nearest class": equals(linear_distance, MISTAKES, tolerance=1e-4),
    },
)
