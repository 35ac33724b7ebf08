"""07.2: any person, from noise."""

from functools import partial

import torch
from torch.nn import functional as F

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.probes import steep_linear_model
from advcourse.exercises.properties import finite, in_unit_range


def probability(model, x, target):
    """The probability of each image's target, shape (N,)."""
    return model(x).softmax(1).gather(1, target[:, None])[:, 0]


def from_noise(model, x, target, confidence):
    for _ in range(500):
        x = x.detach().requires_grad_()
        logits = model(x)
        short = logits.softmax(1).gather(1, target[:, None])[:, 0] < confidence
        if not short.any():
            break
        gradient = torch.autograd.grad(F.cross_entropy(logits, target, reduction="sum"), x)[0]
        length = gradient.flatten(1).norm(dim=1).clamp_min(1e-12)
        x = (x - 0.5 * (short / length).view(-1, 1, 1, 1) * gradient).clamp(0, 1)
    return x.detach()


def noise_probes(generator):
    probes = []
    for confidence in (0.9, 0.99):
        model = steep_linear_model(generator)
        x = torch.rand(6, 1, 6, 6, generator=generator, dtype=torch.float64)
        target = torch.arange(6) % 4
        x[5:] = from_noise(model, x[5:], target[5:], 0.995)  # one is there already
        probes.append({"model": model, "x": x, "target": target, "confidence": confidence})
    return probes


def sure_enough(probe, result):
    if message := finite(probe, result):
        return message
    model, target, wanted = probe["model"], probe["target"], probe["confidence"]
    with torch.no_grad():
        start, sure = probability(model, probe["x"], target), probability(model, result, target)
        seen = model(result).argmax(1)
    if (sure >= wanted - 1e-6).all():
        return None
    if torch.equal(result, probe["x"]):
        return "the images came back unchanged: follow the gradient for some steps"
    if (seen == seen[0]).all() and (sure[target == seen[0]] >= 0.5).all():
        return (f"every image was driven to class {seen[0].item()}; each has a target of its own: give `cross_entropy` "
                "the whole of `target`")
    if sure.mean() < start.mean():
        return "the targets got less likely: to *lower* the loss at the target, subtract its gradient"
    if (seen == target).all():
        worst = sure.min().item()
        return (f"every image is classified as its target, but the least sure one only with {worst:.2g}; {wanted} is "
                "wanted: compare the softmax probability with `confidence`, image by image, before you stop")
    return (f"{(sure < wanted).sum().item()} of {len(sure)} images are not there: the least sure one has "
            f"{sure.min().item():.2g}, wanted is {wanted}. Take more steps, and stop only when all have arrived")


def finished_stay(probe, result):
    with torch.no_grad():
        there = probability(probe["model"], probe["x"], probe["target"]) >= probe["confidence"]
    moved = (result - probe["x"])[there].abs().max().item()
    if moved > 1e-9:
        return (f"an image that had its confidence from the start was moved by {moved:.2g}: multiply the step by the "
                "images' `short`, 1 where the goal is not reached and 0 where it is")
    return None


exercise = Exercise(
    number="07.2",
    title="Any person, from noise",
    points=4,
    minutes=14,
    hints=(
        ("Which way is the target?",
         "Down the cross-entropy at the target: minus its gradient, divided by its length, image by image. Many steps "
         "of length 0.5, clipped to [0, 1] after each."),
        ("How do I stop some images and not others?",
         "`model(x).softmax(1).gather(1, target[:, None])[:, 0]` is each image's probability. "
         "Compare it with `confidence`: True where the image must go on. "
         "As a factor of the step, reshaped to (N, 1, 1, 1), it stops the others."),
        ("Show me nearly all of it.",
         "In a loop of 500: the probabilities; `short = probabilities < confidence`; "
         "break unless `short.any()`; the gradient of `F.cross_entropy(model(x), "
         "target, reduction='sum')` and its `length`, `.flatten(1).norm(dim=1)`; "
         "then `x = (x - 0.5 * (short / length).view(-1, 1, 1, 1) * gradient).clamp(0, 1)`."),
    ),
    reference=from_noise,
    probes=noise_probes,
    properties={
        "every pixel is a grey value in [0, 1]": partial(in_unit_range, name="image"),
        "the model is sure enough of every target": sure_enough,
        "an image that is there stays as it is": finished_stay,
    },
)
