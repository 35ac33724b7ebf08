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
]

RIGHT = [moves_towards_the_pattern]
