"""Plausible wrong answers to the exercises of notebook 03, each with a part of the message that it should get."""

import torch
from torch.nn import functional as F

from advcourse.exercises.notebook_01 import loss_gradient

# 03.1 -----------------------------------------------------------------------------------------------------------------

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


# 03.2 -----------------------------------------------------------------------------------------------------------------

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


# 03.3 -----------------------------------------------------------------------------------------------------------------

def takes_the_likeliest(model, x):
    return model(x).argmax(1)


def takes_the_second_likeliest(model, x):
    return model(x).topk(2, dim=1).indices[:, 1]


def takes_the_second_least_likely(model, x):
    return model(x).argsort(1)[:, 1]


def searches_over_the_images(model, x):
    return model(x).argmin(0)


def searches_the_whole_batch(model, x):
    return model(x).argmin()


def one_class_for_all(model, x):
    return model(x).mean(0).argmin().expand(len(x)).clone()


def takes_the_smallest_size(model, x):
    return model(x).abs().argmin(1)


def returns_the_logit(model, x):
    return model(x).min(1).values


def keeps_the_dimension(model, x):
    return model(x).argmin(1, keepdim=True)


def returns_probabilities(model, x):
    return model(x).softmax(1)


# 03.4 -----------------------------------------------------------------------------------------------------------------

def column(numbers):
    return numbers.clamp_min(1e-12).view(-1, 1, 1, 1)


def divides_by_the_euclidean_norm(momentum, gradient, decay):
    return decay * momentum + gradient / column(gradient.flatten(1).norm(dim=1))


def divides_by_the_mean(momentum, gradient, decay):
    return decay * momentum + gradient / column(gradient.abs().mean((1, 2, 3)))


def divides_by_the_largest(momentum, gradient, decay):
    return decay * momentum + gradient / column(gradient.abs().amax((1, 2, 3)))


def divides_by_the_batch(momentum, gradient, decay):
    return decay * momentum + gradient / gradient.abs().sum()


def adds_the_gradient_as_it_is(momentum, gradient, decay):
    return decay * momentum + gradient


def loses_the_momentum(momentum, gradient, decay):
    return gradient / column(gradient.abs().sum((1, 2, 3)))


def adds_signs(momentum, gradient, decay):
    return decay * momentum + gradient.sign()


def decays_the_gradient(momentum, gradient, decay):
    return decay * (momentum + gradient / column(gradient.abs().sum((1, 2, 3))))


def takes_a_weighted_mean(momentum, gradient, decay):
    return decay * momentum + (1 - decay) * gradient / column(gradient.abs().sum((1, 2, 3)))


def normalises_the_sum(momentum, gradient, decay):
    total = decay * momentum + gradient
    return total / column(total.abs().sum((1, 2, 3)))


def divides_by_zero(momentum, gradient, decay):
    return decay * momentum + gradient / gradient.abs().sum((1, 2, 3), keepdim=True)


def sums_without_absolute_values(momentum, gradient, decay):
    return decay * momentum + gradient / gradient.flatten(1).sum(1).view(-1, 1, 1, 1)


# 03.5 -----------------------------------------------------------------------------------------------------------------

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
is_pgd_in_the_other_ball = a_walk(right_start, torch.sign, lambda x_adv, x,
                                  eps: torch.clamp(x_adv, x - eps, x + eps).clamp(0, 1))
pushes_out_to_the_border = a_walk(right_start, each_of_length_one,
                                  lambda x_adv, x, eps: (x + eps * each_of_length_one(x_adv - x)).clamp(0, 1))
never_returns_to_the_ball = a_walk(right_start, each_of_length_one, lambda x_adv, x, eps: x_adv.clamp(0, 1))
never_returns_to_the_box = a_walk(lambda x, eps, noise: x + eps * noise, each_of_length_one,
                                  lambda x_adv, x, eps: x + shortened(x_adv - x, eps))
takes_one_step = a_walk(right_start, each_of_length_one, right_back, once=True)


