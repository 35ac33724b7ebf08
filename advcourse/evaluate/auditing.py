"""The sanity tests of an evaluation: does a model stand because it is robust, or because the attacks were blind?

A defence that hides its gradient makes attacks fail without being any harder to fool. It gives itself away: attacks
that ought to be weaker do better than attacks that ought to be stronger. `audit` runs these comparisons and says which
of them went wrong. They follow Carlini et al., "On evaluating adversarial robustness", 2019, section 5, and Athalye,
Carlini, Wagner, "Obfuscated gradients give a false sense of security", ICML 2018, section 3.1. To pass them all proves
nothing; to fail one disproves an evaluation.
"""

import itertools
import math
import warnings
from dataclasses import dataclass, field
from functools import partial

import torch
from torch import Tensor

from advcourse import attacks
from advcourse.attacks import contract, geometry
from advcourse.attacks.contract import Model, Norm
from advcourse.attacks.losses import cross_entropy, fools, margin
from advcourse.evaluate.findings import Audit, Finding
from advcourse.models.inference import device_of, predict

# Two accuracies that should be in order may stand the wrong way round by this share, or by two images: chance, on few
# of them.
TOLERANCE = 0.06
NO_GRADIENT = "there is no gradient to attack with"
REPEATS = "the same image gets the same answer twice"
THERE = "the logits carry a gradient"
NOT_ZERO = "the gradient is not zero"
NOT_HERE_ALONE = "the gradient does not vanish at the images themselves"
UPHILL = "a step along the gradient beats random steps"
OF_THE_MODEL = (REPEATS, THERE, NOT_ZERO, NOT_HERE_ALONE, UPHILL)  # the other tests compare attacks


def audit(model: Model, x: Tensor, y: Tensor, *, eps: float, norm: Norm = "linf", steps: int = 40, queries: int = 300,
          surrogate: Model | None = None, batch_size: int = 250, seed: int = 0) -> Audit:
    """Test whether attacks on a model can be believed: the sanity tests of Carlini et al. (2019) on the images x.

    The tests: the answer is the same twice; the gradient is there, is not zero, does not vanish at the images alone,
    and leads further than random steps; the loss rises along the attack; more steps never help less, larger eps never
    helps less, and without a limit nothing stands; no other loss, no search without gradients, no transfer and no noise
    fools more than the gradient does.
    model: from images in [0, 1], shape (N, C, H, W), to logits (N, K).
    x: such images, some tens of them. y: their labels, shape (N,), int64.
    eps: the radius of the ball, above 0. norm: "linf", "l2" or "l1".
    steps: of the gradient attack, PGD on the cross-entropy, at least 1. queries: of the black-box attack, Square, at
        least 1.
    surrogate: another model for the same task, for instance the one without the defence, whose adversarial examples are
        tried on this one. None: no transfer is tried.
    batch_size: how many images are attacked at once, at least 1. seed: of all random numbers.
    Returns an `Audit`.
    Raises ValueError where an argument is not as said here, or y does not fit the logits, or no image is read right.
    Cost: about 6 · steps forward and backward passes per image and `queries` forward passes; less where images fall
        early.
    """
    contract.check(x, y, eps=eps, norm=norm, norms=contract.BALL_NORMS, steps=steps, queries=queries,
                   batch_size=batch_size)
    if len(x) == 0 or eps == 0:
        raise ValueError(f"audit needs at least one image and an eps above 0; got {len(x)} images and eps={eps}")
    device = device_of(model, default=x.device)
    x, y = contract.fresh(x).to(device), y.to(device)
    logits = predict(model, x, batch_size)
    contract.labels_fit(logits, y)
    right = logits.argmax(1) == y
    if not right.any():
        raise ValueError("the model is wrong on every image already: there is nothing to audit")
    with warnings.catch_warnings(), contract.attacking(model) as ask:
        warnings.simplefilter("ignore", RuntimeWarning)  # a flat gradient is a finding here
        run = _Run(ask, x[right], y[right], total=len(x), norm=norm, batch_size=batch_size, seed=seed)
        findings = [_repeats(run), *_gradients(run, eps)]
        curves = _curves(run, eps, steps)
        rivals = _rivals(run, eps, steps, queries, surrogate)
        curves["losses"] = _losses(run, eps, steps)
        findings += _comparisons(run, curves, rivals, queries)
    for line in ("against eps", "against steps"):  # as matplotlib wants it: gaps are nan
        curves[line] = [math.nan if accuracy is None else accuracy for accuracy in curves[line]]
    return Audit(tuple(findings), {"none": len(run.x) / len(x), **run.left}, norm, float(eps), len(x), curves)


