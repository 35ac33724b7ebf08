"""Plausible wrong answers to exercise 06.1, each with a part of the message that it should get, and right ones."""

import numpy as np
import torch
from torch.nn import functional as F

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


def clips_delta(model, x, delta):
    return (model((x + delta.clamp(0, 1)).clamp(0, 1)).argmax(1) != model(x).argmax(1)).float().mean().item()


def compares_largest_logits(model, x, delta):
    return (model((x + delta).clamp(0, 1)).max(1).values != model(x).max(1).values).float().mean().item()


def measures_the_risen_loss(model, x, delta):
    answers = model(x).argmax(1)
    return (F.cross_entropy(model((x + delta).clamp(0, 1)), answers) - F.cross_entropy(model(x), answers)).item()


def changes_its_images(model, x, delta):
    before = model(x).argmax(1)
    x += delta
    return (model(x.clamp_(0, 1)).argmax(1) != before).float().mean().item()


def gives_numpys_mean(model, x, delta):
    with torch.no_grad():
        answers = [model(images).argmax(1).numpy() for images in (x, torch.clip(x + delta, 0, 1))]
    return np.mean(answers[0] != answers[1])


def forgets_item_in_place_on_a_clone(model, x, delta):
    changed = x.clone()
    changed += delta
    changed.clamp_(min=0).clamp_(max=1)
    same = torch.eq(model(changed).max(1).indices, model(x).max(1).indices)
    return 1 - same.double().mean()


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
    (takes_the_wrong_axis, "an image's class is `.argmax(1)`"),
    (clips_delta, "clip the sum alone"),
    (compares_largest_logits, "you compare logits"),
    (measures_the_risen_loss, "how much the loss rises"),
    (changes_its_images, "in place"),
]

RIGHT = [counts_image_by_image, gives_numpys_mean, forgets_item_in_place_on_a_clone]
