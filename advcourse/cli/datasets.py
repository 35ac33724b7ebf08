"""`advcourse data`: the data sets."""

from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from advcourse.cli.screen import MARKS, each, plain_errors

app = typer.Typer(no_args_is_help=True, help="The data sets of the course.")


@app.command("list")
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


@app.command("get")
def get_data(names: Annotated[list[str], typer.Argument(help="Data sets, such as mnist.")]):
    """Download data sets, where they are not here yet."""
    with plain_errors():
        from advcourse import data

        def get(name):
            if name not in data.names():
                raise ValueError(f"there is no such data set; there are {', '.join(data.names())}")
            return data.load(name).card

        each(names, get)


@app.command("verify")
def verify_data(names: Annotated[list[str] | None, typer.Argument(help="Data sets; all by default.")] = None):
    """Compare the files of data sets with their checksums, without downloading any.

    That a data set is not here is wrong only where it is named.
    """
    with plain_errors():
        from advcourse import data

        def verify(name):
            try:
                data.verify(name)
            except data.NotHereError as error:
                if names:
                    raise
                return " ".join(str(error).split())
            return "as it should be"

        each(names or data.names(), verify)
