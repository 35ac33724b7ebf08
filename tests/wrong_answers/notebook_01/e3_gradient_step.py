"""Plausible wrong answers to exercise 01.3, each with a part of the message that it should get, and right ones."""

import numpy as np
import torch
from torch.nn import functional as F

from advcourse.exercises.probes import loss_gradient


def goes_down(model, x, y, eps):
    return (x - eps * loss_gradient(model, x, y).sign()).clamp(0, 1)


def steps_without_sign(model, x, y, eps):
    return (x + eps * loss_gradient(model, x, y)).clamp(x - eps, x + eps).clamp(0, 1)


def takes_the_mean_gradient_without_sign(model, x, y, eps):
    return (x + eps * loss_gradient(model, x, y) / len(x)).clamp(x - eps, x + eps).clamp(0, 1)


def steps_a_unit_length(model, x, y, eps):
    gradient = loss_gradient(model, x, y)
    return (x + eps * gradient / gradient.flatten(1).norm(dim=1).view(-1, 1, 1, 1)).clamp(0, 1)


def forgets_to_clip(model, x, y, eps):
    return x + eps * loss_gradient(model, x, y).sign()


def returns_the_step(model, x, y, eps):
    return eps * loss_gradient(model, x, y).sign()


def uses_the_prediction(model, x, y, eps):
    return (x + eps * loss_gradient(model, x, model(x).argmax(1)).sign()).clamp(0, 1)


def steps_twice(model, x, y, eps):
    for _ in range(2):
        x = (x + eps * loss_gradient(model, x, y).sign()).clamp(0, 1)
    return x


def tosses_coins(model, x, y, eps):
    return (x + eps * torch.randn_like(x).sign()).clamp(0, 1)


def forgets_requires_grad(model, x, y, eps):
    loss = F.cross_entropy(model(x), y)
    return x + eps * torch.autograd.grad(loss, x)[0].sign()


def gradient_of(loss, x):
    return torch.autograd.grad(loss, x)[0]


def applies_softmax_first(model, x, y, eps):
    x = x.clone().requires_grad_()
    loss = F.cross_entropy(torch.softmax(model(x), dim=1), y)
    return (x + eps * gradient_of(loss, x).sign()).clamp(0, 1)


def takes_the_squared_error(model, x, y, eps):
    x = x.clone().requires_grad_()
    logits = model(x)
    loss = F.mse_loss(logits, F.one_hot(y, logits.shape[1]).float())
    return (x + eps * gradient_of(loss, x).sign()).clamp(0, 1)


def takes_the_squared_error_of_probabilities(model, x, y, eps):
    x = x.clone().requires_grad_()
    probabilities = model(x).softmax(1)
    loss = F.mse_loss(probabilities, F.one_hot(y, probabilities.shape[1]).float())
    return (x + eps * gradient_of(loss, x).sign()).clamp(0, 1)


def lowers_the_logit(model, x, y, eps):
    x = x.clone().requires_grad_()
    score = model(x)[torch.arange(len(x)), y].sum()
    return (x - eps * gradient_of(score, x).sign()).clamp(0, 1)


def gives_logits_to_nll(model, x, y, eps):
    x = x.clone().requires_grad_()
    return (x + eps * gradient_of(F.nll_loss(model(x), y), x).sign()).clamp(0, 1)


def takes_the_binary_loss(model, x, y, eps):
    x = x.clone().requires_grad_()
    logits = model(x)
    loss = F.binary_cross_entropy_with_logits(logits, F.one_hot(y, logits.shape[1]).float())
    return (x + eps * gradient_of(loss, x).sign()).clamp(0, 1)


def lowers_the_largest_score(model, x, y, eps):
    x = x.clone().requires_grad_()
    return (x - eps * gradient_of(model(x).max(1).values.sum(), x).sign()).clamp(0, 1)


def clips_the_step(model, x, y, eps):
    return (x + (eps * loss_gradient(model, x, y).sign()).clamp(0, 1)).clamp(0, 1)


