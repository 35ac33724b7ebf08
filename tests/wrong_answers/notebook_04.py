"""Plausible wrong answers to the exercises of notebook 04, each with a part of the message that it should get."""

import math

import torch
from torch.nn import functional as F

from advcourse.exercises.notebook_04 import cw_loss, largest_weight, linear_distance, planes, shrink

# 04.1 -----------------------------------------------------------------------------------------------------------------

def leads(weight, bias, x, y):
    logits = x.flatten(1) @ weight.T + bias
    return logits, logits.gather(1, y[:, None]) - logits


def divides_by_the_squared_length(weight, bias, x, y):
    _, lead = leads(weight, bias, x, y)
    distance = lead / ((weight[y][:, None] - weight) ** 2).sum(2)
    return distance.scatter(1, y[:, None], math.inf).min(1).values.clamp(min=0)


def divides_by_the_l1_norm(weight, bias, x, y):
    _, lead = leads(weight, bias, x, y)
    distance = lead / (weight[y][:, None] - weight).abs().sum(2)
    return distance.scatter(1, y[:, None], math.inf).min(1).values.clamp(min=0)


def gives_the_lead(weight, bias, x, y):
    _, lead = leads(weight, bias, x, y)
    return lead.scatter(1, y[:, None], math.inf).min(1).values.clamp(min=0)


def goes_to_the_second_largest_logit(weight, bias, x, y):
    logits, lead = leads(weight, bias, x, y)
    second = logits.scatter(1, y[:, None], -math.inf).argmax(1)
    return (lead.gather(1, second[:, None])[:, 0] / (weight[y] - weight[second]).norm(dim=1)).clamp(min=0)


def takes_the_farthest_class(weight, bias, x, y):
    _, lead = leads(weight, bias, x, y)
    distance = lead / (weight[y][:, None] - weight).norm(dim=2)
    return distance.scatter(1, y[:, None], -math.inf).max(1).values.clamp(min=0)


def forgets_the_bias(weight, bias, x, y):
    return linear_distance(weight, torch.zeros_like(bias), x, y)


def keeps_negative_distances(weight, bias, x, y):
    _, lead = leads(weight, bias, x, y)
    return (lead / (weight[y][:, None] - weight).norm(dim=2)).scatter(1, y[:, None], math.inf).min(1).values


def keeps_the_class_itself(weight, bias, x, y):
    _, lead = leads(weight, bias, x, y)
    return (lead / (weight[y][:, None] - weight).norm(dim=2)).min(1).values


def divides_by_one_row(weight, bias, x, y):
    _, lead = leads(weight, bias, x, y)
    return (lead / weight.norm(dim=1)).scatter(1, y[:, None], math.inf).min(1).values.clamp(min=0)


def gives_all_distances(weight, bias, x, y):
    _, lead = leads(weight, bias, x, y)
    return lead / (weight[y][:, None] - weight).norm(dim=2)


# 04.2 -----------------------------------------------------------------------------------------------------------------

def halves_linearly(works, low, high, steps):
    for _ in range(steps):
        middle = (low + high) / 2
        if works(middle):
            low = middle
        else:
            high = middle
    return low


def returns_the_failing_end(works, low, high, steps):
    for _ in range(steps):
        middle = math.sqrt(low * high)
        if works(middle):
            low = middle
        else:
            high = middle
    return high


def goes_the_wrong_way(works, low, high, steps):
    for _ in range(steps):
        middle = math.sqrt(low * high)
        if works(middle):
            high = middle
        else:
            low = middle
    return low


def never_moves_low(works, low, high, steps):
    for _ in range(steps):
        middle = math.sqrt(low * high)
        if not works(middle):
            high = middle
    return low


def tries_once(works, low, high, steps):
    middle = math.sqrt(low * high)
    return middle if works(middle) else low


def returns_high(works, low, high, steps):
    return high


def stops_early(works, low, high, steps):
    return largest_weight(works, low, high, steps - 4)


def forgets_to_return(works, low, high, steps):
    largest_weight(works, low, high, steps)


# 04.3 -----------------------------------------------------------------------------------------------------------------

def nearest_plane(model, x, y):
    gaps, gradients = planes(model, x, y)
    away = gaps.abs() / gradients.norm(dim=1)
    away[y] = math.inf
    k = away.argmin()
    return gaps[k], gradients[k].view_as(x)


def returns_the_step(model, x, y):
    gap, w = nearest_plane(model, x, y)
    return gap.abs() / w.norm() ** 2 * w


def goes_backwards(model, x, y):
    gap, w = nearest_plane(model, x, y)
    return x + gap / w.norm() ** 2 * w


def divides_once(model, x, y):
    gap, w = nearest_plane(model, x, y)
    return x + gap.abs() / w.norm() * w


