"""Plausible wrong answers to exercise 05.2, each with a part of the message that it should get, and right ones."""

import numpy as np
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


def asks_for_the_parents_again(population, losses, loss_of, others, factor):
    first, second, third = population[others]
    children = (first + factor * (second - third)).clamp(0, 1)
    better = loss_of(children) < loss_of(population)
    return torch.where(better[:, None], children, population), torch.where(better, loss_of(children), losses)


def asks_for_everybody(population, losses, loss_of, others, factor):
    first, second, third = population[others]
    everybody = torch.stack([population, (first + factor * (second - third)).clamp(0, 1)])
    both = loss_of(everybody.flatten(0, 1)).view(2, -1)
    return everybody[both.argmin(0), torch.arange(len(population))], both.amin(0)


def starts_from_the_best(population, losses, loss_of, others, factor):
    best = population[losses.argmin()]
    return breeds(lambda parents, r1, r2, r3, factor: best + factor * (r2 - r3))(
        population, losses, loss_of, others, factor)


changes_their_places = breeds(lambda parents, r1, r2, r3, factor: r2 + factor * (r1 - r3))


subtracts_from_the_parent = breeds(lambda parents, r1, r2, r3, factor: r1 + factor * (parents - r3))


takes_the_size_of_the_difference = breeds(lambda parents, r1, r2, r3, factor: r1 + factor * (r2 - r3).abs())


def asks_and_changes_nothing(population, losses, loss_of, others, factor):
    return population, loss_of(population)


def breeds_in_a_loop_and_asks_once(population, losses, loss_of, others, factor):
    children = torch.stack([torch.clamp(population[a] + factor * (population[b] - population[c]), 0, 1)
                            for a, b, c in others.T.tolist()])
    new, result = loss_of(children), population.clone()
    for number in range(len(population)):
        if new[number] < losses[number]:
            result[number] = children[number]
    return result, torch.minimum(new, losses)


def breeds_in_float64(population, losses, loss_of, others, factor):
    r1, r2, r3 = (population[row].double() for row in others)
    children = (r1 + factor * r2 - factor * r3).clip(0, 1)
    new = loss_of(children.float())
    keep = new >= losses
    children[keep], new[keep] = population[keep].double(), losses[keep]
    return [children, new]


def breeds_in_numpy(population, losses, loss_of, others, factor):
    parents, old, numbers = population.numpy(), losses.numpy(), others.numpy()
    children = np.clip(parents[numbers[0]] + factor * (parents[numbers[1]] - parents[numbers[2]]), 0, 1)
    new = loss_of(torch.from_numpy(children).to(population.dtype)).numpy()
    return np.where((new < old)[:, None], children, parents), np.where(new < old, new, old)


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
    (breeds_one_by_one, "ask once, for the 20 children together"),
    (asks_for_the_parents_again, "the parents' losses are known"),
    (asks_for_everybody, "the parents' losses are known"),
    (starts_from_the_best, "start from the best of all"),
    (changes_their_places, "change places"),
    (subtracts_from_the_parent, "the parent and the third"),
    (takes_the_size_of_the_difference, "keep its sign"),
    (asks_and_changes_nothing, "nobody changed"),
]

RIGHT = [breeds_in_a_loop_and_asks_once, breeds_in_float64, breeds_in_numpy]
