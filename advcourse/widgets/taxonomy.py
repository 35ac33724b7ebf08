"""The cards of the attacks as a picture: an attack's place on the nine axes, and what it does to an image."""

from collections.abc import Sequence

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from advcourse import plots
from advcourse.attacks.cards import AttackCard
from advcourse.models.inference import Model
from advcourse.widgets.controls import choice, explore, slider

# The nine axes, as the fields of an AttackCard, with the places on each; a field that may hold other words has one of
# them in brackets.
AXES = {
    "input": ("non-random", "random"),
    "frequency": ("one-time", "iterative"),
    "specificity": ("non-targeted", "targeted"),
    "scope": ("individual", "universal"),
    "measurement": ("l0", "l1", "l2", "linf", "(something else)"),
    "realism": ("non-realistic", "realistic"),
    "falsification": ("type 1", "type 2"),
    "knowledge": ("white box", "grey box", "black box: scores", "black box: labels"),
}
# What makes an attack answer while one waits, at some cost in strength.
QUICK = {
    "apgd": {"steps": 30}, "lbfgs": {"steps": 10, "search_steps": 2}, "cw_l2": {"steps": 25, "search_steps": 2},
    "cw_l0": {"steps": 5, "rounds": 6}, "cw_linf": {"steps": 8, "rounds": 6}, "fab": {"steps": 20},
    "feature_adversary": {"steps": 40},
    "jsma": {"max_share": 0.03}, "one_pixel": {"queries": 500}, "spsa": {"queries": 2000}, "nes": {"queries": 2000},
    "square": {"queries": 500},
    "boundary": {"queries": 150}, "hop_skip_jump": {"queries": 600}, "eot": {"steps": 15, "samples": 4},
    "spatial": {"angles": 11, "shifts": 3},
    "universal": {"steps": 3, "batch_size": 10}, "patch": {"steps": 30, "batch_size": 10, "places": 1},
}


def attack_cards(model: Model, x: torch.Tensor, y: torch.Tensor, classes: Sequence[str], *, live: bool = True) -> None:
    """Pick an attack, and see its place on the nine axes of the taxonomy and what it does to an image.

    x, y: a few images and their labels, at least two; classes: the names of the classes.
    live: show the controls; otherwise pictures of the first image under two attacks that differ in much.
    """
    from advcourse.attacks import all_cards

    known = all_cards()

    def figure(name, index, eps):
        return attack_card_figure(known[name], model, x[index], try_attack(name, model, x, y, index, eps), eps, classes)

    controls = {"name": choice("attack", known), "index": slider("image", 0, len(x) - 1, 0),
                "eps": slider("ε", 0.0, 0.4, 0.2, step=0.05)}
    explore(figure, controls, static=[{"name": name} for name in ("fgsm", "patch")], live=live)


