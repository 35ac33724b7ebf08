"""The eight objects of `scenes`, drawn here: polygons and ellipses, each in one of an object's four inks.

Points are (x, y) in the unit square, x right and y down; objects that can face somewhere face right, and what stands on
the ground does so at y = 1. Later shapes cover earlier ones. A shape is filled by comparing numbers alone, so that the
sprites are the same bits everywhere.
"""

import functools

import torch
from torch import Tensor

SIDE, FINER = 24, 4  # pixels of a stored sprite, and how many times finer it is drawn before it is averaged

PRIMARY, SECONDARY, DARK, LIGHT = range(4)


def _box(left, top, right, bottom):
    """The corners of a rectangle."""
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


# An ellipse is (centre x, centre y, half width, half height); a polygon a list of corners.
SHAPES = {
    "car": [
        (PRIMARY, [(.01, .88), (.01, .62), (.16, .57), (.30, .34), (.66, .34), (.81, .57), (.99, .65), (.99, .88)]),
        (LIGHT, [(.23, .57), (.34, .40), (.47, .40), (.47, .57)]),
        (LIGHT, [(.52, .57), (.52, .40), (.63, .40), (.75, .57)]),
        (SECONDARY, _box(.88, .66, .99, .74)),
        (DARK, (.23, .86, .135, .14)), (DARK, (.77, .86, .135, .14)),
        (LIGHT, (.23, .86, .05, .05)), (LIGHT, (.77, .86, .05, .05)),
    ],
    "tree": [
        (SECONDARY, [(.41, 1), (.45, .55), (.55, .55), (.60, 1)]),
        (SECONDARY, [(.55, .74), (.76, .56), (.80, .60), (.57, .84)]),
        (PRIMARY, (.50, .22, .25, .21)), (PRIMARY, (.27, .40, .24, .20)), (PRIMARY, (.73, .44, .25, .20)),
        (PRIMARY, (.48, .46, .30, .22)),
        (DARK, (.66, .53, .24, .11)), (DARK, (.34, .55, .16, .07)),
        (LIGHT, (.38, .17, .11, .09)), (LIGHT, (.21, .34, .10, .07)),
    ],
    "house": [
        (SECONDARY, _box(.68, .06, .82, .40)),
        (PRIMARY, _box(.09, .46, .91, 1)),
        (SECONDARY, [(0, .48), (.30, .12), (.70, .12), (1, .48)]),
        (DARK, _box(.60, .62, .80, 1)),
        (LIGHT, _box(.18, .58, .46, .82)), (PRIMARY, _box(.30, .58, .34, .82)), (PRIMARY, _box(.18, .68, .46, .72)),
    ],
    "person": [
        (SECONDARY, [(.37, .55), (.63, .55), (.67, .97), (.54, .97), (.50, .68), (.46, .97), (.33, .97)]),
        (DARK, _box(.30, .95, .47, 1)), (DARK, _box(.53, .95, .72, 1)),
        (PRIMARY, [(.38, .25), (.62, .25), (.80, .46), (.74, .53), (.63, .44), (.63, .60), (.37, .60), (.37, .44),
                   (.26, .60), (.18, .55), (.28, .34)]),
        (LIGHT, (.79, .51, .055, .05)), (LIGHT, (.22, .60, .055, .05)),
        (DARK, (.48, .10, .135, .105)), (LIGHT, (.52, .135, .115, .105)),
    ],
    "dog": [
        (PRIMARY, [(.16, .56), (.01, .26), (.09, .22), (.25, .48)]),
        (PRIMARY, (.42, .60, .30, .17)),
        (PRIMARY, _box(.16, .62, .27, 1)), (PRIMARY, _box(.30, .70, .40, .97)), (PRIMARY, _box(.48, .70, .58, .97)),
        (PRIMARY, _box(.60, .60, .71, 1)),
        (PRIMARY, [(.55, .55), (.66, .30), (.84, .36), (.72, .70)]),
        (PRIMARY, (.76, .36, .16, .15)), (PRIMARY, (.90, .41, .10, .08)),
        (SECONDARY, [(.58, .47), (.63, .42), (.79, .54), (.75, .60)]),
        (DARK, (.66, .36, .065, .16)), (DARK, (.975, .38, .035, .04)), (LIGHT, (.82, .31, .035, .035)),
    ],
    "boat": [
        (DARK, _box(.45, .04, .50, .76)),
        (LIGHT, [(.53, .06), (.93, .66), (.53, .66)]),
        (SECONDARY, [(.42, .16), (.42, .66), (.12, .66)]),
        (PRIMARY, [(.01, .73), (.99, .73), (.84, 1), (.17, 1)]),
        (LIGHT, [(.05, .79), (.96, .79), (.93, .84), (.08, .84)]),
    ],
    "balloon": [
        (PRIMARY, (.50, .36, .37, .36)), (PRIMARY, [(.16, .49), (.84, .49), (.60, .80), (.40, .80)]),
        (SECONDARY, (.50, .36, .14, .36)), (SECONDARY, [(.37, .49), (.63, .49), (.55, .80), (.45, .80)]),
        (LIGHT, (.28, .25, .07, .13)),
        (DARK, [(.41, .80), (.44, .80), (.46, .88), (.43, .88)]),
        (DARK, [(.56, .80), (.59, .80), (.57, .88), (.54, .88)]),
        (DARK, _box(.41, .87, .59, 1)),
    ],
    "sign": [
        (DARK, _box(.46, .55, .54, 1)),
        (LIGHT, (.50, .32, .33, .32)), (PRIMARY, (.50, .32, .27, .26)),
        (LIGHT, _box(.30, .28, .52, .37)), (LIGHT, [(.50, .18), (.70, .325), (.50, .47)]),
    ],
}
# The colours that each ink may have: primary, secondary, dark, light.
INKS = {
    "car": (["#d8382f", "#2f62c9", "#f0b92c", "#f2f2f0", "#2f9a62"], ["#ffe9a0"], ["#25262b"], ["#cfe9f5"]),
    "tree": (["#3f8f3b", "#5a9c2f", "#2f7d4a"], ["#7a5230", "#664628"], ["#2a6330"], ["#86c25a"]),
    "house": (["#f3e2c0", "#e8b9a2", "#f7f3ea", "#b9d3e2"], ["#b6402f", "#8a4a2e", "#565c6b"], ["#5b3a29"],
              ["#bfe3f2", "#ffe08a"]),
    "person": (["#e0453a", "#f2c53d", "#3faa6e", "#f4f4f4", "#8d4fb0", "#f08a3c"], ["#2b478b", "#35559e"],
               ["#3a2a22", "#211f24"], ["#f0c6a2", "#c88f62", "#8c5a3a"]),
    "dog": (["#4a2f20", "#2c2624", "#a3541e", "#f6f1e8"], ["#d4332c", "#2d6fd0"], ["#241a16", "#6b4328"], ["#ffffff"]),
    "boat": (["#c8372e", "#2a5d9f", "#2f8f78", "#7a4a2a"], ["#ffd35a", "#f06a4a", "#9fd0ee"], ["#4a3524"], ["#fbfaf4"]),
    "balloon": (["#e2483d", "#f39c2d", "#8e44ad", "#2d9cdb", "#27ae60"], ["#ffe066", "#ffffff", "#1f4e8c"],
                ["#5f3c22"], ["#fdf6e8"]),
    "sign": (["#cf2a27", "#1f5fb8"], ["#ffffff"], ["#70767d"], ["#fbfbfb"]),
}


