"""Plausible wrong answers to exercise 14.6, each with a part of the message that it should get, and right ones."""

import math

import numpy as np
import torch


def bark(f):
    return 13 * torch.atan(0.00076 * f) + 3.5 * torch.atan((f / 7500) ** 2)


def table(level, masker, frequency, offset=6.025, tilt=0.275, knee=True, lower=27.0, sign=1, growth=0.37):
    delta = sign * (bark(frequency)[None] - bark(masker)[:, None])
    over = (level - 40).clamp_min(0) if knee else level - 40
    slope = torch.where(delta < 0, torch.tensor(lower), (growth * over - 27)[:, None])
    return level[:, None] - offset - tilt * bark(masker)[:, None] + slope * delta


def added(theta):
    return 10 * (10 ** (theta / 10)).sum(0).log10()


def exchanges_the_sides(level, masker, frequency):
    return added(table(level, masker, frequency, sign=-1))


def stays_in_hertz(level, masker, frequency):
    delta = frequency[None] - masker[:, None]
    slope = torch.where(delta < 0, torch.tensor(27.0), (0.37 * (level - 40).clamp_min(0) - 27)[:, None])
    return added(level[:, None] - 6.025 - 0.275 * bark(masker)[:, None] + slope * delta)


def takes_magnitudes(level, masker, frequency):
    delta = (bark(frequency)[None] - bark(masker)[:, None]).abs()
    slope = (0.37 * (level - 40).clamp_min(0) - 27)[:, None]
    return added(level[:, None] - 6.025 - 0.275 * bark(masker)[:, None] + slope * delta)


def turns_the_offset(level, masker, frequency):
    return added(table(level, masker, frequency, offset=-6.025))


def forgets_the_offset(level, masker, frequency):
    return added(table(level, masker, frequency, offset=0))


def turns_the_tilt(level, masker, frequency):
    return added(table(level, masker, frequency, tilt=-0.275))


def tilts_by_the_frequency(level, masker, frequency):
    theta = table(level, masker, frequency, tilt=0)
    return added(theta - 0.275 * bark(frequency)[None])


def forgets_the_knee(level, masker, frequency):
    return added(table(level, masker, frequency, knee=False))


def forgets_the_level(level, masker, frequency):
    return added(table(level, masker, frequency, growth=0))


def adds_decibels(level, masker, frequency):
    return table(level, masker, frequency).sum(0)


def takes_the_largest(level, masker, frequency):
    return table(level, masker, frequency).amax(0)


def averages_powers(level, masker, frequency):
    return 10 * (10 ** (table(level, masker, frequency) / 10)).mean(0).log10()


def adds_amplitudes(level, masker, frequency):
    return 20 * (10 ** (table(level, masker, frequency) / 20)).sum(0).log10()


def stays_in_powers(level, masker, frequency):
    return (10 ** (table(level, masker, frequency) / 10)).sum(0)


def rises_below(level, masker, frequency):
    return added(table(level, masker, frequency, lower=-27.0))


def adds_exponentials(level, masker, frequency):
    return 10 * torch.logsumexp(table(level, masker, frequency) / 10, 0)


def loops_in_python(level, masker, frequency):
    def z(f):
        return 13 * math.atan(0.00076 * f) + 3.5 * math.atan((f / 7500) ** 2)

    found = []
    for f in frequency.tolist():
        power = 0.0
        for loud, tone in zip(level.tolist(), masker.tolist(), strict=True):
            apart = z(f) - z(tone)
            slope = 27 if apart < 0 else 0.37 * max(loud - 40, 0) - 27
            power += 10 ** ((loud - 6.025 - 0.275 * z(tone) + slope * apart) / 10)
        found.append(10 * math.log10(power))
    return found


def uses_numpy(level, masker, frequency):
    level, masker, frequency = (value.double().numpy() for value in (level, masker, frequency))
    z, own = (13 * np.arctan(0.00076 * f) + 3.5 * np.arctan((f / 7500) ** 2) for f in (frequency, masker))
    apart = z - own[:, None]
    theta = level[:, None] - 6.025 - 0.275 * own[:, None] + 27 * np.minimum(apart, 0)
    theta += (0.37 * np.maximum(level - 40, 0)[:, None] - 27) * np.maximum(apart, 0)
    return 10 * np.log10(np.sum(10 ** (theta / 10), axis=0))


def adds_by_logsumexp(level, masker, frequency):
    scale = math.log(10) / 10
    return (scale * table(level, masker, frequency)).logsumexp(0) / scale


WRONG = [
    (exchanges_the_sides, "the two sides are exchanged"),
    (stays_in_hertz, "a difference of Hz"),
    (takes_magnitudes, "both sides have the slope that belongs above"),
    (turns_the_offset, "the offset has the wrong sign"),
    (forgets_the_offset, "is missing"),
    (turns_the_tilt, "0.275 z has the wrong sign"),
    (tilts_by_the_frequency, "not of the frequency"),
    (forgets_the_knee, "over 40 dB"),
    (forgets_the_level, "does not depend on its level"),
    (adds_decibels, "sum of the thresholds in dB"),
    (takes_the_largest, "the largest of the thresholds"),
    (averages_powers, "mean of the powers"),
    (adds_amplitudes, "adds amplitudes"),
    (stays_in_powers, "go back to dB"),
    (rises_below, "rises below the masker"),
    (adds_exponentials, "powers of 10"),
]

RIGHT = [loops_in_python, uses_numpy, adds_by_logsumexp]
