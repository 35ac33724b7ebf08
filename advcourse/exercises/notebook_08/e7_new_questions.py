"""08.7: Jacobian-based augmentation."""

from functools import partial

import torch
from torch.nn import functional as F

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.probes import (
    all_scores_gradient,
    clear_images,
    loss_gradient,
    mixed_labels,
    score_gradient,
    small_model,
    telling_apart,
)
from advcourse.exercises.properties import equals, in_unit_range


def augment(model, x, labels, step):
    return (x + step * score_gradient(model, x, labels).sign()).clamp(0, 1)


def augment_probes(generator):
    def draw(step):
        model = small_model(generator)
        x = clear_images(generator, model, count=7).view(-1, 2, 3, 6)
        # the remote model does not always agree with its substitute
        return {"model": model, "x": x, "labels": mixed_labels(model, x), "step": step}

    return [telling_apart(lambda step=step: draw(step), augment, MISTAKES.values()) for step in (0.1, -0.2)]


def along(gradient):
    return lambda model, x, labels, step: (x + step * gradient(model, x, labels)).clamp(0, 1)


def scores_of_all_labels(model, x, labels):
    """The gradient of `model(x)[:, labels]`, which takes every label's score for every image."""
    x = x.detach().clone().requires_grad_()
    with torch.enable_grad():
        return torch.autograd.grad(model(x)[:, labels].sum(), x)[0]


def squared_error_gradient(model, x, labels):
    x = x.detach().clone().requires_grad_()
    with torch.enable_grad():
        return torch.autograd.grad((model(x) - F.one_hot(labels, 4)).square().mean(), x)[0]


ALWAYS_FORWARD = {  # right where the step is positive, and turned round where it is not
    "the step is always forward: a negative step goes backwards, so multiply by `step` itself":
        lambda model, x, labels, step: augment(model, x, labels, abs(step)),
}
MISTAKES = {
    "this is the gradient of the loss; take that of the label's score alone":
        along(lambda model, x, labels: loss_gradient(model, x, labels).sign()),
    "you follow the label's probability, or its logarithm, which the other scores move, too; take the gradient of the "
    "label's score alone":
        along(lambda model, x, labels: -loss_gradient(model, x, labels).sign()),
    "the direction is turned round: `step` has its own sign, add it as it is":
        along(lambda model, x, labels: -score_gradient(model, x, labels).sign()),
    "pixels move in proportion to the gradient: take its sign":
        along(score_gradient),
    "you took the score of the substitute's own answer; take that of the remote model's label":
        along(lambda model, x, labels: score_gradient(model, x, model(x).argmax(1).detach()).sign()),
    "you differentiate the sum of all scores; pick the label's":
        along(lambda model, x, labels: all_scores_gradient(model, x, labels).sign()),
    "`model(x)[:, labels]` takes the scores of all labels for every image; pick one for each: "
    "`.gather(1, labels[:, None])`":
        along(lambda model, x, labels: scores_of_all_labels(model, x, labels).sign()),
    "you differentiate the squared error; take the gradient of the label's score alone":
        along(lambda model, x, labels: squared_error_gradient(model, x, labels).sign()),
    "all images follow the sum of the gradients; each has one of its own":
        along(lambda model, x, labels: score_gradient(model, x, labels).sum(0).sign()),
    "the step has length 1: multiply the sign by `step`":
        lambda model, x, labels, step: augment(model, x, labels, 1),
    "this is the change alone: add it to x":
        lambda model, x, labels, step: step * score_gradient(model, x, labels).sign(),
    "the images came back unchanged":
        lambda model, x, labels, step: x,
}


exercise = Exercise(
    number="08.7",
    title="New questions for the remote model",
    points=4,
    minutes=12,
    hints=(
        ("Which derivative is it?",
         "Of one score alone: the substitute's score (logit) of the "
         "label that the remote model gave, with respect to the image."),
        ("How do I get it for all images at once?",
         "Pick the scores with `model(x).gather(1, labels[:, None])`, add them up, and differentiate the sum with "
         "respect to x: each image's gradient is its own."),
        ("Show me nearly all of it.",
         "`gradient = torch.autograd.grad(model(x).gather(1, labels[:, None]).sum(), "
         "x)[0]` with an x that requires grad; then `(x + step * gradient.sign()).clamp(0, 1).detach()`."),
    ),
    reference=augment,
    probes=augment_probes,
    gates={"every pixel is a grey value in [0, 1]": partial(in_unit_range, name="new image")},
    properties={
        "it is x + step · sign(∇ score of the label), clipped": equals(augment, ALWAYS_FORWARD | MISTAKES),
    },
)
