"""Plausible wrong answers to exercise 02.1, each with a part of the message that it should get, and right ones."""

import torch

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


def measures_the_whole_batch(model, x, x_p, y, eps, target=None):
    near = (x_p - x).abs().max() <= eps
    return near & forgets_the_distance(model, x, x_p, y, eps, target)


def asks_for_any_near_pixel(model, x, x_p, y, eps, target=None):
    near = ((x_p - x).abs() <= eps).flatten(1).any(1)
    return near & forgets_the_distance(model, x, x_p, y, eps, target)


def asks_for_a_large_change(model, x, x_p, y, eps, target=None):
    far = (x_p - x).abs().flatten(1).amax(1) > eps
    return far & forgets_the_distance(model, x, x_p, y, eps, target)


def takes_zero_for_none(model, x, x_p, y, eps, target=None):
    before, after = model(x).argmax(1), model(x_p).argmax(1)
    reached = after == target if target else after != y
    return (before == y) & ((x_p - x).abs().flatten(1).amax(1) <= eps) & reached


def takes_the_wrong_dimension(model, x, x_p, y, eps, target=None):
    return (model(x).argmax(0) == y) & (model(x_p).argmax(0) != y)


def looks_for_a_changed_answer(model, x, x_p, y, eps, target=None):
    """The answer has changed, and the first one was right: the same as right before and wrong now."""
    before, after = model(x).argmax(1), model(x_p).argmax(1)
    success = (after != before) & (before == y) & ~((x_p - x).abs() > eps).flatten(1).any(1)
    return success if target is None else success & (after == target)


def goes_image_by_image(model, x, x_p, y, eps, target=None):
    verdicts = []
    for before, after, label in zip(x, x_p, y, strict=True):
        said, says = model(before[None]).argmax().item(), model(after[None]).argmax().item()
        near = (after - before).abs().max().item() <= eps
        wanted = says != label.item() if target is None else says == target
        verdicts.append(said == label.item() and near and wanted)
    return verdicts


def multiplies_in_numpy(model, x, x_p, y, eps, target=None):
    before, after = (model(images).detach().cpu().numpy().argmax(1) for images in (x, x_p))
    labels = y.cpu().numpy()
    near = abs(x_p.cpu().numpy() - x.cpu().numpy()).reshape(len(x), -1).max(1) <= eps
    return (before == labels) * near * (after != labels if target is None else after == target)


def strikes_out(model, x, x_p, y, eps, target=None):
    success = torch.ones(len(x), dtype=torch.bool, device=x.device)
    success[model(x).argmax(dim=-1) != y] = False
    success[torch.linalg.vector_norm((x_p - x).double(), float("inf"), dim=(1, 2, 3)) > eps + 1e-6] = False
    after = model(x_p).softmax(-1).max(-1).indices
    success &= after.ne(y) if target is None else after.eq(target)
    return success


def lets_half_as_much_again_pass(model, x, x_p, y, eps, target=None):
    return succeeds(model, x, x_p, y, 1.5 * eps, target)


def says_one_and_zero(model, x, x_p, y, eps, target=None):
    return looks_for_a_changed_answer(model, x, x_p, y, eps, target).long()


WRONG = [
    (lets_half_as_much_again_pass, ""),
    (forgets_the_distance, "too far away"),
    (forgets_who_was_right_before, "wrong before anything was changed"),
    (counts_every_change_of_answer, "every change of the answer"),
    (ignores_the_target, "must be the target"),
    (flees_the_target, "*not* to be the target"),
    (asks_for_y_without_a_target, "where the answer is *not* y"),
    (overlooks_what_gets_darker, "gets darker by more than ε"),
    (measures_the_whole_batch, "every image of the batch"),
    (asks_for_any_near_pixel, "too far away"),
    (asks_for_a_large_change, "near enough is at most ε"),
    (takes_zero_for_none, "`if target is None`"),
    (takes_the_wrong_dimension, "RuntimeError"),
    (averages_the_change, "you average the change"),
    (measures_euclidean_length, "you measure the Euclidean length"),
    (says_who_withstood, "this is the reverse"),
    (gives_the_share, "returned a number"),
    (gives_numbers, "whose entries are True or False"),
]

RIGHT = [says_one_and_zero, looks_for_a_changed_answer, goes_image_by_image, multiplies_in_numpy, strikes_out]
