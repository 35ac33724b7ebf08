"""Plausible wrong answers to exercise 03.5, each with a part of the message that it should get, and right ones."""

import torch
from torch.nn import functional as F

from advcourse.exercises.probes import loss_gradient


def each_of_length_one(gradient):
    return gradient / gradient.flatten(1).norm(dim=1).clamp_min(1e-12).view(-1, 1, 1, 1)


def shortened(delta, eps):
    return delta * (eps / delta.flatten(1).norm(dim=1).clamp_min(1e-12)).clamp(max=1).view(-1, 1, 1, 1)


def a_walk(start, direction, back, once=False):
    """PGD with one of its parts wrong."""
    def pgd(model, x, y, eps, step_size, steps, noise):
        x_adv = start(x, eps, noise)
        for _ in range(min(steps, 1) if once else steps):
            x_adv = back(x_adv + step_size * direction(loss_gradient(model, x_adv, y)), x, eps)
        return x_adv
    return pgd


def right_start(x, eps, noise):
    return (x + eps * noise).clamp(0, 1)


def right_back(x_adv, x, eps):
    return (x + shortened(x_adv - x, eps)).clamp(0, 1)


starts_at_x = a_walk(lambda x, eps, noise: x, each_of_length_one, right_back)


forgets_eps_in_the_start = a_walk(lambda x, eps, noise: (x + noise).clamp(0, 1), each_of_length_one, right_back)


starts_on_the_border = a_walk(lambda x, eps, noise: (x + eps * each_of_length_one(noise)).clamp(0, 1),
                              each_of_length_one, right_back)


starts_at_the_noise = a_walk(lambda x, eps, noise: noise, each_of_length_one, right_back)


steps_along_the_sign = a_walk(right_start, torch.sign, right_back)


steps_by_the_raw_gradient = a_walk(right_start, lambda gradient: gradient, right_back)


divides_by_the_length_of_the_batch = a_walk(right_start, lambda gradient: gradient / gradient.norm(), right_back)


walks_downhill = a_walk(right_start, lambda gradient: -each_of_length_one(gradient), right_back)


clips_pixel_by_pixel = a_walk(right_start, each_of_length_one,
                              lambda x_adv, x, eps: torch.clamp(x_adv, x - eps, x + eps).clamp(0, 1))


is_pgd_in_the_other_ball = a_walk(right_start, torch.sign,
                                  lambda x_adv, x, eps: torch.clamp(x_adv, x - eps, x + eps).clamp(0, 1))


pushes_out_to_the_border = a_walk(right_start, each_of_length_one,
                                  lambda x_adv, x, eps: (x + eps * each_of_length_one(x_adv - x)).clamp(0, 1))


never_returns_to_the_ball = a_walk(right_start, each_of_length_one, lambda x_adv, x, eps: x_adv.clamp(0, 1))


never_returns_to_the_box = a_walk(lambda x, eps, noise: x + eps * noise, each_of_length_one,
                                  lambda x_adv, x, eps: x + shortened(x_adv - x, eps))


takes_one_step = a_walk(right_start, each_of_length_one, right_back, once=True)


def walks_with_delta(model, x, y, eps, step_size, steps, noise):
    """PGD that keeps δ, and clips to [0, 1] before it returns to the ball."""
    delta = (x + eps * noise).clamp(0, 1) - x
    for _ in range(steps):
        delta = delta + step_size * F.normalize(loss_gradient(model, x + delta, y).flatten(1), dim=1).view(x.shape)
        delta = (x + delta).clamp(0, 1) - x
        delta = torch.renorm(delta, p=2, dim=0, maxnorm=eps)
    return (x + delta).clamp(0, 1)


WRONG = [
    (starts_at_x, "you return x itself"),
    (forgets_eps_in_the_start, "must be scaled to the ball"),
    (starts_on_the_border, "on the border of the ball"),
    (starts_at_the_noise, "the noise alone"),
    (steps_along_the_sign, "you step along the sign"),
    (steps_by_the_raw_gradient, "divide it by its length"),
    (divides_by_the_length_of_the_batch, "length of the whole batch"),
    (walks_downhill, "goes uphill"),
    (clips_pixel_by_pixel, "Shorten the whole δ"),
    (is_pgd_in_the_other_ball, "PGD in the ℓ∞ ball"),
    (pushes_out_to_the_border, "only where it is *longer*"),
    (never_returns_to_the_ball, "Shorten the whole δ"),
    (never_returns_to_the_box, "Clip to [0, 1]"),
    (takes_one_step, "only one step"),
]

RIGHT = [walks_with_delta]
