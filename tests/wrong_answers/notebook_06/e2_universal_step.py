"""Plausible wrong answers to exercise 06.2, each with a part of the message that it should get, and right ones."""

import numpy as np
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


def differentiates_the_squared_error(model, x, y, delta, eps, step_size):
    def error(logits, y):
        return F.mse_loss(logits.softmax(1), F.one_hot(y, logits.shape[1]).float())

    return (delta + step_size * shared_gradient(model, x, y, delta, error).sign()).clamp(-eps, eps)


def takes_the_softmax_twice(model, x, y, delta, eps, step_size):
    def loss(logits, y):
        return F.cross_entropy(logits.softmax(1), y)

    return (delta + step_size * shared_gradient(model, x, y, delta, loss).sign()).clamp(-eps, eps)


def lowers_the_score_alone(model, x, y, delta, eps, step_size):
    def score(logits, y):
        return -logits[range(len(y)), y].mean()

    return (delta + step_size * shared_gradient(model, x, y, delta, score).sign()).clamp(-eps, eps)


def returns_the_step(model, x, y, delta, eps, step_size):
    return step_size * shared_gradient(model, x, y, delta).sign()


def takes_a_step_of_unit_length(model, x, y, delta, eps, step_size):
    gradient = shared_gradient(model, x, y, delta)
    return (delta + step_size * gradient / gradient.norm()).clamp(-eps, eps)


def divides_by_the_largest(model, x, y, delta, eps, step_size):
    gradient = shared_gradient(model, x, y, delta)
    return (delta + step_size * gradient / gradient.abs().max()).clamp(-eps, eps)


def clips_the_step(model, x, y, delta, eps, step_size):
    return delta + (step_size * shared_gradient(model, x, y, delta).sign()).clamp(-eps, eps)


def takes_gradients_of_deltas_own(model, x, y, delta, eps, step_size):
    delta.requires_grad_()
    F.cross_entropy(model((x + delta).clamp(0, 1)), y).backward()
    return (delta + step_size * delta.grad.sign()).clamp(-eps, eps)


def adds_losses_image_by_image(model, x, y, delta, eps, step_size):
    leaf = delta.clone().requires_grad_()
    for image, label in zip(x, y, strict=True):  # `.grad` adds up what every `.backward()` brings
        F.cross_entropy(model((image + leaf).clamp(0, 1)[None]), label[None]).backward()
    return np.clip((delta + step_size * leaf.grad.sign()).numpy(), -eps, eps)


def keeps_the_history(model, x, y, delta, eps, step_size):
    delta = delta.clone().requires_grad_()
    gradient, = torch.autograd.grad(-model((x + delta).clamp(0, 1)).log_softmax(1).gather(1, y[:, None]).mean(), delta)
    return torch.clamp(delta + step_size * torch.sign(gradient).double(), -eps, eps)


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
    (one_delta_per_image, "a tensor of shape (2, 3, 6) is wanted"),
    (shows_no_images, "leave [0, 1]"),
    (returns_the_images, "a tensor of shape (2, 3, 6) is wanted"),
    (uses_the_answers, "the model's own answers"),
    (differentiates_the_squared_error, "squared error of probabilities"),
    (takes_the_softmax_twice, "`cross_entropy` of probabilities"),
    (lowers_the_score_alone, "the logit of y alone"),
    (returns_the_step, "this is the step alone"),
    (takes_a_step_of_unit_length, "by its Euclidean norm"),
    (divides_by_the_largest, "its largest entry"),
    (clips_the_step, "project after the step"),
    (takes_gradients_of_deltas_own, "leaves a gradient in `delta`"),
]

RIGHT = [steps_by_backward, sums_gradients_at_the_images, adds_losses_image_by_image, keeps_the_history]
