"""What stands behind the objects of `scenes`: a meadow with hills, a street with its skyline, a beach by the sea.

Each painter gets the pixels' places x and y, shapes (1, 1, S) and (1, S, 1) in [0, 1], the horizon (n, 1, 1), and
`chance`, (n, 16) uniform numbers that tell its pictures apart. It returns the colours (n, 3, S, S), and where the
sky ends, (n, 1, S) or (n, 1, 1): between there and the horizon lies what is far away.
"""

import torch
from torch import Tensor

BAND_TOP = 0.72  # where the road or the sidewalk in front of a street begins
BUILDINGS = 9  # as many as stand side by side in a skyline


def meadow(x: Tensor, y: Tensor, horizon: Tensor, chance: Tensor) -> tuple[Tensor, Tensor]:
    """Two chains of hills under a summer's sky, with a cloud; grass in front."""
    far = horizon - 0.05 - 0.07 * (1 + (x * (5 + 4 * _at(chance, 0)) + 6.28 * _at(chance, 1)).sin())
    near = horizon - 0.04 * (1 + (x * (4 + 5 * _at(chance, 2)) + 6.28 * _at(chance, 3)).sin())
    picture = _clouds(_sky(y, chance), x, y, chance)
    picture = _below(picture, y, far, _colour(0.45, 0.63, 0.60), chance)
    picture = _below(picture, y, near, _colour(0.40, 0.62, 0.34), chance)
    grass = _colour(0.56, 0.76, 0.36) - _colour(0.20, 0.22, 0.14) * _depth(y, horizon)[:, None]
    return _below(picture, y, horizon, grass, chance), torch.minimum(far, near)


def street(x: Tensor, y: Tensor, horizon: Tensor, chance: Tensor) -> tuple[Tensor, Tensor]:
    """A skyline with windows; in front of it a strip of green, and then the band that `scenes` lays over it."""
    place = x * (BUILDINGS - 1) + _at(chance, 0)
    number = place.long()  # which building a column belongs to
    roof = horizon - 0.12 - 0.30 * torch.gather(chance[:, 4:4 + BUILDINGS], 1, number[:, 0])[:, None]
    tone = torch.gather(chance[:, 4:4 + BUILDINGS].flip(1), 1, number[:, 0])[:, None, None]
    wall = _colour(0.50, 0.47, 0.50) + (tone - 0.5) * _colour(0.42, 0.26, 0.10)
    lit = ((place - number > 0.30) & (place - number < 0.62)) & ((y - roof) % 0.125 > 0.0625) & (y > roof + 0.03)
    wall = torch.where(lit[:, None], wall + 0.55 * (_colour(0.98, 0.92, 0.66) - wall), wall)
    picture = _below(_sky(y, chance), y, roof, wall, chance)
    green = _colour(0.62, 0.70, 0.52) - _colour(0.10, 0.08, 0.10) * _depth(y, horizon)[:, None]
    return _below(picture, y, horizon, green, chance), roof


def beach(x: Tensor, y: Tensor, horizon: Tensor, chance: Tensor) -> tuple[Tensor, Tensor]:
    """The sea with its waves, and sand."""
    top = horizon - 0.10 - 0.10 * _at(chance, 0)
    down = ((y - top) / (horizon - top)).clamp(0, 1)
    wave = ((y - top) * 90 + 2.2 * (9 * x + 6.28 * _at(chance, 1)).sin()).sin().clamp_min(0) * down
    sea = _colour(0.16, 0.45, 0.68) + _colour(0.10, 0.22, 0.16) * down[:, None] + 0.16 * wave[:, None]
    edge = horizon + 0.012 * (x * (8 + 5 * _at(chance, 2)) + 6.28 * _at(chance, 3)).sin()
    picture = _below(_clouds(_sky(y, chance), x, y, chance), y, top, sea, chance)
    picture = _below(picture, y, edge - 0.02, _colour(0.95, 0.97, 0.97), chance)  # the surf
    sand = _colour(0.93, 0.84, 0.63) - _colour(0.12, 0.13, 0.13) * _depth(y, horizon)[:, None]
    return _below(picture, y, edge + 0.02, sand, chance), top


def band(x: Tensor, sidewalk: Tensor, chance: Tensor) -> Tensor:
    """The grey of the road or of the sidewalk in front, (n, 1, S), one for each column.

    Their greys overlap (road 0.43 to 0.59, sidewalk 0.46 to 0.62): only the joints between its slabs, one every
    quarter of the image, say for certain that it is a sidewalk.
    """
    grey = 0.51 + 0.16 * (_at(chance, 14) - 0.5) + 0.03 * (sidewalk.view(-1, 1, 1).float() - 0.5)
    joint = ((4 * x + _at(chance, 15)) % 1 < 0.125) & sidewalk.view(-1, 1, 1)
    return grey - 0.06 * joint


def _at(chance, column):
    return chance[:, column].view(-1, 1, 1)


def _colour(red, green, blue):
    return torch.tensor([red, green, blue]).view(1, 3, 1, 1)


def _depth(y, horizon):
    """0 at the horizon, 1 at the lower edge."""
    return ((y - horizon) / (1 - horizon)).clamp(0, 1)


def _sky(y, chance):
    """Deeper blue above, paler towards the horizon; some mornings are pink."""
    low = _colour(0.86, 0.93, 0.98) + _colour(0.12, -0.03, -0.10) * (chance[:, 12] ** 3).view(-1, 1, 1, 1)
    high = _colour(0.38, 0.63, 0.92) + _colour(0.10, 0.06, 0.0) * (chance[:, 13] - 0.5).view(-1, 1, 1, 1)
    return high + (low - high) * (y * 2).clamp(0, 1)[:, None]


def _clouds(picture, x, y, chance):
    """One cloud of three soft puffs."""
    cover = 0
    for shift, size in ((-0.11, 0.07), (0.0, 0.10), (0.12, 0.075)):
        across, down = x - _at(chance, 8) - shift, y - 0.08 - 0.12 * _at(chance, 9)
        distance = (across / size / 1.3).square() + (down / size).square()
        cover = cover + (1.4 - distance).clamp(0, 1)
    return picture + 0.75 * (cover.clamp(0, 1) * (_at(chance, 10) < 0.7))[:, None] * (0.99 - picture)


def _below(picture, y, edge, colour, chance):
    """The picture with `colour` below the edge, which is antialiased over one pixel; its light varies a little."""
    cover = ((y - edge) * y.shape[1] + 0.5).clamp(0, 1)[:, None]
    colour = colour * (0.93 + 0.14 * chance[:, 11].view(-1, 1, 1, 1))
    return picture + cover * (colour - picture)