def forgets_to_divide(model, x, y):
    gap, w = nearest_plane(model, x, y)
    return x + gap.abs() * w


def aims_at_the_second_largest_logit(model, x, y):
    gaps, gradients = planes(model, x, y)
    gaps[y] = -math.inf
    k = gaps.argmax()
    return x + (gaps[k].abs() / gradients[k].norm() ** 2 * gradients[k]).view_as(x)


def aims_at_the_farthest(model, x, y):
    gaps, gradients = planes(model, x, y)
    away = gaps.abs() / gradients.norm(dim=1)
    away[y] = -math.inf
    k = away.argmax()
    return x + (gaps[k].abs() / gradients[k].norm() ** 2 * gradients[k]).view_as(x)


def follows_one_logit(model, x, y):
    images = x.clone().requires_grad_()
    logits = model(images)[0]
    best, result = math.inf, x
    for k in range(len(logits)):
        if k != y:
            w = torch.autograd.grad(logits[k], images, retain_graph=True)[0]
            gap = (logits[k] - logits[y]).detach().abs()
            if gap / w.norm() < best:
                best, result = gap / w.norm(), x + gap / w.norm() ** 2 * w
    return result


def steps_by_signs(model, x, y):
    gaps, gradients = planes(model, x, y)
    away = gaps.abs() / gradients.abs().sum(1)
    away[y] = math.inf
    return x + (away.min() * gradients[away.argmin()].sign()).view_as(x)


def clips_to_grey_values(model, x, y):
    gap, w = nearest_plane(model, x, y)
    return (x + gap.abs() / w.norm() ** 2 * w).clamp(0, 1)


def includes_its_own_class(model, x, y):
    gaps, gradients = planes(model, x, y)
    k = gaps.abs().argmin()
    return x + (gaps[k].abs() / gradients[k].norm().clamp_min(1e-9) ** 2 * gradients[k]).view_as(x)


def loses_the_batch(model, x, y):
    gap, w = nearest_plane(model, x, y)
    return (x + gap.abs() / w.norm() ** 2 * w)[0]


# 04.4 -----------------------------------------------------------------------------------------------------------------

def parts(logits, target):
    return logits.gather(1, target[:, None])[:, 0], logits.scatter(1, target[:, None], -math.inf).amax(1)


def has_no_floor(logits, target, kappa):
    wanted, others = parts(logits, target)
    return others - wanted


def ignores_kappa(logits, target, kappa):
    wanted, others = parts(logits, target)
    return F.relu(others - wanted)


def puts_the_floor_above(logits, target, kappa):
    wanted, others = parts(logits, target)
    return (others - wanted).clamp(min=kappa)


def adds_kappa(logits, target, kappa):
    wanted, others = parts(logits, target)
    return F.relu(others - wanted + kappa)


def keeps_the_target_in(logits, target, kappa):
    return (logits.amax(1) - logits.gather(1, target[:, None])[:, 0]).clamp(min=-kappa)


def reverses_the_sign(logits, target, kappa):
    wanted, others = parts(logits, target)
    return (wanted - others).clamp(min=-kappa)


def masks_with_zero(logits, target, kappa):
    one_hot = F.one_hot(target, logits.shape[1])
    return (((1 - one_hot) * logits).amax(1) - (one_hot * logits).sum(1)).clamp(min=-kappa)


def works_on_probabilities(logits, target, kappa):
    wanted, others = parts(logits.softmax(1), target)
    return (others - wanted).clamp(min=-kappa)


def takes_cross_entropy(logits, target, kappa):
    return F.cross_entropy(logits, target, reduction="none")


def averages(logits, target, kappa):
    return cw_loss(logits, target, kappa).mean()


# 04.5 -----------------------------------------------------------------------------------------------------------------

def thresholds_only(z, x, beta):
    return torch.where((z - x).abs() > beta, z, x).clamp(0, 1)


def thresholds_without_clipping(z, x, beta):
    return torch.where((z - x).abs() > beta, z, x)


def forgets_to_clip(z, x, beta):
    return x + F.softshrink(z - x, beta)


def shrinks_the_image(z, x, beta):
    return F.softshrink(z, beta).clamp(0, 1)


def loses_the_sign(z, x, beta):
    return (x + F.relu((z - x).abs() - beta)).clamp(0, 1)


def limits_to_beta(z, x, beta):
    return (x + (z - x).clamp(-beta, beta)).clamp(0, 1)


def lets_small_changes_turn_round(z, x, beta):
    delta = z - x
    return (x + delta.sign() * (delta.abs() - beta)).clamp(0, 1)


def only_clips(z, x, beta):
    return z.clamp(0, 1)


def returns_the_change(z, x, beta):
    return F.softshrink(z - x, beta)


def halves_beta(z, x, beta):
    return shrink(z, x, beta / 2)


