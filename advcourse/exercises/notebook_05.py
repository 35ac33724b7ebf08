"""The exercises of notebook 05: attacks on few pixels, and attacks that only ask."""

from functools import partial

import torch

from advcourse.exercises.catalogue import Exercise, Question
from advcourse.exercises.properties import equals, finite

# 05.1: the saliency map -----------------------------------------------------------------------------------------------

def saliency_map(jacobian, target):
    a = jacobian[target]
    b = jacobian.sum(0) - a
    return torch.where((a > 0) & (b < 0), -a * b, 0)


def saliency_probes(generator):
    return [{"jacobian": torch.randn(classes, pixels, generator=generator).double(), "target": target}
            for classes, pixels, target in ((4, 60, 2), (10, 200, 0))]


def product_map(jacobian, target):
    a = jacobian[target]
    return -a * (jacobian.sum(0) - a)


def map_with(condition):
    """The map with another condition on a, the target's row, and b, the sum of the others."""
    def mistaken(jacobian, target):
        a = jacobian[target]
        b = jacobian.sum(0) - a
        return torch.where(condition(a, b), (a * b).abs(), 0)
    return mistaken


def map_with_all_classes(jacobian, target):
    a, b = jacobian[target], jacobian.sum(0)
    return torch.where((a > 0) & (b < 0), -a * b, 0)


def map_of_the_mean(jacobian, target):
    return saliency_map(jacobian, target) / (len(jacobian) - 1)


def map_of_the_strongest(jacobian, target):
    """The mistake of looking at one other class, the one that gains most."""
    a = jacobian[target]
    b = torch.cat([jacobian[:target], jacobian[target + 1:]]).amax(0)
    return torch.where((a > 0) & (b < 0), -a * b, 0)


def never_negative(probe, result):
    if message := finite(probe, result):
        return message
    if (result < 0).any():
        return "your map has negative entries: where a or b has the wrong sign, the map is 0, not less"
    return None


saliency = Exercise(
    number="05.1",
    title="The saliency map",
    points=3,
    minutes=10,
    hints=(
        ("Which two numbers does a pixel have?", "a: the entry of the target's row of the Jacobian. b: the sum of the "
                                                 "entries of all "
         "*other* rows in the same column."),
        ("How do I get b without a loop?", "Sum all rows, then take the target's row away again: `jacobian.sum(0) - "
                                           "jacobian[target]`."),
        ("Show me nearly all of it.", "`torch.where(condition, -a * b, 0)`, where the condition asks for a > 0 *and* b "
                                      "< 0; "
         "combine the two with `&`, each in brackets."),
    ),
    reference=saliency_map,
    probes=saliency_probes,
    properties={
        "no entry is negative": never_negative,
        "it is a · |b| where a > 0 and b < 0, else 0": equals(saliency_map, tolerance=1e-9, mistakes={
            "you sum over all classes: b is the sum over the *other* classes, without the target's row":
                map_with_all_classes,
            "your map is right but for a factor: b is the sum over the other classes, not their mean":
                map_of_the_mean,
            "you look at one of the other classes; b is the sum over all of them":
                map_of_the_strongest,
            "you look at a alone: where brighter pixels help the other classes as well (b ≥ 0), the map is 0":
                map_with(lambda a, b: a > 0),
            "you look at b alone: where brighter pixels lower the target's logit (a ≤ 0), the map is 0":
                map_with(lambda a, b: b < 0),
            "this map is for making pixels darker: turn both conditions round":
                map_with(lambda a, b: (a < 0) & (b > 0)),
            "one right sign is not enough: both must hold, so join the conditions with `&`, not with `|`":
                map_with(lambda a, b: (a > 0) | (b < 0)),
            "a pixel where both signs are wrong has a product of the right sign, too: ask for a > 0 and b < 0":
                lambda jacobian, target: product_map(jacobian, target).clamp_min(0),
            "you gave a where the signs are right; multiply it by |b|":
                lambda jacobian, target: jacobian[target] * (saliency_map(jacobian, target) > 0),
        }),
    },
)


