"""How verdicts look: rich in a notebook, plain text elsewhere, and machine-readable beside both."""

import html as html_module
import re
import sys

from advcourse.exercises.engine import Verdict

MIME = "application/vnd.advcourse+json"
# Okabe and Ito's colours, of enough contrast on white and on black; the symbols say the same without colour.
SYMBOLS = {"passed": "✓", "wrong": "✗", "not attempted": "○"}
COLOURS = {"passed": "0,158,115", "wrong": "213,94,0", "not attempted": "128,128,128"}


def emit(payload: dict | None, text: str, html: str | None = None, markdown: str | None = None) -> None:
    """Show `text`: in a notebook as `html` or `markdown` where given, with `payload` (a dict or None) for programs.

    Outside IPython the text is printed.
    """
    # IPython is imported only where it already runs: elsewhere it would cost a second for nothing.
    ipython = sys.modules.get("IPython")
    if ipython is None or ipython.get_ipython() is None:
        print(text)
        return
    from IPython.display import display

    bundle = {"text/html": html, "text/markdown": markdown, "text/plain": text, MIME: payload}
    display({mime: data for mime, data in bundle.items() if data is not None}, raw=True)


def show_verdict(verdict: Verdict) -> None:
    """Show a Verdict."""
    payload = {"kind": "verdict", "exercise": verdict.number, "title": verdict.title, "state": verdict.state,
               "points": verdict.points, "maximum": verdict.maximum}
    emit(payload, verdict_text(verdict), verdict_html(verdict))


def verdict_text(verdict: Verdict) -> str:
    """A Verdict in plain text."""
    lines = []
    for sentence, message in _failures_first(verdict):
        lines.append(f"✓ {sentence}" if message is None else f"✗ {sentence}: {message}")
    details = [line for line in (verdict.message, *lines, verdict.advice) if line]
    return "\n  ".join([f"{SYMBOLS[verdict.state]} {verdict.number} {verdict.title}: {_score(verdict)}", *details])


def verdict_html(verdict: Verdict) -> str:
    """A Verdict as an HTML card that takes its text colour from the theme around it, light or dark."""
    colour = COLOURS[verdict.state]
    head = (f'<div style="display:flex;flex-wrap:wrap;column-gap:1em">'
            f'<span style="flex:1 1 auto">{_symbol(verdict.state)} <b>{_escape(verdict.number)} '
            f'{inline(verdict.title)}</b></span> <span style="opacity:.75">{_score(verdict)}</span></div>')
    body = f'<div style="margin:.25em 0 0 1.5em">{inline(verdict.message)}</div>' if verdict.message else ""
    for sentence, message in _failures_first(verdict):
        told = f'<div style="margin:.05em 0 .2em 1.5em">{inline(message)}</div>' if message else ""
        symbol = _symbol("passed" if message is None else "wrong")
        body += f'<div style="margin-top:.2em">{symbol} {inline(sentence)}{told}</div>'
    foot = f'<div style="margin:.4em 0 0 1.5em;opacity:.75">{inline(verdict.advice)}</div>' if verdict.advice else ""
    return (f'<div role="group" aria-label="{_escape(verdict.number)}: {verdict.state}" style="border-left:4px solid '
            f'rgb({colour});background:rgba({colour},.08);border-radius:4px;padding:.5em .9em;margin:.2em 0;'
            f'max-width:50em;line-height:1.45">{head}{body}{foot}</div>')


def progress_text(notebook: str, verdicts: list[Verdict]) -> str:
    """What is solved of a notebook, in plain text; verdicts: the latest Verdict of each exercise."""
    return "\n".join([_solved(notebook, verdicts), *(f"  {SYMBOLS[v.state]} {v.number} {v.title}" for v in verdicts)])


def progress_html(notebook: str, verdicts: list[Verdict]) -> str:
    """What is solved of a notebook, as a row of pills: one per exercise.

    Made of spans, not SVG: JupyterLab shows no SVG in a notebook that was opened but not yet run.
    """
    pills = "".join(
        f'<span title="{_escape(v.title)}: {v.state}" style="display:inline-block;margin:.15em .4em .15em 0;'
        f'padding:.1em .6em;border:1px solid rgb({COLOURS[v.state]});border-radius:1em;'
        f'background:rgba({COLOURS[v.state]},.12)">{_symbol(v.state)}{_escape(v.number)}</span> ' for v in verdicts)
    return (f'<div role="group" aria-label="{_escape(_solved(notebook, verdicts))}" style="line-height:1.6">'
            f'<div>{_escape(_solved(notebook, verdicts))}</div><div>{pills}</div></div>')


def _solved(notebook, verdicts):
    solved = sum(v.state == "passed" for v in verdicts)
    points, maximum = sum(v.points for v in verdicts), sum(v.maximum for v in verdicts)
    return f"Notebook {notebook}: {solved} of {len(verdicts)} solved · {points} of {count(maximum, 'point')}"


def _failures_first(verdict):
    return sorted(verdict.outcomes.items(), key=lambda outcome: outcome[1] is None)


def _score(verdict):
    if verdict.state == "not attempted":
        return f"not attempted yet · {count(verdict.maximum, 'point')} · about {count(verdict.minutes, 'minute')}"
    return f"{verdict.state} · {verdict.points} of {count(verdict.maximum, 'point')}"


def _symbol(state):
    name = {"passed": "holds", "wrong": "does not hold", "not attempted": "open"}[state]
    return (f'<span role="img" aria-label="{name}" style="color:rgb({COLOURS[state]});font-weight:bold;'
            f'display:inline-block;width:1.2em">{SYMBOLS[state]}</span>')


def inline(text: str) -> str:
    """Plain text as HTML, with `code` between backticks and *emphasis* between asterisks."""
    parts = re.split(r"`([^`]+)`", _escape(text))
    for place, part in enumerate(parts):
        if place % 2:
            parts[place] = f"<code>{part}</code>"
        else:  # asterisks of a product, as in a * b * c or 2*x*y, are left alone
            parts[place] = re.sub(r"(?<![\w*])\*(?=\S)([^*]*\S)\*(?!\w)", r"<em>\1</em>", part)
    return "".join(parts)


def count(number: int, noun: str) -> str:
    """"1 point", "2 points"."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _escape(text):
    return html_module.escape(text)
