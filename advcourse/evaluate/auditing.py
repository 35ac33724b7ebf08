"""The sanity tests of an evaluation: does a model stand because it is robust, or because the attacks were blind?

A defence that hides its gradient makes attacks fail without being any harder to fool. It gives itself away: attacks
that ought to be weaker do better than attacks that ought to be stronger. `audit` runs these comparisons and says which
of them went wrong. They follow Carlini et al., "On evaluating adversarial robustness", 2019, section 5, and Athalye,
Carlini, Wagner, "Obfuscated gradients give a false sense of security", ICML 2018, section 3.1. To pass them all proves
nothing; to fail one disproves an evaluation.
"""

import html
import itertools
import math
import warnings
from dataclasses import dataclass, field
from pathlib import Path

import torch

from advcourse import attacks, files, plots
from advcourse.attacks import contract, geometry
from advcourse.attacks.losses import cross_entropy, fools, margin
from advcourse.models.inference import device_of, predict

NORMS = ("linf", "l2", "l1")
# Two accuracies that should be in order may stand the wrong way round by this share, or by two images: chance, on few
# of them.
TOLERANCE = 0.06


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

    findings: tuple
    accuracies: dict  # attack: the accuracy that it leaves, the share of all images
    norm: str
    eps: float
    images: int
    curves: dict = field(repr=False)  # what `figure` draws

    @property
    def passed(self):
        """Whether no test failed: the attacks saw what they needed, and their failures say something about the
        model."""
        return all(finding.passed is not False for finding in self.findings)

    @property
    def failed(self):
        """The findings of the tests that failed."""
        return tuple(finding for finding in self.findings if finding.passed is False)

    @property
    def accuracy(self):
        """The lowest accuracy that any of the attacks left: what may be said of the model at most."""
        return min(self.accuracies.values())

    def __str__(self):
        verdict = "passed" if self.passed else f"{len(self.failed)} of {len(self.findings)} tests failed: do not believe the gradient attack"
        lines = [f"audit ({self.norm}, eps {self.eps:g}, {self.images} images): {verdict}", *map(str, self.findings)]
        return "\n".join([*lines, "accuracy left: " + ", ".join(f"{name} {value:.0%}"
                                                                for name, value in self.accuracies.items())])

    def figure(self):
        """Three panels: accuracy against eps, accuracy against steps, the loss of some images along the attack. Returns
        the figure."""
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

    def alt(self):
        """The figure in words."""
        curves = self.curves
        gradient = curves["against eps"]
        return (f"Accuracy under the gradient attack from {gradient[0]:.0%} at ε {curves['eps'][0]:.2g} to "
                f"{gradient[-1]:.0%} at {curves['eps'][-1]:.2g}; "
                f"with more steps from {curves['against steps'][0]:.0%} to {curves['against steps'][-1]:.0%}; the loss "
                "of single images along the attack.")

    def write(self, path, title="Audit"):
        """Write the report with its picture as one HTML file, and return its path."""
        rows = "".join(f"<tr><td>{'–' if f.passed is None else 'ok' if f.passed else '<b>FAIL</b>'}</td><td>{html.escape(f.test)}</td>"
                       f"<td>{html.escape(f.measured)}{'<br><b>' + html.escape(f.advice) + '</b>' if f.passed is False else ''}</td></tr>\n"
                       for f in self.findings)
        left = ", ".join(f"{name} {value:.1%}" for name, value in self.accuracies.items())
        page = ("<!doctype html>\n<html lang=\"en\"><meta "
                f"charset=\"utf-8\"><title>{html.escape(title)}</title>\n<h1>{html.escape(title)}</h1>\n"
                f"<p>{html.escape(str(self).splitlines()[0])}</p>\n<table>\n{rows}</table>\n<p>Accuracy left: "
                f"{html.escape(left)}.</p>\n"
                f"{plots.picture(self.figure(), title, self.alt())}\n</html>\n")
        files.write(path := Path(path), page)
        return path


