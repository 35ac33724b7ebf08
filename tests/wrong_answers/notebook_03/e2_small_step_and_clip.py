"""Plausible wrong answers to exercise 03.2, each with a part of the message that it should get, and right ones."""

import numpy as np
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


def small_step_along(gradient_at):
    """A small step along another gradient."""
    def step(model, x_adv, x, y, eps, step_size, targeted):
        direction = (-1 if targeted else 1) * gradient_at(model, x_adv, y)
        return torch.clamp(x_adv + step_size * direction, x - eps, x + eps).clamp(0, 1)
    return step


def sign_of(loss):
    def gradient_at(model, x_adv, y):
        images = x_adv.clone().requires_grad_()
        return torch.autograd.grad(loss(model(images), y), images)[0].sign()
    return gradient_at


small_step_of_probabilities = small_step_along(sign_of(lambda logits, y: F.cross_entropy(logits.softmax(1), y)))


small_step_of_the_squared_error = small_step_along(
    sign_of(lambda logits, y: (logits - F.one_hot(y, logits.shape[1])).square().mean()))


small_step_of_one_logit = small_step_along(sign_of(lambda logits, y: -logits.gather(1, y[:, None]).sum()))


small_step_away_from_the_prediction = small_step_along(
    sign_of(lambda logits, y: F.cross_entropy(logits, logits.argmax(1))))


small_step_of_unit_length = small_step_along(
    lambda model, x_adv, y: F.normalize(loss_gradient(model, x_adv, y).flatten(1)).view_as(x_adv))


goes_the_other_way = small_step_along(lambda model, x_adv, y: -loss_gradient(model, x_adv, y).sign())


def returns_the_change(model, x_adv, x, y, eps, step_size, targeted):
    return small_step_by_minimum_and_maximum(model, x_adv, x, y, eps, step_size, targeted) - x


def clips_the_image_to_eps(model, x_adv, x, y, eps, step_size, targeted):
    moved = x_adv + (-1 if targeted else 1) * step_size * loss_gradient(model, x_adv, y).sign()
    return moved.clamp(-eps, eps).clamp(0, 1)


def leaves_its_gradient_in_x_adv(model, x_adv, x, y, eps, step_size, targeted):
    x_adv.requires_grad_()
    F.cross_entropy(model(x_adv), y).backward()
    moved = x_adv.detach() + (-1 if targeted else 1) * step_size * x_adv.grad.sign()
    return torch.clamp(moved, x - eps, x + eps).clamp(0, 1)


def clips_the_change(model, x_adv, x, y, eps, step_size, targeted):
    sign = -1 if targeted else 1
    delta = x_adv + sign * step_size * loss_gradient(model, x_adv, y).sign() - x
    return (x + delta.clamp(-eps, eps)).clamp(0, 1)


def clips_to_grey_values_first(model, x_adv, x, y, eps, step_size, targeted):
    start = x_adv.clone().requires_grad_()
    loss = F.cross_entropy(model(start), y, reduction="sum")
    direction = torch.sign(torch.autograd.grad(-loss if targeted else loss, start)[0])
    moved = (x_adv + step_size * direction).clamp(0, 1)
    return torch.maximum(torch.minimum(moved, x + eps), x - eps)


def small_step_in_numpy(model, x_adv, x, y, eps, step_size, targeted):
    direction = loss_gradient(model, x_adv, y).sign().numpy()
    moved = x_adv.numpy() + (-step_size if targeted else step_size) * direction
    return np.clip(np.clip(moved, x.numpy() - eps, x.numpy() + eps), 0, 1)


WRONG = [
    (clips_around_x_adv, "every step may go further away"),
    (takes_the_gradient_at_x, "where you are, at x_adv"),
    (starts_again_from_x, "the new step begins at x_adv"),
    (adds_to_x, "the earlier steps are lost"),
    (steps_by_eps, "this step has size ε"),
    (clips_to_the_step_size, "radius step_size"),
    (never_comes_back, "every step may go further away"),
    (clips_to_the_ball_only, "the second half of Clip"),
    (ignores_the_target, "go down its loss"),
    (small_step_without_sign, "take its sign"),
    (returns_the_change, "wanted is the image"),
    (clips_the_image_to_eps, "it is the change from x that stays in there"),
    (small_step_of_probabilities, "`cross_entropy` of probabilities"),
    (small_step_of_the_squared_error, "squared error of the logits"),
    (small_step_of_one_logit, "the logit of y alone"),
    (small_step_away_from_the_prediction, "what the model says now"),
    (small_step_of_unit_length, "Euclidean length step_size"),
    (goes_the_other_way, "goes uphill, so add the step"),
    (leaves_its_gradient_in_x_adv, "requires_grad"),
]

RIGHT = [small_step_by_minimum_and_maximum, clips_the_change, clips_to_grey_values_first, small_step_in_numpy]
