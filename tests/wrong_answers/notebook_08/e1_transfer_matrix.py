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


def counts_among_the_read(attacks, targets, x, y):
    rows = []
    for attack in attacks:
        x_adv = attack(x, y)
        rows.append([error(target, x_adv[target(x).argmax(1) == y], y[target(x).argmax(1) == y]) for target in targets])
    return rows


def attacks_for_every_cell(attacks, targets, x, y):
    return [[error(target, attack(x, y), y) for target in targets] for attack in attacks]


def fills_every_row_with_the_last(attacks, targets, x, y):
    for attack in attacks:
        x_adv = attack(x, y)
    return [[error(target, x_adv, y) for target in targets] for _ in attacks]


def returns_a_tensor(attacks, targets, x, y):
    matrix = torch.zeros(len(attacks), len(targets))
    for i, attack in enumerate(attacks):
        x_adv = attack(x, y)
        for j, target in enumerate(targets):
            matrix[i, j] = (target(x_adv).argmax(1) != y).double().mean()
    return matrix


def asks_target_by_target(attacks, targets, x, y):
    made = torch.cat([attack(x.clone(), y) for attack in attacks])
    columns = [(target(made).argmax(1).view(len(attacks), -1) != y).float().mean(1) for target in targets]
    return torch.stack(columns, 1).numpy()


def forgets_item(attacks, targets, x, y):
    made = [attack(x, y) for attack in attacks]
    return tuple([(target(x_adv).argmax(1) != y).float().mean() for target in targets] for x_adv in made)


WRONG = [
    (has_a_row_for_each_target, "have changed places"),
    (gives_accuracies, "these are accuracies"),
    (gives_percentages, "percentages"),
    (gives_counts, "divide by the number of images"),
    (shows_the_clean_images, "shown the clean images"),
    (counts_changes_of_mind, "changes its mind"),
    (leaves_out_what_was_wrong_before, "every image counts"),
    (attacks_again_and_again, "start from x every time"),
    (flattens_the_matrix, "a list of 4 numbers"),
    (gives_the_last_row, "a list of"),
    (counts_among_the_read, "reads right before"),
    (attacks_for_every_cell, "once is enough"),
    (fills_every_row_with_the_last, "the last attack"),
]

RIGHT = [goes_cell_by_cell, returns_a_tensor, asks_target_by_target, forgets_item]
