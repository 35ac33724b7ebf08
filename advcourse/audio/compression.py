"""What a coder throws away: bits, loud steps (μ-law), weak frequencies (MDCT). As a defence, and how it is attacked.

Each takes waveforms (N, T) in [-1, 1] and returns such. Rounding has a gradient of 0 everywhere: behind it an attacker
sees none, which is no robustness. `straight_through` gives the rounding the gradient of the identity.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from advcourse.attacks.contract import Model

MU = 255


def straight_through(coder: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """coder(x), with the gradient of x: the backward pass takes the coder for the identity (BPDA).

    Athalye, Carlini, Wagner, "Obfuscated gradients give a false sense of security", ICML 2018, section 4.1.
    """
    with torch.no_grad():
        coded = coder(x)
    return x + (coded - x).detach()


class Coded(nn.Module):
    """The model behind a coder: model(coder(x)).

    known: the attacker knows of the coder: its gradient is that of the identity, in place of none.
    """

    def __init__(self, model: Model, coder: Callable[[Tensor], Tensor], known: bool = False):
        super().__init__()
        self.model, self.coder, self.known = model, coder, known

    def forward(self, x: Tensor) -> Tensor:
        return self.model(straight_through(self.coder, x) if self.known else self.coder(x))


def fewer_bits(x: Tensor, bits: int) -> Tensor:
    """Each sample rounded to one of 2^bits − 1 even steps from −1 to 1: silence stays silence."""
    if isinstance(bits, bool) or not isinstance(bits, int) or not 2 <= bits <= 16:
        raise ValueError(f"bits must be an integer from 2 to 16; got {bits!r}")
    steps = 2 ** (bits - 1) - 1
    return (x * steps).round() / steps


def mu_law(x: Tensor) -> Tensor:
    """Telephone coding in 8 bits: fine steps for soft samples, coarse ones for loud ones; the round trip."""
    return from_mu_law(to_mu_law(x))


def to_mu_law(x: Tensor) -> Tensor:
    """Codes, int64 from −127 to 127: 127 sign(x) log(1 + μ |x|) / log(1 + μ), rounded; μ = 255, 0 for silence."""
    return (127 * x.sign() * (MU * x.abs()).log1p() / math.log1p(MU)).round().long()


def from_mu_law(codes: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """The way back: sign(c) ((1 + μ)^(|c| / 127) − 1) / μ."""
    codes = codes.to(dtype)
    return codes.sign() * ((codes.abs() / 127 * math.log1p(MU)).expm1() / MU)


def mdct_quantised(x: Tensor, drop_db: float = 12.0, lines: int = 256, band: int = 16) -> Tensor:
    """Each frame's MDCT rounded, in every band of `band` lines to steps of its root mean square, drop_db lower.

    The heart of MP3 and its kin, without what surrounds it: no change of windows, no model of hearing, no code.
    """
    lines_of = mdct(x, lines)
    grouped = lines_of.unflatten(2, (-1, band))
    step = grouped.square().mean(3, keepdim=True).sqrt() * 10 ** (-drop_db / 20)
    rounded = (grouped / step.clamp_min(1e-12)).round() * step
    return inverse_mdct(rounded.flatten(2), x.shape[1]).clamp(-1, 1)


def mdct(x: Tensor, lines: int = 256) -> Tensor:
    """The modified discrete cosine transform of x, (N, T), under a sine window: (N, frames, lines).

        X_k = Σ_{n=0}^{2L−1} w_n x_n cos(π/L (n + 1/2 + L/2) (k + 1/2)),   w_n = sin(π (n + 1/2) / 2L);  L lines
    """
    short = -x.shape[1] % lines
    padded = nn.functional.pad(x, (lines, lines + short))
    return padded.unfold(1, 2 * lines, lines) @ _basis(lines, x)


def inverse_mdct(spectrum: Tensor, length: int) -> Tensor:
    """The way back, (N, length): each frame comes out mirrored into itself; its neighbours cancel that."""
    lines = spectrum.shape[2]
    frames = spectrum @ _basis(lines, spectrum).T * (2 / lines)
    first, second = frames[:, :, :lines], frames[:, :, lines:]
    return (second[:, :-1] + first[:, 1:]).flatten(1)[:, :length]


def _basis(lines, like):
    """Window times cosines, (2L, L), computed in float64: in float32 the arguments lose the fourth digit."""
    n, k = torch.arange(2 * lines, dtype=torch.float64), torch.arange(lines, dtype=torch.float64)
    window = (math.pi / (2 * lines) * (n + 0.5)).sin()
    return (window[:, None] * (math.pi / lines * (n[:, None] + 0.5 + lines / 2) * (k + 0.5)).cos()).to(like)
