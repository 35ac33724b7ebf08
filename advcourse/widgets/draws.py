"""What several models make of one image that is changed at random, again and again."""

from collections.abc import Mapping, Sequence

import torch
from matplotlib.figure import Figure

from advcourse import plots
from advcourse.models.inference import Model, predict


def draws_figure(image: torch.Tensor, draws: torch.Tensor, models: Mapping[str, Model], classes: Sequence[str],
                 true: int) -> tuple[Figure, str]:
    """An image, the first of many random changes of it, and how the models read that one and all of them.

    image: (C, H, W); draws: (n, C, H, W), changed versions of it; models: from a title to a model; classes: their
    names; true: the image's class, a number.
    Returns the figure and its alt text, which says how many of the draws each model reads right.
    """
    figure, axes = plots.grid(1, 2 + len(models), width=2, height=2, width_ratios=[1, 1] + [1.6] * len(models))
    plots.draw_image(axes[0, 0], image, "the image")
    plots.draw_image(axes[0, 1], draws[0], "one of the draws")
    said = []
    for panel, (title, model) in zip(axes[0, 2:], models.items(), strict=True):
        logits = predict(model, draws)
        right = (logits.argmax(1) == true).double().mean().item()
        plots.draw_probabilities(panel, logits[0].softmax(0).cpu(), classes, true)
        panel.set_title(f"{title}:\n{right:.0%} of {len(draws)} right", fontsize=8)
        panel.set_xlabel("")
        said.append(f"{title} {right:.0%}")
    alt = (f"An image of class {classes[true]}, one random change of it, and for each network the probabilities that "
           f"it gives there. Of {len(draws)} draws are read right: {', '.join(said)}.")
    return figure, alt
