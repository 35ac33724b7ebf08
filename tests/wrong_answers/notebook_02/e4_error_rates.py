"""Plausible wrong answers to exercise 02.4, each with a part of the message that it should get, and right ones."""

from advcourse.exercises.notebook_02.e4_error_rates import error_rates


def swaps_the_two(said, truth):
    return error_rates(said, truth)[::-1]


def counts_them(said, truth):
    return (said & ~truth).sum().item(), (~said & truth).sum().item()


def divides_by_all(said, truth):
    return (said & ~truth).float().mean().item(), (~said & truth).float().mean().item()


def divides_by_the_other_side(said, truth):
    return ((said & ~truth).sum() / truth.sum()).item(), ((~said & truth).sum() / (~truth).sum()).item()


def divides_by_what_was_said(said, truth):
    return ((said & ~truth).sum() / said.sum()).item(), ((~said & truth).sum() / (~said).sum()).item()


def gives_what_is_right(said, truth):
    return (~said)[~truth].float().mean().item(), said[truth].float().mean().item()


def gives_percentages(said, truth):
    return tuple(100 * rate for rate in error_rates(said, truth))


def does_not_tell_them_apart(said, truth):
    errors = (said != truth).float().mean().item()
    return errors, errors


def adds_them_up(said, truth):
    return (said != truth).float().mean().item()


def averages_over_each_side(said, truth):
    return float(said[~truth].double().mean()), 1 - float(said[truth].double().mean())


WRONG = [
    (swaps_the_two, "in the wrong order"),
    (counts_them, "these are counts"),
    (divides_by_all, "the number of all images"),
    (divides_by_the_other_side, "the other side's number"),
    (divides_by_what_was_said, "what the detector said"),
    (gives_what_is_right, "the shares that are right"),
    (gives_percentages, "percentages"),
    (does_not_tell_them_apart, "counted apart"),
    (adds_them_up, "returned a number"),
]

RIGHT = [averages_over_each_side]
