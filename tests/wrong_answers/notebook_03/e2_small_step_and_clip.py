"""Plausible wrong answers to exercise 03.2, each with a part of the message that it should get, and right ones."""

import torch
from torch.nn import functional as F

from advcourse.exercises.probes import loss_gradient


def clips_around_x_adv(model, x_adv, x, y, eps, step_size, targeted):
    sign = -1 if targeted else 1
    moved = x_adv + sign * step_size * loss_gradient(model, x_adv, y).sign()
    return torch.clamp(moved, x_adv - eps, x_adv + eps).clamp(0, 1)


def takes_the_gradient_at_x(model, x_adv, x, y, eps, step_size, targeted):
    sign = -1 if targeted else 1
    moved = x_adv + sign * step_size * loss_gradient(model, x, y).sign()
    return torch.clamp(moved, x - eps, x + eps).clamp(0, 1)


def starts_again_from_x(model, x_adv, x, y, eps, step_size, targeted):
    sign = -1 if targeted else 1
    moved = x + sign * step_size * loss_gradient(model, x, y).sign()
    return torch.clamp(moved, x - eps, x + eps).clamp(0, 1)


def adds_to_x(model, x_adv, x, y, eps, step_size, targeted):
    sign = -1 if targeted else 1
    moved = x + sign * step_size * loss_gradient(model, x_adv, y).sign()
    return torch.clamp(moved, x - eps, x + eps).clamp(0, 1)


def steps_by_eps(model, x_adv, x, y, eps, step_size, targeted):
    sign = -1 if targeted else 1
    moved = x_adv + sign * eps * loss_gradient(model, x_adv, y).sign()
    return torch.clamp(moved, x - eps, x + eps).clamp(0, 1)


def clips_to_the_step_size(model, x_adv, x, y, eps, step_size, targeted):
    sign = -1 if targeted else 1
    moved = x_adv + sign * step_size * loss_gradient(model, x_adv, y).sign()
    return torch.clamp(moved, x - step_size, x + step_size).clamp(0, 1)


def never_comes_back(model, x_adv, x, y, eps, step_size, targeted):
    sign = -1 if targeted else 1
    return (x_adv + sign * step_size * loss_gradient(model, x_adv, y).sign()).clamp(0, 1)


def clips_to_the_ball_only(model, x_adv, x, y, eps, step_size, targeted):
    sign = -1 if targeted else 1
    moved = x_adv + sign * step_size * loss_gradient(model, x_adv, y).sign()
    return torch.clamp(moved, x - eps, x + eps)


def ignores_the_target(model, x_adv, x, y, eps, step_size, targeted):
    moved = x_adv + step_size * loss_gradient(model, x_adv, y).sign()
    return torch.clamp(moved, x - eps, x + eps).clamp(0, 1)


def small_step_without_sign(model, x_adv, x, y, eps, step_size, targeted):
    sign = -1 if targeted else 1
    moved = x_adv + sign * step_size * loss_gradient(model, x_adv, y)
    return torch.clamp(moved, x - eps, x + eps).clamp(0, 1)


def small_step_by_minimum_and_maximum(model, x_adv, x, y, eps, step_size, targeted):
    start = x_adv.detach().clone().requires_grad_(True)
    F.cross_entropy(model(start), y).backward()
    low, high = (x - eps).clamp_min(0), (x + eps).clamp_max(1)
    with torch.no_grad():
        moved = start + (-1) ** targeted * step_size * start.grad.sign()
        return torch.max(torch.min(moved, high), low)


WRONG = [
    (clips_around_x_adv, "every step may go further away"),
    (takes_the_gradient_at_x, "where you are, at x_adv"),
    (starts_again_from_x, "the new step begins at x_adv"),
    (adds_to_x, "the earlier steps are lost"),
    (steps_by_eps, "this step has size ε"),
    (clips_to_the_step_size, "radius step_size"),
    (never_comes_back, "every step may go further away"),
    (clips_to_the_ball_only, "Clip to [0, 1]"),
    (ignores_the_target, "go down its loss"),
    (small_step_without_sign, "take its sign"),
]

RIGHT = [small_step_by_minimum_and_maximum]
