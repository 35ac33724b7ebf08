"""Carlini and Wagner's attacks: the smallest change as an optimisation problem that Adam can solve.

The target "another class" becomes a hinge f on the logits, which is 0 from the moment it is reached; its weight c
against the size of the change is found by binary search. Substituting a tanh for x_adv keeps every pixel in its
range without clipping.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from advcourse.attacks.cards import AttackCard
from advcourse.attacks.contract import (
    Model,
    Nearest,
    at_least_float32,
    attacking,
    check,
    check_positive,
    fresh,
    input_gradient,
    unfooled,
    warn_if_flat,
)
from advcourse.attacks.geometry import Box, distance, movable, per_example
from advcourse.attacks.line_search import to_boundary
from advcourse.attacks.losses import an_eighth_of, fools, margin, shortfall, smooth_margin

# How many values of c more an image gets that has no success yet: c may be too small by their power of ten.
EXTRA_SEARCH_STEPS = 4


def cw_l2(model: Model, x: Tensor, y: Tensor, *, steps: int = 30, search_steps: int = 5, step_size: float = 0.2,
          initial_c: float | None = None, confidence: float = 0.0, targeted: bool = False, low: float = 0,
          high: float = 1) -> Tensor:
    """Carlini-Wagner L2: the smallest change in l2, with a weight c of its own for every image.

        minimise over w   ‖x_adv − x‖₂² + c · f(x_adv),     x_adv = low + (high − low) (tanh w + 1) / 2
        f = max(z_y − max_{k≠y} z_k + confidence, 0)        targeted: max(max_{k≠y} z_k − z_y + confidence, 0)
        c ← 10 c   while there is no success;  c / 2  while there has been no failure;  else √(c_failed · c_succeeded)

    model: from images in [low, high], shape (N, ...), to logits z, shape (N, K).
    x: such images, float32 or float64; y: their true labels, shape (N,), int64; if targeted, the labels to reach.
    steps: Adam's steps for each value of c, at least 1; search_steps: how many values of c, at least 1; images without
        a success get up to EXTRA_SEARCH_STEPS more, ten times as large each.
    step_size: Adam's first one, in w, above 0.
    initial_c: the first c, above 0; None: 2 f / ‖∇f‖₂² at x, which is exact for a linear model of two classes.
    confidence: the lead, in logits, that the wrong class must have.
    targeted: whether y is to be reached, not left.
    low, high: the ends of the valid range: 0 and 1 for images, −1 and 1 for waveforms.
    Returns x_adv in [low, high], shape of x, detached: the smallest success; x itself where there is none or where the
    model errs on x already (targeted: answers y).
    Raises ValueError for other arguments than these; NoGradientError, a ValueError, for logits without a gradient to x.
    Cost: search_steps · steps + 1 forward and backward passes, up to 4 · steps more without a success; then 9 forward
    passes.

    Carlini, Wagner, "Towards evaluating the robustness of neural networks", IEEE S&P 2017, section VI.A. What differs:
    f decides when the target is reached, and until then the `smooth_margin` gives the gradient in its place; every
    search step starts where the last one ended (the paper starts anew), Adam's steps shrink along a half cosine, c
    starts at the estimate above, and `to_boundary` ends it. Together they need a fifth of the passes. There is one
    start, as in the authors' code.
    """
    box = check(x, y, low=low, high=high, steps=steps, search_steps=search_steps)
    check_positive(step_size=step_size, initial_c=initial_c)
    x, y = fresh(x), fresh(y)
    if len(x) == 0:
        return x
    with attacking(model) as ask:
        active, problem = problem_of(ask, x, y, confidence=confidence, targeted=targeted, box=box)
        if len(active) == 0:
            return x
        nearest = Nearest(problem.x)
        search = partial(_search, problem, nearest, steps=steps, step_size=step_size)
        search_weights(search, nearest, first_weight(problem, initial_c), search_steps)
        return x.index_copy(0, active, problem.to_boundary(nearest))


def search_weights(search: Callable[..., Tensor], nearest: Nearest, c: Tensor, search_steps: int) -> None:
    """search(rows, c, search_steps) on all images, then on those without a success, with one weight c more at a time.

    search: tries search_steps weights on the images `rows`, c first, tells `nearest` of the successes, and returns the
    weights to go on with.
    """
    c = search(slice(None), c, search_steps)
    for _ in range(EXTRA_SEARCH_STEPS):
        left = ~nearest.found
        if not left.any():
            break
        c[left] = search(left, c[left], 1)


def _search(problem, nearest, rows, c, search_steps, *, steps, step_size):
    """Adam on ‖δ‖² + c f, see `search_weights`."""
    problem, bracket = problem.rows(rows), Bracket(c)
    x, w, box = problem.x, _to_w(problem.x, problem.box), problem.box
    for search_step in range(search_steps):
        succeeded = torch.zeros_like(c, dtype=torch.bool)
        adam = _Adam(w)
        for step in range(steps):
            x_adv = _to_image(w, box)
            logits, gradient = problem.gradient(x_adv, c)
            success = problem.reached(logits)
            nearest.update(x_adv, distance(x_adv, x, "l2"), success, rows)
            succeeded |= success
            gradient += 2 * (x_adv - x)
            w = adam.step(w, gradient * _slope(x_adv, box),
                          _falling(step_size, search_step * steps + step, search_steps * steps))
        c = bracket.next(c, succeeded)
        w = torch.where(per_example(nearest.found[rows], w), _to_w(nearest.x_adv[rows], box), w)
    return c


class Bracket:
    """The binary search for c, for every image its own: the largest that failed and the smallest that succeeded."""

    def __init__(self, c):
        self.failed, self.succeeded = torch.zeros_like(c), torch.full_like(c, math.inf)

    def next(self, c, succeeded):
        """The c to try after this one; succeeded: for which images it did."""
        self.succeeded = torch.where(succeeded, c.minimum(self.succeeded), self.succeeded)
        self.failed = torch.where(succeeded, self.failed, c.maximum(self.failed))
        between = torch.where(self.failed == 0, self.succeeded / 2, (self.failed * self.succeeded).sqrt())
        return torch.where(self.succeeded.isinf(), c * 10, between)


def cw_l0(model: Model, x: Tensor, y: Tensor, *, steps: int = 30, rounds: int = 25, step_size: float = 0.2,
          confidence: float = 0.0, targeted: bool = False, low: float = 0, high: float = 1) -> Tensor:
    """Carlini-Wagner L0: few changed values, found by giving up the least useful ones round after round.

        fix the pixels with the smallest |∇f(x_adv)_i · (x_adv − x)_i| to x_i
        solve for the others, from where they are:   minimise over w   ‖x_adv − x‖₂² + 10 c f(x_adv)       (as in cw_l2)
        share of the pixels that a round gives up:   0.4, then half of it after every failure

    model: from images in [low, high], shape (N, ...), to logits, shape (N, K).
    x: such images, float32 or float64; y: their true labels, shape (N,), int64; if targeted, the labels to reach.
    steps: Adam's steps a round, at most; rounds: how many; both at least 1. The first solution is that of cw_l2.
    step_size: Adam's first one, in w, above 0.
    confidence: the lead, in logits, that the wrong class must have.
    targeted: whether y is to be reached, not left.
    low, high: the ends of the valid range: 0 and 1 for images, −1 and 1 for waveforms.
    Returns x_adv in [low, high], shape of x, detached: the success with the fewest changed values; x itself where there
    is none or where the model errs on x already (targeted: answers y).
    Raises ValueError for other arguments than these; NoGradientError, a ValueError, for logits without a gradient to x.
    Cost: 100 forward and backward passes for the start; then at most rounds · (steps + 3).

    Carlini, Wagner, "Towards evaluating the robustness of neural networks", IEEE S&P 2017, section VI.B. What differs:
    the paper gives up one pixel a round (its code: several), this a share of them; a round in which an image's attack
    fails takes its pixels back; a round ends for an image with its first success; a round's weight c is fixed, as the
    size of the change is free.
    """
    box = check(x, y, low=low, high=high, steps=steps, rounds=rounds)
    check_positive(step_size=step_size)
    start = cw_l2(model, x, y, steps=50, search_steps=2, confidence=confidence, targeted=targeted, low=low, high=high)
    x, y, start = fresh(x), fresh(y), fresh(start)
    if x.numel() == 0:
        return x
    with attacking(model) as ask:
        active = (start != x).flatten(1).any(1).nonzero()[:, 0]  # where cw_l2 found something
        if len(active) == 0:
            return x
        whole = Problem(ask, x, y, an_eighth_of(margin(_logits(ask, x), y)), confidence, targeted, box)
        nearest, share = Nearest(x), torch.full_like(x.flatten(1)[:, 0], 0.4)
        nearest.update(start, distance(start, x, "l0"))
        for _ in range(rounds):
            problem, best, used = whole.rows(active), nearest.x_adv[active], nearest.size[active]
            giving_up = (share[active] * used).floor().clamp_min(1)
            free = _most_useful(problem, best, giving_up)
            solved = _solve(problem, torch.where(free, best, problem.x), free=free, steps=steps, step_size=step_size)
            fewer = nearest.update(solved, distance(solved, problem.x, "l0"), problem.reached(_logits(ask, solved)),
                                   active)
            # Failed with a single pixel given up: nothing is left to try.
            share[active[~fewer]] = giving_up[~fewer] / used[~fewer] / 2
            active = active[fewer | (giving_up > 1)]
            if len(active) == 0:
                break
        return nearest.x_adv


def _most_useful(problem, x_adv, giving_up):
    """Which pixels stay free, shape of x_adv: the changed ones, but for the `giving_up` least useful, shape (N,)."""
    _, _, gradient = input_gradient(problem.ask, x_adv, problem.shortfall)
    change = x_adv - problem.x
    use = (gradient * change).abs().masked_fill(change == 0, math.inf).flatten(1)
    return ((change != 0).flatten(1) & (use.argsort(1).argsort(1) >= giving_up[:, None])).view(x_adv.shape)


def _solve(problem, start, *, free, steps, step_size):
    """Adam on 10 c f + ‖δ‖² over the free pixels; an image leaves with its first success. Returns the last images."""
    result, left = start.clone(), torch.arange(len(start), device=start.device)
    weight = 10 * first_weight(problem, None)
    box = problem.box
    w, adam = _to_w(start, box), _Adam(start)
    for step in range(steps + 1):
        part = problem.rows(left)
        x_adv = torch.where(free[left], _to_image(w, box), part.x) if step else start
        logits, gradient = part.gradient(x_adv, weight[left])
        result[left] = x_adv
        open_ = ~part.reached(logits)
        if step == steps or not open_.any():
            break
        gradient = (gradient + 2 * (x_adv - part.x)) * free[left] * _slope(_to_image(w, box), box)
        w = adam.step(w, gradient, _falling(step_size, step, steps))
        if not open_.all():
            left, w = left[open_], w[open_]
            adam.keep(open_)
    return result


def cw_linf(model: Model, x: Tensor, y: Tensor, *, steps: int = 30, rounds: int = 12, step_size: float = 0.1,
            confidence: float = 0.0, targeted: bool = False, low: float = 0, high: float = 1) -> Tensor:
    """Carlini-Wagner Linf: only a pixel's change beyond τ is penalised, and τ falls for as long as the attack succeeds.

        minimise over w   c · f(x_adv) + Σ_i max(|x_adv − x|_i − τ, 0),     x_adv, f as in cw_l2
        c ← 2 c,  τ ← min(2 τ, 1)                                  while there is no success
        τ ← max(0.9 ‖δ_best‖, (τ_failed + ‖δ_best‖) / 2)           then;  τ_failed: the largest τ that has failed, or 0

    model: from images in [low, high], shape (N, ...), to logits, shape (N, K).
    x: such images, float32 or float64; y: their true labels, shape (N,), int64; if targeted, the labels to reach.
    steps: Adam's steps for each value of τ; rounds: how many values of τ; both at least 1.
    step_size: Adam's first one, in w, above 0.
    confidence: the lead, in logits, that the wrong class must have.
    targeted: whether y is to be reached, not left.
    low, high: the ends of the valid range: 0 and 1 for images, −1 and 1 for waveforms.
    Returns x_adv in [low, high], shape of x, detached: the success with the smallest largest change; x itself where
    there is none or where the model errs on x already (targeted: answers y).
    Raises ValueError for other arguments than these; NoGradientError, a ValueError, for logits without a gradient to x.
    Cost: rounds · steps + 1 forward and backward passes; then 9 forward passes.

    Carlini, Wagner, "Towards evaluating the robustness of neural networks", IEEE S&P 2017, section VI.C. What differs:
    τ starts near the linearised distance f / ‖∇f‖₁, and after a failure lies between that τ and the best success (the
    paper stops there); c starts where the penalty outweighs f at every single pixel.
    """
    box = check(x, y, low=low, high=high, steps=steps, rounds=rounds)
    check_positive(step_size=step_size)
    x, y = fresh(x), fresh(y)
    if len(x) == 0:
        return x
    with attacking(model) as ask:
        active, problem = problem_of(ask, x, y, confidence=confidence, targeted=targeted, box=box)
        if len(active) == 0:
            return x
        c, tau = _first_c_and_tau(problem)
        nearest, failed, w = Nearest(problem.x), torch.zeros_like(tau), _to_w(problem.x, box)
        for round_ in range(rounds):
            before, adam = nearest.size.clone(), _Adam(w)
            for step in range(steps):
                x_adv = _to_image(w, box)
                logits, gradient = problem.gradient(x_adv, c)
                nearest.update(x_adv, distance(x_adv, problem.x, "linf"), problem.reached(logits))
                change = x_adv - problem.x
                gradient += change.sign() * (change.abs() > per_example(tau, change))
                w = adam.step(w, gradient * _slope(x_adv, box),
                              _falling(step_size, round_ * steps + step, rounds * steps))
            found, size = nearest.found, nearest.size
            failed = torch.where(size < before, failed, tau.maximum(failed)).minimum(size)
            c = torch.where(found, c, c * 2)
            tau = torch.where(found, torch.maximum(0.9 * size, (failed + size) / 2), (tau * 2).clamp(max=box.width))
            w = torch.where(per_example(found, w), _to_w(nearest.x_adv, box), w)
        return x.index_copy(0, active, problem.to_boundary(nearest))


def _first_c_and_tau(problem):
    """c with half of the penalty's slope at the steepest pixel, and τ of 1.5 times the linearised distance."""
    f, gradient = problem.at_start()
    steepness, tiny = gradient.abs(), torch.finfo(gradient.dtype).tiny ** 0.5
    tau = 1.5 * f / steepness.sum(1).clamp_min(tiny)
    width = problem.box.width
    return 0.5 / steepness.amax(1).clamp_min(tiny), tau.nan_to_num(0.5 * width).clamp(1e-3 * width, 0.5 * width)


