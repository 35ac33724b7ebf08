"""14.3: how loud is a change? By its largest sample, and segment by segment."""

import torch

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.probes import telling_apart
from advcourse.exercises.properties import equals

LIMITS = -10.0, 35.0


def two_levels(x, x_adv, frame):
    return level(x, x_adv), segmental(x, x_adv, frame)


def level(x, x_adv, size=lambda z: z.abs().amax(1), factor=20):
    return factor * (size(x_adv - x) / size(x)).log10()


def energies(x, x_adv, frame):
    """The energy of each whole segment of x and of the change, two tensors (N, segments)."""
    whole = x.shape[1] // frame * frame
    return tuple(z[:, :whole].unflatten(1, (-1, frame)).square().sum(2) for z in (x, x_adv - x))


def segmental(x, x_adv, frame, factor=10, limits=LIMITS):
    signal, noise = energies(x, x_adv, frame)
    return averaged(factor * (signal / noise).log10(), signal > 0, limits)


def averaged(ratio, counts, limits=LIMITS):
    """The mean of those ratios that count, each in the limits."""
    ratio = torch.where(counts, ratio, 0.0).clamp(*limits)
    return (ratio * counts).sum(1) / counts.sum(1)


def part(number, formula, mistakes, finite):
    """What is wrong with one of the two results; finite: what is said where it is not finite."""
    right = equals(formula, mistakes, tolerance=1e-3)
    return lambda probe, result: right(probe, result[number]) if torch.isfinite(result[number]).all() else finite


def both(*parts):
    """The property that all parts are right. (As properties of their own, one slip would earn half of the points.)"""
    return lambda probe, result: "; ".join(filter(None, (part(probe, result) for part in parts))) or None


LEVEL_MISTAKES = {
    "the level has a factor of 10: that is for powers, and the largest samples are amplitudes: 20":
        lambda x, x_adv, frame: level(x, x_adv, factor=10),
    "the level has the wrong sign: a change that is quieter than its sound is below 0 dB":
        lambda x, x_adv, frame: -level(x, x_adv),
    "the level compares root mean squares; take the largest |δ| and the largest |x|":
        lambda x, x_adv, frame: level(x, x_adv, size=lambda z: z.square().mean(1).sqrt()),
    "the level compares the largest sample of x_adv with that of x; δ is x_adv − x":
        lambda x, x_adv, frame: 20 * (x_adv.abs().amax(1) / x.abs().amax(1)).log10(),
    "the level compares the largest samples without their signs removed: |δ| and |x|":
        lambda x, x_adv, frame: level(x, x_adv, size=lambda z: z.amax(1)),
    "the level takes the natural logarithm; decibels take log10":
        lambda x, x_adv, frame: 20 * (level(x, x_adv) / 20 * torch.tensor(10.0).log()),
    "the level takes the largest sample of the whole batch: each sound has its own":
        lambda x, x_adv, frame: 20 * ((x_adv - x).abs().amax(1) / x.abs().max()).log10(),
    "the level is that of δ alone; it is relative to the largest |x|":
        lambda x, x_adv, frame: 20 * (x_adv - x).abs().amax(1).log10(),
}


def whole(x, x_adv, frame):
    signal, noise = energies(x, x_adv, frame)
    return 10 * (signal.sum(1) / noise.sum(1)).log10()


def log_of_the_mean(x, x_adv, frame):
    signal, noise = energies(x, x_adv, frame)
    counts = (signal > 0) & (noise > 0)
    return 10 * ((torch.where(counts, signal / noise, 0.0)).sum(1) / counts.sum(1)).log10()


def silence_counts(x, x_adv, frame):
    signal, noise = energies(x, x_adv, frame)
    return (10 * (signal / noise).log10()).clamp(*LIMITS).nan_to_num(LIMITS[1]).mean(1)


def limits_the_mean(x, x_adv, frame):
    """The mistake of limiting only what is infinite, or only the mean."""
    signal, noise = energies(x, x_adv, frame)
    counts = (signal > 0) & (noise > 0)
    return averaged(10 * (signal / noise).log10(), counts, (-1e9, 1e9)).clamp(*LIMITS)


def without_the_unchanged(x, x_adv, frame):
    signal, noise = energies(x, x_adv, frame)
    return averaged(10 * (signal / noise).log10(), (signal > 0) & (noise > 0))


