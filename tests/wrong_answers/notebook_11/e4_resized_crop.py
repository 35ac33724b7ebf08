"""Plausible wrong answers to exercise 11.4, each with a part of the message that it should get, and right ones."""

import torch
from torch.nn import functional as F


def warped(x, rows, corners=False, **options):
    """The images read where theta, a (N, 2, 3) nested list of columns, says."""
    theta = torch.stack([torch.stack(row, 1) for row in rows], 1)
    grid = F.affine_grid(theta, list(x.shape), align_corners=corners)
    return F.grid_sample(x, grid, **({"padding_mode": "border", "align_corners": corners} | options))


def right_rows(boxes):
    left, top, width, height = boxes.T
    zero = torch.zeros_like(left)
    return [[width, zero, 2 * left + width - 1], [zero, height, 2 * top + height - 1]]


def does_nothing(x, boxes):
    return x


def aligns_corners(x, boxes):
    return warped(x, right_rows(boxes), corners=True)


def aligns_corners_of_the_images(x, boxes):
    return warped(x, right_rows(boxes), align_corners=True)


def aligns_corners_of_the_grid(x, boxes):
    return warped(x, right_rows(boxes), corners=True, align_corners=False)


def leaves_a_dark_rim(x, boxes):
    return warped(x, right_rows(boxes), padding_mode="zeros")


def exchanges_x_and_y(x, boxes):
    top, left, height, width = boxes.T
    zero = torch.zeros_like(left)
    return warped(x, [[width, zero, 2 * left + width - 1], [zero, height, 2 * top + height - 1]])


def reads_corners(x, boxes):
    left, top, right, bottom = boxes.T
    zero = torch.zeros_like(left)
    return warped(x, [[right - left, zero, left + right - 1], [zero, bottom - top, top + bottom - 1]])


def shifts_by_the_left_edge(x, boxes):
    left, top, width, height = boxes.T
    zero = torch.zeros_like(left)
    return warped(x, [[width, zero, 2 * left - 1], [zero, height, 2 * top - 1]])


def shifts_in_shares(x, boxes):
    left, top, width, height = boxes.T
    zero = torch.zeros_like(left)
    return warped(x, [[width, zero, left + width / 2], [zero, height, top + height / 2]])


def crops_the_middle(x, boxes):
    width, height = boxes[:, 2], boxes[:, 3]
    zero = torch.zeros_like(width)
    return warped(x, [[width, zero, zero], [zero, height, zero]])


def zooms_out(x, boxes):
    left, top, width, height = boxes.T
    zero = torch.zeros_like(left)
    return warped(x, [[1 / width, zero, 2 * left + width - 1], [zero, 1 / height, 2 * top + height - 1]])


def takes_the_nearest(x, boxes):
    return warped(x, right_rows(boxes), mode="nearest")


def takes_the_first_box(x, boxes):
    return warped(x, right_rows(boxes[:1].repeat(len(x), 1)))


def keeps_the_shape(x, boxes):
    left, top, width = boxes.T[:3]
    zero = torch.zeros_like(left)
    return warped(x, [[width, zero, 2 * left + width - 1], [zero, width, 2 * top + width - 1]])


def hides_the_rest(x, boxes):
    result = torch.zeros_like(x)
    across = (torch.arange(x.shape[3]) + 0.5) / x.shape[3]
    down = (torch.arange(x.shape[2]) + 0.5) / x.shape[2]
    for i, (left, top, width, height) in enumerate(boxes):
        rows, columns = (down >= top) & (down < top + height), (across >= left) & (across < left + width)
        mask = (rows[:, None] & columns).float()
        result[i] = x[i] * mask
    return result


def mirrors(x, boxes):
    left, top, width, height = boxes.T
    zero = torch.zeros_like(left)
    return warped(x, [[-width, zero, 2 * left + width - 1], [zero, height, 2 * top + height - 1]])


def takes_bicubic_values(x, boxes):
    return warped(x, right_rows(boxes), mode="bicubic")


def returns_crops_of_other_sizes(x, boxes):
    height, width = x.shape[2:]
    return [image[:, int(top * height):int((top + h) * height), int(left * width):int((left + w) * width)]
            for image, (left, top, w, h) in zip(x, boxes.tolist(), strict=True)]


def image_by_image(x, boxes):
    result = []
    for image, (left, top, width, height) in zip(x, boxes.tolist(), strict=True):
        theta = torch.tensor([[[width, 0, 2 * left + width - 1], [0, height, 2 * top + height - 1]]])
        grid = F.affine_grid(theta, [1, *image.shape], align_corners=False)
        result.append(F.grid_sample(image[None], grid, padding_mode="border", align_corners=False)[0])
    return torch.stack(result)


def weights_of_pixels(start, length, side):
    """The matrix of bilinear interpolation along one side: a row for each pixel of the result."""
    at = (start + length * (torch.arange(side) + 0.5) / side) * side - 0.5
    return (1 - (at.clamp(0, side - 1)[:, None] - torch.arange(side)).abs()).clamp(min=0)


def by_matrices(x, boxes):
    height, width = x.shape[2:]
    return torch.stack([
        weights_of_pixels(top, h, height) @ image @ weights_of_pixels(left, w, width).T
        for image, (left, top, w, h) in zip(x, boxes.tolist(), strict=True)])


def with_a_grid_of_its_own(x, boxes):
    height, width = x.shape[2:]
    boxes = boxes.double()
    across = boxes[:, :1] + boxes[:, 2:3] * (torch.arange(width) + 0.5) / width
    down = boxes[:, 1:2] + boxes[:, 3:] * (torch.arange(height) + 0.5) / height
    grid = torch.stack([across[:, None, :].expand(-1, height, -1), down[:, :, None].expand(-1, -1, width)], 3)
    return F.grid_sample(x.double(), 2 * grid - 1, padding_mode="border", align_corners=False)


WRONG = [
    (does_nothing, "nothing is cropped"),
    (aligns_corners, "align_corners=True"),
    (aligns_corners_of_the_images, "False in `grid_sample`"),
    (aligns_corners_of_the_grid, "False in `affine_grid`"),
    (leaves_a_dark_rim, "a dark rim"),
    (exchanges_x_and_y, "x and y are exchanged"),
    (reads_corners, "read as (left, top, right, bottom)"),
    (shifts_by_the_left_edge, "2 · left − 1"),
    (shifts_in_shares, "counts from −1 to 1"),
    (crops_the_middle, "the middle of its image"),
    (zooms_out, "zooms out"),
    (takes_the_nearest, "nearest"),
    (takes_bicubic_values, "bicubic"),
    (takes_the_first_box, "the first one's box"),
    (keeps_the_shape, "the width is used for both"),
    (hides_the_rest, "is hidden"),
    (mirrors, "mirrored"),
    (returns_crops_of_other_sizes, "is wanted"),
]

RIGHT = [image_by_image, by_matrices, with_a_grid_of_its_own]