# 05.2: one generation of differential evolution -----------------------------------------------------------------------

def next_generation(population, losses, loss_of, others, factor):
    first, second, third = population[others]
    children = (first + factor * (second - third)).clamp(0, 1)
    new_losses = loss_of(children)
    better = new_losses < losses
    return torch.where(better[:, None], children, population), torch.where(better, new_losses, losses)


def squared_distance(candidates, goal):
    return (candidates - goal).square().sum(1)


def generation_probes(generator):
    probes = []
    for size, genes, factor in ((12, 3, 0.5), (20, 6, 0.8)):
        population = torch.rand(size, genes, generator=generator).double()
        loss_of = partial(squared_distance, goal=torch.rand(genes, generator=generator).double())
        others = torch.stack([torch.randperm(size, generator=generator) for _ in range(3)])
        probes.append({"population": population, "losses": loss_of(population), "loss_of": loss_of, "others": others,
                       "factor": factor})
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


def best_one_only(new_losses, losses):
    """The mistake of comparing all with the best of their parents."""
    return new_losses < losses.min()


def genes_in_unit_range(probe, result):
    population, _ = result
    if message := finite(probe, population):
        return message
    if population.min() < 0 or population.max() > 1:
        return (f"genes go from {population.min():.2g} to {population.max():.2g}: clip every child to [0, 1], "
                "or it names a pixel outside of the image")
    return None


def losses_belong(probe, result):
    population, losses = result
    if torch.allclose(losses, probe["loss_of"](population), atol=1e-9):
        return None
    if torch.allclose(losses, probe["losses"], atol=1e-12):
        return "you give the old losses back: candidates that were replaced need their child's loss"
    return "the losses are not those of the candidates beside them: choose both by the same condition"


def nobody_gets_worse(probe, result):
    worse = (probe["loss_of"](result[0]) > probe["losses"] + 1e-12).sum().item()
    if worse:
        return (f"{worse} of {len(probe['losses'])} candidates have a larger loss than before: a child takes its "
                "parent's place "
                "only where its loss is smaller")
    return None


def as_table(generation):
    """Population and losses as one table, so that they can be compared at once."""
    return torch.cat([generation[0], generation[1][:, None]], 1)


def is_generation(probe, result):
    formulas = {
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
        "a child must beat its own parent, not the best of all": generation_with(children_of, best_one_only),
        "the factor scales all of the child; it belongs to the difference alone":
            generation_with(lambda parents, first, second, third, factor: factor * (first + second - third)),
    }
    right = equals(lambda **probe: as_table(next_generation(**probe)), tolerance=1e-9, mistakes={
        message: lambda formula=formula, **probe: as_table(formula(**probe)) for message, formula in formulas.items()})
    return right(probe, as_table(result))


evolution = Exercise(
    number="05.2",
    title="One generation of differential evolution",
    points=4,
    minutes=15,
    hints=(
        ("How do I get the three others?", "`others` has three rows of candidate numbers, and `population[others]` has "
                                           "shape "
         "(3, S, G): `first, second, third = population[others]`."),
        ("Who stays?", "Ask `loss_of(children)` once, and compare with `losses` entry by entry. `torch.where` takes "
                       "the child's "
         "row where it is better and the parent's where it is not; the condition needs shape (S, 1) for the rows: "
         "`better[:, None]`."),
        ("Show me nearly all of it.", "children = (first + factor * (second - third)).clamp(0, 1); better = "
                                      "loss_of(children) < losses; "
         "then two `torch.where`, one for the genes and one for the losses."),
    ),
    reference=next_generation,
    probes=generation_probes,
    properties={
        "every gene stays in [0, 1]": genes_in_unit_range,
        "no candidate is replaced by a worse one": nobody_gets_worse,
        "the losses are those of the candidates": losses_belong,
        "it is the generation that the formula gives": is_generation,
    },
)


