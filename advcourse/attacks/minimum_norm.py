"""Attacks that look for the nearest adversarial image instead of the worst image in a given ball.

Near an image the network is almost linear, so its decision boundary is almost a plane, and the nearest point of a plane is known.
DeepFool steps from plane to plane until the class changes. FMN slides along the boundary, shrinking and growing the ball that
it allows itself, and so comes closer. Both end with a walk straight back towards the image, as far as it stays adversarial.
"""

import math

import torch

from advcourse.attacks.cards import AttackCard
from advcourse.attacks.contract import (
    an_eighth_of, at_least_float32, attacking, check, check_positive, distance, fools, fresh, input_gradient, labels_fit, margin,
    per_example, smooth_margin, warn_if_flat,
)

DUAL = {"l2": 2, "linf": 1, "l1": math.inf}  # the norm in which a gradient measures the steepness seen by steps of the other


def deepfool(model, x, y, *, norm="l2", steps=50, candidates=10, overshoot=0.02):
    """DeepFool: step to the nearest of the linearised decision boundaries, until the class changes.

        w_k = ∇(z_k − z_y),  f_k = z_k − z_y,  l = argmin_k |f_k| / ‖w_k‖_q          over the classes k other than y
        r = |f_l| / ‖w_l‖₂² · w_l  (l2, q = 2)    or    |f_l| / ‖w_l‖₁ · sign(w_l)  (linf, q = 1)
        x_adv ← clip(x_adv + (1 + overshoot) · r)                                    until argmax z(x_adv) is not y

    model: from images in [0, 1], shape (N, ...), to logits (N, K); x: such images; y: their true labels, shape (N,).
    norm: "l2" or "linf", of the change that is to be small. candidates: of how many of the likeliest classes the boundaries
    are tried, y's own included.
    Returns x_adv in [0, 1], detached: the class differs from y; where no step reached another class, and where the model errs
    on x itself, it is x unchanged.

    Moosavi-Dezfooli, Fawzi, Frossard, "DeepFool", CVPR 2016, algorithm 2 and equations 10-11. What differs: y is the true label,
    not the predicted one; images stay in [0, 1], and w_k leaves out pixels that could only leave it; the first step goes half of
    the way, where the planes are known better; the overshoot grows with every step, so that no image runs in circles,
    and `to_boundary` takes it back at the end.
    """
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
    """(the step from each image to the nearest of its linearised boundaries, where there is none as all gradients are 0)."""
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
    """Walk from each x_adv straight back towards x as far as the attack stays successful: never farther from x, in any norm.

    found: where x_adv is a success, shape (N,); elsewhere nothing changes. confidence: the lead, in logits, that the class must
    keep; shortfall: in its place, any function from logits to numbers, shape (N,), that are negative at a success.
    Costs `evaluations` + 2 forward passes: regula falsi, with the "Illinois" halving of the end that stays put.
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
                low_value = torch.where(success, torch.where(previous < 0, low_value / 2, low_value), value.clamp(1e-12, 1e30))
                high_value = torch.where(success, value.clamp(-1e30, -1e-12), torch.where(previous > 0, high_value / 2, high_value))
                low, high = torch.where(success, low, at), torch.where(success, at, high)
                previous = value.sign()
    result = x_adv.clone()
    result[images] = best
    return result


# fmn's steps, step_size and gamma: chosen on test images that the benchmark does not use, on networks trained with and without
# adversarial examples. In l0 and l1 a step has to take single values across their whole range, in linf all of them.
FMN_SETTINGS = {"l0": (30, 6.0, 0.4), "l1": (30, 6.0, 0.4), "l2": (28, 3.0, 0.4), "linf": (20, 4.0, 0.2)}


def fmn(model, x, y, *, norm="l2", steps=None, step_size=None, gamma=None, targeted=False):
    """FMN: gradient steps on the sphere of radius eps around x, while eps shrinks outside of the class and grows inside it.

        eps ← (1 + γ_k) · (‖δ‖ + |m| / ‖∇m‖_q)   while none is known: the distance to the linearised boundary
              (1 + γ_k) · eps               where x + δ is not adversarial
              min(eps (1 − γ_k), ‖δ_best‖)  where it is
        δ ← project(δ − α_k ∇m / ‖∇m‖₂, eps)      m = z_y − max_{k≠y} z_k

    model: from images in [0, 1], shape (N, ...), to logits (N, K); x: such images; y: their true labels, shape (N,), with
    targeted=True the classes to reach. norm: "l0", "l1", "l2" or "linf", of the change that is to be small; l0 counts values.
    steps: how many; step_size: α at the first of them, its length in l2; gamma: γ there. Both fall along half a cosine, to a hundredth.
    None: as FMN_SETTINGS says, and with steps=None the images that these leave unchanged get twice and then four times as many.
    Returns x_adv in [0, 1], detached: the nearest success; x unchanged where there is none or where x is one already.

    Pintor, Roli, Brendel, Biggio, "Fast minimum-norm adversarial attacks through adaptive norm constraints", NeurIPS 2021,
    algorithm 1. What differs: in the first half of the steps m is the `smooth_margin`, but in linf, where (untargeted) one step of
    DeepFool comes first; in l1 and l2 δ is lengthened to eps before it is projected, as Rony et al. do (DDN, CVPR 2019); it is
    projected onto the ball and the box together and the gradient leaves out pixels that could only leave the box (the paper clips
    afterwards, and loses much of each step); `to_boundary` ends it. Fewer steps are needed so.
    In l0, eps is a count: it starts at 1, moves by at least 1, and grows by half until the first success.
    """
    check(x, y, norm=norm, norms=("l0", "l1", "l2", "linf"), steps=1 if steps is None else steps)
    check_positive(step_size=step_size, gamma=gamma)
    x, y = fresh(x), fresh(y)
    left = torch.arange(len(x), device=x.device)
    with attacking(model):
        for count in [rounds * FMN_SETTINGS[norm][0] for rounds in (1, 2, 4)] if steps is None else [steps]:
            if len(left):
                x[left], failed = _slide(model, x[left], y[left], norm, count, step_size, gamma, targeted)
                left = left[failed]
    return x


def _slide(model, x, y, norm, steps, step_size, gamma, targeted):
    """(x_adv, the rows on which something was to do and did not succeed) after that many steps of FMN."""
    sign = 1 if targeted else -1
    _, usual_step, usual_gamma = FMN_SETTINGS[norm]
    step_size, gamma = step_size or usual_step, gamma or usual_gamma
    with torch.no_grad():
        logits = at_least_float32(model(x))
        labels_fit(logits, y)
        active = (~fools(logits, y, targeted)).nonzero()[:, 0]
    origin, labels, delta = x[active], y[active], torch.zeros_like(x[active])
    temperature = an_eighth_of(margin(logits[active], labels))
    if norm == "linf" and not targeted and len(active):
        images = origin.clone().requires_grad_()
        move, _ = _to_nearest_plane(images, at_least_float32(model(images)), labels, norm, candidates=10)
        delta = (origin + (1 + gamma) * move).clamp_(0, 1) - origin
    best, best_size = origin.clone(), origin.new_full((len(origin),), math.inf)
    eps = torch.ones_like(best_size) if norm == "l0" else torch.full_like(best_size, math.inf)
    flat = torch.zeros_like(labels, dtype=torch.bool)
    for step in range(steps + 1 if len(active) else 0):
        point = (origin + delta).clamp_(0, 1)
        smooth = norm != "linf" and 2 * step < steps
        logits, gain, gradient = input_gradient(
            model, point, lambda z: sign * (smooth_margin(z, labels, temperature) if smooth else margin(z, labels)))
        fooled, size = fools(logits, labels, targeted), distance(point, origin, norm)
        better = fooled & (size < best_size)
        best, best_size = torch.where(per_example(better, best), point, best), torch.where(better, size, best_size)
        if step == steps:
            break
        gradient = gradient * torch.where(gradient > 0, point < 1, point > 0)  # pixels that can move
        flat |= gradient.flatten(1).abs().amax(1) == 0
        falling = (1 + math.cos(math.pi * step / steps)) / 2
        alpha, rate = step_size * (0.01 + 0.99 * falling), gamma * (0.01 + 0.99 * falling)
        eps = _next_radius(eps, rate, size, best_size, fooled, -gain, gradient, norm)
        steepness = torch.linalg.vector_norm(gradient.flatten(1), dim=1).clamp_min(torch.finfo(x.dtype).tiny)
        delta = delta + alpha * gradient / per_example(steepness, gradient)
        if norm in ("l1", "l2"):
            delta *= per_example((eps / distance(delta, 0, norm).clamp_min(1e-12)).clamp_min(1), delta)
        delta = _nearest_inside(delta, eps, norm, -origin, 1 - origin)
    warn_if_flat(flat)
    found = best_size < math.inf
    if norm != "l0":
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


def _nearest_inside(delta, eps, norm, low, high):
    """The nearest change to delta whose norm is at most eps, one value per image, and which lies between low and high."""
    if norm == "linf":
        eps = per_example(eps, delta)
        return delta.clamp(-eps, eps).clamp(low, high)
    if norm == "l0":  # keep the largest
        flat = delta.clamp(low, high).flatten(1)
        order = flat.abs().argsort(1, descending=True)
        ranks = torch.arange(flat.shape[1], device=flat.device).expand_as(order)
        return (flat * torch.empty_like(order).scatter_(1, order, ranks).lt(eps[:, None])).view(delta.shape)
    # l2: clip(s δ); l1: clip(soft threshold of δ at t). Halving the interval finds s, or t, to 1 / 16,000.
    flat, low, high = delta.flatten(1), low.flatten(1), high.flatten(1)
    size, order = flat.abs(), {"l1": 1, "l2": 2}[norm]
    outside = torch.linalg.vector_norm(flat.clamp(low, high), order, dim=1) > eps
    least, most = torch.zeros_like(eps), outside.to(eps.dtype)
    largest = size.amax(1)
    for _ in range(14 if outside.any() else 0):
        middle = (least + most) / 2
        shrunk = flat * (1 - middle)[:, None] if norm == "l2" else flat.sign() * (size - (middle * largest)[:, None]).clamp_min(0)
        fits = torch.linalg.vector_norm(shrunk.clamp(low, high), order, dim=1) <= eps
        least, most = torch.where(fits, least, middle), torch.where(fits, middle, most)
    shrunk = flat * (1 - most)[:, None] if norm == "l2" else flat.sign() * (size - (most * largest)[:, None]).clamp_min(0)
    return shrunk.clamp(low, high).view(delta.shape)


CARDS = (
    AttackCard(
        name="deepfool", input="non-random", frequency="iterative", specificity="non-targeted", scope="individual",
        measurement="l2, linf", realism="non-realistic", falsification="both", knowledge="white box",
        method="steps to the nearest of the linearised decision boundaries until the class changes",
        paper="Moosavi-Dezfooli, Fawzi, Frossard, 2016, arXiv:1511.04599",
        cost="per step until the class changes: at most 2 forward passes and one backward pass per other class; then 8 forward passes",
    ),
    AttackCard(
        name="fmn", input="non-random", frequency="iterative", specificity="both", scope="individual",
        measurement="l0, l1, l2, linf", realism="non-realistic", falsification="both", knowledge="white box",
        method="gradient steps inside a ball that shrinks while the image is adversarial and grows while it is not",
        paper="Pintor, Roli, Brendel, Biggio, 2021, arXiv:2102.12827",
        cost="1 forward pass, in linf another and one backward pass per other class; steps + 1 forward and backward passes; 6 forward passes (none in l0)",
    ),
)
