"""What an audit found, in words, as a picture and as a file."""

import html
from dataclasses import dataclass, field
from pathlib import Path

from advcourse import files


@dataclass(frozen=True)
class Finding:
    """One test: what ought to be true, whether it is (None where it could not be tested), and what was measured."""

    test: str
    passed: bool | None
    measured: str
    advice: str = ""  # where it failed: what that means, and which attack to try

    def __str__(self):
        mark = {True: "ok  ", False: "FAIL", None: "  – "}[self.passed]
        return f"{mark} {self.test}: {self.measured}" + (f"\n       {self.advice}" if self.passed is False else "")


@dataclass(frozen=True)
class Audit:
    """What `audit` found. Printed it is a short report; `figure` draws it, `write` leaves it as a file."""

    findings: tuple[Finding, ...]
    accuracies: dict[str, float]  # attack: the accuracy that it leaves, the share of all images
    norm: str
    eps: float
    images: int
    curves: dict = field(repr=False)  # what `figure` draws

    @property
    def passed(self) -> bool:
        """Whether no test failed: the attacks saw what they needed; their failures say something about the model."""
        return all(finding.passed is not False for finding in self.findings)

    @property
    def failed(self) -> tuple[Finding, ...]:
        """The findings of the tests that failed."""
        return tuple(finding for finding in self.findings if finding.passed is False)

    @property
    def accuracy(self) -> float:
        """The lowest accuracy that any of the attacks left: what may be said of the model at most."""
        return min(self.accuracies.values())

    def __str__(self):
        verdict = "passed"
        if not self.passed:
            verdict = f"{len(self.failed)} of {len(self.findings)} tests failed: do not believe the gradient attack"
        left = ", ".join(f"{name} {value:.0%}" for name, value in self.accuracies.items())
        return "\n".join([f"audit ({self.norm}, eps {self.eps:g}, {self.images} images): {verdict}",
                          *map(str, self.findings), f"accuracy left: {left}"])

    def figure(self):
        """Three panels: accuracy against eps, accuracy against steps, the loss of some images along the attack."""
        from advcourse import plots  # with matplotlib, which is heavy

        figure, panels = plots.grid(1, 3, width=3.1, height=2.4)
        panels, curves = panels[0], self.curves
        for panel, setting, label in ((panels[0], "eps", f"ε ({self.norm})"),
                                      (panels[1], "steps", "steps of the gradient attack")):
            ticks = curves[setting]
            plots.curves(range(len(ticks)), {"gradient": curves[f"against {setting}"]}, label,
                         "accuracy" if setting == "eps" else "", panel,
                         ylim=(-0.03, 1.03), xticks=range(len(ticks)), xticklabels=[f"{tick:.3g}" for tick in ticks])
        panels[0].set_title("larger ε")
        panels[1].set_title("more steps")
        for curve in curves["losses"]:
            panels[2].plot(curve, color=plots.COLOURS[0], alpha=0.4, linewidth=0.8)
        panels[2].set(xlabel="step", ylabel="loss", title="the loss of each image")
        panels[2].spines[["top", "right"]].set_visible(False)
        return figure

    def alt(self) -> str:
        """The figure in words."""
        eps, against_eps, against_steps = (self.curves[name] for name in ("eps", "against eps", "against steps"))
        return (f"Accuracy under the gradient attack from {against_eps[0]:.0%} at ε {eps[0]:.2g} to "
                f"{against_eps[-1]:.0%} at {eps[-1]:.2g}; with more steps from {against_steps[0]:.0%} to "
                f"{against_steps[-1]:.0%}; the loss of single images along the attack.")

    def write(self, path: str | Path, title: str = "Audit") -> Path:
        """Write the report with its picture as one HTML file, and return its path."""
        from advcourse import plots

        left = ", ".join(f"{name} {value:.1%}" for name, value in self.accuracies.items())
        page = ('<!doctype html>\n<html lang="en"><meta charset="utf-8">'
                f"<title>{html.escape(title)}</title>\n<h1>{html.escape(title)}</h1>\n"
                f"<p>{html.escape(str(self).splitlines()[0])}</p>\n"
                f"<table>\n{''.join(map(_row, self.findings))}</table>\n<p>Accuracy left: {html.escape(left)}.</p>\n"
                f"{plots.picture(self.figure(), title, self.alt())}\n</html>\n")
        files.write(path := Path(path), page)
        return path


def _row(finding):
    """A finding as a row of the report's table."""
    mark = "–" if finding.passed is None else "ok" if finding.passed else "<b>FAIL</b>"
    advice = f"<br><b>{html.escape(finding.advice)}</b>" if finding.passed is False else ""
    cells = mark, html.escape(finding.test), html.escape(finding.measured) + advice
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>\n"
