"""08.1: the transfer matrix."""

from functools import partial

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.probes import one_step, random_images, small_model
from advcourse.exercises.properties import equals


def transfer_matrix(attacks, targets, x, y):
    made = [attack(x, y) for attack in attacks]
    return [[(target(x_adv).argmax(1) != y).float().mean().item() for target in targets] for x_adv in made]


def matrix_probes(generator):
    probes = []
    for sources, count, eps in ((2, 3, 0.1), (3, 2, 0.05)):
        models, x = [small_model(generator) for _ in range(3)], random_images(generator, count=60)
        y = models[0](x).argmax(1).detach()
        attacks = [partial(step_on, model, eps) for model in models[:sources]]
        probes.append({"attacks": attacks, "targets": models[3 - count:], "x": x, "y": y})
    return probes


def step_on(model, eps, x, y):
    return one_step(model, x, y, eps)


def transposed(attacks, targets, x, y):
    return [list(column) for column in zip(*transfer_matrix(attacks, targets, x, y), strict=True)]


def matrix_with(count):
    """The matrix whose cell is count(target, x_adv, x, y)."""
    def matrix(attacks, targets, x, y):
        made = [attack(x, y) for attack in attacks]
        return [[count(target, x_adv, x, y).float().mean().item() for target in targets] for x_adv in made]
    return matrix


def attacked_in_a_row(attacks, targets, x, y):
    """The mistake of attacking what the attack before has changed."""
    rows, x_adv = [], x
    for attack in attacks:
        x_adv = attack(x_adv, y)
        rows.append([(target(x_adv).argmax(1) != y).float().mean().item() for target in targets])
    return rows


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
        "every cell is the target's error on the source's images": equals(transfer_matrix, tolerance=1e-4, mistakes={
            "rows and columns have changed places: a row belongs to the source, a column to the target":
                transposed,
            "these are accuracies; wanted is the error, the share that the target reads wrong":
                matrix_with(lambda target, x_adv, x, y: target(x_adv).argmax(1) == y),
            "these are percentages; wanted are shares between 0 and 1":
                lambda **probe: [[100 * cell for cell in row] for row in transfer_matrix(**probe)],
            "these are counts; divide by the number of images":
                lambda **probe: [[len(probe["x"]) * cell for cell in row] for row in transfer_matrix(**probe)],
            "the targets were shown the clean images: give them what the attack returned":
                matrix_with(lambda target, x_adv, x, y: target(x).argmax(1) != y),
            "you count where the target changes its mind; count where it does not say y":
                matrix_with(lambda target, x_adv, x, y: target(x_adv).argmax(1) != target(x).argmax(1)),
            "images that the target misreads anyway are left out of the count: here every image counts":
                matrix_with(lambda target, x_adv, x, y: (target(x_adv).argmax(1) != y) & (target(x).argmax(1) == y)),
            "each attack starts from the images that the one before it changed: start from x every time":
                attacked_in_a_row,
        }),
    },
)
