"""Plausible wrong answers to exercise 01.4, each with a part of the message that it should get, and right ones."""

import torch

from advcourse.exercises.notebook_01.e4_accuracy_curve import accuracy_curve


def gives_errors(**probe):
    return [1 - accuracy for accuracy in accuracy_curve(**probe)]


def gives_percentages(**probe):
    return [100 * accuracy for accuracy in accuracy_curve(**probe)]


def gives_counts(**probe):
    return [len(probe["x"]) * accuracy for accuracy in accuracy_curve(**probe)]


def forgets_the_attack(model, attack, x, y, epsilons):
    return [(model(x).argmax(1) == y).float().mean().item() for eps in epsilons]


def attacks_what_is_attacked(model, attack, x, y, epsilons):
    accuracies = []
    for eps in epsilons:
        x = attack(model, x, y, eps)
        accuracies.append((model(x).argmax(1) == y).float().mean().item())
    return accuracies


def compares_with_the_clean_prediction(model, attack, x, y, epsilons):
    clean = model(x).argmax(1)
    return [(model(attack(model, x, y, eps)).argmax(1) == clean).float().mean().item() for eps in epsilons]


def uses_the_first_eps_only(model, attack, x, y, epsilons):
    x_adv = attack(model, x, y, epsilons[0])
    return [(model(x_adv).argmax(1) == y).float().mean().item() for eps in epsilons]


def gives_the_last_only(model, attack, x, y, epsilons):
    return accuracy_curve(model, attack, x, y, epsilons)[-1]


def reverses_the_order(**probe):
    return accuracy_curve(**probe)[::-1]


def counts_by_sums(model, attack, x, y, epsilons):
    curve = []
    with torch.no_grad():
        for eps in epsilons:
            curve.append(float((model(attack(model, x, y, eps)).max(1).indices == y).sum()) / len(y))
    return curve


WRONG = [
    (gives_errors, "error rates"),
    (gives_percentages, "percentages"),
    (gives_counts, "divide by the number of images"),
    (forgets_the_attack, "does not change with ε"),
    (attacks_what_is_attacked, "start from the clean x"),
    (compares_with_the_clean_prediction, "the model said of the clean images"),
    (uses_the_first_eps_only, "does not change with ε"),
    (gives_the_last_only, "a list of"),
    (reverses_the_order, "reverse order"),
]

RIGHT = [counts_by_sums]
