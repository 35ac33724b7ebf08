"""08.2: along the hyperplane's normal."""

import torch

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.probes import random_images, telling_apart
from advcourse.exercises.properties import equals, in_unit_range


def along_normal(weight, x, y, length):
    normal = weight / weight.norm(dim=1, keepdim=True)
    return (x - length * normal[y].view(x.shape)).clamp(0, 1)


def normal_probes(generator):
    def draw(length):
        x = random_images(generator, count=7).view(-1, 2, 3, 6)
        weight = torch.randn(4, 36, generator=generator) * torch.tensor([[0.2], [0.7], [2.0], [5.0]])
        return {"weight": weight, "x": x, "y": torch.tensor([0, 1, 2, 3, 0, 2, 1]), "length": length}

    return [telling_apart(lambda length=length: draw(length), along_normal, MISTAKES.values()) for length in (0.3, 1.2)]


def normal_step(direction):
    """x plus `length` times a direction made from (weight, y), clipped."""
    return lambda weight, x, y, length: (x + length * direction(weight, y).view(x.shape)).clamp(0, 1)


def unit(rows):
    return rows / rows.norm(dim=1, keepdim=True)


def scores(weight, x):
    return x.flatten(1) @ weight.T


def strongest_rival(weight, x, y, length):
    rival = scores(weight, x).scatter(1, y[:, None], -torch.inf).argmax(1)
    return (x + length * unit(weight[rival] - weight[y]).view(x.shape)).clamp(0, 1)


MISTAKES = {
    "you go towards the class's own side; the score of y should fall: subtract the step":
        normal_step(lambda weight, y: unit(weight)[y]),
    "the step has the length of the weights: divide each row by its norm, so that all steps are equally long":
        normal_step(lambda weight, y: -weight[y]),
    "you divide by the norm of the whole matrix; each class has a normal of its own: the norm of each row":
        normal_step(lambda weight, y: -weight[y] / weight.norm()),
    "you take the norm over the classes, `dim=0`; the length of a row is `weight.norm(dim=1, keepdim=True)`":
        normal_step(lambda weight, y: -weight[y] / weight.norm(dim=0)),
    "you divide by the squared norm; a vector gets length 1 when it is divided by its norm":
        normal_step(lambda weight, y: -weight[y] / weight[y].square().sum(1, keepdim=True)),
    "this is the sign of the weights, the best step in ℓ∞; "
    "for a given Euclidean length the best step is along w itself":
        normal_step(lambda weight, y: -weight[y].sign()),
    "the normal has to have Euclidean length 1; you divide by the sum of the absolute values":
        normal_step(lambda weight, y: -weight[y] / weight[y].abs().sum(1, keepdim=True)),
    "the normal has to have Euclidean length 1; you divide by the largest absolute value":
        normal_step(lambda weight, y: -weight[y] / weight[y].abs().amax(1, keepdim=True)),
    "this goes towards the strongest rival; an SVM of one "
    "class against all has a hyperplane of its own, and no rival":
        strongest_rival,
    "you take the class that the SVM reads; take y":
        lambda weight, x, y, length: along_normal(weight, x, scores(weight, x).argmax(1), length),
    "the step goes just to the hyperplane, or as far beyond; its length is given":
        lambda weight, x, y, length: (x - (scores(weight, x).gather(1, y[:, None])
                                           * unit(weight)[y] / weight[y].norm(dim=1, keepdim=True)
                                           ).view(x.shape)).clamp(0, 1),
    "the length is missing: multiply the normal by it":
        lambda weight, x, y, length: along_normal(weight, x, y, 1),
    "all images take the same step, that of the first label: take each image's own row, `normal[y]`":
        lambda weight, x, y, length: along_normal(weight, x, y[:1].expand(len(y)), length),
    "this is the step alone: subtract it from x":
        lambda weight, x, y, length: -length * unit(weight)[y].view(x.shape),
    "the images came back unchanged":
        lambda weight, x, y, length: x,
}


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
    gates={"every pixel is a grey value in [0, 1]": in_unit_range},
    properties={"it is x − length · w / ‖w‖, clipped": equals(along_normal, MISTAKES)},
)
