"""How well a small network stands an attack when it was trained on a loss: what the tests of all trainings measure."""

from advcourse import attacks, models
from advcourse.models.inference import accuracy
from advcourse.randomness import seeded
from advcourse.training.loop import fit


def robust(loss, task, epochs=12, **options):
    """Accuracies of a small network trained on this loss: clean, and under PGD at eps 0.1."""
    x, y, x_test, y_test = task
    with seeded(1):
        model = models.mlp((1, 8, 8), 3, hidden=32)
    fit(model, x, y, epochs=epochs, batch_size=100, learning_rate=3e-3, loss=loss, **options)
    x_adv = attacks.pgd(model, x_test, y_test, eps=0.1, steps=20)
    return accuracy(model, x_test, y_test), accuracy(model, x_adv, y_test)
