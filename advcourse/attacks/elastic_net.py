"""The elastic-net attack: Carlini and Wagner's problem with an l1 term, so that only few pixels change.

An l1 term has a kink at 0 where gradient steps only rattle. ISTA takes the gradient step for everything else and then
shrinks every change by a fixed amount: what is smaller than that amount becomes exactly 0.
"""

import math
from dataclasses import dataclass
from functools import partial
from typing import Literal

import torch
from torch import Tensor

from advcourse.attacks import carlini_wagner
from advcourse.attacks.cards import AttackCard
from advcourse.attacks.carlini_wagner import Bracket, problem_of, search_weights
from advcourse.attacks.contract import Model, Nearest, attacking, check, check_positive, fresh
from advcourse.attacks.geometry import distance, per_example, soft_threshold

SETTINGS = {"en": (22, 0.04), "l1": (45, 0.003)}  # steps and step_size by rule


def ead(model: Model, x: Tensor, y: Tensor, *, beta: float = 0.01, rule: Literal["en", "l1"] = "en",
        steps: int | None = None, search_steps: int = 4, step_size: float | None = None, initial_c: float | None = None,
        confidence: float = 0.0, targeted: bool = False, low: float = 0, high: float = 1) -> Tensor:
    """EAD: the smallest change in the elastic-net sense β ‖δ‖₁ + ‖δ‖₂², by FISTA, with a c of its own for every image.

        minimise over δ   c · f(x + δ) + ‖δ‖₂² + β ‖δ‖₁                     f: cw_l2's hinge
        δ_{k+1} = clip(S_s(v_k − α_k ∇[c f + ‖δ‖₂²](x + v_k))),             S_s(v) = sign(v) max(|v| − s, 0)
        v_{k+1} = clip(δ_{k+1} + k / (k + 3) · (δ_{k+1} − δ_k)),            α_k = step_size √(1 − k / steps)
        s = α_k β,  by the rule "l1" s = β

    model: from images in [low, high], shape (N, ...), to logits, shape (N, K).
    x: such images, float32 or float64; y: their true labels, shape (N,), int64; if targeted, the labels to reach.
    beta: β, above 0.
    rule: which success counts as nearest, "en": by β ‖δ‖₁ + ‖δ‖₂², or "l1": by ‖δ‖₁.
    steps: for each value of c, at least 1; None: 22 by the rule "en", 45 by "l1".
    search_steps: how many values of c, at least 1; images without a success get up to EXTRA_SEARCH_STEPS more, ten
        times as large each.
    step_size: α_0, above 0; None: 0.04 by the rule "en", 0.003 by "l1": there β is taken off in every step, whatever
        its length, and short steps favour the l1 term.
    initial_c: the first c, above 0; None: as in cw_l2, by "l1" one at which the steepest pixel moves.
    confidence: the lead, in logits, that the wrong class must have.
    targeted: whether y is to be reached, not left.
    low, high: the ends of the valid range: 0 and 1 for images, −1 and 1 for waveforms.
    Returns x_adv in [low, high], shape of x, detached: the smallest success; x itself where there is none or where the
    model errs on x already (targeted: answers y).
    Raises ValueError for other arguments than these; NoGradientError, a ValueError, for logits without a gradient to x.
    Cost: search_steps · steps + 1 forward and backward passes, up to 4 · steps more without a success; then 9 forward
    passes.

    Chen, Sharma, Zhang, Yi, Hsieh, "EAD: elastic-net attacks to deep neural networks", AAAI 2018, algorithm 1. What
    differs: by the rule "en" a step shrinks by α_k β, which makes it the proximal step of the problem above (the paper
    always shrinks by β, as if β were β / α_k); success is read off the very forward pass that gives the gradient at v_k
    (the paper spends a second one on δ_k); every search step starts from the best change so far; c starts at the
    estimate above; `to_boundary` ends it.
    """
    box = check(x, y, low=low, high=high, steps=1 if steps is None else steps, search_steps=search_steps)
    check_positive(beta=beta, step_size=step_size, initial_c=initial_c)
    if rule not in SETTINGS:
        raise ValueError(f"rule must be one of 'en', 'l1'; got {rule!r}")
    steps, step_size = steps or SETTINGS[rule][0], step_size or SETTINGS[rule][1]
    x, y = fresh(x), fresh(y)
    if len(x) == 0:
        return x
    with attacking(model) as ask:
        active, problem = problem_of(ask, x, y, confidence=confidence, targeted=targeted, box=box)
        if len(active) == 0:
            return x
        changes = Nearest(torch.zeros_like(problem.x))
        search = partial(_search, problem, changes, penalty=_Penalty(beta, rule), steps=steps, step_size=step_size)
        if rule == "l1" and initial_c is None:
            c = _first_weight(problem, beta / step_size)
        else:
            c = carlini_wagner.first_weight(problem, initial_c)
        search_weights(search, changes, c, search_steps)
        changes.x_adv = (problem.x + changes.x_adv).clamp_(*box)
        return x.index_copy(0, active, problem.to_boundary(changes))


@dataclass(frozen=True)
class _Penalty:
    """What counts as a small change by the rule, and what a step takes off."""

    beta: float
    rule: str

    def size(self, delta):
        l1 = distance(delta, torch.zeros_like(delta), "l1")
        return l1 if self.rule == "l1" else self.beta * l1 + delta.flatten(1).square().sum(1)

    def threshold(self, step):
        return self.beta if self.rule == "l1" else step * self.beta


def _search(problem, nearest, rows, c, search_steps, *, penalty, steps, step_size):
    """FISTA on c f + ‖δ‖² + β ‖δ‖₁, see `search_weights`; nearest holds changes, not images."""
    problem, bracket = problem.rows(rows), Bracket(c)
    x, box, start = problem.x, problem.box, torch.zeros_like(problem.x)
    least, largest = box.low - x, box.high - x
    for _ in range(search_steps):
        delta = point = start
        succeeded = torch.zeros_like(c, dtype=torch.bool)
        for k in range(steps):
            logits, gradient = problem.gradient((x + point).clamp_(*box), c)
            success = problem.reached(logits)
            nearest.update(point, penalty.size(point), success, rows)
            succeeded |= success
            step = step_size * math.sqrt(1 - k / steps)
            moved = point - step * (gradient + 2 * point)
            shrunk = soft_threshold(moved, penalty.threshold(step)).clamp(least, largest)
            point = (shrunk + k / (k + 3) * (shrunk - delta)).clamp(least, largest)
            delta = shrunk
        c = bracket.next(c, succeeded)
        start = torch.where(per_example(nearest.found[rows], delta), nearest.x_adv[rows], delta)
    return c


def _first_weight(problem, threshold):
    """c at which the steepest pixel's gradient step is four times what the soft threshold takes back."""
    steepest = problem.at_start()[1].abs().amax(1)
    return torch.where(steepest > 0, 4 * threshold / steepest, 1).nan_to_num(1, 1, 1).clamp(1e-6, 1e6)


CARDS = (
    AttackCard(
        notebook="04",
        name="ead", input="non-random", frequency="iterative", specificity="both", scope="individual",
        measurement="l1 and l2 (elastic net)", realism="non-realistic", falsification="both", knowledge="white box",
        method="iterative shrinking (FISTA) on Carlini and Wagner's "
               "problem with an added l1 term; binary search over the weight",
        paper="Chen, Sharma, Zhang, Yi, Hsieh, 2018, arXiv:1709.04114",
        cost="search steps × steps + 1 forward and backward passes, "
             "up to 4 × steps more without a success; then 9 forward passes",
    ),
)
