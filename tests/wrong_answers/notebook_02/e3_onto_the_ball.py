"""Plausible wrong answers to exercise 02.3, each with a part of the message that it should get, and right ones."""

import torch

from advcourse.exercises.notebook_02.e3_onto_the_ball import onto_ball


def pulls_all_to_the_border(x_p, x, eps):
    delta = x_p - x
    return x + delta * (eps / delta.flatten(1).norm(dim=1).clamp_min(1e-12)).view(-1, 1, 1, 1)


def divides_by_zero(x_p, x, eps):
    delta = x_p - x
    return x + eps * delta / delta.flatten(1).norm(dim=1).view(-1, 1, 1, 1)


def clips_every_pixel(x_p, x, eps):
    return x + (x_p - x).clamp(-eps, eps)


def clips_every_pixel_tightly(x_p, x, eps):
    limit = eps / x[0].numel() ** 0.5
    return x + (x_p - x).clamp(-limit, limit)


def measures_all_images_at_once(x_p, x, eps):
    delta = x_p - x
    return x + delta * min(1.0, eps / float(delta.norm()))


def takes_the_longest_for_all(x_p, x, eps):
    delta = x_p - x
    return x + delta * min(1.0, eps / float(delta.flatten(1).norm(dim=1).max()))


def measures_with_l1(x_p, x, eps):
    delta = x_p - x
    return x + delta * (eps / delta.flatten(1).abs().sum(1).clamp_min(1e-12)).clamp(max=1).view(-1, 1, 1, 1)


def gives_up_on_those_outside(x_p, x, eps):
    inside = (x_p - x).flatten(1).norm(dim=1) <= eps
    return torch.where(inside.view(-1, 1, 1, 1), x_p, x)


def returns_the_perturbation(x_p, x, eps):
    return onto_ball(x_p, x, eps) - x


def leaves_all_as_it_is(x_p, x, eps):
    return x_p.clone()


def returns_x(x_p, x, eps):
    return x.clone()


def projects_by_where(x_p, x, eps):
    delta = x_p - x
    length = delta.pow(2).sum((1, 2, 3), keepdim=True).sqrt()
    return torch.where(length > eps, x + eps * delta / (length + 1e-20), x_p)


WRONG = [
    (pulls_all_to_the_border, "the near ones out to the border"),
    (divides_by_zero, "division by zero"),
    (clips_every_pixel, "leaves the ε-ball"),
    (clips_every_pixel_tightly, "bends the direction"),
    (measures_all_images_at_once, "one length for the whole batch"),
    (takes_the_longest_for_all, "the largest length of the batch"),
    (measures_with_l1, "the ℓ1 size"),
    (gives_up_on_those_outside, "went back to x"),
    (returns_the_perturbation, "leaves the ε-ball"),
    (leaves_all_as_it_is, "leaves the ε-ball"),
    (returns_x, "you give x back"),
]

RIGHT = [projects_by_where]
