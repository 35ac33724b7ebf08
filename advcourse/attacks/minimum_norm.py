"""Attacks that look for the nearest adversarial image instead of the worst image in a given ball.

Near an image the network is almost linear, so its decision boundary is almost a plane, and the nearest point of a plane
is known. DeepFool steps from plane to plane until the class changes. FMN slides along the boundary, shrinking and
growing the ball that it allows itself, and so comes closer. Both end with a walk straight back towards the image, as
far as it stays adversarial.
"""

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

# the norm in which a gradient measures the steepness seen by steps of the other
DUAL = {"l2": 2, "linf": 1, "l1": math.inf}


def deepfool(model, x, y, *, norm="l2", steps=50, candidates=None, overshoot=0.02):
    """DeepFool: step to the nearest of the linearised decision boundaries, until the class changes.

        w_k = ∇(z_k − z_y),  f_k = z_k − z_y,  l = argmin_k |f_k| / ‖w_k‖_q          over the classes k other than y
        r = |f_l| / ‖w_l‖₂² · w_l  (l2, q = 2)    or    |f_l| / ‖w_l‖₁ · sign(w_l)  (linf, q = 1)
        x_adv ← clip(x_adv + (1 + overshoot) · r)                                    until argmax z(x_adv) is not y

    model: from images in [0, 1], shape (N, ...), to logits (N, K); x: such images; y: their true labels, shape (N,).
    norm: "l2" or "linf", of the change that is to be small. candidates: of how many of the likeliest classes the
    boundaries are tried, y's own included; None: 10 in l2, and 5 in linf, where more bring little.
    Returns x_adv in [0, 1], detached: the class differs from y; where no step reached another class, and where the
    model errs on x itself, it is x unchanged.

    Moosavi-Dezfooli, Fawzi, Frossard, "DeepFool", CVPR 2016, algorithm 2 and equations 10-11. What differs: y is the
    true label, not the predicted one; images stay in [0, 1], and w_k leaves out pixels that could only leave it; the
    first step goes half of the way, where the planes are known better; the overshoot grows with every step, so that no
    image runs in circles, and `to_boundary` takes it back at the end.
    """
    if candidates is None:
        candidates = 5 if norm == "linf" else 10
    check(x, y, norm=norm, norms=("l2", "linf"), steps=steps, candidates=candidates)
    check_positive(overshoot=overshoot)
    x, y = fresh(x), fresh(y)
    if len(x) == 0:
        return x
    with attacking(model):
        x_adv, found, flat = x.clone(), torch.zeros_like(y, dtype=torch.bool), torch.zeros_like(y, dtype=torch.bool)
        active = torch.arange(len(x), device=x.device)
        for step in range(steps + 1):
            images = x_adv[active].requires_grad_()
            logits = at_least_float32(model(images))
            if step == 0:
                labels_fit(logits, y)
            fooled = fools(logits, y[active])
            if step > 0:
                found[active[fooled]] = True
            if fooled.any():  # those leave, and one more forward pass of the others spares them all the backward passes
                active = active[~fooled]
                images = x_adv[active].requires_grad_()
                logits = at_least_float32(model(images)) if len(active) and step < steps else None
            if len(active) == 0 or step == steps:
                break
            move, stuck = _to_nearest_plane(images, logits, y[active], norm, candidates)
            flat[active[stuck]] = True
            active, move = active[~stuck], move[~stuck]
            reach = 0.5 if step == 0 else 1 + step * overshoot
            x_adv[active] = (x_adv[active] + reach * move).clamp_(0, 1)
        warn_if_flat(flat)
        x_adv = torch.where(per_example(found, x), x_adv, x)
        return to_boundary(model, x, x_adv, y, found)


def _to_nearest_plane(images, logits, y, norm, candidates):
    """(the step from each image to the nearest of its linearised boundaries, where there is none as all gradients are
    0)."""
    true = logits.gather(1, y[:, None])
    others = logits.detach().scatter(1, y[:, None], -math.inf).topk(min(candidates, logits.shape[1]) - 1, dim=1).indices
    gaps = logits.gather(1, others) - true
    nearest = torch.full_like(gaps[:, 0], math.inf).detach()
    move = torch.zeros_like(images)
    # The loop keeps only the nearest plane so far: memory does not grow with the number of classes.
    for k in range(gaps.shape[1]):
        w, = torch.autograd.grad(gaps[:, k].sum(), images, retain_graph=k + 1 < gaps.shape[1])
        # A pixel that is black and should become blacker cannot move: the others must do its part of the step.
        w = torch.nan_to_num(w, 0, 0, 0) * torch.where(w > 0, images < 1, images > 0)
        steepness = torch.linalg.vector_norm(w.flatten(1), DUAL[norm], dim=1)
        away = gaps[:, k].detach().abs() / steepness
        nearer = (away < nearest) & (steepness > 0)
        nearest = torch.where(nearer, away, nearest)
        direction = w.sign() if norm == "linf" else w / per_example(steepness, w)
        move = torch.where(per_example(nearer, move), per_example(away, move).to(move.dtype) * direction, move)
    return move.detach(), nearest.isinf()


