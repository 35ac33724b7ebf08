"""Carlini and Wagner's attacks: the smallest change as an optimisation problem that Adam can solve.

The wish "another class" becomes a hinge f on the logits, which is 0 from the moment it is fulfilled; its weight c
against the size of the change is found by binary search. Substituting x_adv = (tanh w + 1) / 2 keeps every pixel in [0,
1] without clipping.
"""

import copy
import math

import torch

from advcourse.attacks.cards import AttackCard
from advcourse.attacks.contract import (
    at_least_float32,
    attacking,
    check,
    check_positive,
    fresh,
    input_gradient,
    labels_fit,
    warn_if_flat,
)
from advcourse.attacks.geometry import distance, per_example
from advcourse.attacks.losses import an_eighth_of, fools, margin, smooth_margin
from advcourse.attacks.minimum_norm import to_boundary

# How many values of c more an image gets that has no success yet: c may be too small by their power of ten.
RESCUES = 4


def cw_l2(model, x, y, *, steps=30, search_steps=5, step_size=0.2, initial_c=None, confidence=0.0, targeted=False):
    """Carlini-Wagner L2: the smallest change in l2, with a weight c of its own for every image.

        minimise over w   ‖x_adv − x‖₂² + c · f(x_adv),     x_adv = (tanh w + 1) / 2
        f = max(z_y − max_{k≠y} z_k + confidence, 0)        targeted: max(max_{k≠y} z_k − z_y + confidence, 0)

    model: from images in [0, 1], shape (N, ...), to logits (N, K); x: such images; y: their true labels, shape (N,),
    with targeted=True the classes to reach. steps: Adam steps for each of the search_steps values of c, and of up to
    RESCUES more, ten times as large each, for the images that none of these fooled; step_size: Adam's first one, in w.
    initial_c: the first c; None: what f's slope at x says, 2 f / ‖∇f‖₂², which is exact for a linear model of two
    classes.
    confidence: the lead, in logits, that the wrong class must have.
    Returns x_adv in [0, 1], detached: the nearest success; x unchanged where there is none or where the model errs on x
    already.

    Carlini, Wagner, "Towards evaluating the robustness of neural networks", IEEE S&P 2017, section VI.A. What differs:
    f decides when the wish is fulfilled, and until then the `smooth_margin` gives the gradient in its place; every
    search step starts where the last one ended (the paper starts anew), Adam's steps shrink along a half cosine, c
    starts at the estimate above, and `to_boundary` ends it. Together they need a fifth of the passes. There is one
    start, as in the authors' code.
    """
    check(x, y, steps=steps, search_steps=search_steps)
    check_positive(step_size=step_size, initial_c=initial_c)
    x, y = fresh(x), fresh(y)
    with attacking(model):
        active, hinge = _still_right(model, x, y, confidence, targeted)
        if len(active) == 0:
            return x
        origin, labels = x[active], y[active]
        c = _first_weight(model, origin, hinge, initial_c)
        best, best_size, c = _search(model, origin, hinge, c, steps, search_steps, step_size)
        for _ in range(RESCUES):
            left = best_size.isinf()
            if not left.any():
                break
            best[left], best_size[left], c[left] = _search(model, origin[left], hinge.rows(left), c[left], steps, 1,
                                                           step_size)
        found = ~best_size.isinf()
        best = to_boundary(model, origin, best, labels, found, targeted=targeted, confidence=confidence)
        x[active[found]] = best[found]
        return x


