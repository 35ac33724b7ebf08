"""Drawings of people who do not exist, each a vector of traits, photographed under circumstances, a vector as well.

A photograph is photograph(traits, scene): nobody's consent is needed to recognise, hide or imitate these faces, and
nothing has to be downloaded. Everything is drawn at once, with soft-edged ellipses and strokes in the face's own
coordinates, where the head is about 2 high.
"""

import torch

from advcourse.data.registry import Dataset, register

HEIGHT, WIDTH = 48, 40  # pixels of a photograph
PEOPLE, TRAIN, TEST = 40, 20, 8  # people, and photographs of each to learn from and to test
SOFT = 0.035  # the width of an edge, in the face's coordinates: a little under one pixel
CHUNK = 400  # photographs drawn at a time

# What makes a person, and what makes a photograph of one: the range of every entry. Lengths in the face's coordinates
# (half the picture's height is 1.15), greys in [0, 1], angles in radians.
TRAITS = {
    "head_width": (0.52, 0.68), "head_height": (0.78, 0.90), "jaw": (0.05, 0.45), "skin": (0.42, 0.88),
    "hair": (0.08, 0.62),
    "hairline": (0.42, 0.68), "hair_volume": (0.04, 0.16), "hair_length": (-0.75, 0.75), "parting": (-0.4, 0.4),
    "baldness": (0.0, 1.0),
    "eye_apart": (0.22, 0.31), "eye_level": (-0.16, 0.0), "eye_width": (0.10, 0.15), "eye_height": (0.045, 0.085),
    "iris": (0.0, 0.4),
    "brow_level": (0.13, 0.24), "brow_thick": (0.018, 0.06), "brow_tilt": (-0.2, 0.25),
    "nose_length": (0.26, 0.42), "nose_width": (0.09, 0.19), "mouth_level": (0.42, 0.54), "mouth_width": (0.16, 0.32),
    "lips": (0.03, 0.075),
    "lip_dark": (0.15, 0.5), "beard": (-1.2, 1.0), "moustache": (-1.5, 1.0), "clothes": (0.1, 0.9),
}
SCENE = {
    "shift_x": (-0.06, 0.06), "shift_y": (-0.05, 0.05), "scale": (0.94, 1.06), "tilt": (-0.12, 0.12),
    "turn": (-0.10, 0.10), "nod": (-0.05, 0.05),
    "light": (-0.45, 0.45), "light_above": (-0.1, 0.3), "exposure": (0.85, 1.12), "background": (0.25, 0.75),
    "smile": (-0.3, 1.0), "mouth_open": (-0.6, 1.0), "eyes_open": (0.55, 1.1), "brows_up": (-0.02, 0.05),
    "noise": (0.01, 0.03),
}


def people(count: int, seed: int = 0) -> torch.Tensor:
    """The traits of `count` people, drawn uniformly from TRAITS: shape (count, len(TRAITS)).

    The first ones do not depend on count.
    """
    return _draw(count, TRAITS, torch.Generator().manual_seed(seed))


def scenes(count: int, seed: int = 0) -> torch.Tensor:
    """The circumstances of `count` photographs, drawn uniformly from SCENE: shape (count, len(SCENE))."""
    return _draw(count, SCENE, torch.Generator().manual_seed(seed))


def photograph(traits: torch.Tensor, scene: torch.Tensor, seed: int = 0) -> torch.Tensor:
    """Photographs of faces, shape (N, 1, 48, 40), grey, in [0, 1], of 256 grey values each.

    traits: shape (N, len(TRAITS)), columns as in TRAITS; scene: shape (N, len(SCENE)), columns as in SCENE; seed: of
    the camera's noise.
    """
    for what, values, wanted in (("traits", traits, TRAITS), ("scene", scene, SCENE)):
        if values.dim() != 2 or values.shape[1] != len(wanted):
            raise ValueError(f"{what} must have shape (N, {len(wanted)}), columns {', '.join(wanted)}; got "
                             f"{tuple(values.shape)}")
    if len(traits) != len(scene):
        raise ValueError("there must be one scene per photograph; "
                         f"got {len(traits)} rows of traits and {len(scene)} of scene")
    noise = torch.randn(len(traits), HEIGHT, WIDTH, generator=torch.Generator().manual_seed(seed))
    parts = zip(traits.split(CHUNK), scene.split(CHUNK), noise.split(CHUNK), strict=True)
    return torch.cat([_picture(*part) for part in parts])[:, None]


