"""12.3: virtual support vectors, only the boundary moved."""

import torch
from torch.nn import functional as F

from advcourse.exercises.catalogue import Exercise


def virtual_examples(x, y, support, shifts):
    images = [x[support]] + [F.pad(x[support], (right, -right, down, -down)) for right, down in shifts]
    return torch.cat(images), y[support].repeat(1 + len(shifts))


def virtual_probes(generator):
    """Images that are all different, bright up to the rim, in no order; each label says which image it belongs to."""
    probes = []
    for count, size, shifts in ((9, (7, 6), [(1, 0), (0, 2), (2, 1)]), (7, (5, 8), [(2, -1), (0, 2)])):
        support = torch.randperm(count, generator=generator)[:4]
        probes.append({"x": torch.rand(count, 1, *size, generator=generator) * 0.9 + 0.05,
                       "y": torch.randperm(count, generator=generator), "support": support, "shifts": shifts})
    return probes


def rows(images, labels):
    """The pairs of image and label, sorted: their order is free."""
    table = torch.cat([images.flatten(1), labels[:, None].to(images)], 1)
    order = sorted(range(len(table)), key=lambda i: table[i].tolist())
    return table[order]


def same(one, other):
    """Whether two sets of labelled images are one, in whatever order."""
    return one[0].shape == other[0].shape and torch.allclose(rows(*one), rows(*other), atol=1e-6)


def rolled(x, y, support, shifts):
    images = [x[support]] + [torch.roll(x[support], (down, right), (2, 3)) for right, down in shifts]
    return torch.cat(images), y[support].repeat(1 + len(shifts))


def with_shifts(change):
    """The right answer to other shifts."""
    return lambda x, y, support, shifts: virtual_examples(x, y, support, [change(*move) for move in shifts])


def chained(x, y, support, shifts):
    images = [x[support]]
    for right, down in shifts:
        images.append(F.pad(images[-1], (right, -right, down, -down)))
    return torch.cat(images), y[support].repeat(1 + len(shifts))


# Where as many images come back as are wanted, and they are not the wanted ones.
IMAGES = {
    "what leaves on one side comes in on the other: `torch.roll` goes round; black must come in (`F.pad` with a "
    "negative number crops)": rolled,
    "right and down are exchanged: columns are the last dimension, rows the one before":
        with_shifts(lambda right, down: (down, right)),
    "the images move the wrong way: (1, 0) is one pixel to the right, so the column on the left becomes black":
        with_shifts(lambda right, down: (-right, -down)),
    "rows move up where they should go down": with_shifts(lambda right, down: (right, -down)),
    "columns move left where they should go right": with_shifts(lambda right, down: (-right, down)),
    "every copy is unmoved": with_shifts(lambda right, down: (0, 0)),
    "each shift starts from the one before; all start from the support vector itself": chained,
    "the first images are moved, and not those that `support` names": lambda x, y, support, shifts: virtual_examples(
        x, y, torch.arange(len(support)), shifts),
}


def the_images(probe, result):
    """The images are those wanted, in whatever order."""
    images, wanted = result[0], virtual_examples(**probe)[0]
    none = torch.zeros(len(images), dtype=torch.int64)
    for message, mistake in IMAGES.items():
        if same((images, none), (mistake(**probe)[0], none)) and not same((images, none), (wanted, none)):
            return message
    return None if same((images, none), (wanted, none)) else (
        "these are not the support vectors and their shifts: each moved by (right, down) pixels, black coming in")


def the_labels(probe, result):
    """Every image has the label of the support vector that it was made from."""
    if the_images(probe, result):
        return "the labels count once the images are right"
    if same(result, virtual_examples(**probe)):
        return None
    y, support, shifts = probe["y"], probe["support"], probe["shifts"]
    if torch.equal(result[1].sort().values, y[support].repeat(1 + len(shifts)).sort().values):
        return ("the labels are in another order than the images: copies that come one set after the other want "
                "`.repeat`, copies beside their original `.repeat_interleave`")
    return "an image has not the label of the support vector that it was made from: `y[support]` are theirs"


def counted(probe, result):
    """As many as wanted: the engine has seen to the shapes; None always."""
    images, _ = result
    return "pixels must lie in [0, 1]" if images.min() < 0 or images.max() > 1 else None


exercise = Exercise(
    number="12.3",
    title="Only the boundary",
    points=3,
    minutes=12,
    hints=(
        ("How do I move an image?",
         "Put black on one side and cut off as much on the other: `F.pad(images, (right, -right, down, -down))` does "
         "both, as a negative number crops."),
        ("Which images?",
         "Those of `support` alone: `x[support]`. They come back as they are, and once more for each shift."),
        ("Show me nearly all of it.",
         "`torch.cat([x[support], *(F.pad(x[support], …) for right, down in shifts)])`, with the labels "
         "`y[support].repeat(1 + len(shifts))`."),
    ),
    reference=virtual_examples,
    probes=virtual_probes,
    gates={"every pixel is a grey value": counted},
    properties={
        "the support vectors and their shifts": the_images,
        "each with its label": the_labels,
    },
)
