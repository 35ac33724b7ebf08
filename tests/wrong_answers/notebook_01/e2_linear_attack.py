"""Plausible wrong answers to exercise 01.2, each with a part of the message that it should get, and right ones."""

import torch


def pushes_the_wrong_way(weight, y, target, eps):
    return eps * (weight[y] - weight[target]).sign()


def follows_the_target_alone(weight, y, target, eps):
    return eps * weight[target].sign()


def flees_y_alone(weight, y, target, eps):
    return -eps * weight[y].sign()


def forgets_the_sign(weight, y, target, eps):
    return eps * (weight[target] - weight[y])


def goes_along_the_unit_vector(weight, y, target, eps):
    direction = weight[target] - weight[y]
    return eps * direction / direction.norm()


def forgets_eps(weight, y, target, eps):
    return (weight[target] - weight[y]).sign()


def moves_the_best_input_only(weight, y, target, eps):
    direction = weight[target] - weight[y]
    delta = torch.zeros_like(direction)
    best = direction.abs().argmax()
    delta[best] = eps * direction[best].sign()
    return delta


def moves_nothing(weight, y, target, eps):
    return torch.zeros_like(weight[y])


def returns_a_row_per_class(weight, y, target, eps):
    return eps * weight.sign()


def attacks_input_by_input(weight, y, target, eps):
    return torch.where(weight[target] > weight[y], eps, -eps)


WRONG = [
    (pushes_the_wrong_way, "wrong direction"),
    (follows_the_target_alone, "the target's weights alone"),
    (flees_y_alone, "only push y's score down"),
    (forgets_the_sign, "only the sign of the weights"),
    (goes_along_the_unit_vector, "take the sign of the difference"),
    (forgets_eps, "exceeds ε"),
    (moves_the_best_input_only, "some inputs move by less than ε"),
    (moves_nothing, "nothing moves"),
    (returns_a_row_per_class, "a tensor of shape"),
]

RIGHT = [attacks_input_by_input]
