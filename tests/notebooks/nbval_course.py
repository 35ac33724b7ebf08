"""What nbval lacks for this course, as a pytest plugin: `pytest --nbval -p nbval_course`.

Outputs may take a minute to arrive, measured numbers may differ a little between processors, what tells the outcome of
a guess lies beside the tests and not in the notebook, an error is one in the cells with work to do, too, and what the cells
said to programs is kept for tests.
"""

import html
import json
import math
import re

import nbformat
from nbval.plugin import IPyNbCell

from advcourse.pipeline import told

MIME = "application/vnd.advcourse+json"
VARIES = "varies-by-processor"  # the tag of a cell whose result hangs on the last bit of a long computation
OUTPUT_TIMEOUT = 60  # seconds; nbval's own 5 are fixed, and too few on a busy machine
NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[-+]?\d+)?(?!\w)")


class Text(str):
    """Text that equals another where all but its numbers is the same, and its numbers are close."""

    __hash__ = None

    def __eq__(self, other):
        close = all(math.isclose(float(a), float(b), rel_tol=0.1, abs_tol=1e-3)
                    for a, b in zip(NUMBER.findall(self), NUMBER.findall(other), strict=False))
        return NUMBER.sub("#", self) == NUMBER.sub("#", other) and close

    def __ne__(self, other):
        return not self == other


def comparable(output):
    """An output as it is compared: the number in a claim may move inside the claim's band, and nowhere else."""
    payload = output.get("data", {}).get(MIME, {})
    if payload.get("kind") != "claim":
        return output
    data = dict(output["data"])
    said = payload["sentence"].format(value=payload["value"])
    for kind, as_shown in (("text/plain", str), ("text/html", html.escape)):
        data[kind] = data.get(kind, "").replace(as_shown(said), as_shown(payload["sentence"]))
    data[MIME] = {**payload, "value": None, "holds": payload["low"] <= payload["value"] <= payload["high"]}
    return nbformat.from_dict({**output, "data": data})


def outline(output):
    """Of an output that varies only its kinds count: a figure is a figure. A claim must hold all the same."""
    if output.get("data", {}).get(MIME, {}).get("kind") == "claim":
        return comparable(output)
    return nbformat.from_dict({**output, **({"data": dict.fromkeys(output["data"], "")} if "data" in output
                                            else {"text": ""})})


def pytest_addoption(parser):
    parser.addoption("--nbval-keep", help="Write what the cells said to programs to this file, as a list in JSON.")


def pytest_configure(config):
    sanitize, compare = IPyNbCell.sanitize, IPyNbCell.compare_outputs

    def sanitize_to_text(self, value):
        return Text(sanitize(self, value if isinstance(value, str) else json.dumps(value, sort_keys=True)))

    def compare_comparable(self, test, ref, skip_compare=None):
        seen_as = outline if VARIES in self.cell.metadata.get("tags", []) else comparable
        test, ref = [[seen_as(output) for output in outputs] for outputs in (test, ref)]
        return compare(self, test, ref, skip_compare)

    IPyNbCell.sanitize, IPyNbCell.compare_outputs = sanitize_to_text, compare_comparable


def stored(item):
    """A cell that tells the outcome of a guess, as the build left it."""
    place = told.place(item.path.stem, item.path.parents[1])
    [cell] = [cell for cell in nbformat.read(place, as_version=4).cells if cell.id == item.cell.id]
    return cell


def pytest_itemcollected(item):
    item.output_timeout = OUTPUT_TIMEOUT
    item.options["check_exception"] = False
    if told.tells(item.cell):
        item.cell.outputs, item.cell.execution_count = stored(item).outputs, stored(item).execution_count


def pytest_sessionfinish(session):
    if session.config.option.nbval_keep:
        outputs = [output for item in session.items for output in item.test_outputs or []]
        payloads = [output["data"][MIME] for output in outputs if MIME in output.get("data", {})]
        with open(session.config.option.nbval_keep, "w") as file:
            json.dump(payloads, file)
