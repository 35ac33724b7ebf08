"""Attacks that look for the nearest adversarial image instead of the worst image in a given ball.

Near an image the network is almost linear, so its decision boundary is almost a plane, and the nearest point of a plane
is known. DeepFool steps from plane to plane until the class changes. FMN follows the boundary while the ball that it
allows itself shrinks and grows, and so finds smaller changes. Both end with a walk straight back towards the image, as
far as it stays adversarial.
"""

import math
from functools import partial

import torch
from torch import Tensor

from advcourse.attacks.cards import AttackCard
from advcourse.attacks.contract import (
    NORMS,
    Model,
    Nearest,
    Norm,
    at_least_float32,
    attacking,
    check,
    check_positive,
    differentiable,
    fresh,
    input_gradient,
    labels_fit,
    unfooled,
    warn_if_flat,
)
from advcourse.attacks.geometry import (
    distance,
    dual_norm,
    l1_threshold,
    movable,
    per_example,
    soft_threshold,
)
from advcourse.attacks.line_search import to_boundary
from advcourse.attacks.losses import an_eighth_of, fools, margin, shortfall, smooth_margin


def deepfool(model: Model, x: Tensor, y: Tensor, *, norm: Norm = "l2", steps: int = 50, candidates: int | None = None,
             overshoot: float = 0.02, low: float = 0, high: float = 1) -> Tensor:
    """DeepFool: step to the nearest of the linearised decision boundaries, until the class changes.

        w_k = ∇(z_k − z_y),  f_k = z_k − z_y,  l = argmin_k |f_k| / ‖w_k‖_q          over the classes k other than y
        r = |f_l| / ‖w_l‖₂² · w_l  (l2, q = 2)    or    |f_l| / ‖w_l‖₁ · sign(w_l)  (linf, q = 1)
        x_adv ← clip(x_adv + s_j · r)                    s_0 = 1/2, s_j = 1 + j · overshoot, until argmax z(x_adv) ≠ y

    model: from images in [low, high], shape (N, ...), to logits z, shape (N, K).
    x: such images, float32 or float64; y: their true labels, shape (N,), int64.
    norm: "l2" or "linf", of the change that is to be small.
    steps: how many at most, at least 1.
    candidates: of how many of the likeliest classes the boundaries are tried, y's own included, at least 1; None: 10 in
        l2, and 5 in linf, where more bring little.
    overshoot: by what share of itself each further step is longer, above 0.
    low, high: the ends of the valid range: 0 and 1 for images, −1 and 1 for waveforms.
    Returns x_adv in [low, high], shape of x, detached: the class differs from y. x itself where no step reached another
    class, and where the model errs on x already.
    Raises ValueError for other arguments than these; NoGradientError, a ValueError, for logits without a gradient to x.
    Cost: per step until the class changes at most 2 forward passes and min(candidates, K) − 1 backward passes; then 8
    forward passes.

    Moosavi-Dezfooli, Fawzi, Frossard, "DeepFool", CVPR 2016, algorithm 2 and equations 10-11. What differs: y is the
    true label, not the predicted one; images stay in the box, and w_k leaves out pixels that could only leave it; the
    first step goes half of the way, where the planes are known better; the overshoot grows with every step, so that no
    image runs in circles, and `to_boundary` takes it back at the end.
    """
    if candidates is None:
        candidates = 5 if norm == "linf" else 10
    box = check(x, y, norm=norm, norms=("l2", "linf"), low=low, high=high, steps=steps, candidates=candidates)
    check_positive(overshoot=overshoot)
    x, y = fresh(x), fresh(y)
    if len(x) == 0:
        return x
    with attacking(model) as ask:
        x_adv, found, flat = x.clone(), torch.zeros_like(y, dtype=torch.bool), torch.zeros_like(y, dtype=torch.bool)
        active = torch.arange(len(x), device=x.device)
        for step in range(steps + 1):
            images, logits = differentiable(ask, x_adv[active])
            if step == 0:
                labels_fit(logits, y)
            fooled = fools(logits, y[active])
            if step > 0:
                found[active[fooled]] = True
            active = active[~fooled]
            if len(active) == 0 or step == steps:
                break
            if fooled.any():  # a forward pass of those that are left costs less than backward passes for all
                images, logits = differentiable(ask, x_adv[active])
            move, stuck = _to_nearest_plane(images, logits, y[active], norm=norm, candidates=candidates, box=box)
            flat[active[stuck]] = True
            active, move = active[~stuck], move[~stuck]
            reach = 0.5 if step == 0 else 1 + step * overshoot
            x_adv[active] = (x_adv[active] + reach * move).clamp_(*box)
        warn_if_flat(flat)
        x_adv = torch.where(per_example(found, x), x_adv, x)
        return to_boundary(ask, x, y, x_adv=x_adv, found=found, shortfall=margin, box=box)