def divides_by_the_largest_entry(model, x, y, eps):
    gradient = loss_gradient(model, x, y)
    return (x + eps * gradient / gradient.flatten(1).abs().max(1).values[:, None, None, None]).clamp(0, 1)


def takes_the_argument_itself(model, x, y, eps):
    x.requires_grad = True
    loss = F.cross_entropy(model(x), y)
    loss.backward()
    return (x.detach() + eps * x.grad.sign()).clamp(0, 1)


def steps_in_place(model, x, y, eps):
    x += eps * loss_gradient(model, x, y).sign()
    return x.clamp_(0, 1)


def returns_x(model, x, y, eps):
    return x


def steps_by_backward(model, x, y, eps):
    x_adv = x.detach().clone().requires_grad_(True)
    F.nll_loss(model(x_adv).log_softmax(1), y, reduction="mean").backward()
    with torch.no_grad():
        return torch.clamp(x + eps * torch.sign(x_adv.grad), 0, 1)


def keeps_the_graph(model, x, y, eps):
    x = x.clone().requires_grad_()
    return (x + eps * gradient_of(F.cross_entropy(model(x), y), x).sign()).clamp(0, 1)


def goes_image_by_image(model, x, y, eps):
    changed = []
    for image, label in zip(x, y, strict=True):
        image = image[None].clone().requires_grad_()
        F.cross_entropy(model(image), label[None]).backward()
        changed.append((image.detach() + eps * image.grad.sign()).clamp(0, 1)[0])
    return changed


def perturbs_delta(model, x, y, eps):
    delta = torch.zeros_like(x, requires_grad=True)
    F.cross_entropy(model(x + delta), y, reduction="sum").backward()
    x_adv = x.clone()
    x_adv += eps * delta.grad.sign()
    return x_adv.clamp_(0, 1)


def writes_out_the_loss(model, x, y, eps):
    images = x.clone().requires_grad_()
    logits = model(images)
    loss = logits.logsumexp(1) - logits[torch.arange(len(y)), y]
    gradient, = torch.autograd.grad(loss.sum(), images)
    x_adv = x.cpu().numpy().astype("float64") + eps * np.sign(gradient.cpu().numpy())
    return np.clip(x_adv, 0, 1)


def divides_by_the_size(model, x, y, eps):
    x = x.clone().requires_grad_()
    gradient = gradient_of(F.cross_entropy(model(x), y, reduction="sum"), x)
    return (x + eps * gradient / (gradient.abs() + 1e-12)).clamp(0, 1).detach()


WRONG = [
    (goes_down, "goes uphill"),
    (steps_without_sign, "take its sign"),
    (takes_the_mean_gradient_without_sign, "pixels hardly move"),
    (steps_a_unit_length, "Euclidean length ε"),
    (divides_by_the_largest_entry, "the one of the steepest"),
    (forgets_to_clip, "Clip to [0, 1]"),
    (clips_the_step, "you clip the step"),
    (returns_the_step, "the perturbation δ alone"),
    (uses_the_prediction, "the model's own prediction"),
    (steps_twice, "leaves the ε-ball"),
    (tosses_coins, "hardly further than random changes"),
    (forgets_requires_grad, "does not require grad"),
    (applies_softmax_first, "`cross_entropy` of probabilities"),
    (takes_the_squared_error, "squared error of the logits"),
    (takes_the_squared_error_of_probabilities, "squared error of probabilities"),
    (lowers_the_logit, "the logit of y alone"),
    (gives_logits_to_nll, "as `F.nll_loss` makes it of logits"),
    (takes_the_binary_loss, "binary cross-entropy"),
    (lowers_the_largest_score, "you lower the largest score"),
    (takes_the_argument_itself, "leaves a gradient in `x`"),
    (steps_in_place, "changes `x` in place"),
    (returns_x, "nothing was attacked"),
]

RIGHT = [steps_by_backward, keeps_the_graph, goes_image_by_image, perturbs_delta, writes_out_the_loss,
         divides_by_the_size]
