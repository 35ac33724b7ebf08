"""Plausible wrong answers to exercise 02.3, each with a part of the message that it should get, and right ones."""

import numpy as np
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


def clips_to_grey_values(x_p, x, eps):
    return onto_ball(x_p, x, eps).clamp(0, 1)


def forgets_the_root(x_p, x, eps):
    delta = x_p - x
    factor = (eps / delta.flatten(1).square().sum(1).clamp_min(1e-12)).clamp(max=1)
    return x + delta * factor.view(-1, 1, 1, 1)


def measures_pixel_by_pixel(x_p, x, eps):
    delta = x_p - x
    return x + delta * (eps / delta.norm(dim=1, keepdim=True).clamp_min(1e-12)).clamp(max=1)


def takes_the_mean_of_squares(x_p, x, eps):
    delta = x_p - x
    return x + delta * (eps / delta.pow(2).mean((1, 2, 3), keepdim=True).sqrt().clamp_min(1e-12)).clamp(max=1)


def measures_by_the_largest(x_p, x, eps):
    delta = x_p - x
    return x + delta * (eps / delta.abs().amax((1, 2, 3), keepdim=True).clamp_min(1e-12)).clamp(max=1)


def shortens_the_image(x_p, x, eps):
    return x_p * (eps / x_p.flatten(1).norm(dim=1)).clamp(max=1).view(-1, 1, 1, 1)


def lengthens(x_p, x, eps):
    delta = x_p - x
    return x + delta * (eps / delta.flatten(1).norm(dim=1).clamp_min(1e-12)).clamp(min=1).view(-1, 1, 1, 1)


def forgets_to_line_up(x_p, x, eps):
    delta = x_p - x
    return x + delta * (eps / delta.flatten(1).norm(dim=1).clamp_min(1e-12)).clamp(max=1)


def scales_in_place(x_p, x, eps):
    x_p -= x
    x_p *= (eps / x_p.flatten(1).norm(dim=1).clamp_min(1e-12)).clamp(max=1).view(-1, 1, 1, 1)
    return x + x_p


def projects_by_where(x_p, x, eps):
    delta = x_p - x
    length = delta.pow(2).sum((1, 2, 3), keepdim=True).sqrt()
    return torch.where(length > eps, x + eps * delta / (length + 1e-20), x_p)


def asks_renorm(x_p, x, eps):
    return x + torch.renorm((x_p - x).flatten(1), p=2, dim=0, maxnorm=eps).view_as(x)


def adds_to_the_divisor(x_p, x, eps):
    delta = x_p - x
    length = torch.linalg.vector_norm(delta, dim=(1, 2, 3), keepdim=True) + 1e-6
    return x + delta * torch.minimum(torch.ones_like(length), eps / length)


def goes_image_by_image(x_p, x, eps):
    near = []
    for after, before in zip(x_p, x, strict=True):
        length = (after - before).norm().item()
        near.append(after if length <= eps else before + (after - before) * eps / length)
    return near


def scales_in_numpy(x_p, x, eps):
    before = x.cpu().numpy().astype("float64")
    delta = x_p.cpu().numpy() - before
    length = np.linalg.norm(delta.reshape(len(delta), -1), axis=1)
    return before + delta * np.minimum(1, eps / np.maximum(length, eps)).reshape(-1, 1, 1, 1)


def shortens_a_copy_in_place(x_p, x, eps):
    delta = (x_p - x).clone()
    length = delta.flatten(1).norm(dim=1)
    delta[length > eps] *= (eps / length[length > eps])[:, None, None, None]
    return delta.add_(x)


WRONG = [
    (pulls_all_to_the_border, "the near ones out to the border"),
    (divides_by_zero, "division by zero"),
    (clips_every_pixel, "as for ℓ∞"),
    (clips_every_pixel_tightly, "bends the direction"),
    (measures_all_images_at_once, "one length for the whole batch"),
    (takes_the_longest_for_all, "the largest length of the batch"),
    (measures_with_l1, "the ℓ1 size"),
    (gives_up_on_those_outside, "went back to x"),
    (returns_the_perturbation, "the perturbation δ alone"),
    (leaves_all_as_it_is, "x_p comes back as it was"),
    (returns_x, "you give x back"),
    (clips_to_grey_values, "you clip to [0, 1] as well"),
    (forgets_the_root, "the root is missing"),
    (measures_pixel_by_pixel, "over the channels"),
    (takes_the_mean_of_squares, "the mean of the squares"),
    (measures_by_the_largest, "the largest entry (ℓ∞)"),
    (shortens_the_image, "you shorten x_p itself"),
    (lengthens, "leaves the ε-ball"),
    (forgets_to_line_up, "RuntimeError"),
    (scales_in_place, "changes `x_p` in place"),
]

RIGHT = [projects_by_where, asks_renorm, adds_to_the_divisor, goes_image_by_image, scales_in_numpy,
         shortens_a_copy_in_place]
