"""Plausible wrong answers to the exercises of notebook 05, each with a part of the message that it should get."""

import torch

from advcourse.exercises.notebook_05 import estimate_gradient, next_generation, saliency_map, to_the_boundary

# 05.1 -----------------------------------------------------------------------------------------------------------------

def sums_all_classes(jacobian, target):
    a, b = jacobian[target], jacobian.sum(0)
    return torch.where((a > 0) & (b < 0), a * b.abs(), 0)


def takes_the_mean_of_the_others(jacobian, target):
    others = torch.cat([jacobian[:target], jacobian[target + 1:]])
    return torch.where((jacobian[target] > 0) & (others.mean(0) < 0), -jacobian[target] * others.mean(0), 0)


def takes_the_strongest_other(jacobian, target):
    others = torch.cat([jacobian[:target], jacobian[target + 1:]]).max(0).values
    return torch.where((jacobian[target] > 0) & (others < 0), -jacobian[target] * others, 0)


def looks_at_the_target_alone(jacobian, target):
    a = jacobian[target]
    b = jacobian.sum(0) - a
    return torch.where(a > 0, a * b.abs(), 0)


def looks_at_the_others_alone(jacobian, target):
    a = jacobian[target]
    b = jacobian.sum(0) - a
    return torch.where(b < 0, a.abs() * b.abs(), 0)


def makes_pixels_darker(jacobian, target):
    a = jacobian[target]
    b = jacobian.sum(0) - a
    return torch.where((a < 0) & (b > 0), -a * b, 0)


def joins_by_or(jacobian, target):
    a = jacobian[target]
    b = jacobian.sum(0) - a
    return torch.where((a > 0) | (b < 0), a.abs() * b.abs(), 0)


def clamps_the_product(jacobian, target):
    a = jacobian[target]
    b = jacobian.sum(0) - a
    return (-a * b).clamp_min(0)


def leaves_negative_entries(jacobian, target):
    a = jacobian[target]
    return -a * (jacobian.sum(0) - a)


def forgets_b(jacobian, target):
    a = jacobian[target]
    b = jacobian.sum(0) - a
    return torch.where((a > 0) & (b < 0), a, 0)


def forgets_the_minus(jacobian, target):
    return -saliency_map(jacobian, target)


def returns_one_number(jacobian, target):
    return saliency_map(jacobian, target).max()


# 05.2 -----------------------------------------------------------------------------------------------------------------

def breeds(child, better=torch.lt, clip=True):
    """The next generation with another formula for the children or another rule of who stays."""
    def generation(population, losses, loss_of, others, factor):
        r1, r2, r3 = population[others[0]], population[others[1]], population[others[2]]
        children = child(population, r1, r2, r3, factor)
        children = torch.clamp(children, 0, 1) if clip else children
        new = loss_of(children)
        wins = better(new, losses)
        return torch.where(wins[:, None], children, population), torch.where(wins, new, losses)
    return generation


def formula(parents, r1, r2, r3, factor):
    return r1 + factor * (r2 - r3)


starts_from_the_parents = breeds(lambda parents, r1, r2, r3, factor: parents + factor * (r2 - r3))
turns_the_difference_round = breeds(lambda parents, r1, r2, r3, factor: r1 + factor * (r3 - r2))
forgets_the_factor = breeds(lambda parents, r1, r2, r3, factor: r1 + r2 - r3)
adds_both = breeds(lambda parents, r1, r2, r3, factor: r1 + factor * (r2 + r3))
scales_everything = breeds(lambda parents, r1, r2, r3, factor: factor * (r1 + r2 - r3))
never_clips = breeds(formula, clip=False)
keeps_every_child = breeds(formula, better=lambda new, old: torch.ones_like(old).bool())
keeps_the_worse = breeds(formula, better=torch.gt)
competes_with_the_best = breeds(formula, better=lambda new, old: new < old.min())


def returns_everything_unchanged(population, losses, loss_of, others, factor):
    return population.clone(), losses.clone()


def forgets_the_new_losses(population, losses, loss_of, others, factor):
    return next_generation(population, losses, loss_of, others, factor)[0], losses


def gives_all_the_children_s_losses(population, losses, loss_of, others, factor):
    children = (population[others[0]] + factor * (population[others[1]] - population[others[2]])).clamp(0, 1)
    return next_generation(population, losses, loss_of, others, factor)[0], loss_of(children)


def forgets_to_return_the_losses(population, losses, loss_of, others, factor):
    return next_generation(population, losses, loss_of, others, factor)[0]


