"""Plausible wrong answers to exercise 01.5, each with a part of the message that it should get, and right ones."""

import torch
from torch.nn import functional as F

from advcourse.exercises.notebook_01.e5_fooling_image import fooling_image
from advcourse.exercises.probes import loss_gradient


def takes_one_step(model, x, target):
    return (x - 0.02 * loss_gradient(model, x, torch.tensor([target])).sign()).clamp(0, 1)


def flees_the_target(model, x, target):
    for _ in range(100):
        x = (x + 0.02 * loss_gradient(model, x, torch.tensor([target])).sign()).clamp(0, 1)
    return x


def never_clips(model, x, target):
    for _ in range(100):
        x = x - 0.02 * loss_gradient(model, x, torch.tensor([target])).sign()
    return x


def returns_the_noise(model, x, target):
    return x


def reaches_class_zero(model, x, target):
    return fooling_image(model, x, 0)


def loses_the_batch(model, x, target):
    return fooling_image(model, x, target)[0]


def returns_the_confidence(model, x, target):
    return model(fooling_image(model, x, target)).softmax(1)[0, target].item()


def flees_the_present_class(model, x, target):
    for _ in range(100):
        x = (x + 0.02 * loss_gradient(model, x, model(x).argmax(1)).sign()).clamp(0, 1)
    return x


def climbs_the_logit_lead(model, x, target):
    for _ in range(60):
        x = x.detach().requires_grad_()
        probability = model(x).log_softmax(1)[0, target]
        x = (x + 0.05 * torch.autograd.grad(probability, x)[0].sign()).clamp(0, 1)
    return x.detach()


def takes_the_squared_error(model, x, target):
    for _ in range(100):
        x = x.detach().requires_grad_()
        loss = (model(x) - F.one_hot(torch.tensor([target]), 4)).square().sum()
        x = (x - 0.02 * torch.autograd.grad(loss, x)[0].sign()).clamp(0, 1)
    return x.detach()


def starts_anew_each_time(model, x, target):
    for _ in range(100):
        x_new = (x - 0.02 * loss_gradient(model, x, torch.tensor([target])).sign()).clamp(0, 1)
    return x_new


def steps_too_little(model, x, target):
    for _ in range(100):
        x = (x - 0.02 * loss_gradient(model, x, torch.tensor([target])) / 36).clamp(0, 1)
    return x


def returns_the_change(model, x, target):
    return fooling_image(model, x, target) - x


def returns_too_early(model, x, target):
    for _ in range(100):
        x = (x - 0.02 * loss_gradient(model, x, torch.tensor([target])).sign()).clamp(0, 1)
        if model(x).argmax(1).item() == target:
            return x


def raises_every_score(model, x, target):
    for _ in range(30):
        x = x.detach().requires_grad_()
        x = (x + 0.02 * torch.autograd.grad(model(x).sum(), x)[0].sign()).clamp(0, 1)
    return x.detach()


def draws_new_noise(model, x, target):
    return torch.rand_like(x)


def collects_gradients_in_x(model, x, target):
    x.requires_grad_()
    for _ in range(100):
        F.cross_entropy(model(x), torch.tensor([target])).backward()
        with torch.no_grad():
            x -= 0.02 * x.grad.sign()
            x.clamp_(0, 1)
    return x.detach()


def stops_when_sure(model, x, target):
    image = x.clone()
    while model(image).softmax(1)[0, target] < 0.99:
        image = (image - 0.02 * loss_gradient(model, image, torch.tensor([target])).sign()).clamp(0, 1)
    return image


def lets_adam_do_it(model, x, target):
    image = x.clone().requires_grad_()
    optimiser = torch.optim.Adam([image], lr=0.05)
    for _ in range(60):
        optimiser.zero_grad()
        F.cross_entropy(model(image), torch.tensor([target])).backward()
        optimiser.step()
        with torch.no_grad():
            image.clamp_(0, 1)
    return image


def follows_the_gradient_itself(model, x, target):
    for _ in range(100):
        x = (x - 5 * loss_gradient(model, x, torch.tensor([target]))).clamp(0, 1)
    return x.double()


def takes_normalised_steps(model, x, target):
    for _ in range(50):
        gradient = loss_gradient(model, x, torch.tensor([target]))
        x = (x - 0.3 * gradient / gradient.norm().clamp_min(1e-12)).clamp(0, 1)
    return x.numpy()


def raises_the_logit(model, x, target):
    for _ in range(60):
        x = x.detach().requires_grad_()
        x = (x + 0.02 * torch.autograd.grad(model(x)[0, target], x)[0].sign()).clamp(0, 1)
    return x.detach()


WRONG = [
    (takes_one_step, "ake more steps, or larger ones"),
    (flees_the_target, "subtract its gradient"),
    (never_clips, "Clip to [0, 1]"),
    (returns_the_noise, "back unchanged"),
    (reaches_class_zero, "now reads the image as class 0"),
    (loses_the_batch, "a tensor of shape"),
    (returns_the_confidence, "returned a number"),
    (flees_the_present_class, "at least 0.99 is wanted"),
    (takes_the_squared_error, "or larger ones"),
    (starts_anew_each_time, "ake more steps, or larger ones"),
    (steps_too_little, "ake more steps, or larger ones"),
    (returns_the_change, "is no image"),
    (returns_too_early, "take more steps"),
    (raises_every_score, "at least 0.99 is wanted"),
    (draws_new_noise, "at least 0.99 is wanted"),
    (collects_gradients_in_x, "in place"),
]

RIGHT = [climbs_the_logit_lead, stops_when_sure, lets_adam_do_it, follows_the_gradient_itself, takes_normalised_steps,
         raises_the_logit]