def audit(model, x, y, *, eps, norm="linf", steps=40, queries=300, surrogate=None, batch_size=250, seed=0):
    """Test whether attacks on a model can be believed: the sanity tests of Carlini et al. (2019) on the images x.

    model: from images in [0, 1], shape (N, C, H, W), to logits (N, K); x: such images, some tens of them; y: their
    labels, shape (N,).
    eps: the radius of the ball in the norm "linf", "l2" or "l1". steps: of the gradient attack, PGD on the
    cross-entropy.
    queries: of the black-box attack, Square. surrogate: another model for the same task, for instance the one without
        the defence, whose adversarial examples are tried on this one. seed: of all random numbers.

    The tests: the answer is the same twice; the gradient is there, is not zero, does not vanish at the images alone,
    and leads further than random steps; the loss rises along the attack; more steps never help less, larger eps never
    helps less, and without a limit nothing stands; no other loss, no search without gradients, no transfer and no noise
    fools more than the gradient does.
    Returns an `Audit`. Costs about 6 · steps forward and backward passes per image and `queries` forward passes; less
    where images fall early.
    """
    contract.check(x, y, eps=eps, norm=norm, norms=NORMS, steps=steps, queries=queries, batch_size=batch_size)
    if len(x) == 0 or eps == 0:
        raise ValueError(f"audit needs at least one image and an eps above 0; got {len(x)} images and eps={eps}")
    device = device_of(model, default=x.device)
    x, y = contract.fresh(x).to(device), y.to(device)
    logits = predict(model, x, batch_size)
    contract.labels_fit(logits, y)
    right = logits.argmax(1) == y
    if not right.any():
        raise ValueError("the model is wrong on every image already: there is nothing to audit")
    run = _Run(model, x[right], y[right], len(x), norm, batch_size, seed)
    with warnings.catch_warnings(), contract.attacking(model):
        warnings.simplefilter("ignore", RuntimeWarning)  # a flat gradient is a finding here
        findings = [_repeats(run), *_gradients(run, eps)]
        curves, more = _attack(run, eps, steps, queries, surrogate)
    return Audit(tuple(findings + more), {"none": len(run.x) / len(x), **run.left}, norm, float(eps), len(x), curves)


class _Run:
    """The images that the model gets right, the attacks on them, and the accuracy that each left."""

    def __init__(self, model, x, y, total, norm, batch_size, seed):
        self.model, self.x, self.y, self.total, self.norm, self.batch_size, self.seed = model, x, y, total, norm, batch_size, seed
        self.left = {}
        self.tolerance = max(TOLERANCE, 2.01 / total)
        self.blind = False  # whether the model's logits carry no gradient

    def generator(self):
        return torch.Generator(self.x.device).manual_seed(self.seed)

    def accuracy(self, attack, name=None):
        """The share of all images still right after attack(x, y, generator) -> x_adv; under `name` it counts as a
        result."""
        if attack is None:
            return None
        generator, standing = self.generator(), 0
        for images, labels in zip(self.x.split(self.batch_size), self.y.split(self.batch_size), strict=True):
            answers = predict(self.model, attack(images, labels, generator), self.batch_size)
            standing += int((~fools(answers, labels)).sum())
        if name:
            self.left[name] = standing / self.total
        return standing / self.total

    def pgd(self, eps, steps, **options):
        """The gradient attack as a function (x, y, generator) -> x_adv; None for a model without gradients."""
        if self.blind:
            return None
        options = {"stop_when_fooled": True} | options
        return lambda x, y, generator: attacks.pgd(self.model, x, y, eps=eps, norm=self.norm, steps=steps,
                                                   generator=generator, **options)


# Looking at the model itself

def _repeats(run):
    """The same images twice."""
    first, second = (predict(run.model, run.x, run.batch_size) for _ in range(2))
    changed = (first - second).abs().amax().item()
    size = (first.amax(1) - first.amin(1)).mean().item()
    return Finding("the same image gets the same answer twice", changed <= 1e-3 * max(size, 1e-12),
                   f"logits differ by up to {changed:.2g}",
                   "The model is random, and a gradient of one call is a gradient of that call only: attack the mean "
                   "over many calls "
                   "(expectation over transformation).")


def _gradients(run, eps):
    """Whether there is a gradient, and whether it leads uphill."""
    there, zero, beside, uphill = ("the logits carry a gradient", "the gradient is not zero", "the gradient does not "
                                                                                              "vanish at the images "
                                                                                              "themselves",
                                   "a step along the gradient beats random steps")
    try:
        gradient = _gradient(run, run.x, cross_entropy)
    except contract.NoGradientError:
        run.blind = True
        return [Finding(there, False, "autograd finds no path from the logits to the image",
                        "Attacks by gradients cannot run at all. Differentiate something like the hidden part in its "
                        "place (BPDA), "
                        "attack another model and transfer, or search by scores (Square)."),
                *(Finding(test, None, "there is none") for test in (zero, beside, uphill))]
    flat = ~gradient.flatten(1).any(1)  # also where it was nan or infinite
    findings = [Finding(there, True, "autograd finds a path from the logits to the image"),
                Finding(zero, bool(flat.double().mean() <= TOLERANCE), f"exactly zero, or no number, on {_share(flat)} "
                                                                       "of the images",
                        "Zero gradients: the attack has nothing to follow. A saturated softmax needs a loss on the "
                        "logits (DLR, Carlini and Wagner), "
                        "a step function needs BPDA; Square and transfer work for both.")]
    near = geometry.random_start(run.x, eps, run.norm, run.generator())
    # of the margin, which does not saturate
    at_image, at_near = (_gradient(run, images, margin).abs() for images in (run.x, near))
    smaller = at_image < at_near / 10
    findings.append(Finding(beside, bool(smaller.double().mean() <= 0.2), f"for {_share(smaller)} of the pixels it is "
                                                                          "ten times larger beside the image",
                            "An attack that starts at the image is blind there: start at random points of the ball, "
                            "several times, or use BPDA."))
    return [*findings, _uphill(run, eps, uphill)]


