"""Levels in decibels: of a change relative to its sound, of a sound over its noise, frame by frame.

20 dB are a factor of 10 in amplitude and of 100 in power. A waveform after its own samples is silence and counts for
nothing: `lengths`, shape (N,), says how many are its own.
"""

import torch
from torch import Tensor

FRAME = 160  # samples of a segment: 20 ms at 8 kHz
SEGMENT_LIMITS = -10.0, 35.0  # dB: beyond them a segment is as bad, or as good, as it gets
ACTIVE = 40.0  # dB below the loudest segment's power a segment counts as silence


def own_samples(x: Tensor, lengths: Tensor | None = None) -> Tensor:
    """Which samples of the waveforms x, (N, T), are their own: bool, (N, T). lengths: (N,); None: all.

    Raises ValueError unless there is one length of 1 to T for each.
    """
    if lengths is None:
        return torch.ones_like(x, dtype=torch.bool)
    if lengths.shape != x.shape[:1] or (len(x) and not (lengths.min() >= 1 and lengths.max() <= x.shape[1])):
        raise ValueError(f"lengths must be one number from 1 to {x.shape[1]} for each of {len(x)} waveforms; got "
                         f"{lengths.tolist() if lengths.numel() < 5 else tuple(lengths.shape)}")
    return torch.arange(x.shape[1], device=x.device) < lengths[:, None].to(x.device)


def power(x: Tensor, lengths: Tensor | None = None) -> Tensor:
    """The mean square of each waveform's own samples, shape (N,)."""
    own = own_samples(x, lengths)
    return (x.square() * own).sum(1) / own.sum(1)


def relative_db(delta: Tensor, x: Tensor) -> Tensor:
    """How loud a change is beside its sound, by the largest sample of each: 20 log10(max |δ| / max |x|), shape (N,).

    Negative where the change is the quieter one; −inf where there is none. Carlini and Wagner, "Audio adversarial
    examples", 2018, section II.
    """
    return 20 * (delta.abs().amax(1) / x.abs().amax(1)).log10()


def budget(x: Tensor, db: float, lengths: Tensor | None = None) -> Tensor:
    """The radii of an attack at a level of `db` relative to each sound, for `attacks.pgd(eps=…)`: shape (N, T).

    Every own sample may change by 10^(db / 20) max |x|; what comes after them may not.
    """
    return own_samples(x, lengths) * (10 ** (db / 20) * x.abs().amax(1, keepdim=True))


def snr(x: Tensor, noise: Tensor, lengths: Tensor | None = None) -> Tensor:
    """The signal-to-noise ratio in dB, shape (N,): 10 log10(power of x / power of the noise), over x's own samples."""
    return 10 * (power(x, lengths) / power(noise, lengths)).log10()


def segmental_snr(x: Tensor, x_adv: Tensor, lengths: Tensor | None = None) -> Tensor:
    """The mean over segments of 20 ms of the SNR of each in dB, between −10 and 35, shape (N,).

    Closer to the ear than one SNR: noise in a quiet place is not hidden by a loud one elsewhere. Segments in which x is
    silent (40 dB below its loudest, or after its end) do not count; one of them would be −inf.
    """
    own = own_samples(x, lengths)
    whole = x.shape[1] // FRAME * FRAME
    signal, noise = (((z * own)[:, :whole].unflatten(1, (-1, FRAME))).square().sum(2) for z in (x, x_adv - x))
    active = signal > signal.amax(1, keepdim=True) * 10 ** (-ACTIVE / 10)
    ratio = (10 * (signal / noise).log10()).nan_to_num(SEGMENT_LIMITS[1]).clamp(*SEGMENT_LIMITS)
    return (ratio * active).sum(1) / active.sum(1)


def louder(x: Tensor, db: float) -> Tensor:
    """x by so many dB louder (negative: softer). Raises ValueError where it would leave [-1, 1]: nothing is clipped."""
    result = x * 10 ** (db / 20)
    if result.numel() and result.abs().max() > 1:
        raise ValueError(f"{db:g} dB louder the largest sample would be {result.abs().max():.3g}, and be clipped at 1: "
                         f"at most {-20 * x.abs().max().log10():.3g} dB are possible")
    return result
