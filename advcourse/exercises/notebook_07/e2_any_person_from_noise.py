"""07.2: any person, from noise."""

from functools import partial

import torch
from torch import nn
from torch.nn import functional as F

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.properties import confident, in_unit_range


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


def gentle_model(generator):
    """A linear model of 2x8x9 images and 4 classes on which no step of length 0.5 goes from unsure to sure."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(144, 4))
    with torch.no_grad():
        model[1].weight.copy_(0.14 * torch.randn(4, 144, generator=generator))
        model[1].bias.zero_()
    return model.eval()


def noise_probes(generator):
    """The last three images are sure of their target from the start; read as it, and not surely; sure of another."""
    probes = []
    for confidence in (0.9, 0.99):
        model, x = gentle_model(generator), torch.rand(8, 2, 8, 9, generator=generator)
        target = torch.tensor([2, 0, 3, 1, 2, 0, 1, 3])
        x[5:6] = from_noise(model, x[5:6], target[5:6], 0.995)
        x[6:7] = from_noise(model, x[6:7], target[6:7], 0.51)
        x[7:] = from_noise(model, x[7:], torch.tensor([0]), 0.995)
        probes.append({"model": model, "x": x, "target": target, "confidence": confidence})
    return probes


def those_that_are_there_stay(probe, result):
    with torch.no_grad():
        before, after = (probability(probe["model"], images, probe["target"]) for images in (probe["x"], result))
    there = before >= probe["confidence"]
    moved = (result - probe["x"])[there].abs().max().item()
    if moved > 1e-6:
        return (f"an image that had its confidence from the start was moved by {moved:.2g}: multiply the step by the "
                "images' `short`, 1 where the goal is not reached and 0 where it is")
    if (after[~there] <= before[~there]).any():
        return "of the images that have to move, some do not get nearer to their targets"
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
    gates={
        "every pixel is a grey value in [0, 1]": partial(in_unit_range, name="image"),
        "an image that is there stays as it is, the others move": those_that_are_there_stay,
    },
    properties={"the model is sure enough of every target": confident("target", at_least="confidence")},
)