@register("faces")
def faces(train: int | None = None, test: int | None = None, seed: int = 0) -> Dataset:
    """40 people, 20 photographs each to learn from and 8 to test.

    In turns, so that the first few hold every person equally often.
    """
    traits, pictures = people(PEOPLE, seed=3 * seed), []
    for split, count in enumerate((train or TRAIN * PEOPLE, test or TEST * PEOPLE)):
        y = torch.arange(count) % PEOPLE
        part = 3 * seed + 1 + split
        pictures += [photograph(traits[y], scenes(count, part), part), y]
    names = tuple(f"P{number:02d}" for number in range(1, PEOPLE + 1))
    card = (f"Faces: {PEOPLE} people who do not exist, {TRAIN} + {TEST} photographs of each, {HEIGHT}×{WIDTH} grey, "
            "drawn here; free, and nobody's likeness")
    return Dataset("faces", *pictures, names, card)


def _draw(count, ranges, generator):
    if count < 1:
        raise ValueError(f"count must be at least 1; got {count}")
    low, high = torch.tensor(list(ranges.values())).T
    return low + torch.rand(count, len(ranges), generator=generator) * (high - low)


def _picture(traits, scene, noise):
    """The photographs (N, HEIGHT, WIDTH) of one chunk: layers from back to front, then light, then the camera."""
    t = {name: column.view(-1, 1, 1) for name, column in zip(TRAITS, traits.T, strict=True)}
    t["hair"] = t["hair"] * t["skin"]  # always darker than the skin, or the head would be an egg
    s = {name: column.view(-1, 1, 1) for name, column in zip(SCENE, scene.T, strict=True)}
    down = (torch.arange(HEIGHT) + 0.5).sub(HEIGHT / 2).mul(2.3 / HEIGHT).view(1, -1, 1)
    across = (torch.arange(WIDTH) + 0.5).sub(WIDTH / 2).mul(2.3 / HEIGHT).view(1, 1, -1)
    # From the picture to the upright head at the origin: x to the right, y down.
    x, y = (across - s["shift_x"]) / s["scale"], (down - s["shift_y"]) / s["scale"]
    x, y = s["tilt"].cos() * x + s["tilt"].sin() * y, s["tilt"].cos() * y - s["tilt"].sin() * x

    picture = (s["background"] - 0.08 * down).expand(-1, HEIGHT, WIDTH)
    picture = _body(picture, x, y, t)
    picture = _head(picture, x, y, t)
    # Seen from the side, what stands out of the head moves, and the far half is narrower.
    u, v = x - s["turn"] * (1 - x.square()), y - s["nod"]
    picture = _features(picture, u, v, t, s)
    picture = picture * (1 + s["light"] * x - s["light_above"] * y) * s["exposure"] + s["noise"] * noise
    return picture.clamp(0, 1).mul(255).round().div(255)


def _body(picture, x, y, t):
    """Long hair behind, shoulders, neck."""
    long = _inside(t["hair_length"] * 4 - 0.4) * _has_hair(t)
    behind = _ellipse(x, y - 0.15, t["head_width"] + t["hair_volume"] + 0.04, 0.95)
    picture = _paint(picture, long * behind, t["hair"] * 0.9)
    neck = _inside((t["head_width"] * 0.58 - x.abs()) / SOFT) * _inside((y - 0.3) / SOFT)
    picture = _paint(picture, neck, t["skin"] * 0.72)
    return _paint(picture, _ellipse(x, y - 1.35, 0.95, 0.42), t["clothes"])


def _head(picture, x, y, t):
    """Hair on top, ears, the face with its jaw, the hairline, shade at the rim."""
    top = _ellipse(x, y + 0.06, t["head_width"] + t["hair_volume"],
                   t["head_height"] + t["hair_volume"] * 0.8) * _inside((0.05 - y) / SOFT)
    picture = _paint(picture, top * _has_hair(t), t["hair"])
    ears = _ellipse(x.abs() - t["head_width"], y - 0.02, 0.07, 0.14)
    picture = _paint(picture, ears, t["skin"] * 0.85)
    narrow = t["head_width"] * (1 - t["jaw"] * y.clamp_min(0).square())
    face = _ellipse(x, y, narrow, t["head_height"])
    edge = (x / narrow).square() + (y / t["head_height"]).square()
    rim = edge.clamp(0, 1).square()
    picture = _paint(picture, face, t["skin"] * (1.04 - 0.22 * rim))
    shadow = _inside((y - 0.25) / 0.15) * _inside(t["beard"] * 8) * _inside((edge - 0.42) / 0.12)
    picture = _paint(picture, face * shadow, t["hair"] * 0.6 + t["skin"] * 0.25, 0.8)
    fringe = _inside((-y - t["hairline"] + 0.35 * (x - t["parting"]).square()) / SOFT)
    return _paint(picture, face * fringe * _has_hair(t), t["hair"])