def _gradient(run, images, loss):
    """The gradient of loss(logits, y) at the images, 0 where it is not finite."""
    return torch.cat([contract.input_gradient(run.model, part, lambda logits, labels=labels: loss(logits, labels))[2]
                      for part, labels in zip(images.split(run.batch_size), run.y.split(run.batch_size), strict=True)])


def _uphill(run, eps, test):
    """The margin after one small and one whole step of the gradient attack, beside random changes of the same size."""
    generator, wins = run.generator(), []

    def margin_at(images):
        return margin(predict(run.model, images, run.batch_size), run.y)

    for size in (eps / 4, eps):
        step = [attacks.pgd(run.model, images, labels, eps=size, norm=run.norm, steps=1, step_size=size,
                            random_start=False)
                for images, labels in zip(run.x.split(run.batch_size), run.y.split(run.batch_size), strict=True)]
        chance = torch.stack([margin_at(_random_change(run.x, size, run.norm, generator)) for _ in range(5)]).amin(0)
        wins.append((margin_at(torch.cat(step)) < chance).double().mean().item())
    # A whole step may leave the part where a robust network is straight: that one is told, not judged.
    return Finding(test, wins[0] >= 0.75, f"beats the best of five on {wins[0]:.0%} of the images at eps / 4, on "
                                          f"{wins[1]:.0%} at eps",
                   "The gradient says little about steps of visible size: it is zero, noise, or shattered by tiny "
                   "waves. Replace the part that "
                   "breaks it (BPDA), average over noise, transfer, or search by scores (Square).")


def _random_change(x, eps, norm, generator):
    """The images after a random change of full size."""
    if norm == "l1":
        return geometry.random_start(x, eps, norm, generator)
    way = torch.randn(x.shape, generator=generator, device=x.device, dtype=x.dtype)
    return geometry.project(x + eps * geometry.normalise(way, norm), x, eps, norm)


# Attacking it

