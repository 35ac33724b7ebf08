"""Plausible wrong answers to exercise 02.1, each with a part of the message that it should get, and right ones."""

from advcourse.exercises.notebook_02.e1_success import succeeds


def forgets_the_distance(model, x, x_p, y, eps, target=None):
    after = model(x_p).argmax(1)
    return (model(x).argmax(1) == y) & (after != y if target is None else after == target)


def forgets_who_was_right_before(model, x, x_p, y, eps, target=None):
    after = model(x_p).argmax(1)
    near = (x_p - x).abs().flatten(1).amax(1) <= eps
    return near & (after != y if target is None else after == target)


def counts_every_change_of_answer(model, x, x_p, y, eps, target=None):
    near = (x_p - x).abs().flatten(1).amax(1) <= eps
    return near & (model(x_p).argmax(1) != model(x).argmax(1))


def ignores_the_target(model, x, x_p, y, eps, target=None):
    return succeeds(model, x, x_p, y, eps, None)


def flees_the_target(model, x, x_p, y, eps, target=None):
    goal = y if target is None else target
    near = (x_p - x).abs().flatten(1).amax(1) <= eps
    return (model(x).argmax(1) == y) & near & (model(x_p).argmax(1) != goal)


def asks_for_y_without_a_target(model, x, x_p, y, eps, target=None):
    goal = y if target is None else target
    near = (x_p - x).abs().flatten(1).amax(1) <= eps
    return (model(x).argmax(1) == y) & near & (model(x_p).argmax(1) == goal)


def overlooks_what_gets_darker(model, x, x_p, y, eps, target=None):
    near = (x_p - x).flatten(1).amax(1) <= eps
    return near & forgets_the_distance(model, x, x_p, y, eps, target)


def averages_the_change(model, x, x_p, y, eps, target=None):
    near = (x_p - x).abs().flatten(1).mean(1) <= eps
    return near & forgets_the_distance(model, x, x_p, y, eps, target)


def measures_euclidean_length(model, x, x_p, y, eps, target=None):
    near = (x_p - x).flatten(1).norm(dim=1) <= eps
    return near & forgets_the_distance(model, x, x_p, y, eps, target)


def says_who_withstood(model, x, x_p, y, eps, target=None):
    return ~succeeds(model, x, x_p, y, eps, target)


def gives_the_share(model, x, x_p, y, eps, target=None):
    return succeeds(model, x, x_p, y, eps, target).float().mean().item()


def gives_numbers(model, x, x_p, y, eps, target=None):
    return succeeds(model, x, x_p, y, eps, target).float()


def looks_for_a_changed_answer(model, x, x_p, y, eps, target=None):
    """The answer has changed, and the first one was right: the same as right before and wrong now."""
    before, after = model(x).argmax(1), model(x_p).argmax(1)
    success = (after != before) & (before == y) & ~((x_p - x).abs() > eps).flatten(1).any(1)
    return success if target is None else success & (after == target)


WRONG = [
    (forgets_the_distance, "too far away"),
    (forgets_who_was_right_before, "wrong before anything was changed"),
    (counts_every_change_of_answer, "every change of the answer"),
    (ignores_the_target, "must be the target"),
    (flees_the_target, "*not* to be the target"),
    (asks_for_y_without_a_target, "where the answer is *not* y"),
    (overlooks_what_gets_darker, "gets darker by more than ε"),
    (averages_the_change, "you average the change"),
    (measures_euclidean_length, "you measure the Euclidean length"),
    (says_who_withstood, "this is the reverse"),
    (gives_the_share, "returned a number"),
    (gives_numbers, "torch.bool"),
]

RIGHT = [looks_for_a_changed_answer]