def to_boundary(model, x, x_adv, y, found, *, targeted=False, confidence=0.0, shortfall=None, evaluations=6):
    """Walk from each x_adv straight back towards x as far as the attack stays successful: never farther from x, in any
    norm.

    found: where x_adv is a success, shape (N,); elsewhere nothing changes. confidence: the lead, in logits, that the
    class must keep; shortfall: in its place, any function from logits to numbers, shape (N,), that are negative at a
    success. Costs `evaluations` + 2 forward passes: regula falsi, with the "Illinois" halving of the end that stays
    put.
    """
    images = found.nonzero()[:, 0]
    if len(images) == 0:
        return x_adv
    x, y, start = x[images], y[images], x_adv[images]
    sign = -1 if targeted else 1
    best = start.clone()
    low, high = x.new_zeros(len(x)), x.new_ones(len(x))
    with torch.no_grad():
        for evaluation in range(evaluations + 2):
            if evaluation < 2:  # the two ends
                at = torch.full_like(low, evaluation)
            else:
                at = high - high_value * (high - low) / (high_value - low_value)
                at = (at + 0.01 * (high - at)).clamp(low, high)  # a little on the safe side
            point = torch.lerp(x, start, per_example(at, x)).clamp_(0, 1) if evaluation != 1 else start
            logits = at_least_float32(model(point))
            # The margin must survive the rounding of another batch size: a hundred times that of the logits themselves.
            slack = 100 * torch.finfo(x.dtype).eps * logits.abs().amax(1).nan_to_num(0, 0, 0)
            value = sign * margin(logits, y) + confidence if shortfall is None else shortfall(logits, y)
            value = (value + slack).to(x.dtype).nan_to_num(math.inf, math.inf, -1e30)
            if evaluation == 0:
                low_value = value.clamp(1e-12, 1e30)
            elif evaluation == 1:
                high_value = value.clamp(-1e30, -1e-12)
                previous = torch.zeros_like(low)
            else:
                success = value < 0
                best = torch.where(per_example(success, x), point, best)
                # Twice on the same side: halve the value at the other end, so that it moves, too.
                low_value = torch.where(success, torch.where(previous < 0, low_value / 2, low_value),
                                        value.clamp(1e-12, 1e30))
                high_value = torch.where(success, value.clamp(-1e30, -1e-12),
                                         torch.where(previous > 0, high_value / 2, high_value))
                low, high = torch.where(success, low, at), torch.where(success, at, high)
                previous = value.sign()
    result = x_adv.clone()
    result[images] = best
    return result


# fmn's steps, step_size and gamma: chosen on test images that the benchmark does not use, on networks trained with and
# without adversarial examples. In l0 and l1 a step has to take single values across their whole range, in linf all of
# them.
FMN_SETTINGS = {"l0": (32, 6.0, 0.6), "l1": (30, 6.0, 0.4), "l2": (22, 3.0, 0.5), "linf": (24, 5.0, 0.15)}


def fmn(model, x, y, *, norm="l2", steps=None, step_size=None, gamma=None, targeted=False):
    """FMN: gradient steps on the sphere of radius eps around x, while eps shrinks outside of the class and grows inside
    it.

        eps ← (1 + γ_k) · (‖δ‖ + |m| / ‖∇m‖_q)   while none is known: the distance to the linearised boundary
              (1 + γ_k) · eps               where x + δ is not adversarial
              min(eps (1 − γ_k), ‖δ_best‖)  where it is
        δ ← to_radius(δ − α_k ∇m / ‖∇m‖₂, eps)    m = z_y − max_{k≠y} z_k

    model: from images in [0, 1], shape (N, ...), to logits (N, K); x: such images; y: their true labels, shape (N,),
    with targeted=True the classes to reach. norm: "l0", "l1", "l2" or "linf", of the change that is to be small; l0
    counts values.
    steps: how many; step_size: α at the first of them, its length in l2; gamma: γ there. Both fall along half a cosine,
    to a hundredth (l0: to three tenths), but until an image's first success α grows, up to five times.
    None: as FMN_SETTINGS says, and with steps=None the images that these leave unchanged get twice and then four times
    as many.
    Returns x_adv in [0, 1], detached: the nearest success; x unchanged where there is none or where x is one already.

    Pintor, Roli, Brendel, Biggio, "Fast minimum-norm adversarial attacks through adaptive norm constraints", NeurIPS
    2021, algorithm 1. What differs: in the first half of the steps m is the `smooth_margin`; in linf (untargeted) one
    step of DeepFool comes first; in l1 and l2 δ is lengthened to eps, too, as Rony et al. do (DDN, CVPR 2019), and that
    inside of the box: where it holds some pixels back the others go farther, and the gradient leaves out pixels that
    could only leave the box (the paper clips afterwards, and loses much of each step); at the end `to_boundary`, in l0
    `_give_back`, takes back what is too much. Fewer steps are needed so.
    In l0, eps is a count: it starts at 1, moves by at least 1, and grows by half until the first success.
    """
    check(x, y, norm=norm, norms=("l0", "l1", "l2", "linf"), steps=1 if steps is None else steps)
    check_positive(step_size=step_size, gamma=gamma)
    x, y = fresh(x), fresh(y)
    usual, left = FMN_SETTINGS[norm], torch.arange(len(x), device=x.device)
    with attacking(model):
        for count in [rounds * usual[0] for rounds in (1, 2, 4)] if steps is None else [steps]:
            if len(left):
                x[left], failed = _slide(model, x[left], y[left], norm, count, step_size or usual[1], gamma or usual[2],
                                         targeted)
                left = left[failed]
    return x


