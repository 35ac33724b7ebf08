"""An attack's walk over the landscape of the loss."""

from collections.abc import Sequence

import torch
from matplotlib.figure import Figure

from advcourse import plots
from advcourse.models.inference import Model


def walk_figure(model: Model, path: torch.Tensor | tuple[torch.Tensor, torch.Tensor], y: int, eps: float,
                classes: Sequence[str]) -> tuple[Figure, str]:
    """The figure of an attack's walk on one image, with its alt text.

    It shows the loss on a plane, the loss along the walk, and where it ended.

    path: the iterates of a walk that goes up the loss, (steps + 1, C, H, W); x, its centre, is path[0] unless the walk
    started at random: then give (x, path). y: the image's class, a number; eps: the radius of the ball, in which every
    pixel may move by eps. The plane holds x, the image after one step of size eps along the sign of the gradient, and
    the last iterate; the rest is projected.
    """
    x, path = path if isinstance(path, tuple) else (path[0], path)
    one_step, along, across = _plane(model, x, path[-1], y, eps)
    places = [((path - x).flatten(1) @ axis.flatten() / axis.square().sum().clamp_min(1e-12)).cpu()
              for axis in (along, across)]
    reach = 1.15 * max(eps, places[1].abs().max().item())
    a, b = torch.linspace(-0.3 * eps, 1.15 * eps, 25), torch.linspace(-reach / 3, reach, 25)
    plane = x + a.to(x).view(1, -1, 1, 1, 1) * along + b.to(x).view(-1, 1, 1, 1, 1) * across
    loss, margin, _ = _loss_and_margin(model, plane.flatten(0, 1).clamp(0, 1), y)
    losses, margins, read = _loss_and_margin(model, path, y)
    step_loss = _loss_and_margin(model, one_step[None], y)[0].item()

    figure, axes = plots.grid(1, 3, width=3, height=2.5, width_ratios=[1.35, 1.15, 0.8])
    height = axes[0, 0].contourf(a, b, loss.view(25, 25).cpu(), levels=12, cmap="cividis")
    figure.colorbar(height, ax=axes[0, 0], label="loss", format="%.2g")
    axes[0, 0].contour(a, b, margin.view(25, 25).cpu(), levels=[0], colors="white", linestyles="dashed")
    axes[0, 0].plot(*places, color=plots.COLOURS[1], marker="o", markersize=3, linewidth=1)
    axes[0, 0].plot([eps], [0], color="white", marker="X", markersize=8, markeredgecolor="black")
    axes[0, 0].set(xlabel="along the gradient's sign", ylabel="across")
    axes[0, 0].set_title("the loss from above", fontsize=8)
    plots.curves(range(len(path)), {"walk": losses.tolist()}, "step", "loss", axes=axes[0, 1])
    axes[0, 1].axhline(step_loss, color="black", linestyle="dotted", linewidth=1)
    fooled = (margins < 0).nonzero()[:, 0].cpu()
    axes[0, 1].plot(fooled, losses.cpu()[fooled], color=plots.COLOURS[1], linestyle="", marker="o", markersize=5)
    axes[0, 1].set_title("dotted: one step of ε; orange: fooled", fontsize=8)
    for panel, whole in ((axes[0, 0], False), (axes[0, 1], True)):
        panel.locator_params(axis="x", nbins=5, integer=whole)
    plots.draw_image(axes[0, 2], path[-1], f"read as {classes[read]}")
    alt = (f"Left, the loss on a plane through the image, with the walk of {len(path) - 1} steps and a cross where one "
           f"step of {eps:.2f} ends; dashed, where the class changes. Middle, the loss along the walk. It ends at "
           f"{losses[-1]:.2f}; one step of ε reaches {step_loss:.2f}. The image, of class {classes[y]}, ends as "
           f"{classes[read]}.")
    return figure, alt


def _plane(model, x, end, y, eps):
    """x after a step of size eps along the gradient's sign, and the axes of the plane through x, that image and `end`.

    Both axes are as long as the change of x by a step of size 1; across is perpendicular to along.
    """
    start = x[None].clone().requires_grad_()
    loss = torch.nn.functional.cross_entropy(model(start), torch.tensor([y], device=x.device))
    one_step = (x + eps * torch.autograd.grad(loss, start)[0][0].sign()).clamp(0, 1)
    along = (one_step - x) / eps
    rest = end - x
    rest = rest - along * (rest * along).sum() / along.square().sum().clamp_min(1e-12)
    return one_step, along, rest * along.norm() / rest.norm().clamp_min(1e-6)


@torch.no_grad()
def _loss_and_margin(model, images, y):
    """The cross-entropy of class y, its lead over the next class in logits, and what the last image is read as."""
    logits = model(images)
    loss = torch.nn.functional.cross_entropy(logits, torch.full((len(images),), y, device=logits.device),
                                             reduction="none")
    rival = logits.clone()
    rival[:, y] = -torch.inf
    return loss, logits[:, y] - rival.amax(1), logits[-1].argmax().item()
