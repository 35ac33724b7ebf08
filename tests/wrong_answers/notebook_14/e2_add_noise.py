"""Plausible wrong answers to exercise 14.2, each with a part of the message that it should get, and right ones."""

import math

import numpy as np
import torch


def mask(x, lengths):
    return torch.arange(x.shape[1]) < lengths[:, None]


def power(z, lengths):
    return torch.stack([row[:n].square().mean() for row, n in zip(z, lengths, strict=True)])


def scale(x, noise, lengths):
    return (power(x, lengths) / power(noise, lengths)).sqrt()


def takes_a_factor_of_ten(x, noise, snr_db, lengths):
    return x + (scale(x, noise, lengths) * 10 ** (-snr_db / 10))[:, None] * noise * mask(x, lengths)


def turns_the_sign(x, noise, snr_db, lengths):
    return x + (scale(x, noise, lengths) * 10 ** (snr_db / 20))[:, None] * noise * mask(x, lengths)


def takes_e(x, noise, snr_db, lengths):
    return x + (scale(x, noise, lengths) * math.exp(-snr_db / 20))[:, None] * noise * mask(x, lengths)


def counts_the_silence(x, noise, snr_db, lengths):
    ratio = x.pow(2).mean(1) / noise.pow(2).mean(1)
    return x + (ratio / 10 ** (snr_db / 10)).sqrt()[:, None] * noise * mask(x, lengths)


def counts_the_silence_and_fills_it(x, noise, snr_db, lengths):
    ratio = x.pow(2).mean(1) / noise.pow(2).mean(1)
    return x + (ratio / 10 ** (snr_db / 10)).sqrt()[:, None] * noise


def fills_the_silence(x, noise, snr_db, lengths):
    return x + (scale(x, noise, lengths) * 10 ** (-snr_db / 20))[:, None] * noise


def takes_the_noise_as_it_is(x, noise, snr_db, lengths):
    return x + (power(x, lengths).sqrt() * 10 ** (-snr_db / 20))[:, None] * noise * mask(x, lengths)


def scales_the_batch(x, noise, snr_db, lengths):
    own = mask(x, lengths)
    return x + (x[own].square().mean() / noise[own].square().mean()).sqrt() * 10 ** (-snr_db / 20) * noise * own


def forgets_the_root(x, noise, snr_db, lengths):
    factor = power(x, lengths) / power(noise, lengths) * 10 ** (-snr_db / 20)
    return x + factor[:, None] * noise * mask(x, lengths)


def clips_the_sum(x, noise, snr_db, lengths):
    return (x + (scale(x, noise, lengths) * 10 ** (-snr_db / 20))[:, None] * noise * mask(x, lengths)).clamp(-1, 1)


def gives_the_noise(x, noise, snr_db, lengths):
    return (scale(x, noise, lengths) * 10 ** (-snr_db / 20))[:, None] * noise * mask(x, lengths)


def takes_means_of_magnitudes(x, noise, snr_db, lengths):
    own = mask(x, lengths)
    sizes = [(z.abs() * own).sum(1) / lengths for z in (x, noise)]
    return x + (sizes[0] / sizes[1] * 10 ** (-snr_db / 20))[:, None] * noise * own


def takes_peaks(x, noise, snr_db, lengths):
    own = mask(x, lengths)
    sizes = [(z.abs() * own).amax(1) for z in (x, noise)]
    return x + (sizes[0] / sizes[1] * 10 ** (-snr_db / 20))[:, None] * noise * own


def takes_the_spread(x, noise, snr_db, lengths):
    sizes = [torch.stack([row[:n].std(correction=0) for row, n in zip(z, lengths, strict=True)]) for z in (x, noise)]
    return x + (sizes[0] / sizes[1] * 10 ** (-snr_db / 20))[:, None] * noise * mask(x, lengths)


def adds_in_place(x, noise, snr_db, lengths):
    x += (scale(x, noise, lengths) * 10 ** (-snr_db / 20))[:, None] * noise * mask(x, lengths)
    return x


def divides_powers(x, noise, snr_db, lengths):
    wanted = power(x, lengths) / 10 ** (snr_db / 10)
    return x + mask(x, lengths) * noise * torch.sqrt(wanted / power(noise, lengths)).unsqueeze(1)


def goes_one_by_one_in_numpy(x, noise, snr_db, lengths):
    mixed = np.array(x, dtype=np.float64)
    for row, added, n in zip(mixed, noise.double().numpy(), lengths.tolist(), strict=True):
        row[:n] += added[:n] * np.sqrt(np.mean(row[:n] ** 2) / np.mean(added[:n] ** 2)) * 10 ** (-snr_db / 20)
    return mixed


def compares_norms(x, noise, snr_db, lengths):
    kept = noise * mask(x, lengths)
    return x + kept * x.norm(dim=1, keepdim=True) / (kept.norm(dim=1, keepdim=True) * 10 ** (snr_db / 20) + 1e-12)


WRONG = [
    (takes_a_factor_of_ten, "the factor is of a power"),
    (turns_the_sign, "more dB must mean *less* noise"),
    (takes_e, "e^(−snr/20)"),
    (counts_the_silence, "the silence after the sound counts in the powers"),
    (counts_the_silence_and_fills_it, "and it gets noise"),
    (fills_the_silence, "noise after the end of the sound"),
    (takes_the_noise_as_it_is, "taken to have power 1"),
    (scales_the_batch, "one scale is used for the whole batch"),
    (forgets_the_root, "an amplitude is the square root of a power"),
    (clips_the_sum, "the sum is clipped"),
    (gives_the_noise, "the noise alone"),
    (takes_means_of_magnitudes, "mean of |x|"),
    (takes_peaks, "that of the largest sample"),
    (takes_the_spread, "the mean is subtracted"),
    (adds_in_place, "changes `x` in place"),
]

RIGHT = [divides_powers, goes_one_by_one_in_numpy, compares_norms]