def _has_hair(t):
    """1 but for the few who are bald."""
    return (t["baldness"] < 0.88).float()


def _features(picture, u, v, t, s):
    """Eyes, brows, nose, mouth."""
    side = u.abs() - t["eye_apart"]
    at_eye = v - t["eye_level"]
    picture = _paint(picture, _ellipse(side, at_eye, t["eye_width"] * 1.5, t["eye_height"] * 2.2, 0.12),
                     t["skin"] * 0.72, 0.55)
    opening = t["eye_height"] * s["eyes_open"].clamp_max(1.0)
    white = _ellipse(side, at_eye, t["eye_width"], opening)
    picture = _paint(picture, white, 0.55 + 0.4 * t["skin"])
    picture = _paint(picture, white * _ellipse(side, at_eye, 0.055, 0.075), t["iris"] * 0.6)
    lid = _stroke(side, at_eye + opening * (1 - (side / t["eye_width"]).square().clamp_max(1)), t["eye_width"], 0.014)
    picture = _paint(picture, lid, t["skin"] * 0.25, 0.8)
    brow = at_eye + t["brow_level"] + s["brows_up"] + t["brow_tilt"] * side + 1.6 * side.square()
    picture = _paint(picture, _stroke(side, brow, t["eye_width"] * 1.25, t["brow_thick"]), t["hair"] * 0.8, 0.9)

    tip = t["eye_level"] + t["nose_length"]
    bridge = _stroke(v - (t["eye_level"] + tip) / 2,
                     u.abs() - 0.035 - 0.25 * t["nose_width"] * ((v - t["eye_level"]) / t["nose_length"]).clamp(0, 1),
                     t["nose_length"] / 2, 0.012)
    picture = _paint(picture, bridge, t["skin"] * 0.75, 0.5)
    picture = _paint(picture, _ellipse(u, v - tip, t["nose_width"], 0.07), t["skin"] * 0.86, 0.7)
    shine = _ellipse(u, v - tip + 0.04, t["nose_width"] * 0.5, 0.08)
    picture = _paint(picture, shine, (t["skin"] * 1.1).clamp_max(1), 0.6)
    nostrils = _ellipse(u.abs() - t["nose_width"] * 0.55, v - tip - 0.035, 0.035, 0.022)
    picture = _paint(picture, nostrils, t["skin"] * 0.3, 0.9)

    bend = v - t["mouth_level"] + 0.5 * s["smile"] * (u.square() - 0.03)
    wide = t["mouth_width"] * (1 + 0.15 * s["smile"])
    open_by = 0.05 * s["mouth_open"].clamp_min(0)
    moustache = _stroke(u, bend + t["lips"] * 1.8, wide * 1.05, t["lips"] * 0.8)
    picture = _paint(picture, moustache, t["hair"] * 0.6 + 0.05, 0.85 * _inside(t["moustache"] * 8))
    picture = _paint(picture, _ellipse(u, bend, wide, t["lips"] + open_by), t["skin"] * (1 - t["lip_dark"]))
    picture = _paint(picture, _stroke(u, bend, wide * 0.85, 0.008 + open_by * 0.6), t["skin"] * 0.18, 0.85)
    chin = _stroke(u, v - t["mouth_level"] - t["lips"] - open_by - 0.09, 0.09, 0.016)
    return _paint(picture, chin, t["skin"] * 0.78, 0.6)


def _inside(distance):
    """1 well inside, 0 well outside, a soft edge between; distance in widths of an edge."""
    return torch.sigmoid(4 * distance)


def _ellipse(x, y, width, height, soft=SOFT):
    """How much of each point lies in the ellipse with these half axes at the origin."""
    radius = ((x / width).square() + (y / height).square()).clamp_min(1e-6).sqrt()
    slope = ((x / width / width).square() + (y / height / height).square()).clamp_min(1e-6).sqrt()
    return _inside((1 - radius) * radius / slope / soft)


def _stroke(along, beside, length, thickness):
    """How much of each point lies in a stroke of half `length` and half `thickness`, ends rounded."""
    beyond = (along.abs() - length).clamp_min(0)
    return _inside((thickness - (beyond.square() + beside.square()).clamp_min(1e-9).sqrt()) / SOFT)


def _paint(picture, cover, grey, strength=1.0):
    """The picture with `grey` over it where `cover` says, at most by `strength`."""
    return picture + strength * cover * (grey - picture)
