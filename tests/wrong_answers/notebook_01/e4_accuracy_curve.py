"""Plausible wrong answers to exercise 01.4, each with a part of the message that it should get, and right ones."""

import numpy as np
import torch
from torch.nn import functional as F

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


def uses_the_last_eps_only(model, attack, x, y, epsilons):
    for eps in epsilons:
        x_adv = attack(model, x, y, eps)
    return [(model(x_adv).argmax(1) == y).float().mean().item() for _ in epsilons]


def returns_inside_the_loop(model, attack, x, y, epsilons):
    accuracies = []
    for eps in epsilons:
        accuracies.append((model(attack(model, x, y, eps)).argmax(1) == y).float().mean().item())
        return accuracies


def leaves_out_what_was_wrong(model, attack, x, y, epsilons):
    right = model(x).argmax(1) == y
    return [(model(attack(model, x[right], y[right], eps)).argmax(1) == y[right]).float().mean().item()
            for eps in epsilons]


def attacks_the_predictions(model, attack, x, y, epsilons):
    said = model(x).argmax(1)
    return [(model(attack(model, x, said, eps)).argmax(1) == y).float().mean().item() for eps in epsilons]


def sorts_the_epsilons(model, attack, x, y, epsilons):
    return accuracy_curve(model, attack, x, y, sorted(epsilons))


def adds_up_what_was_right(model, attack, x, y, epsilons):
    accuracies, right, seen = [], 0, 0
    for eps in epsilons:
        right += (model(attack(model, x, y, eps)).argmax(1) == y).sum().item()
        seen += len(y)
        accuracies.append(right / seen)
    return accuracies


def takes_the_wrong_dimension(model, attack, x, y, epsilons):
    return [(model(attack(model, x, y, eps)).argmax(0) == y).float().mean().item() for eps in epsilons]


def gives_losses(model, attack, x, y, epsilons):
    return [F.cross_entropy(model(attack(model, x, y, eps)), y).item() for eps in epsilons]


def rounds(**probe):
    return [round(accuracy, 2) for accuracy in accuracy_curve(**probe)]


def gives_pairs(model, attack, x, y, epsilons):
    return list(zip(epsilons, accuracy_curve(model, attack, x, y, epsilons), strict=True))


def counts_by_sums(model, attack, x, y, epsilons):
    curve = []
    with torch.no_grad():
        for eps in epsilons:
            curve.append(float((model(attack(model, x, y, eps)).max(1).indices == y).sum()) / len(y))
    return curve


def forgets_item(model, attack, x, y, epsilons):
    return [(model(attack(model, x, y, eps)).argmax(1) == y).float().mean() for eps in epsilons]


def returns_a_tensor(model, attack, x, y, epsilons):
    return torch.tensor([(model(attack(model, x, y, eps)).argmax(1) == y).double().mean() for eps in epsilons])


def fills_an_array(model, attack, x, y, epsilons):
    curve = np.zeros(len(epsilons))
    for i, eps in enumerate(epsilons):
        predicted = model(attack(model, x, y, eps)).detach().cpu().numpy().argmax(axis=1)
        curve[i] = np.mean(predicted == y.cpu().numpy())
    return curve


def gives_numpy_numbers(model, attack, x, y, epsilons):
    return [np.float32((model(attack(model, x, y, eps)).argmax(-1) == y).sum().item() / x.shape[0])
            for eps in epsilons]


def goes_in_batches(model, attack, x, y, epsilons):
    curve = ()
    for eps in epsilons:
        right = 0
        for images, labels in zip(x.split(8), y.split(8), strict=True):
            right += int(torch.eq(model(attack(model, images, labels, eps)).argmax(dim=1), labels).sum())
        curve += (right / len(x),)
    return curve


WRONG = [
    (gives_errors, "error rates"),
    (gives_percentages, "percentages"),
    (gives_counts, "divide by the number of images"),
    (forgets_the_attack, "does not change with ε"),
    (attacks_what_is_attacked, "start from the clean x"),
    (compares_with_the_clean_prediction, "the model said of the clean images"),
    (uses_the_first_eps_only, "does not change with ε"),
    (uses_the_last_eps_only, "the last of the epsilons only"),
    (gives_the_last_only, "a list of"),
    (returns_inside_the_loop, "a list of 1 number"),
    (reverses_the_order, "reverse order"),
    (leaves_out_what_was_wrong, "read right at first"),
    (attacks_the_predictions, "the model's own answers"),
    (sorts_the_epsilons, "keep their order"),
    (adds_up_what_was_right, "averages over the epsilons so far"),
    (takes_the_wrong_dimension, "RuntimeError"),
    (gives_losses, "not what the formula gives"),
    (rounds, "these are rounded"),
    (gives_pairs, "of shape (3, 2)"),
]

RIGHT = [counts_by_sums, forgets_item, returns_a_tensor, fills_an_array, gives_numpy_numbers, goes_in_batches]
