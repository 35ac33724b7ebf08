"""14.2: noise at a signal-to-noise ratio."""

import math

import torch

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.probes import telling_apart
from advcourse.exercises.properties import equals, finite


def add_noise(x, noise, snr_db, lengths):
    return mixed(x, noise, snr_db, lengths)


def own(x, lengths):
    return (torch.arange(x.shape[1]) < lengths[:, None]).to(x.dtype)


def mean_square(z, mask):
    return (z.square() * mask).sum(1) / mask.sum(1)


def mixed(x, noise, snr_db, lengths, power=mean_square, factor=lambda db: 10 ** (-db / 20), end=True):
    """x + noise as wanted, with the places at which one may go wrong as arguments.

    power: of (waveforms, mask); factor: of the amplitude by dB; end: no noise after the sound.
    """
    mask = own(x, lengths)
    scale = (power(x, mask) / power(noise, mask)).sqrt() * factor(snr_db)
    return x + scale[:, None] * noise * (mask if end else 1)


def measured(power):
    return lambda **probe: mixed(**probe, power=power)


def scaled(factor):
    return lambda **probe: mixed(**probe, factor=factor)


def one_scale(x, noise, snr_db, lengths):
    mask = own(x, lengths)
    total = [(z.square() * mask).sum() / mask.sum() for z in (x, noise)]
    return x + (total[0] / total[1]).sqrt() * 10 ** (-snr_db / 20) * noise * mask


def as_it_is(x, noise, snr_db, lengths):
    """The mistake of taking the noise for one of power 1."""
    mask = own(x, lengths)
    return x + (mean_square(x, mask).sqrt() * 10 ** (-snr_db / 20))[:, None] * noise * mask


def unrelated(x, noise, snr_db, lengths):
    return x + 10 ** (-snr_db / 20) * noise * own(x, lengths)


def ratio_of_powers(x, noise, snr_db, lengths):
    mask = own(x, lengths)
    scale = mean_square(x, mask) / mean_square(noise, mask) * 10 ** (-snr_db / 20)
    return x + scale[:, None] * noise * mask


def half_padded(x, noise, snr_db, lengths):
    """The mistake of taking the sound's power over its own samples and the noise's over all."""
    mask = own(x, lengths)
    scale = (mean_square(x, mask) / noise.square().mean(1)).sqrt() * 10 ** (-snr_db / 20)
    return x + scale[:, None] * noise * mask


def spread(z, mask):
    mean = (z * mask).sum(1, keepdim=True) / mask.sum(1, keepdim=True)
    return mean_square(z - mean, mask)


MISTAKES = {
    "the factor is of a power, 10^(−snr/10): noise is added as an amplitude, 10^(−snr/20)":
        scaled(lambda db: 10 ** (-db / 10)),
    "more dB must mean *less* noise: 10^(−snr/20), with a minus": scaled(lambda db: 10 ** (db / 20)),
    "the factor is e^(−snr/20); decibels are powers of 10": scaled(lambda db: math.exp(-db / 20)),
    "snr_db has no effect": scaled(lambda db: 1.0),
    "the silence after the sound counts in the powers: take them over the sound's own samples, the first `lengths`":
        measured(lambda z, mask: z.square().mean(1)),
    "the sound's power is taken over its own samples and the noise's over all of them: take both over the same":
        half_padded,
    "there is noise after the end of the sound: only the first `lengths` samples of each get some":
        lambda **probe: mixed(**probe, end=False),
    "the silence after the sound counts in the powers, and it gets noise: only the first `lengths` samples of each "
    "count and get some":
        lambda **probe: mixed(**probe, power=lambda z, mask: z.square().mean(1), end=False),
    "the noise is taken to have power 1: divide by its own power as well": as_it_is,
    "the loudness of the sound has no effect: the noise is scaled by the ratio of the two powers": unrelated,
    "one scale is used for the whole batch: each sound has its own": one_scale,
    "the scale is a ratio of powers: an amplitude is the square root of a power": ratio_of_powers,
    "the loudness is the mean of |x|; it is the root of the mean square": measured(
        lambda z, mask: ((z.abs() * mask).sum(1) / mask.sum(1)).square()),
    "the loudness is that of the largest sample; it is the root of the mean square": measured(
        lambda z, mask: (z.abs() * mask).amax(1).square()),
    "the mean is subtracted (`.std()` and `.var()` do that): the power is the mean of the squares": measured(spread),
    "the sum is clipped, which changes the ratio: leave it as it is":
        lambda **probe: mixed(**probe).clamp(-1, 1),
    "this is the noise alone: add it to x": lambda x, **rest: mixed(x, **rest) - x,
    "the noise is subtracted": lambda x, **rest: 2 * x - mixed(x, **rest),
}


def noise_probes(generator):
    def draw(snr_db):
        lengths = torch.tensor([40, 23, 31])
        x = torch.rand(3, 40, generator=generator) * 1.6 - 0.7
        x = x * torch.tensor([[1.0], [0.5], [0.8]]) * own(x, lengths)
        noise = 0.6 * torch.randn(3, 40, generator=generator) + 0.4
        return {"x": x, "noise": noise, "snr_db": snr_db, "lengths": lengths}

    return [telling_apart(lambda snr_db=snr_db: draw(snr_db), add_noise, MISTAKES.values())
            for snr_db in (3.0, -2.0)]


exercise = Exercise(
    number="14.2",
    title="As loud as you ask",
    points=3,
    minutes=12,
    hints=(
        ("What is to be solved for?",
         "The scale s of the noise: power(x) / power(s · noise) = 10^(snr/10); power(s · noise) = s² power(noise)."),
        ("How do I leave the silence out?",
         "`own = torch.arange(x.shape[1]) < lengths[:, None]` is True on each sound's own samples. The power is "
         "`(x.square() * own).sum(1) / own.sum(1)`, and the noise is multiplied by it, too."),
        ("Show me nearly all of it.",
         "`scale = (power(x) / power(noise)).sqrt() * 10 ** (-snr_db / 20)`, one number for each sound, then "
         "`x + scale[:, None] * noise * own`."),
    ),
    reference=add_noise,
    probes=noise_probes,
    gates={"the samples are numbers": finite},
    properties={"the noise is as loud as the ratio says, on each sound": equals(add_noise, MISTAKES, tolerance=1e-4)},
)
