"""The course's pictures: one look, safe for colour-blind readers, every figure with alt text."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

if TYPE_CHECKING:
    import numpy as np
    import torch

# Okabe and Ito (2008): eight colours that people with any kind of colour vision can tell apart.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442")
SHARP, PRINTED = 130, 80  # dots per inch: on high-resolution screens, and where a picture should take little room
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")

# The data set's name, added to every title by `show`: nobody should have to ask what a figure was made on.
data_name = ""


def show(figure: Figure, title: str, alt: str, on: str | None = None) -> None:
    """Display a matplotlib figure under `title`, with `alt` for readers who cannot see it.

    Pages show it as HTML, for the alt text; a PDF, which has no HTML, as the coarser image beside it.
    on: what the figure was made on, where that is not the notebook's data set.
    """
    from IPython.display import display

    shown = {"text/html": picture(figure, title, alt, on), "text/plain": f"[figure: {title}. {alt}]",
             "image/png": base64.b64encode(png(figure, PRINTED, colours=32)).decode()}
    display(shown, metadata={"image/png": {"alt": alt}}, raw=True)


def picture(figure: Figure, title: str, alt: str, on: str | None = None) -> str:
    """The figure as an HTML image with alt text.

    It stands in the page itself, so that it goes wherever the notebook goes.
    """
    figure.suptitle(" · ".join(part for part in (title, on or data_name) if part), fontsize=11)
    source = base64.b64encode(png(figure)).decode()
    return (f'<img alt="{html.escape(alt)}" width="{round(figure.get_figwidth() * 90)}" style="max-width:100%" '
            f'src="data:image/png;base64,{source}">')


def png(figure: Figure, dpi: int = SHARP, colours: int = 64) -> bytes:
    """The figure as PNG bytes, at `dpi` dots per inch and of few `colours`, so that a notebook stays small."""
    plain, small, palette = io.BytesIO(), io.BytesIO(), Image.new("P", (1, 1))
    figure.savefig(plain, dpi=dpi, facecolor="white")
    plt.close(figure)
    image = Image.open(plain).convert("RGB")
    # Half as many greys, or a grey image beside a coloured one would be tinted; and the figure's own colours.
    greys = [(level * 255 // (colours // 2 - 1),) * 3 for level in range(colours // 2)]
    found = image.quantize(colours, method=Image.Quantize.MAXCOVERAGE).getpalette()
    own = [colour for colour in zip(found[::3], found[1::3], found[2::3], strict=True) if max(colour) - min(colour) > 8]
    palette.putpalette([channel for colour in greys + own for channel in colour])
    image.quantize(palette=palette, dither=Image.Dither.NONE).save(small, format="PNG", dpi=(dpi, dpi), optimize=True)
    return small.getvalue()


def grid(rows: int, columns: int, width: float = 1.3, height: float = 1.3, **options: Any) -> tuple[Figure, np.ndarray]:
    """A figure and its (rows, columns) array of axes, each about `width` by `height` inches."""
    return plt.subplots(rows, columns, figsize=(width * columns, height * rows + 0.3), layout="constrained",
                        squeeze=False, **options)


def draw_image(axes: Axes, image: torch.Tensor, title: str = "", signed: bool = False) -> None:
    """Draw one image, (C, H, W) in [0, 1], on `axes` under `title`.

    signed: it is a perturbation: blue makes darker, red lighter.
    """
    image = image.detach().cpu().numpy()
    if signed:
        largest = max(abs(image).max(), 1e-12)
        axes.imshow(image.mean(0), cmap="RdBu_r", vmin=-largest, vmax=largest)
    elif len(image) == 1:
        axes.imshow(image[0], cmap="gray", vmin=0, vmax=1)
    else:
        axes.imshow(image.transpose(1, 2, 0))
    axes.set_title(title, fontsize=8)
    axes.set_axis_off()


def images(rows: Any, titles: Any = None, row_names: Sequence[str] | None = None,
           signed: Sequence[int] = ()) -> Figure:
    """A figure with one row of images per entry of `rows`.

    rows: list of tensors (N, C, H, W); titles: one list of N strings per row; row_names: one string per row;
    signed: the numbers of the rows that hold perturbations.
    """
    figure, axes = grid(len(rows), max(len(row) for row in rows), height=1.5)
    for r, row in enumerate(rows):
        for c, image in enumerate(row):
            draw_image(axes[r, c], image, titles[r][c] if titles else "", signed=r in signed)
        for empty in axes[r, len(row):]:
            empty.set_axis_off()
        if row_names:
            axes[r, 0].text(-0.15, 0.5, row_names[r], transform=axes[r, 0].transAxes, rotation=90, ha="right",
                            va="center", fontsize=8)
    return figure


def curves(x: Any, lines: Mapping[str, Any], xlabel: str, ylabel: str,
           axes: Axes | None = None, **options: Any) -> Figure:
    """Lines over a common x with a legend; `lines` maps each name to its values. Returns the figure.

    xlabel, ylabel: of the axes, with units. axes: to draw on, by default those of a new figure.
    options: passed on to `axes.set` (limits, scales, a title).
    """
    if axes is None:
        axes = plt.subplots(figsize=(6, 3.3), layout="constrained")[1]
    for (name, values), colour, marker in zip(lines.items(), COLOURS, MARKERS, strict=False):
        axes.plot(x, values, color=colour, marker=marker if len(x) < 20 else None, markersize=4, label=name)
    axes.set(xlabel=xlabel, ylabel=ylabel, **options)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    if len(lines) > 1:
        beside = {"loc": "center left", "bbox_to_anchor": (1, 0.5)} if len(lines) > 3 else {}
        axes.legend(fontsize=8, frameon=False, **beside)
    return axes.figure


def bars(values: Mapping[str, float], xlabel: str) -> Figure:
    """A figure of horizontal bars of shares in [0, 1], in percent, the first on top; `values` maps names to shares."""
    figure, axes = grid(1, 1, width=6, height=0.5 + 0.3 * len(values))
    drawn = axes[0, 0].barh(list(values), [100 * float(value) for value in values.values()], color=COLOURS[0])
    axes[0, 0].bar_label(drawn, fmt="%.1f", padding=2, fontsize=8)
    axes[0, 0].invert_yaxis()
    axes[0, 0].set(xlabel=f"{xlabel} in %")
    axes[0, 0].spines[["top", "right"]].set_visible(False)
    return figure


def matrix(values: Any, rows: Sequence[str], columns: Sequence[str], xlabel: str, ylabel: str) -> Figure:
    """A figure of a table of shares in [0, 1]: a cell's colour and its text say how large. Returns the figure.

    values: one list per row; rows, columns: their names; xlabel, ylabel: what these are.
    """
    figure, axes = grid(1, 1, width=1.6 + 0.85 * len(columns), height=0.9 + 0.4 * len(rows))
    panel = axes[0, 0]
    panel.imshow(values, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for r, row in enumerate(values):
        for c, value in enumerate(row):
            panel.text(c, r, f"{value:.0%}", ha="center", va="center", fontsize=8,
                       color="white" if value > 0.6 else "black")
    panel.set(xticks=range(len(columns)), yticks=range(len(rows)), xlabel=xlabel, ylabel=ylabel)
    panel.set_xticklabels(columns, fontsize=8)
    panel.set_yticklabels(rows, fontsize=8)
    return figure


def matrices(tables: Sequence[Mapping], names: Sequence[str], columns: Sequence[str] | None = None,
             spread: Mapping | None = None, xlabel: str = "", ylabel: str = "") -> Figure:
    """A figure of several tables of shares in [0, 1], side by side and in rows, in percent. Returns the figure.

    tables: a list of rows of the figure, each a dict from a title to (R, C) values; names: of the tables' rows;
    columns: of their columns, the same by default. spread: from a title to how far values scatter, (R, C), written
    small behind them. nan is a dash.
    """
    columns = names if columns is None else columns
    figure, axes = grid(len(tables), max(map(len, tables)), width=0.75 + 0.46 * len(columns),
                        height=0.6 + 0.3 * len(names))
    blues = plt.get_cmap("Blues", 20)  # few enough that a picture of 64 colours keeps them all
    for panels, row in zip(axes, tables, strict=True):
        for panel, (title, values) in zip(panels, row.items(), strict=False):
            panel.imshow(values, cmap=blues, vmin=0, vmax=1, aspect="auto")
            for r, line in enumerate(values):
                for c, value in enumerate(line):
                    text = f"{100 * value:.0f}" if value == value else "–"
                    if spread and title in spread:
                        text += f"$_{{±{100 * spread[title][r][c]:.0f}}}$"
                    panel.text(c, r, text, ha="center", va="center", fontsize=8,
                               color="white" if value > 0.65 else "black")
            panel.set(xticks=range(len(columns)), yticks=range(len(names)), xlabel=xlabel, ylabel=ylabel)
            panel.set_xticklabels(columns, fontsize=8)
            panel.set_yticklabels(names, fontsize=8)
            panel.set_title(title, fontsize=9)
        for empty in panels[len(row):]:
            empty.set_axis_off()
    return figure


def draw_probabilities(axes: Axes, probabilities: torch.Tensor, classes: Sequence[str], true: int | None = None,
                       target: int | None = None) -> None:
    """A bar per class on `axes`: the true class in blue, the target in orange, the rest grey.

    probabilities: shape (K,); classes: their K names; true, target: class numbers, None where there is none.
    """
    colours = ["#999999"] * len(classes)
    if target is not None:
        colours[target] = COLOURS[1]
    if true is not None:
        colours[true] = COLOURS[0]
    axes.bar(range(len(classes)), probabilities.tolist(), color=colours)
    axes.set(xticks=range(len(classes)), ylim=(0, 1), ylabel="probability", xlabel="class")
    axes.set_xticklabels(classes, fontsize=8, rotation=0 if max(map(len, classes)) < 3 else 45)
    axes.spines[["top", "right"]].set_visible(False)
