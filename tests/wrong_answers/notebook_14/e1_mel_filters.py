"""Plausible wrong answers to exercise 14.1, each with a part of the message that it should get, and right ones."""

import math

import numpy as np
import torch


def corners_in_hertz(n_mels, high, factor=2595, log=math.log10, back=lambda m: 10 ** (m / 2595)):
    most = factor * log(1 + high / 700)
    return [700 * (back(most * k / (n_mels + 1)) - 1) for k in range(n_mels + 2)]


def drawn(n_mels, n_fft, rate, corners, bins=None, clip=True):
    f = torch.arange(n_fft // 2 + 1) * rate / n_fft if bins is None else bins
    rows = []
    for m in range(n_mels):
        low, peak, high = corners[m:m + 3]
        row = torch.minimum((f - low) / (peak - low), (high - f) / (high - peak))
        rows.append(row.clamp(min=0) if clip else row)
    return torch.stack(rows)


def spaces_evenly_in_hertz(n_mels, n_fft, rate):
    return drawn(n_mels, n_fft, rate, [rate / 2 * k / (n_mels + 1) for k in range(n_mels + 2)])


def mixes_the_logarithms(n_mels, n_fft, rate):
    return drawn(n_mels, n_fft, rate, corners_in_hertz(n_mels, rate / 2, log=math.log))


def mixes_the_factors(n_mels, n_fft, rate):
    return drawn(n_mels, n_fft, rate, corners_in_hertz(n_mels, rate / 2, 1127))


def transposes(n_mels, n_fft, rate):
    return drawn(n_mels, n_fft, rate, corners_in_hertz(n_mels, rate / 2)).T


def divides_by_the_width(n_mels, n_fft, rate):
    c = corners_in_hertz(n_mels, rate / 2)
    widths = torch.tensor([c[m + 2] - c[m] for m in range(n_mels)])
    return drawn(n_mels, n_fft, rate, c) * (2 / widths)[:, None]


def rounds_the_rate(n_mels, n_fft, rate):
    return drawn(n_mels, n_fft, rate, corners_in_hertz(n_mels, rate // 2))


def spreads_the_bins(n_mels, n_fft, rate):
    bins = torch.linspace(0, rate / 2, n_fft // 2 + 1)
    return drawn(n_mels, n_fft, rate, corners_in_hertz(n_mels, rate / 2), bins)


def does_as_torchaudio_does(n_mels, n_fft, rate):
    bins = torch.linspace(0, rate // 2, n_fft // 2 + 1)
    return drawn(n_mels, n_fft, rate, corners_in_hertz(n_mels, rate // 2), bins)


def goes_up_to_the_rate(n_mels, n_fft, rate):
    return drawn(n_mels, n_fft, rate, corners_in_hertz(n_mels, rate))


def leaves_negative_weights(n_mels, n_fft, rate):
    return drawn(n_mels, n_fft, rate, corners_in_hertz(n_mels, rate / 2), clip=False)


def rounds_to_bins(n_mels, n_fft, rate):
    c = [math.floor(f * n_fft / rate) for f in corners_in_hertz(n_mels, rate / 2)]
    filters = torch.zeros(n_mels, n_fft // 2 + 1)
    for m in range(n_mels):
        for k in range(c[m], c[m + 1]):
            filters[m, k] = (k - c[m]) / (c[m + 1] - c[m])
        for k in range(c[m + 1], c[m + 2] + 1):
            filters[m, k] = (c[m + 2] - k) / (c[m + 2] - c[m + 1])
    return filters


def draws_in_mel(n_mels, n_fft, rate):
    f = torch.arange(n_fft // 2 + 1) * rate / n_fft
    most = 2595 * math.log10(1 + rate / 2 / 700)
    return drawn(n_mels, n_fft, rate, [most * k / (n_mels + 1) for k in range(n_mels + 2)],
                 2595 * torch.log10(1 + f / 700))


def only_rises(n_mels, n_fft, rate):
    c = corners_in_hertz(n_mels, rate / 2)
    f = torch.arange(n_fft // 2 + 1) * rate / n_fft
    return torch.stack([((f - c[m]) / (c[m + 1] - c[m])).clamp(0, 1) for m in range(n_mels)])


def takes_slaneys_scale(n_mels, n_fft, rate):
    step = math.log(6.4) / 27
    most = 15 + math.log(rate / 2 / 1000) / step if rate > 2000 else 3 * rate / 2 / 200
    mels = [most * k / (n_mels + 1) for k in range(n_mels + 2)]
    return drawn(n_mels, n_fft, rate, [200 * m / 3 if m < 15 else 1000 * math.exp(step * (m - 15)) for m in mels])


def takes_natural_logarithms(n_mels, n_fft, rate):
    return drawn(n_mels, n_fft, rate, corners_in_hertz(n_mels, rate / 2, 1127, math.log, lambda m: math.exp(m / 1127)))


def loops_in_numpy(n_mels, n_fft, rate):
    c = corners_in_hertz(n_mels, rate / 2)
    filters = np.zeros((n_mels, n_fft // 2 + 1))
    for m in range(n_mels):
        for k in range(n_fft // 2 + 1):
            f = k * rate / n_fft
            if c[m] < f <= c[m + 1]:
                filters[m, k] = (f - c[m]) / (c[m + 1] - c[m])
            elif c[m + 1] < f < c[m + 2]:
                filters[m, k] = (c[m + 2] - f) / (c[m + 2] - c[m + 1])
    return filters


def interpolates(n_mels, n_fft, rate):
    c = np.array(corners_in_hertz(n_mels, rate / 2))
    f = np.fft.rfftfreq(n_fft, 1 / rate)
    return [np.interp(f, c[m:m + 3], [0, 1, 0]) for m in range(n_mels)]


def stays_in_float32(n_mels, n_fft, rate):
    most = 2595 * torch.log10(torch.tensor(1 + rate / 1400))
    c = (700 * (10 ** (torch.linspace(0, 1, n_mels + 2) * most / 2595) - 1))[:, None]
    f = torch.arange(n_fft // 2 + 1) * (rate / n_fft)
    up, down = (f - c[:-2]) / (c[1:-1] - c[:-2]), (c[2:] - f) / (c[2:] - c[1:-1])
    return torch.relu(torch.min(up, down))


WRONG = [
    (spaces_evenly_in_hertz, "evenly spaced in Hz"),
    (mixes_the_logarithms, "two directions do not match"),
    (mixes_the_factors, "two directions do not match"),
    (transposes, "is wanted"),
    (divides_by_the_width, "divided by their width"),
    (rounds_the_rate, "rate // 2"),
    (spreads_the_bins, "bin k lies at"),
    (does_as_torchaudio_does, "bin k lies at"),
    (goes_up_to_the_rate, "the bands end at the rate"),
    (leaves_negative_weights, "negative weights"),
    (rounds_to_bins, "rounded to bins"),
    (draws_in_mel, "straight in mel"),
    (only_rises, "do not fall"),
    (takes_slaneys_scale, "Slaney"),
]

RIGHT = [takes_natural_logarithms, loops_in_numpy, interpolates, stays_in_float32]
