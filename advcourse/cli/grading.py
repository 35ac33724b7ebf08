"""`advcourse grade` and `advcourse release`: a class."""

import sys
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from advcourse import files
from advcourse.cli.lab import course_folder
from advcourse.cli.screen import complain, grading_bar, plain_errors, show, warn
from advcourse.device import cores
from advcourse.grading.box.elsewhere import remedy

MOST_SHOWN = 20  # lines of a kind


def grade(
    submissions: Annotated[Path, typer.Argument(help="A folder or zip of submitted notebooks; or the word doctor: "
                                                     "which walls hold here?")],
    out: Annotated[Path, typer.Option(help="The folder for marks, feedback and the gradebook; "
                                           "a run that was stopped goes on there.")] = Path("grades"),
    course: Annotated[str | None, typer.Option(help="The rules of the class, a TOML file or its NAME: "
                                                    "limits, weights, deadlines.", show_default=False)] = None,
    students: Annotated[Path | None, typer.Option(help="The roster: a CSV file with the columns student and name, or "
                                                       "what the learning platform exports.",
                                                  show_default=False)] = None,
    times: Annotated[Path | None, typer.Option(help="When notebooks were handed in, in place of all dates: a CSV file "
                                                    "with the columns student, notebook and time.",
                                               show_default=False)] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="The secret seed of the probes, of 20 digits or more. "
                                                         "\\[default: drawn once, kept in OUT]",
                                             show_default=False)] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Submissions to grade side by side. "
                                                            "\\[default: one per core]", show_default=False)] = None,
    scheduler: Annotated[str | None, typer.Option(help="Grade on the dask.distributed cluster at this address, such as "
                                                       "tcp://host:8786.")] = None,
    nbgrader: Annotated[str | None, typer.Option(help="Write the marks into nbgrader's gradebook, too, such as "
                                                      "sqlite:///gradebook.db.", show_default=False)] = None,
    fill: Annotated[list[Path] | None, typer.Option(help="A gradebook that Moodle or Canvas exported; a copy with the "
                                                         "marks in it goes to OUT/filled, to be imported there.",
                                                    show_default=False)] = None,
    regrade: Annotated[list[str] | None, typer.Option(metavar="NUMBER", help="Judge this exercise again, such as 01.3.",
                                                      show_default=False)] = None,
    anonymous: Annotated[bool, typer.Option("--anonymous", help="Write all reports without names, too, into "
                                                                "OUT/anonymous; OUT/key.csv undoes it.")] = False,
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
        from advcourse.exercises.catalogue import get
        from advcourse.exercises.display import count
        from advcourse.grading import course as courses
        from advcourse.grading import run
        from advcourse.grading.box.limits import Limits
        from advcourse.grading.reading.roster import read_roster
        from advcourse.grading.reading.submissions import collect
        from advcourse.grading.reading.times import read_times
        from advcourse.grading.reports import platforms

        rules = courses.load(courses.find(course)) if course else None
        limits = Limits(seconds=rules.limits.seconds, memory=rules.limits.memory_mb << 20) if rules else Limits()
        if seed is not None:
            run.require_strong(seed)
        elif rules and rules.secret:
            seed = run.seed_of(rules.secret)
        again = {get(number).number for number in regrade or ()}
        roster = read_roster(students) if students else []
        if rules:
            check_rules(rules, roster)
        personal = bool(rules and rules.personal)
        found = collect(submissions, roster, read_times(times) if times else {}, personal=personal)
        if not found:
            raise ValueError(f"nothing that students handed in was found in {submissions}")
        tell(found, roster, rules)
        files.require_folder(out)
        by_hand = overrides(out, found, rules, roster)
        for path in fill or ():  # before the work: it may be refused
            platforms.read_gradebook(path, {one.notebook for one in found})
        with grading_bar(len(found)) as on_graded:
            graded = run.grade_class(found, out, limits=limits, seed=seed,
                                     workers=workers or cores(),
                                     scheduler=scheduler, walled=not unsafe, personal=personal,
                                     regrade=again, on_graded=on_graded)
        older = run.left_out(out, graded)
        graded = with_people(graded, by_hand, rules)
        write(graded, out, rules, roster, nbgrader=nbgrader, fill=fill or (), without_names=anonymous)
    open_ones = [one for one in graded if one.is_open]
    for one in open_ones:
        complain(f"{one.student}, notebook {one.notebook}, is still to be graded: {one.problem}")
    if older:
        show(f"{len(older)} of earlier runs, which are not in {submissions}, are left out (the gradebook keeps them): "
             f"{some(f'{student}, notebook {notebook}' for student, notebook in older)}")
    unreadable = sum(one.pending == "unreadable" for one in graded)
    also = f", {unreadable} of them unreadable" if unreadable else ""
    show(f"{count(len(graded), 'notebook')} graded{also}: {(out / 'index.html').resolve()}")
    if open_ones:
        raise typer.Exit(1)


