"""Interactive pictures, each with a static fallback for where no kernel listens (a built notebook, CI)."""

import torch

from advcourse import plots


def explore(figure, controls, static=({},), live=True):
    """Move a control and see the picture that belongs to it.

    figure: a function of one argument for each control that returns (figure, title, alt), as `plots.picture` wants it;
    controls: from the argument's name to an ipywidgets control with a start value, such as `slider(…)` or `choice(…)`;
    static: where no kernel listens, a picture for each of these dicts of arguments; what they leave out stands at its start;
    live: show the controls.
    """
    from IPython.display import HTML, display

    def picture(**values):
        return plots.picture(*figure(**{name: control.value for name, control in controls.items()} | values))

    if not live:
        for values in static:
            display(HTML(picture(**values)))
        return

    import ipywidgets

    shown = ipywidgets.HTML()

    def update(_=None):
        shown.value = picture()

    for control in controls.values():
        control.observe(update, "value")
    update()
    display(ipywidgets.VBox([ipywidgets.HBox(list(controls.values())), shown]))


def slider(description, low, high, start, step=1):
    """A slider from `low` to `high` in steps of `step`; whole numbers where all of these are whole."""
    import ipywidgets

    whole = all(isinstance(number, int) for number in (low, high, start, step))
    kind = ipywidgets.IntSlider if whole else ipywidgets.FloatSlider
    return kind(value=start, min=low, max=high, step=step, description=description)


def choice(description, options, start=None):
    """A list to choose from: names, or (name, value) pairs; the first is chosen unless `start` is a value of another."""
    import ipywidgets

    options = list(options)
    first = options[0][1] if isinstance(options[0], tuple) else options[0]
    return ipywidgets.Dropdown(options=options, value=first if start is None else start, description=description)


def perturbation(model, x, directions, classes, *, eps=0.1, largest=0.3, live=True):
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


def opinions_figure(pictures, models, classes, true, target):
    """Pictures side by side, and beside them what models make of the last one: the three likeliest classes of each.

    pictures: from a title to an image (C, H, W); models: from a title to a model; classes: their names;
    true, target: class numbers, drawn in blue and in orange. Returns the figure, and the class that each model names.
    """
    figure, axes = plots.grid(1, len(pictures) + len(models), width=2, height=2, width_ratios=[1] * len(pictures) + [1.5] * len(models))
    for panel, (title, image) in zip(axes[0], pictures.items()):
        plots.draw_image(panel, image, title)
    named = []
    for panel, (title, model) in zip(axes[0, len(pictures):], models.items()):
        with torch.no_grad():
            likeliest = model(image[None])[0].softmax(0).topk(3)
        shown = likeliest.indices.tolist()
        places = [shown.index(label) if label in shown else None for label in (true, target)]
        plots.draw_probabilities(panel, likeliest.values, [classes[k] for k in shown], *places)
        panel.set_title(title, fontsize=8)
        panel.set_xlabel("")
        named.append(classes[shown[0]])
    return figure, named


def perturbation_figure(model, image, direction, eps, name, classes):
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
    alt = (f"An image, a perturbation ({name}) of at most {eps:.2f} per pixel, and their sum. The model reads the image as "
           f"{classes[before.argmax()]} ({before.max():.0%}) and the sum as {classes[after.argmax()]} ({after.max():.0%}).")
    return figure, title, alt


# The nine axes, as the fields of an AttackCard, with the places on each; a field that may hold other words has one of them in brackets.
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
    "cw_l0": {"steps": 5, "rounds": 6}, "cw_linf": {"steps": 8, "rounds": 6}, "fab": {"steps": 20}, "feature_adversary": {"steps": 40},
    "jsma": {"max_share": 0.03}, "one_pixel": {"queries": 500}, "spsa": {"queries": 2000}, "nes": {"queries": 2000}, "square": {"queries": 500},
    "boundary": {"queries": 150}, "hop_skip_jump": {"queries": 600}, "eot": {"steps": 15, "samples": 4}, "spatial": {"angles": 11, "shifts": 3},
    "universal": {"steps": 3, "batch_size": 10}, "patch": {"steps": 30, "batch_size": 10, "places": 1},
}


