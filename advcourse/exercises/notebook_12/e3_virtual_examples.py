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


def each_with_its_label(probe, result):
    """The images are those wanted, in whatever order, and each has the label of the one that it was made from."""
    wanted = virtual_examples(**probe)
    none = torch.zeros_like(wanted[1])
    if not same((result[0], none), (wanted[0], none)):
        for message, mistake in IMAGES.items():
            if same((result[0], none), (mistake(**probe)[0], none)):
                return message
        return "these are not the support vectors and their shifts: each moved by (right, down), black coming in"
    if same(result, wanted):
        return None
    if torch.equal(result[1].sort().values, wanted[1].sort().values):
        return ("the labels are in another order than the images: copies that come one set after the other want "
                "`.repeat`, copies beside their original `.repeat_interleave`")
    return "an image has not the label of the support vector that it was made from: `y[support]` are theirs"


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
    properties={"the support vectors and their shifts, each with its label": each_with_its_label},
)
