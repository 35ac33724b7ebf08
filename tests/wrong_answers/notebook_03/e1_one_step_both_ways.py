"""Plausible wrong answers to exercise 03.1, each with a part of the message that it should get, and right ones."""

import numpy as np
import torch
from torch.nn import functional as F

from advcourse.exercises.probes import loss_gradient


def always_goes_up(model, x, y, eps, targeted):
    return (x + eps * loss_gradient(model, x, y).sign()).clamp(0, 1)


def always_goes_down(model, x, y, eps, targeted):
    return (x - eps * loss_gradient(model, x, y).sign()).clamp(0, 1)


def swaps_the_signs(model, x, y, eps, targeted):
    sign = 1 if targeted else -1
    return (x + sign * eps * loss_gradient(model, x, y).sign()).clamp(0, 1)


def forgets_to_clip(model, x, y, eps, targeted):
    sign = -1 if targeted else 1
    return x + sign * eps * loss_gradient(model, x, y).sign()


def flees_the_prediction(model, x, y, eps, targeted):
    return (x + eps * loss_gradient(model, x, model(x).argmax(1)).sign()).clamp(0, 1)


def forgets_the_sign(model, x, y, eps, targeted):
    sign = -1 if targeted else 1
    return (x + sign * (eps * loss_gradient(model, x, y)).clamp(-eps, eps)).clamp(0, 1)


def steps_a_unit_length(model, x, y, eps, targeted):
    sign, gradient = -1 if targeted else 1, loss_gradient(model, x, y)
    return (x + sign * eps * gradient / gradient.flatten(1).norm(dim=1).view(-1, 1, 1, 1)).clamp(0, 1)


def returns_the_step(model, x, y, eps, targeted):
    return (-eps if targeted else eps) * loss_gradient(model, x, y).sign()


def halves_the_step(model, x, y, eps, targeted):
    return (x + (-1 if targeted else 1) * eps / 2 * loss_gradient(model, x, y).sign()).clamp(0, 1)


def one_step_by_backward(model, x, y, eps, targeted):
    start = x.detach().clone().requires_grad_(True)
    loss = F.nll_loss(model(start).log_softmax(1), y)
    (-loss if targeted else loss).backward()
    with torch.no_grad():
        return torch.clamp(x + eps * start.grad.sign(), 0, 1)


def other_loss(loss):
    """One step up or down another loss."""
    def step(model, x, y, eps, targeted):
        images = x.clone().requires_grad_()
        direction = torch.autograd.grad(loss(model(images), y), images)[0].sign()
        return (x - eps * direction if targeted else x + eps * direction).clamp(0, 1)
    return step


takes_the_loss_of_probabilities = other_loss(lambda logits, y: F.cross_entropy(F.softmax(logits, dim=1), y))


takes_the_squared_error = other_loss(lambda logits, y: F.mse_loss(logits, F.one_hot(y, logits.shape[1]).float()))


takes_the_squared_error_of_probabilities = other_loss(
    lambda logits, y: F.mse_loss(logits.softmax(1), F.one_hot(y, logits.shape[1]).float()))


follows_one_logit = other_loss(lambda logits, y: -logits[torch.arange(len(y)), y].sum())


def steps_away_whatever_the_target(model, x, y, eps, targeted):
    direction = loss_gradient(model, x, model(x).argmax(1)).sign()
    return (x - eps * direction if targeted else x + eps * direction).clamp(0, 1)


def clips_the_step(model, x, y, eps, targeted):
    step = eps * loss_gradient(model, x, y).sign()
    return (x + (-step if targeted else step).clamp(0, 1)).clamp(0, 1)


def returns_the_clipped_step(model, x, y, eps, targeted):
    return returns_the_step(model, x, y, eps, targeted).clamp(0, 1)


def takes_one_step_for_all_images(model, x, y, eps, targeted):
    direction = loss_gradient(model, x, y).mean(0, keepdim=True).sign()
    return (x - eps * direction if targeted else x + eps * direction).clamp(0, 1)


def leaves_its_gradient_in_x(model, x, y, eps, targeted):
    x.requires_grad = True
    F.cross_entropy(model(x), y).backward()
    step = eps * x.grad.sign()
    return (x.detach() - step if targeted else x.detach() + step).clamp(0, 1)


def adds_noise(model, x, y, eps, targeted):
    return (x + eps * torch.randn_like(x).sign()).clamp(0, 1)


def steps_image_by_image(model, x, y, eps, targeted):
    results = []
    for image, label in zip(x, y, strict=True):
        start = image[None].clone().requires_grad_()
        F.cross_entropy(model(start), label[None]).backward()
        results.append(torch.clamp(image + eps * (-1) ** int(targeted) * start.grad[0].sign(), 0, 1))
    return results


def steps_in_numpy(model, x, y, eps, targeted):
    start = x.detach().clone().requires_grad_()
    loss = -model(start).log_softmax(1).gather(1, y[:, None]).mean()
    direction = np.sign(torch.autograd.grad(loss, start)[0].numpy()).astype(np.float64)
    return np.clip(x.numpy() + (-eps if targeted else eps) * direction, 0, 1)


def steps_in_place_on_a_copy(model, x, y, eps, targeted):
    x_adv = x.clone()
    x_adv.requires_grad = True
    loss = F.cross_entropy(model(x_adv), y, reduction="sum")
    if targeted:
        loss = -loss
    loss.backward()
    x_adv.data.add_(x_adv.grad.sign(), alpha=eps).clamp_(0, 1)
    return x_adv.detach()


WRONG = [
    (always_goes_up, "go down its loss"),
    (always_goes_down, "goes uphill, so add the step"),
    (swaps_the_signs, "goes uphill, so add the step"),
    (forgets_to_clip, "right but for the clip"),
    (flees_the_prediction, "what the model says now"),
    (forgets_the_sign, "take its sign"),
    (steps_a_unit_length, "Euclidean length ε"),
    (returns_the_step, "you return the step δ"),
    (halves_the_step, "half a step"),
    (steps_away_whatever_the_target, "what the model says now"),
    (takes_the_loss_of_probabilities, "`cross_entropy` of probabilities"),
    (takes_the_squared_error, "squared error of the logits"),
    (takes_the_squared_error_of_probabilities, "squared error of probabilities"),
    (follows_one_logit, "the logit of y alone"),
    (clips_the_step, "you clip the step"),
    (returns_the_clipped_step, "you return the step δ"),
    (takes_one_step_for_all_images, "the batch's summed gradient"),
    (leaves_its_gradient_in_x, "requires_grad"),
    (adds_noise, "along the gradient's sign takes it to"),
]

RIGHT = [one_step_by_backward, steps_image_by_image, steps_in_numpy, steps_in_place_on_a_copy]
