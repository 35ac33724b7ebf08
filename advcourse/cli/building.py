"""`advcourse build`: the notebooks from their masters."""

import enum
from pathlib import Path
from typing import Annotated

import typer

from advcourse.cli.screen import complain, plain_errors, show


class Grader(enum.StrEnum):
    """A grader of other people's for which the course can be built."""

    nbgrader = "nbgrader"
    otter = "otter"


def build(
    check: Annotated[bool, typer.Option("--check", help="Only say which built notebooks are stale.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Execute those, too, that are not stale.")] = False,
    grader: Annotated[Grader | None, typer.Option("--for", help="Make a course folder for this grader instead.",
                                                  show_default=False)] = None,
    out: Annotated[Path | None, typer.Option(help="With --for: the folder to make. \\[default: build/GRADER]",
                                             show_default=False)] = None,
    seed: Annotated[int | None, typer.Option(help="With --for: the seed of the hidden tests, "
                                                  "for you to keep. \\[default: 1]", show_default=False)] = None,
):
    """Make the notebooks from their masters in notebooks/source, where they are stale."""
    if grader:
        return build_for(grader.value, out, seed, check or force)
    with plain_errors():
        if out is not None or seed is not None:
            raise ValueError("--out and --seed say where and how to build for another grader: they need --for")
        from advcourse.pipeline.build import build

        stale = build(check=check, force=force)
    for line in stale:
        (complain if check else show)(line)
    if check and stale:
        raise typer.Exit(1)
    show("every notebook is what its master gives, and the page of the attacks what their cards give")


def build_for(grader, out, seed, check_or_force):
    """Make the course folder for another grader, and say what to do with it."""
    with plain_errors():
        if check_or_force:
            raise ValueError("--for writes a course folder anew: it knows neither --check nor --force")
        from advcourse.pipeline import exports

        out = out or Path("build") / grader
        notebooks = exports.export(grader, out, seed=exports.SEED if seed is None else seed)
    for notebook in notebooks:
        show(notebook)
    name = notebooks[0].stem
    show(f"next, in {out}: " + (f"nbgrader generate_assignment {name}" if grader == "nbgrader"
                                else f"otter assign {name}/{name}.ipynb dist/{name}"))
