"""14.1: triangles over frequency, evenly spaced in mel."""

import math

import torch

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.properties import equals, finite


def mel_filters(n_mels, n_fft, rate):
    return triangles(n_mels, bins_of(n_fft, rate), corners_of(n_mels, rate / 2))


def mel(hertz):
    return 2595 * (1 + hertz / 700).log10()


def hertz(mel):
    return 700 * (10 ** (mel / 2595) - 1)


def slaney(hertz):
    """The other mel scale, even below 1,000 Hz and logarithmic above."""
    return torch.where(hertz < 1000, 3 * hertz / 200, 15 + (hertz.clamp_min(1) / 1000).log() * 27 / math.log(6.4))


def slaney_hertz(mel):
    return torch.where(mel < 15, 200 * mel / 3, 1000 * (math.log(6.4) / 27 * (mel - 15)).exp())


def bins_of(n_fft, rate):
    return torch.arange(n_fft // 2 + 1, dtype=torch.float64) * rate / n_fft


def corners_of(n_mels, high, there=mel, back=hertz, count=2):
    """The corners of the triangles in Hz; there, back: to the scale on which they are even, and from it."""
    ends = there(torch.tensor([0.0, high], dtype=torch.float64))
    return back(torch.linspace(*ends.tolist(), n_mels + count, dtype=torch.float64))


def triangles(n_mels, bins, corners, clip=True):
    low, peak, high = (corners[k:k + n_mels, None] for k in range(3))
    filters = torch.minimum((bins - low) / (peak - low), (high - bins) / (high - peak))
    return (filters.clamp_min(0) if clip else filters).float()


def placed(corners, bins=bins_of):
    """A mistake in where the corners, (n_mels, rate), or the bins, (n_fft, rate), are."""
    return lambda n_mels, n_fft, rate: triangles(n_mels, bins(n_fft, rate), corners(n_mels, rate))


def right_corners(n_mels, rate):
    return corners_of(n_mels, rate / 2)


def normed(n_mels, n_fft, rate):
    corners = right_corners(n_mels, rate)
    return (mel_filters(n_mels, n_fft, rate) * 2 / (corners[2:] - corners[:-2])[:, None]).float()


def only_rising(n_mels, n_fft, rate):
    corners, bins = right_corners(n_mels, rate), bins_of(n_fft, rate)
    return ((bins - corners[:-2, None]) / (corners[1:-1] - corners[:-2])[:, None]).clamp(0, 1).float()


def on_bins(n_mels, n_fft, rate):
    """The mistake of rounding the corners down to bins of the spectrum."""
    corners = (right_corners(n_mels, rate) * n_fft / rate).floor() * rate / n_fft
    return triangles(n_mels, bins_of(n_fft, rate), corners).nan_to_num(0)


def even(values):
    return values


def mel_probes(generator):
    def draw(least, most, odd=0):
        return 2 * int(torch.randint(least // 2, most // 2, (), generator=generator)) + odd

    first = {"n_mels": 6, "n_fft": draw(120, 140), "rate": draw(7600, 8400)}
    return [first, {"n_mels": 5, "n_fft": draw(90, 120, odd=1), "rate": draw(900, 1100, odd=1)}]


exercise = Exercise(
    number="14.1",
    title="Bands as wide as the ear's",
    points=3,
    minutes=15,
    hints=(
        ("How many corners are there?",
         "n_mels + 2: each triangle has three, and shares two of them with each of its neighbours. "
         "`torch.linspace` in mel, from 0 to the mel of rate / 2, then back to Hz."),
        ("How do I write a triangle?",
         "As the smaller one of two straight lines, (f − low) / (peak − low) and (high − f) / (high − peak), "
         "with everything below 0 set to 0."),
        ("Show me nearly all of it.",
         "`f = torch.arange(n_fft // 2 + 1) * rate / n_fft`, `c` the corners in Hz as a column `c[:, None]`; then "
         "`torch.minimum((f - c[:-2]) / (c[1:-1] - c[:-2]), (c[2:] - f) / (c[2:] - c[1:-1])).clamp_min(0)`."),
    ),
    reference=mel_filters,
    probes=mel_probes,
    gates={"the weights are numbers": finite},
    properties={
        "row m is the triangle over corners m, m + 1 and m + 2": equals(mel_filters, tolerance=1e-3, mistakes={
            "the corners are evenly spaced in Hz: space them evenly in mel, and go back to Hz":
                placed(lambda n_mels, rate: corners_of(n_mels, rate / 2, even, even)),
            "the two directions do not match: log10 goes with 10 ** (m / 2595); the natural logarithm would take 1127 "
            "and `exp`":
                placed(lambda n_mels, rate: corners_of(n_mels, rate / 2, lambda f: 2595 * (1 + f / 700).log())),
            "the two directions do not match: 1127 goes with the natural logarithm, 2595 with log10":
                placed(lambda n_mels, rate: corners_of(n_mels, rate / 2, lambda f: 1127 * (1 + f / 700).log10())),
            "this is the mel scale of Slaney, even below 1,000 Hz; wanted is 2595 log10(1 + f / 700)":
                placed(lambda n_mels, rate: corners_of(n_mels, rate / 2, slaney, slaney_hertz)),
            "the triangles are divided by their width; each shall reach 1 at its middle corner": normed,
            "the triangles do not fall: the weight is the smaller of the rising and the falling line": only_rising,
            "there are negative weights: outside of its triangle a weight is 0": lambda n_mels, n_fft, rate: triangles(
                n_mels, bins_of(n_fft, rate), right_corners(n_mels, rate), clip=False),
            "the corners are rounded to bins of the spectrum: leave them where they are, between the bins": on_bins,
            "the sides of the triangles are straight in mel; they shall be straight in Hz":
                lambda n_mels, n_fft, rate: triangles(
                    n_mels, mel(bins_of(n_fft, rate)), mel(right_corners(n_mels, rate))),
            "the bands end at the rate; the spectrum ends at half of it":
                placed(lambda n_mels, rate: corners_of(n_mels, rate)),
            "bin k lies at k · rate / n_fft: for an odd n_fft the last one is below rate / 2":
                placed(right_corners,
                       lambda n_fft, rate: torch.linspace(0, rate / 2, n_fft // 2 + 1, dtype=torch.float64)),
            "the bands end at `rate // 2`, rounded down: for an odd rate, half of it is no whole number":
                placed(lambda n_mels, rate: corners_of(n_mels, rate // 2)),
            "each triangle is one corner too high: the first one begins at corner 0, which is 0 Hz":
                placed(lambda n_mels, rate: corners_of(n_mels, rate / 2, count=3)[1:]),
        }),
    },
)
