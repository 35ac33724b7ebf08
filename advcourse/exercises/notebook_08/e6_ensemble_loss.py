"""08.6: the loss of an ensemble."""

import torch
from torch.nn import functional as F

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.probes import random_images, small_model
from advcourse.exercises.properties import equals, finite


def ensemble_loss(models, x, y):
    probabilities = torch.stack([model(x).softmax(1) for model in models]).mean(0)
    return -probabilities.gather(1, y[:, None])[:, 0].log()


def ensemble_probes(generator):
    probes = []
    for count in (2, 3):
        models = [small_model(generator, sharpness=1.0) for _ in range(count)]
        x = random_images(generator, count=8)
        probes.append({"models": models, "x": x, "y": torch.arange(8) % 4})
    return probes


def of_each(models, x, y):
    """The losses of the models, (M, N)."""
    return torch.stack([F.cross_entropy(model(x), y, reduction="none") for model in models])


def loss_of_mean_logits(models, x, y):
    return F.cross_entropy(torch.stack([model(x) for model in models]).mean(0), y, reduction="none")


def softmax_twice(models, x, y):
    return F.cross_entropy(torch.stack([model(x).softmax(1) for model in models]).mean(0), y, reduction="none")


exercise = Exercise(
    number="08.6",
    title="The loss of several models",
    points=3,
    minutes=10,
    hints=(
        ("What is averaged?",
         "The probabilities: each model's logits go through softmax, then the mean over the models is taken. The "
         "logarithm comes last."),
        ("How do I pick the probability of y?",
         "`probabilities.gather(1, y[:, None])[:, 0]` has one number for each image."),
        ("Show me nearly all of it.",
         "`torch.stack([model(x).softmax(1) for model in models]).mean(0)`, gather y from it, then `-….log()`."),
    ),
    reference=ensemble_loss,
    probes=ensemble_probes,
    properties={
        "the losses are numbers": finite,
        "it is −log of the mean probability of y": equals(ensemble_loss, tolerance=1e-6, mistakes={
            "this is the mean of the models' losses: take the mean of the probabilities first and the logarithm last":
                lambda **probe: of_each(**probe).mean(0),
            "this is the sum of the models' losses: take the mean of the probabilities first and the logarithm last":
                lambda **probe: of_each(**probe).sum(0),
            "you average the logits: average the probabilities, after the softmax":
                loss_of_mean_logits,
            "cross_entropy takes logits and applies another softmax; "
            "you have probabilities already: take −log of the one of y":
                softmax_twice,
            "the minus is missing: a loss is small where the probability is large":
                lambda **probe: -ensemble_loss(**probe),
            "this is the probability itself; the loss is its −log":
                lambda **probe: (-ensemble_loss(**probe)).exp(),
            "you add the probabilities up: divide by the number of models":
                lambda models, x, y: ensemble_loss(models, x, y) - torch.tensor(float(len(models))).log(),
            "only the first model is in it: does your function return inside the loop?":
                lambda models, x, y: ensemble_loss(models[:1], x, y),
            "only the last model is in it: add up the probabilities of all":
                lambda models, x, y: ensemble_loss(models[-1:], x, y),
            "this is the largest loss of any of the models; wanted is the loss of their mean probability":
                lambda **probe: of_each(**probe).amax(0),
        }),
    },
)
