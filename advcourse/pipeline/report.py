"""From executed notebooks to one page: what ran, what it claims, what was solved, and every figure."""

import base64
import json
import os
import platform
from dataclasses import dataclass
from datetime import datetime
from html.parser import HTMLParser

import jinja2

from advcourse.files import PACKAGE
from advcourse.version import __version__

# What notebooks say to programs stands beside what they say to people, under this type.
PAYLOAD = "application/vnd.advcourse+json"
BANDS_MEASURED_IN = "quick"  # the profile of benchmarks/results/claims.json
PICTURES = ("image/png", "image/jpeg", "image/gif", "image/svg+xml")


@dataclass(frozen=True)
class Figure:
    """A picture among a notebook's outputs, ready for an <img>."""

    source: str  # a data: address
    alt: str
    width: str = ""  # CSS pixels; empty where the notebook does not say


def payloads(notebook, kind):
    """What the executed `notebook` (as a dict) left for programs: the payloads of this kind, in order."""
    found = [output["data"][PAYLOAD] for output in outputs(notebook) if PAYLOAD in output.get("data", {})]
    return [payload for payload in found if isinstance(payload, dict) and payload.get("kind") == kind]


def outputs(notebook):
    """All outputs of all code cells, in order."""
    return [output for cell in notebook["cells"] for output in cell.get("outputs", [])]


def verdicts(notebook):
    """The last verdict on every exercise, by the exercise's number: an exercise may be checked again and again."""
    last = {str(payload.get("exercise")): payload for payload in payloads(notebook, "verdict")}
    return [last[number] for number in sorted(last)]


def claims(notebook):
    """The claims, each with the sentence as it was `said`, with the measured value in it, and with its `band`.

    That is "measured" or, in a profile in which nobody measured the bands, "not measured in full".
    """
    profiles = [start.get("profile") for start in payloads(notebook, "start")] or [BANDS_MEASURED_IN]
    band = "measured" if profiles[-1] == BANDS_MEASURED_IN else f"not measured in {profiles[-1]}"
    return [claim | {"said": say(claim), "band": band} for claim in payloads(notebook, "claim")]


def say(claim):
    """The claim's sentence with the measured value in it."""
    try:
        return claim["sentence"].format(value=claim["value"])
    except (KeyError, IndexError, ValueError, AttributeError, TypeError):  # a student may have written it
        return str(claim.get("sentence", ""))


def title(notebook):
    """The notebook's first heading, or an empty string."""
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            for line in text_of(cell["source"]).splitlines():
                if line.startswith("# "):
                    return line[2:].strip()
    return ""


def figures(notebook):
    """Every picture among the outputs once: as it stands in their HTML, else as an image."""
    found = []
    for output in outputs(notebook):
        data, about = output.get("data", {}), output.get("metadata", {})
        reader = PictureReader()
        reader.feed(text_of(data.get("text/html", "")))
        found += reader.figures
        if (types := [kind for kind in PICTURES if kind in data]) and not reader.figures:
            kind = types[0]
            about = about | about.get(kind, {})
            found.append(Figure(data_address(kind, text_of(data[kind])), about.get("alt", ""), about.get("width", "")))
    return found


class PictureReader(HTMLParser):
    """Collects the embedded pictures of a piece of HTML."""

    def __init__(self):
        super().__init__()
        self.figures = []

    def handle_starttag(self, tag, attributes):
        attributes = {name: value or "" for name, value in attributes}
        if tag == "img" and attributes.get("src", "").startswith(tuple(f"data:{kind}" for kind in PICTURES)):
            self.figures.append(Figure(attributes["src"], attributes.get("alt", ""), attributes.get("width", "")))


def data_address(kind, content):
    """The data: address of a picture as notebooks keep it: SVG as text, all others in base64."""
    if kind == "image/svg+xml":
        content = base64.b64encode(content.encode()).decode()
    return f"data:{kind};base64,{''.join(content.split())}"


def text_of(lines):
    """Notebooks keep a text as a string or as a list of lines."""
    return lines if isinstance(lines, str) else "".join(lines)


def duration(seconds):
    """A time for people: "8.3 s", "2 min 05 s"."""
    return f"{seconds:.1f} s" if seconds < 60 else f"{int(seconds) // 60} min {int(seconds) % 60:02d} s"


def significant(number):
    """A measured number for people: four digits that count; anything else as it is."""
    return f"{number:.4g}" if isinstance(number, int | float) else number


def outside(results):
    """A line for every claim whose value lies outside a measured band: the notebook's name and what it said."""
    return [f"{result.name}: {claim['said']} (measured {significant(claim.get('value'))}, "
            f"expected {significant(claim.get('low'))} to {significant(claim.get('high'))})"
            for result in results for claim in claims(json.loads(result.notebook))
            if claim["band"] == "measured" and not claim.get("holds")]


def page(results, parameters, seconds, not_run=()):
    """The report on these Results as the text of one HTML page that needs no other file.

    parameters: what the notebooks were given; seconds: how long they took together; not_run: names of notebooks that
    should have run, too, when the run was interrupted
    """
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"duration": duration, "significant": significant}
    template = environment.from_string((PACKAGE / "pipeline" / "report.html.j2").read_text("utf-8"))
    runs = []
    for result in results:
        notebook = json.loads(result.notebook)
        runs.append({"result": result, "title": title(notebook) or result.name, "start": payloads(notebook, "start"),
                     "verdicts": verdicts(notebook), "claims": claims(notebook), "figures": figures(notebook),
                     "outside": len(outside([result]))})
    return template.render(
        runs=runs, not_run=not_run, parameters=parameters, seconds=seconds, version=__version__,
        made=datetime.now().astimezone(),
        machine=f"{platform.system()} {platform.machine()}, Python {platform.python_version()}, {os.cpu_count()} cores")