def _search(model, origin, hinge, c, steps, search_steps, step_size):
    """(the nearest successes, their sizes, infinite where there is none, the weights c to go on with) after
    search_steps values of c."""
    best, best_size = origin.clone(), torch.full_like(c, math.inf)
    low, high = torch.zeros_like(c), torch.full_like(c, math.inf)
    w = _to_w(origin)
    for search_step in range(search_steps):
        succeeded = torch.zeros_like(c, dtype=torch.bool)
        adam = _Adam(w)
        for step in range(steps):
            x_adv = _to_image(w)
            logits, _, gradient = input_gradient(model, x_adv, lambda z: c * hinge(z))
            success, size = hinge.reached(logits), distance(x_adv, origin, "l2")
            nearer = success & (size < best_size)
            best, best_size = torch.where(per_example(nearer, best), x_adv, best), torch.where(nearer, size, best_size)
            succeeded |= success
            gradient += 2 * (x_adv - origin)
            w = adam.step(w, gradient * _slope(x_adv),
                          _falling(step_size, search_step * steps + step, search_steps * steps))
        high, low = torch.where(succeeded, c.minimum(high), high), torch.where(succeeded, low, c.maximum(low))
        c = torch.where(high.isinf(), c * 10, torch.where(low == 0, high / 2, (low * high).sqrt()))
        w = torch.where(per_example(best_size.isinf(), w), w, _to_w(best))
    return best, best_size, c


def cw_l0(model, x, y, *, steps=30, rounds=25, step_size=0.2, confidence=0.0, targeted=False):
    """Carlini-Wagner L0: as few changed values as possible, found by giving up the least useful ones round after round.

        fix the pixels with the smallest |∇f(x_adv)_i · (x_adv − x)_i| to x_i;   solve for the others, from where they
                                                                                 are

    model, x, y, targeted, confidence and what is returned: as in cw_l2. steps: at most so many Adam steps a round,
    rounds: of them. The first solution is cw_l2's. A round in which an image's attack fails takes its pixels back, and
    the next tries half as many.

    Carlini, Wagner, 2017, section VI.B. What differs: the paper gives up one pixel a round (its code: several), this a
    share of them, first 40 %; a round ends for an image with its first success; a round's weight c is fixed, as the
    size of the change is free.
    """
    check(x, y, steps=steps, rounds=rounds)
    check_positive(step_size=step_size)
    start = cw_l2(model, x, y, steps=50, search_steps=2, confidence=confidence, targeted=targeted)
    x, y, start = fresh(x), fresh(y), fresh(start)
    with attacking(model):
        if x.numel() == 0:
            return x
        active = (start != x).flatten(1).any(1).nonzero()[:, 0]  # where cw_l2 found something
        if len(active) == 0:
            return x
        best, share = start.clone(), torch.full_like(x.flatten(1)[:, 0], 0.4)
        hinges = _Hinge(_logits(model, x), y, confidence, targeted)
        for _ in range(rounds):
            origin, current = x[active], best[active]
            hinge = hinges.rows(active)
            _, _, gradient = input_gradient(model, current, lambda z: hinge.slope(z))
            change = current - origin
            use = (gradient * change).abs().masked_fill(change == 0, math.inf).flatten(1)
            used = (change != 0).flatten(1).sum(1)
            giving_up = (share[active] * used).floor().clamp_min(1)
            ranks = torch.empty_like(use).scatter_(1, use.argsort(1),
                                                   torch.arange(use.shape[1],
                                                                device=x.device).to(x.dtype).expand_as(use))
            movable = ((change != 0).flatten(1) & (ranks >= giving_up[:, None])).view(x[active].shape)
            solved = _solve(model, origin, torch.where(movable, current, origin), movable, hinge, steps, step_size)
            fewer = (solved != origin).flatten(1).sum(1)
            better = hinge.reached(_logits(model, solved)) & (fewer < used)
            best[active[better]] = solved[better]
            # Failed with a single pixel given up: nothing is left to try.
            share[active[~better]] = giving_up[~better] / used[~better] / 2
            active = active[better | (giving_up > 1)]
            if len(active) == 0:
                break
        return best


