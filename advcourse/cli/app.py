"""The command `advcourse`. What a command needs is imported when it is called: `advcourse --help` answers at once."""

import sys
from typing import Annotated

import typer

from advcourse.cli import building, datasets, doctor, grading, lab, networks, notebooks
from advcourse.cli.screen import show
from advcourse.version import __version__

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_show_locals=False)
app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(lab.lab)
for command in (notebooks.run, grading.grade, building.build, grading.release, doctor.doctor):
    app.command()(command)
app.add_typer(datasets.app, name="data")
app.add_typer(networks.app, name="zoo")


def print_version(asked):
    """The answer to --version."""
    if asked:
        show(f"advcourse {__version__}")
        raise typer.Exit


@app.callback()
def main(version: Annotated[bool, typer.Option("--version", callback=print_version, is_eager=True,
                                               help="Print the version and exit.")] = False):
    """A course workbook on adversarial machine learning."""
    for stream in (sys.stdout, sys.stderr):  # a pipe on Windows may have no letter for ✓
        stream.reconfigure(errors="replace")
