"""05.1: the saliency map."""

import torch

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.properties import equals, finite


def saliency_map(jacobian, target):
    a = jacobian[target]
    b = jacobian.sum(0) - a
    return torch.where((a > 0) & (b < 0), -a * b, 0)


def saliency_probes(generator):
    return [{"jacobian": torch.randn(classes, pixels, generator=generator), "target": target}
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


def shown(jacobian, target):
    """1 where the map is not 0."""
    return (saliency_map(jacobian, target) > 0).to(jacobian.dtype)


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


exercise = Exercise(
    number="05.1",
    title="The saliency map",
    points=3,
    minutes=10,
    hints=(
        ("Which two numbers does a pixel have?",
         "a: the entry of the target's row of the Jacobian. b: "
         "the sum of the entries of all *other* rows in the same column."),
        ("How do I get b without a loop?",
         "Sum all rows, then take the target's row away again: `jacobian.sum(0) - jacobian[target]`."),
        ("Show me nearly all of it.",
         "`torch.where(condition, -a * b, 0)`, where the condition asks for a > 0 *and* b < 0; combine the two with "
         "`&`, each in brackets."),
    ),
    reference=saliency_map,
    probes=saliency_probes,
    gates={
        "no entry is negative": never_negative,
    },
    properties={
        "it is a · |b| where a > 0 and b < 0, else 0": equals(saliency_map, tolerance=1e-4, mistakes={
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
                lambda jacobian, target: jacobian[target] * shown(jacobian, target),
            "you gave |b| where the signs are right; multiply it by a":
                lambda jacobian, target: (jacobian[target] - jacobian.sum(0)) * shown(jacobian, target),
            "you add a and |b|; their product is wanted":
                lambda jacobian, target: (2 * jacobian[target] - jacobian.sum(0)) * shown(jacobian, target),
            "this says where the signs are right; wanted is a · |b| there":
                lambda jacobian, target: shown(jacobian, target),
            "you add up absolute values: b is the sum of the other rows with their signs, and |b| its absolute value":
                lambda jacobian, target: jacobian[target] * (
                    jacobian.abs().sum(0) - jacobian[target].abs()) * shown(jacobian, target),
            "you scale the map by its largest entry: leave it as it is":
                lambda jacobian, target: saliency_map(jacobian, target) / saliency_map(jacobian, target).amax(),
            "the minus is missing: b is negative where it counts, so the map is a · |b| = −a · b":
                lambda jacobian, target: -saliency_map(jacobian, target),
        }),
    },
)
