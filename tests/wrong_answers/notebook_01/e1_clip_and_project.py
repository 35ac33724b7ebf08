"""Plausible wrong answers to exercise 01.1, each with a part of the message that it should get, and right ones."""

import torch


def clips_to_grey_values_only(x_p, x, eps):
    return x_p.clamp(0, 1)


def clips_to_the_ball_only(x_p, x, eps):
    return torch.clamp(x_p, x - eps, x + eps)


def returns_the_perturbation(x_p, x, eps):
    return (x_p - x).clamp(-eps, eps)


def clips_the_image_to_eps(x_p, x, eps):
    return x_p.clamp(-eps, eps)


def returns_x(x_p, x, eps):
    return x.clone()


def shrinks_the_whole_perturbation(x_p, x, eps):
    delta = x_p - x
    return (x + delta * eps / delta.abs().flatten(1).max(1).values.view(-1, 1, 1, 1)).clamp(0, 1)


def jumps_to_the_border(x_p, x, eps):
    return (x + eps * torch.sign(x_p - x)).clamp(0, 1)


def halves_the_radius(x_p, x, eps):
    return torch.clamp(x_p, x - eps / 2, x + eps / 2).clamp(0, 1)


def projects_onto_the_euclidean_ball(x_p, x, eps):
    delta = x_p - x
    return (x + delta * (eps / delta.flatten(1).norm(dim=1)).clamp(max=1).view(-1, 1, 1, 1)).clamp(0, 1)


def projects_by_minimum_and_maximum(x_p, x, eps):
    low, high = (x - eps).clamp_min(0), (x + eps).clamp_max(1)
    return torch.max(torch.min(x_p, high), low)


WRONG = [
    (clips_to_grey_values_only, "leaves the ε-ball"),
    (clips_to_the_ball_only, "Clip to [0, 1]"),
    (returns_the_perturbation, "leaves the ε-ball"),
    (clips_the_image_to_eps, "leaves the ε-ball"),
    (returns_x, "back unchanged"),
    (shrinks_the_whole_perturbation, "shrinks the whole perturbation"),
    (jumps_to_the_border, "the near ones too"),
    (halves_the_radius, "not what the formula gives"),
    (projects_onto_the_euclidean_ball, "pixel by pixel"),
]

RIGHT = [projects_by_minimum_and_maximum]
