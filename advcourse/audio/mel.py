"""What a network sees of a sound: the power in a few bands, as wide as the ear's, over time, in logarithms."""

from functools import lru_cache

import torch
from torch import Tensor, nn


def mel(hertz: Tensor) -> Tensor:
    """Pitch as it is perceived: 2595 log10(1 + f / 700), about 1,000 at 1,000 Hz (the "HTK" scale)."""
    return 2595 * (1 + hertz / 700).log10()


def hertz(mel: Tensor) -> Tensor:
    """The way back: 700 (10^(mel / 2595) − 1)."""
    return 700 * (10 ** (mel / 2595) - 1)


def mel_filters(n_mels: int, n_fft: int, rate: int, low: float = 0.0, high: float | None = None) -> Tensor:
    """Triangles over the frequencies of a spectrum, evenly spaced in mel: shape (n_mels, n_fft // 2 + 1), float64.

    Triangle m rises from corner m to 1 at corner m + 1 and falls to 0 at corner m + 2, of n_mels + 2 corners from `low`
    to `high` Hz (None: half the rate). Bin k is at k · rate / n_fft, also for odd n_fft and rate.
    Raises ValueError for a range that is none, and where a triangle falls between two bins: that one would be silent.
    """
    high = rate / 2 if high is None else high
    if not 0 <= low < high <= rate / 2:
        raise ValueError(f"the bands must go from low to high, 0 <= low < high <= {rate / 2:g} Hz, half the rate; got "
                         f"{low:g} to {high:g}")
    bins = torch.arange(n_fft // 2 + 1, dtype=torch.float64) * rate / n_fft
    ends = mel(torch.tensor([low, high], dtype=torch.float64))
    corners = hertz(torch.linspace(*ends.tolist(), n_mels + 2, dtype=torch.float64))[:, None]
    rising = (bins - corners[:-2]) / (corners[1:-1] - corners[:-2])
    falling = (corners[2:] - bins) / (corners[2:] - corners[1:-1])
    filters = torch.minimum(rising, falling).clamp_min(0)
    empty = (filters.sum(1) == 0).nonzero()[:, 0]
    if len(empty):
        raise ValueError(f"{n_mels} bands are too many for n_fft = {n_fft}: {len(empty)} hold no frequency of the "
                         f"spectrum, the first one is number {empty[0].item()}")
    return filters


class LogMel(nn.Module):
    """log(mel bands of the power spectrum + floor), from waveforms (N, T) to (N, n_mels, 1 + T // hop); differentiable.

    Frames of n_fft samples under a periodic Hann window, one every `hop`, the first around sample 0. The floor keeps
    the logarithm and its gradient finite in silence; a sound's features hang on no other in its batch.
    """

    def __init__(self, rate: int = 8_000, n_mels: int = 32, n_fft: int = 256, hop: int = 128, floor: float = 1e-3):
        super().__init__()
        self.rate, self.n_mels, self.n_fft, self.hop, self.floor = rate, n_mels, n_fft, hop, floor
        with torch.device("cpu"):  # whatever the device of the weights
            mel_filters(n_mels, n_fft, rate)  # says what is wrong here, not at the first sound

    def forward(self, x: Tensor) -> Tensor:
        if x.dim() != 2:
            raise ValueError(f"wanted waveforms of shape (N, T); got shape {tuple(x.shape)}")
        filters, window = _tools(self.n_mels, self.n_fft, self.rate, x.dtype, x.device)
        spectrum = torch.stft(x, self.n_fft, self.hop, window=window, pad_mode="constant", return_complex=True)
        energy = torch.view_as_real(spectrum).square().sum(3)
        return (filters @ energy + self.floor).log()


@lru_cache(maxsize=16)
def _tools(n_mels, n_fft, rate, dtype, device):
    """The filters and the window: no weights, so they are in no checkpoint."""
    with torch.inference_mode(False):
        return mel_filters(n_mels, n_fft, rate).to(device, dtype), torch.hann_window(n_fft, dtype=dtype, device=device)
