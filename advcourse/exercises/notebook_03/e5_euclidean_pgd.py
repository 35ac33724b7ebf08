"""03.5: PGD in the Euclidean ball."""

import torch

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.probes import exact_loss_gradient, mixed_labels, random_images, small_model, towards, unit
from advcourse.exercises.properties import equals, in_ball, in_unit_range


def into_euclidean_ball(x_adv, x, eps):
    delta = x_adv - x
    length = delta.flatten(1).norm(dim=1).clamp_min(1e-12).view(-1, 1, 1, 1)
    return x + delta * (eps / length).clamp(max=1)


def climb(model, x, y, eps, step_size, steps, noise, *, direction=unit, back=into_euclidean_ball, start=None,
          box_first=False):
    """pgd_l2, with every part of it exchangeable, so that the mistakes can be written down."""
    x_adv = (x + eps * noise).clamp(0, 1) if start is None else start(x, eps, noise)
    for _ in range(steps):
        moved = x_adv + step_size * direction(exact_loss_gradient(model, x_adv, y))
        x_adv = back(moved.clamp(0, 1), x, eps) if box_first else back(moved, x, eps).clamp(0, 1)
    return x_adv


def pgd_l2(model, x, y, eps, step_size, steps, noise):
    return climb(model, x, y, eps, step_size, steps, noise)


def pgd_probes(generator):
    model, x = small_model(generator, sharpness=2.0), random_images(generator)
    y = mixed_labels(model, x)
    directions = unit(torch.randn(x.shape, generator=generator).double())
    noise = directions * torch.rand(len(x), 1, 1, 1, generator=generator).double()
    return [{"model": model, "x": x, "y": y, "eps": eps, "step_size": step_size, "steps": steps, "noise": noise}
            for eps, step_size, steps in ((0.8, 0.1, 0), (0.8, 0.3, 1), (0.5, 0.2, 3))]


def starts_at_random(probe, result):
    """With no step taken, the start is what comes back."""
    x, eps, noise = probe["x"], probe["eps"], probe["noise"]
    if probe["steps"] or torch.allclose(result, (x + eps * noise).clamp(0, 1), atol=1e-6):
        return None
    if torch.allclose(result, x):
        return ("with steps=0 you return x itself: start at a random "
                "point of the ball, x + eps * noise, clipped to [0, 1]")
    if torch.allclose(result, (x + noise).clamp(0, 1), atol=1e-6):
        return ("with steps=0 you return x + noise: the noise has a length "
                "of up to 1 and must be scaled to the ball, eps * noise")
    if torch.allclose(result, (x + eps * unit(noise)).clamp(0, 1), atol=1e-6):
        return ("you start on the border of the ball: leave the noise's length as it is, it is drawn so that the "
                "inside is reached too")
    if torch.allclose(result, noise):
        return "you start at the noise alone: the start is near the image, x + eps * noise"
    return "with steps=0 the start should come back: x + eps * noise, clipped to [0, 1]"


def goes_uphill(probe, result):
    if not probe["steps"]:
        return None
    before, after = (torch.nn.functional.cross_entropy(probe["model"](images), probe["y"]).item()
                     for images in ((probe["x"] + probe["eps"] * probe["noise"]).clamp(0, 1), result))
    if after < before:
        return (f"{probe['steps']} steps took the loss from {before:.3g} down to {after:.3g}: an attack on y goes "
                "uphill, so add the step")
    return None


def pgd_in_either_order(probe, result):
    """The reference's result, also where the student clips to [0, 1] before the ball: both are allowed."""
    if torch.allclose(result, climb(**probe, box_first=True), atol=1e-6):
        return None
    return equals(pgd_l2, mistakes={
        "you step along the sign, which is right in the ℓ∞ ball; here the step is gradient / ‖gradient‖₂ · step_size":
            lambda **probe: climb(**probe, direction=torch.sign),
        "the step is as long as the gradient happens to be: divide it by its length, image by image":
            lambda **probe: climb(**probe, direction=lambda gradient: gradient),
        "you divide by the length of the whole batch's gradient: every image has a length of its own":
            lambda **probe: climb(**probe, direction=lambda gradient: gradient / gradient.norm()),
        "your images are pushed out to the border of the ball: scale δ only where it is *longer* than ε":
            lambda **probe: climb(**probe, back=lambda x_adv, x, eps: x + eps * unit(x_adv - x)),
        "only one step was made: repeat it `steps` times":
            lambda **probe: climb(**probe | {"steps": min(1, probe["steps"])}),
        "the walk starts at x: start from a random point of the ball, x + eps * noise":
            lambda **probe: climb(**probe, start=lambda x, eps, noise: x),
    })(probe, result)


def stays_in_euclidean_ball(probe, result):
    problem = in_ball("l2")(probe, result)
    if problem and torch.allclose(result, climb(**probe, back=towards), atol=1e-6):
        return ("δ gets longer than ε, and nothing brings it back: to clip every pixel to ± ε does not, since that "
                "ball is far larger. Shorten the whole δ, by ε / ‖δ‖₂, where it is longer than ε")
    if problem and torch.allclose(result, climb(**probe, direction=torch.sign, back=towards), atol=1e-6):
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
    properties={
        "the walk starts at a random point of the ball": starts_at_random,
        "δ is never longer than ε": stays_in_euclidean_ball,
        "every pixel is a grey value in [0, 1]": in_unit_range,
        "the loss goes up": goes_uphill,
        "every step is what the formula says": pgd_in_either_order,
    },
)
