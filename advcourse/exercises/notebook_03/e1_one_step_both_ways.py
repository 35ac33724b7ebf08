"""03.1: one step, both ways."""

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.probes import exact_loss_gradient, labels_and_targets, random_images, small_model, unit
from advcourse.exercises.properties import equals, in_ball, in_unit_range, moves_the_loss_the_right_way


def fgsm_step(model, x, y, eps, targeted):
    direction = exact_loss_gradient(model, x, y).sign()
    return (x - eps * direction if targeted else x + eps * direction).clamp(0, 1)


def step_probes(generator):
    model, x = small_model(generator), random_images(generator)
    y, target = labels_and_targets(model, x)
    return [{"model": model, "x": x, "y": y, "eps": 0.1, "targeted": False},
            {"model": model, "x": x, "y": target, "eps": 0.04, "targeted": True}]


def step_away_from_prediction(model, x, y, eps, targeted):
    return fgsm_step(model, x, model(x).argmax(1), eps, False)


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
    properties={
        "every pixel stays within ε of x": in_ball("linf"),
        "every pixel is a grey value in [0, 1]": in_unit_range,
        "the loss of y goes up, or down where y is a target": moves_the_loss_the_right_way,
        "it is x ± ε · sign(gradient), clipped": equals(fgsm_step, mistakes={
            "you step away from what the model says now; use the labels y that you are given":
                step_away_from_prediction,
            "pixels move in proportion to their gradient: take its sign, so that every pixel goes the full step":
                lambda model, x, y, eps, targeted: (x + (1 - 2 * targeted) * (
                    eps * exact_loss_gradient(model, x, y)).clamp(-eps, eps)).clamp(0, 1),
            "this is a step of Euclidean length ε, and most pixels hardly move: take the sign of the gradient instead":
                lambda model, x, y, eps, targeted: (
                    x + (1 - 2 * targeted) * eps * unit(exact_loss_gradient(model, x, y))).clamp(0, 1),
            "this is half a step: a pixel may move by the full ε, either way":
                lambda model, x, y, eps, targeted: fgsm_step(model, x, y, eps / 2, targeted),
        }),
    },
)