@dataclass(frozen=True)
class Problem:
    """What the attacks solve for images that are not fooled yet: reach the target with a small change.

    ask: the model, as `attacking` lends it. labels: to leave, or to reach if targeted, shape (N,).
    temperature: of the smooth margin, shape (N,). confidence: the lead, in logits, that a success takes.
    box: the valid values.
    """

    ask: Model
    x: Tensor
    labels: Tensor
    temperature: Tensor
    confidence: float
    targeted: bool
    box: Box

    def rows(self, rows):
        """The problem of these images alone."""
        return replace(self, x=self.x[rows], labels=self.labels[rows], temperature=self.temperature[rows])

    def shortfall(self, logits):
        return shortfall(logits, self.labels, targeted=self.targeted, confidence=self.confidence)

    def reached(self, logits):
        success = fools(logits, self.labels, self.targeted)
        return success & (self.shortfall(logits) <= 0) if self.confidence else success

    def hinge(self, logits, weight=1):
        """weight · f: 0 where the margin says that the target is reached, else the smooth margin, for its gradient."""
        smooth = (-1 if self.targeted else 1) * smooth_margin(logits, self.labels, self.temperature)
        return weight * torch.where(self.shortfall(logits.detach()) > 0, smooth, 0)

    def gradient(self, x_adv, c):
        """(logits, gradient of c f), with a weight c for each image."""
        logits, _, gradient = input_gradient(self.ask, x_adv, partial(self.hinge, weight=c))
        return logits, gradient

    def at_start(self):
        """(f, its gradient in the pixels that can move, shape (N, D)) at x, with a warning where there is none."""
        logits, _, gradient = input_gradient(self.ask, self.x, self.hinge)
        downhill = movable(-gradient, self.x, self.box).flatten(1)
        warn_if_flat(downhill.abs().amax(1) == 0)
        return self.shortfall(logits).clamp_min(0).to(self.x.dtype), downhill

    def to_boundary(self, nearest):
        """The nearest successes, walked back towards x as far as the target stays reached; x where there is none."""
        return to_boundary(self.ask, self.x, self.labels, x_adv=nearest.x_adv, found=nearest.found, box=self.box,
                           shortfall=partial(shortfall, targeted=self.targeted, confidence=self.confidence))


