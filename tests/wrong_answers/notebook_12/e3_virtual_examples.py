"""Plausible wrong answers to exercise 12.3, each with a part of the message that it should get, and right ones."""

import torch
from torch.nn import functional as F


def moved(x, right, down):
    return F.pad(x, (right, -right, down, -down))


def goes_round(x, y, support, shifts):
    images = [x[support]] + [torch.roll(x[support], (down, right), (2, 3)) for right, down in shifts]
    return torch.cat(images), y[support].repeat(1 + len(shifts))


def exchanges_right_and_down(x, y, support, shifts):
    images = [x[support]] + [moved(x[support], down, right) for right, down in shifts]
    return torch.cat(images), y[support].repeat(1 + len(shifts))


def moves_the_other_way(x, y, support, shifts):
    images = [x[support]] + [F.pad(x[support], (-right, right, -down, down)) for right, down in shifts]
    return torch.cat(images), y[support].repeat(1 + len(shifts))


def moves_up(x, y, support, shifts):
    images = [x[support]] + [moved(x[support], right, -down) for right, down in shifts]
    return torch.cat(images), y[support].repeat(1 + len(shifts))


def moves_nothing(x, y, support, shifts):
    return x[support].repeat(1 + len(shifts), 1, 1, 1), y[support].repeat(1 + len(shifts))


def moves_on_from_the_last_copy(x, y, support, shifts):
    images = [x[support]]
    for right, down in shifts:
        images.append(moved(images[-1], right, down))
    return torch.cat(images), y[support].repeat(1 + len(shifts))


def takes_the_first_images(x, y, support, shifts):
    kept = x[:len(support)]
    return torch.cat([kept, *(moved(kept, *move) for move in shifts)]), y[:len(support)].repeat(1 + len(shifts))


def repeats_the_labels_in_the_wrong_order(x, y, support, shifts):
    images = torch.cat([x[support], *(moved(x[support], *move) for move in shifts)])
    return images, y[support].repeat_interleave(1 + len(shifts))


def takes_the_first_labels(x, y, support, shifts):
    images = torch.cat([x[support], *(moved(x[support], *move) for move in shifts)])
    return images, y[:len(support)].repeat(1 + len(shifts))


def returns_the_rows_for_labels(x, y, support, shifts):
    images = torch.cat([x[support], *(moved(x[support], *move) for move in shifts)])
    return images, support.repeat(1 + len(shifts))


def leaves_the_originals_out(x, y, support, shifts):
    return torch.cat([moved(x[support], *move) for move in shifts]), y[support].repeat(len(shifts))


def moves_all_images(x, y, support, shifts):
    return torch.cat([x, *(moved(x, *move) for move in shifts)]), y.repeat(1 + len(shifts))


def returns_the_images_alone(x, y, support, shifts):
    return torch.cat([x[support], *(moved(x[support], *move) for move in shifts)])


def keeps_copies_beside_their_original(x, y, support, shifts):
    images = torch.stack([x[support], *(moved(x[support], *move) for move in shifts)], 1).flatten(0, 1)
    return images, y[support].repeat_interleave(1 + len(shifts))


def copies_slices(x, y, support, shifts):
    height, width = x.shape[2:]
    images, labels = list(x[support]), y[support].tolist()
    for right, down in shifts:
        for i in support:
            image = torch.zeros_like(x[i])
            source = x[i][:, max(-down, 0):height - max(down, 0), max(-right, 0):width - max(right, 0)]
            image[:, max(down, 0):height + min(down, 0), max(right, 0):width + min(right, 0)] = source
            images.append(image)
            labels.append(int(y[i]))
    return torch.stack(images), labels


def goes_round_and_blackens(x, y, support, shifts):
    found = [x[support]]
    for right, down in shifts:
        images = torch.roll(x[support], (down, right), (2, 3))
        if right:
            images[..., slice(0, right) if right > 0 else slice(right, None)] = 0
        if down:
            images[..., slice(0, down) if down > 0 else slice(down, None), :] = 0
        found.append(images)
    return torch.cat(found).double(), torch.cat([y[support]] * len(found))


WRONG = [
    (goes_round, "`torch.roll` goes round"),
    (exchanges_right_and_down, "right and down are exchanged"),
    (moves_the_other_way, "the images move the wrong way"),
    (moves_up, "rows move up"),
    (moves_nothing, "every copy is unmoved"),
    (moves_on_from_the_last_copy, "each shift starts from the one before"),
    (takes_the_first_images, "not those that `support` names"),
    (repeats_the_labels_in_the_wrong_order, "the labels are in another order"),
    (takes_the_first_labels, "has not the label of the support vector"),
    (returns_the_rows_for_labels, "has not the label of the support vector"),
    (leaves_the_originals_out, "a tensor of shape"),
    (moves_all_images, "a tensor of shape"),
    (returns_the_images_alone, "a tuple of 2"),
]

RIGHT = [keeps_copies_beside_their_original, copies_slices, goes_round_and_blackens]
