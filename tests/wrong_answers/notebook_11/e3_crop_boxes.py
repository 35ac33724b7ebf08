"""Plausible wrong answers to exercise 11.3, each with a part of the message that it should get, and right ones."""

import math
import random

import numpy as np
import torch
from torchvision.transforms import v2


def drawn(n, area=lambda n: 0.08 + 0.92 * torch.rand(n),
          aspect=lambda n: torch.exp((2 * torch.rand(n) - 1) * math.log(4 / 3)),
          sides=lambda area, aspect: ((area * aspect).sqrt(), (area / aspect).sqrt()),
          place=lambda width, height: (torch.rand(len(width)) * (1 - width), torch.rand(len(width)) * (1 - height))):
    """The right answer, with its parts as arguments: draw many, keep n that fit."""
    many = 3 * n
    width, height = sides(area(many), aspect(many))
    fits = (width <= 1) & (height <= 1)
    width, height = width[fits][:n], height[fits][:n]
    left, top = place(width, height)
    return torch.stack([left, top, width, height], 1)


def draws_the_aspect_itself(n):
    return drawn(n, aspect=lambda n: 3 / 4 + (4 / 3 - 3 / 4) * torch.rand(n))


def draws_the_other_aspect(n):
    return drawn(n, aspect=lambda n: 1 / (3 / 4 + (4 / 3 - 3 / 4) * torch.rand(n)))


def is_always_wide(n):
    return drawn(n, aspect=lambda n: torch.exp(torch.rand(n) * math.log(4 / 3)))


def is_always_square(n):
    return drawn(n, aspect=torch.ones)


def draws_the_side(n):
    return drawn(n, area=lambda n: (0.08 ** 0.5 + (1 - 0.08 ** 0.5) * torch.rand(n)).square())


def forgets_the_root(n):
    return drawn(n, sides=lambda area, aspect: (area * aspect, area / aspect))


def squares_the_aspect(n):
    return drawn(n, sides=lambda area, aspect: (area.sqrt() * aspect, area.sqrt() / aspect))


def draws_the_logarithm_of_the_area(n):
    return drawn(n, area=lambda n: torch.exp(torch.rand(n) * math.log(0.08)))


def starts_at_nothing(n):
    return drawn(n, area=torch.rand)


def stops_at_half(n):
    return drawn(n, area=lambda n: 0.08 + 0.42 * torch.rand(n))


def has_one_area_for_all(n):
    return drawn(n, area=lambda n: (0.08 + 0.92 * torch.rand(1)).expand(n).clamp(max=0.7))


def has_one_box_for_all(n):
    width, height = 0.5 * 1.1 ** 0.5, 0.5 / 1.1 ** 0.5
    return torch.tensor([random.random() * (1 - width), random.random() * (1 - height), width, height]).expand(n, 4)


def takes_the_same_number_twice(n):
    chance = torch.rand(3 * n)
    return drawn(n, area=lambda n: 0.08 + 0.92 * chance,
                 aspect=lambda n: torch.exp((2 * chance - 1) * math.log(4 / 3)))


def exchanges_the_rooms(n):
    return drawn(n, place=lambda width, height: (torch.rand(len(width)) * (1 - height),
                                                 torch.rand(len(width)) * (1 - width)))


def forgets_the_room(n):
    return drawn(n, place=lambda width, height: (torch.rand(len(width)), torch.rand(len(width))))


def clips_the_place(n):
    return drawn(n, place=lambda width, height: (torch.minimum(torch.rand(len(width)), 1 - width),
                                                 torch.minimum(torch.rand(len(width)), 1 - height)))


def stays_in_the_middle(n):
    return drawn(n, place=lambda width, height: ((1 - width) / 2, (1 - height) / 2))


def stays_in_the_corner(n):
    return drawn(n, place=lambda width, height: (0 * width, 0 * height))


def lies_on_the_diagonal(n):
    def place(width, height):
        chance = torch.rand(len(width))
        return chance * (1 - width), chance * (1 - height)
    return drawn(n, place=place)


def prefers_the_middle(n):
    def place(width, height):
        chance = torch.rand(2, 2, len(width)).mean(0)
        return chance[0] * (1 - width), chance[1] * (1 - height)
    return drawn(n, place=place)


def cuts_what_does_not_fit(n):
    area, aspect = 0.08 + 0.92 * torch.rand(n), torch.exp((2 * torch.rand(n) - 1) * math.log(4 / 3))
    width, height = (area * aspect).sqrt().clamp(max=1), (area / aspect).sqrt().clamp(max=1)
    return torch.stack([torch.rand(n) * (1 - width), torch.rand(n) * (1 - height), width, height], 1)


def lets_large_boxes_out(n):
    area, aspect = 0.08 + 0.92 * torch.rand(n), torch.exp((2 * torch.rand(n) - 1) * math.log(4 / 3))
    width, height = (area * aspect).sqrt(), (area / aspect).sqrt()
    return torch.stack([torch.rand(n) * (1 - width).clamp(min=0), torch.rand(n) * (1 - height).clamp(min=0),
                        width, height], 1)


