"""11.7: CutMix: a rectangle of another image, and a label in proportion."""

import torch
from torch.nn import functional as F

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.probes import telling_apart
from advcourse.exercises.properties import equals

# Left, top, right, bottom; three of them hang over the edge of an image of 6 by 4.
BOXES = ((1, 0, 4, 2), (-2, 1, 3, 3), (4, 2, 9, 7), (0, -1, 5, 9), (2, 1, 3, 2))


def cutmix(x, y, partner, boxes):
    return pasted(x, y, partner, boxes), shared(x, y, partner, boxes)


def inside(x, boxes):
    """Which pixels lie in each image's box, (N, 1, H, W) bool."""
    left, top, right, bottom = boxes[:, :, None].unbind(1)
    columns, rows = torch.arange(x.shape[3]), torch.arange(x.shape[2])
    in_rows, in_columns = (rows >= top) & (rows < bottom), (columns >= left) & (columns < right)
    return (in_rows[:, :, None] & in_columns[:, None, :])[:, None]


def pasted(x, y, partner, boxes):
    return torch.where(inside(x, boxes), x[partner], x)


def shared(x, y, partner, boxes):
    return weighted(inside(x, boxes).float().mean((1, 2, 3)), y, partner)


def weighted(share, y, partner):
    """The labels, with this share of the partner's, (N,)."""
    return (1 - share[:, None]) * y + share[:, None] * y[partner]


def cutmix_probes(generator):
    def draw():
        return {"x": torch.rand(5, 3, 4, 6, generator=generator),
                "y": F.one_hot(torch.randint(4, (5,), generator=generator), 4).float(),
                "partner": torch.randperm(5, generator=generator),
                "boxes": torch.tensor(BOXES)[torch.randperm(5, generator=generator)]}

    def with_clear_images():
        return telling_apart(draw, pasted, IMAGES.values())

    return [telling_apart(with_clear_images, shared, LABELS.values()) for _ in range(2)]


def after_writing(x, y, partner, boxes):
    """The mistake of reading images that have been written to."""
    result = x.clone()
    for i, (left, top, right, bottom) in enumerate(boxes.clamp_min(0).tolist()):
        result[i, :, top:bottom, left:right] = result[partner[i], :, top:bottom, left:right].clone()
    return result


def with_negative_places(x, y, partner, boxes):
    """The mistake of slices from negative places, which count from the end."""
    result = x.clone()
    for i, (left, top, right, bottom) in enumerate(boxes.tolist()):
        result[i, :, top:bottom, left:right] = x[partner[i], :, top:bottom, left:right]
    return result


def exchanged(boxes):
    return boxes[:, [1, 0, 3, 2]]


def drawn_area(x, boxes):
    """The area of each box as it was drawn, as a share of the image."""
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]) / (x.shape[2] * x.shape[3])


def by_share(change):
    """A mistake in the share: `change` of the right share, x and the boxes."""
    return lambda x, y, partner, boxes: weighted(
        change(inside(x, boxes).float().mean((1, 2, 3)), x, boxes), y, partner)


