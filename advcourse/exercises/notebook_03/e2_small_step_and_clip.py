"""03.2: one step of the basic iterative method."""

from functools import partial

import torch

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.probes import (
    WRONG_LOSSES,
    clear_pairs,
    exact_loss_gradient,
    gradient_of,
    labels_and_targets,
    small_model,
    towards,
    unit,
)
from advcourse.exercises.properties import equals, in_ball, in_unit_range, moves_the_loss_the_right_way


def bim_step(model, x_adv, x, y, eps, step_size, targeted):
    return stepped(model, x_adv, x, y, eps, step_size, targeted)


def stepped(model, x_adv, x, y, eps, step_size, targeted,
            direction_of=lambda model, x, y: exact_loss_gradient(model, x, y).sign()):
    """bim_step along another direction: a mistake's."""
    way = -1 if targeted else 1
    return towards(x_adv + way * step_size * direction_of(model, x_adv, y), x, eps)


def bim_probes(generator):
    def wander(x):
        return towards(x + 0.2 * (torch.rand(x.shape, generator=generator) - 0.5), x, 0.1)

    model = small_model(generator)
    x, x_adv = clear_pairs(generator, model, wander, count=24)
    y, target = labels_and_targets(model, x)
    return [{"model": model, "x_adv": x_adv, "x": x, "y": y, "eps": 0.1, "step_size": 0.04, "targeted": False},
            {"model": model, "x_adv": x_adv, "x": x, "y": target, "eps": 0.1, "step_size": 0.02, "targeted": True}]


def clipped_around_x_adv(x, **probe):
    return bim_step(x=probe["x_adv"], **probe)


def unclipped(model, x_adv, x, y, eps, step_size, targeted):
    return x_adv + (-1 if targeted else 1) * step_size * exact_loss_gradient(model, x_adv, y).sign()


def stays_around_x(probe, result):
    """In the ball around x; a step that was clipped around x_adv, or not at all, is told so."""
    problem = in_ball("linf")(probe, result)
    if problem and torch.allclose(result.clamp(0, 1), clipped_around_x_adv(**probe)):
        return ("without a Clip, or with one around x_adv, every step may go further away from x. Clip in the formula "
                "is to the ball around the *clean* image: `torch.clamp(…, x - eps, x + eps)`")
    return problem


exercise = Exercise(
    number="03.2",
    title="One small step, and Clip",
    points=4,
    minutes=12,
    hints=(
        ("There are two images. Which is for what?",
         "The gradient is taken where you are, at `x_adv`. The ball is around where you came from, `x`."),
        ("What does Clip do?", "It is `project` of exercise 01.1: within eps of x in every pixel, then within [0, 1]."),
        ("Show me nearly all of it.",
         "`direction = loss_gradient(model, x_adv, y).sign()`; add `step_size * direction` to x_adv, or subtract it "
         "where targeted; `torch.clamp(that, x - eps, x + eps).clamp(0, 1)`."),
    ),
    reference=bim_step,
    probes=bim_probes,
    gates={
        "every pixel stays within ε of the clean image": stays_around_x,
        "every pixel is a grey value in [0, 1]": in_unit_range,
        "the loss of y goes up, or down where y is a target": moves_the_loss_the_right_way,
    },
    properties={
        "it is Clip(x_adv ± step_size · sign(gradient))": equals(bim_step, mistakes={
            "you return the change x_adv − x; wanted is the image":
                lambda **probe: bim_step(**probe) - probe["x"],
            "you clip the image to [−ε, ε]; it is the change from x that stays in there: "
            "`torch.clamp(…, x - eps, x + eps)`":
                lambda **probe: unclipped(**probe).clamp(-probe["eps"], probe["eps"]).clamp(0, 1),
            "this is right but for the second half of Clip, `.clamp(0, 1)`":
                lambda **probe: torch.clamp(unclipped(**probe), probe["x"] - probe["eps"], probe["x"] + probe["eps"]),
            "the gradient is that of the clean image x; "
            "from the second step on it must be taken where you are, at x_adv":
                lambda **probe: stepped(**probe, direction_of=lambda model, x_adv, y: (
                    exact_loss_gradient(model, probe["x"], y).sign())),
            "you start again from x: the new step begins at x_adv, and x is only needed for Clip":
                lambda x_adv, **probe: bim_step(x_adv=probe["x"], **probe),
            "the gradient is right but the step begins at x: add it to x_adv, or the earlier steps are lost":
                lambda x_adv, **probe: stepped(x_adv=probe["x"], **probe, direction_of=lambda model, x, y: (
                    exact_loss_gradient(model, x_adv, y).sign())),
            "this step has size ε: step_size says how far to go, and ε only how far from x you may end up":
                lambda step_size, **probe: bim_step(step_size=probe["eps"], **probe),
            "this clips to a ball of radius step_size around x: Clip is to the ball of radius ε":
                lambda eps, **probe: bim_step(eps=probe["step_size"], **probe),
            "pixels move in proportion to their gradient: take its sign, so that every pixel goes the full step":
                partial(stepped, direction_of=exact_loss_gradient),
            "this is a step of Euclidean length step_size, and most pixels hardly move: take the sign of the gradient":
                partial(stepped, direction_of=lambda *batch: unit(exact_loss_gradient(*batch))),
            "the direction is that of what the model says now: take the gradient of the loss of y":
                partial(stepped, direction_of=lambda model, x, y: (
                    exact_loss_gradient(model, x, model(x).argmax(1)).sign())),
        } | {message: partial(stepped, direction_of=lambda *batch, loss=loss: gradient_of(loss, *batch).sign())
             for message, loss in WRONG_LOSSES.items()}),
    },
)
