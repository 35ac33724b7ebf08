"""`advcourse lab`: the notebooks, opened."""

from pathlib import Path

import typer

from advcourse.cli.screen import plain_errors, show
from advcourse.files import PACKAGE, checkout


def lab(context: typer.Context):
    """Open JupyterLab on your copies of the notebooks. Further options go to JupyterLab, such as --port 9999."""
    with plain_errors():
        from jupyterlab import labapp  # first of all: where it is missing, nothing is copied

        folder = students_copies()
    labapp.main([f"--ServerApp.root_dir={folder.resolve()}", *context.args])


def copies_folder():
    """Where the student works: in the clone's root, else in the working directory."""
    return (checkout() or Path()) / "advcourse-notebooks"


def students_copies():
    """The folder of the student's copies, all there, and up to date where there is no work in them."""
    from advcourse.pipeline import copies

    folder = copies_folder()
    kept = copies.update((checkout() or PACKAGE) / "notebooks", folder)
    show(f"the notebooks are in {folder.resolve()}")
    if kept:
        show(f"the course has another version of {', '.join(kept)}; yours has work in it and was kept: to get the "
             "course's, rename yours and start again")
    return folder