def _solve(model, origin, start, movable, hinge, steps, step_size):
    """Adam on 10 c f + ‖δ‖² over the movable pixels; an image leaves with its first success. Returns the last
    images."""
    result, left = start.clone(), torch.arange(len(origin), device=origin.device)
    weight = 10 * _first_weight(model, origin, hinge, None)
    w, adam = _to_w(start), _Adam(start)
    for step in range(steps + 1):
        x_adv = torch.where(movable[left], _to_image(w), origin[left]) if step else start
        part = hinge.rows(left)
        logits, _, gradient = input_gradient(model, x_adv, lambda z: weight[left] * part(z))
        result[left] = x_adv
        open_ = ~part.reached(logits)
        if step == steps or not open_.any():
            return result
        gradient = (gradient + 2 * (x_adv - origin[left])) * movable[left] * _slope(_to_image(w))
        w = adam.step(w, gradient, _falling(step_size, step, steps))
        if not open_.all():
            left, w = left[open_], w[open_]
            adam.keep(open_)


def cw_linf(model, x, y, *, steps=30, rounds=12, step_size=0.1, confidence=0.0, targeted=False):
    """Carlini-Wagner Linf: no pixel may pay for being within τ of x, and τ falls for as long as the attack succeeds.

        minimise over w   c · f(x_adv) + Σ_i max(|x_adv − x|_i − τ, 0),     x_adv = (tanh w + 1) / 2

    model, x, y, targeted, confidence and what is returned: as in cw_l2, with the distance in linf. steps: Adam steps
    for each of the `rounds` values of τ.

    Carlini, Wagner, 2017, section VI.C. What differs: τ starts near the linearised distance f / ‖∇f‖₁, falls to 0.9 of
    the best success so far as in the paper, and after a failure lies between the two (the paper stops there); c starts
    where the penalty outweighs f at every single pixel, and doubles until there is a success.
    """
    check(x, y, steps=steps, rounds=rounds)
    check_positive(step_size=step_size)
    x, y = fresh(x), fresh(y)
    with attacking(model):
        active, hinge = _still_right(model, x, y, confidence, targeted)
        if len(active) == 0:
            return x
        origin, labels = x[active], y[active]
        logits, _, gradient = input_gradient(model, origin, hinge)
        f, gradient = hinge.slope(logits).clamp_min(0), _movable(gradient, origin).flatten(1).abs()
        warn_if_flat(gradient.amax(1) == 0)
        tiny = torch.finfo(x.dtype).tiny ** 0.5
        c = 0.5 / gradient.amax(1).clamp_min(tiny)
        tau = (1.5 * f.to(x.dtype) / gradient.sum(1).clamp_min(tiny)).nan_to_num(0.5).clamp(1e-3, 0.5)
        best, best_size, failed = origin.clone(), torch.full_like(tau, math.inf), torch.zeros_like(tau)
        w = _to_w(origin)
        for round_ in range(rounds):
            before, adam = best_size, _Adam(w)
            for step in range(steps):
                x_adv = _to_image(w)
                logits, _, gradient = input_gradient(model, x_adv, lambda z: c * hinge(z))
                size = distance(x_adv, origin, "linf")
                nearer = hinge.reached(logits) & (size < best_size)
                best, best_size = torch.where(per_example(nearer, best), x_adv,
                                              best), torch.where(nearer, size, best_size)
                change = x_adv - origin
                gradient += change.sign() * (change.abs() > per_example(tau, change))
                w = adam.step(w, gradient * _slope(x_adv), _falling(step_size, round_ * steps + step, rounds * steps))
            succeeded = best_size < before
            failed = torch.where(succeeded, failed, tau.maximum(failed)).minimum(best_size)
            none = best_size.isinf()
            c = torch.where(none, c * 2, c)
            tau = torch.where(none, (tau * 2).clamp(max=1), torch.maximum(0.9 * best_size, (failed + best_size) / 2))
            w = torch.where(per_example(none, w), w, _to_w(best))
        found = ~best_size.isinf()
        best = to_boundary(model, origin, best, labels, found, targeted=targeted, confidence=confidence)
        x[active[found]] = best[found]
        return x


