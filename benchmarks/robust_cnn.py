"""An adversarially trained MNIST network for the benchmark: four minutes of CPU, once; kept in build/.

    python benchmarks/robust_cnn.py        # trains it, or loads it, and says how good it is
"""

from pathlib import Path

import torch

from advcourse import attacks, data, models
from advcourse.models.inference import accuracy
from advcourse.randomness import seeded
from advcourse.training.loop import cross_entropy_loss, fit

EPS, IMAGES, EPOCHS, WARM_UP, BATCH_SIZE = 0.3, 20_000, 10, 3, 100  # WARM_UP: epochs over which eps grows from 0
CACHE = Path(__file__).parent.parent / "build" / "benchmarks" / f"robust-cnn-{IMAGES}-images-{EPOCHS}-epochs.pt"


def load():
    """models.cnn, trained on PGD-7 examples at eps 0.3 (Madry et al., 2018): frozen, in eval mode, on the CPU."""
    with seeded(0):
        model = models.cnn()
    if CACHE.exists():
        model.load_state_dict(torch.load(CACHE, weights_only=True))
    else:
        _train(model)
        CACHE.parent.mkdir(parents=True, exist_ok=True)
        torch.save(model.state_dict(), CACHE)
    return model.requires_grad_(False).eval()


def _train(model):
    dataset = data.load("mnist")
    generator, step = torch.Generator().manual_seed(0), 0

    def pgd_loss(model, x, y):
        # Without the warm-up this small network answers the same class to everything.
        nonlocal step
        step += 1
        eps = EPS * min(1, step * BATCH_SIZE / IMAGES / WARM_UP)
        x_adv = attacks.pgd(model, x, y, eps=eps, steps=7, generator=generator)
        return cross_entropy_loss(model, x_adv, y)

    for epochs, learning_rate in ((EPOCHS - 2, 1e-3), (2, 2e-4)):
        fit(model, dataset.x_train[:IMAGES], dataset.y_train[:IMAGES], epochs=epochs, batch_size=BATCH_SIZE,
            learning_rate=learning_rate, loss=pgd_loss)


if __name__ == "__main__":
    model, dataset = load(), data.load("mnist")
    x, y = dataset.x_test[:1000], dataset.y_test[:1000]
    x_adv = attacks.pgd(model, x, y, eps=EPS, steps=40)
    print(f"of 1,000 test images right: {accuracy(model, x, y):.1%}; after PGD-40 at eps {EPS}: "
          f"{accuracy(model, x_adv, y):.1%}")
