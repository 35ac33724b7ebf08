"""Letters A–J in free fonts under known affine maps: a data set whose class manifold is known exactly.

After the FONTS data of Stutz, Hein, Schiele: Disentangling Adversarial Robustness and Generalization, CVPR 2019. An
image is decode(font, letter, theta): all images of a letter in a font form a smooth, six-dimensional surface, and the
decoder's gradient with respect to theta points along it. The upright letters are cells of glyphs.png, which glyphs.py
drew: the same bits everywhere, whatever fonts a machine has.
"""

import functools
import math
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from advcourse.data.registry import Dataset, register

LETTERS = "ABCDEFGHIJ"
FACES = (
    *("DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSans-BoldOblique"),
    *("DejaVuSansMono", "DejaVuSansMono-Bold", "DejaVuSansMono-Oblique", "DejaVuSansMono-BoldOblique"),
    *("DejaVuSerif", "DejaVuSerif-Bold", "DejaVuSerif-Italic", "DejaVuSerif-BoldItalic"),
    *("STIXGeneral", "STIXGeneralBol", "STIXGeneralItalic", "STIXGeneralBolIta"),
    *("cmr10", "cmb10", "cmss10", "cmti10", "cmtt10", "cmmi10", "cmsy10"),
)
# The columns of theta and the range of each, those of the paper. Lengths: half an image is 1, so a translation of 0.2
# is 2.8 pixels; angles in radians. x points right, y down, a positive rotation turns anticlockwise.
RANGES = {
    "translation_x": (-0.2, 0.2),
    "translation_y": (-0.2, 0.2),
    "shear_x": (-0.5, 0.5),
    "shear_y": (-0.5, 0.5),
    "scale": (0.75, 1.15),
    "rotation": (-math.pi / 2, math.pi / 2),
}
UPRIGHT = torch.tensor([0.0, 0.0, 0.0, 0.0, 1.0, 0.0])  # the theta that changes nothing
# Of `load`: turned letters of the full ranges are hard to read, these are about as hard as MNIST (for softmax
# regression, too).
LOAD_SPREAD = 0.3
SIZE = 28  # pixels on the side of an image
RESOLUTION = 4 * SIZE  # of the stored glyphs, so that sampling them loses nothing
PICTURE = Path(__file__).with_name("glyphs.png")  # a row for each face, a column for each letter
CHUNK = 1000  # images made at a time


def faces() -> list[str]:
    """The names of the fonts; `font` in `decode` is an index into this list, or a name."""
    return list(FACES)


def decode(font: str | int | torch.Tensor, letter: str | int | torch.Tensor, theta: torch.Tensor) -> torch.Tensor:
    """Images of letters under affine maps, differentiable with respect to theta.

    font: a name or an index of `faces()`, or N indices; letter: one of "ABCDEFGHIJ", its index, or N indices;
    theta: (N, 6) floating point, columns as in RANGES.
    Returns (N, 1, 28, 28) in [0, 1], white on black, of theta's dtype and device.
    The letter's points p go to scale · R(rotation) · [[1, shear_x], [shear_y, 1]] p + translation.
    (The paper's code applies these numbers to the way back, from the image to the letter: a larger scale makes a
    smaller letter.)
    """
    if theta.ndim != 2 or theta.shape[1] != len(RANGES) or not theta.is_floating_point():
        raise ValueError(
            f"theta must be a floating-point tensor of shape (N, 6) with the columns {', '.join(RANGES)}; "
            f"got shape {tuple(theta.shape)}, {theta.dtype}"
        )
    count = len(theta)
    font = _indices("font", font, FACES, count, theta.device)
    letter = _indices("letter", letter, LETTERS, count, theta.device)
    if count == 0:
        return theta.new_zeros(0, 1, SIZE, SIZE)

    translation_x, translation_y, shear_x, shear_y, scale, rotation = theta.unbind(dim=1)
    if not ((scale > 0) & (shear_x * shear_y < 1)).all():
        raise ValueError("theta must not flatten the letter: wanted scale > 0 and shear_x * shear_y < 1 in every row")
    cos, sin, one = rotation.cos(), rotation.sin(), torch.ones_like(scale)
    rotate = torch.stack([cos, sin, -sin, cos], dim=1).view(-1, 2, 2)
    shear = torch.stack([one, shear_x, shear_y, one], dim=1).view(-1, 2, 2)
    translation = torch.stack([translation_x, translation_y], dim=1).view(-1, 2, 1)

    # The sampling grid asks of each pixel of the image where it comes from: the inverse of the map.
    back = torch.linalg.inv(scale.view(-1, 1, 1) * rotate @ shear)
    grid = F.affine_grid(torch.cat([back, -back @ translation], dim=2), [count, 1, SIZE, SIZE], align_corners=False)
    glyph = _glyphs(theta.device, theta.dtype)[font, letter].unsqueeze(1)
    return F.grid_sample(glyph, grid, align_corners=False).clamp(0, 1)  # the clamp is for the last bit


