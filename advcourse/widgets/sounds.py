"""A sound, an attack on it at a level of one's choice, and what a model hears: to be seen and to be played."""

from collections.abc import Mapping, Sequence

import torch
from matplotlib.figure import Figure
from torch import Tensor

from advcourse import plots
from advcourse.audio.hearing import masking_threshold, share_above
from advcourse.audio.levels import segmental_snr
from advcourse.audio.pictures import LOUDEST, SOFTEST, power_db
from advcourse.audio.players import one_after_another, player
from advcourse.models.inference import Model
from advcourse.widgets.controls import choice, explore, slider


def loudness(model: Model, x: Tensor, directions: Mapping[str, Tensor], classes: Sequence[str], *, rate: int,
             db: int = -40, live: bool = True) -> None:
    """Turn a change of a sound up and down and watch what the model hears; live there is a player, too.

    x: waveforms (N, T) in [-1, 1]. directions: from a name to changes of the shape of x, of any size: at a level of db
    they are scaled so that max |δ| = 10^(db / 20) max |x|. classes: the names of the classes. rate: samples a second.
    db: where the slider starts. live: show sliders; otherwise the first sound at two levels.
    """
    def scaled(index, db, name):
        return turned_to(x[index], directions[name][index], db)

    def figure(index, db, name):
        return loudness_figure(model, x[index], scaled(index, db, name), db, name, classes, rate)

    def sound(index, db, name):
        return player(one_after_another(x[index], scaled(index, db, name), rate=rate), rate,
                      f"the recording, then the recording with {name} at {db} dB")

    controls = {"index": slider("recording", 0, len(x) - 1, 0), "db": slider("level in dB", -60, -10, db),
                "name": choice("change", directions)}
    explore(figure, controls, static=[{}, {"name": list(directions)[-1]}], live=live, below=sound)


def turned_to(x: Tensor, delta: Tensor, db: float) -> Tensor:
    """One waveform, (T,), plus the change at this level, in [-1, 1]."""
    size = 10 ** (db / 20) * x.abs().max() / delta.abs().max().clamp_min(1e-12)
    return (x + size * delta).clamp(-1, 1)


def loudness_figure(model: Model, x: Tensor, x_adv: Tensor, db: float, name: str, classes: Sequence[str],
                    rate: int) -> tuple[Figure, str, str]:
    """The figure of `loudness` with its title and alt text: two spectrograms, the probabilities, two measures."""
    with torch.no_grad():
        before, after = model(torch.stack([x, x_adv])).softmax(1).cpu()
    threshold, shift = masking_threshold(x[None], rate)
    above = share_above((x_adv - x)[None], threshold, shift, x[None]).item()
    snr = segmental_snr(x[None], x_adv[None]).item()
    figure, axes = plots.grid(1, 3, width=2.7, height=2.2, width_ratios=[1, 1, 1.1])
    for ax, wave, heard in zip(axes[0], (x, x_adv), (before, after), strict=False):
        ax.imshow(power_db(wave).numpy(), origin="lower", aspect="auto", cmap="viridis", vmin=SOFTEST, vmax=LOUDEST,
                  extent=(0, len(wave) / rate, 0, rate / 2000))
        ax.set(xlabel="time in s", ylabel="frequency in kHz")
        ax.set_title(f"heard as {classes[heard.argmax()]} ({heard.max():.0%})", fontsize=9)
    plots.draw_probabilities(axes[0, 2], after, classes, true=before.argmax().item())
    alt = (f"Spectrograms of a recording, which the model hears as {classes[before.argmax()]} ({before.max():.0%}), "
           f"and of its sum with {name} at {db:g} dB, which it hears as {classes[after.argmax()]} ({after.max():.0%}). "
           f"Segmental SNR {snr:.0f} dB; {above:.0%} of the frequency bins lie above the masking threshold.")
    return figure, f"{name} at {db:g} dB: segmental SNR {snr:.0f} dB, {above:.0%} of bins stick out", alt
