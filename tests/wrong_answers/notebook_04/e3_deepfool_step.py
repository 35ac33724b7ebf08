"""Plausible wrong answers to exercise 04.3, each with a part of the message that it should get, and right ones."""

import math

import numpy as np
import torch

from advcourse.exercises.notebook_04.e3_deepfool_step import planes


def nearest_plane(model, x, y):
    gaps, gradients = planes(model, x, y)
    away = gaps.abs() / gradients.norm(dim=1)
    away[y] = math.inf
    k = away.argmin()
    return gaps[k], gradients[k].view_as(x)


def returns_the_step(model, x, y):
    gap, w = nearest_plane(model, x, y)
    return gap.abs() / w.norm() ** 2 * w


def goes_backwards(model, x, y):
    gap, w = nearest_plane(model, x, y)
    return x + gap / w.norm() ** 2 * w


def divides_once(model, x, y):
    gap, w = nearest_plane(model, x, y)
    return x + gap.abs() / w.norm() * w


def forgets_to_divide(model, x, y):
    gap, w = nearest_plane(model, x, y)
    return x + gap.abs() * w


def aims_at_the_second_largest_logit(model, x, y):
    gaps, gradients = planes(model, x, y)
    gaps[y] = -math.inf
    k = gaps.argmax()
    return x + (gaps[k].abs() / gradients[k].norm() ** 2 * gradients[k]).view_as(x)


def aims_at_the_farthest(model, x, y):
    gaps, gradients = planes(model, x, y)
    away = gaps.abs() / gradients.norm(dim=1)
    away[y] = -math.inf
    k = away.argmax()
    return x + (gaps[k].abs() / gradients[k].norm() ** 2 * gradients[k]).view_as(x)


def follows_one_logit(model, x, y):
    images = x.clone().requires_grad_()
    logits = model(images)[0]
    best, result = math.inf, x
    for k in range(len(logits)):
        if k != y:
            w = torch.autograd.grad(logits[k], images, retain_graph=True)[0]
            gap = (logits[k] - logits[y]).detach().abs()
            if gap / w.norm() < best:
                best, result = gap / w.norm(), x + gap / w.norm() ** 2 * w
    return result


def steps_by_signs(model, x, y):
    gaps, gradients = planes(model, x, y)
    away = gaps.abs() / gradients.abs().sum(1)
    away[y] = math.inf
    return x + (away.min() * gradients[away.argmin()].sign()).view_as(x)


def clips_to_grey_values(model, x, y):
    gap, w = nearest_plane(model, x, y)
    return (x + gap.abs() / w.norm() ** 2 * w).clamp(0, 1)


def includes_its_own_class(model, x, y):
    gaps, gradients = planes(model, x, y)
    k = gaps.abs().argmin()
    return x + (gaps[k].abs() / gradients[k].norm().clamp_min(1e-9) ** 2 * gradients[k]).view_as(x)


def loses_the_batch(model, x, y):
    gap, w = nearest_plane(model, x, y)
    return (x + gap.abs() / w.norm() ** 2 * w)[0]


def steps_in_a_loop(model, x, y):
    images = x.clone().requires_grad_()
    logits = model(images)
    best, result = float("inf"), None
    for k in range(logits.shape[1]):
        if k == y:
            continue
        gap = logits[0, k] - logits[0, y]
        w, = torch.autograd.grad(gap, images, retain_graph=True)
        if gap.abs() / w.norm() < best:
            best = (gap.abs() / w.norm()).item()
            result = x - gap.detach() / (w * w).sum() * w
    return result


def goes_a_little_farther(model, x, y):
    gap, w = nearest_plane(model, x, y)
    return x + (gap.abs() / w.norm() + 1e-4) * w / w.norm()


def goes_1_02_times_as_far(model, x, y):
    gap, w = nearest_plane(model, x, y)
    return x + 1.02 * gap.abs() / w.norm() ** 2 * w


def goes_as_far_as_the_authors(model, x, y):
    gap, w = nearest_plane(model, x, y)
    return x + (1 + 0.02) * (gap.abs() / w.norm() + 1e-4) * w / w.norm()


def works_on_probabilities(model, x, y):
    return steps_in_a_loop(lambda images: model(images).softmax(1), x, y)


def follows_the_loss(model, x, y):
    images = x.clone().requires_grad_()
    loss = torch.nn.functional.cross_entropy(model(images), torch.tensor([y]))
    w = torch.autograd.grad(loss, images)[0]
    return x + loss.detach() / w.norm() ** 2 * w


def changes_x(model, x, y):
    x.requires_grad = True
    return steps_in_a_loop(model, x, y).detach()


def steps_by_a_jacobian(model, x, y):
    rows = torch.func.jacrev(lambda image: model(image)[0])(x).flatten(1)
    z = model(x)[0].detach()
    w, gaps = rows - rows[y], (z - z[y]).abs()
    away = [gap / row.norm() if k != y else math.inf for k, (gap, row) in enumerate(zip(gaps, w, strict=True))]
    k = min(range(len(away)), key=away.__getitem__)
    return x + (gaps[k] / (w[k].norm() ** 2 + 1e-8) * w[k]).view_as(x)


def steps_by_backward(model, x, y):
    images = x.detach().clone()
    images.requires_grad_(True)
    best = None
    for k in range(model(images).shape[1]):
        images.grad = None
        logits = model(images)[0]
        (logits[k] - logits[y]).backward()
        w, gap = images.grad.clone(), (logits[y] - logits[k]).item()
        if k != y and (best is None or gap / w.norm() < best[0]):
            best = gap / w.norm(), gap * w / w.norm() ** 2
    return (x + best[1]).double()


def steps_in_numpy(model, x, y):
    gap, w = nearest_plane(model, x, y)
    w = w.numpy()
    return x.numpy() + float(gap.abs()) / np.square(w).sum() * w


WRONG = [
    (returns_the_step, "you return the step"),
    (goes_backwards, "the opposite way"),
    (divides_once, "divide by ‖w‖₂ twice"),
    (forgets_to_divide, "must be divided by ‖w‖₂²"),
    (aims_at_the_second_largest_logit, "second largest logit"),
    (aims_at_the_farthest, "farthest boundary"),
    (follows_one_logit, "z_k alone"),
    (steps_by_signs, "ℓ∞ norm"),
    (clips_to_grey_values, "you clipped"),
    (includes_its_own_class, "nothing moved"),
    (loses_the_batch, "a tensor of shape"),
    (goes_a_little_farther, "no overshoot here: you go 0.0001"),
    (goes_1_02_times_as_far, "no overshoot here: you go 1.02"),
    (goes_as_far_as_the_authors, "no overshoot here: you go 1.02 times as far, and"),
    (works_on_probabilities, "you work on probabilities"),
    (follows_the_loss, "the gradient of the cross-entropy loss"),
    (changes_x, "requires_grad"),
]

RIGHT = [steps_in_a_loop, steps_by_a_jacobian, steps_by_backward, steps_in_numpy]