def attack_cards(model, x, y, classes, *, live=True):
    """Pick an attack, and see its place on the nine axes of the taxonomy and what it does to an image.

    x, y: a few images and their labels, at least two; classes: the names of the classes.
    live: show the controls; otherwise pictures of the first image under two attacks that differ in much.
    """
    from advcourse.attacks.cards import cards

    known = cards()

    def figure(name, index, eps):
        return attack_card_figure(known[name], model, x[index], try_attack(name, model, x, y, index, eps), eps, classes)

    controls = {"name": choice("attack", known), "index": slider("image", 0, len(x) - 1, 0),
                "eps": slider("ε", 0.0, 0.4, 0.2, step=0.05)}
    explore(figure, controls, static=[{"name": name} for name in ("fgsm", "patch")], live=live)


def try_attack(name, model, x, y, index, eps):
    """Image number `index` of x, shape (1, C, H, W), under the attack of this name with quick settings; None where none are quick.

    eps: the largest change of a pixel, where the attack takes one. Attacks that need more than one image are made on all of x.
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
        return attack(model, image, label, transform=lambda images: images.roll(int(torch.randint(-2, 3, ())), -1), **options)
    if name == "virtual_adversarial":  # its eps is a Euclidean length: that of eps in every pixel
        options["eps"] = eps * image[0].numel() ** 0.5
    return attack(model, image, label, **options)


def attack_card_figure(card, model, image, x_adv, eps, classes):
    """The figure of `attack_cards` with its title and alt text: image, what was added, the sum; and the nine axes."""
    figure, axes = plots.grid(1, 4, width=2.1, height=2.45, width_ratios=[1, 1, 1, 2.9])
    places = "; ".join(f"{axis} {getattr(card, axis)}" for axis in AXES)
    with torch.no_grad():
        before = classes[model(image[None]).argmax()]
        plots.draw_image(axes[0, 0], image, f"the image: {before}")
        if x_adv is None:
            axes[0, 1].text(0.5, 0.5, "It has a network\nto train first:\nsee notebook 06.", ha="center", va="center", fontsize=8)
            effect = f"The model reads the image as {before}. The attack is not run here."
        else:
            after, delta = classes[model(x_adv).argmax()], x_adv[0] - image
            sizes = f"ℓ0 {int((delta != 0).sum())}, ℓ2 {delta.norm():.2f}, ℓ∞ {delta.abs().max():.2f}"
            plots.draw_image(axes[0, 1], delta, f"what is added:\n{sizes}", signed=True)
            plots.draw_image(axes[0, 2], x_adv[0], f"the sum: {after}")
            effect = f"The model reads the image as {before} and the attacked one as {after}; what was added has {sizes}."
    for panel in axes[0, 1:]:
        panel.set_axis_off()
    draw_axes(axes[0, 3], card)
    alt = f"The attack {card.name} (ε = {eps:.2f} where it takes one). {places}. Method: {card.method}. {effect}"
    return figure, f"{card.name}: {card.paper.split(';')[0]}", alt


def draw_axes(panel, card):
    """Draw the nine axes on matplotlib axes, a row each, with the places where the attack of this card stands in colour."""
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


def walk_figure(model, path, y, eps, classes):
    """The figure of an attack's walk on one image, with its alt text: the loss on a plane, the loss along the walk, and where it ended.

    path: the iterates of a walk that goes up the loss, (steps + 1, C, H, W); x, its centre, is path[0] unless the walk started at random:
    then give (x, path). y: the image's class, a number; eps: the radius of the ball, in which every pixel may move by eps.
    The plane holds x, the image after one step of size eps along the sign of the gradient, and the last iterate; the rest is projected.
    """
    x, path = path if isinstance(path, tuple) else (path[0], path)
    one_step, along, across = _plane(model, x, path[-1], y, eps)
    places = [((path - x).flatten(1) @ axis.flatten() / axis.square().sum().clamp_min(1e-12)).cpu() for axis in (along, across)]
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
    alt = (f"Left, the loss on a plane through the image, with the walk of {len(path) - 1} steps and a cross where one step of {eps:.2f} ends; dashed, "
           f"where the class changes. Middle, the loss along the walk. It ends at {losses[-1]:.2f}; one step of ε reaches {step_loss:.2f}. "
           f"The image, of class {classes[y]}, ends as {classes[read]}.")
    return figure, alt


def _plane(model, x, end, y, eps):
    """x after one step of size eps along the gradient's sign, and the two axes of the plane through x, that image and `end`.

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
    loss = torch.nn.functional.cross_entropy(logits, torch.full((len(images),), y, device=logits.device), reduction="none")
    rival = logits.clone()
    rival[:, y] = -torch.inf
    return loss, logits[:, y] - rival.amax(1), logits[-1].argmax().item()
