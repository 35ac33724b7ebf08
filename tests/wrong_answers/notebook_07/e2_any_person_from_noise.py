"""Plausible wrong answers to exercise 07.2, each with a part of the message that it should get, and right ones."""

import torch
from torch.nn import functional as F

from advcourse.exercises.notebook_07.e2_any_person_from_noise import from_noise, probability


def target_gradient(model, x, target):
    """The gradient of the cross-entropy at the target with respect to every image."""
    x = x.detach().requires_grad_()
    return torch.autograd.grad(F.cross_entropy(model(x), target, reduction="sum"), x)[0]


def takes_one_step(model, x, target, confidence):
    short = probability(model, x, target) < confidence
    return (x - 0.02 * short.view(-1, 1, 1, 1) * target_gradient(model, x, target).sign()).clamp(0, 1).detach()


def climbs(model, x, target, confidence):
    for _ in range(100):
        short = probability(model, x, target) < confidence
        x = (x + 0.02 * short.view(-1, 1, 1, 1) * target_gradient(model, x, target).sign()).clamp(0, 1)
    return x.detach()


def never_clips(model, x, target, confidence):
    for _ in range(500):
        short = probability(model, x, target) < confidence
        x = x - 0.02 * short.view(-1, 1, 1, 1) * target_gradient(model, x, target).sign()
    return (x * 3 - 1).detach()


def returns_the_noise(model, x, target, confidence):
    return x


def takes_the_first_target_for_all(model, x, target, confidence):
    return from_noise(model, x, target[:1].expand(len(x)), confidence)


def never_stops_anybody(model, x, target, confidence):
    for _ in range(100):
        x = (x - 0.02 * target_gradient(model, x, target).sign()).clamp(0, 1)
    return x.detach()


def stops_when_all_are_named(model, x, target, confidence):
    for _ in range(500):
        short = model(x).argmax(1) != target
        x = (x - 0.02 * short.view(-1, 1, 1, 1) * target_gradient(model, x, target).sign()).clamp(0, 1)
    return x.detach()


def stops_when_one_is_there(model, x, target, confidence):
    for _ in range(500):
        short = probability(model, x, target) < confidence
        if not short[:5].all():
            break
        x = (x - 0.02 * short.view(-1, 1, 1, 1) * target_gradient(model, x, target).sign()).clamp(0, 1)
    return x.detach()


def returns_the_confidences(model, x, target, confidence):
    return probability(model, from_noise(model, x, target, confidence), target).detach()


def forgets_to_return(model, x, target, confidence):
    from_noise(model, x, target, confidence)


def lets_each_go_on_alone(model, x, target, confidence):
    images = []
    for image, label in zip(x.split(1), target.split(1), strict=True):
        while probability(model, image, label).item() < confidence:
            image = image.detach().requires_grad_()
            gain = torch.autograd.grad(model(image).log_softmax(1)[0, label.item()], image)[0]
            image = (image + 0.05 * gain.sign()).clamp(0, 1)
        images.append(image.detach())
    return torch.cat(images)


def walks_until(done, length=0.5):
    """Steps along the gradient until done(model, x, target, confidence), a mask, lets an image stop."""
    def function(model, x, target, confidence):
        for _ in range(500):
            short = ~done(model, x, target, confidence)
            if not short.any():
                break
            gradient = target_gradient(model, x, target)
            size = (short * length / gradient.flatten(1).norm(dim=1)).view(-1, 1, 1, 1)
            x = (x - size * gradient).clamp(0, 1).detach()
        return x.detach()
    return function


def is_named(model, x, target, confidence):
    return model(x).argmax(1) == target


def is_sure_on_average(model, x, target, confidence):
    return (probability(model, x, target).mean() >= confidence).expand(len(x))


def has_any_sure_class(model, x, target, confidence):
    return model(x).softmax(1).amax(1) >= confidence


def stops_by_the_class(model, x, target, confidence):
    return walks_until(is_named)(model, x, target, confidence)


def stops_by_the_class_after_long_steps(model, x, target, confidence):
    return walks_until(is_named, length=3)(model, x, target, confidence)


def stops_by_the_mean(model, x, target, confidence):
    return walks_until(is_sure_on_average)(model, x, target, confidence)


def stops_when_sure_of_anything(model, x, target, confidence):
    return walks_until(has_any_sure_class)(model, x, target, confidence)


def stops_half_way(model, x, target, confidence):
    return from_noise(model, x, target, 0.5)


def flips_signs_at_random(model, x, target, confidence):
    return (x + 0.5 * torch.randn_like(x).sign()).clamp(0, 1)


def uses_adam(model, x, target, confidence):
    z = x.clone().requires_grad_()
    best, there = x.clone(), probability(model, x, target) >= confidence
    optimizer = torch.optim.Adam([z], lr=0.02)
    while not there.all():
        optimizer.zero_grad()
        F.cross_entropy(model(z), target).backward()
        optimizer.step()
        with torch.no_grad():
            z.clamp_(0, 1)
            now = (probability(model, z, target) >= confidence) & ~there
            best[now], there = z[now], there | now
    return best


def steps_in_place_on_a_clone(model, x, target, confidence):
    z = x.clone()
    for _ in range(500):
        z.requires_grad_()
        score = model(z).softmax(1)[torch.arange(len(z)), target]
        on = (score.detach() < confidence).nonzero()[:, 0]
        if len(on) == 0:
            break
        gain, = torch.autograd.grad(score.log().sum(), z)
        z = z.detach()
        z[on] += 0.5 * gain[on] / (gain[on].flatten(1).norm(dim=1).view(-1, 1, 1, 1) + 1e-8)
        z.clamp_(0, 1)
    return z.detach().numpy()


WRONG = [
    (takes_one_step, "ake more steps"),
    (climbs, "subtract its gradient"),
    (never_clips, "Clip to [0, 1]"),
    (returns_the_noise, "came back unchanged"),
    (takes_the_first_target_for_all, "each has a target of its own"),
    (never_stops_anybody, "1 where the goal is not reached"),
    (stops_when_all_are_named, "not by the class"),
    (stops_when_one_is_there, "stop only when every image has arrived"),
    (returns_the_confidences, "a tensor of shape"),
    (forgets_to_return, "returns None"),
    (stops_by_the_class, "not by the class"),
    (stops_by_the_class_after_long_steps, "at least 0.9 is wanted"),
    (stops_by_the_mean, "ake more steps"),
    (stops_when_sure_of_anything, "subtract its gradient"),
    (stops_half_way, "not by the class"),
    (flips_signs_at_random, "was moved by"),
]

RIGHT = [lets_each_go_on_alone, uses_adam, steps_in_place_on_a_clone]
