"""Small colour scenes of which everything is known: what is there, where, what hides what, and what a picture would
show without one of its objects.

A scene is a dictionary of tensors with a row for each picture, its latents; `render` makes the picture, each object's
exact mask and the label of each pixel. An object is removed by rendering once more with its bit of `present` off. How
often two objects come together is a number: `tie`.
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from advcourse.data import backdrops
from advcourse.data.registry import Dataset, register
from advcourse.data.sprites import SHAPES, colours, sprites

OBJECTS = tuple(SHAPES)  # car, tree, house, person, dog, boat, balloon, sign
BACKDROPS = {"meadow": backdrops.meadow, "street": backdrops.street, "beach": backdrops.beach}
# What a pixel may belong to; the objects come last, in their order.
LABELS = ("sky", "far away", "ground", "road", "sidewalk", *OBJECTS)
SIZE = 32  # pixels on the side of a picture
NOISE = 0.025  # the standard deviation of a pixel
GRAINS = 2**16  # different stretches of noise
CHUNK = 500  # pictures rendered at a time

# Of every object: its height and width beside the picture's, at half depth; and how near it stands (0: at the horizon,
# 1: at the lower edge). Large things stand back, so that they do not hide the small ones. The balloon floats. The dog
# is as small as can be learnt on its own: a larger one is seen at once, and no network looks for its master instead.
SIZES = {"car": (0.42, 0.55), "tree": (0.50, 0.64), "house": (0.50, 0.62), "person": (0.40, 0.52), "dog": (0.22, 0.30),
         "boat": (0.42, 0.55), "balloon": (0.36, 0.48), "sign": (0.36, 0.46)}
DEPTHS = {"car": (0.25, 0.85), "tree": (0.05, 0.50), "house": (0.05, 0.35), "person": (0.40, 1.0), "dog": (0.25, 1.0),
          "boat": (0.15, 0.80), "balloon": (0.0, 0.6), "sign": (0.35, 0.95)}
FLOATING = OBJECTS.index("balloon")

Latents = dict[str, Tensor]


class Scenes(NamedTuple):
    """Pictures x, (n, 3, 32, 32) in [0, 1]; each object's visible share of every pixel, masks, (n, 8, 32, 32) in
    [0, 1], in the order of OBJECTS; labels, (n, 32, 32) int64, indices into LABELS."""

    x: Tensor
    masks: Tensor
    labels: Tensor


def latents(n: int, seed: int = 0, *, prior: float = 0.3, tie: float = 0.5, pair: tuple[str, str] = ("person", "dog"),
            background: str | None = None) -> Latents:
    """n random scenes of several objects.

    pair, tie: the first of the pair is there in half of the scenes, the second where the first is with probability
        `tie` in [0, 1], and where it is not with 1 − tie: 0.95 ties them, at 0.5 they are independent. The first is
        one of OBJECTS, the second as well, or "sidewalk", which takes the place of the road in front of a street.
    prior: how likely each other object is, independently of everything.
    background: one of BACKDROPS, or None for any of them.
    Returns a dictionary: present (n, 8) bool; x, depth, size, mirror (−1 or 1), tilt (n, 8); colour (n, 8, 4, 3);
        backdrop (n,), horizon (n,), sidewalk (n,) bool; chance and grain for what is left to chance. The same seed
        gives the same bits, and the first scenes do not depend on n.
    Raises ValueError where an argument is not as said here.
    """
    for what, share in (("prior", prior), ("tie", tie)):
        if not 0 <= share <= 1:
            raise ValueError(f"{what} must lie in [0, 1]; got {share}")
    first, second = pair
    if first not in OBJECTS or second not in (*OBJECTS, "sidewalk") or first == second:
        raise ValueError(f"pair must be two of {', '.join(OBJECTS)}, the second may be sidewalk; got {pair}")
    z, chance = _draw(n, seed, background)
    z["present"] = chance[:, : len(OBJECTS)] < prior
    there = chance[:, OBJECTS.index(first)] < 0.5
    together = chance[:, len(OBJECTS)] < tie
    z["present"][:, OBJECTS.index(first)] = there
    target = z["sidewalk"] if second == "sidewalk" else z["present"][:, OBJECTS.index(second)]
    target.copy_(there == together)
    return z


def single(n: int, seed: int = 0, *, facing: str | None = None) -> tuple[Latents, Tensor]:
    """n random scenes of one object each, and which it is.

    facing: "right" or "left" turns all objects that way, None either way.
    Returns latents as `latents` does, and y (n,), indices into OBJECTS. The same seed gives the same scenes but for the
    way the objects face. Raises ValueError where facing is none of these, or n is below 1.
    """
    if facing not in ("right", "left", None):
        raise ValueError(f'facing must be "right", "left" or None; got {facing!r}')
    z, chance = _draw(n, seed, None)
    y = (chance[:, 0] * len(OBJECTS)).long()
    z["present"] = F.one_hot(y, len(OBJECTS)).bool()
    if facing:
        z["mirror"] = torch.full_like(z["mirror"], 1.0 if facing == "right" else -1.0)
    return z, y


def remove(z: Latents, which: str | Tensor) -> Latents:
    """The same scenes without one object, for `render`: outside the object's mask their pixels are the same bits.

    which: one of OBJECTS, or the index of one for each scene, (n,). Scenes that it is not in stay as they are.
    """
    if isinstance(which, str):
        if which not in OBJECTS:
            raise ValueError(f"there is no object {which!r}; there are {', '.join(OBJECTS)}")
        which = torch.full((len(z["present"]),), OBJECTS.index(which))
    return {**z, "present": z["present"] & ~F.one_hot(which, len(OBJECTS)).bool()}


def render(z: Latents) -> Scenes:
    """The scenes as pictures, with exact masks and labels; differentiable in x, depth, size, tilt and colour."""
    picture, surfaces = _backdrop(z)
    masks = picture.new_zeros(len(picture), len(OBJECTS), SIZE, SIZE)
    # From far to near; objects that are not there come last.
    order = torch.where(z["present"], z["depth"].detach(), 2.0).argsort(dim=1, stable=True)
    for rank in range(len(OBJECTS)):
        row = (z["present"].sum(1) > rank).nonzero()[:, 0]
        if not len(row):
            break
        which = order[row, rank]
        ink, cover = _object(z, row, which)
        picture = picture.index_put((row,), picture[row] * (1 - cover) + ink)
        masks = masks.index_put((row,), masks[row] * (1 - cover)).index_put((row, which), cover[:, 0])
    most, which = masks.max(dim=1)
    labels = torch.where(most >= 0.5, which + len(LABELS) - len(OBJECTS), surfaces)
    return Scenes((picture + NOISE * _grain(z)).clamp(0, 1), masks, labels)


def pictures(z: Latents) -> Tensor:
    """The pictures of `render` alone, (n, 3, 32, 32): for many scenes, whose masks would fill the memory."""
    parts = zip(*(value.split(CHUNK) for value in z.values()), strict=True)
    return torch.cat([render(dict(zip(z, part, strict=True))).x for part in parts])


@register("scenes")
def scenes(train: int | None = None, test: int | None = None, seed: int = 0) -> Dataset:
    """8,000 training and 2,000 test pictures of one object each unless told otherwise.

    They are those of `single` with the seeds 2 · seed and 2 · seed + 1.
    """
    z_train, y_train = single(8_000 if train is None else train, seed=2 * seed)
    z_test, y_test = single(2_000 if test is None else test, seed=2 * seed + 1)
    card = (f"Scenes: one of {len(OBJECTS)} objects before a meadow, a street or a beach, {SIZE}×{SIZE} in colour, "
            "drawn here; free")
    return Dataset("scenes", pictures(z_train), y_train, pictures(z_test), y_test, OBJECTS, card)


def _draw(n, seed, background):
    """All latents but `present`, and 16 uniform numbers for each scene to draw that from."""
    if n < 1:
        raise ValueError(f"n must be at least 1, got {n}")
    if background not in (*BACKDROPS, None):
        raise ValueError(f"background must be one of {', '.join(BACKDROPS)}, or None for any; got {background!r}")
    uniform = torch.rand(n, 36 + 9 * len(OBJECTS), generator=torch.Generator().manual_seed(seed))
    chance, scene, of_objects = uniform[:, :16], uniform[:, 16:36], uniform[:, 36:].view(n, len(OBJECTS), 9)
    small, large = torch.tensor([SIZES[name] for name in OBJECTS]).T
    far, near = torch.tensor([DEPTHS[name] for name in OBJECTS]).T
    table, counts = colours()
    choice = (of_objects[..., 5:] * counts).long()
    backdrop = (scene[:, 0] * len(BACKDROPS)).long()
    if background:
        backdrop.fill_(list(BACKDROPS).index(background))
    depth = far + of_objects[..., 0] * (near - far)
    size = (small + of_objects[..., 1] * (large - small)) * (0.8 + 0.4 * depth)
    return {
        "x": size / 2 - 0.04 + of_objects[..., 2] * (1.08 - size),  # of the middle: a sliver may be outside
        "depth": depth, "size": size,
        "mirror": (of_objects[..., 3] < 0.5).float() * 2 - 1,
        "tilt": 0.2 * (of_objects[..., 4] - 0.5),
        "colour": table[torch.arange(len(OBJECTS))[:, None], torch.arange(4), choice],
        "backdrop": backdrop, "horizon": 0.42 + 0.10 * scene[:, 1], "sidewalk": scene[:, 2] < 0.5,
        "grain": (scene[:, 3] * GRAINS).long(), "chance": scene[:, 4:],
    }, chance


def _grain(z):
    """Pixel noise of standard deviation 1, (n, 3, SIZE, SIZE): a scene's own stretch of one long row of numbers."""
    length = 3 * SIZE * SIZE
    row = torch.randn(GRAINS + length, generator=torch.Generator().manual_seed(0))
    return row.unfold(0, length, 1)[z["grain"]].view(-1, 3, SIZE, SIZE)


