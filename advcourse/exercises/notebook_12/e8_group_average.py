"""12.8: a model that cannot tell an image from its quarter turns."""

import torch

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.probes import small_model, telling_apart
from advcourse.exercises.properties import equals


def group_average(model, x):
    return torch.stack([model(torch.rot90(x, k, (2, 3))) for k in range(4)]).mean(0)


def turn_probes(generator):
    def draw():
        return {"model": small_model(generator), "x": torch.rand(7, 1, 6, 6, generator=generator)}

    return [telling_apart(draw, group_average, list(MISTAKES.values()), apart=5e-3) for _ in range(3)]


def average(model, x, turns=range(4), dims=(2, 3), pool=lambda answers: answers.mean(0)):
    """The formula with one of its parts exchanged."""
    return pool(torch.stack([model(torch.rot90(x, k, dims)) for k in turns]))


MISTAKES = {
    "this is the model's own answer: nothing was turned": lambda model, x: model(x),
    "you average the images and ask once: the mean of four turned images is no image that the model knows. Ask about "
    "each, and average the answers": lambda model, x: model(
        torch.stack([torch.rot90(x, k, (2, 3)) for k in range(4)]).mean(0)),
    "you average probabilities; logits are wanted": lambda model, x: average(
        lambda images: model(images).softmax(1), x),
    "the unturned image is missing: it belongs to the group, too": lambda model, x: average(model, x, (1, 2, 3)),
    "the last quarter turn is missing: `range(4)` has four": lambda model, x: average(model, x, range(3)),
    "you turn once: there are four turns, by 0, 90, 180 and 270 degrees":
        lambda model, x: average(model, x, (0, 1)),
    "by 0 and 180 degrees only; quarter turns are four": lambda model, x: average(model, x, (0, 2)),
    "the full turn counts, which is the unturned image once more: five answers, two of them alike":
        lambda model, x: average(model, x, range(5)),
    "this is the sum of the four answers; wanted is their mean": lambda model, x: 4 * group_average(model, x),
    "this is the largest answer of each class; wanted is the mean":
        lambda model, x: average(model, x, pool=lambda answers: answers.amax(0)),
    "these are mirror images, not turns: `torch.rot90(x, k, (2, 3))`":
        lambda model, x: torch.stack([model(x), model(x.flip(2)), model(x.flip(3)), model(x.flip(2, 3))]).mean(0),
    "these are the votes of the four turns; the mean of their logits is wanted": lambda model, x: average(
        lambda images: torch.nn.functional.one_hot(model(images).argmax(1), 4).float(), x),
    "this is the mean over the images, too: each keeps its own": lambda model, x: group_average(model, x).mean(
        0, keepdim=True).expand(len(x), -1),
}


exercise = Exercise(
    number="12.8",
    title="A model that cannot move",
    points=3,
    minutes=8,
    hints=(
        ("What is the group?",
         "The turns by 0, 90, 180 and 270 degrees: `torch.rot90(x, k, (2, 3))` with k = 0, 1, 2, 3. Two of them, one "
         "after the other, are again one of them."),
        ("What is averaged?", "The answers: four tensors of logits, (N, K) each. `torch.stack` puts them in one."),
        ("Show me nearly all of it.",
         "`torch.stack([model(torch.rot90(x, k, (2, 3))) for k in range(4)])`, then the mean over dim 0."),
    ),
    reference=group_average,
    probes=turn_probes,
    properties={"it is the mean of the logits over the four quarter turns": equals(group_average, MISTAKES,
                                                                                  tolerance=1e-4)},
)