class _Hinge:
    """How far each image is from the wish, by its smooth margin, and 0 where its margin fulfils it; slope: how far by
    the margin.

    logits: of the images from which the attack starts.
    """

    def __init__(self, logits, labels, confidence, targeted):
        self.labels, self.confidence, self.targeted, self.sign = labels, confidence, targeted, -1 if targeted else 1
        self.temperature = an_eighth_of(margin(logits, labels))

    def slope(self, logits):
        return self.sign * margin(logits, self.labels) + self.confidence

    def __call__(self, logits):
        smooth = self.sign * smooth_margin(logits, self.labels, self.temperature)
        return torch.where(self.slope(logits.detach()) > 0, smooth, 0)

    def reached(self, logits):
        return fools(logits, self.labels, self.targeted) & (self.slope(logits) <= 0 if self.confidence else True)

    def rows(self, rows):
        part = copy.copy(self)
        part.labels, part.temperature = self.labels[rows], self.temperature[rows]
        return part


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


def _to_w(image):
    """w with (tanh w + 1) / 2 = image, but for black and white, which would be infinite: they are moved by half a
    percent."""
    return torch.atanh((2 * image - 1) * 0.99)


def _to_image(w):
    return (torch.tanh(w) + 1) / 2


def _slope(image):
    """d image / d w."""
    return 2 * image * (1 - image)


def _falling(step_size, step, steps):
    return step_size * (0.02 + 0.98 * (1 + math.cos(math.pi * (step + 1) / steps)) / 2)


def _movable(gradient, x):
    """The descent gradient without the pixels that it would only push out of the box."""
    return gradient * torch.where(gradient > 0, x > 0, x < 1)


def _logits(model, x):
    with torch.no_grad():
        return at_least_float32(model(x))


def _still_right(model, x, y, confidence, targeted):
    """The indices of the images on which something is left to do, and their hinge."""
    if len(x) == 0:
        return [], None
    logits = _logits(model, x)
    labels_fit(logits, y)
    active = (~fools(logits, y, targeted)).nonzero()[:, 0]
    return active, _Hinge(logits[active], y[active], confidence, targeted)


def _first_weight(model, x, hinge, initial_c):
    """c for which a linear f reaches 0 just where ‖δ‖² + c f is smallest: δ = −c ∇f / 2, so c = 2 f / ‖∇f‖²."""
    if initial_c is not None:
        return x.new_full((len(x),), float(initial_c))
    logits, _, gradient = input_gradient(model, x, hinge)
    f, gradient = hinge.slope(logits).clamp_min(0), _movable(gradient, x).flatten(1)
    warn_if_flat(gradient.abs().amax(1) == 0)
    steepness = gradient.square().sum(1)
    return torch.where(steepness > 0, 2 * f.to(x.dtype) / steepness, 1).nan_to_num(1, 1, 1).clamp(1e-6, 1e6)


CARDS = (
    AttackCard(
        name="cw_l2", input="non-random", frequency="iterative", specificity="both", scope="individual",
        measurement="l2", realism="non-realistic", falsification="both", knowledge="white box",
        method="Adam on the squared change plus a weighted hinge on the logits, in tanh space; binary search over the "
               "weight",
        paper="Carlini, Wagner, 2017, arXiv:1608.04644",
        cost="search steps × steps + 1 forward and backward passes, up to 4 × steps more without a success; then 9 "
             "forward passes",
    ),
    AttackCard(
        name="cw_l0", input="non-random", frequency="iterative", specificity="both", scope="individual",
        measurement="l0", realism="non-realistic", falsification="both", knowledge="white box",
        method="solves the l2 attack on fewer and fewer pixels, giving up those that help least",
        paper="Carlini, Wagner, 2017, arXiv:1608.04644",
        cost="100 forward and backward passes for the start; then at most rounds × (steps + 3)",
    ),
    AttackCard(
        name="cw_linf", input="non-random", frequency="iterative", specificity="both", scope="individual",
        measurement="linf", realism="non-realistic", falsification="both", knowledge="white box",
        method="penalises what a pixel moves beyond a threshold that falls as long as the attack succeeds",
        paper="Carlini, Wagner, 2017, arXiv:1608.04644",
        cost="rounds × steps + 1 forward and backward passes; then 9 forward passes",
    ),
)
