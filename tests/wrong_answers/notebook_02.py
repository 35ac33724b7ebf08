"""Plausible wrong answers to the exercises of notebook 02, each with a part of the message that it should get."""

import math

import torch

from advcourse.exercises.notebook_02 import error_rates, onto_ball, size, succeeds

# 02.1 -----------------------------------------------------------------------------------------------------------------

def forgets_the_distance(model, x, x_p, y, eps, target=None):
    after = model(x_p).argmax(1)
    return (model(x).argmax(1) == y) & (after != y if target is None else after == target)


def forgets_who_was_right_before(model, x, x_p, y, eps, target=None):
    after = model(x_p).argmax(1)
    near = (x_p - x).abs().flatten(1).amax(1) <= eps
    return near & (after != y if target is None else after == target)


def counts_every_change_of_answer(model, x, x_p, y, eps, target=None):
    near = (x_p - x).abs().flatten(1).amax(1) <= eps
    return near & (model(x_p).argmax(1) != model(x).argmax(1))


def ignores_the_target(model, x, x_p, y, eps, target=None):
    return succeeds(model, x, x_p, y, eps, None)


def flees_the_target(model, x, x_p, y, eps, target=None):
    goal = y if target is None else target
    near = (x_p - x).abs().flatten(1).amax(1) <= eps
    return (model(x).argmax(1) == y) & near & (model(x_p).argmax(1) != goal)


def asks_for_y_without_a_target(model, x, x_p, y, eps, target=None):
    goal = y if target is None else target
    near = (x_p - x).abs().flatten(1).amax(1) <= eps
    return (model(x).argmax(1) == y) & near & (model(x_p).argmax(1) == goal)


def overlooks_what_gets_darker(model, x, x_p, y, eps, target=None):
    near = (x_p - x).flatten(1).amax(1) <= eps
    return near & forgets_the_distance(model, x, x_p, y, eps, target)


def averages_the_change(model, x, x_p, y, eps, target=None):
    near = (x_p - x).abs().flatten(1).mean(1) <= eps
    return near & forgets_the_distance(model, x, x_p, y, eps, target)


def measures_euclidean_length(model, x, x_p, y, eps, target=None):
    near = (x_p - x).flatten(1).norm(dim=1) <= eps
    return near & forgets_the_distance(model, x, x_p, y, eps, target)


def says_who_withstood(model, x, x_p, y, eps, target=None):
    return ~succeeds(model, x, x_p, y, eps, target)


def gives_the_share(model, x, x_p, y, eps, target=None):
    return succeeds(model, x, x_p, y, eps, target).float().mean().item()


def gives_numbers(model, x, x_p, y, eps, target=None):
    return succeeds(model, x, x_p, y, eps, target).float()


# 02.2 -----------------------------------------------------------------------------------------------------------------

def raises_to_the_power_zero(delta, p):
    if p == 0:
        return (delta.flatten(1).abs() ** 0).sum(1)
    return size(delta, p)


def uses_one_formula_for_all(delta, p):
    return (delta.flatten(1).abs() ** p).sum(1) ** (1 / p)


def counts_only_what_goes_up(delta, p):
    return (delta.flatten(1) > 0).sum(1).to(delta.dtype) if p == 0 else size(delta, p)


def forgets_absolute_values_in_the_sum(delta, p):
    return delta.flatten(1).sum(1) if p == 1 else size(delta, p)


def takes_the_absolute_value_last(delta, p):
    return delta.flatten(1).sum(1).abs() if p == 1 else size(delta, p)


def forgets_absolute_values_in_the_largest(delta, p):
    return delta.flatten(1).amax(1) if p == math.inf else size(delta, p)


def forgets_the_root(delta, p):
    return delta.flatten(1).square().sum(1) if p == 2 else size(delta, p)


def averages(delta, p):
    flat = delta.flatten(1).abs()
    return {0: (flat > 0).to(delta.dtype).mean(1), 1: flat.mean(1)}.get(p, size(delta, p))


def takes_the_root_of_the_mean(delta, p):
    return delta.flatten(1).square().mean(1).sqrt() if p == 2 else size(delta, p)


def measures_the_batch(delta, p):
    return size(delta.flatten()[None], p)[0]


def returns_counts_as_integers(delta, p):
    return size(delta, p).long() if p == 0 else size(delta, p)


def gives_the_share_of_pixels(delta, p):
    return (delta.flatten(1) != 0).float().mean(1) if p == 0 else size(delta, p)


# 02.3 -----------------------------------------------------------------------------------------------------------------

def pulls_all_to_the_border(x_p, x, eps):
    delta = x_p - x
    return x + delta * (eps / delta.flatten(1).norm(dim=1).clamp_min(1e-12)).view(-1, 1, 1, 1)


def divides_by_zero(x_p, x, eps):
    delta = x_p - x
    return x + eps * delta / delta.flatten(1).norm(dim=1).view(-1, 1, 1, 1)


def clips_every_pixel(x_p, x, eps):
    return x + (x_p - x).clamp(-eps, eps)


def clips_every_pixel_tightly(x_p, x, eps):
    limit = eps / x[0].numel() ** 0.5
    return x + (x_p - x).clamp(-limit, limit)


def measures_all_images_at_once(x_p, x, eps):
    delta = x_p - x
    return x + delta * min(1.0, eps / float(delta.norm()))


def takes_the_longest_for_all(x_p, x, eps):
    delta = x_p - x
    return x + delta * min(1.0, eps / float(delta.flatten(1).norm(dim=1).max()))


