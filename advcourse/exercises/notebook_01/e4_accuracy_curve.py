"""01.4: accuracy against ε."""

import torch

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.probes import clear_images, one_step, small_model
from advcourse.exercises.properties import equals


def accuracy_curve(model, attack, x, y, epsilons):
    return [(model(attack(model, x, y, eps)).argmax(1) == y).float().mean().item() for eps in epsilons]


def curve_probes(generator):
    return [curve_probe(generator, 37, [0.0, 0.03, 0.2]), curve_probe(generator, 43, [0.16, 0.02, 0.0, 0.08, 0.04])]


def curve_probe(generator, count, epsilons):
    """A probe on which attacks on the labels and on the model's answers leave other accuracies."""
    while True:
        model = small_model(generator)
        x = clear_images(generator, model, count)
        # Labels mostly as the model says, so that the curve starts high and falls.
        predicted = model(x).argmax(1).detach()
        y = torch.where(torch.arange(count) % 5 == 0, (predicted + 1) % 4, predicted)
        probe = {"model": model, "attack": one_step, "x": x, "y": y, "epsilons": epsilons}
        if attack_the_predictions(**probe) != accuracy_curve(**probe):
            return probe


def attack_step_by_step(model, attack, x, y, epsilons):
    """The mistake of attacking an image that was already attacked."""
    accuracies = []
    for eps in epsilons:
        x = attack(model, x, y, eps)
        accuracies += accuracy_curve(model, lambda model, x, y, eps: x, x, y, [eps])
    return accuracies


def agreement_with_clean(model, attack, x, y, epsilons):
    """The mistake of asking whether the attack changed the model's mind, not whether the model is right."""
    clean = model(x).argmax(1)
    return [(model(attack(model, x, y, eps)).argmax(1) == clean).float().mean().item() for eps in epsilons]


def of_those_once_right(model, attack, x, y, epsilons):
    """The mistake of leaving out the images that the model read wrong from the start."""
    right = model(x).argmax(1) == y
    return [accuracy / right.float().mean().item() for accuracy in accuracy_curve(model, attack, x, y, epsilons)]


def attack_the_predictions(model, attack, x, y, epsilons):
    """The mistake of attacking with the model's own answers in place of the labels."""
    return accuracy_curve(model, lambda model, x, y, eps: attack(model, x, model(x).argmax(1), eps), x, y, epsilons)


def running_averages(values):
    return [sum(values[:count]) / count for count in range(1, len(values) + 1)]


def always_the(place):
    """The mistake of attacking with one of the epsilons only."""
    def formula(model, attack, x, y, epsilons):
        return accuracy_curve(model, attack, x, y, [epsilons[place]]) * len(epsilons)

    return formula


exercise = Exercise(
    number="01.4",
    title="Accuracy against ε",
    points=3,
    minutes=8,
    hints=(
        ("What is the accuracy under attack?",
         "Attack the images with one ε, ask the model, and count how often it still says y."),
        ("How do I loop?",
         "For each eps: `x_adv = attack(model, x, y, eps)`, then the mean of `model(x_adv).argmax(1) == y`. Collect "
         "`.item()` of each in a list."),
        ("Show me nearly all of it.",
         "A list comprehension over epsilons of `(model(attack(model, x, y, eps)).argmax(1) == "
         "y).float().mean().item()`."),
    ),
    reference=accuracy_curve,
    probes=curve_probes,
    properties={
        "the accuracies are right": equals(accuracy_curve, tolerance=1e-4, mistakes={
            "these are error rates; wanted is the accuracy, the share of images still classified as y":
                lambda **probe: [1 - accuracy for accuracy in accuracy_curve(**probe)],
            "these are percentages; wanted are shares between 0 and 1":
                lambda **probe: [100 * accuracy for accuracy in accuracy_curve(**probe)],
            "these are counts; divide by the number of images":
                lambda **probe: [len(probe["x"]) * accuracy for accuracy in accuracy_curve(**probe)],
            "the accuracy does not change with ε: is the model given the attacked images, each time with this ε?":
                lambda **probe: accuracy_curve(**probe | {"epsilons": [0.0] * len(probe["epsilons"])}),
            "you attack with the last of the epsilons only: each wants an attack of its own":
                always_the(-1),
            "you attack with the first of the epsilons only: each wants an attack of its own":
                always_the(0),
            "these are the right numbers in the reverse order: keep the order of epsilons":
                lambda **probe: accuracy_curve(**probe)[::-1],
            "each attack starts from the images that the one before it changed: start from the clean x for every ε":
                attack_step_by_step,
            "you compare with what the model said of the clean images; an image counts when the model says y":
                agreement_with_clean,
            "you divide by the number of images that the model read right at first; divide by the number of all":
                of_those_once_right,
            "you attack the model's own answers; give the attack the labels, y":
                attack_the_predictions,
            "you sort the epsilons: keep their order":
                lambda **probe: accuracy_curve(**probe | {"epsilons": sorted(probe["epsilons"])}),
            "these are averages over the epsilons so far: each accuracy belongs to one ε":
                lambda **probe: running_averages(accuracy_curve(**probe)),
            "these are rounded: leave the numbers as they are":
                lambda **probe: [round(accuracy, 2) for accuracy in accuracy_curve(**probe)],
        }),
    },
)
