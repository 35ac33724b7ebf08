"""The elastic-net attack: Carlini and Wagner's problem with an l1 term, so that few pixels change and the others not at
all.

An l1 term has a kink at 0 where gradient steps only rattle. ISTA takes the gradient step for everything else and then
shrinks every change by a fixed amount: what is smaller than that amount becomes exactly 0.
"""

import math

import torch

from advcourse.attacks import carlini_wagner
from advcourse.attacks.cards import AttackCard
from advcourse.attacks.carlini_wagner import RESCUES, _movable, _still_right
from advcourse.attacks.contract import attacking, check, check_positive, fresh, input_gradient, warn_if_flat
from advcourse.attacks.geometry import distance, per_example
from advcourse.attacks.minimum_norm import to_boundary


def ead(model, x, y, *, beta=0.01, rule="en", steps=None, search_steps=4, step_size=None, initial_c=None,
        confidence=0.0, targeted=False):
    """EAD: the smallest change in the elastic-net sense β ‖δ‖₁ + ‖δ‖₂², by FISTA, with a weight c of its own for every
    image.

        minimise over δ   c · f(x + δ) + ‖δ‖₂² + β ‖δ‖₁                     f: cw_l2's hinge
        δ_{k+1} = clip(shrink_s(v_k − α_k ∇[c f + ‖δ‖₂²](x + v_k))),        shrink_s(v) = sign(v) max(|v| − s, 0)
        v_{k+1} = clip(δ_{k+1} + k / (k + 3) · (δ_{k+1} − δ_k)),            α_k = step_size √(1 − k / steps);  s = α_k
                                                                            β, by the rule "l1" s = β

    model: from images in [0, 1], shape (N, ...), to logits (N, K); x: such images; y: their true labels, shape (N,),
    with targeted=True the classes to reach. rule: which success counts as nearest, "en": by β ‖δ‖₁ + ‖δ‖₂², or "l1": by
    ‖δ‖₁.
    steps: for each of the search_steps values of c, and of up to RESCUES more, ten times as large each, for the images
    that none of these fooled; None: 22 by the rule "en", 45 by "l1". step_size: α_0; by the rule "l1" β is taken off in
    every step, whatever its length, and short steps favour the l1 term; None: 0.04 by the rule "en", 0.003 by "l1".
    initial_c: the first c; None: as in cw_l2, by "l1" one at which the steepest pixel moves.
    Returns x_adv in [0, 1], detached: the nearest success; x unchanged where there is none or where the model errs on x
    already.

    Chen, Sharma, Zhang, Yi, Hsieh, "EAD: elastic-net attacks to deep neural networks", AAAI 2018, algorithm 1. What
    differs: by the rule "en" a step shrinks by α_k β, which makes it the proximal step of the problem above (the paper
    always shrinks by β, as if β were β / α_k); success is read off the very forward pass that gives the gradient at v_k
    (the paper spends a second one on δ_k); every search step starts from the best change so far; c starts at the
    estimate above; `to_boundary` ends it.
    """
    check(x, y, steps=1 if steps is None else steps, search_steps=search_steps)
    check_positive(beta=beta, step_size=step_size, initial_c=initial_c)
    if rule not in ("en", "l1"):
        raise ValueError(f"rule must be one of 'en', 'l1'; got {rule!r}")
    steps, step_size = steps or (22 if rule == "en" else 45), step_size or (0.04 if rule == "en" else 0.003)
    x, y = fresh(x), fresh(y)
    with attacking(model):
        active, hinge = _still_right(model, x, y, confidence, targeted)
        if len(active) == 0:
            return x
        origin, labels = x[active], y[active]
        c = _first_weight(model, origin, hinge, beta / step_size if rule == "l1" else None, initial_c)
        best, best_size, c = _search(model, origin, hinge, c, beta, rule, steps, search_steps, step_size)
        for _ in range(RESCUES):
            left = best_size.isinf()
            if not left.any():
                break
            best[left], best_size[left], c[left] = _search(model, origin[left], hinge.rows(left), c[left], beta, rule,
                                                           steps, 1, step_size)
        found = ~best_size.isinf()
        best = (origin + best).clamp_(0, 1)
        best = to_boundary(model, origin, best, labels, found, targeted=targeted, confidence=confidence)
        x[active[found]] = best[found]
        return x


def _search(model, origin, hinge, c, beta, rule, steps, search_steps, step_size):
    """(the nearest successful changes, their sizes, infinite where there is none, the weights c to go on with)."""
    best, best_size = torch.zeros_like(origin), torch.full_like(c, math.inf)
    low, high = torch.zeros_like(c), torch.full_like(c, math.inf)
    start = torch.zeros_like(origin)
    for _ in range(search_steps):
        delta = point = start
        succeeded = torch.zeros_like(c, dtype=torch.bool)
        for k in range(steps):
            logits, _, gradient = input_gradient(model, (origin + point).clamp_(0, 1), lambda z: c * hinge(z))
            size = distance(point, 0, "l1")
            size = size if rule == "l1" else beta * size + point.flatten(1).square().sum(1)
            success = hinge.reached(logits)
            nearer = success & (size < best_size)
            best, best_size = torch.where(per_example(nearer, best), point, best), torch.where(nearer, size, best_size)
            succeeded |= success
            step = step_size * math.sqrt(1 - k / steps)
            moved = point - step * (gradient + 2 * point)
            shrunk = torch.nn.functional.softshrink(moved,
                                                    beta if rule == "l1" else step * beta).clamp(-origin, 1 - origin)
            point = (shrunk + k / (k + 3) * (shrunk - delta)).clamp(-origin, 1 - origin)
            delta = shrunk
        high, low = torch.where(succeeded, c.minimum(high), high), torch.where(succeeded, low, c.maximum(low))
        c = torch.where(high.isinf(), c * 10, torch.where(low == 0, high / 2, (low * high).sqrt()))
        start = torch.where(per_example(best_size.isinf(), delta), delta, best)
    return best, best_size, c


def _first_weight(model, x, hinge, threshold, initial_c):
    """cw_l2's first c; with a threshold: c at which the steepest pixel's gradient step is four times what shrinking
    takes back."""
    if threshold is None or initial_c is not None:
        return carlini_wagner._first_weight(model, x, hinge, initial_c)
    _, _, gradient = input_gradient(model, x, hinge)
    steepest = _movable(gradient, x).flatten(1).abs().amax(1)
    warn_if_flat(steepest == 0)
    return torch.where(steepest > 0, 4 * threshold / steepest, 1).nan_to_num(1, 1, 1).clamp(1e-6, 1e6)


CARDS = (
    AttackCard(
        name="ead", input="non-random", frequency="iterative", specificity="both", scope="individual",
        measurement="l1 and l2 (elastic net)", realism="non-realistic", falsification="both", knowledge="white box",
        method="iterative shrinking (FISTA) on Carlini and Wagner's problem with an added l1 term; binary search over "
               "the weight",
        paper="Chen, Sharma, Zhang, Yi, Hsieh, 2018, arXiv:1709.04114",
        cost="search steps × steps + 1 forward and backward passes, up to 4 × steps more without a success; then 9 "
             "forward passes",
    ),
)
