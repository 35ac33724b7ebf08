"""Plausible wrong answers to exercise 05.3, each with a part of the message that it should get, and right ones."""

import numpy as np
import torch

from advcourse.exercises.notebook_05.e3_gradient_from_queries import estimate_gradient


def asks_on_one_side(loss_of, x, directions, delta):
    slopes = (loss_of(x + delta * directions) - loss_of(x)) / delta
    return (slopes[:, None, None, None] * directions).mean(0, keepdim=True)


def asks_on_one_side_and_halves(loss_of, x, directions, delta):
    return asks_on_one_side(loss_of, x, directions, delta) / 2


def goes_downhill(loss_of, x, directions, delta):
    slopes = (loss_of(x - delta * directions) - loss_of(x + delta * directions)) / (2 * delta)
    return (slopes[:, None, None, None] * directions).mean(0, keepdim=True)


def forgets_the_two(loss_of, x, directions, delta):
    return 2 * estimate_gradient(loss_of, x, directions, delta)


def forgets_delta(loss_of, x, directions, delta):
    rise = loss_of(x + delta * directions) - loss_of(x - delta * directions)
    return (rise[:, None, None, None] * directions).mean(0, keepdim=True)


def halves_but_forgets_delta(loss_of, x, directions, delta):
    return forgets_delta(loss_of, x, directions, delta) / 2


def sums_up(loss_of, x, directions, delta):
    return estimate_gradient(loss_of, x, directions, delta) * len(directions)


def adds_the_losses(loss_of, x, directions, delta):
    rise = loss_of(x + delta * directions) + loss_of(x - delta * directions)
    return (rise[:, None, None, None] / (2 * delta) * directions).mean(0, keepdim=True)


def forgets_the_directions(loss_of, x, directions, delta):
    slopes = (loss_of(x + delta * directions) - loss_of(x - delta * directions)) / (2 * delta)
    return slopes.mean() * torch.ones_like(x)


def uses_one_direction(loss_of, x, directions, delta):
    return estimate_gradient(loss_of, x, directions[:1], delta)


def averages_the_directions(loss_of, x, directions, delta):
    return directions.mean(0, keepdim=True)


def loses_the_batch(loss_of, x, directions, delta):
    return estimate_gradient(loss_of, x, directions, delta)[0]


def keeps_every_direction(loss_of, x, directions, delta):
    slopes = (loss_of(x + delta * directions) - loss_of(x - delta * directions)) / (2 * delta)
    return slopes[:, None, None, None] * directions


def uses_autograd(loss_of, x, directions, delta):
    x = x.clone().requires_grad_()
    return torch.autograd.grad(loss_of(x).sum(), x)[0]


def weights_by_einsum(loss_of, x, directions, delta):
    losses = loss_of(torch.cat([x + delta * directions, x - delta * directions]))
    up, down = losses.chunk(2)
    return torch.einsum("s,schw->chw", (up - down) / delta / 2, directions)[None] / len(directions)


def asks_twice(loss_of, x, directions, delta):
    result = torch.zeros_like(x)
    for v in directions:
        if loss_of(x + delta * v) != loss_of(x - delta * v):
            result += (loss_of(x + delta * v) - loss_of(x - delta * v)) / (2 * delta) * v
    return result / len(directions)


def asks_at_x_too(loss_of, x, directions, delta):
    base = loss_of(x)
    slopes = ((loss_of(x + delta * directions) - base) + (base - loss_of(x - delta * directions))) / (2 * delta)
    return (slopes[:, None, None, None] * directions).mean(0, keepdim=True)


def divides_by_all_queries(loss_of, x, directions, delta):
    return estimate_gradient(loss_of, x, directions, delta) / 2


def keeps_the_signs(loss_of, x, directions, delta):
    rise = (loss_of(x + delta * directions) - loss_of(x - delta * directions)).sign()
    return (rise[:, None, None, None] * directions).mean(0, keepdim=True)


def returns_the_sign(loss_of, x, directions, delta):
    return estimate_gradient(loss_of, x, directions, delta).sign()


def scales_to_length_1(loss_of, x, directions, delta):
    return torch.nn.functional.normalize(estimate_gradient(loss_of, x, directions, delta).flatten(1)).view_as(x)


def forgets_x(loss_of, x, directions, delta):
    slopes = (loss_of(delta * directions) - loss_of(-delta * directions)) / (2 * delta)
    return (slopes[:, None, None, None] * directions).mean(0, keepdim=True)


def asks_direction_by_direction(loss_of, x, directions, delta):
    result = torch.zeros_like(x)
    for v in directions:
        result += (loss_of(x + delta * v) - loss_of(x - delta * v)) / (2 * delta) * v
    return result / len(directions)


def estimates_in_numpy(loss_of, x, directions, delta):
    up, down = loss_of(x + delta * directions).numpy(), loss_of(x - delta * directions).numpy()
    return np.mean(((up - down) / (2 * delta)).reshape(-1, 1, 1, 1) * directions.numpy(), axis=0, keepdims=True)


def estimates_in_float64(loss_of, x, directions, delta):
    slopes = (loss_of(x + delta * directions).double() - loss_of(x - delta * directions).double()) / (2 * delta)
    return torch.tensordot(slopes, directions.double(), dims=1)[None] / len(slopes)


WRONG = [
    (asks_on_one_side, "ask on both sides"),
    (asks_on_one_side_and_halves, "ask on both sides"),
    (goes_downhill, "points downhill"),
    (forgets_the_two, "twice too large"),
    (forgets_delta, "δ is missing"),
    (halves_but_forgets_delta, "divide by δ, too"),
    (sums_up, "wanted is their mean"),
    (adds_the_losses, "you add the two losses"),
    (forgets_the_directions, "every pixel gets the same number"),
    (uses_one_direction, "the first direction alone"),
    (averages_the_directions, "weighted with the slope"),
    (loses_the_batch, "a tensor of shape"),
    (keeps_every_direction, "a tensor of shape"),
    (uses_autograd, "the exact gradient"),
    (asks_twice, "two queries for each are enough"),
    (asks_at_x_too, "two queries for each are enough"),
    (divides_by_all_queries, "half as large"),
    (keeps_the_signs, "the slope itself"),
    (returns_the_sign, "the sign of the estimate"),
    (scales_to_length_1, "scaled to length 1"),
    (forgets_x, "you go from black"),
]

RIGHT = [weights_by_einsum, asks_direction_by_direction, estimates_in_numpy, estimates_in_float64]
