"""Plausible wrong answers to exercise 06.5, each with a part of the message that it should get, and right ones."""

import numpy as np
import torch

from advcourse.exercises.notebook_06.e5_destruction_rate import destruction_rate, masks


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


def counts_with_sets(model, x, x_adv, x_photo, y):
    with torch.no_grad():
        answers = [model(images).argmax(1).tolist() for images in (x, x_adv, x_photo)]
    attacked = [photo == label for clean, adv, photo, label in zip(*answers, y.tolist(), strict=True)
                if clean == label != adv]
    return sum(attacked) / len(attacked)


def counts_the_destroyed(model, x, x_adv, x_photo, y):
    right, adv, photo = masks(model, x, x_adv, x_photo, y)
    return (right & ~adv & photo).sum().item()


def divides_by_the_misread(model, x, x_adv, x_photo, y):
    right, adv, photo = masks(model, x, x_adv, x_photo, y)
    return ((right & ~adv & photo).sum() / (~adv).sum()).item()


def trusts_the_models_answers(model, x, x_adv, x_photo, y):
    return destruction_rate(model, x, x_adv, x_photo, model(x).argmax(1))


def gives_the_success_of_the_attack(model, x, x_adv, x_photo, y):
    right, adv, _ = masks(model, x, x_adv, x_photo, y)
    return ((right & ~adv).sum() / right.sum()).item()


def takes_the_photographs_for_the_files(model, x, x_adv, x_photo, y):
    return destruction_rate(model, x, x_photo, x_adv, y)


def multiplies_as_the_formula_does(model, x, x_adv, x_photo, y):
    def c(images):
        return (model(images).argmax(dim=1) == y).double()

    attacked = c(x) * (1 - c(x_adv))
    return torch.sum(attacked * c(x_photo)) / torch.sum(attacked)


def keeps_the_attacked_ones(model, x, x_adv, x_photo, y):
    right, adv, _ = (mask.numpy() for mask in masks(model, x, x_adv, x_photo, y))
    kept = np.flatnonzero(right & ~adv)
    return np.mean(model(x_photo[kept]).argmax(1).numpy() == y[kept].numpy())


WRONG = [
    (gives_the_survivors, "the share that survives"),
    (gives_a_percentage_of_the_destroyed, "a percentage"),
    (divides_by_all_images, "the number of all images"),
    (divides_by_the_readable, "never attacked with success"),
    (forgets_the_clean_image, "misread before the attack"),
    (forgets_that_it_must_be_adversarial, "whose attack failed"),
    (gives_the_accuracy, "accuracy on the photographs"),
    (counts_all_right_photographs, "the numerator counts other images"),
    (counts_changed_answers, "not wherever the answer changes"),
    (counts_the_destroyed, "this is a count"),
    (divides_by_the_misread, "whose copy is misread"),
    (trusts_the_models_answers, "the model's own answer"),
    (gives_the_success_of_the_attack, "attacks that succeed"),
    (takes_the_photographs_for_the_files, "changed places"),
]

RIGHT = [counts_with_sets, multiplies_as_the_formula_does, keeps_the_attacked_ones]
