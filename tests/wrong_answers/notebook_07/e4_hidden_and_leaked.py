"""Plausible wrong answers to exercise 07.4, each with a part of the message that it should get, and right ones."""

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


WRONG = [
    (swaps_the_two, "hidden comes first"),
    (gives_percentages, "percentages"),
    (counts, "these are counts"),
    (divides_by_zero, "division by zero"),
    (gives_nan, "not a number"),
    (counts_those_never_known, "count in both of your shares"),
    (divides_by_all, "divide by the number of all photographs"),
    (leaks_over_the_known, "share of the *hidden* photographs"),
    (leaks_over_everything, "accuracy on everything"),
    (counts_what_does_not_leak, "does *not* leak"),
    (gives_one_share, "a tuple of"),
    (counts_any_change, "every changed answer"),
]

RIGHT = [counts_in_a_loop]