def problem_of(ask: Model, x: Tensor, y: Tensor, *, confidence: float, targeted: bool,
               box: Box) -> tuple[Tensor, Problem]:
    """The numbers of the images on which something is left to do, and their Problem."""
    active, logits = unfooled(ask, x, y, targeted)
    temperature = an_eighth_of(margin(logits, y[active]))
    return active, Problem(ask, x[active], y[active], temperature, confidence, targeted, box)


def first_weight(problem: Problem, initial_c: float | None) -> Tensor:
    """c for which a linear f reaches 0 just where ‖δ‖² + c f is smallest: δ = −c ∇f / 2, so c = 2 f / ‖∇f‖²."""
    if initial_c is not None:
        return problem.x.new_full((len(problem.x),), float(initial_c))
    f, gradient = problem.at_start()
    steepness = gradient.square().sum(1)
    return torch.where(steepness > 0, 2 * f / steepness, 1).nan_to_num(1, 1, 1).clamp(1e-6, 1e6)


class _Adam:
    """Kingma, Ba, 2015, with moments of shorter memory (0.8, 0.99), as each weight c has but a few dozen steps."""

    def __init__(self, like):
        self.mean, self.square, self.count = torch.zeros_like(like), torch.zeros_like(like), 0

    def step(self, w, gradient, size):
        self.count += 1
        self.mean.lerp_(gradient, 0.2)
        self.square.lerp_(gradient.square(), 0.01)
        scale = (self.square / (1 - 0.99**self.count)).sqrt_().add_(1e-8)
        return w - size / (1 - 0.8**self.count) * self.mean / scale

    def keep(self, rows):
        self.mean, self.square = self.mean[rows], self.square[rows]


