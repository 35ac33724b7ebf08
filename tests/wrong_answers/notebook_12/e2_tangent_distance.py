"""Plausible wrong answers to exercise 12.2, each with a part of the message that it should get, and right ones."""

import numpy as np
import torch


def rest(gap, tangents):
    """What remains of a gap when all that lies along the tangents is taken off."""
    basis = torch.linalg.qr(tangents.T).Q
    return gap - basis @ (basis.T @ gap)


def moves_nothing(x, x_tangents, y, y_tangents):
    return (x - y).norm().item()


def moves_x_alone(x, x_tangents, y, y_tangents):
    return rest(x - y, x_tangents).norm().item()


def moves_y_alone(x, x_tangents, y, y_tangents):
    return rest(x - y, y_tangents).norm().item()


def forgets_the_root(x, x_tangents, y, y_tangents):
    return rest(x - y, torch.cat([x_tangents, y_tangents])).square().sum().item()


def projects_without_an_inverse(x, x_tangents, y, y_tangents):
    tangents = torch.cat([x_tangents, y_tangents])
    return ((x - y) - tangents.T @ (tangents @ (x - y))).norm().item()


def only_makes_the_tangents_of_length_1(x, x_tangents, y, y_tangents):
    tangents = torch.nn.functional.normalize(torch.cat([x_tangents, y_tangents]))
    return ((x - y) - tangents.T @ (tangents @ (x - y))).norm().item()


def moves_one_after_the_other(x, x_tangents, y, y_tangents):
    return rest(rest(x - y, x_tangents), y_tangents).norm().item()


def returns_the_steps(x, x_tangents, y, y_tangents):
    matrix = torch.cat([x_tangents, -y_tangents]).T
    return torch.linalg.lstsq(matrix, (y - x)[:, None]).solution.norm().item()


def returns_what_is_closed(x, x_tangents, y, y_tangents):
    gap = x - y
    return (gap - rest(gap, torch.cat([x_tangents, y_tangents]))).norm().item()


def goes_the_wrong_way(x, x_tangents, y, y_tangents):
    matrix = torch.cat([x_tangents, -y_tangents]).T
    steps = torch.linalg.lstsq(matrix, (x - y)[:, None]).solution
    return ((x - y) + (matrix @ steps)[:, 0]).norm().item()


def takes_the_mean(x, x_tangents, y, y_tangents):
    return rest(x - y, torch.cat([x_tangents, y_tangents])).square().mean().sqrt().item()


def returns_the_rest_itself(x, x_tangents, y, y_tangents):
    return rest(x - y, torch.cat([x_tangents, y_tangents]))


def gives_lstsq_a_row(x, x_tangents, y, y_tangents):
    matrix = torch.cat([x_tangents, -y_tangents]).T
    return (x - y + matrix @ torch.linalg.lstsq(matrix, (y - x)[None]).solution).norm().item()


def takes_a_basis(x, x_tangents, y, y_tangents):
    return rest(x - y, torch.cat([x_tangents, y_tangents])).norm()


def solves_normal_equations(x, x_tangents, y, y_tangents):
    tangents = torch.cat([x_tangents, y_tangents]).double()
    gap = (x - y).double()
    steps = torch.linalg.solve(tangents @ tangents.T + 1e-8 * torch.eye(len(tangents)), tangents @ gap)
    return (gap - tangents.T @ steps).norm().item()


def asks_numpy(x, x_tangents, y, y_tangents):
    matrix = np.concatenate([x_tangents, y_tangents]).T
    _, squares, _, _ = np.linalg.lstsq(matrix, (x - y).numpy(), rcond=None)
    return float(squares[0]) ** 0.5


def takes_turns_until_they_meet(x, x_tangents, y, y_tangents):
    gap = (x - y).double()
    for _ in range(3000):
        gap = rest(rest(gap, x_tangents.double()), y_tangents.double())
    return float(gap.norm())


WRONG = [
    (moves_nothing, "the Euclidean distance"),
    (moves_x_alone, "only x moves here"),
    (moves_y_alone, "only y moves here"),
    (forgets_the_root, "the square of the distance"),
    (projects_without_an_inverse, "project with T Tᵀ"),
    (only_makes_the_tangents_of_length_1, "at right angles to each other"),
    (moves_one_after_the_other, "first x moves as near as it can"),
    (returns_the_steps, "the length of the steps"),
    (returns_what_is_closed, "the part of the gap that the tangents close"),
    (goes_the_wrong_way, "the steps go the wrong way"),
    (takes_the_mean, "the mean over the pixels"),
    (returns_the_rest_itself, "a tensor of shape (30,)"),
    (gives_lstsq_a_row, "your function raises"),
]

RIGHT = [takes_a_basis, solves_normal_equations, asks_numpy, takes_turns_until_they_meet]
