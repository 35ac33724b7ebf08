"""Plausible wrong answers to exercise 14.7, each with a part of the message that it should get, and right ones."""

import numpy as np
import torch
from scipy.signal import fftconvolve, lfilter
from torch.nn import functional as F


def convolved(x, response, mode="full"):
    return torch.from_numpy(np.stack([np.convolve(row, response, mode) for row in x.numpy()])).float()


def takes_same_mode(x, response):
    return convolved(x, response, "same")


def keeps_the_end(x, response):
    return convolved(x, response)[:, len(response) - 1:]


def gives_all(x, response):
    return convolved(x, response)


def goes_round(x, response):
    n = x.shape[1]
    return torch.fft.irfft(torch.fft.rfft(x, n) * torch.fft.rfft(response, n), n)


def correlates(x, response):
    return F.conv1d(F.pad(x, (len(response) - 1, 0))[:, None], response[None, None])[:, 0]


def pads_the_end(x, response):
    return F.conv1d(F.pad(x, (0, len(response) - 1))[:, None], response[None, None])[:, 0]


def turns_it_up(x, response):
    heard = convolved(x, response)[:, :x.shape[1]]
    return heard / heard.abs().max(1, keepdim=True).values


def keeps_the_peak(x, response):
    return turns_it_up(x, response) * x.abs().max(1, keepdim=True).values


def norms_the_response(x, response):
    return convolved(x, response / response.norm())[:, :x.shape[1]]


def sums_the_response(x, response):
    return convolved(x, response / response.sum())[:, :x.shape[1]]


def gives_the_echoes(x, response):
    late = response.clone()
    late[0] = 0
    return convolved(x, late)[:, :x.shape[1]]


def adds_the_sound(x, response):
    return x + convolved(x, response)[:, :x.shape[1]]


def clips(x, response):
    return convolved(x, response)[:, :x.shape[1]].clamp(-1, 1)


def takes_the_mean_away(x, response):
    heard = convolved(x, response)[:, :x.shape[1]]
    return heard - heard.mean(1, keepdim=True)


def adds_echo_by_echo(x, response):
    heard = torch.zeros_like(x)
    for s, share in enumerate(response[:x.shape[1]]):
        heard[:, s:] += share * x[:, :x.shape[1] - s]
    return heard


def filters(x, response):
    return lfilter(response.numpy(), [1.0], x.numpy(), axis=1)


def multiplies_spectra(x, response):
    n = 2 * (x.shape[1] + len(response))
    return torch.fft.irfft(torch.fft.rfft(x, n) * torch.fft.rfft(response, n), n)[:, :x.shape[1]]


def asks_scipy(x, response):
    return fftconvolve(x.numpy(), response.numpy()[None], axes=1)[:, :x.shape[1]]


WRONG = [
    (takes_same_mode, "the sound is shifted"),
    (keeps_the_end, "keep the first ones"),
    (gives_all, "is wanted"),
    (goes_round, "circular convolution"),
    (correlates, "runs backwards"),
    (pads_the_end, "before their sound"),
    (turns_it_up, "turned up to a peak of 1"),
    (keeps_the_peak, "the peak that it had"),
    (norms_the_response, "divided by its length"),
    (sums_the_response, "divided by its sum"),
    (gives_the_echoes, "the echoes alone"),
    (adds_the_sound, "added once more"),
    (clips, "clipped to [−1, 1]"),
    (takes_the_mean_away, "the mean is subtracted"),
]

RIGHT = [adds_echo_by_echo, filters, multiplies_spectra, asks_scipy]
