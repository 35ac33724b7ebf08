"""Plausible wrong answers to exercise 06.1, each with a part of the message that it should get, and right ones."""

import torch

from advcourse.exercises.notebook_06.e1_fooling_rate import fooling_rate


def gives_the_share_that_stays(model, x, delta):
    return (model((x + delta).clamp(0, 1)).argmax(1) == model(x).argmax(1)).float().mean().item()


def gives_a_percentage(model, x, delta):
    return 100 * fooling_rate(model, x, delta)


def gives_a_count(model, x, delta):
    return (model((x + delta).clamp(0, 1)).argmax(1) != model(x).argmax(1)).sum().item()


def forgets_to_clip(model, x, delta):
    return (model(x + delta).argmax(1) != model(x).argmax(1)).float().mean().item()


def subtracts_delta(model, x, delta):
    return fooling_rate(model, x, -delta)


def asks_about_delta_alone(model, x, delta):
    return (model(delta[None].clamp(0, 1)).argmax(1) != model(x).argmax(1)).float().mean().item()


def compares_logits(model, x, delta):
    return (model((x + delta).clamp(0, 1)) != model(x)).any(1).float().mean().item()


def measures_lost_probability(model, x, delta):
    before, after = model(x).softmax(1), model((x + delta).clamp(0, 1)).softmax(1)
    return (before.max(1).values - after[range(len(x)), before.argmax(1)]).mean().item()


def gives_a_mask(model, x, delta):
    return model((x + delta).clamp(0, 1)).argmax(1) != model(x).argmax(1)


def takes_the_wrong_axis(model, x, delta):
    return (model((x + delta).clamp(0, 1)).argmax(0) != model(x).argmax(0)).float().mean().item()


def counts_image_by_image(model, x, delta):
    changed = 0
    for image in x:
        pair = torch.stack([image, torch.clamp(image + delta, 0, 1)])
        before, after = model(pair).argmax(1)
        changed += int(before != after)
    return changed / len(x)


WRONG = [
    (gives_the_share_that_stays, "keep their class"),
    (gives_a_percentage, "a percentage"),
    (gives_a_count, "a count"),
    (forgets_to_clip, "clip it before"),
    (subtracts_delta, "you subtract delta"),
    (asks_about_delta_alone, "not delta alone"),
    (compares_logits, "you compare logits"),
    (measures_lost_probability, "how much probability"),
    (gives_a_mask, "a number is wanted"),
    (takes_the_wrong_axis, "not what the formula gives"),
]

RIGHT = [counts_image_by_image]
