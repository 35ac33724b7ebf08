"""11.3: the boxes of random resized crops, judged by their distribution.

A limit below is passed by a right answer but for one run in 10⁸: the inequality of Dvoretzky, Kiefer and Wolfowitz for
distributions, six standard deviations for correlations.
"""

import math

import torch

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.properties import finite

LEAST, LONG = 0.08, math.log(4 / 3)  # the smallest area, and the largest logarithm of the aspect ratio
FREE = 0.75  # boxes up to this area fit in every shape
SLACK = 1e-5  # for rounding


def crop_boxes(n):
    boxes, missing = torch.empty(n, 4), torch.arange(n)
    while len(missing):
        area = LEAST + (1 - LEAST) * torch.rand(len(missing))
        aspect = ((2 * torch.rand(len(missing)) - 1) * LONG).exp()
        sides = torch.stack([(area * aspect).sqrt(), (area / aspect).sqrt()], 1)
        boxes[missing] = torch.cat([torch.rand(len(missing), 2) * (1 - sides), sides], 1)
        missing = missing[sides.amax(1) > 1]
    return boxes


def box_probes(generator):
    return [{"n": 10_000 + int(torch.randint(1, 2_000, (), generator=generator))}]


def far(uniform):
    """How far the distribution of numbers is from the uniform one on [0, 1]: the largest gap of their shares."""
    steps = torch.arange(len(uniform) + 1, dtype=torch.float64) / len(uniform)
    values = uniform.double().sort().values
    return max((values - steps[:-1]).max().item(), (steps[1:] - values).max().item())


def is_uniform(values, low=0.0, high=1.0):
    """Whether these numbers may be uniform in [low, high]."""
    limit = math.sqrt(math.log(2 / 1e-8) / (2 * max(len(values), 1)))
    return len(values) > 100 and far((values - low) / (high - low)) <= limit


def correlation(one, other):
    return torch.corrcoef(torch.stack([one.double(), other.double()]))[0, 1].item()


def go_together(one, other):
    """Whether these numbers are correlated, beyond chance."""
    return abs(correlation(one, other)) > 6 / len(one) ** 0.5


def share_below(area):
    """The share of the boxes of at most this area, among those that fit: uniform numbers if the areas are right."""
    def fitting(a):  # area times range of the logarithm of the aspect, integrated up to a
        a, corner = a.clamp(LEAST, 1), torch.tensor(FREE, dtype=torch.float64)
        above = (a - a * a.log() - (corner - corner * corner.log())).clamp_min(0)
        return (a.clamp(max=FREE) - LEAST) * LONG + torch.where(a > FREE, above, 0)

    return fitting(area.double()) / fitting(torch.ones((), dtype=torch.float64))


def inside_the_image(probe, boxes):
    if message := finite(probe, boxes):
        return message
    left, top, width, height = boxes.unbind(1)
    if boxes.max() > 2:
        return ("left, top, width and height are shares of the image, from 0 to 1, not pixels; "
                f"yours reach {boxes.max():.3g}")
    if boxes.min() < -SLACK or min(width.min(), height.min()) <= 0:
        return "left and top must be at least 0, width and height above 0"
    for name, first, side in (("left", left, width), ("top", top, height)):
        what = "width" if name == "left" else "height"
        if (reach := (first + side).max().item()) > 1 + SLACK:
            if side.max() > 1 + SLACK:
                return (f"some boxes are larger than the image, their {what} reaches {side.max():.3g}: draw area and "
                        "aspect again for those that do not fit")
            return (f"some boxes leave the image: {name} + {what} reaches {reach:.3g}. The room for {name} is "
                    f"1 − {what}: multiply a random number by that")
    return None


def areas(probe, boxes):
    area = boxes[:, 2] * boxes[:, 3]
    root, small = area.sqrt(), area[area <= FREE]
    if area.std() < 1e-4:
        return "all boxes have the same area: each needs a random number of its own, `torch.rand(n)`"
    at_edge = (boxes[:, 2:] > 1 - 1e-6).any(1).double().mean().item()
    if at_edge > 0.01:
        return (f"{at_edge:.0%} of the boxes have a side of exactly 1: those that do not fit seem to be cut. Draw area "
                "and aspect again for them")
    if is_uniform(root[root <= 0.8], LEAST, 0.8):
        return ("here the root of the area is uniform from 8 % to 100 %: width · height must be the area, so the sides "
                "are √(area · aspect) and √(area / aspect)")
    if is_uniform(small.sqrt(), LEAST ** 0.5, FREE ** 0.5):
        return "the *side* is uniform here: draw the area uniformly, and take roots afterwards"
    if area.min() < LEAST - SLACK or area.max() > 1 + SLACK:
        return f"the areas, width · height, go from {area.min():.3g} to {area.max():.3g}; wanted is 0.08 to 1"
    if is_uniform(share_below(area)):
        return None
    if is_uniform(area, LEAST, 1.0):
        return ("where a box does not fit, you draw only its aspect again, and large boxes come too often: draw area "
                "and aspect both")
    if is_uniform(small.log(), math.log(LEAST), math.log(FREE)):
        return "the logarithm of the area is uniform here: it is the area itself that is"
    known = (area <= 0.5).double().mean().item()
    return (f"{known:.0%} of the boxes have an area of at most a half; among uniform ones that fit it is "
            f"{share_below(torch.tensor(0.5)):.0%}")


