"""Plausible wrong answers to exercise 08.1, each with a part of the message that it should get, and right ones."""

import torch

from advcourse.exercises.notebook_08.e1_transfer_matrix import transfer_matrix


def error(target, x_adv, y):
    return (target(x_adv).argmax(1) != y).float().mean().item()


def has_a_row_for_each_target(attacks, targets, x, y):
    return [[error(target, attack(x, y), y) for attack in attacks] for target in targets]


def gives_accuracies(**probe):
    return [[1 - cell for cell in row] for row in transfer_matrix(**probe)]


def gives_percentages(**probe):
    return [[100 * cell for cell in row] for row in transfer_matrix(**probe)]


def gives_counts(attacks, targets, x, y):
    return [[(target(attack(x, y)).argmax(1) != y).sum().item() for target in targets] for attack in attacks]


def shows_the_clean_images(attacks, targets, x, y):
    return [[error(target, x, y) for target in targets] for attack in attacks]


def counts_changes_of_mind(attacks, targets, x, y):
    return [[error(target, attack(x, y), target(x).argmax(1)) for target in targets] for attack in attacks]


def leaves_out_what_was_wrong_before(attacks, targets, x, y):
    return [[((target(attack(x, y)).argmax(1) != y) & (target(x).argmax(1) == y)).float().mean().item()
             for target in targets] for attack in attacks]


def attacks_again_and_again(attacks, targets, x, y):
    rows = []
    for attack in attacks:
        x = attack(x, y)
        rows.append([error(target, x, y) for target in targets])
    return rows


def flattens_the_matrix(**probe):
    return [cell for row in transfer_matrix(**probe) for cell in row]


def gives_the_last_row(**probe):
    return transfer_matrix(**probe)[-1]


def goes_cell_by_cell(attacks, targets, x, y):
    table = []
    with torch.no_grad():
        for attack in attacks:
            x_adv, row = attack(x, y), []
            for target in targets:
                right = (target(x_adv).max(1).indices == y).sum()
                row.append(1 - float(right) / len(y))
            table.append(row)
    return table


WRONG = [
    (has_a_row_for_each_target, "a list of"),
    (gives_accuracies, "these are accuracies"),
    (gives_percentages, "percentages"),
    (gives_counts, "divide by the number of images"),
    (shows_the_clean_images, "shown the clean images"),
    (counts_changes_of_mind, "changes its mind"),
    (leaves_out_what_was_wrong_before, "every image counts"),
    (attacks_again_and_again, "start from x every time"),
    (flattens_the_matrix, "a list of 6 numbers"),
    (gives_the_last_row, "a list of"),
]

RIGHT = [goes_cell_by_cell]
