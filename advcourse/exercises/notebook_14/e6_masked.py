"""14.6: what loud tones hide."""

import torch

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.probes import telling_apart
from advcourse.exercises.properties import equals


def masked_below(level, masker, frequency):
    return total(each(level, masker, frequency))


def bark(f):
    return 13 * (0.00076 * f).atan() + 3.5 * (f / 7500).square().atan()


def distances(masker, frequency):
    """z(frequency) − z(masker), (maskers, frequencies)."""
    return bark(frequency)[None] - bark(masker)[:, None]


def upper(level):
    """The slope above a masker, in dB per Bark."""
    return 0.37 * (level - 40).clamp_min(0) - 27


def each(level, masker, frequency, lower=27.0, upper=upper, offset=-6.025, tilt=-0.275, distance=distances, at=None):
    """The threshold that each masker makes at each frequency, with the places at which one may go wrong."""
    apart = distance(masker, frequency)
    slope = torch.where(apart < 0, torch.as_tensor(lower), upper(level)[:, None])
    z = bark(masker)[:, None] if at is None else at(frequency)[None]
    return level[:, None] + offset + tilt * z + slope * apart


def total(thresholds):
    """The sum of powers, in dB."""
    return 10 * (10 ** (thresholds / 10)).sum(0).log10()


def with_(**other):
    return lambda **probe: total(each(**probe, **other))


def turned(masker, frequency):
    return -distances(masker, frequency)


def combined(rule):
    return lambda **probe: rule(each(**probe))


MISTAKES = {
    "the two sides are exchanged: Δ is z(frequency) − z(masker), and the slope of 27 belongs to a negative Δ, below "
    "the masker": with_(distance=turned),
    "the threshold rises below the masker: 27 Δ falls there because Δ is negative, and 27 |Δ| does not":
        with_(lower=-27.0),
    "both sides have the slope that belongs above the masker: below it, where Δ < 0, it is 27":
        with_(distance=lambda masker, frequency: distances(masker, frequency).abs()),
    "both sides have the slope of 27 dB per Bark, which belongs below the masker":
        with_(upper=lambda level: 0 * level + 27),
    "the offset has the wrong sign: a masker hides what is at least 6.025 dB *below* it": with_(offset=6.025),
    "the offset of −6.025 dB is missing": with_(offset=0.0),
    "−0.275 z is missing": with_(tilt=0.0),
    "0.275 z has the wrong sign: it is subtracted": with_(tilt=0.275),
    "z in −0.275 z is that of the masker, not of the frequency": with_(at=bark),
    "−0.275 z takes Hz in place of z, the Bark scale of the masker":
        lambda level, masker, frequency: total(
            each(level, masker, frequency) + 0.275 * (bark(masker) - masker)[:, None]),
    "the slope above the masker grows with a level *over 40 dB* only: max(level − 40, 0)":
        with_(upper=lambda level: 0.37 * (level - 40) - 27),
    "the slope above the masker does not depend on its level: add 0.37 max(level − 40, 0)":
        with_(upper=lambda level: 0 * level - 27),
    "the slope above the masker takes the whole level: max(level − 40, 0)":
        with_(upper=lambda level: 0.37 * level - 27),
    "this is the sum of the thresholds in dB; add their powers, 10^(θ/10), and go back to dB":
        combined(lambda thresholds: thresholds.sum(0)),
    "this is the largest of the thresholds; add their powers, 10^(θ/10)":
        combined(lambda thresholds: thresholds.amax(0)),
    "this is the mean of the thresholds; add their powers, 10^(θ/10)":
        combined(lambda thresholds: thresholds.mean(0)),
    "this is the mean of the powers; add them":
        combined(lambda thresholds: 10 * (10 ** (thresholds / 10)).mean(0).log10()),
    "this adds amplitudes, 10^(θ/20); add powers, 10^(θ/10)":
        combined(lambda thresholds: 20 * (10 ** (thresholds / 20)).sum(0).log10()),
    "this adds e^(θ/10); decibels are powers of 10": combined(lambda thresholds: 10 * (thresholds / 10).logsumexp(0)),
    "this is the sum of powers itself: go back to dB, 10 log10 of it":
        combined(lambda thresholds: (10 ** (thresholds / 10)).sum(0)),
}


def masking_probes(generator):
    def draw(count, loudest):
        masker = torch.tensor([250.0, 900.0, 2300.0])[:count] * (0.9 + 0.2 * torch.rand(count, generator=generator))
        level = torch.tensor([33.0, loudest, 58.0])[:count] + 4 * torch.rand(count, generator=generator)
        frequency = torch.linspace(150, 3800, 24) * (0.97 + 0.06 * torch.rand((), generator=generator))
        return {"level": level, "masker": masker, "frequency": frequency}

    return [telling_apart(lambda given=given: draw(*given), masked_below, MISTAKES.values(), apart=0.05)
            for given in ((3, 70.0), (2, 52.0))]


is_sum = equals(masked_below, MISTAKES, tolerance=5e-3)


def right_sum(probe, result):
    """The result is the sum, and what is infinite is said to be so."""
    if not torch.isfinite(result).all():
        return ("your result holds infinite values, so some thresholds are thousands of dB: is Δ a difference of Hz, "
                "not of Bark, or is it a threshold that rises below the masker, where 27 Δ falls since Δ is negative?")
    return is_sum(probe, result)


exercise = Exercise(
    number="14.6",
    title="What a loud tone hides",
    points=3,
    minutes=15,
    hints=(
        ("Which shape has what?",
         "A table of maskers by frequencies: `level[:, None]` and `masker[:, None]` are columns, `frequency[None]` is "
         "a row."),
        ("How do I take one slope below and another above?",
         "`torch.where(delta < 0, 27.0, slope)` with `slope = 0.37 * (level[:, None] - 40).clamp_min(0) - 27`."),
        ("Show me nearly all of it.",
         "`theta = level[:, None] - 6.025 - 0.275 * bark(masker)[:, None] + slope * delta`, then "
         "`10 * (10 ** (theta / 10)).sum(0).log10()`."),
    ),
    reference=masked_below,
    probes=masking_probes,
    properties={
        "it is the sum of what the maskers hide, as powers, in dB": right_sum,
    },
)