WRONG = {
    "04.1": [
        (divides_by_the_squared_length, "squared length"),
        (divides_by_the_l1_norm, "ℓ1 norm"),
        (gives_the_lead, "the lead itself"),
        (goes_to_the_second_largest_logit, "second largest logit"),
        (takes_the_farthest_class, "farthest class"),
        (forgets_the_bias, "bias is missing"),
        (keeps_negative_distances, "a distance is negative"),
        (keeps_the_class_itself, "leave that class out"),
        (divides_by_one_row, "w_k alone"),
        (gives_all_distances, "a tensor of shape"),
    ],
    "04.2": [
        (halves_linearly, "geometric mean"),
        (returns_the_failing_end, "the other end of the interval"),
        (goes_the_wrong_way, "at which it worked"),
        (never_moves_low, "that you were given as low"),
        (tries_once, "the first middle"),
        (returns_high, "the attack fails at the c that you return"),
        (stops_early, "times as large"),
        (forgets_to_return, "returns None"),
    ],
    "04.3": [
        (returns_the_step, "you return the step"),
        (goes_backwards, "the opposite way"),
        (divides_once, "divide by ‖w‖₂ twice"),
        (forgets_to_divide, "must be divided by ‖w‖₂²"),
        (aims_at_the_second_largest_logit, "second largest logit"),
        (aims_at_the_farthest, "farthest boundary"),
        (follows_one_logit, "z_k alone"),
        (steps_by_signs, "ℓ∞ norm"),
        (clips_to_grey_values, "you clipped"),
        (includes_its_own_class, "nothing moved"),
        (loses_the_batch, "a tensor of shape"),
    ],
    "04.4": [
        (has_no_floor, "falling for ever"),
        (ignores_kappa, "κ has no effect"),
        (puts_the_floor_above, "the floor is at +κ"),
        (adds_kappa, "plus κ"),
        (keeps_the_target_in, "leave the target out of the maximum"),
        (reverses_the_sign, "the sign is reversed"),
        (masks_with_zero, "a 0 stands in the target's place"),
        (works_on_probabilities, "probabilities"),
        (takes_cross_entropy, "cross-entropy"),
        (averages, "a tensor of shape"),
    ],
    "04.5": [
        (thresholds_only, "keep their full size"),
        (thresholds_without_clipping, "keep their full size"),
        (forgets_to_clip, "leaves [0, 1]"),
        (shrinks_the_image, "towards black"),
        (loses_the_sign, "the sign is lost"),
        (limits_to_beta, "limits every change"),
        (lets_small_changes_turn_round, "turn round"),
        (only_clips, "only clipped"),
        (returns_the_change, "you return the change"),
        (halves_beta, "not what the formula gives"),
    ],
}


# Right answers, written otherwise -------------------------------------------------------------------------------------

def measures_class_by_class(weight, bias, x, y):
    distances = []
    for image, label in zip(x.flatten(1), y.tolist(), strict=True):
        z = weight @ image + bias
        away = [((z[label] - z[k]) / torch.linalg.vector_norm(weight[label] - weight[k])).item() for k in range(len(z))
                if k != label]
        distances.append(max(min(away), 0.0))
    return torch.tensor(distances, dtype=x.dtype)


def halves_in_logarithms(works, low, high, steps):
    a, b = math.log10(low), math.log10(high)
    best = low
    for _ in range(steps):
        middle = 0.5 * (a + b)
        if works(10 ** middle):
            a = middle
            best = 10 ** middle
        else:
            b = middle
    return best


def steps_in_a_loop(model, x, y):
    images = x.clone().requires_grad_()
    logits = model(images)
    best, result = float("inf"), None
    for k in range(logits.shape[1]):
        if k == y:
            continue
        gap = logits[0, k] - logits[0, y]
        w, = torch.autograd.grad(gap, images, retain_graph=True)
        if gap.abs() / w.norm() < best:
            best = (gap.abs() / w.norm()).item()
            result = x - gap.detach() / (w * w).sum() * w
    return result


def compares_by_sorting(logits, target, kappa):
    rows = torch.arange(len(logits))
    order = logits.topk(2, dim=1)
    other = torch.where(order.indices[:, 0] == target, order.values[:, 1], order.values[:, 0])
    return torch.maximum(other - logits[rows, target], torch.full_like(other, -kappa))


def shrinks_by_cases(z, x, beta):
    result = x.clone()
    result = torch.where(z - x > beta, z - beta, result)
    result = torch.where(z - x < -beta, z + beta, result)
    return result.clamp(0, 1)


RIGHT = {
    "04.1": [measures_class_by_class],
    "04.2": [halves_in_logarithms],
    "04.3": [steps_in_a_loop],
    "04.4": [compares_by_sorting],
    "04.5": [shrinks_by_cases],
}