def changes_in_place(population, losses, loss_of, others, factor):
    new, new_losses = next_generation(population, losses, loss_of, others, factor)
    population.copy_(new)
    return population, new_losses


# 05.3 -----------------------------------------------------------------------------------------------------------------

def asks_on_one_side(loss_of, x, directions, delta):
    slopes = (loss_of(x + delta * directions) - loss_of(x)) / delta
    return (slopes[:, None, None, None] * directions).mean(0, keepdim=True)


def asks_on_one_side_and_halves(loss_of, x, directions, delta):
    return asks_on_one_side(loss_of, x, directions, delta) / 2


def goes_downhill(loss_of, x, directions, delta):
    slopes = (loss_of(x - delta * directions) - loss_of(x + delta * directions)) / (2 * delta)
    return (slopes[:, None, None, None] * directions).mean(0, keepdim=True)


def forgets_the_two(loss_of, x, directions, delta):
    return 2 * estimate_gradient(loss_of, x, directions, delta)


def forgets_delta(loss_of, x, directions, delta):
    rise = loss_of(x + delta * directions) - loss_of(x - delta * directions)
    return (rise[:, None, None, None] * directions).mean(0, keepdim=True)


def halves_but_forgets_delta(loss_of, x, directions, delta):
    return forgets_delta(loss_of, x, directions, delta) / 2


def sums_up(loss_of, x, directions, delta):
    return estimate_gradient(loss_of, x, directions, delta) * len(directions)


def adds_the_losses(loss_of, x, directions, delta):
    rise = loss_of(x + delta * directions) + loss_of(x - delta * directions)
    return (rise[:, None, None, None] / (2 * delta) * directions).mean(0, keepdim=True)


def forgets_the_directions(loss_of, x, directions, delta):
    slopes = (loss_of(x + delta * directions) - loss_of(x - delta * directions)) / (2 * delta)
    return slopes.mean() * torch.ones_like(x)


def uses_one_direction(loss_of, x, directions, delta):
    return estimate_gradient(loss_of, x, directions[:1], delta)


def averages_the_directions(loss_of, x, directions, delta):
    return directions.mean(0, keepdim=True)


def loses_the_batch(loss_of, x, directions, delta):
    return estimate_gradient(loss_of, x, directions, delta)[0]


def keeps_every_direction(loss_of, x, directions, delta):
    slopes = (loss_of(x + delta * directions) - loss_of(x - delta * directions)) / (2 * delta)
    return slopes[:, None, None, None] * directions


def uses_autograd(loss_of, x, directions, delta):
    x = x.clone().requires_grad_()
    return torch.autograd.grad(loss_of(x).sum(), x)[0]


# 05.5 -----------------------------------------------------------------------------------------------------------------

def bisects(returned="wrong", turned=False, extra=0):
    def bisection(is_wrong, x, x_wrong, steps):
        right, wrong = x.clone(), x_wrong.clone()
        for _ in range(steps + extra):
            middle = (right + wrong) / 2
            err = is_wrong(middle).view(-1, 1, 1, 1) != turned
            right, wrong = torch.where(err, right, middle), torch.where(err, middle, wrong)
        return {"wrong": wrong, "right": right, "middle": (right + wrong) / 2}[returned]
    return bisection


returns_the_right_end = bisects("right")
returns_the_middle = bisects("middle")
turns_the_answer_round = bisects(turned=True)
takes_a_step_less = bisects(extra=-1)
takes_a_step_more = bisects(extra=1)


def returns_x_wrong(is_wrong, x, x_wrong, steps):
    return x_wrong.clone()


def returns_x(is_wrong, x, x_wrong, steps):
    return x.clone()


def decides_for_all_at_once(is_wrong, x, x_wrong, steps):
    right, wrong = 0.0, 1.0
    for _ in range(steps):
        middle = (right + wrong) / 2
        right, wrong = (right, middle) if is_wrong(x + middle * (x_wrong - x)).all() else (middle, wrong)
    return x + wrong * (x_wrong - x)


def walks_in_equal_steps(is_wrong, x, x_wrong, steps):
    result, still = x_wrong.clone(), torch.ones(len(x), dtype=torch.bool)
    for step in range(1, steps + 1):
        image = x_wrong + step / steps * (x - x_wrong)
        still &= is_wrong(image)
        result = torch.where(still.view(-1, 1, 1, 1), image, result)
    return result


def halves_pixels_apart_from_the_line(is_wrong, x, x_wrong, steps):
    image = to_the_boundary(is_wrong, x, x_wrong, steps)
    image[:, :, 0] = x_wrong[:, :, 0]
    return image


