"""Plausible wrong answers to exercise 06.7, each with a part of the message that it should get, and right ones."""

import torch


def adds_the_pattern(x, pattern, mask):
    return (x + mask * pattern).clamp(0, 1)


def adds_without_clipping(x, pattern, mask):
    return x + pattern


def turns_the_mask_round(x, pattern, mask):
    return mask * x + (1 - mask) * pattern


def hides_the_image(x, pattern, mask):
    return (mask * pattern).expand_as(x).clone()


def covers_with_nothing(x, pattern, mask):
    return (1 - mask) * x


def cuts_a_soft_mask(x, pattern, mask):
    return torch.where(mask > 0, pattern, x)


def rounds_a_soft_mask(x, pattern, mask):
    return torch.where(mask > 0.5, pattern, x)


def returns_the_images_as_they_were(x, pattern, mask):
    return x.clone()


def works_in_place(x, pattern, mask):
    x *= 1 - mask
    x += mask * pattern
    return x


def moves_towards_the_pattern(x, pattern, mask):
    return torch.lerp(x, pattern.expand_as(x), mask.expand_as(x))


def lays_the_pattern_over_all(x, pattern, mask):
    return (1 - mask) * x + pattern * (mask > 0)


def takes_the_hard_part(x, pattern, mask):
    return torch.where(mask == 1, pattern, x)


def averages(x, pattern, mask):
    return (x + pattern) / 2


def mixes_in_place_on_a_clone(x, pattern, mask):
    result = x.clone()
    result *= 1 - mask
    result += mask * pattern
    return result.requires_grad_()


def mixes_image_by_image(x, pattern, mask):
    return [image - mask * image + mask * pattern for image in x]


def mixes_in_numpy(x, pattern, mask):
    x, pattern, mask = (part.double().numpy() for part in (x, pattern, mask))
    return mask * pattern + x * (1 - mask)


WRONG = [
    (adds_the_pattern, "a sticker hides it"),
    (adds_without_clipping, "is no image"),
    (turns_the_mask_round, "the wrong way round"),
    (hides_the_image, "outside the mask change"),
    (covers_with_nothing, "is blank"),
    (cuts_a_soft_mask, "you choose one of them"),
    (rounds_a_soft_mask, "you choose one of the two"),
    (returns_the_images_as_they_were, "without the patch"),
    (works_in_place, "in place"),
    (takes_the_hard_part, "exactly 1 you are right"),
    (averages, "half image, half pattern"),
    (lays_the_pattern_over_all, "is no image"),
]

RIGHT = [moves_towards_the_pattern, mixes_in_place_on_a_clone, mixes_image_by_image, mixes_in_numpy]
