"""03.5: PGD in the Euclidean ball."""

from functools import partial

import torch

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.probes import (
    WRONG_LOSSES,
    clear_images,
    exact_loss_gradient,
    gradient_of,
    mixed_labels,
    small_model,
    towards,
    unit,
)
from advcourse.exercises.properties import equals, in_ball, in_unit_range


def into_euclidean_ball(x_adv, x, eps):
    delta = x_adv - x
    length = delta.flatten(1).norm(dim=1).clamp_min(1e-12).view(-1, 1, 1, 1)
    return x + delta * (eps / length).clamp(max=1)


def random_start(x, eps, noise):
    return (x + eps * noise).clamp(0, 1)


def climb(model, x, y, eps, step_size, steps, noise, *, start=random_start, gradient_at=exact_loss_gradient,
          direction=unit, back=into_euclidean_ball, box_first=False):
    """pgd_l2, with every part of it exchangeable, so that the mistakes can be written down."""
    x_adv = start(x, eps, noise)
    for _ in range(steps):
        moved = x_adv + step_size * direction(gradient_at(model, x_adv, y))
        x_adv = back(moved.clamp(0, 1), x, eps) if box_first else back(moved, x, eps).clamp(0, 1)
    return x_adv


def pgd_l2(model, x, y, eps, step_size, steps, noise):
    return climb(model, x, y, eps, step_size, steps, noise)


def pgd_probes(generator):
    model = small_model(generator, sharpness=2.0)
    x = clear_images(generator, model)
    y = mixed_labels(model, x)
    noise = unit(torch.randn(x.shape, generator=generator)) * torch.rand(len(x), 1, 1, 1, generator=generator)
    return [{"model": model, "x": x, "y": y, "eps": eps, "step_size": step_size, "steps": steps, "noise": noise}
            for eps, step_size, steps in ((0.8, 0.1, 0), (0.8, 0.3, 1), (0.5, 0.2, 4))]


def climb_on_all_gradients(**probe):
    """The mistake of `backward` without `zero_grad`: each step is along the sum of the gradients so far."""
    seen = []

    def summed(gradient):
        seen.append(gradient)
        return unit(sum(seen))

    return climb(**probe, direction=summed)


FROM_THE_START = "start at a random point of the ball, x + eps * noise, clipped to [0, 1]"
MISTAKES = {
    f"you return x itself where no step is taken, and begin at x where some are: {FROM_THE_START}":
        partial(climb, start=lambda x, eps, noise: x),
    "you start at x + noise: the noise has a length of up to 1 and must be scaled to the ball, eps * noise":
        partial(climb, start=lambda x, eps, noise: (x + noise).clamp(0, 1)),
    "you start on the border of the ball: leave the noise's length as it is, it is drawn so that the inside is "
    "reached too":
        partial(climb, start=lambda x, eps, noise: random_start(x, eps, unit(noise))),
    f"you start at the noise alone: {FROM_THE_START}": partial(climb, start=lambda x, eps, noise: noise),
    f"you start at the noise alone, clipped: {FROM_THE_START}":
        partial(climb, start=lambda x, eps, noise: noise.clamp(0, 1)),
    f"the start is not clipped: {FROM_THE_START}": partial(climb, start=lambda x, eps, noise: x + eps * noise),
    "you return δ; wanted is the image x + δ": lambda **probe: pgd_l2(**probe) - probe["x"],
    "no step was made: after the start come `steps` of them": lambda steps, **probe: climb(steps=0, **probe),
    "only one step was made: repeat it `steps` times":
        lambda steps, **probe: climb(steps=min(1, steps), **probe),
    "you walk down the loss: an attack on y goes uphill, so add the step":
        partial(climb, direction=lambda gradient: -unit(gradient)),
    "you step along the sign, which is right in the ℓ∞ ball; here the step is gradient / ‖gradient‖₂ · step_size":
        partial(climb, direction=torch.sign),
    "the step is as long as the gradient happens to be: divide it by its length, image by image":
        partial(climb, direction=lambda gradient: gradient),
    "the step is as long as the gradient of the batch's mean loss happens to be: divide it by its length, image by "
    "image":
        partial(climb, direction=lambda gradient: gradient / len(gradient)),
    "you divide by the length of the whole batch's gradient: every image has a length of its own":
        partial(climb, direction=lambda gradient: gradient / gradient.norm()),
    "you divide by the squared length: a step of length step_size is gradient / ‖gradient‖₂ · step_size":
        partial(climb, direction=lambda gradient: gradient / gradient.flatten(1).square().sum(1).view(-1, 1, 1, 1)),
    "your images are pushed out to the border of the ball: scale δ only where it is *longer* than ε":
        partial(climb, back=lambda x_adv, x, eps: x + eps * unit(x_adv - x)),
    "you shorten δ of all images by one factor, from the length of the whole batch: every image has its own":
        partial(climb, back=lambda x_adv, x, eps: x + (x_adv - x) * (eps / (x_adv - x).norm()).clamp(max=1)),
    "every step is along the sum of all gradients so far: `backward` *adds* to `.grad`, so begin each step from a "
    "fresh copy, or take `torch.autograd.grad`": climb_on_all_gradients,
    "all steps follow the gradient of the first one: take it anew at every x_adv":
        lambda **probe: climb(**probe, gradient_at=lambda model, x_adv, y: exact_loss_gradient(
            model, random_start(probe["x"], probe["eps"], probe["noise"]), y)),
    "all steps follow the gradient at x: take it where you are, at x_adv":
        lambda **probe: climb(**probe, gradient_at=lambda model, x_adv, y: exact_loss_gradient(model, probe["x"], y)),
    "you flee what the model says at the moment: go up the loss of y":
        partial(climb, gradient_at=lambda model, x_adv, y: exact_loss_gradient(model, x_adv, model(x_adv).argmax(1))),
} | {message: partial(climb, gradient_at=partial(gradient_of, loss)) for message, loss in WRONG_LOSSES.items()}


