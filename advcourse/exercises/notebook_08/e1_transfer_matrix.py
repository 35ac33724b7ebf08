"""08.1: the transfer matrix."""

from functools import partial

import torch

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.counted import Counted
from advcourse.exercises.probes import linear_model, one_step, random_images, telling_apart
from advcourse.exercises.properties import at_cost, equals


def transfer_matrix(attacks, targets, x, y):
    made = [attack(x, y) for attack in attacks]
    return [[(target(x_adv).argmax(1) != y).float().mean().item() for target in targets] for x_adv in made]


def matrix_probes(generator):
    def draw(count, eps):
        models = [linear_model(generator) for _ in range(count + 1)]
        x = random_images(generator, count=147).view(-1, 2, 3, 6)
        said, place = torch.stack([model(x).argmax(1) for model in models]), torch.arange(len(x))
        y = said[place % len(models), place]  # every target reads some of the images right, none all
        attacks = [Counted(partial(step_on, model, eps)) for model in models[1:]]
        return {"attacks": attacks, "targets": models[:-1], "x": x, "y": y}

    return [telling_apart(lambda given=given: draw(*given), transfer_matrix, MISTAKES.values())
            for given in ((2, 0.05), (3, 0.03))]


def step_on(model, eps, x, y):
    return one_step(model, x, y, eps)


def transposed(**probe):
    return [list(column) for column in zip(*transfer_matrix(**probe), strict=True)]


def matrix_with(count):
    """The matrix whose cell is the mean of count(target, x_adv, x, y)."""
    def matrix(attacks, targets, x, y):
        made = [attack(x, y) for attack in attacks]
        return [[count(target, x_adv, x, y).float().mean().item() for target in targets] for x_adv in made]
    return matrix


def times(factor):
    """The matrix times factor(probe)."""
    return lambda **probe: [[factor(probe) * cell for cell in row] for row in transfer_matrix(**probe)]


def attacked_in_a_row(attacks, targets, x, y):
    """The mistake of attacking what the attack before has changed."""
    rows, x_adv = [], x
    for attack in attacks:
        x_adv = attack(x_adv, y)
        rows.append([(target(x_adv).argmax(1) != y).float().mean().item() for target in targets])
    return rows


def among_those_read_right(attacks, targets, x, y):
    """The library's other way to count: the share of images that fool the target, of those that it reads right."""
    made = [attack(x, y) for attack in attacks]
    return [[((target(x_adv).argmax(1) != y) & right).sum().item() / right.sum().item()
             for target in targets for right in [target(x).argmax(1) == y]] for x_adv in made]


def of_the_last_attack(attacks, **given):
    return transfer_matrix(attacks=[attacks[-1]] * len(attacks), **given)


MISTAKES = {
    "rows and columns have changed places: a row belongs to the source, a column to the target":
        transposed,
    "these are accuracies; wanted is the error, the share that the target reads wrong":
        matrix_with(lambda target, x_adv, x, y: target(x_adv).argmax(1) == y),
    "these are percentages; wanted are shares between 0 and 1":
        times(lambda probe: 100),
    "these are counts; divide by the number of images":
        times(lambda probe: len(probe["x"])),
    "the targets were shown the clean images: give them what the attack returned":
        matrix_with(lambda target, x_adv, x, y: target(x).argmax(1) != y),
    "you count where the target changes its mind; count where it does not say y":
        matrix_with(lambda target, x_adv, x, y: target(x_adv).argmax(1) != target(x).argmax(1)),
    "images that the target misreads anyway are left out of the count: here every image counts":
        matrix_with(lambda target, x_adv, x, y: (target(x_adv).argmax(1) != y) & (target(x).argmax(1) == y)),
    "you count among the images that the target reads right before: here every image counts":
        among_those_read_right,
    "each attack starts from the images that the one before it changed: start from x every time":
        attacked_in_a_row,
    "every row is that of the last attack: fill a row before you go on to the next attack":
        of_the_last_attack,
}


def once_each(probe, result):
    calls = max((attack.calls for attack in probe["attacks"]), key=lambda calls: abs(calls - 1))
    if calls == 1:
        return None
    if calls < 1:
        return "an attack was never run: its images are what the targets are shown"
    return (f"you run an attack {calls:g} times for one table; once is enough: keep its images and show them to every "
            "target")


TABLE = equals(transfer_matrix, MISTAKES, tolerance=1e-4)


exercise = Exercise(
    number="08.1",
    title="The transfer matrix",
    points=3,
    minutes=10,
    hints=(
        ("How often is each attack run?", "Once. Its images are then shown to every target: one row of the matrix."),
        ("What stands in a cell?",
         "The share of these images that the target does not read as y: "
         "`(target(x_adv).argmax(1) != y).float().mean().item()`."),
        ("Show me nearly all of it.",
         "Two loops: for each attack, `x_adv = attack(x, y)` and an empty row; for each target append the cell to the "
         "row; then append the row to the matrix."),
    ),
    reference=transfer_matrix,
    probes=matrix_probes,
    properties={
        "every cell is the target's error on the source's images": TABLE,
        "every attack is run once": at_cost(TABLE, once_each),
    },
)
