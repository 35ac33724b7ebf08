"""08.4: soft nearest neighbours."""

import torch
from torch.nn import functional as F

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.probes import random_images, telling_apart
from advcourse.exercises.properties import equals, finite


def soft_neighbours(x, x_train, y_train, classes, temperature):
    distances = (x.flatten(1)[:, None] - x_train.flatten(1)[None]).square().sum(2)
    weights = (-distances / temperature).softmax(1)
    return weights @ F.one_hot(y_train, classes).to(weights.dtype)


def neighbour_probes(generator):
    def draw(temperature):
        x_train, x = (random_images(generator, count=count).view(-1, 2, 3, 6) for count in (15, 5))
        y_train = torch.tensor([0, 1, 0, 2, 0, 0, 1, 3, 0, 1, 2, 0, 2, 1, 0])  # not equally many of each
        return {"x": x, "x_train": x_train, "y_train": y_train, "classes": 4, "temperature": temperature}

    return [telling_apart(lambda temperature=temperature: draw(temperature), soft_neighbours, MISTAKES.values())
            for temperature in (2.5, 5.0)]  # so large that a 1e-8 beside the sum of the votes does not count


def neighbours_with(weigh):
    """The class sums of weights made from (differences (N, M, D), temperature)."""
    def probabilities(x, x_train, y_train, classes, temperature):
        differences = x.flatten(1)[:, None] - x_train.flatten(1)[None]
        return weigh(differences, temperature) @ F.one_hot(y_train, classes).to(x.dtype)
    return probabilities


def mean_of_each_class(x, x_train, y_train, classes, temperature):
    shares = soft_neighbours(x, x_train, y_train, classes, temperature) / torch.bincount(y_train, minlength=classes)
    return shares / shares.sum(1, keepdim=True)


def softmax_of_the_sums(x, x_train, y_train, classes, temperature):
    return soft_neighbours(x, x_train, y_train, classes, temperature).softmax(1)


def nearest_of_each_class(x, x_train, y_train, classes, temperature):
    squares = (x.flatten(1)[:, None] - x_train.flatten(1)[None]).square().sum(2)
    return torch.stack([-squares[:, y_train == k].amin(1) / temperature for k in range(classes)], 1).softmax(1)


MISTAKES = {
    "the farther an image is, the more its vote counts: the exponent needs a minus":
        neighbours_with(lambda d, t: (d.square().sum(2) / t).softmax(1)),
    "the distances are not squared":
        neighbours_with(lambda d, t: (-d.norm(dim=2) / t).softmax(1)),
    "you add up absolute differences; the formula has squared ones":
        neighbours_with(lambda d, t: (-d.abs().sum(2) / t).softmax(1)),
    "you take the mean of the squared differences; the formula has their sum":
        neighbours_with(lambda d, t: (-d.square().mean(2) / t).softmax(1)),
    "the temperature is missing: divide the distances by it":
        neighbours_with(lambda d, t: (-d.square().sum(2)).softmax(1)),
    "you multiply by the temperature: divide by it":
        neighbours_with(lambda d, t: (-d.square().sum(2) * t).softmax(1)),
    "you divide by twice the temperature, as a normal distribution does; the exponent here is −d² / T":
        neighbours_with(lambda d, t: (-d.square().sum(2) / (2 * t)).softmax(1)),
    "you divide by the temperature's square, as a normal distribution does; the exponent here is −d² / T":
        neighbours_with(lambda d, t: (-d.square().sum(2) / t**2).softmax(1)),
    "you divide by twice the temperature's square, as a normal distribution does; the exponent here is −d² / T":
        neighbours_with(lambda d, t: (-d.square().sum(2) / (2 * t**2)).softmax(1)),
    "the votes are one over the distance; in the formula they are exp(−d² / T)":
        neighbours_with(lambda d, t: F.normalize(1 / d.square().sum(2), p=1)),
    "only the nearest image votes: that is hard nearest neighbours, and it has no gradient":
        neighbours_with(lambda d, t: F.one_hot(d.square().sum(2).argmin(1), d.shape[1]).to(d.dtype)),
    "only the nearest image of each class votes; in the formula all do":
        nearest_of_each_class,
    "the votes are not shares: divide by the sum over all training images, which softmax does":
        neighbours_with(lambda d, t: (-d.square().sum(2) / t).exp()),
    "the weights are normalised over the wrong dimension: for each image of x they should add up to 1 over "
    "the training images":
        neighbours_with(lambda d, t: (-d.square().sum(2) / t).softmax(0)),
    "the weights add up to 1 over all images of x together: for each of them they should, over the training images":
        neighbours_with(lambda d, t: (-d.square().sum(2) / t).flatten().softmax(0).view(d.shape[:2])),
    "every class counts the same here, however many images it has; in the formula every *image* has a vote":
        mean_of_each_class,
    "there is one softmax too many: the sums of the weights are probabilities already":
        softmax_of_the_sums,
    "these are logarithms; wanted are the probabilities themselves":
        lambda **probe: soft_neighbours(**probe).log(),
}


exercise = Exercise(
    number="08.4",
    title="Soft nearest neighbours",
    points=4,
    minutes=14,
    hints=(
        ("How do I get all distances at once?",
         "`x.flatten(1)[:, None] - x_train.flatten(1)[None]` has shape (N, "
         "M, pixels); square it and sum over the last dimension."),
        ("Where does the fraction come from?",
         "The weights of one image, exp(−distance / temperature) over their sum, are a softmax over the training "
         "images: `(-distances / temperature).softmax(1)`."),
        ("Show me nearly all of it.",
         "Add up the weights by class: multiply them with `F.one_hot(y_train, classes)`, turned into the dtype of the "
         "weights: `weights @ one_hot`."),
    ),
    reference=soft_neighbours,
    probes=neighbour_probes,
    gates={"the probabilities are numbers": finite},
    properties={"they are the votes of the formula": equals(soft_neighbours, MISTAKES, tolerance=1e-4)},
)