def try_attack(name: str, model: Model, x: torch.Tensor, y: torch.Tensor, index: int,
               eps: float) -> torch.Tensor | None:
    """Image number `index` of x, shape (1, C, H, W), under an attack with quick settings; None where none are quick.

    eps: the largest change of a pixel, where the attack takes one. Attacks that need more than one image are made on
    all of x.
    """
    from inspect import signature

    from advcourse import attacks
    from advcourse.attacks.patches import apply_patch

    attack, options = getattr(attacks, name), dict(QUICK.get(name, {}))
    image, label, other = x[index:index + 1], y[index:index + 1], (index + 1) % len(x)
    if "eps" in signature(attack).parameters:
        options["eps"] = eps
    if name == "advgan":  # it has a network to train first
        return None
    if name == "universal":
        return (image + attack(model, x, y, **options)).clamp(0, 1)
    if name == "patch":
        mask = torch.zeros(x.shape[2:], device=x.device)
        mask[-(len(mask) // 3):, :mask.shape[1] // 3] = 1
        return apply_patch(image, attack(model, x, y, mask=mask, **options), mask)
    if name == "feature_adversary":
        return attack(model, image, x[other:other + 1], **options)
    if name == "towards_image":
        return attack(model, torch.full_like(image, 0.5), y[other:other + 1], image=image)
    if name == "eot":
        return attack(model, image, label, transform=lambda images: images.roll(int(torch.randint(-2, 3, ())), -1),
                      **options)
    if name == "virtual_adversarial":  # its eps is a Euclidean length: that of eps in every pixel
        options["eps"] = eps * image[0].numel() ** 0.5
    return attack(model, image, label, **options)


def attack_card_figure(card: AttackCard, model: Model, image: torch.Tensor, x_adv: torch.Tensor | None, eps: float,
                       classes: Sequence[str]) -> tuple[Figure, str, str]:
    """The figure of `attack_cards` with its title and alt text: image, what was added, the sum; and the nine axes."""
    figure, axes = plots.grid(1, 4, width=2.1, height=2.45, width_ratios=[1, 1, 1, 2.9])
    places = "; ".join(f"{axis} {getattr(card, axis)}" for axis in AXES)
    with torch.no_grad():
        before = classes[model(image[None]).argmax()]
        plots.draw_image(axes[0, 0], image, f"the image: {before}")
        if x_adv is None:
            axes[0, 1].text(0.5, 0.5, "It has a network\nto train first:\nsee notebook 06.", ha="center", va="center",
                            fontsize=8)
            effect = f"The model reads the image as {before}. The attack is not run here."
        else:
            after, delta = classes[model(x_adv).argmax()], x_adv[0] - image
            sizes = f"ℓ0 {int((delta != 0).sum())}, ℓ2 {delta.norm():.2f}, ℓ∞ {delta.abs().max():.2f}"
            plots.draw_image(axes[0, 1], delta, f"what is added:\n{sizes}", signed=True)
            plots.draw_image(axes[0, 2], x_adv[0], f"the sum: {after}")
            effect = (f"The model reads the image as {before} and the attacked one as {after}; "
                      f"what was added has {sizes}.")
    for panel in axes[0, 1:]:
        panel.set_axis_off()
    draw_axes(axes[0, 3], card)
    alt = f"The attack {card.name} (ε = {eps:.2f} where it takes one). {places}. Method: {card.method}. {effect}"
    return figure, f"{card.name}: {card.paper.split(';')[0]}", alt


def draw_axes(panel: Axes, card: AttackCard) -> None:
    """Draw the nine axes on matplotlib axes, a row each, with the places of this card's attack in colour."""
    from textwrap import fill

    for row, (axis, values) in enumerate(AXES.items()):
        given = getattr(card, axis)
        held = [value for value in values if given in (value, "both") or (axis == "measurement" and value in given)]
        panel.text(0, -row, axis, fontsize=8, va="center")
        for column, value in enumerate(values):
            on = value in held or (not held and value == values[-1])
            step = 0.155 if len(values) > 4 else 0.19 if len(values) > 2 else 0.26
            shown = value.replace("black box: ", "black:\n").replace("linf", "l∞").replace("(something else)", "other")
            panel.text(0.24 + step * column, -row, shown, fontsize=7.5 if "\n" not in shown else 6.5, va="center",
                       color="white" if on else "#999999",
                       bbox={"boxstyle": "round,pad=0.25", "facecolor": plots.COLOURS[0] if on else "white",
                             "edgecolor": plots.COLOURS[0] if on else "#cccccc"})
    panel.text(0, -len(AXES), "method", fontsize=8, va="top")
    panel.text(0.235, -len(AXES), fill(card.method, 50), fontsize=7.5, va="top")
    panel.set(xlim=(0, 1), ylim=(-len(AXES) - 1.6, 0.6))
    for text in panel.texts:  # it all lies inside the panel: to measure it would take longer than the attack
        text.set_in_layout(False)
