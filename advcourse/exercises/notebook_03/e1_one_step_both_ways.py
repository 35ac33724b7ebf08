"""03.1: one step, both ways."""

from functools import partial

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.probes import (
    WRONG_LOSSES,
    clear_images,
    exact_loss_gradient,
    gradient_of,
    labels_and_targets,
    small_model,
    unit,
)
from advcourse.exercises.properties import equals, in_ball, in_unit_range, moves_the_loss_the_right_way


def fgsm_step(model, x, y, eps, targeted):
    return stepped(model, x, y, eps, targeted)


def stepped(model, x, y, eps, targeted, direction_of=lambda model, x, y: exact_loss_gradient(model, x, y).sign()):
    """fgsm_step along another direction: a mistake's."""
    way = -1 if targeted else 1
    return (x + way * eps * direction_of(model, x, y)).clamp(0, 1)


def step_probes(generator):
    model = small_model(generator)
    x = clear_images(generator, model)
    y, target = labels_and_targets(model, x)
    return [{"model": model, "x": x, "y": y, "eps": 0.1, "targeted": False},
            {"model": model, "x": x, "y": target, "eps": 0.04, "targeted": True}]


def step_alone(model, x, y, eps, targeted):
    return (-eps if targeted else eps) * exact_loss_gradient(model, x, y).sign()


exercise = Exercise(
    number="03.1",
    title="One step, both ways",
    points=3,
    minutes=8,
    hints=(
        ("What changes when there is a target?",
         "The label. `y` is then the class to reach, and its loss should become *small*."),
        ("Which way does a loss become small?", "Against its gradient. One sign in the formula changes, nothing else."),
        ("Show me nearly all of it.",
         "`step = eps * loss_gradient(model, x, y).sign()`; "
         "then `x - step` if targeted, else `x + step`; then clamp to [0, 1]."),
    ),
    reference=fgsm_step,
    probes=step_probes,
    gates={
        "every pixel stays within ε of x": in_ball("linf"),
        "every pixel is a grey value in [0, 1]": in_unit_range,
    },
    properties={
        "the loss of y goes up, or down where y is a target": moves_the_loss_the_right_way,
        "it is x ± ε · sign(gradient), clipped": equals(fgsm_step, mistakes={
            "you return the step δ; wanted is the image x + δ": step_alone,
            "you return the step δ, clipped; wanted is the image x + δ":
                lambda **probe: step_alone(**probe).clamp(0, 1),
            "this is right but for the clip at the end, `.clamp(0, 1)`":
                lambda **probe: probe["x"] + step_alone(**probe),
            "you clip the step to [0, 1], so that no pixel gets darker: clip the image, after adding":
                lambda **probe: (probe["x"] + step_alone(**probe).clamp(0, 1)).clamp(0, 1),
            "you step away from what the model says now; use the labels y that you are given, and `targeted`":
                lambda model, x, y, eps, targeted: stepped(model, x, model(x).argmax(1), eps, False),
            "the direction is that of what the model says now: take the gradient of the loss of y":
                lambda model, x, y, eps, targeted: stepped(model, x, model(x).argmax(1), eps, targeted),
            "pixels move in proportion to their gradient: take its sign, so that every pixel goes the full step":
                lambda **probe: stepped(**probe, direction_of=exact_loss_gradient),
            "pixels move in proportion to their gradient, limited to ε: take its sign, so that every pixel goes the "
            "full step":
                lambda eps, **probe: stepped(**probe, eps=1, direction_of=lambda model, x, y: (
                    eps * exact_loss_gradient(model, x, y)).clamp(-eps, eps)),
            "this is a step of Euclidean length ε, and most pixels hardly move: take the sign of the gradient instead":
                lambda **probe: stepped(**probe, direction_of=lambda *batch: unit(exact_loss_gradient(*batch))),
            "this is half a step: a pixel may move by the full ε, either way":
                lambda eps, **probe: stepped(**probe, eps=eps / 2),
            "all images take one step, along the sign of the batch's summed gradient: every image has its own":
                lambda **probe: stepped(**probe, direction_of=lambda *batch: (
                    exact_loss_gradient(*batch).sum(0, keepdim=True).sign())),
        } | {message: partial(stepped, direction_of=lambda *batch, loss=loss: gradient_of(loss, *batch).sign())
             for message, loss in WRONG_LOSSES.items()}),
    },
)
