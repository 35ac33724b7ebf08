"""06.2: one step of a universal perturbation."""

import torch
from torch.nn import functional as F

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.probes import loss_gradient, random_images, small_model
from advcourse.exercises.properties import equals, finite


def shared_gradient(model, x, y, delta):
    """The gradient of the mean loss of all images with respect to the delta that they share."""
    delta = delta.detach().clone().requires_grad_()
    with torch.enable_grad():
        loss = F.cross_entropy(model((x + delta).clamp(0, 1)), y)
    return torch.autograd.grad(loss, delta)[0]


def universal_step(model, x, y, delta, eps, step_size):
    return (delta + step_size * shared_gradient(model, x, y, delta).sign()).clamp(-eps, eps)


def universal_probes(generator):
    probes = []
    for step_size in (0.05, 0.1, 0.2):
        model, x = small_model(generator), random_images(generator, count=8)
        y = torch.randint(4, (len(x),), generator=generator)  # not always what the model says
        # Many entries are within a step of the border: some leave the ball, others must not be cut.
        delta = (2 * torch.rand(1, 6, 6, generator=generator).double() - 1) * 0.3
        probes.append({"model": model, "x": x, "y": y, "delta": delta, "eps": 0.3, "step_size": step_size})
    return probes


def no_entry_beyond_eps(probe, result):
    if message := finite(probe, result):
        return message
    beyond = (result.abs().max() - probe["eps"]).item()
    if beyond > 1e-6:
        return (f"an entry of your delta exceeds ε = {probe['eps']} by {beyond:.2g}: project after the step, which for "
                "this norm means to clip every entry to [−ε, ε]")
    return None


def step_at_clipped_images(model, x, y, delta, eps, step_size):
    """Right, too: the gradient at the clipped images, pixels that the clip holds included."""
    gradient = loss_gradient(model, (x + delta).clamp(0, 1), y).sum(0)
    return (delta + step_size * gradient.sign()).clamp(-eps, eps)


def step_at_unclipped_images(model, x, y, delta, eps, step_size):
    gradient = loss_gradient(model, x + delta, y).sum(0)
    return (delta + step_size * gradient.sign()).clamp(-eps, eps)


def step_at_clean_images(model, x, y, delta, eps, step_size):
    return (delta + step_size * loss_gradient(model, x, y).sum(0).sign()).clamp(-eps, eps)


def step_of_the_first_image(model, x, y, delta, eps, step_size):
    return universal_step(model, x[:1], y[:1], delta, eps, step_size)


def step_by_votes(model, x, y, delta, eps, step_size):
    """The mistake of adding up signs: every image has one vote, however much it has to gain."""
    votes = loss_gradient(model, (x + delta).clamp(0, 1), y).sign().sum(0)
    return (delta + step_size * votes.sign()).clamp(-eps, eps)


def step_without_sign(model, x, y, delta, eps, step_size):
    return (delta + step_size * shared_gradient(model, x, y, delta)).clamp(-eps, eps)


follows_the_formula = equals(universal_step, mistakes={
    "you go down the loss: add the step, an attack goes uphill":
        lambda **probe: universal_step(**probe | {"step_size": -probe["step_size"]}),
    "entries move in proportion to their gradient: take its sign, so that every one goes the full step":
        step_without_sign,
    "you start from zero and lose the delta that you were given: "
    "take the gradient at x + delta, and add the step to delta":
        lambda **probe: universal_step(**probe | {"delta": 0 * probe["delta"]}),
    "the gradient is taken at the clean x: the images that the model sees carry the present delta":
        step_at_clean_images,
    "this follows the first image alone; the loss is the mean over all images":
        step_of_the_first_image,
    "you take signs image by image and add them up; add the gradients up first, and take the sign once":
        step_by_votes,
    "the step is not of size step_size; ε is only the limit for delta as a whole":
        lambda **probe: universal_step(**probe | {"step_size": probe["eps"]}),
    "the images under delta leave [0, 1]: the model is to see `(x + delta).clamp(0, 1)`":
        step_at_unclipped_images,
    "delta is a perturbation, not an image: its entries may be negative. Clip to [−ε, ε], not to [0, 1]":
        lambda **probe: universal_step(**probe).clamp(0, 1),
    "you followed the model's own answers; use the labels y that you are given":
        lambda **probe: universal_step(**probe | {"y": probe["model"](probe["x"]).argmax(1).detach()}),
})


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
    properties={
        "no entry of delta exceeds ε": no_entry_beyond_eps,
        "it is one projected step up the mean loss": follows_the_shared_gradient,
    },
)
