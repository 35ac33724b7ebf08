"""06.2: one step of a universal perturbation."""

import torch
from torch.nn import functional as F

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.probes import WRONG_LOSSES, loss_gradient, random_images, small_model, telling_apart
from advcourse.exercises.properties import equals, finite


def shared_gradient(model, x, y, delta, loss=F.cross_entropy):
    """The gradient of the mean loss of all images with respect to the delta that they share."""
    delta = delta.detach().clone().requires_grad_()
    with torch.enable_grad():
        return torch.autograd.grad(loss(model((x + delta).clamp(0, 1)), y), delta)[0]


def universal_step(model, x, y, delta, eps, step_size):
    return (delta + step_size * shared_gradient(model, x, y, delta).sign()).clamp(-eps, eps)


def universal_probes(generator):
    return [telling_apart(lambda step_size=step_size: universal_probe(generator, step_size), universal_step,
                          MISTAKES.values()) for step_size in (0.05, 0.1, 0.2)]


def universal_probe(generator, step_size):
    """Images and a delta at which rounding decides no sign, whether or not the gradient passes the clip."""
    while True:
        model, x = small_model(generator), random_images(generator, count=9).view(-1, 2, 3, 6)
        y = torch.randint(4, (len(x),), generator=generator)  # not always what the model says
        # Many entries are within a step of the border: some leave the ball, others must not be cut.
        delta = (2 * torch.rand(2, 3, 6, generator=generator) - 1) * 0.3
        gradients = shared_gradient(model, x, y, delta), gradient_at((x + delta).clamp(0, 1), model, y)
        if all((gradient.abs() > 1e-3 * gradient.abs().max()).all() for gradient in gradients):
            return {"model": model, "x": x, "y": y, "delta": delta, "eps": 0.3, "step_size": step_size}


def gradient_at(images, model, y):
    """The sum of the images' own gradients, those of pixels that a clip holds included."""
    return loss_gradient(model, images, y).sum(0)


def no_entry_beyond_eps(probe, result):
    if message := finite(probe, result):
        return message
    beyond = (result.abs().max() - probe["eps"]).item()
    if beyond > 1e-6:
        return (f"an entry of your delta exceeds ε = {probe['eps']} by {beyond:.2g}: project after the step, which for "
                "this norm means to clip every entry to [−ε, ε]")
    return None


def step_along(direction):
    """The projected step along direction(model, x, y, delta)."""
    return lambda model, x, y, delta, eps, step_size: (
        delta + step_size * direction(model=model, x=x, y=y, delta=delta)).clamp(-eps, eps)


def step_with_loss(loss):
    """The step up the mean of another loss, of (logits, labels)."""
    return step_along(lambda model, x, y, delta: shared_gradient(model, x, y, delta, loss).sign())


step_at_clipped_images = step_along(lambda model, x, y, delta: gradient_at((x + delta).clamp(0, 1), model, y).sign())

MISTAKES = {
    "you go down the loss: add the step, an attack goes uphill":
        lambda **probe: universal_step(**probe | {"step_size": -probe["step_size"]}),
    "entries move in proportion to their gradient: take its sign, so that every one goes the full step":
        step_along(shared_gradient),
    "the step is as long as step_size as a whole, by its Euclidean norm: take the gradient's sign, so that every entry "
    "goes the full step":
        step_along(lambda **given: F.normalize(shared_gradient(**given).flatten(), dim=0).view_as(given["delta"])),
    "the gradient is divided by its largest entry: take its sign, so that every entry goes the full step":
        step_along(lambda **given: shared_gradient(**given) / shared_gradient(**given).abs().max()),
    "you start from zero and lose the delta that you were given: "
    "take the gradient at x + delta, and add the step to delta":
        lambda **probe: universal_step(**probe | {"delta": 0 * probe["delta"]}),
    "this is the step alone: add it to the delta that you were given":
        lambda **probe: probe["step_size"] * shared_gradient(
            probe["model"], probe["x"], probe["y"], probe["delta"]).sign(),
    "the gradient is taken at the clean x: the images that the model sees carry the present delta":
        step_along(lambda model, x, y, delta: gradient_at(x, model, y).sign()),
    "this follows the first image alone; the loss is the mean over all images":
        lambda **probe: universal_step(**probe | {"x": probe["x"][:1], "y": probe["y"][:1]}),
    "this follows the last image alone; the loss is the mean over all images":
        lambda **probe: universal_step(**probe | {"x": probe["x"][-1:], "y": probe["y"][-1:]}),
    "you take signs image by image and add them up; add the gradients up first, and take the sign once":
        step_along(lambda model, x, y, delta:
                   loss_gradient(model, (x + delta).clamp(0, 1), y).sign().sum(0).sign()),
    "you take the mean of the images' signs; add the gradients up first, and take the sign once":
        step_along(lambda model, x, y, delta: loss_gradient(model, (x + delta).clamp(0, 1), y).sign().mean(0)),
    "the step is not of size step_size; ε is only the limit for delta as a whole":
        lambda **probe: universal_step(**probe | {"step_size": probe["eps"]}),
    "the images under delta leave [0, 1]: the model is to see `(x + delta).clamp(0, 1)`":
        step_along(lambda model, x, y, delta: gradient_at(x + delta, model, y).sign()),
    "delta is a perturbation, not an image: its entries may be negative. Clip to [−ε, ε], not to [0, 1]":
        lambda **probe: universal_step(**probe).clamp(0, 1),
    "you followed the model's own answers on x; use the labels y that you are given":
        lambda **probe: universal_step(**probe | {"y": probe["model"](probe["x"]).argmax(1).detach()}),
} | {message: step_with_loss(loss) for message, loss in WRONG_LOSSES.items()}
follows_the_formula = equals(universal_step, MISTAKES)


def follows_the_shared_gradient(probe, result):
    """Whether the gradient passes through the clip to [0, 1] or stops at it: both are steps up the mean loss."""
    if (result - step_at_clipped_images(**probe)).abs().max() <= 1e-5:
        return None
    return follows_the_formula(probe, result)


exercise = Exercise(
    number="06.2",
    title="A step of a universal perturbation",
    points=4,
    minutes=12,
    hints=(
        ("What is new compared with one image?",
         "Nothing but this: δ has no batch dimension. All images share it, "
         "so one gradient, that of their mean loss, moves it."),
        ("How do I get a gradient for delta?",
         "`delta = delta.clone().requires_grad_()`, then the loss of `model((x + delta).clamp(0, 1))` at y, then "
         "`torch.autograd.grad(loss, delta)[0]`: broadcasting adds the images up."),
        ("Show me nearly all of it.", "`(delta + step_size * gradient.sign()).clamp(-eps, eps).detach()`."),
    ),
    reference=universal_step,
    probes=universal_probes,
    gates={"no entry of delta exceeds ε": no_entry_beyond_eps},
    properties={"it is one projected step up the mean loss": follows_the_shared_gradient},
)