@dataclass
class _Run:
    """The images that the model gets right, the attacks on them, and the accuracy that each left."""

    ask: Model
    x: Tensor
    y: Tensor
    total: int  # how many images there are, with those that the model gets wrong
    norm: Norm
    batch_size: int
    seed: int
    left: dict = field(default_factory=dict)
    blind: bool = False  # whether the model's logits carry no gradient

    @property
    def tolerance(self):
        return max(TOLERANCE, 2.01 / self.total)

    def generator(self):
        return torch.Generator(self.x.device).manual_seed(self.seed)

    def batches(self):
        return zip(self.x.split(self.batch_size), self.y.split(self.batch_size), strict=True)

    def logits(self, images):
        return predict(self.ask, images, self.batch_size)

    def accuracy(self, attack, name=None):
        """The share of all images still right after attack(x, y, generator=…) -> x_adv; named, it counts as a result.

        None where the attack is None.
        """
        if attack is None:
            return None
        generator, standing = self.generator(), 0
        for images, labels in self.batches():
            answers = self.logits(attack(images, labels, generator=generator))
            standing += int((~fools(answers, labels)).sum())
        if name:
            self.left[name] = standing / self.total
        return standing / self.total

    def pgd(self, eps, steps, **options):
        """The gradient attack as a function (x, y, generator=…) -> x_adv; None for a model without gradients."""
        if self.blind:
            return None
        options = {"stop_when_fooled": True} | options
        return partial(attacks.pgd, self.ask, eps=eps, norm=self.norm, steps=steps, **options)


# Looking at the model itself

def _repeats(run):
    """The same images twice."""
    first, second = run.logits(run.x), run.logits(run.x)
    changed = (first - second).abs().amax().item()
    size = (first.amax(1) - first.amin(1)).mean().item()
    return Finding(REPEATS, changed <= 1e-3 * max(size, 1e-12),
                   f"logits differ by up to {changed:.2g}",
                   "The model is random, and a gradient of one call is a gradient of that call only: attack the mean "
                   "over many calls (expectation over transformation).")


def _gradients(run, eps):
    """Whether there is a gradient, and whether it leads uphill."""
    try:
        gradient = _gradient(run, run.x, cross_entropy)
    except contract.NoGradientError:
        run.blind = True
        return [Finding(THERE, False, "autograd finds no path from the logits to the image",
                        "Attacks by gradients cannot run at all. Differentiate something like the hidden part in its "
                        "place (BPDA), attack another model and transfer, or search by scores (Square)."),
                *(Finding(test, None, "there is none") for test in (NOT_ZERO, NOT_HERE_ALONE, UPHILL))]
    flat = ~gradient.flatten(1).any(1)  # also where it was nan or infinite
    start = geometry.random_start(run.x, eps, run.norm, run.generator())
    # of the margin, which does not saturate
    at_image, beside = (_gradient(run, images, margin).abs() for images in (run.x, start))
    smaller = at_image < beside / 10
    return [
        Finding(THERE, True, "autograd finds a path from the logits to the image"),
        Finding(NOT_ZERO, bool(flat.double().mean() <= TOLERANCE),
                f"exactly zero, or no number, on {_share(flat)} of the images",
                "Zero gradients: the attack has nothing to follow. A saturated softmax needs a loss on the logits "
                "(DLR, Carlini and Wagner), a step function needs BPDA; Square and transfer work for both."),
        Finding(NOT_HERE_ALONE, bool(smaller.double().mean() <= 0.2),
                f"for {_share(smaller)} of the pixels it is ten times larger beside the image",
                "An attack that starts at the image is blind there: "
                "start at random points of the ball, several times, or use BPDA."),
        _uphill(run, eps)]