# 05.3: the gradient from pairs of queries -----------------------------------------------------------------------------

def estimate_gradient(loss_of, x, directions, delta):
    rise = loss_of(x + delta * directions) - loss_of(x - delta * directions)
    return (rise.view(-1, 1, 1, 1) / (2 * delta) * directions).mean(0, keepdim=True)


def curved_loss(images, slope):
    """A loss that is not linear, so that one-sided differences are not what two-sided ones are."""
    rise = (images * slope).flatten(1).sum(1)
    return rise + rise.square() + (images * slope).flatten(1).square().sum(1) + 3


def estimate_probes(generator):
    probes = []
    for samples, delta in ((6, 0.01), (20, 0.1)):
        x = (torch.rand(1, 1, 5, 5, generator=generator).double() * 0.6 + 0.2)
        loss_of = partial(curved_loss, slope=torch.randn(1, 1, 5, 5, generator=generator).double())
        coins = torch.rand(samples, 1, 5, 5, generator=generator).double()
        probes.append({"loss_of": loss_of, "x": x, "directions": (coins < 0.5).double() * 2 - 1, "delta": delta})
    return probes


def one_sided(loss_of, x, directions, delta):
    rise = loss_of(x + delta * directions) - loss_of(x)
    return (rise.view(-1, 1, 1, 1) / delta * directions).mean(0, keepdim=True)


def times(factor):
    """The right estimate times a wrong factor of the probe's arguments."""
    return lambda **probe: estimate_gradient(**probe) * factor(probe)


def one_sided_with_two(loss_of, x, directions, delta):
    return one_sided(loss_of, x, directions, delta) / 2


def sum_of_both(loss_of, x, directions, delta):
    rise = loss_of(x + delta * directions) + loss_of(x - delta * directions)
    return (rise.view(-1, 1, 1, 1) / (2 * delta) * directions).mean(0, keepdim=True)


def slopes_without_directions(loss_of, x, directions, delta):
    rise = (loss_of(x + delta * directions) - loss_of(x - delta * directions)) / (2 * delta)
    return rise.mean().expand_as(x)


def single_value(loss_of, x, directions, delta):
    return estimate_gradient(loss_of, x, directions[:1], delta)


def exact_gradient(loss_of, x, directions, delta):
    x = x.clone().requires_grad_()
    return torch.autograd.grad(loss_of(x).sum(), x)[0]


def mean_direction(loss_of, x, directions, delta):
    return directions.mean(0, keepdim=True)


spsa_estimate = Exercise(
    number="05.3",
    title="A gradient from pairs of queries",
    points=4,
    minutes=12,
    hints=(
        ("How steep is it along one direction?", "Ask on both sides: the loss at x + δv minus the loss at x − δv, "
                                                 "divided by the "
         "distance between the two points, 2δ."),
        ("From slopes to a gradient?", "Multiply every direction by its own slope and take the mean over the "
                                       "directions. The slopes "
         "have shape (S,); `.view(-1, 1, 1, 1)` lets them multiply images."),
        ("Show me nearly all of it.", "rise = loss_of(x + delta * directions) - loss_of(x - delta * directions); then "
                                      "the mean over "
         "dimension 0, with `keepdim=True`, of rise.view(-1, 1, 1, 1) / (2 * delta) * directions."),
    ),
    reference=estimate_gradient,
    probes=estimate_probes,
    properties={
        "every entry is a number": finite,
        "it is the mean of slope · direction": equals(estimate_gradient, tolerance=1e-7, mistakes={
            "you compare with x itself: ask on both sides, at x + δv and at x − δv": one_sided,
            "you compare with x itself and divide by 2δ: ask on both sides, at x + δv and at x − δv": one_sided_with_two,
            "this points downhill: the loss at x + δv comes first, minus the loss at x − δv": times(lambda probe: -1),
            "twice too large: the two points lie 2δ apart, not δ": times(lambda probe: 2),
            "δ is missing: divide the difference by 2δ, the distance of the two points": times(lambda probe: 2
                                                                                               * probe["delta"]),
            "half of the difference is not the slope: divide by δ, too": times(lambda probe: probe["delta"]),
            "this is the sum over the directions; wanted is their mean": times(lambda probe: len(probe["directions"])),
            "you add the two losses; their difference tells which way is up": sum_of_both,
            "every pixel gets the same number: multiply each slope by its own direction before you average":
                slopes_without_directions,
            "you used the first direction alone: average over all of them": single_value,
            "this is the mean of the directions; each must be weighted with the slope along it": mean_direction,
            "this is the exact gradient, which nobody outside can compute: use `directions` and ask for losses only": exact_gradient,
        }),
    },
)


