"""Plausible wrong answers to exercise 03.5, each with a part of the message that it should get, and right ones."""

import torch
from torch.nn import functional as F

from advcourse.exercises.probes import loss_gradient


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


is_pgd_in_the_other_ball = a_walk(right_start, torch.sign,
                                  lambda x_adv, x, eps: torch.clamp(x_adv, x - eps, x + eps).clamp(0, 1))


pushes_out_to_the_border = a_walk(right_start, each_of_length_one,
                                  lambda x_adv, x, eps: (x + eps * each_of_length_one(x_adv - x)).clamp(0, 1))


never_returns_to_the_ball = a_walk(right_start, each_of_length_one, lambda x_adv, x, eps: x_adv.clamp(0, 1))


never_returns_to_the_box = a_walk(lambda x, eps, noise: x + eps * noise, each_of_length_one,
                                  lambda x_adv, x, eps: x + shortened(x_adv - x, eps))


takes_one_step = a_walk(right_start, each_of_length_one, right_back, once=True)


def walks_with_delta(model, x, y, eps, step_size, steps, noise):
    """PGD that keeps δ, and clips to [0, 1] before it returns to the ball."""
    delta = (x + eps * noise).clamp(0, 1) - x
    for _ in range(steps):
        delta = delta + step_size * F.normalize(loss_gradient(model, x + delta, y).flatten(1), dim=1).view(x.shape)
        delta = (x + delta).clamp(0, 1) - x
        delta = torch.renorm(delta, p=2, dim=0, maxnorm=eps)
    return (x + delta).clamp(0, 1)


def adds_up_gradients(model, x, y, eps, step_size, steps, noise):
    delta = (right_start(x, eps, noise) - x).requires_grad_()
    for _ in range(steps):
        F.cross_entropy(model(x + delta), y, reduction="sum").backward()
        with torch.no_grad():
            delta += step_size * each_of_length_one(delta.grad)
            delta.copy_(right_back(x + delta, x, eps) - x)
    return (x + delta).detach()


def looks_once(model, x, y, eps, step_size, steps, noise):
    x_adv = right_start(x, eps, noise)
    gradient = loss_gradient(model, x_adv, y)
    for _ in range(steps):
        x_adv = right_back(x_adv + step_size * each_of_length_one(gradient), x, eps)
    return x_adv


def looks_at_x(model, x, y, eps, step_size, steps, noise):
    x_adv = right_start(x, eps, noise)
    for _ in range(steps):
        x_adv = right_back(x_adv + step_size * each_of_length_one(loss_gradient(model, x, y)), x, eps)
    return x_adv


def only_starts(model, x, y, eps, step_size, steps, noise):
    return right_start(x, eps, noise)


def returns_delta(model, x, y, eps, step_size, steps, noise):
    return walks_with_delta(model, x, y, eps, step_size, steps, noise) - x


divides_by_the_square = a_walk(
    right_start, lambda gradient: gradient / gradient.flatten(1).norm(dim=1).view(-1, 1, 1, 1) ** 2, right_back)


forgets_to_divide_the_mean = a_walk(right_start, lambda gradient: gradient / len(gradient), right_back)


shortens_all_by_one_factor = a_walk(
    right_start, each_of_length_one,
    lambda x_adv, x, eps: (x + (x_adv - x) * min(1.0, eps / (x_adv - x).norm().item())).clamp(0, 1))


def walks_up(loss):
    """PGD up another loss."""
    def pgd(model, x, y, eps, step_size, steps, noise):
        x_adv = right_start(x, eps, noise)
        for _ in range(steps):
            x_adv.requires_grad_()
            gradient, = torch.autograd.grad(loss(model(x_adv), y), x_adv)
            x_adv = right_back(x_adv.detach() + step_size * each_of_length_one(gradient), x, eps)
        return x_adv
    return pgd


walks_up_the_loss_of_probabilities = walks_up(lambda logits, y: F.cross_entropy(logits.softmax(1), y))


walks_up_the_squared_error = walks_up(lambda logits, y: F.mse_loss(logits, F.one_hot(y, logits.shape[1]).float()))


walks_down_one_logit = walks_up(lambda logits, y: -logits.gather(1, y[:, None]).sum())


flees_the_prediction = walks_up(lambda logits, y: F.cross_entropy(logits, logits.argmax(1)))


walks_by_the_mean_loss = walks_up(F.cross_entropy)


def walks_image_by_image(model, x, y, eps, step_size, steps, noise):
    """With the small numbers in its divisors that published code has, and the last result in float64."""
    results = []
    for image, label, start in zip(x.split(1), y.split(1), noise.split(1), strict=True):
        x_adv = (image + eps * start).clamp(0, 1)
        for _ in range(steps):
            gradient = loss_gradient(model, x_adv, label)
            delta = x_adv + step_size * gradient / (gradient.norm() + 1e-10) - image
            if delta.norm() > eps:
                delta = delta * eps / (delta.norm() + 1e-10)
            x_adv = (image + delta).clamp(0, 1)
        results.append(x_adv[0].double())
    return torch.stack(results)


def walks_with_grad(model, x, y, eps, step_size, steps, noise):
    x_adv = (x + eps * noise).clamp(0, 1)
    for _ in range(steps):
        x_adv = x_adv.detach().requires_grad_()
        F.cross_entropy(model(x_adv), y).backward()
        with torch.no_grad():
            x_adv = x_adv + step_size * F.normalize(x_adv.grad, dim=(1, 2, 3))
            x_adv = right_back(x_adv, x, eps)
    return x_adv


WRONG = [
    (starts_at_x, "you return x itself"),
    (forgets_eps_in_the_start, "must be scaled to the ball"),
    (starts_on_the_border, "on the border of the ball"),
    (starts_at_the_noise, "you start at the noise alone"),
    (steps_along_the_sign, "you step along the sign"),
    (steps_by_the_raw_gradient, "divide it by its length"),
    (divides_by_the_length_of_the_batch, "length of the whole batch"),
    (walks_downhill, "goes uphill, so add the step"),
    (clips_pixel_by_pixel, "Shorten the whole δ"),
    (is_pgd_in_the_other_ball, "PGD in the ℓ∞ ball"),
    (pushes_out_to_the_border, "only where it is *longer*"),
    (never_returns_to_the_ball, "Shorten the whole δ"),
    (never_returns_to_the_box, "Clip to [0, 1]"),
    (takes_one_step, "only one step"),
    (adds_up_gradients, "fresh copy"),
    (looks_once, "the gradient of the first one"),
    (looks_at_x, "the gradient at x"),
    (only_starts, "no step was made"),
    (returns_delta, "you return δ"),
    (divides_by_the_square, "the squared length"),
    (forgets_to_divide_the_mean, "the batch's mean loss"),
    (shortens_all_by_one_factor, "by one factor"),
    (walks_up_the_loss_of_probabilities, "`cross_entropy` of probabilities"),
    (walks_up_the_squared_error, "squared error of the logits"),
    (walks_down_one_logit, "the logit of y alone"),
    (flees_the_prediction, "what the model says at the moment"),
]

RIGHT = [walks_with_delta, walks_by_the_mean_loss, walks_image_by_image, walks_with_grad]
