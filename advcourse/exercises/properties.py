"""Properties that several exercises share.

Each is, or makes, a function of (probe, result) that returns None where all is well, else the message for the student.
`probe` holds the arguments of the call by name; attacks' exercises name theirs model, x, y and eps.
"""

from collections.abc import Callable

import torch

from advcourse.exercises.probes import distance, loss_gradient, towards

Property = Callable[[dict, torch.Tensor], str | None]

# What float32 rounding may add to a difference of two numbers in [0, 1]. The library's own attacks spill nothing.
ROUNDING = 1e-6


def finite(probe: dict, result: torch.Tensor) -> str | None:
    """The result holds no NaN and no infinity."""
    if not torch.isfinite(result).all():
        return ("your result holds NaN or infinite values: look for a division by zero "
                "(the norm of a zero gradient?) or a logarithm of 0")
    return None


def in_unit_range(probe: dict, result: torch.Tensor, name: str = "x_adv") -> str | None:
    """Every pixel lies in [0, 1]."""
    if message := finite(probe, result):
        return message
    low, high = result.min().item(), result.max().item()
    if low < 0 or high > 1:
        return (f"your {name} is no image: its pixels go from {low:.3g} to {high:.3g}. "
                "Clip to [0, 1] as the last thing you do: `.clamp(0, 1)`")
    return None


def in_ball(norm: str, name: str = "x_adv") -> Property:
    """Makes the property that x_adv lies within eps of x; norm: "linf", pixel by pixel, or "l2", image by image."""
    if norm not in ("linf", "l2"):
        raise ValueError(f"norm must be 'linf' or 'l2'; got {norm!r}")

    def size(delta):
        return delta.flatten(1).abs().amax(1) if norm == "linf" else delta.flatten(1).norm(dim=1)

    def holds(probe, result):
        if message := finite(probe, result):
            return message
        spill, around_zero = ((size(delta) - probe["eps"]).max().item() for delta in (result - probe["x"], result))
        if spill <= ROUNDING:
            return None
        if around_zero <= ROUNDING and (result < 0).any():
            return f"your {name} lies within ε of 0, not of x: is it the perturbation δ alone? Return x + δ"
        mend = ("clip to [x − ε, x + ε] after adding" if norm == "linf"
                else "where the length of δ exceeds ε, scale δ by ε / ‖δ‖₂, image by image")
        return f"your {name} leaves the ε-ball by {spill:.2g}: {mend}"

    return holds


def equals(formula: Callable, mistakes: dict[str, Callable] | None = None, tolerance: float = 1e-5) -> Property:
    """Makes the property that the result is `formula(**probe)`, within `tolerance` in every entry.

    formula: returns a tensor, a number, or a list of numbers.
    mistakes: from the message for a known mistake to the formula that makes it; the first that fits is shown.
    """
    def holds(probe, result):
        right = formula(**probe)
        if distance(result, right) <= tolerance:
            return None
        for message, mistake in (mistakes or {}).items():
            if distance(result, mistake(**probe)) <= tolerance:
                return message
        off, size = distance(result, right), distance(right, 0 * torch.as_tensor(right))
        near = (": that is near, so is anything rounded, or a small number added to a divisor or inside a logarithm? "
                "Make it smaller, such as 1e-12")
        return f"your result is not what the formula gives: it is off by up to {off:.2g}" + near * (off < 0.01 * size)

    return holds


def at_cost(is_right: Property, cost: Property) -> Property:
    """Makes the property that a right result has the right cost, too: a wrong one earns nothing by being cheap."""
    def holds(probe, result):
        return "the cost counts once the result is right" if is_right(probe, result) else cost(probe, result)

    return holds


def asks_once_a_step(name: str, mend: str) -> Property:
    """Makes the property that the function calls the probe's `name`, a Counted function, as often as it has steps."""
    def holds(probe, result):
        calls, steps = probe[name].calls, probe["steps"]
        return None if calls == steps else f"you call `{name}` {calls:.0f} times where steps = {steps}: {mend}"

    return holds


def moves_the_loss_the_right_way(probe: dict, result: torch.Tensor) -> str | None:
    """Up the loss of y, down where the probe says `targeted`, by half of what one step of the gradient's sign does.

    Random changes of the same size do not. Judged on the batch. The step starts at x_adv where the probe has one, else
    at x, has the size step_size, else eps, and ends in the ε-ball around x.
    """
    if message := finite(probe, result):
        return message
    model, x, y, eps = (probe[name] for name in ("model", "x", "y", "eps"))
    start, targeted = probe.get("x_adv", x), probe.get("targeted", False)
    step = probe.get("step_size", eps) * loss_gradient(model, start, y).sign()
    way = -1 if targeted else 1
    with torch.no_grad():
        before, after, reached, turned = (torch.nn.functional.cross_entropy(model(images), y).item() for images in (
            start, result, towards(start + way * step, x, eps), towards(start - way * step, x, eps)))
    told = f"targeted={targeted}, and the" if "targeted" in probe else "the"
    if after == before:
        return f"{told} loss of y stayed at {before:.3g}: nothing was attacked"
    if way * (after - (before + turned) / 2) <= 0:
        mend = ("it is the class to reach, so go down its loss, which means to subtract the step" if targeted else
                "an attack goes uphill, so add the step rather than subtract it")
        return f"{told} loss of y went the wrong way, from {before:.3g} to {after:.3g}: {mend}"
    if way * (after - (before + reached) / 2) < 0:
        return (f"{told} loss of y went from {before:.3g} to {after:.3g}, hardly further than random changes of this "
                f"size take it; one step along the gradient's sign takes it to {reached:.3g}")
    return None


def confident(target: str = "y", at_least: float | str = 0.99) -> Property:
    """Makes the property that the model reads every image as its target class with enough confidence.

    target: the name of the argument that holds the target class, a number or one label for each image.
    at_least: the probability that is enough, or the name of the argument that holds it.
    """
    def holds(probe, result):
        if message := finite(probe, result):
            return message
        model, enough = probe["model"], probe[at_least] if isinstance(at_least, str) else at_least
        with torch.no_grad():
            before, after = model(probe["x"]).softmax(1), model(result).softmax(1)
        wanted = torch.as_tensor(probe[target], device=after.device).expand(len(after))
        start, reached = (probabilities.gather(1, wanted[:, None])[:, 0] for probabilities in (before, after))
        if reached.min() >= enough - ROUNDING:
            return None
        if torch.equal(result, probe["x"]):
            return "every image came back unchanged: follow the gradient for some steps"
        seen, worst = after.argmax(1), reached.argmin()
        all_one = (seen == seen[0]).all() and (before.argmax(1) != seen).any() and (wanted != seen[0]).any()
        if all_one and (reached[wanted == seen[0]] >= 0.5).any():
            return (f"every image was driven to class {seen[0].item()}; each has a target of its own: give "
                    "`cross_entropy` all the targets")
        told = (f"the model gives class {wanted[worst].item()} a probability of {reached[worst].item():.2g}, and gave "
                f"it {start[worst].item():.2g} before; at least {enough} is wanted")
        if reached[worst] <= start[worst] and seen[worst] != wanted[worst]:
            return (f"{told}. It now reads the image as class {seen[worst].item()}: lower the loss of the target "
                    "class, which means to subtract its gradient")
        if (seen == wanted).all():
            return (f"{told}. Every image is read as its target by now, but not surely enough: take more steps, or "
                    "larger ones, and stop by the softmax probability, not by the class")
        return f"{told}. Take more steps, or larger ones, and stop only when every image has arrived"

    return holds
