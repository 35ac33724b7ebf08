"""Plausible wrong answers to exercise 04.5, each with a part of the message that it should get, and right ones."""

import torch
from torch.nn import functional as F

from advcourse.exercises.notebook_04.e5_shrink_and_threshold import shrink


def thresholds_only(z, x, beta):
    return torch.where((z - x).abs() > beta, z, x).clamp(0, 1)


def thresholds_without_clipping(z, x, beta):
    return torch.where((z - x).abs() > beta, z, x)


def forgets_to_clip(z, x, beta):
    return x + F.softshrink(z - x, beta)


def shrinks_the_image(z, x, beta):
    return F.softshrink(z, beta).clamp(0, 1)


def loses_the_sign(z, x, beta):
    return (x + F.relu((z - x).abs() - beta)).clamp(0, 1)


def limits_to_beta(z, x, beta):
    return (x + (z - x).clamp(-beta, beta)).clamp(0, 1)


def lets_small_changes_turn_round(z, x, beta):
    delta = z - x
    return (x + delta.sign() * (delta.abs() - beta)).clamp(0, 1)


def only_clips(z, x, beta):
    return z.clamp(0, 1)


def returns_the_change(z, x, beta):
    return F.softshrink(z - x, beta)


def halves_beta(z, x, beta):
    return shrink(z, x, beta / 2)


def shrinks_by_cases(z, x, beta):
    result = x.clone()
    result = torch.where(z - x > beta, z - beta, result)
    result = torch.where(z - x < -beta, z + beta, result)
    return result.clamp(0, 1)


WRONG = [
    (thresholds_only, "keep their full size"),
    (thresholds_without_clipping, "keep their full size"),
    (forgets_to_clip, "leaves [0, 1]"),
    (shrinks_the_image, "towards black"),
    (loses_the_sign, "the sign is lost"),
    (limits_to_beta, "limits every change"),
    (lets_small_changes_turn_round, "turn round"),
    (only_clips, "only clipped"),
    (returns_the_change, "you return the change"),
    (halves_beta, "not what the formula gives"),
]

RIGHT = [shrinks_by_cases]
