"""`advcourse grade` and `advcourse release`: a class."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from advcourse import files
from advcourse.cli.lab import course_folder
from advcourse.cli.screen import complain, grading_bar, plain_errors, show
from advcourse.device import cores
from advcourse.grading.box.elsewhere import remedy


def grade(
    submissions: Annotated[Path, typer.Argument(help="A folder or zip of submitted notebooks; or the word doctor: "
                                                     "which walls hold here?")],
    out: Annotated[Path, typer.Option(help="The folder for marks, feedback and the gradebook; "
                                           "a run that was stopped goes on there.")] = Path("grades"),
    course: Annotated[str | None, typer.Option(help="The rules of the class, a TOML file or its NAME: "
                                                    "limits, weights, deadlines.", show_default=False)] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="The secret seed of the probes, of 20 digits or more. "
                                                         "\\[default: drawn once, kept in OUT]",
                                    show_default=False)] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Submissions to grade side by side. "
                                                            "\\[default: one per core]", show_default=False)] = None,
    scheduler: Annotated[str | None, typer.Option(help="Grade on the dask.distributed cluster at this address, such as "
                                                       "tcp://host:8786.")] = None,
    nbgrader: Annotated[str | None, typer.Option(help="Write the marks into nbgrader's gradebook, too, such as "
                                                      "sqlite:///gradebook.db.", show_default=False)] = None,
    unsafe: Annotated[bool, typer.Option("--unsafe",
                                         help="Run students' code without walls. The marks will say so.")] = False,
):
    """Grade a class: run students' functions in boxes, and write marks and feedback."""
    with plain_errors():
        if sys.platform != "linux" and not scheduler:
            raise OSError(remedy(sys.platform))
        if str(submissions) == "doctor":
            grade_doctor()
            return
        from advcourse.grading import course as courses
        from advcourse.grading import run
        from advcourse.grading.box.limits import Limits
        from advcourse.grading.reading.submissions import collect

        rules = courses.load(courses.find(course)) if course else None
        limits = Limits(seconds=rules.limits.seconds, memory=rules.limits.memory_mb << 20) if rules else Limits()
        if seed is not None:
            run.require_strong(seed)
        elif rules and rules.secret:
            seed = run.seed_of(rules.secret)
        found = collect(submissions)
        files.require_folder(out)
        with grading_bar(len(found)) as on_graded:
            graded = run.grade_class(found, out, limits=limits, seed=seed,
                                     workers=workers or cores(),
                                     scheduler=scheduler, walled=not unsafe, personal=bool(rules and rules.personal),
                                     on_graded=on_graded)
        write(graded, out, rules, nbgrader)
    open_ones = [one for one in graded if one.is_open]
    for one in open_ones:
        complain(f"{one.student}, notebook {one.notebook}, is still to be graded: {one.problem}")
    show(f"{len(graded)} notebooks graded: {(out / 'index.html').resolve()}")
    if open_ones:
        raise typer.Exit(1)


def write(graded, out, rules, nbgrader):
    """Write all that people and other programs read of a graded class."""
    from advcourse.grading.reports import folder, tables

    folder.write(graded, out, course=rules.name if rules else "")
    if rules:
        files.write(out / "totals.csv", tables.totals_table(rules, graded))
    if nbgrader:
        from advcourse.grading.reports.nbgrader_gradebook import write_gradebook

        write_gradebook(tables.rows(graded), nbgrader)


def grade_doctor():
    """Try every wall of the box on this machine, and say which hold."""
    from advcourse.grading.box import proof

    table = Table("wall", "state")
    walls = proof.report()
    for name, holds in walls.items():
        table.add_row(name, "[green]✓ holds[/]" if holds else "[red]✗ does not hold[/]")
    Console().print(table)
    if not all(walls.values()):
        raise typer.Exit(1)


def release(
    course: Annotated[str, typer.Option(help="The rules of the class: a TOML file, or the NAME of NAME.toml or "
                                             "NAME/course.toml.")],
    students: Annotated[Path, typer.Option(help="The roster, a CSV file with the columns student and name.")],
    out: Annotated[Path, typer.Option(help="The folder for the students' folders and zips.")] = Path("build/release"),
):
    """Make every student's own notebooks, with a README, ready to be handed out. What is there already is kept."""
    with plain_errors():
        from rich.progress import track

        from advcourse.grading import course as courses
        from advcourse.grading.reading.roster import read_roster
        from advcourse.grading.release import release as hand_out

        rules, roster = courses.load(courses.find(course)), read_roster(students)
        files.require_folder(out)
        console, written, kept = Console(), 0, 0
        made = hand_out(rules, roster, course_folder(), out)
        for _, new, old in track(made, "students", total=len(roster), console=console, disable=not console.is_terminal):
            written, kept = written + new, kept + old
    also = f", {kept} kept as they were" if kept else ""
    show(f"{len(roster)} students, {written} files written{also}: {out.resolve()}")
