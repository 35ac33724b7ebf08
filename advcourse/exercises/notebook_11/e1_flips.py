"""11.1: flips, each image by its own coin."""

import torch

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.probes import telling_apart
from advcourse.exercises.properties import equals

AXES = {"left-right": -1, "top-bottom": -2}


def flip(x, which, direction):
    return chosen(x, which, x.flip(AXES[direction]))


def chosen(x, which, changed):
    """`changed` where `which` is true, else x."""
    return torch.where(which.view(-1, 1, 1, 1), changed, x)


def flip_probes(generator):
    def draw(direction):
        # As many images as neither channels nor rows nor columns; what is chosen is no palindrome.
        x = torch.rand(7, 3, 4, 6, generator=generator)
        return {"x": x, "which": torch.rand(7, generator=generator) < 0.5, "direction": direction}

    return [telling_apart(lambda direction=direction: draw(direction), flip, MISTAKES.values()) for direction in AXES]


def among_the_chosen(x, which, direction):
    """The mistake of reversing the order of the chosen images."""
    result = x.clone()
    result[which] = x[which].flip(0)
    return result


MISTAKES = {
    "the images come back as they were: none is flipped":
        lambda x, which, direction: x,
    "this is the other direction: left-right exchanges columns, the last dimension, and top-bottom exchanges rows, the "
    "last but one; `direction` says which":
        lambda x, which, direction: chosen(x, which, x.flip(-3 - AXES[direction])),
    "all images are flipped; only those for which `which` is True may be":
        lambda x, which, direction: x.flip(AXES[direction]),
    "the wrong images are flipped: those for which `which` is True shall be":
        lambda x, which, direction: flip(x, ~which, direction),
    "the channels are exchanged, dimension 1: rows are dimension 2 and columns dimension 3":
        lambda x, which, direction: chosen(x, which, x.flip(1)),
    "the order of the images is reversed, dimension 0: rows are dimension 2 and columns dimension 3":
        lambda x, which, direction: chosen(x, which, x.flip(0)),
    "the chosen images change places, dimension 0: rows are dimension 2 and columns dimension 3":
        among_the_chosen,
    "rows and columns are both reversed, which is half a turn: a flip reverses one of them":
        lambda x, which, direction: chosen(x, which, x.flip(-1, -2)),
    "all dimensions are reversed: a flip reverses the rows or the columns alone":
        lambda x, which, direction: chosen(x, which, x.flip(0, 1, 2, 3)),
    "channels, rows and columns are all reversed: a flip reverses the rows or the columns alone":
        lambda x, which, direction: chosen(x, which, x.flip(1, 2, 3)),
    "the grey values are turned over, 1 − x: a flip moves pixels and leaves their values":
        lambda x, which, direction: chosen(x, which, 1 - x),
    "the pixels are moved by half the image; a flip reverses their order":
        lambda x, which, direction: chosen(x, which, x.roll(x.shape[AXES[direction]] // 2, AXES[direction])),
}


exercise = Exercise(
    number="11.1",
    title="Flips",
    points=2,
    minutes=6,
    hints=(
        ("Which dimension is left-right?",
         "Images are (N, C, H, W): the last dimension runs from left to right, the last but one from top to bottom. "
         "`x.flip(-1)` reverses the last."),
        ("How do I flip only some?",
         "Flip all of them, and then choose, image by image, between the flipped one and the old one with "
         "`torch.where`; or work on a copy and replace `x[which]` in it."),
        ("Show me nearly all of it.",
         '`flipped = x.flip(-1 if direction == "left-right" else -2)`, then '
         "`torch.where(which.view(-1, 1, 1, 1), flipped, x)`."),
    ),
    reference=flip,
    probes=flip_probes,
    properties={"the chosen images are flipped, and no others": equals(flip, MISTAKES, tolerance=1e-6)},
)
