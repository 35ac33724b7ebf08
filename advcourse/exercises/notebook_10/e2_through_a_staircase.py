"""10.2: through a staircase: backward pass differentiable approximation."""

import torch
from torch.nn import functional as F

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.probes import (
    WRONG_LOSSES,
    gradient_of,
    loss_gradient,
    random_images,
    score_gradient,
    small_model,
    unit,
)
from advcourse.exercises.properties import equals


def straight_through_gradient(model, transform, x, y):
    z = transform(x).detach().requires_grad_()
    loss = F.cross_entropy(model(z), y, reduction="sum")
    return torch.autograd.grad(loss, z)[0]


def eight_levels(x):
    return (7 * x).floor() / 8


def two_levels(x):
    return 0.8 * (x > 0.5).to(x.dtype)


def straight_through_probes(generator):
    probes = []
    for transform in (eight_levels, two_levels):
        x = random_images(generator)
        model, y = small_model(generator, sharpness=2.0), torch.randint(4, (len(x),), generator=generator)
        probes.append({"model": model, "transform": transform, "x": x, "y": y})
    return probes


exercise = Exercise(
    number="10.2",
    title="Through a staircase",
    points=3,
    minutes=10,
    hints=(
        ("Where is the gradient taken?", "At what the network really sees: the transformed image z = t(x)."),
        ("And how does it come back to x?",
         "As if t were the identity, dz/dx = 1: so the gradient with respect to z is the answer."),
        ("Show me nearly all of it.",
         "`z = transform(x).detach().requires_grad_()`, the summed cross-entropy of `model(z)`, and "
         "`torch.autograd.grad(loss, z)[0]`."),
    ),
    reference=straight_through_gradient,
    probes=straight_through_probes,
    properties={
        "it is the gradient at the transformed image": equals(straight_through_gradient, tolerance=1e-4, mistakes={
            "all zeros: that is the true gradient of a staircase, and the reason for this exercise. Take it with "
            "respect to the transformed image":
                lambda model, transform, x, y: torch.zeros_like(x),
            "you forget the transform: the network never sees x, take the gradient at `transform(x)`":
                lambda model, transform, x, y: loss_gradient(model, x, y),
            "this is divided by the number of images: sum the loss over them, so that an image's gradient does not "
            "depend on the batch":
                lambda model, transform, x, y: loss_gradient(model, transform(x), y) / len(x),
            "you give the sign; an attack may take it later, here the gradient itself is wanted":
                lambda model, transform, x, y: loss_gradient(model, transform(x), y).sign(),
            "the sign is turned: the loss should grow along the gradient":
                lambda model, transform, x, y: -loss_gradient(model, transform(x), y),
            "you multiply by the transformed image: the derivative of the identity is 1":
                lambda model, transform, x, y: loss_gradient(model, transform(x), y) * transform(x),
            "you return the image after a step; here the gradient alone is wanted":
                lambda model, transform, x, y: x + loss_gradient(model, transform(x), y),
            "every image's gradient is divided by its length: give it as it is":
                lambda model, transform, x, y: unit(loss_gradient(model, transform(x), y)),
            "this is the gradient at x + t(x): the network sees t(x) alone":
                lambda model, transform, x, y: loss_gradient(model, x + transform(x), y),
            "the transform is applied twice": lambda model, transform, x, y: (
                loss_gradient(model, transform(transform(x)), y)),
            "the transform is applied to the gradient; it is the image that goes through it":
                lambda model, transform, x, y: transform(loss_gradient(model, x, y)),
            "this is the gradient of the logit of y: take that of the cross-entropy":
                lambda model, transform, x, y: score_gradient(model, transform(x), y),
            "use the labels y, not the model's own answers":
                lambda model, transform, x, y: loss_gradient(model, transform(x), model(transform(x)).argmax(1)),
        } | {message: lambda model, transform, x, y, loss=loss: gradient_of(loss, model, transform(x), y)
             for message, loss in WRONG_LOSSES.items()}),
    },
)