def aspects(probe, boxes):
    area, aspect = boxes[:, 2] * boxes[:, 3], boxes[:, 2] / boxes[:, 3]
    area, aspect = area[area <= FREE], aspect[area <= FREE]  # the others may not have every shape
    bend = aspect.log()
    if len(area) < 100 or bend.std() < 1e-4:
        return f"all boxes have the aspect ratio {boxes[0, 2] / boxes[0, 3]:.3g}: it is random, from 3/4 to 4/3"
    if bend.min() > -SLACK or bend.max() < SLACK:
        return "all boxes are wide, or all are high: 3:4 must be as likely as 4:3"
    if is_uniform(bend[area <= 0.5] / 2, -LONG, LONG):  # larger ones with squared ratios may not fit
        return "width / height is the aspect ratio *squared*: the sides are √(area · aspect) and √(area / aspect)"
    if bend.abs().max() > LONG + 1e-4:
        return (f"the aspect ratios, width / height, go from {aspect.min():.3g} to {aspect.max():.3g}; wanted is 3/4 "
                "to 4/3")
    if is_uniform(aspect, 3 / 4, 4 / 3) or is_uniform(1 / aspect, 3 / 4, 4 / 3):
        return ("the aspect ratio is uniform here, so that one orientation comes more often: draw its *logarithm* "
                "uniformly, between −log(4/3) and log(4/3)")
    if go_together(bend, area):
        return "area and aspect ratio depend on each other: draw a random number for each"
    if not is_uniform(bend, -LONG, LONG):
        return (f"{(bend < 0).double().mean():.0%} of the boxes are higher than wide, and the logarithms of the aspect "
                "ratios are not uniform between log(3/4) and log(4/3)")
    return None


def sizes(probe, boxes):
    """Areas and aspect ratios: one mistake in the sides shows in both."""
    return "; and ".join(filter(None, (areas(probe, boxes), aspects(probe, boxes)))) or None


def positions(probe, boxes):
    slack = 1 - boxes[:, 2:]
    places = (boxes[:, :2] / slack)[(slack > 0.02).all(1)]
    sizes = boxes[(slack > 0.02).all(1), 2:]
    if len(places) < 100 or places.std(0).max() < 1e-3:
        where = "in the middle" if len(places) and abs(places.mean().item() - 0.5) < 1e-3 else "at the same place"
        return f"every box lies {where}: its place is random wherever it fits"
    if (places > 1 - 1e-5).double().mean() > 0.01:
        return "many boxes touch the right or lower edge: do not clip the place, multiply it by 1 − width or 1 − height"
    if go_together(*places.T) and abs(correlation(*places.T)) > 0.9:
        return "left and top come from the same random number: all boxes lie on a diagonal. Draw one for each"
    for name, place in zip(("left", "top"), places.T, strict=True):
        if not is_uniform(place):
            return (f"{name} is not uniform where the box fits: {(place <= 0.5).double().mean():.0%} of the boxes lie "
                    "in the first half of their room")
    if go_together(*places.T) or any(go_together(place, size) for place in places.T for size in sizes.T):
        return "the place depends on the size of the box, or left on top: draw new random numbers for it"
    return None


exercise = Exercise(
    number="11.3",
    title="Where to crop",
    points=3,
    minutes=14,
    hints=(
        ("How do width and height follow from area and aspect?",
         "width · height is the area, width / height the aspect ratio. So width = √(area · aspect) and height = "
         "√(area / aspect)."),
        ("What do I do with boxes that do not fit?",
         "A width or height above 1: draw these boxes again, area and aspect, until all fit. A loop over images is "
         "fine: `while True:` draw one box, and `break` where it fits."),
        ("Show me nearly all of it.",
         "`area = 0.08 + 0.92 * torch.rand(())`, `aspect = torch.exp((2 * torch.rand(()) - 1) * math.log(4 / 3))`, the "
         "two roots; where both are at most 1, `left = torch.rand(()) * (1 - width)` and `top` likewise."),
    ),
    reference=crop_boxes,
    probes=box_probes,
    gates={"every box lies inside the image": inside_the_image},
    properties={
        "areas are uniform from 8 % to 100 %, aspect ratios log-uniform from 3:4 to 4:3": sizes,
        "positions are uniform wherever a box fits": positions,
    },
    draws=True,
)