# 05.4: a question -----------------------------------------------------------------------------------------------------

masking = Question(
    number="05.4",
    title="What did the rounding do?",
    points=1,
    minutes=3,
    text="Against the network with rounded input, PGD hardly changes a thing, while SPSA, Square and PGD with a "
         "pretended gradient "
         "fool it on nearly every image, within the same ε. What follows?",
    choices=(
        ("The adversarial examples are still there; rounding hid the way to them from attacks that follow its gradient.",
         "An attack that fails shows only that *this attack* fails. Others found examples in the same ball, so the "
         "network is no more robust."),
        ("Rounding makes the network robust against attackers who know everything.",
         "The one who knows everything replaces the rounding's gradient, and wins. Knowing more can never make an "
         "attacker weaker."),
        ("Rounding removes small changes, so SPSA must have changed the images by more than ε.",
         "All attacks kept to the same ε. Rounding removes some small changes and makes others larger: those that "
         "cross a step."),
        ("PGD is a weak attack and should not be used to test defences.",
         "PGD is strong wherever the gradient says something. Here it is zero; that it is has to be noticed."),
    ),
    hints=(
        ("What does an attack that fails prove?", "That this attack failed. The others kept to the same rules."),
        ("Where did PGD get its directions from?", "From a gradient that is zero almost everywhere, because rounding "
                                                   "is a staircase."),
        ("Did the ball get empty?", "Square and SPSA found images in it that fool the network."),
    ),
)

# 05.5: bisection by labels alone --------------------------------------------------------------------------------------

def to_the_boundary(is_wrong, x, x_wrong, steps):
    right, wrong = torch.zeros(len(x), dtype=x.dtype), torch.ones(len(x), dtype=x.dtype)
    right, wrong = right.to(x.device), wrong.to(x.device)
    for _ in range(steps):
        middle = (right + wrong) / 2
        err = is_wrong(x + middle.view(-1, 1, 1, 1) * (x_wrong - x))
        right, wrong = torch.where(err, right, middle), torch.where(err, middle, wrong)
    return x + wrong.view(-1, 1, 1, 1) * (x_wrong - x)


def beyond_the_border(images, x, x_wrong, border):
    """Whether each image lies farther on the way from x to x_wrong than its border, a share of that way."""
    return shares({"x": x, "x_wrong": x_wrong}, images) > border


def boundary_probes(generator):
    probes = []
    for count, steps in ((5, 6), (8, 12)):
        x = torch.rand(count, 1, 4, 4, generator=generator).double() * 0.3
        x_wrong = 1 - torch.rand(count, 1, 4, 4, generator=generator).double() * 0.3
        # Along each way from x to x_wrong the model errs from a share of the way on that differs from image to image.
        border = 0.1 + 0.8 * torch.rand(count, generator=generator).double()
        is_wrong = partial(beyond_the_border, x=x, x_wrong=x_wrong, border=border)
        probes.append({"is_wrong": is_wrong, "x": x, "x_wrong": x_wrong, "steps": steps})
    return probes