def _slide(model, x, y, norm, steps, step_size, gamma, targeted):
    """(x_adv, the rows on which something was to do and did not succeed) after that many steps of FMN."""
    sign = 1 if targeted else -1
    with torch.no_grad():
        logits = at_least_float32(model(x))
        labels_fit(logits, y)
        active = (~fools(logits, y, targeted)).nonzero()[:, 0]
    origin, labels, delta = x[active], y[active], torch.zeros_like(x[active])
    temperature = an_eighth_of(margin(logits[active], labels))
    if norm == "linf" and not targeted and len(active):
        images = origin.clone().requires_grad_()
        move, _ = _to_nearest_plane(images, at_least_float32(model(images)), labels, norm, candidates=5)
        delta = (origin + (1 + gamma) * move).clamp_(0, 1) - origin
    best, best_size = origin.clone(), origin.new_full((len(origin),), math.inf)
    eps = torch.ones_like(best_size) if norm == "l0" else torch.full_like(best_size, math.inf)
    flat = torch.zeros_like(labels, dtype=torch.bool)
    for step in range(steps + 1 if len(active) else 0):
        point = (origin + delta).clamp_(0, 1)
        smooth = 2 * step < steps
        logits, gain, gradient = input_gradient(
            model, point, lambda z: sign * (smooth_margin(z, labels, temperature) if smooth else margin(z, labels)))
        fooled, size = fools(logits, labels, targeted), distance(point, origin, norm)
        better = fooled & (size < best_size * (1 + 1e-5))  # of equals the later one, however they are rounded
        best, best_size = torch.where(per_example(better, best), point, best), torch.where(better, size, best_size)
        if step == steps:
            break
        gradient = gradient * torch.where(gradient > 0, point < 1, point > 0)  # pixels that can move
        flat |= gradient.flatten(1).abs().amax(1) == 0
        lowest = 0.3 if norm == "l0" else 0.01  # counts are coarse
        falling = lowest + (1 - lowest) * (1 + math.cos(math.pi * step / steps)) / 2
        alpha, rate = torch.where(best_size.isinf(), step_size * (1 + 4 * step / steps),
                                  step_size * falling), gamma * falling
        eps = _next_radius(eps, rate, size, best_size, fooled, -gain, gradient, norm)
        steepness = torch.linalg.vector_norm(gradient.flatten(1), dim=1).clamp_min(torch.finfo(x.dtype).tiny)
        delta = _to_radius(delta + per_example(alpha / steepness, gradient) * gradient, eps, norm, -origin, 1 - origin)
    warn_if_flat(flat)
    found = best_size < math.inf
    if norm == "l0":
        best = _give_back(model, origin, best, labels, targeted)
    else:
        best = to_boundary(model, origin, best, labels, found, targeted=targeted, evaluations=4)
    x[active[found]] = best[found]
    return x, active[~found]


def _next_radius(eps, rate, size, best_size, fooled, gap, gradient, norm):
    """FMN's radius for its next step; see the formula there. gap: how far m still has to fall."""
    if norm == "l0":
        smaller = torch.minimum(torch.minimum((eps * (1 - rate)).floor(), eps - 1), best_size - 1).clamp_min(1)
        growth = torch.where(best_size.isinf(), 1.5, 1 + rate)
        return torch.where(fooled, smaller, torch.maximum((eps * growth).floor(), eps + 1))
    steepness = torch.linalg.vector_norm(gradient.flatten(1), DUAL[norm], dim=1)
    to_plane = size + gap.abs() / steepness.clamp_min(1e-12)
    outward = torch.where(best_size.isinf(), to_plane, eps) * (1 + rate)
    return torch.where(fooled, torch.minimum(eps * (1 - rate), best_size), outward).to(size.dtype)


