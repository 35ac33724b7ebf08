"""Plausible wrong answers to exercise 04.5, each with a part of the message that it should get, and right ones."""

import numpy as np
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


def doubles_beta(z, x, beta):
    return shrink(z, x, 2 * beta)


def clips_before(z, x, beta):
    return x + F.softshrink(z.clamp(0, 1) - x, beta)


def clips_the_change(z, x, beta):
    return (x + F.softshrink(z - x, beta).clamp(0, 1)).clamp(0, 1)


def shortens_whole_images(z, x, beta):
    length = (z - x).flatten(1).norm(dim=1).view(-1, 1, 1, 1)
    return (x + (z - x) * F.relu(1 - beta / length)).clamp(0, 1)


def turns_the_change_round(z, x, beta):
    return (x + F.softshrink(x - z, beta)).clamp(0, 1)


def turns_the_condition_round(z, x, beta):
    return torch.where((z - x).abs() <= beta, z, x).clamp(0, 1)


def multiplies(z, x, beta):
    return (x + (1 - beta) * (z - x)).clamp(0, 1)


def returns_the_clipped_change(z, x, beta):
    return F.softshrink(z - x, beta).clamp(0, 1)


def changes_z(z, x, beta):
    z -= x
    return (x + F.softshrink(z, beta)).clamp(0, 1)


def shrinks_as_in_the_paper(z, x, beta):
    """The paper's three cases, in place on a clone."""
    result = x.clone()
    up, down = z - x > beta, z - x < -beta
    result[up] = (z[up] - beta).clamp(max=1)
    result[down] = (z[down] + beta).clamp(min=0)
    return result


def shrinks_in_numpy(z, x, beta):
    delta = z.double().numpy() - x.double().numpy()
    return np.clip(x.numpy() + np.sign(delta) * np.maximum(np.abs(delta) - beta, 0), 0, 1)


def shrinks_image_by_image(z, x, beta):
    return [(a + F.softshrink(b - a, beta)).clamp(0, 1) for a, b in zip(x, z, strict=True)]


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
    (halves_beta, "by half of β"),
    (doubles_beta, "by 2 β"),
    (clips_before, "clip last"),
    (clips_the_change, "you clip the change"),
    (shortens_whole_images, "each image as a whole"),
    (turns_the_change_round, "it is z − x"),
    (turns_the_condition_round, "turn the condition round"),
    (multiplies, "you multiply the change"),
    (returns_the_clipped_change, "you return the change"),
    (changes_z, "in place"),
]

RIGHT = [shrinks_by_cases, shrinks_as_in_the_paper, shrinks_in_numpy, shrinks_image_by_image]
