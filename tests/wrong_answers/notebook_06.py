"""Plausible wrong answers to the exercises of notebook 06, each with a part of the message that it should get."""

import torch
from torch.nn import functional as F

from advcourse.exercises.notebook_01 import loss_gradient
from advcourse.exercises.notebook_06 import (
    destruction_rate,
    eot_gradient,
    fooling_rate,
    masks,
    shared_gradient,
    universal_step,
)

# 06.1 -----------------------------------------------------------------------------------------------------------------

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


# 06.2 -----------------------------------------------------------------------------------------------------------------

def goes_down(model, x, y, delta, eps, step_size):
    return (delta - step_size * shared_gradient(model, x, y, delta).sign()).clamp(-eps, eps)


def steps_without_sign(model, x, y, delta, eps, step_size):
    return (delta + step_size * shared_gradient(model, x, y, delta)).clamp(-eps, eps)


def forgets_to_project(model, x, y, delta, eps, step_size):
    return delta + step_size * shared_gradient(model, x, y, delta).sign()


def projects_onto_grey_values(model, x, y, delta, eps, step_size):
    return universal_step(model, x, y, delta, eps, step_size).clamp(0, 1)


def loses_delta(model, x, y, delta, eps, step_size):
    return (step_size * shared_gradient(model, x, y, 0 * delta).sign()).clamp(-eps, eps)


def differentiates_at_x(model, x, y, delta, eps, step_size):
    return (delta + step_size * loss_gradient(model, x, y).mean(0).sign()).clamp(-eps, eps)


def follows_one_image(model, x, y, delta, eps, step_size):
    return universal_step(model, x[:1], y[:1], delta, eps, step_size)


def lets_images_vote(model, x, y, delta, eps, step_size):
    signs = loss_gradient(model, (x + delta).clamp(0, 1), y).sign()
    return (delta + step_size * signs.mean(0).sign()).clamp(-eps, eps)


def steps_by_eps(model, x, y, delta, eps, step_size):
    return (delta + eps * shared_gradient(model, x, y, delta).sign()).clamp(-eps, eps)


def one_delta_per_image(model, x, y, delta, eps, step_size):
    return (delta + step_size * loss_gradient(model, (x + delta).clamp(0, 1), y).sign()).clamp(-eps, eps)


def shows_no_images(model, x, y, delta, eps, step_size):
    return (delta + step_size * loss_gradient(model, x + delta, y).sum(0).sign()).clamp(-eps, eps)


def returns_the_images(model, x, y, delta, eps, step_size):
    return (x + universal_step(model, x, y, delta, eps, step_size)).clamp(0, 1)


def uses_the_answers(model, x, y, delta, eps, step_size):
    return universal_step(model, x, model(x).argmax(1), delta, eps, step_size)


# 06.4 -----------------------------------------------------------------------------------------------------------------

def forgets_the_transforms(model, x, y, transforms):
    return eot_gradient(model, x, y, [lambda images: images])


def returns_in_the_loop(model, x, y, transforms):
    for transform in transforms:
        return eot_gradient(model, x, y, [transform])


def overwrites_the_loss(model, x, y, transforms):
    x = x.clone().requires_grad_()
    for transform in transforms:
        loss = F.cross_entropy(model(transform(x)), y)
    return torch.autograd.grad(loss, x)[0]


def chains_the_transforms(model, x, y, transforms):
    x = x.clone().requires_grad_()
    images = x
    for transform in transforms:
        images = transform(images)
    return torch.autograd.grad(F.cross_entropy(model(images), y), x)[0]


def adds_up(model, x, y, transforms):
    return sum(eot_gradient(model, x, y, [transform]) for transform in transforms)


def adds_images_up(model, x, y, transforms):
    x = x.clone().requires_grad_()
    loss = sum(F.cross_entropy(model(transform(x)), y, reduction="sum") for transform in transforms) / len(transforms)
    return torch.autograd.grad(loss, x)[0]


def averages_images(model, x, y, transforms):
    x = x.clone().requires_grad_()
    blurred = torch.stack([transform(x) for transform in transforms]).mean(0)
    return torch.autograd.grad(F.cross_entropy(model(blurred), y), x)[0]


