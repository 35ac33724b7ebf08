"""What several models make of one image."""

from collections.abc import Mapping, Sequence

import torch
from matplotlib.figure import Figure

from advcourse import plots
from advcourse.models.inference import Model


def opinions_figure(pictures: Mapping[str, torch.Tensor], models: Mapping[str, Model], classes: Sequence[str],
                    true: int, target: int) -> tuple[Figure, list[str]]:
    """Pictures side by side, and beside them what models make of the last one: the three likeliest classes of each.

    pictures: from a title to an image (C, H, W); models: from a title to a model; classes: their names;
    true, target: class numbers, drawn in blue and in orange. Returns the figure, and the class that each model names.
    """
    figure, axes = plots.grid(1, len(pictures) + len(models), width=2, height=2,
                              width_ratios=[1] * len(pictures) + [1.5] * len(models))
    for panel, (title, image) in zip(axes[0, :len(pictures)], pictures.items(), strict=True):
        plots.draw_image(panel, image, title)
    named = []
    for panel, (title, model) in zip(axes[0, len(pictures):], models.items(), strict=True):
        with torch.no_grad():
            likeliest = model(image[None])[0].softmax(0).topk(3)
        shown = likeliest.indices.tolist()
        places = [shown.index(label) if label in shown else None for label in (true, target)]
        plots.draw_probabilities(panel, likeliest.values, [classes[k] for k in shown], *places)
        panel.set_title(title, fontsize=8)
        panel.set_xlabel("")
        named.append(classes[shown[0]])
    return figure, named
