"""05.2: one generation of differential evolution."""

from functools import partial

import torch

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.counted import Counted
from advcourse.exercises.probes import telling_apart
from advcourse.exercises.properties import at_cost, equals, finite


def next_generation(population, losses, loss_of, others, factor):
    first, second, third = population[others]
    children = (first + factor * (second - third)).clamp(0, 1)
    new_losses = loss_of(children)
    better = new_losses < losses
    return torch.where(better[:, None], children, population), torch.where(better, new_losses, losses)


def squared_distance(candidates, goal):
    return (candidates - goal).square().sum(1)


def generation_probe(generator, size, genes, factor):
    population = torch.rand(size, genes, generator=generator)
    loss_of = Counted(partial(squared_distance, goal=torch.rand(genes, generator=generator)))
    # Three different ones for each candidate, none of them itself: else a child may be nothing but a copy.
    others = torch.rand(size, size, generator=generator).fill_diagonal_(2).argsort(1)[:, :3].T
    return {"population": population, "losses": loss_of(population), "loss_of": loss_of, "others": others,
            "factor": factor}


def clipping_matters(probe):
    """Whether children that take their parents' places were clipped."""
    first, second, third = probe["population"][probe["others"]]
    children = first + probe["factor"] * (second - third)
    lives = probe["loss_of"](children.clamp(0, 1)) < probe["losses"]
    return bool(((children.clamp(0, 1) != children).any(1) & lives).any())


def generation_probes(generator):
    probes = []
    for size, genes, factor in ((20, 3, 0.6), (24, 5, 0.8)):
        draws = iter(lambda given=(size, genes, factor): generation_probe(generator, *given), None)
        probes.append(telling_apart(filter(clipping_matters, draws).__next__, right_table, MISTAKES.values()))
    return probes


def generation_with(children_of, better_than=torch.lt):
    """The next generation with other children, or with another rule of who stays."""
    def mistaken(population, losses, loss_of, others, factor):
        children = children_of(population, *population[others], factor).clamp(0, 1)
        new_losses = loss_of(children)
        better = better_than(new_losses, losses)
        return torch.where(better[:, None], children, population), torch.where(better, new_losses, losses)
    return mistaken


def children_of(parents, first, second, third, factor):
    return first + factor * (second - third)


def generation_from_the_best(population, losses, **probe):
    best = population[losses.argmin()]
    return generation_with(lambda parents, first, second, third, factor: best + factor * (second - third))(
        population, losses, **probe)


def best_one_only(new_losses, losses):
    """The mistake of comparing all with the best of their parents."""
    return new_losses < losses.min()


def genes_in_unit_range(probe, result):
    population, _ = result
    if message := finite(probe, population):
        return message
    if population.min() < 0 or population.max() > 1:
        return (f"genes go from {population.min():.2g} to {population.max():.2g}: clip every child to [0, 1], or it "
                "names a pixel outside of the image")
    return None


def losses_belong(probe, result):
    population, losses = result
    if torch.allclose(losses, probe["loss_of"](population), atol=1e-6):
        return None
    if torch.allclose(losses, probe["losses"], atol=1e-7):
        return "you give the old losses back: candidates that were replaced need their child's loss"
    return "the losses are not those of the candidates beside them: choose both by the same condition"


def nobody_gets_worse(probe, result):
    worse = (probe["loss_of"](result[0]) > probe["losses"] + 1e-6).sum().item()
    if worse:
        return (f"{worse} of {len(probe['losses'])} candidates have a larger loss than before: a child takes its "
                "parent's place only where its loss is smaller")
    return None


def as_table(generation):
    """Population and losses as one table, so that they can be compared at once."""
    return torch.cat([generation[0], generation[1][:, None]], 1)


FORMULAS = {
    "nobody changed: make the children, and let each that beats its own parent, though perhaps not the best of "
    "all, take its place":
        generation_with(lambda parents, *_: parents),
    "the children start from their parents; the formula starts from the first of the three others":
        generation_with(lambda parents, first, second, third, factor: parents + factor * (second - third)),
    "the difference is turned round: second minus third":
        generation_with(lambda parents, first, second, third, factor: first + factor * (third - second)),
    "the factor is missing: it scales the difference of the second and the third":
        generation_with(lambda parents, first, second, third, factor: first + second - third),
    "you add the second and the third; wanted is their difference":
        generation_with(lambda parents, first, second, third, factor: first + factor * (second + third)),
    "the three others change places: it is first + factor * (second − third)":
        generation_with(lambda parents, first, second, third, factor: second + factor * (first - third)),
    "the children start from the best of all; the formula starts from the first of the three others":
        generation_from_the_best,
    "the difference is that of the parent and the third; wanted is second minus third":
        generation_with(lambda parents, first, second, third, factor: first + factor * (parents - third)),
    "you take the size of the difference: keep its sign":
        generation_with(lambda parents, first, second, third, factor: first + factor * (second - third).abs()),
    "a child must beat its own parent, not the best of all": generation_with(children_of, best_one_only),
    "the factor scales all of the child; it belongs to the difference alone":
        generation_with(lambda parents, first, second, third, factor: factor * (first + second - third)),
}
MISTAKES = {message: lambda formula=formula, **probe: as_table(formula(**probe))
            for message, formula in FORMULAS.items()}


def right_table(**probe):
    return as_table(next_generation(**probe))


def is_generation(probe, result):
    return equals(right_table, MISTAKES)(probe, as_table(result))


def asks_once(probe, result):
    calls, rows, size = probe["loss_of"].calls, probe["loss_of"].rows, len(probe["population"])
    if calls == 1 and rows == size:
        return None
    return (f"you call `loss_of` {calls:.0f} times, with {rows:.0f} candidates in all: ask once, for the {size} "
            "children together; the parents' losses are known")


exercise = Exercise(
    number="05.2",
    title="One generation of differential evolution",
    points=4,
    minutes=15,
    hints=(
        ("How do I get the three others?",
         "`others` has three rows of candidate numbers, and `population[others]` has shape (3, S, G): "
         "`first, second, third = population[others]`."),
        ("Who stays?",
         "Ask `loss_of(children)` once, and compare with `losses` entry by entry. `torch.where` takes the child's row "
         "where it is better and the parent's where it is not; the condition needs shape (S, 1) for the rows: "
         "`better[:, None]`."),
        ("Show me nearly all of it.",
         "children = (first + factor * (second - third)).clamp(0, 1); better = loss_of(children) < losses; then two "
         "`torch.where`, one for the genes and one for the losses."),
    ),
    reference=next_generation,
    probes=generation_probes,
    gates={
        "every gene stays in [0, 1]": genes_in_unit_range,
        "no candidate is replaced by a worse one": nobody_gets_worse,
        "the losses are those of the candidates": losses_belong,
    },
    properties={
        "it is the generation that the formula gives": is_generation,
        "`loss_of` is asked once, for all children": at_cost(is_generation, asks_once),
    },
)
