"""Plausible wrong answers to exercise 07.7, each with a part of the message that it should get, and right ones."""

import torch


def adds_on_top(x, frame, mask):
    return x + mask * frame


def adds_and_clips(x, frame, mask):
    return (x + mask * frame).clamp(0, 1)


def turns_the_mask_round(x, frame, mask):
    return mask * x + (1 - mask) * frame


def loses_the_photograph(x, frame, mask):
    return (mask * frame).expand(x.shape)


def leaves_a_hole(x, frame, mask):
    return x * (1 - mask)


def makes_the_mask_hard(x, frame, mask):
    return torch.where(mask > 0.5, frame, x)


def takes_every_touched_pixel(x, frame, mask):
    return torch.where(mask > 0, frame, x)


def forgets_the_mask_on_the_frame(x, frame, mask):
    return (1 - mask) * x + frame


def wears_nothing(x, frame, mask):
    return x


def averages(x, frame, mask):
    return (x + frame) / 2


def dresses_one_only(x, frame, mask):
    return ((1 - mask) * x + mask * frame)[:1]


def moves_towards_the_frame(x, frame, mask):
    return x + mask * (frame - x)


WRONG = [
    (adds_on_top, "on top of the photograph"),
    (adds_and_clips, "then clipped"),
    (turns_the_mask_round, "the wrong way round"),
    (loses_the_photograph, "gone outside the frame"),
    (leaves_a_hole, "the frame is missing"),
    (makes_the_mask_hard, "wanted is a mixture"),
    (takes_every_touched_pixel, "you take the frame alone"),
    (forgets_the_mask_on_the_frame, "laid over the whole picture"),
    (wears_nothing, "came back without a frame"),
    (averages, "half photograph, half frame"),
    (dresses_one_only, "a tensor of shape"),
]

RIGHT = [moves_towards_the_frame]
