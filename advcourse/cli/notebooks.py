"""`advcourse run`: the notebooks, executed."""

import enum
import time
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from advcourse import files
from advcourse.cli.lab import copies_folder, students_copies
from advcourse.cli.screen import bars, complain, plain_errors, show
from advcourse.files import PACKAGE, checkout


class Profile(enum.StrEnum):
    """How much a notebook computes."""

    quick = "quick"
    full = "full"


def series_folder(solutions):
    """Where the notebooks are that `run` executes.

    The student's copies where there are any, else those of the checkout or of the installed course. Raises
    FileNotFoundError where solved ones are asked for and there is no checkout.
    """
    if solutions:
        if not checkout():
            raise FileNotFoundError("the solved notebooks are not installed with the course: "
                                    "run this in a clone of its repository")
        return checkout() / "notebooks" / "solutions"
    return students_copies() if copies_folder().is_dir() else (checkout() or PACKAGE) / "notebooks"


def run(
    numbers: Annotated[list[str] | None, typer.Argument(metavar="NN", help="Notebooks to run, "
                                                                           "such as 01; all by default.")] = None,
    profile: Annotated[Profile, typer.Option(help="quick: minutes on a laptop. full: hours on a GPU.")] = Profile.quick,
    dataset: Annotated[str | None, typer.Option(help="The data set, or a folder of images. "
                                                     "\\[default: as each notebook says]", show_default=False)] = None,
    seed: Annotated[int | None, typer.Option(help="The random seed. \\[default: as each notebook says]",
                                             show_default=False)] = None,
    device: Annotated[str | None, typer.Option(help="The device, such as cpu or cuda. "
                                                    "\\[default: as each notebook says]", show_default=False)] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Notebooks to run side by side. \\[default: as many as "
                                                            "there are cores and memory for]",
                                                show_default=False)] = None,
    out: Annotated[Path, typer.Option(help="The folder for executed notebooks and the report.")] = Path("build/run"),
    scheduler: Annotated[str | None, typer.Option(help="Run on the dask.distributed cluster at this address, such as "
                                                       "tcp://host:8786.")] = None,
    solutions: Annotated[bool, typer.Option("--solutions", help="Run the solved notebooks.")] = False,
):
    """Run notebooks headless and write a report on what they computed, claimed and drew."""
    with plain_errors():
        from advcourse.pipeline import report, run

        if dataset and Path(dataset).exists():
            dataset = str(Path(dataset).resolve())  # the notebooks run in folders of their own
        given = {"PROFILE": profile.value, "DATASET": dataset, "SEED": seed, "DEVICE": device}
        parameters = {name: value for name, value in given.items() if value is not None}
        paths = run.find(series_folder(solutions), numbers or ())

        results, start = {}, time.perf_counter()
        with bars([path.stem for path in paths]) as (on_cell, on_result):
            running = run.run(paths, parameters, workers=workers or run.default_workers(), scheduler=scheduler,
                              on_cell=on_cell)
            with closing(running):
                for result in running:
                    results[result.name] = result
                    files.write(out / f"{result.name}.ipynb", result.notebook)
                    on_result(result, report.duration(result.seconds))
        in_order = [results[path.stem] for path in paths]
        files.write(out / "index.html", report.page(in_order, parameters, time.perf_counter() - start))

    show(f"report: {(out / 'index.html').resolve()}")
    problems = [f"{result.name}: {result.failure}" for result in in_order if result.failure]
    problems += [f"claim outside its band in {line}" for line in report.outside(in_order)]
    for problem in problems:
        complain(problem)
    if problems:
        raise typer.Exit(1)
