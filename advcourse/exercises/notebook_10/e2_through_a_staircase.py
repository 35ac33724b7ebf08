"""10.2: through a staircase: backward pass differentiable approximation."""

import torch
from torch.nn import functional as F

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.probes import random_images, small_model
from advcourse.exercises.properties import equals


def straight_through_gradient(model, transform, x, y):
    z = transform(x).detach().requires_grad_()
    loss = F.cross_entropy(model(z), y, reduction="sum")
    return torch.autograd.grad(loss, z)[0]


def gradient_at(model, z, y, reduction="sum"):
    z = z.detach().clone().requires_grad_()
    return torch.autograd.grad(F.cross_entropy(model(z), y, reduction=reduction), z)[0]


def eight_levels(x):
    return (7 * x).round() / 7


def two_levels(x):
    return (x > 0.5).to(x.dtype)


def straight_through_probes(generator):
    probes = []
    for transform in (eight_levels, two_levels):
        x = random_images(generator)
        model, y = small_model(generator), torch.randint(4, (len(x),), generator=generator)
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
        "it is the gradient at the transformed image": equals(straight_through_gradient, tolerance=1e-9, mistakes={
            "all zeros: that is the true gradient of a staircase, and the reason for this exercise. Take it with "
            "respect to the transformed image":
                lambda model, transform, x, y: torch.zeros_like(x),
            "you forget the transform: the network never sees x, take the gradient at `transform(x)`":
                lambda model, transform, x, y: gradient_at(model, x, y),
            "this is divided by the number of images: sum the loss over them, so that an image's gradient does not "
            "depend on the batch":
                lambda model, transform, x, y: gradient_at(model, transform(x), y, "mean"),
            "you give the sign; an attack may take it later, here the gradient itself is wanted":
                lambda model, transform, x, y: gradient_at(model, transform(x), y).sign(),
            "the sign is turned: the loss should grow along the gradient":
                lambda model, transform, x, y: -gradient_at(model, transform(x), y),
            "you multiply by the transformed image: the derivative of the identity is 1":
                lambda model, transform, x, y: gradient_at(model, transform(x), y) * transform(x),
            "use the labels y, not the model's own answers":
                lambda model, transform, x, y: gradient_at(model, transform(x), model(transform(x)).argmax(1)),
        }),
    },
)
