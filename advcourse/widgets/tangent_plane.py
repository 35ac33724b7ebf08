"""A way through images, and the straight line that touches it."""

from collections.abc import Sequence

import torch
from matplotlib.figure import Figure

from advcourse import plots


def tangent_plane_figure(orbit: torch.Tensor, plane: torch.Tensor, other: torch.Tensor, steps: Sequence[float], at: int,
                         unit: str) -> tuple[Figure, str]:
    """The figure of an image on its orbit, of the point of the tangent plane that goes with it, and their distances.

    orbit: an image under transformations of growing size, (S, C, H, W); plane: the points of its tangent plane for the
    same sizes; other: the image to which distances are measured, (C, H, W); steps: the S sizes, in `unit`; at: which of
    them is shown. Returns the figure and its alt text.
    """
    lines = {name: (images - other).flatten(1).norm(dim=1).tolist() for name, images in (
        ("on the orbit", orbit), ("on the plane", plane))}
    apart = (orbit[at] - plane[at]).norm().item()
    figure, axes = plots.grid(1, 4, width=1.7, height=2, width_ratios=[1, 1, 1, 2])
    plots.draw_image(axes[0, 0], orbit[at], "on the orbit")
    plots.draw_image(axes[0, 1], plane[at].clamp(0, 1), "on the tangent plane")
    plots.draw_image(axes[0, 2], other, "the other image")
    plots.curves(steps, lines, unit, "‖image − other‖₂", axes=axes[0, 3], ylim=(0, None))
    axes[0, 3].axvline(steps[at], color="black", linestyle="dotted", linewidth=1)
    alt = (f"An image at {steps[at]:+g} {unit}: on its orbit, and on its tangent plane, {apart:.1f} from there. To the "
           f"other image it is {lines['on the orbit'][at]:.1f} from the first and {lines['on the plane'][at]:.1f} from "
           "the second; curves show both for all sizes.")
    return figure, alt