def walks_in_either_order(probe, result):
    """The reference's result, also where the student clips to [0, 1] before the ball: both are allowed."""
    if torch.allclose(result, climb(**probe, box_first=True), atol=1e-5):
        return None
    return equals(pgd_l2, MISTAKES)(probe, result)


def stays_in_euclidean_ball(probe, result):
    problem = in_ball("l2")(probe, result)
    if problem and any(torch.allclose(result, climb(**probe, back=back), atol=1e-5)
                       for back in (towards, lambda x_adv, x, eps: x_adv)):
        return ("δ gets longer than ε, and nothing brings it back: to clip every pixel to ± ε does not, since that "
                "ball is far larger. Shorten the whole δ, by ε / ‖δ‖₂, where it is longer than ε")
    if problem and torch.allclose(result, climb(**probe, direction=torch.sign, back=towards), atol=1e-5):
        return "this is PGD in the ℓ∞ ball: both the step and the way back are other ones in the Euclidean ball"
    return problem


exercise = Exercise(
    number="03.5",
    title="PGD in the Euclidean ball",
    points=5,
    minutes=18,
    hints=(
        ("What differs from 03.2?",
         "Three things: where the walk starts, the step (no sign: the gradient itself, scaled to the length "
         "step_size), and the way back (the whole δ is shortened, not clipped pixel by pixel)."),
        ("How do I get back into the ball?",
         "With δ = x_adv − x: multiply it by `(eps / length).clamp(max=1)`, where length is each image's own, "
         "`delta.flatten(1).norm(dim=1).view(-1, 1, 1, 1)`."),
        ("Show me nearly all of it.",
         "`x_adv = (x + eps * noise).clamp(0, 1)`; then `steps` times: add `step_size * unit(gradient)`, where unit "
         "divides each image's gradient by its length; shorten δ; `.clamp(0, 1)`. Keep lengths away from 0 with "
         "`.clamp_min(1e-12)`."),
    ),
    reference=pgd_l2,
    probes=pgd_probes,
    gates={
        "δ is never longer than ε": stays_in_euclidean_ball,
        "every pixel is a grey value in [0, 1]": in_unit_range,
    },
    properties={"the start and all steps are what the formula says": walks_in_either_order},
)
