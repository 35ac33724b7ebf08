"""`advcourse doctor`: what is wrong with this machine."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from advcourse.cli.screen import MARKS


def doctor():
    """Look at what is installed, which device and data there are, and whether the network is there."""
    from advcourse.doctor import report

    table = Table("what", "state", "detail")
    for row in report():
        table.add_row(escape(row.what), MARKS[row.state], escape(row.detail))
    Console().print(table)
