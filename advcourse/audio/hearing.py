"""What a loud tone hides: the threshold below which the ear does not hear, by a model like ISO 11172's first.

A tone hides weaker sounds beside it: up to some dB below itself at its own pitch, less and less with the distance on
the Bark scale, more widely above it than below. This is the model behind "inaudible" attacks, for tones alone, with the
loudest bin taken to be 96 dB: it says what a coder would throw away, not what a listener would miss.

ISO/IEC 11172-3, 1993, annex D, model 1; the numbers as in Lin and Abdulla, "Audio watermark", 2015, chapter 3, and Qin
et al., "Imperceptible, robust, and targeted adversarial examples for automatic speech recognition", 2019, appendix.
"""

import math

import torch
from torch import Tensor

LOUDEST = 96.0  # dB: the level of the loudest bin of a sound
WINDOW, HOP = 512, 128


def bark(hertz: Tensor) -> Tensor:
    """The ear's own scale of pitch, 24 bands: 13 atan(0.00076 f) + 3.5 atan((f / 7500)²)."""
    return 13 * (0.00076 * hertz).atan() + 3.5 * (hertz / 7500).square().atan()


def quiet(hertz: Tensor) -> Tensor:
    """The threshold in quiet in dB, what is just heard when nothing else sounds; below 20 Hz as at 20 Hz.

        3.64 (f / 1000)^−0.8 − 6.5 exp(−0.6 (f / 1000 − 3.3)²) + 0.001 (f / 1000)⁴ − 12
    """
    f = hertz.clamp_min(20) / 1000
    return 3.64 * f ** -0.8 - 6.5 * (-0.6 * (f - 3.3).square()).exp() + 0.001 * f ** 4 - 12


def masked_by(level: Tensor, masker: Tensor, frequency: Tensor) -> Tensor:
    """The threshold in dB that a tone of this level in dB at `masker` Hz makes at `frequency` Hz; they broadcast.

        level − 6.025 − 0.275 z(masker) + 27 Δ                                 Δ = z(frequency) − z(masker) < 0
        level − 6.025 − 0.275 z(masker) + (0.37 max(level − 40, 0) − 27) Δ     Δ >= 0;   z: the Bark scale
    """
    z, distance = bark(masker), bark(frequency) - bark(masker)
    slope = torch.where(distance < 0, torch.full_like(level, 27), 0.37 * (level - 40).clamp_min(0) - 27)
    return level - 6.025 - 0.275 * z + slope * distance


def levels(x: Tensor) -> Tensor:
    """The power of each bin in dB before any shift, (N, 257, frames): 10 log10 |√(8/3) STFT / 512|².

    √(8/3) undoes the Hann window's loss of power: a sine of amplitude 1 on a bin stands at −7.8 dB.
    """
    return 20 * (spectrum(x).abs() * (math.sqrt(8 / 3) / WINDOW)).clamp_min(1e-10).log10()


def spectrum(x: Tensor) -> Tensor:
    """The STFT that all of this is measured in: (N, 257, frames), complex."""
    window = torch.hann_window(WINDOW, dtype=x.dtype, device=x.device)
    return torch.stft(x, WINDOW, HOP, window=window, pad_mode="constant", return_complex=True)


def waveform(spectrum: Tensor, length: int) -> Tensor:
    """The way back from `spectrum`, (N, length)."""
    window = torch.hann_window(WINDOW, dtype=spectrum.real.dtype, device=spectrum.device)
    return torch.istft(spectrum, WINDOW, HOP, window=window, length=length)


def masking_threshold(x: Tensor, rate: int) -> tuple[Tensor, Tensor]:
    """(threshold, shift): the level in dB that each bin of a change of x may have, (N, 257, frames), and the shift.

    x: (N, T) in [-1, 1]. shift: (N, 1, 1): what is added to `levels` of x and of a change alike, so that the loudest
    bin of the whole sound is at 96 dB. (By frame, silence would be as loud as speech.)
    The threshold is the sum of powers of the threshold in quiet and of those of all maskers: bins that are louder than
    both neighbours and than the threshold in quiet, with the power of the three together; of two within half a Bark the
    louder one.
    """
    loud = levels(x)
    shift = LOUDEST - loud.amax((1, 2), keepdim=True)
    loud = loud + shift
    frequency = torch.arange(WINDOW // 2 + 1, dtype=x.dtype, device=x.device) * rate / WINDOW
    masks = _maskers(loud, frequency)
    around = torch.nn.functional.pad(10 ** (loud / 10), (0, 0, 1, 1))
    level = 10 * (around[:, :-2] + around[:, 1:-1] + around[:, 2:]).log10()
    total = (10 ** (quiet(frequency) / 10))[None, :, None].expand_as(loud).clone()
    sound, masker, frame = masks.nonzero(as_tuple=True)
    for part in torch.arange(len(sound), device=x.device).split(20_000):
        n, k, t = sound[part], masker[part], frame[part]
        made = masked_by(level[n, k, t][:, None], frequency[k][:, None], frequency)
        total.permute(0, 2, 1).index_put_((n, t), 10 ** (made / 10), accumulate=True)
    return 10 * total.log10(), shift


def _maskers(loud, frequency):
    """Which bins are maskers: bool, shape of `loud`, (N, F, frames). The first and last bin may be."""
    edge = torch.nn.functional.pad(loud, (0, 0, 1, 1), value=-math.inf)
    peaks = (loud > edge[:, :-2]) & (loud >= edge[:, 2:]) & (loud > quiet(frequency)[:, None])
    z = bark(frequency)
    # Those that no louder peak stands less than half a Bark away from; of equals the lower.
    near = (z[:, None] - z).abs() < 0.5
    heights = torch.where(peaks, loud, -math.inf)
    kept = torch.zeros_like(peaks)
    for k in range(len(z)):
        rows = near[k].nonzero()[:, 0]
        around = heights[:, rows].amax(1)
        kept[:, k] = peaks[:, k] & (heights[:, k] >= around)
    return kept


def share_above(delta: Tensor, threshold: Tensor, shift: Tensor, x: Tensor, tolerance: float = 1.0) -> Tensor:
    """The share of bins, of frames in which x sounds, where a change is more than `tolerance` dB above: shape (N,).

    threshold, shift: of `masking_threshold(x, rate)`. A frame sounds that is within 40 dB of the sound's loudest.
    """
    energy = spectrum(x).abs().square().sum(1, keepdim=True)
    sounding = (energy > energy.amax(2, keepdim=True) * 1e-4).expand_as(threshold)
    above = (levels(delta) + shift > threshold + tolerance) & sounding
    return above.sum((1, 2)) / sounding.sum((1, 2))