def averages_logits(model, x, y, transforms):
    x = x.clone().requires_grad_()
    logits = torch.stack([model(transform(x)) for transform in transforms]).mean(0)
    return torch.autograd.grad(F.cross_entropy(logits, y), x)[0]


def differentiates_at_the_views(model, x, y, transforms):
    gradients = []
    for transform in transforms:
        turned = transform(x).clone().requires_grad_()
        gradients.append(torch.autograd.grad(F.cross_entropy(model(turned), y), turned)[0])
    return torch.stack(gradients).mean(0)


def averages_signs(model, x, y, transforms):
    return torch.stack([eot_gradient(model, x, y, [transform]).sign() for transform in transforms]).mean(0)


def returns_the_sign(model, x, y, transforms):
    return eot_gradient(model, x, y, transforms).sign()


def descends(model, x, y, transforms):
    return -eot_gradient(model, x, y, transforms)


def detaches_the_views(model, x, y, transforms):
    x = x.clone().requires_grad_()
    loss = sum(F.cross_entropy(model(transform(x).detach()), y) for transform in transforms)
    return torch.autograd.grad(loss, x)[0]


# 06.5 -----------------------------------------------------------------------------------------------------------------

def gives_the_survivors(**probe):
    return 1 - destruction_rate(**probe)


def gives_a_percentage_of_the_destroyed(**probe):
    return 100 * destruction_rate(**probe)


def divides_by_all_images(model, x, x_adv, x_photo, y):
    right, adv, photo = masks(model, x, x_adv, x_photo, y)
    return (right & ~adv & photo).float().mean().item()


def divides_by_the_readable(model, x, x_adv, x_photo, y):
    right, adv, photo = masks(model, x, x_adv, x_photo, y)
    return ((right & ~adv & photo).sum() / right.sum()).item()


def forgets_the_clean_image(model, x, x_adv, x_photo, y):
    _, adv, photo = masks(model, x, x_adv, x_photo, y)
    return ((~adv & photo).sum() / (~adv).sum()).item()


def forgets_that_it_must_be_adversarial(model, x, x_adv, x_photo, y):
    right, _, photo = masks(model, x, x_adv, x_photo, y)
    return ((right & photo).sum() / right.sum()).item()


def gives_the_accuracy(model, x, x_adv, x_photo, y):
    return (model(x_photo).argmax(1) == y).float().mean().item()


def counts_all_right_photographs(model, x, x_adv, x_photo, y):
    right, adv, photo = masks(model, x, x_adv, x_photo, y)
    return (photo.sum() / (right & ~adv).sum()).item()


def counts_changed_answers(model, x, x_adv, x_photo, y):
    right, adv, _ = masks(model, x, x_adv, x_photo, y)
    changed = model(x_photo).argmax(1) != model(x_adv).argmax(1)
    return ((right & ~adv & changed).sum() / (right & ~adv).sum()).item()


# 06.7 -----------------------------------------------------------------------------------------------------------------

def adds_the_pattern(x, pattern, mask):
    return (x + mask * pattern).clamp(0, 1)


def adds_without_clipping(x, pattern, mask):
    return x + pattern


def turns_the_mask_round(x, pattern, mask):
    return mask * x + (1 - mask) * pattern


def hides_the_image(x, pattern, mask):
    return (mask * pattern).expand_as(x).clone()


def covers_with_nothing(x, pattern, mask):
    return (1 - mask) * x


def cuts_a_soft_mask(x, pattern, mask):
    return torch.where(mask > 0, pattern, x)


def rounds_a_soft_mask(x, pattern, mask):
    return torch.where(mask > 0.5, pattern, x)


def returns_the_images_as_they_were(x, pattern, mask):
    return x.clone()


def works_in_place(x, pattern, mask):
    x *= 1 - mask
    x += mask * pattern
    return x


