"""The map of the course: its parts, their notebooks, and which of them can be opened today."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING

from advcourse.files import PACKAGE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# The register of the course. Every planned notebook, in order; a part is a question that its notebooks answer.
PARTS = {
    "Start": {"00": "welcome"},
    "How are models fooled?": {
        "01": "adversarial examples",
        "02": "threat models",
        "03": "gradient attacks",
        "04": "optimisation attacks",
        "05": "sparse and black-box attacks",
        "06": "universal and physical attacks",
        "07": "face de-identification",
    },
    "How are they defended,\nand is it true?": {
        "08": "transferability",
        "09": "adversarial training",
        "10": "honest evaluation",
    },
    "What do we know\nabout inputs?": {
        "11": "augmentation",
        "12": "invariances",
        "13": "spam arms race",
        "14": "audio attacks",
    },
}

# Those whose exercises are there can be opened: so it holds for an installed package, too, which has no masters.
WRITTEN = tuple(number for notebooks in PARTS.values() for number in notebooks
                if any((PACKAGE / "exercises" / f"notebook_{number}").glob("*.*")))


def alt() -> str:
    """What the map shows, in words, for who cannot see it."""
    rows = [f"{' '.join(part.split())} " + ", ".join(f"{number} {title}" for number, title in notebooks.items())
            for part, notebooks in PARTS.items()]
    return (f"A map of the course, a row of boxes for each part, a box for each notebook. {'. '.join(rows)}. "
            f"There today: {', '.join(WRITTEN)}.")


def draw() -> Figure:
    """The map as a figure: one row per part, one box per notebook; those still to come are pale."""
    from advcourse import plots

    figure, axes = plots.grid(1, 1, width=10, height=0.85 * len(PARTS))
    panel = axes[0, 0]
    for row, (part, notebooks) in enumerate(PARTS.items()):
        panel.text(-0.1, -row, part, ha="right", va="center", fontsize=8)
        for column, (number, title) in enumerate(notebooks.items()):
            colour = plots.COLOURS[0] if number in WRITTEN else "#999999"
            panel.text(column + 0.45, -row, f"{number}\n{fill(title, 12, break_long_words=False)}", ha="center",
                       va="center", fontsize=7.5, color=colour,
                       bbox={"boxstyle": "round,pad=0.4", "facecolor": "white", "edgecolor": colour})
    panel.set(xlim=(-1.7, 7), ylim=(-len(PARTS) + 0.4, 0.5))
    panel.set_axis_off()
    return figure