def _backdrop(z):
    """The scenes without objects, (n, 3, SIZE, SIZE), and what surface each pixel belongs to, (n, SIZE, SIZE)."""
    at = (torch.arange(SIZE) + 0.5) / SIZE
    x, y = at.view(1, 1, -1), at.view(1, -1, 1)
    picture = torch.empty(len(z["horizon"]), 3, SIZE, SIZE)
    surfaces = torch.empty(len(picture), SIZE, SIZE, dtype=torch.int64)
    for number, paint in enumerate(BACKDROPS.values()):
        rows = (z["backdrop"] == number).nonzero()[:, 0]
        horizon, chance = z["horizon"][rows].view(-1, 1, 1), z["chance"][rows]
        colour, sky_ends = paint(x, y, horizon, chance)
        surface = (y > sky_ends).long() + (y > horizon)
        if paint is backdrops.street:
            in_front = (y > backdrops.BAND_TOP).expand_as(surface)
            grey = backdrops.band(x, z["sidewalk"][rows], chance)[:, None] + 0.05 * _grain(z)[rows, :1]
            colour = torch.where(in_front[:, None], grey, colour)
            surface = torch.where(in_front, 3 + z["sidewalk"][rows].view(-1, 1, 1).long(), surface)
        picture[rows], surfaces[rows] = colour, surface
    return picture, surfaces


