"""An image, a perturbation of it, and what a model makes of their sum."""

from collections.abc import Mapping, Sequence

import torch
from matplotlib.figure import Figure

from advcourse import plots
from advcourse.models.inference import Model
from advcourse.widgets.controls import choice, explore, slider


def perturbation(model: Model, x: torch.Tensor, directions: Mapping[str, torch.Tensor], classes: Sequence[str], *,
                 eps: float = 0.1, largest: float = 0.3, live: bool = True) -> None:
    """Move an image along a direction and watch what the model makes of it.

    x: images (N, C, H, W) in [0, 1]; directions: from a name to a tensor of the shape of x with entries in [-1, 1];
    classes: the names of the classes; eps: where the slider starts; largest: where it ends.
    live: show sliders; otherwise pictures of the first image along the first three directions at `eps`.
    """
    def figure(index, eps, name):
        return perturbation_figure(model, x[index], directions[name][index], eps, name, classes)

    controls = {"index": slider("image", 0, len(x) - 1, 0), "eps": slider("ε", 0.0, largest, eps, step=0.01),
                "name": choice("direction", directions)}
    explore(figure, controls, static=[{"name": name} for name in list(directions)[:3]], live=live)


def perturbation_figure(model: Model, image: torch.Tensor, direction: torch.Tensor, eps: float, name: str,
                        classes: Sequence[str]) -> tuple[Figure, str, str]:
    """The figure of `perturbation` with its title and alt text: image, what was added, the sum, the probabilities."""
    x_p = (image + eps * direction).clamp(0, 1)
    with torch.no_grad():
        before, after = model(torch.stack([image, x_p])).softmax(1)
    figure, axes = plots.grid(1, 4, width=2, height=2, width_ratios=[1, 1, 1, 2])
    plots.draw_image(axes[0, 0], image, f"the image: {classes[before.argmax()]} ({before.max():.0%})")
    plots.draw_image(axes[0, 1], x_p - image, f"what is added (× {1 / max(eps, 0.01):.0f})", signed=True)
    plots.draw_image(axes[0, 2], x_p, f"the sum: {classes[after.argmax()]} ({after.max():.0%})")
    plots.draw_probabilities(axes[0, 3], after, classes, true=before.argmax().item())
    title = f"ε = {eps:.2f}, {name}"
    alt = (f"An image, a perturbation ({name}) of at most {eps:.2f} per pixel, and their sum. The model reads the "
           f"image as {classes[before.argmax()]} ({before.max():.0%}) and the sum as {classes[after.argmax()]} "
           f"({after.max():.0%}).")
    return figure, title, alt
