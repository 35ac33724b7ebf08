"""11.4: a crop, resized back to the size of the image."""

import torch
from torch.nn import functional as F

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.probes import telling_apart
from advcourse.exercises.properties import equals, finite


def resized_crop(x, boxes):
    return sampled(x, boxes)


def matrix(boxes, across=None, down=None):
    """The matrices of F.affine_grid for these boxes; across, down: other matrices' (scale, shift) in their place."""
    left, top, width, height = boxes.unbind(1)
    (a, b), (c, d) = across or (width, 2 * left + width - 1), down or (height, 2 * top + height - 1)
    zero = torch.zeros_like(a)
    return torch.stack([a, zero, b, zero, c, d], 1).view(-1, 2, 3)


def sampled(x, boxes, theta=None, corners=False, grid_corners=None, padding="border", mode="bilinear"):
    """The crop, with the places at which one may go wrong as arguments."""
    theta = matrix(boxes) if theta is None else theta
    grid = F.affine_grid(theta, list(x.shape), align_corners=corners if grid_corners is None else grid_corners)
    return F.grid_sample(x, grid, mode=mode, padding_mode=padding, align_corners=corners)


def crop_probes(generator):
    def draw():
        sides = 0.3 + 0.6 * torch.rand(6, 2, generator=generator)
        boxes = torch.cat([torch.rand(6, 2, generator=generator) * (1 - sides), sides], 1)
        boxes[1, 0], boxes[2, 1] = 0, 0  # at the left and at the upper edge
        boxes[3, :2] = 1 - boxes[3, 2:]
        boxes[5] = torch.tensor([0, 0, 1, 1])
        return {"x": torch.rand(6, 2, 8, 11, generator=generator), "boxes": boxes}

    return [telling_apart(draw, resized_crop, MISTAKES.values()) for _ in range(2)]


def with_matrix(make):
    """A mistake in the matrix: `make` of (left, top, width, height) gives (scale, shift) across and down."""
    return lambda x, boxes: sampled(x, boxes, theta=matrix(boxes, *make(*boxes.unbind(1))))


def only_hidden(x, boxes):
    """The mistake of hiding what is outside the box, in place of enlarging what is inside."""
    height, width = x.shape[2:]
    across, down = ((torch.arange(side) + 0.5) / side for side in (width, height))
    left, top, wide, high = boxes[:, :, None].unbind(1)
    columns, rows = (across >= left) & (across < left + wide), (down >= top) & (down < top + high)
    return x * (rows[:, :, None] & columns[:, None, :])[:, None]


MISTAKES = {
    "the images come back as they were: nothing is cropped":
        lambda x, boxes: x,
    "this looks like `align_corners=True`, which counts from the middle of the first pixel to that of the last: give "
    "`align_corners=False` to both functions":
        lambda x, boxes: sampled(x, boxes, corners=True),
    "`align_corners` must be False in `grid_sample` as well":
        lambda x, boxes: sampled(x, boxes, corners=True, grid_corners=False),
    "`align_corners` must be False in `affine_grid` as well":
        lambda x, boxes: sampled(x, boxes, corners=False, grid_corners=True),
    "a dark rim: where a box touches the edge of the image, zeros come in. Repeat the edge: `padding_mode=\"border\"`":
        lambda x, boxes: sampled(x, boxes, padding="zeros"),
    "x and y are exchanged: left and width belong to the first row of the matrix, to columns, top and height to the "
    "second": with_matrix(lambda left, top, width, height: (
        (height, 2 * top + height - 1), (width, 2 * left + width - 1))),
    "the boxes are read as (left, top, right, bottom); they are (left, top, width, height)":
        with_matrix(lambda left, top, width, height: (
            (width - left, left + width - 1), (height - top, top + height - 1))),
    "the middle of the box is wrong: in the coordinates from −1 to 1 it is 2 · left + width − 1, and this is the left "
    "edge, 2 · left − 1": with_matrix(lambda left, top, width, height: (
        (width, 2 * left - 1), (height, 2 * top - 1))),
    "the middle of the box is wrong: `affine_grid` counts from −1 to 1, so it is 2 · left + width − 1":
        with_matrix(lambda left, top, width, height: ((width, left + width / 2), (height, top + height / 2))),
    "every box is taken from the middle of its image: left and top are missing, as the shift 2 · left + width − 1":
        with_matrix(lambda left, top, width, height: ((width, 0 * left), (height, 0 * top))),
    "this zooms out, by 1 / width and 1 / height: the matrix says where in the image an output pixel comes *from*":
        with_matrix(lambda left, top, width, height: (
            (1 / width, 2 * left + width - 1), (1 / height, 2 * top + height - 1))),
    "pixels are taken as they are (nearest): read bilinearly between them":
        lambda x, boxes: sampled(x, boxes, mode="nearest"),
    "these are bicubic values: read bilinearly":
        lambda x, boxes: sampled(x, boxes, mode="bicubic"),
    "all images are cropped to the first one's box":
        lambda x, boxes: sampled(x, boxes[:1].expand(len(x), 4)),
    "the width is used for both sides: rows need top and *height*":
        with_matrix(lambda left, top, width, height: ((width, 2 * left + width - 1), (width, 2 * top + width - 1))),
    "the height is used for both sides: columns need left and *width*":
        with_matrix(lambda left, top, width, height: ((height, 2 * left + height - 1), (height, 2 * top + height - 1))),
    "what is outside the box is hidden, and what is inside is not enlarged: the box must fill the whole image":
        only_hidden,
    "the result is mirrored: one of the scales has the wrong sign":
        with_matrix(lambda left, top, width, height: (
            (-width, 2 * left + width - 1), (height, 2 * top + height - 1))),
}


exercise = Exercise(
    number="11.4",
    title="Crop and resize",
    points=4,
    minutes=12,
    hints=(
        ("How do I crop without a loop?",
         "`F.affine_grid(theta, list(x.shape), align_corners=False)` says for every output pixel where it comes from, "
         "and `F.grid_sample` reads it there. theta has shape (N, 2, 3)."),
        ("What stands in theta?",
         "Both count from −1 to 1 across the image. Columns: width · u + (2 · left + width − 1) for u from −1 to 1; "
         "rows the same with top and height. So theta = [[width, 0, 2 · left + width − 1], [0, height, 2 · top + "
         "height − 1]], one for each image."),
        ("Show me nearly all of it.",
         "`left, top, width, height = boxes.unbind(1)`, zeros like them, `torch.stack([width, zero, 2 * left + width - "
         "1, zero, height, 2 * top + height - 1], 1).view(-1, 2, 3)`, then `affine_grid` and `grid_sample(x, grid, "
         "padding_mode=\"border\", align_corners=False)`."),
    ),
    reference=resized_crop,
    probes=crop_probes,
    gates={"every pixel is a number": finite},
    properties={"each box fills its image": equals(resized_crop, MISTAKES, tolerance=1e-4)},
)
