"""08.2: along the hyperplane's normal."""

import torch

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.probes import random_images
from advcourse.exercises.properties import equals, in_unit_range


def along_normal(weight, x, y, length):
    normal = weight / weight.norm(dim=1, keepdim=True)
    return (x - length * normal[y].view(x.shape)).clamp(0, 1)


def normal_probes(generator):
    probes = []
    for length in (0.3, 1.2):
        x = random_images(generator)
        weight = torch.randn(4, 36, generator=generator).double() * torch.tensor([[0.2], [0.7], [2.0], [5.0]])
        probes.append({"weight": weight.double(), "x": x, "y": torch.arange(len(x)) % 4, "length": length})
    return probes


def normal_step(direction):
    """x plus `length` times a direction made from (weight, y), clipped."""
    return lambda weight, x, y, length: (x + length * direction(weight, y).view(x.shape)).clamp(0, 1)


def unit(rows):
    return rows / rows.norm(dim=1, keepdim=True)


def strongest_rival(weight, x, y, length):
    scores = (x.flatten(1) @ weight.T).scatter(1, y[:, None], -torch.inf)
    return (x + length * unit(weight[scores.argmax(1)] - weight[y]).view(x.shape)).clamp(0, 1)


exercise = Exercise(
    number="08.2",
    title="Along the hyperplane's normal",
    points=3,
    minutes=8,
    hints=(
        ("Which way is the hyperplane?",
         "The score of class y is wᵀx + b. It falls fastest against w, "
         "which stands at right angles on the hyperplane."),
        ("How long is the step?",
         "Exactly `length`, in Euclidean length: divide each row by its norm before you multiply, "
         "`weight.norm(dim=1, keepdim=True)`."),
        ("Show me nearly all of it.",
         "`normal = weight / weight.norm(dim=1, keepdim=True)`; "
         "then `x - length * normal[y].view(x.shape)`, clamped to [0, 1]."),
    ),
    reference=along_normal,
    probes=normal_probes,
    properties={
        "every pixel is a grey value in [0, 1]": in_unit_range,
        "it is x − length · w / ‖w‖, clipped": equals(along_normal, mistakes={
            "you go towards the class's own side; the score of y should fall: subtract the step":
                normal_step(lambda weight, y: unit(weight)[y]),
            "the step has the length of the weights: divide each row by its norm, so that all steps are equally long":
                normal_step(lambda weight, y: -weight[y]),
            "you divide by the norm of the whole matrix; each class has a normal of its own: the norm of each row":
                normal_step(lambda weight, y: -weight[y] / weight.norm()),
            "this is the sign of the weights, the best step in ℓ∞; "
            "for a given Euclidean length the best step is along w itself":
                normal_step(lambda weight, y: -weight[y].sign()),
            "the normal has to have Euclidean length 1; you divide by the sum of the absolute values":
                normal_step(lambda weight, y: -weight[y] / weight[y].abs().sum(1, keepdim=True)),
            "this goes towards the strongest rival; an SVM of one "
            "class against all has a hyperplane of its own, and no rival":
                strongest_rival,
            "the images came back unchanged":
                lambda weight, x, y, length: x,
        }),
    },
)
