"""Plausible wrong answers to exercise 07.4, each with a part of the message that it should get, and right ones."""

import numpy as np
import torch

from advcourse.exercises.notebook_07.e4_hidden_and_leaked import hidden_and_leaked


def share(part, whole):
    return (part.sum() / whole.sum().clamp_min(1)).item()


def swaps_the_two(before, after, other, y):
    return hidden_and_leaked(before, after, other, y)[::-1]


def gives_percentages(before, after, other, y):
    return tuple(100 * value for value in hidden_and_leaked(before, after, other, y))


def counts(before, after, other, y):
    gone = (before == y) & (after != y)
    return gone.sum().item(), (gone & (other == y)).sum().item()


def divides_by_zero(before, after, other, y):
    gone = (before == y) & (after != y)
    return (gone.sum() / (before == y).sum()).item(), ((other == y) & gone).sum().item() / gone.sum().item()


def gives_nan(before, after, other, y):
    gone = (before == y) & (after != y)
    return (gone.sum() / (before == y).sum()).item(), (((other == y) & gone).sum() / gone.sum()).item()


def counts_those_never_known(before, after, other, y):
    gone = after != y
    return gone.float().mean().item(), share(gone & (other == y), gone)


def divides_by_all(before, after, other, y):
    gone = (before == y) & (after != y)
    return gone.float().mean().item(), share(gone & (other == y), gone)


def leaks_over_the_known(before, after, other, y):
    known = before == y
    return share(known & (after != y), known), share(known & (after != y) & (other == y), known)


def leaks_over_everything(before, after, other, y):
    known = before == y
    return share(known & (after != y), known), (other == y).float().mean().item()


def counts_what_does_not_leak(before, after, other, y):
    gone = (before == y) & (after != y)
    return share(gone, before == y), share(gone & (other != y), gone)


def gives_one_share(before, after, other, y):
    return hidden_and_leaked(before, after, other, y)[0]


def counts_any_change(before, after, other, y):
    gone = (before == y) & (after != y)
    return (after != before).float().mean().item(), share(gone & (other == y), gone)


def counts_in_a_loop(before, after, other, y):
    known = hidden = caught = 0
    for a, b, c, true in zip(before.tolist(), after.tolist(), other.tolist(), y.tolist(), strict=True):
        known += a == true
        hidden += a == true and b != true
        caught += a == true and b != true and c == true
    return hidden / known, caught / hidden if hidden else 0.0


def asks_the_other(before, after, other, y):
    return hidden_and_leaked(before, other, after, y)


def gives_the_visible(before, after, other, y):
    hidden, leaked = hidden_and_leaked(before, after, other, y)
    return 1 - hidden, leaked


def leaks_over_all(before, after, other, y):
    gone = (before == y) & (after != y)
    return share(gone, before == y), (gone & (other == y)).float().mean().item()


def leaks_of_the_known(before, after, other, y):
    known = before == y
    return share(known & (after != y), known), share(known & (other == y), known)


def divides_by_the_wrong_after(before, after, other, y):
    gone = (before == y) & (after != y)
    return share(gone, after != y), share(gone & (other == y), gone)


def counts_in_numpy(before, after, other, y):
    known = (before == y).numpy()
    gone = known & (after != y).numpy()
    return np.array([gone[known].mean(), (other == y).numpy()[gone].mean() if gone.any() else 0])


def gives_a_list_of_tensors(before, after, other, y):
    known = (before == y).double()
    gone = known * (after != y)
    return [gone.sum() / known.sum(), (gone * (other == y)).sum() / gone.sum().clamp(min=1)]


def selects_the_known(before, after, other, y):
    kept = before == y
    after, other, y = after[kept], other[kept], y[kept]
    caught = other[after != y] == y[after != y]
    return torch.mean((after != y).float()), torch.mean(caught.float()) if len(caught) else 0


WRONG = [
    (swaps_the_two, "hidden comes first"),
    (gives_percentages, "a percentage"),
    (counts, "is a count"),
    (divides_by_zero, "division by zero"),
    (gives_nan, "division by zero"),
    (counts_those_never_known, "count as hidden"),
    (divides_by_all, "divide by the number of all photographs"),
    (leaks_over_the_known, "share of the *hidden* photographs"),
    (leaks_over_everything, "accuracy on everything"),
    (counts_what_does_not_leak, "does *not* leak"),
    (gives_one_share, "a tuple of"),
    (counts_any_change, "every changed answer"),
    (asks_the_other, "you asked the other recogniser"),
    (gives_the_visible, "*not* hidden"),
    (leaks_over_all, "divide by the number of all"),
    (leaks_of_the_known, "all that the recogniser knew"),
    (divides_by_the_wrong_after, "the number that are wrong after"),
]

RIGHT = [counts_in_a_loop, counts_in_numpy, gives_a_list_of_tensors, selects_the_known]