def _to_nearest_plane(images, logits, y, *, norm, candidates, box):
    """(step, stuck): from each image to the nearest of its linearised boundaries; where all gradients are 0."""
    true = logits.gather(1, y[:, None])
    others = logits.detach().scatter(1, y[:, None], -math.inf).topk(min(candidates, logits.shape[1]) - 1, dim=1).indices
    gaps = logits.gather(1, others) - true
    nearest = torch.full_like(gaps[:, 0], math.inf).detach()
    move = torch.zeros_like(images)
    # The loop keeps only the nearest plane so far: memory does not grow with the number of classes.
    for k in range(gaps.shape[1]):
        w, = torch.autograd.grad(gaps[:, k].sum(), images, retain_graph=k + 1 < gaps.shape[1])
        # A pixel that is black and should become blacker cannot move: the others must do its part of the step.
        w = movable(torch.nan_to_num(w, 0, 0, 0), images, box)
        steepness = dual_norm(w, norm)
        away = gaps[:, k].detach().abs() / steepness
        smaller = (away < nearest) & (steepness > 0)
        nearest = torch.where(smaller, away, nearest)
        direction = w.sign() if norm == "linf" else w / per_example(steepness, w)
        move = torch.where(per_example(smaller, move), per_example(away, move).to(move.dtype) * direction, move)
    return move.detach(), nearest.isinf()


# fmn's steps, step_size and gamma: chosen on test images that the benchmark does not use, on networks trained with and
# without adversarial examples. In l0 and l1 a step has to take single values across their whole range, in linf all of
# them.
FMN_SETTINGS = {"l0": (32, 6.0, 0.6), "l1": (30, 6.0, 0.4), "l2": (22, 3.0, 0.5), "linf": (24, 5.0, 0.15)}


def fmn(model: Model, x: Tensor, y: Tensor, *, norm: Norm = "l2", steps: int | None = None,
        step_size: float | None = None, gamma: float | None = None, targeted: bool = False, low: float = 0,
        high: float = 1) -> Tensor:
    """FMN: gradient steps on the sphere of radius eps around x; eps shrinks outside of the class and grows inside it.

        eps ← (1 + γ_k) · (‖δ‖ + |m| / ‖∇m‖_q)   while none is known: the distance to the linearised boundary
              (1 + γ_k) · eps               where x + δ is not adversarial
              min(eps (1 − γ_k), ‖δ_best‖)  where it is
        δ ← to_radius(δ − α_k ∇m / ‖∇m‖₂, eps)    m = z_y − max_{k≠y} z_k          (targeted: −m in place of m)
        γ_k = gamma · h_k,   α_k = step_size · h_k, but step_size · (1 + 4 k / steps) until an image's first success
        h_k = l + (1 − l) (1 + cos(π k / steps)) / 2,   l = 0.01  (l0: 0.3)

    model: from images in [low, high], shape (N, ...), to logits z, shape (N, K).
    x: such images, float32 or float64; y: their true labels, shape (N,), int64; if targeted, the labels to reach.
    norm: "l0" (the count of changed values), "l1", "l2" or "linf", of the change that is to be small.
    steps: how many, at least 1; None: as FMN_SETTINGS says, and images without a success get twice and then four times
        as many.
    step_size: the length of the first step in l2, None: FMN_SETTINGS, times high − low; gamma: the first rate of eps,
        None: FMN_SETTINGS; both above 0.
    targeted: whether y is to be reached, not left.
    low, high: the ends of the valid range: 0 and 1 for images, −1 and 1 for waveforms.
    Returns x_adv in [low, high], shape of x, detached: the smallest success; x itself where there is none or where x is
    one already.
    Raises ValueError for other arguments than these; NoGradientError, a ValueError, for logits without a gradient to x.
    Cost: 1 forward pass, in linf another and 4 backward passes; steps + 1 forward and backward passes; 6 forward passes
    (12 in l0).

    Pintor, Roli, Brendel, Biggio, "Fast minimum-norm adversarial attacks through adaptive norm constraints", NeurIPS
    2021, algorithm 1. What differs: in the first half of the steps m is the `smooth_margin`; in linf (untargeted) one
    step of DeepFool comes first; in l1 and l2 δ is lengthened to eps, too, as Rony et al. do (DDN, CVPR 2019), and that
    inside of the box: where it holds some pixels back the others go farther, and the gradient leaves out pixels that
    could only leave the box (the paper clips afterwards, and loses much of each step); at the end `to_boundary`, in l0
    `_restore`, takes back what is too much. Fewer steps are needed so.
    In l0, eps is a count: it starts at 1, moves by at least 1, and grows by half until the first success.
    """
    box = check(x, y, norm=norm, norms=NORMS, low=low, high=high, steps=1 if steps is None else steps)
    check_positive(step_size=step_size, gamma=gamma)
    x, y = fresh(x), fresh(y)
    usual, left = FMN_SETTINGS[norm], torch.arange(len(x), device=x.device)
    with attacking(model) as ask:
        for count in [rounds * usual[0] for rounds in (1, 2, 4)] if steps is None else [steps]:
            if len(left):
                x[left], failed = _fmn(ask, x[left], y[left], norm=norm, steps=count, gamma=gamma or usual[2],
                                       step_size=step_size or usual[1] * box.width, targeted=targeted, box=box)
                left = left[failed]
    return x