def against_x_adv(x, x_adv, frame):
    return segmental(x, x + x_adv, frame)


def with_the_rest(x, x_adv, frame):
    missing = -x.shape[1] % frame
    padded = [torch.nn.functional.pad(z, (0, missing)) for z in (x, x_adv)]
    return segmental(*padded, frame)


def across(x, x_adv, frame):
    """The mistake of reshaping to (frame, segments) in place of (segments, frame)."""
    count = x.shape[1] // frame
    signal, noise = (z[:, :count * frame].unflatten(1, (frame, count)).square().sum(1) for z in (x, x_adv - x))
    return averaged(10 * (signal / noise).log10(), signal > 0)


SEGMENT_MISTAKES = {
    "the segments have a factor of 20: energies are powers: 10":
        lambda x, x_adv, frame: segmental(x, x_adv, frame, factor=20),
    "the segmental SNR has the wrong sign: the sound stands above, the change below":
        lambda x, x_adv, frame: -segmental(x, x_adv, frame),
    "this is one SNR of the whole sound: take one of each segment, and then their mean": whole,
    "this is the logarithm of a mean of ratios: take the logarithm of each segment first": log_of_the_mean,
    "silent segments count: leave those out in which x is 0 throughout": silence_counts,
    "the limits are put on the mean; each segment shall lie in [−10, 35] dB": limits_the_mean,
    "a segment without change makes the mean infinite, and the limit makes 35 of all: put the limits on each segment":
        lambda x, x_adv, frame: torch.full((len(x),), LIMITS[1]),
    "the segments without any change are left out: they count, as 35 dB": without_the_unchanged,
    "the noise is x_adv in place of the change, x_adv − x": against_x_adv,
    "the incomplete segment at the end counts: only whole segments do": with_the_rest,
    "a segment must be `frame` samples in a row: reshape to (…, segments, frame), not to (…, frame, segments)": across,
    "the segmental SNR takes the natural logarithm; decibels take log10": lambda x, x_adv, frame: segmental(
        x, x_adv, frame, factor=10 * torch.tensor(10.0).log()),
}


def level_probes(generator):
    def draw(frame, segments):
        count = 4
        loud = 10 ** (-2.2 * torch.rand(count, segments, 1, generator=generator))
        quiet = 10 ** (-0.5 - 2.5 * torch.rand(count, segments, 1, generator=generator))
        x, delta = (size * (2 * torch.rand(count, segments, frame, generator=generator) - 1) for size in (loud, quiet))
        x[:, 1] = 0  # a pause
        delta[:, 2] = 0  # a segment that nobody touched
        x[:, 3] *= 1e-3  # a soft one, under much noise
        x, delta = (torch.cat([z.flatten(1), 0.3 * torch.rand(count, 3, generator=generator)], 1) for z in (x, delta))
        return {"x": x, "x_adv": x + delta, "frame": frame}

    return [telling_apart(lambda size=size: draw(*size), segmental, SEGMENT_MISTAKES.values(), apart=0.02)
            for size in ((8, 7), (5, 9))]


exercise = Exercise(
    number="14.3",
    title="Two ways to say how loud",
    points=4,
    minutes=15,
    hints=(
        ("10 or 20?",
         "20 log10 of a ratio of amplitudes, such as largest samples; 10 log10 of a ratio of powers or energies, such "
         "as sums of squares. They agree: the power is the square of the amplitude."),
        ("How do I cut a sound into segments?",
         "`x[:, :n * frame].reshape(len(x), n, frame)` with `n = x.shape[1] // frame`, then `.square().sum(2)`."),
        ("And the pauses?",
         "`counts = signal > 0` says which segments of x are not silent. Set the ratio of the others to 0, limit with "
         "`.clamp(-10, 35)`, and take `(ratio * counts).sum(1) / counts.sum(1)`."),
    ),
    reference=two_levels,
    probes=level_probes,
    properties={
        "20 log10(max |δ| / max |x|), and the mean of the SNRs of all segments that sound": both(
            part(0, lambda x, x_adv, frame: level(x, x_adv), LEVEL_MISTAKES,
                 "the level is not finite: is it the logarithm of 0, or a division by it?"),
            part(1, segmental, SEGMENT_MISTAKES,
                 "the segmental SNR is not finite: a segment without change has a ratio of +∞, and a silent one of "
                 "−∞. Limit each segment to [−10, 35] dB, and leave the silent ones out")),
    },
)
