"""Plausible wrong answers to exercise 01.2, each with a part of the message that it should get, and right ones."""

import numpy as np
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


def subtracts_signs(weight, y, target, eps):
    return eps * (weight[target].sign() - weight[y].sign())


def adds_the_rows(weight, y, target, eps):
    return eps * torch.sign(weight[target] + weight[y])


def compares_with_the_average(weight, y, target, eps):
    return eps * (weight[target] - weight.mean(dim=0)).sign()


def moves_everything_up(weight, y, target, eps):
    return torch.full_like(weight[target], eps)


def clips_the_difference(weight, y, target, eps):
    return (weight[target] - weight[y]).clamp(-eps, eps)


def divides_by_the_largest(weight, y, target, eps):
    direction = weight[target] - weight[y]
    return eps * direction / direction.abs().max()


def draws_signs(weight, y, target, eps):
    return eps * torch.randn_like(weight[y]).sign()


def takes_columns(weight, y, target, eps):
    return eps * (weight[:, target] - weight[:, y]).sign()


def attacks_input_by_input(weight, y, target, eps):
    return torch.where(weight[target] > weight[y], eps, -eps)


def returns_a_list(weight, y, target, eps):
    delta = []
    for a, b in zip(weight[target], weight[y], strict=True):
        delta.append(eps if a > b else -eps)
    return delta


def computes_in_numpy(weight, y, target, eps):
    rows = weight.cpu().numpy()
    return eps * np.sign(rows[target] - rows[y])


def differentiates_the_lead(weight, y, target, eps):
    delta = torch.zeros(weight.shape[1], dtype=weight.dtype, device=weight.device, requires_grad=True)
    scores = weight.detach() @ delta
    (scores[target] - scores[y]).backward()
    return eps * delta.grad.sign()


def divides_by_the_size(weight, y, target, eps):
    direction = (weight[target] - weight[y]).double()
    return eps * direction / (direction.abs() + 1e-12)


def fills_in_place(weight, y, target, eps):
    delta = torch.zeros_like(weight[0])
    difference = weight[target] - weight[y]
    delta[difference > 0] += eps
    delta[difference < 0] -= eps
    return delta


WRONG = [
    (pushes_the_wrong_way, "wrong direction"),
    (follows_the_target_alone, "the target's weights alone"),
    (flees_y_alone, "only push y's score down"),
    (forgets_the_sign, "only the sign of the weights"),
    (goes_along_the_unit_vector, "take the sign of the difference"),
    (forgets_eps, "multiply the signs by ε"),
    (moves_the_best_input_only, "some inputs move by less than ε"),
    (moves_nothing, "nothing moves"),
    (returns_a_row_per_class, "a tensor of shape"),
    (subtracts_signs, "not the difference of the signs"),
    (adds_the_rows, "you add the two rows"),
    (compares_with_the_average, "the average of all classes"),
    (moves_everything_up, "every input goes up"),
    (clips_the_difference, "some inputs move by less than ε"),
    (divides_by_the_largest, "some inputs move by less than ε"),
    (draws_signs, "is possible within the same ε"),
    (takes_columns, "a tensor of shape"),
]

RIGHT = [attacks_input_by_input, returns_a_list, computes_in_numpy, differentiates_the_lead, divides_by_the_size,
         fills_in_place]
