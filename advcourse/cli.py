"""The command `advcourse`. What a command needs is imported when it is called: `advcourse --help` answers at once."""

import enum
import os
import sys
import time
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated, Optional

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

import advcourse
from advcourse import files
from advcourse.files import checkout

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_show_locals=False)
data_app = typer.Typer(no_args_is_help=True, help="The data sets of the course.")
zoo_app = typer.Typer(no_args_is_help=True, help="The trained networks that come with the course.")
app.add_typer(data_app, name="data")
app.add_typer(zoo_app, name="zoo")

PACKAGE = Path(advcourse.__file__).parent
COPIES = Path("advcourse-notebooks")  # where a student without a checkout works
MARKS = {"ok": "[green]✓ ok[/]", "warning": "[yellow]! warning[/]", "missing": "[red]✗ missing[/]"}


class Profile(str, enum.Enum):
    """How much a notebook computes."""

    quick = "quick"
    full = "full"


class Grader(str, enum.Enum):
    """A grader of other people's for which the course can be built."""

    nbgrader = "nbgrader"
    otter = "otter"


def show(text):
    """Print a line that nobody wants wrapped or coloured: a path, a message."""
    Console().print(escape(str(text)), soft_wrap=True, highlight=False)


def complain(message):
    """Print one clear line about what is wrong on stderr."""
    line = " ".join(str(message).split())
    Console(stderr=True).print(f"[red]error:[/] {escape(line)}", soft_wrap=True, highlight=False)


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
        complain(f"this needs the package {error.name.split('.')[0]}, which is not installed; "
                 "install all that it takes with: pip install 'advcourse[lab]'")
        raise typer.Exit(1) from None
    except (ValueError, OSError, RuntimeError) as error:
        complain(error)
        raise typer.Exit(1) from None


def series_folder(solutions):
    """Where the notebooks are that `run` executes: in the checkout; else the student's copies, else the installed ones."""
    if checkout():
        return checkout() / "notebooks" / ("solutions" if solutions else "")
    if solutions:
        return PACKAGE / "notebooks" / "solutions"
    return COPIES if COPIES.is_dir() else PACKAGE / "notebooks"


def print_version(asked):
    """The answer to --version."""
    if asked:
        show(f"advcourse {advcourse.__version__}")
        raise typer.Exit


@app.callback()
def main(version: Annotated[bool, typer.Option("--version", callback=print_version, is_eager=True,
                                               help="Print the version and exit.")] = False):
    """A course workbook on adversarial machine learning."""


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def lab(context: typer.Context):
    """Open JupyterLab on the series. Further options go to JupyterLab, such as --no-browser or --port 9999."""
    with plain_errors():
        import jupyterlab  # noqa: F401  (says that it is missing, before anything is copied)

        folder = checkout() / "notebooks" if checkout() else copy_notebooks(PACKAGE / "notebooks", COPIES)
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={folder.resolve()}", *context.args]
    os.execv(sys.executable, command)


def copy_notebooks(source, folder):
    """Copy the student's notebooks to `folder` where they are not there yet: work is never overwritten."""
    folder.mkdir(exist_ok=True)
    for path in sorted(source.glob("*.ipynb")):
        if not (folder / path.name).exists():
            files.write(folder / path.name, path.read_bytes())
    show(f"the notebooks are in {folder.resolve()}")
    return folder


