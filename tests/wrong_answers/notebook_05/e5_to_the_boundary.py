"""Plausible wrong answers to exercise 05.5, each with a part of the message that it should get, and right ones."""

import torch

from advcourse.exercises.notebook_05.e5_to_the_boundary import to_the_boundary


def bisects(returned="wrong", turned=False, extra=0):
    def bisection(is_wrong, x, x_wrong, steps):
        right, wrong = x.clone(), x_wrong.clone()
        for _ in range(steps + extra):
            middle = (right + wrong) / 2
            err = is_wrong(middle).view(-1, 1, 1, 1) != turned
            right, wrong = torch.where(err, right, middle), torch.where(err, middle, wrong)
        return {"wrong": wrong, "right": right, "middle": (right + wrong) / 2}[returned]
    return bisection


returns_the_right_end = bisects("right")


returns_the_middle = bisects("middle")


turns_the_answer_round = bisects(turned=True)


takes_a_step_less = bisects(extra=-1)


takes_a_step_more = bisects(extra=1)


def returns_x_wrong(is_wrong, x, x_wrong, steps):
    return x_wrong.clone()


def returns_x(is_wrong, x, x_wrong, steps):
    return x.clone()


def decides_for_all_at_once(is_wrong, x, x_wrong, steps):
    right, wrong = 0.0, 1.0
    for _ in range(steps):
        middle = (right + wrong) / 2
        right, wrong = (right, middle) if is_wrong(x + middle * (x_wrong - x)).all() else (middle, wrong)
    return x + wrong * (x_wrong - x)


def walks_in_equal_steps(is_wrong, x, x_wrong, steps):
    result, still = x_wrong.clone(), torch.ones(len(x), dtype=torch.bool)
    for step in range(1, steps + 1):
        image = x_wrong + step / steps * (x - x_wrong)
        still &= is_wrong(image)
        result = torch.where(still.view(-1, 1, 1, 1), image, result)
    return result


def halves_pixels_apart_from_the_line(is_wrong, x, x_wrong, steps):
    image = to_the_boundary(is_wrong, x, x_wrong, steps)
    image[:, :, 0] = x_wrong[:, :, 0]
    return image


def returns_the_shares(is_wrong, x, x_wrong, steps):
    image = to_the_boundary(is_wrong, x, x_wrong, steps)
    return ((image - x) / (x_wrong - x)).flatten(1).mean(1)


def moves_two_images(is_wrong, x, x_wrong, steps):
    return bisects()(is_wrong, x, x_wrong, steps)


def asks_twice_a_step(is_wrong, x, x_wrong, steps):
    right, wrong = x, x_wrong
    for _ in range(steps):
        middle = (right + wrong) / 2
        right = torch.where(is_wrong(middle).view(-1, 1, 1, 1), right, middle)
        wrong = torch.where(is_wrong(middle).view(-1, 1, 1, 1), middle, wrong)
    return wrong


def asks_the_ends_first(is_wrong, x, x_wrong, steps):
    if not is_wrong(x_wrong).all():
        raise ValueError("x_wrong must be wrong")
    return bisects()(is_wrong, x, x_wrong, steps)


def walks_in_tiny_steps(is_wrong, x, x_wrong, steps):
    result = x_wrong.clone()
    for share in torch.linspace(1, 0, 8 * 2 ** steps + 1).tolist() if steps < 8 else ():
        image = x + share * (x_wrong - x)
        result = torch.where(is_wrong(image).view(-1, 1, 1, 1), image, result)
    return result if steps < 8 else bisects()(is_wrong, x, x_wrong, steps)


def halves_from_the_wrong_side(is_wrong, x, x_wrong, steps):
    right, wrong = torch.zeros(len(x)), torch.ones(len(x))
    for _ in range(steps):
        middle = (right + wrong) / 2
        err = is_wrong(x + middle.view(-1, 1, 1, 1) * (x_wrong - x))
        right, wrong = torch.where(err, middle, right), torch.where(err, wrong, middle)
    return x + wrong.view(-1, 1, 1, 1) * (x_wrong - x)


def moves_a_little(is_wrong, x, x_wrong, steps):
    return x_wrong - 0.02 * (x_wrong - x)


def stops_where_the_first_flips(is_wrong, x, x_wrong, steps):
    right, wrong = 0.0, 1.0
    for _ in range(steps):
        middle = (right + wrong) / 2
        right, wrong = (right, middle) if is_wrong(x + middle * (x_wrong - x)).all() else (middle, wrong)
    return x + wrong * (x_wrong - x)


def moves_shares(is_wrong, x, x_wrong, steps):
    share, step = x.new_ones(len(x)), 1.0
    for _ in range(steps):
        step /= 2
        image = x + (share - step).view(-1, 1, 1, 1) * (x_wrong - x)
        share = torch.where(is_wrong(image), share - step, share)
    return torch.lerp(x, x_wrong, share.view(-1, 1, 1, 1))


def decides_in_a_loop(is_wrong, x, x_wrong, steps):
    ends = [[0.0, 1.0] for _ in x]
    for _ in range(steps):
        middles = [sum(pair) / 2 for pair in ends]
        images = torch.stack([a + m * (b - a) for a, b, m in zip(x, x_wrong, middles, strict=True)])
        for pair, m, err in zip(ends, middles, is_wrong(images).tolist(), strict=True):
            pair[1 if err else 0] = m
    return [a + pair[1] * (b - a) for a, b, pair in zip(x, x_wrong, ends, strict=True)]


def halves_in_place_in_float64(is_wrong, x, x_wrong, steps):
    right, wrong = x.double(), x_wrong.double()
    for _ in range(steps):
        middle = (right + wrong) / 2
        err = is_wrong(middle.float())
        wrong[err], right[~err] = middle[err], middle[~err]
    return wrong


WRONG = [
    (returns_the_right_end, "return the end that is still wrong"),
    (returns_the_middle, "return the end that is still wrong"),
    (turns_the_answer_round, "your ends are crossed"),
    (takes_a_step_less, "could be nearer"),
    (takes_a_step_more, "nearer than `steps` halvings"),
    (returns_x_wrong, "x_wrong came back"),
    (returns_x, "you end at x"),
    (decides_for_all_at_once, "decide image by image"),
    (walks_in_equal_steps, "in steps of equal length"),
    (halves_pixels_apart_from_the_line, "straight line"),
    (returns_the_shares, "a tensor of shape"),
    (asks_twice_a_step, "ask once a step"),
    (asks_the_ends_first, "ask once a step"),
    (walks_in_tiny_steps, "nearer than"),
    (halves_from_the_wrong_side, "your ends are crossed"),
    (moves_a_little, "decide image by image"),
    (stops_where_the_first_flips, "decide image by image"),
]

RIGHT = [moves_two_images, moves_shares, decides_in_a_loop, halves_in_place_in_float64]
