"""Plausible wrong answers to exercise 02.4, each with a part of the message that it should get, and right ones."""

import numpy as np
import torch

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


def takes_the_rest_for_the_misses(said, truth):
    alarms = said[~truth].float().mean().item()
    return alarms, 1 - alarms


def gives_hits_for_misses(said, truth):
    return said[~truth].float().mean().item(), said[truth].float().mean().item()


def gives_the_specificity(said, truth):
    return (~said[~truth]).float().mean().item(), (~said[truth]).float().mean().item()


def gives_one_of_them(said, truth):
    return (said & ~truth).sum().item() / (~truth).sum().item()


def negates_numbers(said, truth):
    said, truth = said.int(), truth.int()
    return (said & ~truth).sum().item() / (~truth).sum().item(), (~said & truth).sum().item() / truth.sum().item()


def averages_over_each_side(said, truth):
    return float(said[~truth].double().mean()), 1 - float(said[truth].double().mean())


def returns_a_list_of_tensors(said, truth):
    return [said[~truth].float().mean(), (~said[truth]).float().mean()]


def returns_one_tensor(said, truth):
    wrong = said != truth
    return torch.stack([wrong[truth == 0].double().mean(), wrong[truth == 1].double().mean()])


def counts_one_by_one(said, truth):
    alarms = misses = negatives = positives = 0
    for s, t in zip(said.tolist(), truth.tolist(), strict=True):
        if t:
            positives += 1
            misses += not s
        else:
            negatives += 1
            alarms += s
    return alarms / negatives, misses / positives


def counts_in_numpy(said, truth):
    said, truth = said.cpu().numpy(), truth.cpu().numpy()
    return np.mean(said[~truth]), np.mean(~said[truth])


def sorts_the_two(said, truth):
    return tuple(sorted(error_rates(said, truth)))


WRONG = [
    (sorts_the_two, "wrong order"),
    (swaps_the_two, "in the wrong order"),
    (counts_them, "these are counts"),
    (divides_by_all, "the number of all images"),
    (divides_by_the_other_side, "the other side's number"),
    (divides_by_what_was_said, "what the detector said"),
    (gives_what_is_right, "the shares that are right"),
    (gives_percentages, "percentages"),
    (does_not_tell_them_apart, "counted apart"),
    (adds_them_up, "returned a number"),
    (takes_the_rest_for_the_misses, "do not add up to 1"),
    (gives_hits_for_misses, "the positives that were found"),
    (gives_the_specificity, "the negatives that were left in peace"),
    (gives_one_of_them, "a tuple of 2 numbers is wanted"),
    (negates_numbers, "turns True and False round"),
]

RIGHT = [averages_over_each_side, returns_a_list_of_tensors, returns_one_tensor, counts_one_by_one, counts_in_numpy]