@app.command()
def run(
    numbers: Annotated[Optional[list[str]], typer.Argument(metavar="NN", help="Notebooks to run, such as 01; all by default.")] = None,
    profile: Annotated[Profile, typer.Option(help="quick: minutes on a laptop. full: hours on a GPU.")] = Profile.quick,
    dataset: Annotated[Optional[str], typer.Option(help="The data set, or a folder of images. [default: as each notebook says]", show_default=False)] = None,
    seed: Annotated[Optional[int], typer.Option(help="The random seed. [default: as each notebook says]", show_default=False)] = None,
    device: Annotated[Optional[str], typer.Option(help="The device, such as cpu or cuda. [default: as each notebook says]", show_default=False)] = None,
    workers: Annotated[Optional[int], typer.Option(min=1, help="Notebooks to run side by side. [default: as many as there are cores and memory for]", show_default=False)] = None,
    out: Annotated[Path, typer.Option(help="The folder for executed notebooks and the report.")] = Path("build/run"),
    scheduler: Annotated[Optional[str], typer.Option(help="Run on the dask.distributed cluster at this address, such as tcp://host:8786.")] = None,
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


@app.command()
def grade(
    submissions: Annotated[Path, typer.Argument(help="A folder or zip of submitted notebooks; or the word doctor: which walls hold here?")],
    out: Annotated[Path, typer.Option(help="The folder for marks, feedback and the gradebook; a run that was stopped goes on there.")] = Path("grades"),
    course: Annotated[Optional[str], typer.Option(help="The rules of the class, a TOML file or its NAME: limits, weights, deadlines.", show_default=False)] = None,
    seed: Annotated[Optional[int], typer.Option(min=0, help="The secret seed of the probes. [default: drawn once, kept in OUT]", show_default=False)] = None,
    workers: Annotated[Optional[int], typer.Option(min=1, help="Submissions to grade side by side. [default: one per core]", show_default=False)] = None,
    scheduler: Annotated[Optional[str], typer.Option(help="Grade on the dask.distributed cluster at this address, such as tcp://host:8786.")] = None,
    nbgrader: Annotated[Optional[str], typer.Option(help="Write the marks into nbgrader's gradebook, too, such as sqlite:///gradebook.db.", show_default=False)] = None,
    unsafe: Annotated[bool, typer.Option("--unsafe", help="Run students' code without walls. The marks will say so.")] = False,
):
    """Grade a class: run students' functions in boxes, and write marks and feedback."""
    with plain_errors():
        if str(submissions) == "doctor":
            grade_doctor()
            return
        from advcourse.grading import collect, reports, run
        from advcourse.grading import course as courses
        from advcourse.grading.walls import Limits

        rules = courses.load(courses.find(course)) if course else None
        limits = Limits(seconds=rules.limits.seconds, memory=rules.limits.memory_mb << 20) if rules else Limits()
        if seed is None and rules and rules.secret:
            seed = run.seed_of(rules.secret)
        found = collect.collect(submissions)
        with grading_bar(len(found)) as on_graded:
            graded = run.grade_class(found, out, limits=limits, seed=seed, workers=workers or len(os.sched_getaffinity(0)),
                                     scheduler=scheduler, walled=not unsafe, personal=bool(rules and rules.personal), on_graded=on_graded)
        reports.write(graded, out, course=rules.name if rules else "")
        if rules:
            files.write(out / "totals.csv", reports.totals_table(rules, graded))
        if nbgrader:
            from advcourse.grading.nbgrader_gradebook import write_gradebook

            write_gradebook(reports.rows(graded), nbgrader)
    open_ones = [one for one in graded if one.is_open]
    for one in open_ones:
        complain(f"{one.student}, notebook {one.notebook}, is still to be graded: {one.problem}")
    show(f"{len(graded)} notebooks graded: {(out / 'index.html').resolve()}")
    if open_ones:
        raise typer.Exit(1)


def grade_doctor():
    """Try every wall of the box on this machine, and say which hold."""
    from advcourse.grading import proof

    table = Table("wall", "state")
    walls = proof.report()
    for name, holds in walls.items():
        table.add_row(name, "[green]✓ holds[/]" if holds else "[red]✗ does not hold[/]")
    Console().print(table)
    if not all(walls.values()):
        raise typer.Exit(1)


@contextmanager
def grading_bar(total):
    """A progress bar with an estimate; gives a function to call with every Graded, or None for one graded before."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("grading"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("· left"), TimeRemainingColumn(),
               TextColumn("{task.fields[latest]}"))
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=total, latest="")

        def on_graded(graded):
            latest = f"{graded.student[:30]} {graded.notebook}" if graded else ""
            progress.update(task, advance=1, latest=escape(latest))

        yield on_graded


@app.command()
def build(
    check: Annotated[bool, typer.Option("--check", help="Only say which built notebooks are stale.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Execute those, too, that are not stale.")] = False,
    grader: Annotated[Optional[Grader], typer.Option("--for", help="Make a course folder for this grader instead.", show_default=False)] = None,
    out: Annotated[Optional[Path], typer.Option(help="With --for: the folder to make. [default: build/GRADER]", show_default=False)] = None,
    seed: Annotated[Optional[int], typer.Option(help="With --for: the seed of the hidden tests, for you to keep. [default: 1]", show_default=False)] = None,
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
    show(f"next, in {out}: " + (f"nbgrader generate_assignment {name}" if grader == "nbgrader" else f"otter assign {name}/{name}.ipynb dist/{name}"))


@app.command()
def release(
    course: Annotated[str, typer.Option(help="The rules of the class: a TOML file, or the NAME of NAME.toml or NAME/course.toml.")],
    students: Annotated[Path, typer.Option(help="The roster, a CSV file with the columns student and name.")],
    out: Annotated[Path, typer.Option(help="The folder for the students' folders and zips.")] = Path("build/release"),
):
    """Make every student's own notebooks, with a README, ready to be handed out. What is there already is left as it is."""
    with plain_errors():
        from rich.progress import track

        from advcourse.grading import course as courses
        from advcourse.grading import release

        rules, roster = courses.load(courses.find(course)), release.roster(students)
        source = (checkout() or PACKAGE) / "notebooks"
        console, written, kept = Console(), 0, 0
        made = release.release(rules, roster, source, out)
        for _, new, old in track(made, "students", total=len(roster), console=console, disable=not console.is_terminal):
            written, kept = written + new, kept + old
    show(f"{len(roster)} students, {written} files written" + (f", {kept} kept as they were" if kept else "") + f": {out.resolve()}")


@app.command()
def doctor():
    """Look at what is installed, which device and data there are, and whether the network is there."""
    from advcourse.doctor import report

    table = Table("what", "state", "detail")
    for row in report():
        table.add_row(escape(row.what), MARKS[row.state], escape(row.detail))
    Console().print(table)


@data_app.command("list")
def list_data():
    """List the data sets, and say which of them are here."""
    with plain_errors():
        from advcourse import data
        from advcourse.doctor import data_set

        table = Table("data set", "state", "detail")
        for name in data.names():
            state, detail = data_set(name)
            table.add_row(name, MARKS[state], escape(detail))
        Console().print(table)


@data_app.command("get")
def get_data(names: Annotated[list[str], typer.Argument(help="Data sets, such as mnist.")]):
    """Download data sets, where they are not here yet."""
    with plain_errors():
        from advcourse import data

        for name in names:
            show(data.load(name).card)


@data_app.command("verify")
def verify_data(names: Annotated[Optional[list[str]], typer.Argument(help="Data sets; all by default.")] = None):
    """Compare the files of data sets with their checksums, without downloading any."""
    with plain_errors():
        from advcourse import data

        verify_each(names or data.names(), data.verify)


def verify_each(names, verify):
    """Call `verify` on every name and say what it found; exit code 1 where one is not as it should be."""
    wrong = 0
    for name in names:
        try:
            verify(name)
            show(f"{name}: as it should be")
        except (ValueError, RuntimeError, OSError) as error:
            complain(f"{name}: {error}")
            wrong += 1
    if wrong:
        raise typer.Exit(1)


@zoo_app.command("list")
def list_zoo():
    """List the trained networks and how often they are right."""
    with plain_errors():
        from advcourse import zoo

        table = Table("network", "parameters", "test accuracy", "trained on")
        for name in zoo.names():
            card = zoo.card(name)
            table.add_row(name, f"{card['parameters']:,}", f"{card['test_accuracy']:.2%}", escape(card["data"]["card"]))
        Console().print(table)


@zoo_app.command("train")
def train_zoo(name: Annotated[str, typer.Argument(help="The network, such as mnist-cnn.")]):
    """Train a network of the zoo anew, and put it in the place of the shipped one."""
    with plain_errors():
        from advcourse import zoo

        card = zoo.train(name)
        show(f"{name}: right on {card['test_accuracy']:.2%} of the test images of {card['data']['name']}")


@zoo_app.command("verify")
def verify_zoo(names: Annotated[Optional[list[str]], typer.Argument(help="Networks; all by default.")] = None):
    """Compare the files of networks with their checksums, and their accuracy with what their cards say."""
    with plain_errors():
        from advcourse import zoo

        verify_each(names or zoo.names(), zoo.verify)
