"""`advcourse zoo`: the trained networks that come with the course."""

from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from advcourse.cli.screen import each, plain_errors, show

app = typer.Typer(no_args_is_help=True, help="The trained networks that come with the course.")


@app.command("list")
def list_zoo():
    """List the trained networks and how often they are right."""
    with plain_errors():
        from advcourse import zoo

        table = Table("network", "parameters", "test accuracy", "trained on")
        for name in zoo.names():
            card = zoo.card(name)
            table.add_row(name, f"{card['parameters']:,}", f"{card['test_accuracy']:.2%}", escape(card["data"]["card"]))
        Console().print(table)


@app.command("train")
def train_zoo(name: Annotated[str, typer.Argument(help="The network, such as mnist-cnn.")]):
    """Train a network of the zoo anew, and put it in the place of the shipped one."""
    with plain_errors():
        from advcourse import zoo

        card = zoo.train(name)
        show(f"{name}: right on {card['test_accuracy']:.2%} of the test images of {card['data']['name']}")


@app.command("verify")
def verify_zoo(names: Annotated[list[str] | None, typer.Argument(help="Networks; all by default.")] = None):
    """Compare the files of networks with their checksums, and their accuracy with what their cards say."""
    with plain_errors():
        from advcourse import zoo

        each(names or zoo.names(), lambda name: f"as it should be, right on {zoo.verify(name):.2%} of the test images")