WRONG = {
    "06.1": [
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
    ],
    "06.2": [
        (goes_down, "go down the loss"),
        (steps_without_sign, "take its sign"),
        (forgets_to_project, "project after the step"),
        (projects_onto_grey_values, "not to [0, 1]"),
        (loses_delta, "lose the delta"),
        (differentiates_at_x, "at the clean x"),
        (follows_one_image, "the first image alone"),
        (lets_images_vote, "take the sign once"),
        (steps_by_eps, "not of size step_size"),
        (one_delta_per_image, "a tensor of shape (1, 6, 6) is wanted"),
        (shows_no_images, "leave [0, 1]"),
        (returns_the_images, "a tensor of shape (1, 6, 6) is wanted"),
        (uses_the_answers, "the model's own answers"),
    ],
    "06.4": [
        (forgets_the_transforms, "no transform is in it"),
        (returns_in_the_loop, "only the first transform"),
        (overwrites_the_loss, "only the last transform"),
        (chains_the_transforms, "one after the other"),
        (adds_up, "divide by their number"),
        (adds_images_up, "the sum over the images"),
        (averages_images, "one blurred image"),
        (averages_logits, "average the logits"),
        (differentiates_at_the_views, "not turned back"),
        (averages_signs, "you average signs"),
        (returns_the_sign, "the sign of the gradient"),
        (descends, "no minus"),
        (detaches_the_views, "does not require grad"),
    ],
    "06.5": [
        (gives_the_survivors, "the share that survives"),
        (gives_a_percentage_of_the_destroyed, "a percentage"),
        (divides_by_all_images, "the number of all images"),
        (divides_by_the_readable, "never attacked with success"),
        (forgets_the_clean_image, "misread before the attack"),
        (forgets_that_it_must_be_adversarial, "whose attack failed"),
        (gives_the_accuracy, "accuracy on the photographs"),
        (counts_all_right_photographs, "the numerator counts other images"),
        (counts_changed_answers, "not wherever the answer changes"),
    ],
    "06.7": [
        (adds_the_pattern, "a sticker hides it"),
        (adds_without_clipping, "is no image"),
        (turns_the_mask_round, "the wrong way round"),
        (hides_the_image, "outside the mask change"),
        (covers_with_nothing, "is blank"),
        (cuts_a_soft_mask, "you choose one of them"),
        (rounds_a_soft_mask, "you choose one of the two"),
        (returns_the_images_as_they_were, "without the patch"),
        (works_in_place, "in place"),
    ],
}


# Right answers, written otherwise -------------------------------------------------------------------------------------

def counts_image_by_image(model, x, delta):
    changed = 0
    for image in x:
        pair = torch.stack([image, torch.clamp(image + delta, 0, 1)])
        before, after = model(pair).argmax(1)
        changed += int(before != after)
    return changed / len(x)


def steps_by_backward(model, x, y, delta, eps, step_size):
    leaf = torch.nn.Parameter(delta.clone())
    F.nll_loss(model(torch.clamp(x + leaf, 0, 1)).log_softmax(1), y, reduction="sum").backward()
    with torch.no_grad():
        return torch.max(torch.min(leaf + step_size * torch.sign(leaf.grad), torch.full_like(delta, eps)),
                         torch.full_like(delta, -eps))


def sums_gradients_at_the_images(model, x, y, delta, eps, step_size):
    images = (x + delta).clamp(0, 1).requires_grad_()
    F.cross_entropy(model(images), y, reduction="sum").backward()
    return (delta + step_size * images.grad.mean(0).sign()).clamp(-eps, eps)


def averages_gradients(model, x, y, transforms):
    gradients = []
    for transform in transforms:
        leaf = x.clone().requires_grad_()
        F.nll_loss(model(transform(leaf)).log_softmax(1), y).backward()
        gradients.append(leaf.grad)
    return torch.stack(gradients).mean(0)


def counts_with_sets(model, x, x_adv, x_photo, y):
    with torch.no_grad():
        answers = [model(images).argmax(1).tolist() for images in (x, x_adv, x_photo)]
    attacked = [photo == label for clean, adv, photo, label in zip(*answers, y.tolist(), strict=True) if clean == label != adv]
    return sum(attacked) / len(attacked)


def moves_towards_the_pattern(x, pattern, mask):
    return torch.lerp(x, pattern.expand_as(x), mask.expand_as(x))


RIGHT = {
    "06.1": [counts_image_by_image],
    "06.2": [steps_by_backward, sums_gradients_at_the_images],
    "06.4": [averages_gradients],
    "06.5": [counts_with_sets],
    "06.7": [moves_towards_the_pattern],
}