def _to_radius(delta, eps, norm, low, high):
    """delta between low and high and no larger than eps, one value per image: in l2 and l1 lengthened to eps, too, as
    far as the box allows."""
    if norm == "linf":
        eps = per_example(eps, delta)
        return delta.clamp(-eps, eps).clamp(low, high)
    flat, low, high = delta.flatten(1), low.flatten(1), high.flatten(1)
    if norm == "l0":  # the largest
        flat = flat.clamp(low, high)
        largest = flat.abs().topk(min(int(eps.max()), flat.shape[1]), dim=1).indices
        kept = torch.arange(largest.shape[1], device=flat.device) < eps[:, None]
        return torch.zeros_like(flat).scatter(1, largest, flat.gather(1, largest) * kept).view(delta.shape)
    eps = eps.clamp_max(flat.shape[1])[:, None]  # the box itself is no wider
    if norm == "l1":  # clip(soft threshold of δ at t). Halving the interval finds t to 1 / 16,000 of the largest |δ|.
        size, room = flat.abs(), torch.where(flat > 0, high, -low)
        def length(t):
            return (size - t).clamp_min(0).minimum(room).sum(1, keepdim=True)
        least = torch.zeros_like(eps)
        most = torch.where(length(least) > eps, size.amax(1, keepdim=True), 0)
        for _ in range(14):
            middle = (least + most) / 2
            fits = length(middle) <= eps
            least, most = torch.where(fits, least, middle), torch.where(fits, middle, most)
        flat = (flat.sign() * (size - most).clamp_min(0)).clamp(low, high)
    # clip(s δ): where the box holds a pixel back the others go farther. s grows from one clip to the next, and never
    # leads out of the ball.
    for _ in range(8):
        length = flat.square().sum(1, keepdim=True).sqrt() if norm == "l2" else flat.abs().sum(1, keepdim=True)
        flat = (flat * (eps / length.clamp_min(1e-30))).clamp(low, high)
    return flat.view(delta.shape)


def _give_back(model, x, x_adv, y, targeted, evaluations=10):
    """x_adv with fewer changed values: the least changed first, a quarter of them at once, then fewer, and none without
    which the attack fails."""
    change = (x_adv - x).flatten(1)
    ranks = change.abs().argsort(1).argsort(1) - (change == 0).sum(1, keepdim=True)  # below 0: not changed
    at = torch.zeros_like(y)
    share = ((change != 0).sum(1) // 4).clamp_min(1)
    with torch.no_grad():
        # Larger changes cost nothing more: all the way to black or white, where that is at least as wrong.
        whole = torch.where(x_adv > x, 1, torch.where(x_adv < x, 0, x))
        def lead(images):
            return margin(at_least_float32(model(images)), y) * (-1 if targeted else 1)
        best = torch.where(per_example(lead(whole) <= lead(x_adv), x), whole, x_adv)
        for _ in range(evaluations):
            tried = (ranks >= at[:, None]) & (ranks < (at + share)[:, None])
            fewer = torch.where(tried.view(x.shape), x, best)
            fooled = fools(at_least_float32(model(fewer)), y, targeted)
            best = torch.where(per_example(fooled, x), fewer, best)
            at += torch.where(fooled, share, share == 1)  # what alone is needed stays
            share = torch.where(fooled, share, share // 2).clamp_min(1)
    return best


CARDS = (
    AttackCard(
        name="deepfool", input="non-random", frequency="iterative", specificity="non-targeted", scope="individual",
        measurement="l2, linf", realism="non-realistic", falsification="both", knowledge="white box",
        method="steps to the nearest of the linearised decision boundaries until the class changes",
        paper="Moosavi-Dezfooli, Fawzi, Frossard, 2016, arXiv:1511.04599",
        cost="per step until the class changes: at most 2 forward passes and one backward pass per other class; then 8 "
             "forward passes",
    ),
    AttackCard(
        name="fmn", input="non-random", frequency="iterative", specificity="both", scope="individual",
        measurement="l0, l1, l2, linf", realism="non-realistic", falsification="both", knowledge="white box",
        method="gradient steps inside a ball that shrinks while the image is adversarial and grows while it is not",
        paper="Pintor, Roli, Brendel, Biggio, 2021, arXiv:2102.12827",
        cost="1 forward pass, in linf another and 4 backward passes; steps + 1 forward and backward passes; 6 forward "
             "passes (12 in l0)",
    ),
)
