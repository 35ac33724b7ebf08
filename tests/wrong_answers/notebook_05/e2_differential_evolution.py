"""Plausible wrong answers to exercise 05.2, each with a part of the message that it should get, and right ones."""

import torch

from advcourse.exercises.notebook_05.e2_differential_evolution import next_generation


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


def breeds_one_by_one(population, losses, loss_of, others, factor):
    population, losses, parents = population.clone(), losses.clone(), population
    for number, (a, b, c) in enumerate(others.T.tolist()):
        child = torch.clamp(parents[a] + factor * parents[b] - factor * parents[c], 0, 1)
        loss = loss_of(child[None])[0]
        if loss < losses[number]:
            population[number], losses[number] = child, loss
    return population, losses


WRONG = [
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
]

RIGHT = [breeds_one_by_one]