def returns_the_shares(is_wrong, x, x_wrong, steps):
    image = to_the_boundary(is_wrong, x, x_wrong, steps)
    return ((image - x) / (x_wrong - x)).flatten(1).mean(1)


WRONG = {
    "05.1": [
        (sums_all_classes, "without the target's row"),
        (takes_the_mean_of_the_others, "not their mean"),
        (takes_the_strongest_other, "sum over all of them"),
        (looks_at_the_target_alone, "look at a alone"),
        (looks_at_the_others_alone, "look at b alone"),
        (makes_pixels_darker, "for making pixels darker"),
        (joins_by_or, "one right sign is not enough"),
        (clamps_the_product, "both signs are wrong"),
        (leaves_negative_entries, "negative entries"),
        (forgets_b, "multiply it by |b|"),
        (forgets_the_minus, "negative entries"),
        (returns_one_number, "a tensor of shape"),
    ],
    "05.2": [
        (starts_from_the_parents, "start from their parents"),
        (turns_the_difference_round, "turned round"),
        (forgets_the_factor, "the factor is missing"),
        (adds_both, "wanted is their difference"),
        (scales_everything, "belongs to the difference alone"),
        (never_clips, "clip every child"),
        (keeps_every_child, "only where its loss is smaller"),
        (keeps_the_worse, "only where its loss is smaller"),
        (competes_with_the_best, "its own parent"),
        (returns_everything_unchanged, "nobody changed"),
        (forgets_the_new_losses, "the old losses back"),
        (gives_all_the_children_s_losses, "choose both by the same condition"),
        (forgets_to_return_the_losses, "is wanted"),
        (changes_in_place, "in place"),
    ],
    "05.3": [
        (asks_on_one_side, "ask on both sides"),
        (asks_on_one_side_and_halves, "ask on both sides"),
        (goes_downhill, "points downhill"),
        (forgets_the_two, "twice too large"),
        (forgets_delta, "δ is missing"),
        (halves_but_forgets_delta, "divide by δ, too"),
        (sums_up, "wanted is their mean"),
        (adds_the_losses, "you add the two losses"),
        (forgets_the_directions, "every pixel gets the same number"),
        (uses_one_direction, "the first direction alone"),
        (averages_the_directions, "weighted with the slope"),
        (loses_the_batch, "a tensor of shape"),
        (keeps_every_direction, "a tensor of shape"),
        (uses_autograd, "the exact gradient"),
    ],
    "05.5": [
        (returns_the_right_end, "return the end that is still wrong"),
        (returns_the_middle, "return the end that is still wrong"),
        (turns_the_answer_round, "your ends are crossed"),
        (takes_a_step_less, "could be nearer"),
        (takes_a_step_more, "nearer than `steps` halvings"),
        (returns_x_wrong, "x_wrong came back"),
        (returns_x, "you end at x"),
        (decides_for_all_at_once, "decide image by image"),
        (walks_in_equal_steps, "could be nearer"),
        (halves_pixels_apart_from_the_line, "straight line"),
        (returns_the_shares, "a tensor of shape"),
    ],
}


# Right answers, written otherwise -------------------------------------------------------------------------------------

def multiplies_by_masks(jacobian, target):
    others = torch.cat([jacobian[:target], jacobian[target + 1:]]).sum(0)
    return jacobian[target].clamp_min(0) * (-others).clamp_min(0)


def breeds_one_by_one(population, losses, loss_of, others, factor):
    population, losses, parents = population.clone(), losses.clone(), population
    for number, (a, b, c) in enumerate(others.T.tolist()):
        child = torch.clamp(parents[a] + factor * parents[b] - factor * parents[c], 0, 1)
        loss = loss_of(child[None])[0]
        if loss < losses[number]:
            population[number], losses[number] = child, loss
    return population, losses


def weights_by_einsum(loss_of, x, directions, delta):
    losses = loss_of(torch.cat([x + delta * directions, x - delta * directions]))
    up, down = losses.chunk(2)
    return torch.einsum("s,schw->chw", (up - down) / delta / 2, directions)[None] / len(directions)


def moves_two_images(is_wrong, x, x_wrong, steps):
    return bisects()(is_wrong, x, x_wrong, steps)


RIGHT = {
    "05.1": [multiplies_by_masks],
    "05.2": [breeds_one_by_one],
    "05.3": [weights_by_einsum],
    "05.5": [moves_two_images],
}