@functools.lru_cache
def sprites() -> Tensor:
    """How much of each pixel each ink of each object covers: (objects, inks, SIDE, SIDE) in [0, 1], drawn once.

    They sum to at most 1 over the inks: what they leave is transparent.
    """
    at = (torch.arange(SIDE * FINER, dtype=torch.float64) + 0.5) / (SIDE * FINER)
    y, x = at[:, None], at[None, :]
    drawn = torch.zeros(len(SHAPES), 4, SIDE * FINER, SIDE * FINER)
    for layers, shapes in zip(drawn, SHAPES.values(), strict=True):
        for ink, shape in shapes:
            inside = _in_ellipse(x, y, *shape) if isinstance(shape, tuple) else _in_polygon(x, y, shape)
            layers[:, inside] = 0
            layers[ink, inside] = 1
    return torch.nn.functional.avg_pool2d(drawn, FINER)


@functools.lru_cache
def colours() -> tuple[Tensor, Tensor]:
    """The colours of INKS, (objects, inks, most choices, 3) in [0, 1], and how many choices each ink has."""
    counts = torch.tensor([[len(choices) for choices in inks] for inks in INKS.values()])
    table = torch.zeros(*counts.shape, counts.max(), 3)
    for row, inks in zip(table, INKS.values(), strict=True):
        for cell, choices in zip(row, inks, strict=True):
            cell[: len(choices)] = torch.tensor([list(bytes.fromhex(colour[1:])) for colour in choices]) / 255
    return table, counts


def _in_ellipse(x, y, centre_x, centre_y, half_width, half_height):
    return ((x - centre_x) / half_width) ** 2 + ((y - centre_y) / half_height) ** 2 < 1


def _in_polygon(x, y, corners):
    """Whether a ray to the left crosses the outline an odd number of times."""
    inside = torch.zeros(len(y), x.shape[1], dtype=torch.bool)
    for (x1, y1), (x2, y2) in zip(corners, [*corners[1:], corners[0]], strict=True):
        if y1 != y2:
            inside ^= ((y1 <= y) != (y2 <= y)) & (x1 + (y - y1) * (x2 - x1) / (y2 - y1) < x)
    return inside