def check_rules(rules, roster):
    """ValueError where the rules of a course need a roster, or another one."""
    from advcourse.grading.reading.roster import require_known

    if roster:
        require_known(rules, roster)
    elif rules.personal:
        raise ValueError(f"{rules.name} has personal = true: the order of everybody's choices is that of the roster's "
                         "ids, so give it the roster with --students")


def tell(found, roster, rules):
    """Say what a person should look at before marks go out: whose files are whose, who is missing, what is late."""
    from advcourse.grading.reading import lateness
    from advcourse.grading.reading.submissions import missing

    flags = [f"{one.student}, notebook {one.notebook or '?'}: {flag}" for one in found for flag in one.flags]
    for line in flags[:MOST_SHOWN]:
        warn(line)
    if len(flags) > MOST_SHOWN:
        warn(f"and {len(flags) - MOST_SHOWN} more of this kind, which stand on the pages")
    for line in lateness.doubtful(rules, found) if rules else []:
        warn(line)
    for does, named in rules.named().items() if rules and not roster else ():
        if unheard := named - {one.student for one in found}:
            warn(f"{rules.name} {does} {some(map(repr, sorted(unheard)))}, of whom nothing was found: are they written "
                 "as their files are? With --students they may be called by the roster's ids")
    for notebook, absent in missing(roster, found, sorted({one.notebook for one in found} - {""})).items():
        if absent:
            show(f"notebook {notebook}: nothing from {len(absent)} of {len(roster)}: "
                 f"{some(student.id for student in absent)}")


def some(names):
    """As many names as anyone will read."""
    names = list(names)
    return ", ".join(names[:MOST_SHOWN]) + (f" and {len(names) - MOST_SHOWN} more" if len(names) > MOST_SHOWN else "")


def overrides(out, found, rules, roster):
    """What a person set in OUT/overrides.csv; every wrong row is told, and with one of them nothing is done."""
    from advcourse.grading.overrides import EMPTY, read_overrides
    from advcourse.grading.reports.anonymous import read_key
    from advcourse.grading.reports.safe_text import cell

    path = out / "overrides.csv"
    if not path.exists():
        files.write(path, EMPTY)
    names = Counter(student.name for student in roster)
    students = {student.name: student.id for student in roster if names[student.name] == 1}
    students |= {student.id: student.id for student in roster} | {one.student: one.student for one in found}
    students |= {member: member for members in (rules.groups.values() if rules else ()) for member in members}
    key = read_key(out / "key.csv")
    students |= {key[cell(student)]: student for student in students.values() if cell(student) in key}
    set_by_hand, problems = read_overrides(path, students)
    for problem in problems:
        complain(problem)
    if problems:
        raise typer.Exit(1)
    return set_by_hand


def with_people(graded, set_by_hand, rules):
    """The Graded of everybody: groups get their file's marks, and what a person set counts."""
    from advcourse.grading.groups import with_groups
    from advcourse.grading.overrides import with_overrides

    return with_overrides(with_groups(graded, rules.groups if rules else {}), set_by_hand)


def write(graded, out, rules, roster, *, nbgrader, fill, without_names):
    """Write all that people and other programs read of a graded class."""
    from advcourse.grading.reports import anonymous, folder, platforms, tables
    from advcourse.grading.reports.standings import standings

    everybody = standings(graded, rules, roster)
    folder.write(everybody, out, rules)
    if without_names:
        codes = anonymous.with_key(everybody, out / "key.csv")
        folder.write(anonymous.anonymous(everybody, codes), out / "anonymous", rules)
    for path in fill:
        text, told = platforms.filled(path, everybody)
        for line in told:
            warn(line)
        files.write(out / "filled" / path.name, text)
        show(f"filled in: {(out / 'filled' / path.name).resolve()}")
    if nbgrader:
        from advcourse.grading.reports.nbgrader_gradebook import write_gradebook

        write_gradebook(tables.rows(everybody), nbgrader)


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
    students: Annotated[Path, typer.Option(help="The roster: a CSV file with the columns student and name, or "
                                                "what the learning platform exports.")],
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
