"""Spectrograms: frequency over time, the power in dB as colour, on one scale for all that are compared."""

import matplotlib.pyplot as plt
import torch
from matplotlib.figure import Figure
from torch import Tensor

LOUDEST, SOFTEST = 30.0, -50.0  # dB of the colours' ends


def power_db(x: Tensor) -> Tensor:
    """The power spectrogram of one waveform, (T,), in dB: (129, frames)."""
    spectrum = torch.stft(x.detach().cpu(), 256, 64, window=torch.hann_window(256), return_complex=True)
    return 20 * spectrum.abs().clamp_min(1e-10).log10()


def spectrograms(waves: dict[str, Tensor], rate: int) -> Figure:
    """A figure of one spectrogram for each waveform, (T,), by its title, side by side, all on the same scale of dB."""
    figure, axes = plt.subplots(1, len(waves), figsize=(2.6 * len(waves) + 0.8, 2.6), layout="constrained",
                                squeeze=False, sharey=True)
    for number, (ax, (title, x)) in enumerate(zip(axes[0], waves.items(), strict=True)):
        image = ax.imshow(power_db(x).numpy(), origin="lower", aspect="auto", cmap="viridis", vmin=SOFTEST,
                          vmax=LOUDEST, extent=(0, len(x) / rate, 0, rate / 2000))
        ax.set(title=title, xlabel="time in s", ylabel="" if number else "frequency in kHz")
    figure.colorbar(image, ax=axes, label="power in dB")
    return figure
