"""00.1: how far apart are two images?"""

import torch

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.properties import equals


def largest_change(x, x_p):
    return (x_p - x).abs().flatten(1).amax(1)


def change_probes(generator):
    pairs = [torch.rand(2, count, 3, 4, 5, generator=generator) for count in (2, 6)]
    # One pair in which the largest change is downwards: x_p = x but for one value that loses 0.5.
    x = torch.rand(3, 2, 5, 4, generator=generator) * 0.4 + 0.5
    darker = x.clone()
    darker[:, 0, 2, 2] -= 0.5
    return [{"x": a, "x_p": b} for a, b in pairs] + [{"x": x, "x_p": darker}]


exercise = Exercise(
    number="00.1",
    title="How far apart are two images?",
    points=2,
    minutes=4,
    hints=(
        ("Where do I start?", "Subtract the images. What the sign of a difference says does not matter for its size."),
        ("I get one number for the whole batch.",
         "Keep the first dimension: `.flatten(1)` makes one row per image, "
         "and `.amax(1)` takes the largest entry of each row."),
        ("Show me nearly all of it.",
         "It is one line: the absolute value of `x_p - x`, "
         "flattened from dimension 1, then the largest entry over dimension 1."),
    ),
    reference=largest_change,
    probes=change_probes,
    properties={
        "it is the largest change of a pixel": equals(largest_change, mistakes={
            "a pixel that gets darker counts as much as one that gets brighter: take the absolute value first":
                lambda x, x_p: (x_p - x).flatten(1).amax(1),
            "a pixel that gets brighter counts as much as one that gets darker: take the absolute value first":
                lambda x, x_p: (x - x_p).flatten(1).amax(1),
            "this is the average change of a pixel; wanted is the largest":
                lambda x, x_p: (x_p - x).abs().flatten(1).mean(1),
            "this is the sum of all changes (the ℓ1 norm); wanted is the largest one (the ℓ∞ norm)":
                lambda x, x_p: (x_p - x).abs().flatten(1).sum(1),
            "this is the Euclidean length (the ℓ2 norm); wanted is the largest single change (the ℓ∞ norm)":
                lambda x, x_p: (x_p - x).flatten(1).norm(dim=1),
            "this is the smallest change; wanted is the largest":
                lambda x, x_p: (x_p - x).abs().flatten(1).amin(1),
            "this is the largest pixel, not the largest change: subtract x from x_p":
                lambda x, x_p: x_p.flatten(1).amax(1),
            "you compare the brightest pixels of the two images; subtract pixel by pixel, then take the largest":
                lambda x, x_p: (x_p.flatten(1).amax(1) - x.flatten(1).amax(1)).abs(),
            "this is the place of the largest change (`argmax`); wanted is its size (`amax`)":
                lambda x, x_p: (x_p - x).abs().flatten(1).argmax(1),
            "this is the square of the largest change: take absolute values, not squares":
                lambda x, x_p: (x_p - x).square().flatten(1).amax(1),
            "you give every pair the largest change of the whole batch: keep the first dimension":
                lambda x, x_p: (x_p - x).abs().amax().expand(len(x)),
            "this is the number of pixels that change (ℓ0); wanted is the size of the largest change":
                lambda x, x_p: (x_p != x).flatten(1).sum(1),
        }),
    },
)
