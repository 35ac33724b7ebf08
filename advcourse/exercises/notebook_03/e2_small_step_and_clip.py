"""03.2: one step of the basic iterative method."""

import torch

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.probes import exact_loss_gradient, labels_and_targets, random_images, small_model, towards
from advcourse.exercises.properties import equals, in_ball, in_unit_range, moves_the_loss_the_right_way


def bim_step(model, x_adv, x, y, eps, step_size, targeted):
    direction = exact_loss_gradient(model, x_adv, y).sign()
    moved = x_adv - step_size * direction if targeted else x_adv + step_size * direction
    return towards(moved, x, eps)


def bim_probes(generator):
    model, x = small_model(generator), random_images(generator)
    y, target = labels_and_targets(model, x)
    wandered = towards(x + 0.2 * (torch.rand(x.shape, generator=generator).double() - 0.5), x, 0.1)
    return [{"model": model, "x_adv": wandered, "x": x, "y": y, "eps": 0.1, "step_size": 0.04, "targeted": False},
            {"model": model, "x_adv": wandered, "x": x, "y": target, "eps": 0.1, "step_size": 0.02, "targeted": True}]


def clipped_around_x_adv(model, x_adv, x, y, eps, step_size, targeted):
    return bim_step(model, x_adv, x_adv, y, eps, step_size, targeted)


def gradient_taken_at_x(model, x_adv, x, y, eps, step_size, targeted):
    direction = exact_loss_gradient(model, x, y).sign()
    return towards(x_adv + (1 - 2 * targeted) * step_size * direction, x, eps)


def stays_around_x(probe, result):
    """In the ball around x; a step that was clipped around x_adv, or not at all, is told so."""
    problem = in_ball("linf")(probe, result)
    if problem and torch.allclose(result, clipped_around_x_adv(**probe)):
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
    properties={
        "every pixel stays within ε of the clean image": stays_around_x,
        "every pixel is a grey value in [0, 1]": in_unit_range,
        "the loss of y goes up, or down where y is a target": moves_the_loss_the_right_way,
        "it is Clip(x_adv ± step_size · sign(gradient))": equals(bim_step, mistakes={
            "the gradient is that of the clean image x; "
            "from the second step on it must be taken where you are, at x_adv":
                gradient_taken_at_x,
            "you start again from x: the new step begins at x_adv, and x is only needed for Clip":
                lambda model, x_adv, x, y, eps, step_size, targeted: bim_step(model, x, x, y, eps, step_size, targeted),
            "the gradient is right but the step begins at x: add it to x_adv, or the earlier steps are lost":
                lambda model, x_adv, x, y, eps, step_size, targeted: towards(
                    x + (1 - 2 * targeted) * step_size * exact_loss_gradient(model, x_adv, y).sign(), x, eps),
            "this step has size ε: step_size says how far to go, and ε only how far from x you may end up":
                lambda model, x_adv, x, y, eps, step_size, targeted: bim_step(model, x_adv, x, y, eps, eps, targeted),
            "pixels move in proportion to their gradient: take its sign, so that every pixel goes the full step":
                lambda model, x_adv, x, y, eps, step_size, targeted: towards(
                    x_adv + (1 - 2 * targeted) * step_size * exact_loss_gradient(model, x_adv, y), x, eps),
            "this clips to a ball of radius step_size around x: Clip is to the ball of radius ε":
                lambda **probe: bim_step(**probe | {"eps": probe["step_size"]}),
        }),
    },
)