def shares(probe, images):
    """How far each image lies on its way from x (0) to x_wrong (1)."""
    way = (probe["x_wrong"] - probe["x"]).flatten(1)
    return ((images - probe["x"]).flatten(1) * way).sum(1) / way.square().sum(1)


def still_wrong(probe, result):
    if message := finite(probe, result):
        return message
    right = (~probe["is_wrong"](result)).sum().item()
    here, step = shares(probe, result), 1.5 * 0.5 ** probe["steps"]
    if right == 0:
        return None
    if (here < step).all():
        return "you end at x, which the model reads right: return the end that is still wrong"
    if ((here < step) | (here > 1 - step)).all():
        return "your ends are crossed: where the middle is wrong, the wrong end moves there, else the right end"
    return (f"the model reads {right} of your {len(result)} images right: return the end that is still wrong, "
            "not the other one and not the middle")


def on_the_way(probe, result):
    straight = probe["x"] + shares(probe, result).view(-1, 1, 1, 1) * (probe["x_wrong"] - probe["x"])
    if torch.allclose(result, straight, atol=1e-9):
        return None
    return "your images do not lie on the straight line from x to x_wrong"


def near_the_boundary(probe, result):
    here, best = shares(probe, result), shares(probe, to_the_boundary(**probe))
    if torch.allclose(here, torch.ones_like(here)):
        return "x_wrong came back: halve the way again and again"
    if torch.allclose(here, here[:1], atol=1e-9):
        return "all images stop at the same share of their way: every image has its own border, so decide image by image"
    if (here < best - 1e-9).any():
        return "nearer than `steps` halvings can get: use exactly as many questions as `steps`"
    if (here - best).max() > 1e-9:
        return (f"an image could be nearer by {(here - best).max():.2g} of its way: after each question half of the "
                "way that "
                "is left is ruled out")
    return None


boundary = Exercise(
    number="05.5",
    title="To the boundary, by labels alone",
    points=4,
    minutes=12,
    hints=(
        ("What do I know of the way?", "At its start, share 0, the model is right. At its end, share 1, it is wrong. "
                                       "Somewhere in "
         "between it changes its mind. Ask in the middle."),
        ("How for all images at once?", "Keep two tensors of shape (N,): `right` starts with zeros, `wrong` with ones. "
                                        "With "
         "`err = is_wrong(…)` at the middle, `torch.where(err, middle, wrong)` is the new `wrong`."),
        ("Show me nearly all of it.", "In a loop of `steps`: middle = (right + wrong) / 2; err = is_wrong(x + "
                                      "middle.view(-1, 1, 1, 1) * "
         "(x_wrong - x)); update both ends by `torch.where`. Return the image at the share `wrong`."),
    ),
    reference=to_the_boundary,
    probes=boundary_probes,
    properties={
        "the model is still wrong about every image": still_wrong,
        "every image lies on its way from x to x_wrong": on_the_way,
        "it is as near to x as `steps` questions allow": near_the_boundary,
    },
)


# 05.6: a question -----------------------------------------------------------------------------------------------------

knowledge = Question(
    number="05.6",
    title="Which attack fits?",
    points=1,
    minutes=3,
    text="A service returns only the name of the class that it sees, no score. You may ask a few thousand times about "
         "each "
         "image. Which of this notebook's attacks can you use as it is?",
    choices=(
        ("HopSkipJump.",
         "It needs only whether the answer is right or wrong, and pays with more queries."),
        ("SPSA.",
         "It measures how the loss changes between two points close together. A label nearly never changes between "
         "them."),
        ("Square.",
         "It keeps a change where the margin shrinks. Without scores all changes look alike until the label flips."),
        ("The saliency map.",
         "It needs the Jacobian, which only somebody with the network's weights can compute."),
    ),
    hints=(
        ("What does each attack look at?", "A Jacobian, a loss, a margin, a label."),
        ("What is left without scores?", "Two outcomes: still right, or wrong."),
        ("Which exercise needed only that?", "The one with `is_wrong`."),
    ),
)