def _gradient(run, images, loss):
    """The gradient of loss(logits, y) at the images, 0 where it is not finite."""
    return torch.cat([contract.input_gradient(run.ask, part, partial(loss, y=labels))[2]
                      for part, labels in zip(images.split(run.batch_size), run.y.split(run.batch_size), strict=True)])


def _uphill(run, eps):
    """The margin after one small and one whole step of the gradient attack, beside random changes of the same size."""
    generator, wins = run.generator(), []
    for size in (eps / 4, eps):
        step = torch.cat([attacks.pgd(run.ask, images, labels, eps=size, norm=run.norm, steps=1, step_size=size,
                                      random_start=False) for images, labels in run.batches()])
        random = [margin(run.logits(_random_change(run.x, size, run.norm, generator)), run.y) for _ in range(5)]
        wins.append((margin(run.logits(step), run.y) < torch.stack(random).amin(0)).double().mean().item())
    # A whole step may leave the part where a robust network is linear: its share is reported, and not judged.
    return Finding(UPHILL, wins[0] >= 0.75,
                   f"beats the best of five on {wins[0]:.0%} of the images at eps / 4, on {wins[1]:.0%} at eps",
                   "The gradient says little about steps of visible size: it is zero, "
                   "noise, or shattered by tiny waves. Replace the part that breaks it (BPDA), "
                   "average over noise, transfer, or search by scores (Square).")


def _random_change(x, eps, norm, generator):
    """The images after a random change of full size."""
    if norm == "l1":
        return geometry.random_start(x, eps, norm, generator)
    direction = torch.randn(x.shape, generator=generator, device=x.device, dtype=x.dtype)
    return geometry.project(x + eps * geometry.normalise(direction, norm), x, eps, norm)


# Attacking it

