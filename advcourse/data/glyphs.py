"""Draws the glyphs of `fonts` once and for all: python -m advcourse.data.glyphs writes glyphs.png beside this file.

The course reads the picture and never draws: what a letter looks like would hang on which fonts matplotlib ships
(cmti10 came with 3.11) and on how a version of FreeType renders them.
"""

import io
import math
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from advcourse import files
from advcourse.data.fonts import FACES, LETTERS, PICTURE, RESOLUTION, SIZE

# the largest letter of a face, as a share of the image: under theta, one image in forty loses over 2 % of its ink
FILL = 0.65
BLUR = 0.4  # pixels of an image: the standard deviation of the antialiasing filter


def draw(face: str) -> np.ndarray:
    """The ten letters of a face side by side, each centred by its ink, all to one scale.

    face: the name of a font that matplotlib ships.
    Returns (RESOLUTION, 10 · RESOLUTION) grey values, white on black. Raises OSError where matplotlib lacks the font.
    """
    path = Path(matplotlib.get_data_path(), "fonts", "ttf", f"{face}.ttf")
    font = ImageFont.truetype(str(path), size=200, layout_engine=ImageFont.Layout.BASIC)
    inks = []
    for letter in LETTERS:
        page = Image.new("L", (600, 600))
        ImageDraw.Draw(page).text((150, 150), letter, fill=255, font=font)
        inks.append(page.crop(page.getbbox()))
    side = math.ceil(max(max(ink.size) for ink in inks) / FILL)
    glyphs = []
    for ink in inks:
        image = Image.new("L", (side, side))
        image.paste(ink, ((side - ink.width) // 2, (side - ink.height) // 2))
        image = image.resize((RESOLUTION, RESOLUTION), Image.Resampling.BOX)
        glyphs.append(np.asarray(image.filter(ImageFilter.GaussianBlur(BLUR * RESOLUTION / SIZE))))
    return np.concatenate(glyphs, axis=1)


def picture() -> bytes:
    """glyphs.png: a row for each face, a column for each letter."""
    file = io.BytesIO()
    Image.fromarray(np.concatenate([draw(face) for face in FACES])).save(file, "png", optimize=True)
    return file.getvalue()


if __name__ == "__main__":
    files.write(PICTURE, picture())
