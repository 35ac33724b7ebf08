"""08.6: the loss of an ensemble."""

import torch
from torch.nn import functional as F

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.probes import random_images, small_model, telling_apart
from advcourse.exercises.properties import equals, finite


def ensemble_loss(models, x, y):
    probabilities = torch.stack([model(x).softmax(1) for model in models]).mean(0)
    return -probabilities.gather(1, y[:, None])[:, 0].log()


def ensemble_probes(generator):
    def draw(count):
        x = random_images(generator, count=7).view(-1, 2, 3, 6)
        models = [small_model(generator, sharpness=1) for _ in range(count)]
        return {"models": models, "x": x, "y": torch.randint(4, (len(x),), generator=generator)}

    return [telling_apart(lambda count=count: draw(count), ensemble_loss, MISTAKES.values()) for count in (2, 3)]


def of_each(models, x, y):
    """The losses of the models, (M, N)."""
    return torch.stack([F.cross_entropy(model(x), y, reduction="none") for model in models])


def from_mean(combine):
    """A loss made from the mean probabilities: combine(probabilities (N, K), y)."""
    return lambda models, x, y: combine(torch.stack([model(x).softmax(1) for model in models]).mean(0), y)


def of_y(values, y):
    return values.gather(1, y[:, None])[:, 0]


def cut(is_cut):
    """The loss, some of whose models, is_cut(place), have no gradient."""
    def formula(models, x, y):
        return ensemble_loss([lambda x, model=model, place=place: model(x.detach() if is_cut(place) else x)
                              for place, model in enumerate(models)], x, y)
    return formula


MISTAKES = {
    "this is the mean of the models' losses: take the mean of the probabilities first and the logarithm last":
        lambda **probe: of_each(**probe).mean(0),
    "this is the sum of the models' losses: take the mean of the probabilities first and the logarithm last":
        lambda **probe: of_each(**probe).sum(0),
    "you average the logits: average the probabilities, after the softmax":
        lambda models, x, y: F.cross_entropy(torch.stack([model(x) for model in models]).mean(0), y, reduction="none"),
    "cross_entropy takes logits and applies another softmax; "
    "you have probabilities already: take −log of the one of y":
        from_mean(lambda p, y: F.cross_entropy(p, y, reduction="none")),
    "the minus is missing: a loss is small where the probability is large":
        lambda **probe: -ensemble_loss(**probe),
    "this is the probability itself; the loss is its −log":
        from_mean(of_y),
    "this is minus the probability, and no logarithm: `F.nll_loss` wants logarithms, so give it `probabilities.log()`":
        from_mean(lambda p, y: -of_y(p, y)),
    "this is one minus the probability; the loss is its −log":
        from_mean(lambda p, y: 1 - of_y(p, y)),
    "the logarithm is the natural one, `.log()`, not `.log2()`":
        from_mean(lambda p, y: -of_y(p, y).log2()),
    "you add the probabilities up: divide by the number of models":
        lambda models, x, y: ensemble_loss(models, x, y) - torch.tensor(float(len(models))).log(),
    "only the first model is in it: does your function return inside the loop?":
        lambda models, x, y: ensemble_loss(models[:1], x, y),
    "only the last model is in it: add up the probabilities of all":
        lambda models, x, y: ensemble_loss(models[-1:], x, y),
    "this is the largest loss of any of the models; wanted is the loss of their mean probability":
        lambda **probe: of_each(**probe).amax(0),
    "this is the smallest loss of any of the models; wanted is the loss of their mean probability":
        lambda **probe: of_each(**probe).amin(0),
    "you take the softmax over the images, `dim=0`; it belongs over the classes, `.softmax(1)`":
        lambda models, x, y: -of_y(torch.stack([model(x).softmax(0) for model in models]).mean(0), y).log(),
    "you take the class that the models find likeliest; take y":
        from_mean(lambda p, y: -p.amax(1).log()),
    "every image gets the mean of the batch: keep one number for each":
        lambda **probe: ensemble_loss(**probe).mean().expand(len(probe["y"])),
    "this is the squared error; the loss is −log of y's probability":
        from_mean(lambda p, y: (p - F.one_hot(y, p.shape[1])).square().sum(1)),
    "this is the mean squared error; the loss is −log of y's probability":
        from_mean(lambda p, y: (p - F.one_hot(y, p.shape[1])).square().mean(1)),
}


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
    gates={"the losses are numbers": finite},
    properties={"it is −log of the mean probability of y": equals(ensemble_loss, MISTAKES, tolerance=1e-4)},
    differentiated_by="x",
    cut_gradients={
        "only the first model has a gradient: no `.detach()` or `no_grad()` for the others":
            cut(lambda place: place > 0),
        "the first model has no gradient: no `.detach()` or `no_grad()` for it":
            cut(lambda place: place == 0),
    },
)