def measures_with_l1(x_p, x, eps):
    delta = x_p - x
    return x + delta * (eps / delta.flatten(1).abs().sum(1).clamp_min(1e-12)).clamp(max=1).view(-1, 1, 1, 1)


def gives_up_on_those_outside(x_p, x, eps):
    inside = (x_p - x).flatten(1).norm(dim=1) <= eps
    return torch.where(inside.view(-1, 1, 1, 1), x_p, x)


def returns_the_perturbation(x_p, x, eps):
    return onto_ball(x_p, x, eps) - x


def leaves_all_as_it_is(x_p, x, eps):
    return x_p.clone()


def returns_x(x_p, x, eps):
    return x.clone()


# 02.4 -----------------------------------------------------------------------------------------------------------------

def swaps_the_two(said, truth):
    return error_rates(said, truth)[::-1]


def counts_them(said, truth):
    return (said & ~truth).sum().item(), (~said & truth).sum().item()


def divides_by_all(said, truth):
    return (said & ~truth).float().mean().item(), (~said & truth).float().mean().item()


def divides_by_the_other_side(said, truth):
    return ((said & ~truth).sum() / truth.sum()).item(), ((~said & truth).sum() / (~truth).sum()).item()


def divides_by_what_was_said(said, truth):
    return ((said & ~truth).sum() / said.sum()).item(), ((~said & truth).sum() / (~said).sum()).item()


def gives_what_is_right(said, truth):
    return (~said)[~truth].float().mean().item(), said[truth].float().mean().item()


def gives_percentages(said, truth):
    return tuple(100 * rate for rate in error_rates(said, truth))


def does_not_tell_them_apart(said, truth):
    errors = (said != truth).float().mean().item()
    return errors, errors


def adds_them_up(said, truth):
    return (said != truth).float().mean().item()


WRONG = {
    "02.1": [
        (forgets_the_distance, "too far away"),
        (forgets_who_was_right_before, "wrong before anything was changed"),
        (counts_every_change_of_answer, "every change of the answer"),
        (ignores_the_target, "must be the target"),
        (flees_the_target, "*not* to be the target"),
        (asks_for_y_without_a_target, "where the answer is *not* y"),
        (overlooks_what_gets_darker, "gets darker by more than ε"),
        (averages_the_change, "you average the change"),
        (measures_euclidean_length, "you measure the Euclidean length"),
        (says_who_withstood, "this is the reverse"),
        (gives_the_share, "returned a number"),
        (gives_numbers, "torch.bool"),
    ],
    "02.2": [
        (raises_to_the_power_zero, "count the zeros too"),
        (uses_one_formula_for_all, "division by zero"),
        (counts_only_what_goes_up, "a change downwards counts as well"),
        (forgets_absolute_values_in_the_sum, "take absolute values first"),
        (takes_the_absolute_value_last, "first, not last"),
        (forgets_absolute_values_in_the_largest, "before the largest"),
        (forgets_the_root, "the root is missing"),
        (averages, "these are averages"),
        (takes_the_root_of_the_mean, "mean of the squares"),
        (measures_the_batch, "a tensor of shape"),
        (returns_counts_as_integers, "torch.int64"),
        (gives_the_share_of_pixels, "shares of them"),
    ],
    "02.3": [
        (pulls_all_to_the_border, "the near ones out to the border"),
        (divides_by_zero, "division by zero"),
        (clips_every_pixel, "leaves the ε-ball"),
        (clips_every_pixel_tightly, "bends the direction"),
        (measures_all_images_at_once, "one length for the whole batch"),
        (takes_the_longest_for_all, "the largest length of the batch"),
        (measures_with_l1, "the ℓ1 size"),
        (gives_up_on_those_outside, "went back to x"),
        (returns_the_perturbation, "leaves the ε-ball"),
        (leaves_all_as_it_is, "leaves the ε-ball"),
        (returns_x, "you give x back"),
    ],
    "02.4": [
        (swaps_the_two, "in the wrong order"),
        (counts_them, "these are counts"),
        (divides_by_all, "the number of all images"),
        (divides_by_the_other_side, "the other side's number"),
        (divides_by_what_was_said, "what the detector said"),
        (gives_what_is_right, "the shares that are right"),
        (gives_percentages, "percentages"),
        (does_not_tell_them_apart, "counted apart"),
        (adds_them_up, "returned a number"),
    ],
}


# Right answers, written otherwise -------------------------------------------------------------------------------------

def looks_for_a_changed_answer(model, x, x_p, y, eps, target=None):
    """The answer has changed, and the first one was right: the same as right before and wrong now."""
    before, after = model(x).argmax(1), model(x_p).argmax(1)
    success = (after != before) & (before == y) & ~((x_p - x).abs() > eps).flatten(1).any(1)
    return success if target is None else success & (after == target)


def asks_torch(delta, p):
    return torch.linalg.vector_norm(delta.flatten(1), p, dim=1)


def projects_by_where(x_p, x, eps):
    delta = x_p - x
    length = delta.pow(2).sum((1, 2, 3), keepdim=True).sqrt()
    return torch.where(length > eps, x + eps * delta / (length + 1e-20), x_p)


def averages_over_each_side(said, truth):
    return float(said[~truth].double().mean()), 1 - float(said[truth].double().mean())


RIGHT = {
    "02.1": [looks_for_a_changed_answer],
    "02.2": [asks_torch],
    "02.3": [projects_by_where],
    "02.4": [averages_over_each_side],
}
