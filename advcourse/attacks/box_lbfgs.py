"""The first attack on deep networks: ask a solver for the nearest image that the network takes for a given class.

The target becomes the loss of its class, with a price c on the change; L-BFGS-B, a quasi-Newton method, keeps every
pixel in its range. The larger c, the smaller the change and the harder the target: a line search finds the largest c
that works.
"""

import math
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional as F

from advcourse.attacks.cards import AttackCard
from advcourse.attacks.contract import (
    Model,
    Nearest,
    attacking,
    check,
    check_positive,
    fresh,
    input_gradient,
    labels_fit,
    warn_if_flat,
)
from advcourse.attacks.geometry import distance
from advcourse.attacks.line_search import to_boundary
from advcourse.attacks.losses import cross_entropy, fools, shortfall


def lbfgs(model: Model, x: Tensor, y: Tensor, *, steps: int = 30, search_steps: int = 6, initial_c: float = 0.1,
          probability: float | None = None, targeted: bool = False, low: float = 0, high: float = 1) -> Tensor:
    """Szegedy's box-constrained L-BFGS: the nearest image with a small loss of the target, one image at a time.

        minimise   c ‖x_adv − x‖₂² + loss(x_adv)   subject to   low <= x_adv <= high
        loss = −log p_y with targeted=True, −log(1 − p_y) without,     p = softmax(model(x_adv))
        c ← 10 c  while there is no failure;  c / 10  while there is no success;  else √(c_succeeded · c_failed)

    model: from images in [low, high], shape (N, ...), to logits, shape (N, K).
    x: such images, float32 or float64; y: their true labels, shape (N,), int64; if targeted, the labels to reach.
    steps: iterations of L-BFGS-B for each value of c, at most; search_steps: how many values of c; both at least 1.
    initial_c: the first c, above 0.
    probability: what p_y (untargeted: 1 − p_y) must reach, between 0 and 1, such as 0.99 for a confident answer; None:
        that class y wins (untargeted: loses) is enough.
    targeted: whether y is to be reached, not left.
    low, high: the ends of the valid range: 0 and 1 for images, −1 and 1 for waveforms.
    Returns x_adv in [low, high], shape of x, detached: the smallest success of all images that the solver tried; x
    itself where there is none or where x is a success already.
    Raises ValueError for other arguments than these; NoGradientError, a ValueError, for logits without a gradient to x.
    Cost: at most search_steps · 2 · steps forward and backward passes, for each image on its own.

    Szegedy et al., "Intriguing properties of neural networks", ICLR 2014, section 4.1. What differs: the change is
    squared, which makes the problem smooth at x (as in Carlini and Wagner's account of the attack); the paper knows
    only targets; c is searched on a logarithmic scale, every time from the best image so far; `to_boundary` ends it.
    """
    box = check(x, y, low=low, high=high, steps=steps, search_steps=search_steps)
    check_positive(initial_c=initial_c)
    if probability is not None and not 0 < probability < 1:
        raise ValueError(f"probability must lie between 0 and 1; got {probability!r}")
    x, y = fresh(x), fresh(y)
    if len(x) == 0:
        return x
    with attacking(model) as ask:
        with torch.no_grad():
            labels_fit(ask(x), y)
        logits, _, gradient = input_gradient(ask, x, partial(_loss, y=y, targeted=targeted))
        # An image that is wrong already stays as it is; one that is the target's already may lack the probability.
        done = _success(logits, y, targeted=targeted, probability=probability) if targeted else fools(logits, y)
        flat = gradient.flatten(1).abs().amax(1) == 0
        warn_if_flat(flat & ~done)
        x_adv, found = x.clone(), torch.zeros_like(done)
        for i in (~done & ~flat).nonzero()[:, 0].tolist():
            nearest = _attack_one(ask, x[i:i + 1], y[i:i + 1], steps=steps, search_steps=search_steps, c=initial_c,
                                  probability=probability, targeted=targeted, box=box)
            x_adv[i:i + 1], found[i] = nearest.x_adv, nearest.found
        return to_boundary(ask, x, y, x_adv=x_adv, found=found, box=box,
                           shortfall=partial(_shortfall, targeted=targeted, probability=probability))


def _attack_one(ask, x, y, *, steps, search_steps, c, probability, targeted, box):
    """The Nearest success for one image."""
    from scipy.optimize import minimize  # half a second that nobody else should wait for

    nearest, worked, last = Nearest(x), False, x

    def objective(shares, c):  # of the way from low to high: the solver's first step depends on the units
        nonlocal worked, last
        values = torch.as_tensor(shares, dtype=x.dtype, device=x.device).view(x.shape)
        last = (box.low + box.width * values).clamp(*box)
        logits, loss, gradient = input_gradient(ask, last, partial(_loss, y=y, targeted=targeted))
        success = _success(logits, y, targeted=targeted, probability=probability)
        worked |= bool(success)
        nearest.update(last, distance(last, x, "l2"), success)
        change = (last - x).double()
        value = loss.double().nan_to_num(1e9, 1e9, -1e9).sum() + c * change.square().sum()
        slope = box.width * (gradient.double() + 2 * c * change)
        return value.item(), slope.flatten().cpu().numpy()

    start, low, high = x, 0.0, math.inf  # low: the largest c that worked; high: the smallest that did not
    for _ in range(search_steps):
        worked = False
        shares = (start.flatten().double() - box.low) / box.width
        minimize(objective, shares.cpu().numpy(), args=(c,), jac=True, method="L-BFGS-B",
                 bounds=[(0, 1)] * x.numel(), options={"maxiter": steps, "maxfun": 2 * steps})
        low, high = (c, high) if worked else (low, c)
        c = c * 10 if high == math.inf else c / 10 if low == 0 else math.sqrt(low * high)
        start = nearest.x_adv.clone() if nearest.found else last
    return nearest


def _loss(logits, y, *, targeted):
    """−log p_y, or without a target −log(1 − p_y): one number per image, neither of them rounded to 0 or infinity."""
    if targeted:
        return cross_entropy(logits, y)
    true = logits.gather(1, y[:, None])[:, 0]
    others = logits.scatter(1, y[:, None], -math.inf).logsumexp(1)
    return F.softplus(true - others)


def _shortfall(logits, y, *, targeted, probability):
    """Negative or 0 where the class is right and its probability reached, one number per image."""
    short = shortfall(logits, y, targeted=targeted)
    if probability is None:
        return short
    return torch.maximum(short, _loss(logits, y, targeted=targeted) + math.log(probability))


def _success(logits, y, *, targeted, probability):
    return fools(logits, y, targeted) & (_shortfall(logits, y, targeted=targeted, probability=probability) <= 0)


CARDS = (
    AttackCard(
        notebook="04",
        name="lbfgs", input="non-random", frequency="iterative", specificity="both", scope="individual",
        measurement="l2", realism="non-realistic", falsification="both", knowledge="white box",
        method="a quasi-Newton solver minimises the loss of the target plus c times the squared change inside the box; "
               "line search over c",
        paper="Szegedy et al., 2014, arXiv:1312.6199",
        cost="at most search steps × 2 × steps forward and backward passes, for each image on its own",
    ),
)