WRONG = {
    "03.1": [
        (always_goes_up, "go down its loss"),
        (always_goes_down, "go up, which means to add"),
        (swaps_the_signs, "go up, which means to add"),
        (forgets_to_clip, "Clip to [0, 1]"),
        (flees_the_prediction, "what the model says now"),
        (forgets_the_sign, "take its sign"),
        (steps_a_unit_length, "Euclidean length ε"),
        (returns_the_step, "leaves the ε-ball"),
        (halves_the_step, "half a step"),
    ],
    "03.2": [
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
    ],
    "03.3": [
        (takes_the_likeliest, "*most* likely"),
        (takes_the_second_likeliest, "second most likely"),
        (takes_the_second_least_likely, "second least likely"),
        (searches_over_the_images, "a tensor of shape"),
        (searches_the_whole_batch, "a tensor of shape"),
        (one_class_for_all, "search along dim=1"),
        (takes_the_smallest_size, "nearest to zero"),
        (returns_the_logit, "int64"),
        (keeps_the_dimension, "a tensor of shape"),
        (returns_probabilities, "a tensor of shape"),
    ],
    "03.4": [
        (divides_by_the_euclidean_norm, "Euclidean norm"),
        (divides_by_the_mean, "the mean of the absolute values"),
        (divides_by_the_largest, "the largest entry"),
        (divides_by_the_batch, "image by image"),
        (adds_the_gradient_as_it_is, "comes in as it is"),
        (loses_the_momentum, "the old momentum is lost"),
        (adds_signs, "you add signs"),
        (decays_the_gradient, "belongs to the old momentum only"),
        (takes_a_weighted_mean, "weight 1"),
        (normalises_the_sum, "only the new gradient is divided"),
        (divides_by_zero, "divide by zero"),
        (sums_without_absolute_values, "divide by zero"),
    ],
    "03.5": [
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
    ],
}


# Right answers, written otherwise -------------------------------------------------------------------------------------

def one_step_by_backward(model, x, y, eps, targeted):
    start = x.detach().clone().requires_grad_(True)
    loss = F.nll_loss(model(start).log_softmax(1), y)
    (-loss if targeted else loss).backward()
    with torch.no_grad():
        return torch.clamp(x + eps * start.grad.sign(), 0, 1)


def small_step_by_minimum_and_maximum(model, x_adv, x, y, eps, step_size, targeted):
    start = x_adv.detach().clone().requires_grad_(True)
    F.cross_entropy(model(start), y).backward()
    low, high = (x - eps).clamp_min(0), (x + eps).clamp_max(1)
    with torch.no_grad():
        moved = start + (-1) ** targeted * step_size * start.grad.sign()
        return torch.max(torch.min(moved, high), low)


def searches_the_probabilities(model, x):
    with torch.no_grad():
        return model(x).log_softmax(1).min(dim=1).indices


def adds_image_by_image(momentum, gradient, decay):
    rows = [decay * old + new / max(new.abs().sum().item(), 1e-12) for old, new in zip(momentum, gradient, strict=True)]
    return torch.stack(rows)


def walks_with_delta(model, x, y, eps, step_size, steps, noise):
    """PGD that keeps δ, and clips to [0, 1] before it returns to the ball."""
    delta = (x + eps * noise).clamp(0, 1) - x
    for _ in range(steps):
        delta = delta + step_size * F.normalize(loss_gradient(model, x + delta, y).flatten(1), dim=1).view(x.shape)
        delta = (x + delta).clamp(0, 1) - x
        delta = torch.renorm(delta, p=2, dim=0, maxnorm=eps)
    return (x + delta).clamp(0, 1)


RIGHT = {
    "03.1": [one_step_by_backward],
    "03.2": [small_step_by_minimum_and_maximum],
    "03.3": [searches_the_probabilities],
    "03.4": [adds_image_by_image],
    "03.5": [walks_with_delta],
}