def _curves(run, eps, steps):
    """The accuracy under the gradient attack against eps and against steps, None where it cannot run."""
    whole_box = float(run.x[0].numel() ** {"linf": 0, "l2": 0.5, "l1": 1}[run.norm])  # a radius around all images
    radii, counts = [eps / 4, eps / 2, eps], [1, max(2, steps // 4)]
    against_eps = [run.accuracy(run.pgd(radius, steps)) for radius in radii]
    unbounded = run.accuracy(run.pgd(whole_box, steps, restarts=2))
    against_steps = [run.accuracy(run.pgd(eps, count)) for count in counts]
    if not run.blind:
        run.left["gradient"] = against_eps[-1]
    return {"eps": [*radii, whole_box], "against eps": [*against_eps, unbounded],
            "steps": [*counts, steps], "against steps": [*against_steps, against_eps[-1]]}


def _rivals(run, eps, steps, queries, surrogate):
    """The accuracy that each attack leaves which ought to be no stronger, None where it cannot run."""
    budget = dict(eps=eps, norm=run.norm)
    other_loss, transfer = None, None
    if not run.blind:
        other_loss = partial(attacks.apgd, run.ask, **budget, loss="dlr", steps=steps, stop_when_fooled=True)
    if surrogate is not None:
        transfer = partial(attacks.pgd, surrogate, **budget, steps=steps)
    return {"noise": run.accuracy(partial(_worst_noise, run, eps), "noise"),
            "black box": run.accuracy(partial(attacks.square, run.ask, **budget, queries=queries), "black box"),
            "other loss": run.accuracy(other_loss, "other loss"),
            "transfer": run.accuracy(transfer, "transfer")}


def _worst_noise(run, eps, x, y, *, generator, draws=10):
    """Random changes of full size; of each image the one of lowest margin."""
    worst, lowest = x, torch.full(x.shape[:1], math.inf, device=x.device, dtype=x.dtype)
    for _ in range(draws):
        noisy = _random_change(x, eps, run.norm, generator)
        lead = margin(run.logits(noisy), y).to(x.dtype)
        worst = torch.where(geometry.per_example(lead < lowest, x), noisy, worst)
        lowest = torch.minimum(lead, lowest)
    return worst


def _losses(run, eps, steps, images=20):
    """The cross-entropy of some images at every step of the gradient attack: a list of lists."""
    if run.blind:
        return []
    x, y, losses = run.x[:images], run.y[:images], []

    def recording(batch):
        logits = run.ask(batch)
        losses.append(cross_entropy(logits.detach(), y))
        return logits

    attacks.pgd(recording, x, y, eps=eps, norm=run.norm, steps=steps, generator=run.generator())
    return torch.stack(losses, 1).tolist()


# Comparing

def _comparisons(run, curves, rivals, queries):
    """The findings of all comparisons between attacks."""
    *_, gradient, unbounded = curves["against eps"]
    no_worse = partial(_no_worse, run, gradient)
    return [
        _rising(curves["losses"]),
        _ordered(run, "more steps never help less", curves["steps"], curves["against steps"], "steps",
                 "Look at the loss along the attack; average over noise, or replace the part that misleads the "
                 "gradient (BPDA)."),
        _ordered(run, "a larger eps never helps less", curves["eps"], curves["against eps"], "eps",
                 "The attack loses its way where it has more room: its gradients mislead it."),
        Finding("without a limit nothing stands", None if unbounded is None else unbounded <= run.tolerance / 2,
                NO_GRADIENT if unbounded is None else f"{unbounded:.0%} at eps {curves['eps'][-1]:.3g}",
                "Any image may become any other here, so the attack itself is broken: its gradients are hidden."),
        no_worse("another loss finds no more", rivals["other loss"], "the DLR loss",
                 "The cross-entropy is saturated or misleads: attack the logits (DLR, Carlini and Wagner)."),
        no_worse("black-box search never beats gradients", rivals["black box"], f"{queries} queries of Square",
                 "An attack that sees only scores does better than "
                 "one that sees everything: the gradients are hidden."),
        no_worse("transfer never beats gradients", rivals["transfer"], "transfer from the surrogate",
                 "Adversarial examples of another model do better than the model's own gradients: these are hidden."),
        no_worse("noise is weaker than gradients", rivals["noise"], "the worst of ten random changes",
                 "Chance does better than the gradient: it is no guide."),
    ]


def _rising(losses):
    """Whether the loss at the end of the attack, its last quarter, lies above that at the start."""
    test = "the loss rises along the attack"
    if not losses:
        return Finding(test, None, NO_GRADIENT)
    ends = [line[-len(line) // 4:] for line in losses]
    risen = sum(sum(end) / len(end) > line[0] for end, line in zip(ends, losses, strict=True)) / len(losses)
    return Finding(test, risen >= 0.75, f"on {risen:.0%} of {len(losses)} images",
                   "The attack walks about and gets nowhere: look at the gradient that it follows.")


def _ordered(run, test, settings, accuracies, unit, advice):
    """Accuracies that should never rise along the settings."""
    if None in accuracies:
        return Finding(test, None, NO_GRADIENT)
    rise = max(after - before for before, after in itertools.pairwise(accuracies))
    told = ", ".join(f"{accuracy:.0%} at {setting:.3g}" for setting, accuracy in zip(settings, accuracies, strict=True))
    return Finding(test, rise <= run.tolerance, f"{told} ({unit})", advice)


def _no_worse(run, strong, test, weak, name, advice):
    """The accuracy that the attack which ought to be weaker leaves is not below that of the stronger one."""
    if weak is None:
        return Finding(test, None, "not tried")
    if strong is None:
        return Finding(test, None, f"{name} leaves {weak:.0%}; {NO_GRADIENT}")
    return Finding(test, weak >= strong - run.tolerance, f"{name} leaves {weak:.0%}, the gradient attack {strong:.0%}",
                   advice)


def _share(mask):
    return f"{mask.double().mean():.0%}"
