"""What a person sees: lines, complaints, tables and progress bars."""

from contextlib import contextmanager
from importlib import metadata

import typer
from rich.console import Console
from rich.markup import escape

from advcourse.doctor import archive, repository
from advcourse.files import checkout

MARKS = {"ok": "[green]✓ ok[/]", "warning": "[yellow]! warning[/]", "missing": "[red]✗ missing[/]"}


def show(text):
    """Print a line that nobody wants wrapped or coloured: a path, a message."""
    Console().print(escape(str(text)), soft_wrap=True, highlight=False)


def complain(message):
    """Print one clear line about what is wrong on stderr."""
    to_stderr("[red]error:[/]", message)


def warn(message):
    """Print one line on stderr about what a person should look at."""
    to_stderr("[yellow]look:[/]", message)


def to_stderr(mark, message):
    """Print a message in one line on stderr, after a mark."""
    Console(stderr=True).print(f"{mark} {escape(' '.join(str(message).split()))}", soft_wrap=True, highlight=False)


def how_to_install(package):
    """The command that installs the course with the extra that holds `package`."""
    extra = package if package in metadata.metadata("advcourse").get_all("Provides-Extra") else "lab"
    if checkout():
        return f'python -m pip install --editable "{checkout()}[{extra}]"'
    return f'python -m pip install "advcourse[{extra}] @ {archive(repository())}"'


@contextmanager
def plain_errors():
    """What can go wrong without being a bug of ours ends with one clear line, not with a traceback."""
    try:
        yield
    except typer.Exit:  # typer counts it among the RuntimeErrors
        raise
    except ModuleNotFoundError as error:
        if error.name.startswith("advcourse"):
            raise
        package = error.name.split(".")[0]
        complain(f"this needs the package {package}, which is not installed; install all that it takes with: "
                 f"{how_to_install(package)}")
        raise typer.Exit(1) from None
    except (ValueError, OSError, RuntimeError) as error:
        complain(error)
        raise typer.Exit(1) from None
    except KeyboardInterrupt:
        complain("interrupted")
        raise typer.Exit(130) from None  # as a shell counts it: 128 and the number of SIGINT


def each(names, look):
    """Call `look` on every name and show the line that it returns; exit code 1 where one of them goes wrong."""
    wrong = 0
    for name in names:
        try:
            show(f"{name}: {look(name)}")
        except (ValueError, RuntimeError, OSError) as error:
            complain(f"{name}: {error}")
            wrong += 1
    if wrong:
        raise typer.Exit(1)


@contextmanager
def bars(names):
    """A progress bar per notebook; gives two functions to call when a cell starts and when a notebook has ended.

    Where nobody watches, as in a log file, there is one line per notebook instead.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("cells"),
               TimeElapsedColumn(), TextColumn("{task.fields[state]}"))
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        tasks = {name: progress.add_task(name, total=None, start=False, state="") for name in names}

        def on_cell(name, done, total):
            if done == 0:  # the start, or a new start after its worker died
                progress.reset(tasks[name])
            progress.update(tasks[name], completed=done, total=total)

        def on_result(result, duration):
            state = "[red]✗ failed[/]" if result.failure else "[green]✓[/]"
            task = progress.tasks[names.index(result.name)]
            progress.update(task.id, state=state, completed=task.completed if result.failure else task.total)
            progress.stop_task(task.id)
            if not console.is_terminal:
                console.print(f"{result.name}: {state} {duration}, {result.peak_memory / 1e6:.0f} MB", soft_wrap=True)

        yield on_cell, on_result


@contextmanager
def grading_bar(total):
    """A progress bar with an estimate; gives a function to call with every Graded, or None for one graded before."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    columns = (TextColumn("grading"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("· left"),
               TimeRemainingColumn(),
               TextColumn("{task.fields[latest]}"))
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=total, latest="")

        def on_graded(graded):
            latest = f"{graded.student[:30]} {graded.notebook}" if graded else ""
            progress.update(task, advance=1, latest=escape(latest))

        yield on_graded
