"""From a waveform to a file, to a page, and back: 16 bits, and nothing turned up, down or round on the way.

A player that normalises makes all levels sound alike; a conversion that does not look wraps what is above 1 to below
−1. So these refuse what does not fit.
"""

import base64
import html
import io
import wave
from pathlib import Path

import torch
from torch import Tensor

from advcourse import files
from advcourse.data.sounds import wave_from

LONGEST = 2.5  # seconds of a player
LARGEST = 60_000  # characters of a player: a notebook has room for six of them beside its pictures


def to_int16(x: Tensor) -> Tensor:
    """Samples as a wave file holds them: 32,768 x, rounded, at most 32,767; int16, of x's shape.

    Raises ValueError for values outside [-1, 1] and for integers: scaled once more they would all be at the rails.
    """
    if not x.is_floating_point():
        raise ValueError(f"x must hold floating-point samples in [-1, 1]; got {x.dtype}")
    if x.numel() and not x.abs().max() <= 1:  # also true of nan
        raise ValueError(f"x must lie in [-1, 1]: the rest would wrap or be clipped; got values from {x.min():.3g} to "
                         f"{x.max():.3g}")
    return (x.detach().cpu().double() * 2**15).round().clamp(max=2**15 - 1).to(torch.int16)


def as_saved(x: Tensor) -> Tensor:
    """x after its way through a wave file: what an attack must survive to be one. Of x's dtype and device."""
    return (to_int16(x).double() / 2**15).to(x)


def wave_bytes(x: Tensor, rate: int) -> bytes:
    """One waveform, (T,) in [-1, 1], as a wave file: mono, 16 bits."""
    if x.dim() != 1:
        raise ValueError(f"wanted one waveform of shape (T,); got shape {tuple(x.shape)}")
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(to_int16(x).numpy().astype("<i2").tobytes())
    return content.getvalue()


def save(path: str | Path, x: Tensor, rate: int) -> None:
    """Write one waveform, (T,) in [-1, 1], as a wave file; whole or not at all."""
    files.write(Path(path), wave_bytes(x, rate))


def load(path: str | Path, rate: int) -> Tensor:
    """A mono wave file of 16 bits and of this rate, (T,) float32; DataError for any other: nothing is resampled."""
    return torch.from_numpy(wave_from(Path(path).read_bytes(), str(path), rate))


def player(x: Tensor, rate: int, label: str) -> str:
    """HTML that plays one waveform, (T,) in [-1, 1], as loud as it is; label: what it says to screen readers and below.

    The sound is in the page itself. Raises ValueError where it is longer than LONGEST or larger than LARGEST: cut it.
    """
    seconds = len(x) / rate
    source = base64.b64encode(wave_bytes(x, rate)).decode()
    if seconds > LONGEST or len(source) > LARGEST:
        raise ValueError(f"a player holds at most {LONGEST:g} s and {LARGEST:,} characters; got {seconds:.3g} s and "
                         f"{len(source):,}")
    label = html.escape(label)
    return (f'<figure style="margin:.3em 0"><audio controls aria-label="{label}" '
            f'src="data:audio/wav;base64,{source}"></audio><figcaption>{label}</figcaption></figure>')


def one_after_another(*waves: Tensor, rate: int, gap: float = 0.25) -> Tensor:
    """Waveforms, (T_i,), in one, with so many seconds of silence between them: what is to be compared in one player."""
    silence = torch.zeros(round(gap * rate))
    parts = [part for x in waves for part in (x.detach().cpu(), silence)]
    return torch.cat(parts[:-1])


def play(*waves: Tensor, rate: int, label: str) -> None:
    """Display a player of waveforms, (T_i,), one after the other, as loud as they are; raises as `player` does."""
    from IPython.display import display

    html_player = player(one_after_another(*waves, rate=rate), rate, label)
    display({"text/html": html_player, "text/plain": f"a player: {label}"}, raw=True)