def _attack(run, eps, steps, queries, surrogate):
    """The curves, and the findings of all comparisons between attacks."""
    radii = [eps / 4, eps / 2, eps, _whole_box(run)]
    counts = [1, max(2, steps // 4), steps]
    against_eps = [run.accuracy(run.pgd(radius, steps)) for radius in radii[:-1]]
    unbounded = run.accuracy(run.pgd(radii[-1], steps, restarts=2))
    against_steps = [run.accuracy(run.pgd(eps, count)) for count in counts[:-1]] + against_eps[-1:]
    gradient = against_eps[-1] if not run.blind else None
    if not run.blind:
        run.left["gradient"] = gradient
    noise = run.accuracy(_worst_noise(run, eps), "noise")
    box = run.accuracy(lambda x, y, g: attacks.square(run.model, x, y, eps=eps, norm=run.norm, queries=queries,
                                                      generator=g), "black box")
    other = run.accuracy(None if run.blind else lambda x, y,
                         g: attacks.apgd(run.model, x, y, eps=eps, norm=run.norm, loss="dlr", steps=steps,
                                                                            stop_when_fooled=True, generator=g),
                                                                            "other loss")
    transfer = run.accuracy(_transfer(run, surrogate, eps, steps), "transfer")

    losses = _losses(run, eps, steps)

    findings = [
        _rising(losses),
        _ordered(run, "more steps never help less", counts, against_steps, "steps", "Look at the loss along the "
                                                                                    "attack; average over noise, "
                 "or replace the part that misleads the gradient (BPDA)."),
        _ordered(run, "a larger eps never helps less", radii, [*against_eps, unbounded], "eps",
                 "The attack loses its way where it has more room: "
                 "its gradients mislead it."),
        Finding("without a limit nothing stands", None if unbounded is None else unbounded <= run.tolerance / 2,
                _left(unbounded, f"eps {radii[-1]:.3g}"),
                "Any image may become any other here, so the attack itself is broken: its gradients are hidden."),
        _no_worse(run, "another loss finds no more", gradient, other, "the DLR loss", "The cross-entropy is saturated "
                                                                                      "or misleads: attack the logits "
                  "(DLR, Carlini and Wagner)."),
        _no_worse(run, "black-box search never beats gradients", gradient, box, f"{queries} queries of Square",
                  "An attack that sees only scores does better than "
                  "one that sees everything: the gradients are hidden."),
        _no_worse(run, "transfer never beats gradients", gradient, transfer, "transfer from the surrogate",
                  "Adversarial examples of another model do better than "
                  "the model's own gradients: these are hidden."),
        _no_worse(run, "noise is weaker than gradients", gradient, noise, "the worst of ten random changes",
                  "Chance does better than the gradient: it is no guide."),
    ]
    return {"eps": radii, "against eps": _drawn([*against_eps, unbounded]), "steps": counts,
            "against steps": _drawn(against_steps),
            "losses": losses}, findings


def _drawn(line):
    """A line as matplotlib wants it: gaps are nan."""
    return [math.nan if value is None else value for value in line]


def _whole_box(run):
    """A radius within which every image of the box lies."""
    return float(run.x[0].numel() ** {"linf": 0, "l2": 0.5, "l1": 1}[run.norm])


def _worst_noise(run, eps, draws=10):
    """Random changes of full size; of each image the one of lowest margin."""
    def attack(x, y, generator):
        worst, lowest = x, torch.full(x.shape[:1], math.inf, device=x.device, dtype=x.dtype)
        for _ in range(draws):
            noisy = _random_change(x, eps, run.norm, generator)
            lead = margin(predict(run.model, noisy, run.batch_size), y).to(x.dtype)
            worst = torch.where(geometry.per_example(lead < lowest, x), noisy, worst)
            lowest = torch.minimum(lead, lowest)
        return worst
    return attack


def _transfer(run, surrogate, eps, steps):
    if surrogate is None:
        return None
    return lambda x, y, g: attacks.pgd(surrogate, x, y, eps=eps, norm=run.norm, steps=steps, generator=g)


def _losses(run, eps, steps, images=20):
    """The cross-entropy of some images at every step of the gradient attack: a list of lists."""
    if run.blind:
        return []
    x, y, losses = run.x[:images], run.y[:images], []

    def recording(batch):
        logits = run.model(batch)
        losses.append(cross_entropy(logits.detach(), y))
        return logits

    attacks.pgd(recording, x, y, eps=eps, norm=run.norm, steps=steps, generator=run.generator())
    return torch.stack(losses, 1).tolist()


# Sentences

def _rising(losses):
    """Whether the loss at the end of the attack, its last quarter, lies above that at the start."""
    test = "the loss rises along the attack"
    if not losses:
        return Finding(test, None, "there is no gradient to attack with")
    risen = sum(sum(line[-len(line) // 4:]) / len(line[-len(line) // 4:]) > line[0] for line in losses) / len(losses)
    return Finding(test, risen >= 0.75, f"on {risen:.0%} of {len(losses)} images", "The attack walks about and gets "
                                                                                   "nowhere: look at the gradient that "
                                                                                   "it follows.")


def _ordered(run, test, settings, accuracies, unit, advice):
    """Accuracies that should never rise along the settings."""
    if None in accuracies:
        return Finding(test, None, "there is no gradient to attack with")
    rise = max(after - before for before, after in itertools.pairwise(accuracies))
    told = ", ".join(f"{accuracy:.0%} at {setting:.3g}" for setting, accuracy in zip(settings, accuracies, strict=True))
    return Finding(test, rise <= run.tolerance, f"{told} ({unit})", advice)


def _no_worse(run, test, strong, weak, name, advice):
    """The accuracy that the attack which ought to be weaker leaves is not below that of the stronger one."""
    if weak is None:
        return Finding(test, None, "not tried")
    if strong is None:
        return Finding(test, None, f"{name} leaves {weak:.0%}; there is no gradient to attack with")
    return Finding(test, weak >= strong - run.tolerance, f"{name} leaves {weak:.0%}, the gradient attack {strong:.0%}",
                   advice)


def _left(accuracy, where):
    return "there is no gradient to attack with" if accuracy is None else f"{accuracy:.0%} at {where}"


def _share(mask):
    return f"{mask.double().mean():.0%}"