def _to_w(image, box):
    """w with low + (high − low) (tanh w + 1) / 2 = image.

    Black and white, which would be infinite, are moved by half a percent.
    """
    return torch.atanh((2 * (image - box.low) / box.width - 1) * 0.99)


def _to_image(w, box):
    # At the end a clamp: low + 1 · (high − low) may round to above high.
    return (torch.tanh(w) + 1).mul_(box.width / 2).add_(box.low).clamp_(*box)


def _slope(image, box):
    """d image / d w."""
    return (image - box.low) * (box.high - image) * (2 / box.width)


def _falling(step_size, step, steps):
    return step_size * (0.02 + 0.98 * (1 + math.cos(math.pi * (step + 1) / steps)) / 2)


def _logits(ask, x):
    with torch.no_grad():
        return at_least_float32(ask(x))


CARDS = (
    AttackCard(
        notebook="04",
        name="cw_l2", input="non-random", frequency="iterative", specificity="both", scope="individual",
        measurement="l2", realism="non-realistic", falsification="both", knowledge="white box",
        method="Adam on the squared change plus a weighted hinge on the logits, "
               "in tanh space; binary search over the weight",
        paper="Carlini, Wagner, 2017, arXiv:1608.04644",
        cost="search steps × steps + 1 forward and backward passes, "
             "up to 4 × steps more without a success; then 9 forward passes",
    ),
    AttackCard(
        notebook="04",
        name="cw_l0", input="non-random", frequency="iterative", specificity="both", scope="individual",
        measurement="l0", realism="non-realistic", falsification="both", knowledge="white box",
        method="solves the l2 attack on fewer and fewer pixels, giving up those that help least",
        paper="Carlini, Wagner, 2017, arXiv:1608.04644",
        cost="100 forward and backward passes for the start; then at most rounds × (steps + 3)",
    ),
    AttackCard(
        notebook="04",
        name="cw_linf", input="non-random", frequency="iterative", specificity="both", scope="individual",
        measurement="linf", realism="non-realistic", falsification="both", knowledge="white box",
        method="penalises what a pixel moves beyond a threshold that falls as long as the attack succeeds",
        paper="Carlini, Wagner, 2017, arXiv:1608.04644",
        cost="rounds × steps + 1 forward and backward passes; then 9 forward passes",
    ),
)