def generate(n: int, seed: int = 0, spread: float = 1.0) -> tuple[torch.Tensor, ...]:
    """n random images and the known latents that they were made from.

    spread: in (0, 1], how much of the RANGES theta fills, measured from the upright letter; 1 is the paper's.
    Returns x (n, 1, 28, 28), y (n,) letters, font (n,), theta (n, 6), with x = decode(font, y, theta): uniform letters,
    fonts and theta. The same seed gives the same bits, and the first images do not depend on n.
    """
    if n < 1:
        raise ValueError(f"n must be at least 1, got {n}")
    if not 0 < spread <= 1:
        raise ValueError(f"spread must lie in (0, 1]; got {spread}")
    uniform = torch.rand(n, 2 + len(RANGES), generator=torch.Generator().manual_seed(seed))
    font = (uniform[:, 0] * len(FACES)).long()
    y = (uniform[:, 1] * len(LETTERS)).long()
    low, high = torch.tensor(list(RANGES.values())).T
    theta = UPRIGHT + spread * (low + uniform[:, 2:] * (high - low) - UPRIGHT)
    chunks = zip(font.split(CHUNK), y.split(CHUNK), theta.split(CHUNK), strict=True)
    return torch.cat([decode(*chunk) for chunk in chunks]), y, font, theta


@register("fonts")
def fonts(train: int | None = None, test: int | None = None, seed: int = 0) -> Dataset:
    """20,000 training and 2,000 test images unless told otherwise.

    They are those of `generate` with the seeds 2 · seed and 2 · seed + 1.
    """
    x_train, y_train, _, _ = generate(20_000 if train is None else train, seed=2 * seed, spread=LOAD_SPREAD)
    x_test, y_test, _, _ = generate(2_000 if test is None else test, seed=2 * seed + 1, spread=LOAD_SPREAD)
    card = (
        f"Fonts: the letters A–J in {len(FACES)} fonts under small random affine maps, 28×28 grey, generated here; "
        "after Stutz et al. 2019; the fonts (DejaVu, STIX, Computer Modern) come with matplotlib under free licences"
    )
    return Dataset("fonts", x_train, y_train, x_test, y_test, tuple(LETTERS), card)


def _indices(what, value, known, count, device):
    """`value` as `count` indices into `known`; ValueError where it is none."""
    if isinstance(value, str):
        if value not in tuple(known):
            raise ValueError(f"unknown {what} {value!r}; there are {', '.join(known)}")
        value = tuple(known).index(value)
    value = torch.as_tensor(value, device=device)
    if value.is_floating_point() or value.shape not in [(), (count,)]:
        raise ValueError(
            f"{what} must be one index or as many as theta has rows ({count}); got {value.dtype}, shape "
            f"{tuple(value.shape)}"
        )
    if ((value < 0) | (value >= len(known))).any():
        raise ValueError(f"{what} must lie in 0 … {len(known) - 1}")
    return value.expand(count)


@functools.lru_cache
def _glyphs(device, dtype):
    """All letters of all faces, upright and centred: (faces, letters, RESOLUTION, RESOLUTION) in [0, 1]; read once."""
    if (device, dtype) != (torch.device("cpu"), torch.float32):
        return _glyphs(torch.device("cpu"), torch.float32).to(device, dtype)
    with Image.open(PICTURE) as picture:
        grey = np.asarray(picture, dtype=np.float32) / 255
    cells = grey.reshape(len(FACES), RESOLUTION, len(LETTERS), RESOLUTION).swapaxes(1, 2)
    return torch.from_numpy(np.ascontiguousarray(cells))
