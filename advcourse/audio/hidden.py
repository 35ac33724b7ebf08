"""An attack below the threshold of hearing: as loud as the sound itself hides, and no louder."""

from functools import partial

import torch
from torch import Tensor

from advcourse.attacks import contract
from advcourse.attacks.contract import Model, attacking, check, fresh, input_gradient, labels_fit
from advcourse.attacks.losses import cross_entropy, fools
from advcourse.audio.hearing import masking_threshold, spectrum, waveform
from advcourse.audio.levels import own_samples
from advcourse.audio.noise import white

PROJECTIONS = 3  # of each step: what is cut in one frame comes back through its neighbours


def hidden(model: Model, x: Tensor, y: Tensor, *, rate: int, offset: float = 0.0, lengths: Tensor | None = None,
           steps: int = 80, step_size: float = 0.15, targeted: bool = False) -> Tensor:
    """Gradient steps whose spectrum is everywhere as large as the masking threshold, cut back to it after each.

        D = STFT(∇J),   δ ← P(δ ± step_size · ISTFT(D / |D| · M)),    P: |STFT(δ)| <= M, where x is its own, x + δ valid

    M: the amplitudes of `masking_threshold` plus `offset` dB. P is made of three alternating projections: a spectrum
    that is cut in every bin is that of no waveform, so that a few bins stay above by a little.
    model: from waveforms in [-1, 1], shape (N, T), to logits (N, K). x: such waveforms. y: their labels, shape (N,),
    int64; with targeted=True the labels to reach. rate: samples a second.
    offset: in dB, above or below the threshold. lengths: own samples of each, shape (N,): none after them changes.
    steps: at least 1. step_size: a share of M, above 0.
    Returns x_adv, detached, in [-1, 1]: the first success of each, else the last iterate. (To go on would fill all of
    M.)
    Raises ValueError where an argument is not as said here, or y does not fit the logits, or these carry no gradient.
    Cost: steps forward and backward passes, 1 forward pass more.

    After Qin et al., "Imperceptible, robust, and targeted adversarial examples for automatic speech recognition", ICML
    2019, section 4: they weigh a hinge on the spectrum against the loss; here it is a bound.
    """
    box = check(x, y, low=-1, high=1, steps=steps)
    contract.check_positive(step_size=step_size, rate=rate)
    x, y = fresh(x), fresh(y)
    if not len(x):
        return x
    own, most = own_samples(x, lengths), hidden_amplitude(x, rate, offset)
    sign = -1 if targeted else 1
    x_adv, open_ = x.clone(), torch.ones_like(y, dtype=torch.bool)
    with attacking(model) as ask:
        for step in range(steps + 1):
            rows = open_.nonzero()[:, 0]
            logits, _, gradient = input_gradient(ask, x_adv[rows], partial(_loss, y=y[rows]))
            open_[rows] = ~fools(logits, y[rows], targeted)
            if step == steps or not open_.any():
                break
            still = open_[rows]
            rows, gradient = rows[still], gradient[still] * own[rows][still]
            bins = spectrum(gradient)
            bins = bins / bins.abs().clamp_min(torch.finfo(x.dtype).tiny) * most[rows]
            delta = x_adv[rows] - x[rows] + sign * step_size * waveform(bins, x.shape[1])
            x_adv[rows] = _below(delta, most[rows], x[rows], own[rows], box)
    return x_adv


def noise_below(x: Tensor, *, rate: int, offset: float = 0.0, lengths: Tensor | None = None,
                generator: torch.Generator | None = None) -> Tensor:
    """x plus noise whose spectrum is everywhere as large as the masking threshold: the control for `hidden`.

    x, rate, offset, lengths: as there. generator: on x's device; None: torch's global one. Returns (N, T) in [-1, 1].
    """
    most, box = hidden_amplitude(x, rate, offset), contract.box_of(-1, 1, x.dtype)
    bins = spectrum(white(x, generator))
    bins = bins / bins.abs().clamp_min(torch.finfo(x.dtype).tiny) * most
    return _below(waveform(bins, x.shape[1]), most, x, own_samples(x, lengths), box)


def hidden_amplitude(x: Tensor, rate: int, offset: float) -> Tensor:
    """How large |STFT| of a change may be: the masking threshold of x plus `offset` dB, (N, 257, frames)."""
    threshold, shift = masking_threshold(x, rate)
    return 10 ** ((threshold + offset - shift) / 20) * (512 / (8 / 3) ** 0.5)


def _loss(logits, y):
    labels_fit(logits, y)
    return cross_entropy(logits, y)


def _below(delta, most, x, own, box):
    """x plus the change, that is cut back to |STFT| <= most, to own samples and to the box, three times in turn."""
    for _ in range(PROJECTIONS):
        bins = spectrum(delta)
        bins = bins * (most / bins.abs().clamp_min(torch.finfo(delta.dtype).tiny)).clamp_max(1)
        x_adv = (x + waveform(bins, delta.shape[1]) * own).clamp(*box)
        delta = x_adv - x
    return x_adv
