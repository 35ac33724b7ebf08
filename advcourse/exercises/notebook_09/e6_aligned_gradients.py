"""09.6: how alike are the gradients?"""

import torch
from torch.nn import functional as F

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.probes import (
    WRONG_LOSSES,
    all_scores_gradient,
    clear_pairs,
    gradient_of,
    loss_gradient,
    mixed_labels,
    small_model,
    telling_apart,
)
from advcourse.exercises.properties import equals


def alignment(model, x, y, u):
    return cosines(loss_gradient(model, x, y), loss_gradient(model, x + u, y)).mean().item()


def cosines(first, second):
    """The cosine of the angle between two gradients, one per image."""
    return F.cosine_similarity(first.flatten(1), second.flatten(1))


def alignment_probes(generator):
    def draw(size):
        # not sure enough of any image that a 1e-8 beside the lengths of its gradients would count
        model = small_model(generator, sharpness=1.5)
        x, moved = (images.view(-1, 2, 3, 6) for images in clear_pairs(
            generator, model, lambda x: x + size * (2 * torch.rand(x.shape, generator=generator) - 1), count=9))
        return {"model": model, "x": x, "y": mixed_labels(model, x), "u": moved - x}

    return [telling_apart(lambda: draw(0.2), alignment, MISTAKES.values()), draw(0.5)]


def of_gradients(compare):
    """A mistake in how the two gradients are compared."""
    def wrong(model, x, y, u):
        return float(compare(loss_gradient(model, x, y), loss_gradient(model, x + u, y)))
    return wrong


MISTAKES = {
    "this is 1 minus the cosine; wanted is the cosine itself, 1 where the gradients agree":
        lambda **probe: 1 - alignment(**probe),
    "you compare the gradients' signs: the cosine is that of the gradients":
        of_gradients(lambda g, h: cosines(g.sign(), h.sign()).mean()),
    "this is the cosine of the whole batch as one vector: "
    "every image has an angle of its own, and the mean comes last":
        of_gradients(lambda g, h: F.cosine_similarity(g.flatten(), h.flatten(), dim=0)),
    "the gradients are not divided by their lengths: a cosine lies between −1 and 1":
        of_gradients(lambda g, h: (g * h).flatten(1).sum(1).mean()),
    "this is the cosine pixel by pixel, which only compares signs: "
    "flatten every image to one long vector first":
        of_gradients(lambda g, h: F.cosine_similarity(g, h).mean()),
    "the second gradient is taken at x − u": lambda model, x, y, u: alignment(model, x, y, -u),
    "the second gradient is taken at u alone; the point beside x is x + u":
        lambda model, x, y, u: cosines(loss_gradient(model, x, y), loss_gradient(model, u, y)).mean().item(),
    "this compares the gradient with u; the second vector is the gradient at x + u":
        lambda model, x, y, u: cosines(loss_gradient(model, x, y), u).mean().item(),
    "the gradient is compared with itself: the second one belongs to x + u":
        lambda **probe: 1.0,
    "the gradients are those at the model's own answers; take the loss at the labels y":
        lambda model, x, y, u: alignment(model, x, model(x).argmax(1).detach(), u),
    "this is the share of pixels whose gradients have the same sign; the cosine also knows how large they are":
        of_gradients(lambda g, h: (g.sign() == h.sign()).double().mean()),
    "the second gradient holds the first one, too: gradients add up in `.grad`. Set it to None in between, or "
    "take `torch.autograd.grad`":
        of_gradients(lambda g, h: cosines(g, g + h).mean()),
    "the cosine goes over the images, pixel by pixel: after `.flatten(1)` it is `dim=1`":
        of_gradients(lambda g, h: F.cosine_similarity(g.flatten(1), h.flatten(1), dim=0).mean()),
    "this is the sum of the cosines: take their mean":
        of_gradients(lambda g, h: cosines(g, h).sum()),
    "this is the angle; wanted is its cosine":
        of_gradients(lambda g, h: cosines(g, h).acos().mean()),
    "these are the gradients of the sum of all logits; take those of the loss at the labels y":
        lambda model, x, y, u: cosines(*(all_scores_gradient(model, at, y) for at in (x, x + u))).mean().item(),
} | {message: lambda model, x, y, u, loss=loss: cosines(
    *(gradient_of(loss, model, at, y) for at in (x, x + u))).mean().item()
     for message, loss in WRONG_LOSSES.items()}


exercise = Exercise(
    number="09.6",
    title="Do the gradients agree?",
    points=3,
    minutes=10,
    hints=(
        ("What is compared with what?",
         "Two gradients of the loss with respect to the image: one at x, one at x + u. If the loss is straight in "
         "between, they are the same."),
        ("How long is a gradient, and does it matter?",
         "It does not: the cosine is g·h / (‖g‖ ‖h‖). Each image is one long vector: `.flatten(1)`."),
        ("Show me nearly all of it.",
         "g and h by `torch.autograd.grad` of the *summed* loss, at x and at x + u; then "
         "`F.cosine_similarity(g.flatten(1), h.flatten(1)).mean().item()`."),
    ),
    reference=alignment,
    probes=alignment_probes,
    properties={
        "it is the mean cosine between the gradients at x and at x + u": equals(alignment, MISTAKES, tolerance=1e-4),
    },
)