def draws_only_the_aspect_again(n):
    area, aspect = (0.08 + 0.92 * torch.rand(n)).clamp(max=0.99), torch.full((n,), 9.0)  # nearer to 1, it takes long
    misfits = torch.arange(n)
    while len(misfits):
        aspect[misfits] = torch.exp((2 * torch.rand(len(misfits)) - 1) * math.log(4 / 3))
        misfits = misfits[((area * aspect > 1) | (area / aspect > 1))[misfits]]
    width, height = (area * aspect).sqrt(), (area / aspect).sqrt()
    return torch.stack([torch.rand(n) * (1 - width), torch.rand(n) * (1 - height), width, height], 1)


def returns_pixels(n):
    return (28 * drawn(n)).round()


def returns_corners(n):
    boxes = drawn(n)
    return torch.cat([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], 1)


def seeds_itself(n):
    torch.manual_seed(0)
    return drawn(n)


def has_a_generator_of_its_own(n):
    random_numbers = np.random.default_rng(42)
    sides = np.exp(random_numbers.uniform(np.log(3 / 4), np.log(4 / 3), 3 * n) / 2)
    roots = np.sqrt(random_numbers.uniform(0.08, 1, 3 * n))
    sides = np.stack([roots * sides, roots / sides], 1)
    sides = sides[(sides <= 1).all(1)][:n]
    return np.concatenate([random_numbers.random((n, 2)) * (1 - sides), sides], 1)


def draws_many_and_keeps_n(n):
    return drawn(n)


def box_by_box(n):
    boxes = []
    while len(boxes) < n:
        area, aspect = random.uniform(0.08, 1), math.exp(random.uniform(math.log(3 / 4), math.log(4 / 3)))
        width, height = math.sqrt(area * aspect), math.sqrt(area / aspect)
        if width <= 1 and height <= 1:
            boxes.append([random.uniform(0, 1 - width), random.uniform(0, 1 - height), width, height])
    return boxes


def as_torchvision_does(n):
    side, boxes = 10 ** 6, []
    image = torch.empty(1).expand(1, side, side)
    for _ in range(n):
        top, left, height, width = v2.RandomResizedCrop(1).make_params([image]).values()
        boxes.append([left / side, top / side, width / side, height / side])
    return torch.tensor(boxes, dtype=torch.float64)


def in_numpy(n):
    random_numbers = np.random.default_rng(np.random.randint(2 ** 31))
    area = random_numbers.uniform(0.08, 1, 3 * n)
    aspect = np.exp(random_numbers.uniform(np.log(3 / 4), np.log(4 / 3), 3 * n))
    sides = np.stack([np.sqrt(area * aspect), np.sqrt(area / aspect)], 1)
    sides = sides[(sides <= 1).all(1)][:n]
    return np.concatenate([random_numbers.random((n, 2)) * (1 - sides), sides], 1)


def tries_ten_times(n):
    area = 0.08 + 0.92 * torch.rand(n, 10)
    aspect = torch.empty(n, 10).uniform_(math.log(3 / 4), math.log(4 / 3)).exp()
    sides = torch.stack([(area * aspect) ** 0.5, (area / aspect) ** 0.5], 2)
    first = (sides.amax(2) <= 1).int().argmax(1)
    sides = sides[torch.arange(n), first].clamp(max=1)
    return torch.cat([torch.rand(n, 2) * (1 - sides), sides], 1)


WRONG = [
    (draws_the_aspect_itself, "its *logarithm*"),
    (draws_the_other_aspect, "its *logarithm*"),
    (is_always_wide, "all boxes are wide"),
    (is_always_square, "all boxes have the aspect ratio 1"),
    (draws_the_side, "the *side* is uniform here"),
    (forgets_the_root, "the root of the area is uniform"),
    (squares_the_aspect, "*squared*"),
    (draws_the_logarithm_of_the_area, "the logarithm of the area is uniform"),
    (starts_at_nothing, "the areas, width · height, go from"),
    (stops_at_half, "have an area of at most a half"),
    (has_one_area_for_all, "all boxes have the same area"),
    (has_one_box_for_all, "all boxes have the same area"),
    (takes_the_same_number_twice, "depend on each other"),
    (exchanges_the_rooms, "The room for"),
    (forgets_the_room, "multiply a random number by that"),
    (clips_the_place, "do not clip the place"),
    (stays_in_the_middle, "in the middle"),
    (stays_in_the_corner, "at the same place"),
    (lies_on_the_diagonal, "on a diagonal"),
    (prefers_the_middle, "left is not uniform"),
    (cuts_what_does_not_fit, "seem to be cut"),
    (lets_large_boxes_out, "larger than the image"),
    (draws_only_the_aspect_again, "draw area and aspect both"),
    (returns_pixels, "not pixels"),
    (returns_corners, "some boxes leave the image"),
    (seeds_itself, "the same numbers at every call"),
    (has_a_generator_of_its_own, "the same numbers at every call"),
]

RIGHT = [draws_many_and_keeps_n, box_by_box, as_torchvision_does, in_numpy, tries_ten_times]