def _fmn(ask, x, y, *, norm, steps, step_size, gamma, targeted, box):
    """(x_adv, the rows on which something was to do and did not succeed) after that many steps of FMN."""
    active, logits = unfooled(ask, x, y, targeted)
    if len(active) == 0:
        return x, active
    origin, labels, sign = x[active], y[active], 1 if targeted else -1
    temperature = an_eighth_of(margin(logits, labels))
    def smooth(logits):
        return sign * smooth_margin(logits, labels, temperature)
    def exact(logits):
        return sign * margin(logits, labels)

    delta = torch.zeros_like(origin)
    if norm == "linf" and not targeted:
        move, _ = _to_nearest_plane(*differentiable(ask, origin), labels, norm=norm, candidates=5, box=box)
        delta = (origin + (1 + gamma) * move).clamp_(*box) - origin
    nearest = Nearest(origin)
    eps = torch.full_like(nearest.size, 1 if norm == "l0" else math.inf)
    flat = torch.zeros_like(labels, dtype=torch.bool)
    for step in range(steps + 1):
        point = (origin + delta).clamp_(*box)
        logits, gain, gradient = input_gradient(ask, point, smooth if 2 * step < steps else exact)
        fooled, size = fools(logits, labels, targeted), distance(point, origin, norm)
        nearest.update(point, size, fooled, tolerance=1e-5)  # of equals the later one, however they are rounded
        if step == steps:
            break
        gradient = movable(gradient, point, box)
        flat |= gradient.flatten(1).abs().amax(1) == 0
        lowest = 0.3 if norm == "l0" else 0.01  # counts are coarse
        falling = lowest + (1 - lowest) * (1 + math.cos(math.pi * step / steps)) / 2
        alpha = torch.where(nearest.found, step_size * falling, step_size * (1 + 4 * step / steps))
        if norm == "l0":
            eps = _next_count(eps, gamma * falling, nearest, fooled)
        else:
            to_plane = size + gain.abs() / dual_norm(gradient, norm).clamp_min(1e-12)
            eps = _next_radius(eps, gamma * falling, nearest, fooled, to_plane).to(x.dtype)
        steepness = torch.linalg.vector_norm(gradient.flatten(1), dim=1).clamp_min(torch.finfo(x.dtype).tiny)
        delta = _to_radius(delta + per_example(alpha / steepness, gradient) * gradient, eps, norm, origin, box)
    warn_if_flat(flat)
    if norm == "l0":
        x_adv = _restore(ask, origin, labels, x_adv=nearest.x_adv, targeted=targeted, box=box)
    else:
        x_adv = to_boundary(ask, origin, labels, x_adv=nearest.x_adv, found=nearest.found,
                            shortfall=partial(shortfall, targeted=targeted), box=box, evaluations=4)
    return x.index_copy(0, active[nearest.found], x_adv[nearest.found]), active[~nearest.found]


def _next_radius(eps, rate, nearest, fooled, to_plane):
    """FMN's radius for its next step; to_plane: the distance of the linearised boundary from x."""
    outward = torch.where(nearest.found, eps, to_plane) * (1 + rate)
    return torch.where(fooled, torch.minimum(eps * (1 - rate), nearest.size), outward)