def _object(z, row, which):
    """One object each of some scenes: its colour times what it covers, (m, 3, SIZE, SIZE), and that, (m, 1, …)."""
    names = ("x", "depth", "size", "mirror", "tilt")
    x, depth, size, mirror, tilt = (z[name][row, which].view(-1, 1, 1) for name in names)
    horizon = z["horizon"][row].view(-1, 1, 1)
    foot = torch.where((which == FLOATING).view(-1, 1, 1), horizon * (1.0 - 0.6 * depth) + 0.1,
                       horizon + 0.08 + depth * (0.90 - horizon))
    layers, colour = sprites()[which], z["colour"][row, which]
    inks = sum(layers[:, ink, None] * colour[:, ink, :, None, None] for ink in range(4))
    at = (torch.arange(SIZE) + 0.5) / SIZE
    # Each pixel of the picture asks where in the sprite, whose corners are −1 and 1, it comes from.
    across, down = (at - x) * 2 / size, (at.view(1, -1, 1) - foot) * 2 / size + 1
    cos, sin = tilt.cos(), tilt.sin()
    grid = torch.stack([mirror * (cos * across + sin * down), cos * down - sin * across], dim=-1)
    drawn = F.grid_sample(torch.cat([inks, layers.sum(1, keepdim=True)], dim=1), grid, align_corners=False)
    return drawn[:, :3], drawn[:, 3:].clamp(max=1)
