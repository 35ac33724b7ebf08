"""Plausible wrong answers to exercise 06.2, each with a part of the message that it should get, and right ones."""

import torch
from torch.nn import functional as F

from advcourse.exercises.notebook_06.e2_universal_step import shared_gradient, universal_step
from advcourse.exercises.probes import loss_gradient


def goes_down(model, x, y, delta, eps, step_size):
    return (delta - step_size * shared_gradient(model, x, y, delta).sign()).clamp(-eps, eps)


def steps_without_sign(model, x, y, delta, eps, step_size):
    return (delta + step_size * shared_gradient(model, x, y, delta)).clamp(-eps, eps)


def forgets_to_project(model, x, y, delta, eps, step_size):
    return delta + step_size * shared_gradient(model, x, y, delta).sign()


def projects_onto_grey_values(model, x, y, delta, eps, step_size):
    return universal_step(model, x, y, delta, eps, step_size).clamp(0, 1)


def loses_delta(model, x, y, delta, eps, step_size):
    return (step_size * shared_gradient(model, x, y, 0 * delta).sign()).clamp(-eps, eps)


def differentiates_at_x(model, x, y, delta, eps, step_size):
    return (delta + step_size * loss_gradient(model, x, y).mean(0).sign()).clamp(-eps, eps)


def follows_one_image(model, x, y, delta, eps, step_size):
    return universal_step(model, x[:1], y[:1], delta, eps, step_size)


def lets_images_vote(model, x, y, delta, eps, step_size):
    signs = loss_gradient(model, (x + delta).clamp(0, 1), y).sign()
    return (delta + step_size * signs.mean(0).sign()).clamp(-eps, eps)


def steps_by_eps(model, x, y, delta, eps, step_size):
    return (delta + eps * shared_gradient(model, x, y, delta).sign()).clamp(-eps, eps)


def one_delta_per_image(model, x, y, delta, eps, step_size):
    return (delta + step_size * loss_gradient(model, (x + delta).clamp(0, 1), y).sign()).clamp(-eps, eps)


def shows_no_images(model, x, y, delta, eps, step_size):
    return (delta + step_size * loss_gradient(model, x + delta, y).sum(0).sign()).clamp(-eps, eps)


def returns_the_images(model, x, y, delta, eps, step_size):
    return (x + universal_step(model, x, y, delta, eps, step_size)).clamp(0, 1)


def uses_the_answers(model, x, y, delta, eps, step_size):
    return universal_step(model, x, model(x).argmax(1), delta, eps, step_size)


def steps_by_backward(model, x, y, delta, eps, step_size):
    leaf = torch.nn.Parameter(delta.clone())
    F.nll_loss(model(torch.clamp(x + leaf, 0, 1)).log_softmax(1), y, reduction="sum").backward()
    with torch.no_grad():
        moved = leaf + step_size * torch.sign(leaf.grad)
        return torch.max(torch.min(moved, torch.full_like(delta, eps)), torch.full_like(delta, -eps))


def sums_gradients_at_the_images(model, x, y, delta, eps, step_size):
    images = (x + delta).clamp(0, 1).requires_grad_()
    F.cross_entropy(model(images), y, reduction="sum").backward()
    return (delta + step_size * images.grad.mean(0).sign()).clamp(-eps, eps)


WRONG = [
    (goes_down, "go down the loss"),
    (steps_without_sign, "take its sign"),
    (forgets_to_project, "project after the step"),
    (projects_onto_grey_values, "not to [0, 1]"),
    (loses_delta, "lose the delta"),
    (differentiates_at_x, "at the clean x"),
    (follows_one_image, "the first image alone"),
    (lets_images_vote, "take the sign once"),
    (steps_by_eps, "not of size step_size"),
    (one_delta_per_image, "a tensor of shape (1, 6, 6) is wanted"),
    (shows_no_images, "leave [0, 1]"),
    (returns_the_images, "a tensor of shape (1, 6, 6) is wanted"),
    (uses_the_answers, "the model's own answers"),
]

RIGHT = [steps_by_backward, sums_gradients_at_the_images]
