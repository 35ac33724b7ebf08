"""The taxonomy of attacks: for every attack one frozen card with its place on nine axes, its paper and its cost.

Each module of attacks declares its own cards beside its functions, as `CARDS`; `advcourse.attacks` collects them into
one table. The axes are those by which the literature sorts attacks: what it changes, how often it looks, what it wants,
what it knows.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from html import escape


@dataclass(frozen=True)
class AttackCard:
    """One attack's place in the taxonomy; every field is text."""

    name: str  # of the function in advcourse.attacks
    input: str  # "random" where the attack draws random numbers by default, else "non-random"
    frequency: str  # "one-time": one gradient or fewer; "iterative"
    specificity: str  # "targeted", "non-targeted" or "both"
    scope: str  # "individual": one perturbation per image; "universal": one for all
    measurement: str  # the norms that are limited or minimised, or what is limited in their place
    realism: str  # "realistic" where the result is meant to look or to be physically real, else "non-realistic"
    falsification: str  # "type 1": a false alarm; "type 2": a miss; "both"
    knowledge: str  # "white box", "grey box", "black box: scores" or "black box: labels"
    method: str  # the idea in one line
    paper: str  # author, year, arXiv number
    cost: str  # forward and backward passes, as a formula in words
    notebook: str  # in which notebook it is taught, or the attack that it is a variant of: "03"


class Table(list):
    """Rows as dicts of column to text; in a notebook it shows as an HTML table, printed as aligned text."""

    def __repr__(self):
        if not self:
            return "no attacks"
        columns = list(self[0])
        widths = {column: max(len(column), *(len(row[column]) for row in self)) for column in columns}
        lines = [{column: column for column in columns}, {column: "-" * widths[column] for column in columns}, *self]
        return "\n".join("  ".join(line[column].ljust(widths[column]) for column in columns).rstrip() for line in lines)

    def _repr_html_(self):
        columns = list(self[0]) if self else []
        head = "".join(f'<th scope="col">{escape(column)}</th>' for column in columns)
        body = "".join("<tr>" + "".join(f"<td>{escape(row[column])}</td>" for column in columns) + "</tr>\n"
                       for row in self)
        return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody>\n</table>"


def tabulate(cards: Iterable[AttackCard], *columns: str, **where: str) -> Table:
    """The cards whose fields have the values in `where`, a row each.

    columns: which fields; by default all but the notebook.
    Raises ValueError for a field that no card has.
    """
    known = [field.name for field in fields(AttackCard)]
    for name in (*columns, *where):
        if name not in known:
            raise ValueError(f"a card has the fields {', '.join(known)}; got {name!r}")
    shown = columns or [name for name in known if name != "notebook"]
    chosen = [card for card in cards if all(getattr(card, name) == value for name, value in where.items())]
    return Table({column: getattr(card, column) for column in shown} for card in chosen)