def _next_count(eps, rate, nearest, fooled):
    """The same in l0."""
    fewer = torch.minimum(torch.minimum((eps * (1 - rate)).floor(), eps - 1), nearest.size - 1).clamp_min(1)
    more = torch.maximum((eps * torch.where(nearest.found, 1 + rate, 1.5)).floor(), eps + 1)
    return torch.where(fooled, fewer, more)


def _to_radius(delta, eps, norm, x, box):
    """delta, with x + delta in the box, no larger than eps, shape (N,); in l2 and l1 as large, if the box allows it."""
    low, high = box.low - x, box.high - x
    if norm == "linf":
        eps = per_example(eps, delta)
        return delta.clamp(-eps, eps).clamp(low, high)
    flat, low, high = delta.flatten(1), low.flatten(1), high.flatten(1)
    if norm == "l0":  # the largest
        flat = flat.clamp(low, high)
        largest = flat.abs().topk(min(int(eps.max()), flat.shape[1]), dim=1).indices
        kept = torch.arange(largest.shape[1], device=flat.device) < eps[:, None]
        return torch.zeros_like(flat).scatter(1, largest, flat.gather(1, largest) * kept).view(delta.shape)
    eps = eps.clamp_max(box.width * flat.shape[1])[:, None]  # the box itself is no wider
    if norm == "l1":  # the threshold to 1 / 16,000 of the largest |δ| is enough
        threshold = l1_threshold(flat.abs(), torch.where(flat > 0, high, -low), eps, halvings=14)
        flat = soft_threshold(flat, threshold[:, None]).clamp(low, high)
    # clip(s δ): where the box holds a pixel back the others go farther. s grows from one clip to the next, and never
    # leads out of the ball.
    for _ in range(8):
        length = flat.square().sum(1, keepdim=True).sqrt() if norm == "l2" else flat.abs().sum(1, keepdim=True)
        flat = (flat * (eps / length.clamp_min(1e-30))).clamp(low, high)
    return flat.view(delta.shape)


def _restore(ask, x, y, *, x_adv, targeted, box, evaluations=10):
    """x_adv with fewer changed values: all are set back without which the attack succeeds, the least changed first.

    A quarter of them is tried at once; where that fails, half as many.
    """
    change = (x_adv - x).flatten(1)
    ranks = change.abs().argsort(1).argsort(1) - (change == 0).sum(1, keepdim=True)  # below 0: not changed
    at = torch.zeros_like(y)
    share = ((change != 0).sum(1) // 4).clamp_min(1)
    with torch.no_grad():
        # Larger changes cost nothing more: all the way to black or white, where that is at least as wrong.
        whole = torch.where(x_adv > x, box.high, torch.where(x_adv < x, box.low, x))
        lacking, before = (shortfall(at_least_float32(ask(images)), y, targeted=targeted) for images in (whole, x_adv))
        best = torch.where(per_example(lacking <= before, x), whole, x_adv)
        for _ in range(evaluations):
            tried = (ranks >= at[:, None]) & (ranks < (at + share)[:, None])
            fewer = torch.where(tried.view(x.shape), x, best)
            fooled = fools(at_least_float32(ask(fewer)), y, targeted)
            best = torch.where(per_example(fooled, x), fewer, best)
            at += torch.where(fooled, share, share == 1)  # what alone is needed stays
            share = torch.where(fooled, share, share // 2).clamp_min(1)
    return best


CARDS = (
    AttackCard(
        notebook="04",
        name="deepfool", input="non-random", frequency="iterative", specificity="non-targeted", scope="individual",
        measurement="l2, linf", realism="non-realistic", falsification="both", knowledge="white box",
        method="steps to the nearest of the linearised decision boundaries until the class changes",
        paper="Moosavi-Dezfooli, Fawzi, Frossard, 2016, arXiv:1511.04599",
        cost="per step until the class changes: at most 2 forward passes "
             "and one backward pass per other class; then 8 forward passes",
    ),
    AttackCard(
        notebook="04",
        name="fmn", input="non-random", frequency="iterative", specificity="both", scope="individual",
        measurement="l0, l1, l2, linf", realism="non-realistic", falsification="both", knowledge="white box",
        method="gradient steps inside a ball that shrinks while the image is adversarial and grows while it is not",
        paper="Pintor, Roli, Brendel, Biggio, 2021, arXiv:2102.12827",
        cost="1 forward pass, in linf another and 4 backward passes; steps + 1 forward and backward passes; 6 forward "
             "passes (12 in l0)",
    ),
)
