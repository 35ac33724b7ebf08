"""`advcourse run`: the notebooks, executed."""

import enum
import os
import re
import signal
import time
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Annotated

import typer

from advcourse import files
from advcourse.cli.lab import copies_folder, course_folder, students_copies
from advcourse.cli.screen import bars, complain, plain_errors, show
from advcourse.files import checkout


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
    return students_copies() if copies_folder().is_dir() else course_folder()


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
        from advcourse import data
        from advcourse.pipeline import report, run

        paths = run.find(series_folder(solutions), numbers or (), course_folder())
        if dataset and dataset not in ("auto", *data.names()) and Path(dataset).exists():
            dataset = str(Path(dataset).resolve())  # the notebooks run in folders of their own
        check(paths, dataset, seed, device, scheduler)
        require_other_folder(out, paths[0].parent)
        files.require_folder(out)
        given = {"PROFILE": profile.value, "DATASET": dataset, "SEED": seed, "DEVICE": device}
        parameters = {name: value for name, value in given.items() if value is not None}

        results, start = {}, time.perf_counter()
        with bars([path.stem for path in paths]) as (on_cell, on_result), caught_signals() as caught:
            running = run.run(paths, parameters, workers=workers or run.default_workers(), scheduler=scheduler,
                              on_cell=on_cell, stopped=lambda: bool(caught))
            with closing(running):
                for result in running:
                    files.write(out / f"{result.name}.ipynb", result.notebook)
                    results[result.name] = result
                    on_result(result, report.duration(result.seconds))
            in_order = [results[path.stem] for path in paths if path.stem in results]
            not_run = [path.stem for path in paths if path.stem not in results]
            seconds = time.perf_counter() - start
            files.write(out / "index.html", report.page(in_order, parameters, seconds, not_run))

    show(f"report: {(out / 'index.html').resolve()}")
    problems = [f"{result.name}: {result.failure}" for result in in_order if result.failure]
    problems += [f"claim outside its band in {line}" for line in report.outside(in_order)]
    if not_run:
        problems.append(f"interrupted; not run: {', '.join(not_run)}")
    for problem in problems:
        complain(problem)
    if problems:
        raise typer.Exit(128 + caught[0] if not_run else 1)


def require_other_folder(out, series):
    """ValueError where executed notebooks in `out` would take the place of those of `series` or of the course's own."""
    course = ((checkout() or PACKAGE) / "notebooks").resolve()
    if out.resolve() in (series.resolve(), *series.resolve().parents, course, course / "solutions"):
        raise ValueError(f"--out {out} is where notebooks to be run lie: choose another folder for the executed ones")


def check(paths, dataset, seed, device, scheduler):
    """What no notebook could run with is an error now, and not one in each of them.

    paths: of the notebooks; dataset, seed, device: as given, or None; scheduler: the address of a cluster, whose
    workers have devices and folders of their own, or None. Raises ValueError, or DataError for a data set that cannot
    be had.
    """
    from advcourse import data
    from advcourse.randomness import check_seed

    if seed is not None:
        check_seed(seed)
    if not scheduler and (device or os.environ.get("DEVICE")):
        from advcourse.device import choose

        choose(device or "auto")
    if dataset is not None and not (scheduler and os.sep in dataset):
        named = dataset in ("auto", *data.names())
        if not (named and scheduler):
            data.load(dataset, **({"train": 1, "test": 1} if named else {}))
    elif not scheduler and any(map(wants_mnist, paths)):
        with suppress(data.NotHereError):  # the notebooks download it, or take fonts
            data.from_disk("mnist", train=1, test=1)


def wants_mnist(path):
    """Whether the notebook at `path` takes MNIST where it is on disk, as its parameters cell says."""
    return re.search(r'"DATASET *= *(\\"|\')(auto|mnist)\1', path.read_text(encoding="utf-8")) is not None


@contextmanager
def caught_signals():
    """Ctrl-C and SIGTERM interrupt nothing in this block; gives the list to which their numbers are appended."""
    caught, numbers = [], (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda number, frame: caught.append(number)) for number in numbers]
    try:
        yield caught
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