IMAGES = {
    "the images come back as they were": lambda x, y, partner, boxes: x,
    "the partner's image is taken whole: only inside the box": lambda x, y, partner, boxes: x[partner],
    "inside and outside are exchanged: the box comes from the partner, the rest stays":
        lambda x, y, partner, boxes: torch.where(inside(x, boxes), x, x[partner]),
    "x and y of the box are exchanged: left and right are columns, the last dimension; top and bottom are rows":
        lambda x, y, partner, boxes: pasted(x, y, partner, exchanged(boxes)),
    "you read images that have been written to: take the partner's pixels from x itself, and write into a copy":
        after_writing,
    "a box that hangs over the left or upper edge is lost: in a slice, negative numbers count from the end. Cut boxes "
    "to the image first, `.clamp(min=0)`": with_negative_places,
    "right and bottom do not belong to the box: it ends before them":
        lambda x, y, partner, boxes: pasted(x, y, partner, boxes + torch.tensor([0, 0, 1, 1])),
    "the boxes are read as (left, top, width, height); they are (left, top, right, bottom)":
        lambda x, y, partner, boxes: pasted(x, y, partner, torch.cat([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], 1)),
    "the box is the partner's: image i uses boxes[i]":
        lambda x, y, partner, boxes: pasted(x, y, partner, boxes[partner]),
    "all images have the first one's box": lambda x, y, partner, boxes: pasted(x, y, partner, boxes[:1]),
    "this is mixup, a weighted mean of two images: CutMix takes every pixel from one of the two":
        lambda x, y, partner, boxes: (lambda share: (1 - share) * x + share * x[partner])(
            inside(x, boxes).float().mean((1, 2, 3)).view(-1, 1, 1, 1)),
    "the box is filled with 0: it shows the partner's pixels":
        lambda x, y, partner, boxes: torch.where(inside(x, boxes), 0.0, x),
    "the neighbour in the batch is pasted in: the partner of image i is partner[i]":
        lambda x, y, partner, boxes: pasted(x, y, torch.arange(len(x)).roll(1), boxes),
    "only the first channel changes": lambda x, y, partner, boxes: torch.cat(
        [pasted(x, y, partner, boxes)[:, :1], x[:, 1:]], 1),
}
LABELS = {
    "the labels come back as they were: each holds the partner's by its share of the pixels":
        lambda x, y, partner, boxes: y,
    "the shares are exchanged: the share of the box belongs to the *partner's* label":
        by_share(lambda share, x, boxes: 1 - share),
    "the share is the area of the box as it was drawn: where it hangs over the edge, only the part inside counts":
        by_share(lambda share, x, boxes: drawn_area(x, boxes)),
    "the share is the area of the box as it was drawn, cut to 1: only the part inside the image counts":
        by_share(lambda share, x, boxes: drawn_area(x, boxes).clamp(max=1)),
    "these are the partners' labels alone": by_share(lambda share, x, boxes: torch.ones_like(share)),
    "the two labels count half each: they count by their shares of the pixels":
        by_share(lambda share, x, boxes: torch.full_like(share, 0.5)),
    "the larger share takes the whole label: labels are mixed": by_share(lambda share, x, boxes: (share > 0.5).float()),
    "all images have the mean share: each has its own": by_share(lambda share, x, boxes: share.mean().expand_as(share)),
    "all images have the first one's share: each has its own":
        by_share(lambda share, x, boxes: share[:1].expand_as(share)),
    "rows and columns are exchanged in the share: left and right are columns, top and bottom rows":
        lambda x, y, partner, boxes: shared(x, y, partner, exchanged(boxes)),
    "the share is that of the width alone: it is that of the pixels":
        by_share(lambda share, x, boxes: inside(x, boxes).float().amax(2).mean((1, 2))),
    "the share is that of the height alone: it is that of the pixels":
        by_share(lambda share, x, boxes: inside(x, boxes).float().amax(3).mean((1, 2))),
    "the label of the image keeps its full weight, and the partner's comes on top: together they are 1":
        lambda x, y, partner, boxes: y + inside(x, boxes).float().mean((1, 2, 3))[:, None] * y[partner],
    "the share is the square root of that of the pixels": by_share(lambda share, x, boxes: share.sqrt()),
}


def part(place, formula, mistakes):
    """The property that the result's part at this place is what the formula gives."""
    holds = equals(formula, mistakes)
    return lambda probe, result: holds(probe, result[place])


exercise = Exercise(
    number="11.7",
    title="CutMix",
    points=3,
    minutes=14,
    hints=(
        ("What do I do with boxes that hang over the edge?",
         "Cut them first: `boxes.clamp(min=0)`, or in numbers `max(left, 0)` and `min(right, W)`. What is left of the "
         "box is what is pasted, and what is counted."),
        ("How do I paste?",
         "On a copy, `mixed = x.clone()`, image by image: `mixed[i, :, top:bottom, left:right] = x[partner[i], :, "
         "top:bottom, left:right]`. Read from x, never from the copy."),
        ("Show me nearly all of it.",
         "In the loop also `share = (right - left) * (bottom - top) / (H * W)`, of the cut box, and `labels[i] = (1 - "
         "share) * y[i] + share * y[partner[i]]`, on a copy of y. Return `mixed, labels`."),
    ),
    reference=cutmix,
    probes=cutmix_probes,
    properties={
        "each box comes from the partner, all else from the image": part(0, pasted, IMAGES),
        "each label has the partner's share of the pixels": part(1, shared, LABELS),
    },
)
