"""Losses that train what listens: on words that come a little later, and in noise."""

import torch
from torch import Tensor
from torch.nn import functional as F

from advcourse.attacks.contract import Model
from advcourse.audio.noise import add_noise, white

LATEST = 800  # samples that a word may come later: 100 ms
NOISIEST, QUIETEST = 0.0, 30.0  # dB of SNR


def lengths_of(x: Tensor) -> Tensor:
    """How many samples of each waveform, (N, T), come before its last silence, at least 1: shape (N,)."""
    place = torch.arange(1, x.shape[1] + 1, device=x.device)
    return (place * (x != 0)).amax(1).clamp_min(1)


def later(x: Tensor, most: int = LATEST) -> Tensor:
    """Each waveform, (N, T), moved by 0 to `most` samples to the right, behind silence; what leaves is lost."""
    moved = torch.randint(most + 1, (len(x), 1), device=x.device)
    place = torch.arange(x.shape[1], device=x.device) - moved
    return x.gather(1, place.clamp_min(0)) * (place >= 0)


def later_loss(model: Model, x: Tensor, y: Tensor) -> Tensor:
    """Cross-entropy on words that come up to 100 ms later. The random numbers are those of torch's global generator."""
    return F.cross_entropy(model(later(x)), y)


def noisy_loss(model: Model, x: Tensor, y: Tensor) -> Tensor:
    """`later_loss` in white noise, at an SNR from 0 to 30 dB that is drawn for each word."""
    snr_db = NOISIEST + (QUIETEST - NOISIEST) * torch.rand(len(x), device=x.device)
    return later_loss(model, add_noise(x, white(x), snr_db, lengths_of(x)).clamp(-1, 1), y)
