"""01.3: one step along the sign of the gradient."""

from torch.nn import functional as F

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.probes import (
    WRONG_LOSSES,
    clear_images,
    gradient_of,
    loss_gradient,
    mixed_labels,
    one_step,
    small_model,
)
from advcourse.exercises.properties import equals, in_ball, in_unit_range, moves_the_loss_the_right_way


def step_probes(generator):
    probes = []
    for eps in (0.04, 0.2):
        model = small_model(generator)
        x = clear_images(generator, model, count=24)  # so many that every other loss has another gradient at some
        probes.append({"model": model, "x": x, "y": mixed_labels(model, x), "eps": eps})
    return probes


def step_at_prediction(model, x, y, eps):
    return one_step(model, x, model(x).argmax(1).detach(), eps)


def step_without_sign(model, x, y, eps):
    return (x + (eps * loss_gradient(model, x, y)).clamp(-eps, eps)).clamp(0, 1)


def mean_step_without_sign(model, x, y, eps):
    return (x + (eps * loss_gradient(model, x, y) / len(x)).clamp(-eps, eps)).clamp(0, 1)


def step_of_unit_length(model, x, y, eps):
    gradient = loss_gradient(model, x, y)
    return (x + eps * gradient / gradient.flatten(1).norm(dim=1).view(-1, 1, 1, 1)).clamp(0, 1)


def step_of_largest_entry(model, x, y, eps):
    gradient = loss_gradient(model, x, y)
    return (x + eps * gradient / gradient.flatten(1).abs().amax(1).view(-1, 1, 1, 1)).clamp(0, 1)


def step_up(loss):
    """One step along the sign of the gradient of another loss, a function of logits and labels."""
    return lambda model, x, y, eps: (x + eps * gradient_of(loss, model, x, y).sign()).clamp(0, 1)


exercise = Exercise(
    number="01.3",
    title="One step along the sign of the gradient",
    points=4,
    minutes=12,
    hints=(
        ("A network has no weight rows to subtract.",
         "Near x it is almost linear, and the gradient of the loss with respect to x takes the place of the weights. "
         "It is exercise 01.2 again."),
        ("How do I get a gradient with respect to the image?",
         "`x = x.clone().requires_grad_()`, compute `F.cross_entropy(model(x), y)`, then "
         "`torch.autograd.grad(loss, x)[0]`."),
        ("Show me nearly all of it.",
         "Take the sign of that gradient, multiply by eps, add to x, clamp to [0, 1], and `.detach()` the result."),
    ),
    reference=one_step,
    probes=step_probes,
    gates={
        "every pixel stays within ε of x": in_ball("linf"),
        "every pixel is a grey value in [0, 1]": in_unit_range,
        "the loss goes up": moves_the_loss_the_right_way,
    },
    properties={
        "it is x + ε · sign(gradient), clipped": equals(one_step, mistakes={
            "you took the loss at the model's own prediction; "
            "where the model errs that is not y. Use the labels you are given":
                step_at_prediction,
            "you apply a sigmoid before F.cross_entropy, which wants the logits as they are":
                step_up(lambda logits, y: F.cross_entropy(logits.sigmoid(), y)),
            "your loss is a binary cross-entropy, class by class; `F.cross_entropy` is wanted":
                step_up(lambda logits, y: F.binary_cross_entropy_with_logits(
                    logits, F.one_hot(y, logits.shape[1]).float())),
            "you lower the largest score, whatever y is: use the labels you are given":
                step_up(lambda logits, y: -logits.amax(1).sum()),
            "you clip the step to grey values, and with it all that gets darker is lost: clip x + step":
                lambda model, x, y, eps: (x + (eps * loss_gradient(model, x, y).sign()).clamp(0, 1)).clamp(0, 1),
            "pixels move in proportion to their gradient: take its sign, so that every pixel goes the full step":
                step_without_sign,
            "pixels hardly move, each in proportion to its gradient: "
            "take its sign, so that every pixel goes the full step":
                mean_step_without_sign,
            "this is a step of Euclidean length ε, and most pixels hardly move: take the sign of the gradient instead":
                step_of_unit_length,
            "pixels move in proportion to their gradient, the one of the steepest by ε: take the sign instead":
                step_of_largest_entry,
        } | {message: step_up(loss) for message, loss in WRONG_LOSSES.items()}),
    },
)
