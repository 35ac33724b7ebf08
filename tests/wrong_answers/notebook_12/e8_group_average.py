"""Plausible wrong answers to exercise 12.8, each with a part of the message that it should get, and right ones."""

import torch
from torch.nn import functional as F


def turned(x):
    return [torch.rot90(x, k, (2, 3)) for k in range(4)]


def asks_once(model, x):
    return model(x)


def averages_the_images(model, x):
    return model(torch.stack(turned(x)).mean(0))


def averages_probabilities(model, x):
    return torch.stack([model(images).softmax(1) for images in turned(x)]).mean(0)


def leaves_the_unturned_out(model, x):
    return torch.stack([model(images) for images in turned(x)[1:]]).mean(0)


def stops_early(model, x):
    return torch.stack([model(torch.rot90(x, k, (2, 3))) for k in range(3)]).mean(0)


def turns_once(model, x):
    return (model(x) + model(torch.rot90(x, 1, (2, 3)))) / 2


def turns_by_half(model, x):
    return (model(x) + model(x.flip(2, 3))) / 2


def counts_the_full_turn(model, x):
    return torch.stack([model(torch.rot90(x, k, (2, 3))) for k in range(5)]).mean(0)


def sums(model, x):
    return sum(model(images) for images in turned(x))


def takes_the_largest(model, x):
    return torch.stack([model(images) for images in turned(x)]).amax(0)


def mirrors(model, x):
    return torch.stack([model(x), model(x.flip(2)), model(x.flip(3)), model(x.flip(2, 3))]).mean(0)


def votes(model, x):
    return torch.stack([F.one_hot(model(images).argmax(1), 4).float() for images in turned(x)]).mean(0)


def averages_over_the_classes(model, x):
    return torch.stack([model(images) for images in turned(x)]).mean(2)


def turns_channels_and_rows(model, x):
    return torch.stack([model(torch.rot90(x, k)) for k in range(4)]).mean(0)


def asks_once_about_all(model, x):
    return model(torch.cat(turned(x))).view(4, len(x), -1).mean(0)


def goes_image_by_image(model, x):
    return torch.cat([sum(model(images) for images in turned(image)) / 4 for image in x.split(1)])


def turns_step_by_step(model, x):
    total, images = 0.0, x
    for _ in range(4):
        total = total + model(images).double() / 4
        images = images.transpose(2, 3).flip(2)
    return total


WRONG = [
    (asks_once, "nothing was turned"),
    (averages_the_images, "you average the images"),
    (averages_probabilities, "you average probabilities"),
    (leaves_the_unturned_out, "the unturned image is missing"),
    (stops_early, "the last quarter turn is missing"),
    (turns_once, "you turn once"),
    (turns_by_half, "by 0 and 180 degrees only"),
    (counts_the_full_turn, "the full turn counts"),
    (sums, "this is the sum"),
    (takes_the_largest, "the largest answer"),
    (mirrors, "mirror images"),
    (votes, "the votes"),
    (averages_over_the_classes, "a tensor of shape (4, 7)"),
    (turns_channels_and_rows, "your function raises"),
]

RIGHT = [asks_once_about_all, goes_image_by_image, turns_step_by_step]
