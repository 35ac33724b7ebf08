"""Noise in the background, and how much of it."""

import torch
from torch import Tensor

from advcourse.audio.levels import own_samples, power


def white(like: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Gaussian noise of the shape of `like`, as loud at all frequencies. generator: None: torch's global one."""
    return torch.randn(like.shape, generator=generator, device=like.device, dtype=like.dtype)


def pink(like: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Gaussian noise whose power falls as 1 / frequency, as that of many places does; unit power, mean 0."""
    spectrum = torch.fft.rfft(white(like, generator), dim=1)
    frequency = torch.arange(spectrum.shape[1], device=like.device, dtype=like.dtype)
    spectrum = spectrum * frequency.clamp_min(1).rsqrt() * (frequency > 0)
    noise = torch.fft.irfft(spectrum, n=like.shape[1], dim=1)
    return noise / power(noise).sqrt()[:, None]


def add_noise(x: Tensor, noise: Tensor, snr_db: float | Tensor, lengths: Tensor | None = None) -> Tensor:
    """x + noise, the noise scaled for each sound to an SNR of snr_db over its own samples; shape (N, T).

        scale = √(power(x) / power(noise)) · 10^(−snr_db / 20)

    snr_db: one for all, or shape (N,): more dB is less noise. lengths: (N,), own samples of each; there is no noise
    after them. The sum is not clipped, as that would change the ratio: it may leave [-1, 1].
    """
    own = own_samples(x, lengths)
    snr_db = torch.as_tensor(snr_db, device=x.device, dtype=x.dtype)
    scale = (power(x, lengths) / power(noise, lengths)).sqrt() * 10 ** (-snr_db / 20)
    return x + scale[:, None] * noise * own
