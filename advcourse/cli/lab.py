"""`advcourse lab`: the notebooks, opened."""

from pathlib import Path

import typer

from advcourse.cli.screen import plain_errors, show
from advcourse.files import PACKAGE, checkout

COPIES = "advcourse-notebooks"


def lab(context: typer.Context):
    """Open JupyterLab on your copies of the notebooks. Further options go to JupyterLab, such as --port 9999."""
    with plain_errors():
        from jupyterlab import labapp  # first of all: where it is missing, nothing is copied

        folder = students_copies()
    labapp.main([f"--ServerApp.root_dir={folder.resolve()}", *context.args])


def copies_folder():
    """Where the student works: in the clone's root, else in the working directory, or that itself: JupyterLab's
    terminals open in it."""
    if checkout():
        return checkout() / COPIES
    return Path.cwd() if Path.cwd().name == COPIES else Path.cwd() / COPIES


def course_folder():
    """Where the course's own notebooks are: in the clone, or in the installed package."""
    return (checkout() or PACKAGE) / "notebooks"


def students_copies():
    """The folder of the student's copies, all there, and up to date where there is no work in them."""
    from advcourse.pipeline import copies

    folder = copies_folder()
    kept, unreadable = copies.update(course_folder(), folder)
    show(f"the notebooks are in {folder.resolve()}")
    if kept:
        show(f"the course has another version of {', '.join(kept)}; yours has work in it and was kept")
    if unreadable:
        show(f"{', '.join(unreadable)} cannot be read as a notebook, and was kept")
    if renamed := [*kept, *unreadable]:
        show(f"to get the course's, rename yours, say my_{renamed[0]}, and start again")
    return folder
