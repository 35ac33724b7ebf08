"""14.7: a sound as it is heard in a room."""

import torch
from torch.nn import functional as F

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.probes import telling_apart
from advcourse.exercises.properties import equals, finite


def through_room(x, response):
    return whole(x, response)[:, :x.shape[1]]


def whole(x, response):
    """The full convolution, (N, T + S − 1): y_t = Σ_s response_s x_{t−s}."""
    padded = F.pad(x, (len(response) - 1, len(response) - 1))
    return F.conv1d(padded[:, None], response.flip(0)[None, None])[:, 0]


def same_mode(x, response):
    start = (len(response) - 1) // 2
    return whole(x, response)[:, start:start + x.shape[1]]


def circular(x, response):
    length = x.shape[1]
    folded = F.pad(whole(x, response), (0, length))
    return folded[:, :length] + F.pad(folded[:, length:], (0, length))[:, :length]


def turned_round(x, response):
    """The mistake of a correlation: conv1d does not turn the response round."""
    return through_room(x, response.flip(0))


def heard_early(x, response):
    """The mistake of a correlation that is padded at the end: echoes come before their sound."""
    return F.conv1d(F.pad(x, (0, len(response) - 1))[:, None], response[None, None])[:, 0]


def levelled(x, response):
    heard = through_room(x, response)
    return heard / heard.abs().amax(1, keepdim=True)


MISTAKES = {
    "the sound is shifted, as `mode=\"same\"` does: sample 0 of the response is the direct sound, keep the *first* T "
    "samples of the convolution": same_mode,
    "the last T samples are kept; keep the first ones": lambda x, response: whole(x, response)[:, -x.shape[1]:],
    "the echoes of the end come back at the beginning: a product of FFTs of length T is a circular convolution; pad to "
    "T + S − 1 first": circular,
    "the response runs backwards: `conv1d` is a correlation, so turn the response round, `.flip(0)`": turned_round,
    "the echoes come before their sound: sample t hears x_{t−s}, not x_{t+s}": heard_early,
    "each sound is turned up to a peak of 1: leave it as loud as it arrives": levelled,
    "the sound is turned up to the peak that it had; leave it as loud as it arrives":
        lambda x, response: levelled(x, response) * x.abs().amax(1, keepdim=True),
    "the response is divided by its sum: it is what arrives of a click, as it is":
        lambda x, response: through_room(x, response / response.sum()),
    "the response is divided by its length, as a vector: it is what arrives of a click, as it is":
        lambda x, response: through_room(x, response / response.norm()),
    "these are the echoes alone: the direct sound, sample 0 of the response, belongs to it":
        lambda x, response: through_room(x, torch.cat([torch.zeros(1), response[1:]])),
    "the sound is added once more: the response holds the direct sound already":
        lambda x, response: through_room(x, response) + x,
    "the result is clipped to [−1, 1]: leave it as it is": lambda x, response: through_room(x, response).clamp(-1, 1),
    "the mean is subtracted": lambda x, response: through_room(x, response) - through_room(x, response).mean(
        1, keepdim=True),
}


def room_probes(generator):
    def draw(samples, taps):
        x = 1.6 * torch.rand(3, samples, generator=generator) - 0.6
        response = torch.randn(taps, generator=generator) * 0.7 ** torch.arange(taps)
        response[0] = 0.9 + 0.1 * torch.rand((), generator=generator)
        return {"x": x, "response": response}

    return [telling_apart(lambda size=size: draw(*size), through_room, MISTAKES.values())
            for size in ((30, 8), (17, 11))]


exercise = Exercise(
    number="14.7",
    title="Through a room",
    points=3,
    minutes=12,
    hints=(
        ("What does a response of 1, 0, 0, 0.5 do?",
         "The sound comes at once, and half as loud three samples later: y_t = x_t + 0.5 x_{t−3}."),
        ("Which function convolves?",
         "`F.conv1d` correlates: turn the response round with `.flip(0)`, and put S − 1 zeros in front of x. Or "
         "multiply `torch.fft.rfft(x, n)` by that of the response, with n = T + S − 1, and go back."),
        ("Show me nearly all of it.",
         "`n = x.shape[1] + len(response) - 1`, then "
         "`torch.fft.irfft(torch.fft.rfft(x, n) * torch.fft.rfft(response, n), n)[:, :x.shape[1]]`."),
    ),
    reference=through_room,
    probes=room_probes,
    gates={"the samples are numbers": finite},
    properties={"sample t is the sum of response_s · x_{t−s}": equals(through_room, MISTAKES, tolerance=1e-4)},
)
