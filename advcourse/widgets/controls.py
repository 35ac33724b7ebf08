"""Interactive pictures, each with a static fallback for where no kernel listens (a built notebook, CI)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from advcourse import plots


def explore(figure: Callable, controls: Mapping[str, Any], static: Sequence[Mapping[str, Any]] = ({},),
            live: bool = True, below: Callable | None = None) -> None:
    """Move a control and see the picture that belongs to it.

    figure: a function of one argument for each control that returns (figure, title, alt), as `plots.picture` wants it;
    controls: from the argument's name to an ipywidgets control with a start value, such as `slider(…)` or `choice(…)`;
    static: where no kernel listens, a picture for each of these dicts of arguments; what they leave out stands at its
    start;
    live: show the controls;
    below: a function of the same arguments that returns HTML for below the picture, such as a player; live only.
    """
    def chosen(**values):
        return {name: control.value for name, control in controls.items()} | values

    if not live:
        for values in static:
            plots.show(*figure(**chosen(**values)))
        return

    import ipywidgets
    from IPython.display import display

    shown = ipywidgets.HTML()

    def update(_=None):
        shown.value = plots.picture(*figure(**chosen())) + (below(**chosen()) if below else "")

    for control in controls.values():
        control.observe(update, "value")
    update()
    display(ipywidgets.VBox([ipywidgets.HBox(list(controls.values())), shown]))


def slider(description: str, low: float, high: float, start: float, step: float = 1) -> Any:
    """A slider from `low` to `high` in steps of `step`; whole numbers where all of these are whole."""
    import ipywidgets

    whole = all(isinstance(number, int) for number in (low, high, start, step))
    kind = ipywidgets.IntSlider if whole else ipywidgets.FloatSlider
    return kind(value=start, min=low, max=high, step=step, description=description)


def choice(description: str, options: Iterable, start: Any = None) -> Any:
    """A list to choose from: names, or (name, value) pairs.

    The first is chosen unless `start` is the value of another.
    """
    import ipywidgets

    options = list(options)
    first = options[0][1] if isinstance(options[0], tuple) else options[0]
    return ipywidgets.Dropdown(options=options, value=first if start is None else start, description=description)
