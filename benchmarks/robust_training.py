"""What adversarial training costs above its floor, the passes that its formula asks for and nothing else.

    python benchmarks/robust_training.py          # one thread, two minutes; writes results/robust_training.json
    python benchmarks/robust_training.py --gpu    # MNIST's robust network in bfloat16, compiled: how long, how robust

The floor takes the same batches through the same network as often as the method does: towards the image for every step
of the attack, towards the weights for what is trained, and one step of Adam. Both are measured in turn, several times;
the ratio of the fastest runs counts.
The goal: an epoch of `training.fit` takes at most 1.15 times its floor.
"""

import argparse
import json
import platform
import time
from functools import partial
from pathlib import Path

import torch
from torch.nn import functional as F

from advcourse import data, models
from advcourse.defenses import adversarial_training as at
from advcourse.defenses import fast_training as fast
from advcourse.evaluate.robustness import robust_accuracy
from advcourse.models.inference import accuracy
from advcourse.randomness import seeded
from advcourse.training.loop import cross_entropy_loss, fit

RESULT = Path(__file__).parent / "results" / "robust_training.json"
IMAGES, BATCH_SIZE, REPEATS, EPS, GOAL = 2560, 128, 7, 0.3, 1.15

# name: (loss, passes towards the image, forward passes without gradient, passes towards the weights)
METHODS = {
    "ordinary": (cross_entropy_loss, 0, 0, 1),
    "goodfellow": (partial(at.goodfellow_loss, eps=EPS), 1, 0, 2),
    "kurakin": (partial(at.kurakin_loss, eps=EPS), 0.5, 0, 1),
    "fast": (partial(fast.fast_loss, eps=EPS), 1, 0, 1),
    "pgd, 7 steps": (partial(at.pgd_loss, eps=EPS), 7, 0, 1),
    "trades, 7 steps": (partial(at.trades_loss, eps=EPS), 7, 1, 2),
    "mart, 7 steps": (partial(at.mart_loss, eps=EPS), 7, 0, 2),
    "logit pairing, 7 steps": (partial(at.logit_pairing_loss, eps=EPS), 7, 0, 2),
}


def floor(x, y, to_image, without, to_weights):
    """CPU seconds of the passes alone: one epoch over x in batches, on a fresh network."""
    model = network().train()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    began = time.process_time()
    for x_batch, y_batch in zip(x.split(BATCH_SIZE), y.split(BATCH_SIZE), strict=True):
        model.requires_grad_(False)
        for step in range(-(-int(2 * to_image) // 2)):
            part = slice(0, round(min(1, to_image - step) * len(x_batch)))
            images = x_batch[part].detach().requires_grad_()
            torch.autograd.grad(F.cross_entropy(model(images), y_batch[part]), images)
        model.requires_grad_(True)
        with torch.no_grad():
            for _ in range(without):
                model(x_batch)
        sum(F.cross_entropy(model(x_batch), y_batch) for _ in range(to_weights)).backward()
        optimizer.step()
        optimizer.zero_grad()
    return time.process_time() - began


def epoch(x, y, loss):
    """CPU seconds of one epoch of `fit` on a fresh network."""
    model = network()
    began = time.process_time()
    fit(model, x, y, epochs=1, batch_size=BATCH_SIZE, loss=loss)
    return time.process_time() - began


def network():
    with seeded(0):
        return models.cnn()


def measure():
    """From a method's name to its seconds per epoch, those of its floor, and their ratio."""
    torch.set_num_threads(1)
    dataset = data.load("mnist")
    x, y = dataset.x_train[:IMAGES], dataset.y_train[:IMAGES]
    rows = {}
    for name, (loss, *passes) in METHODS.items():
        pairs = [(epoch(x, y, loss), floor(x, y, *passes)) for _ in range(REPEATS)]
        taken, least = (min(column) for column in zip(*pairs, strict=True))
        rows[name] = {"seconds": round(taken, 4), "floor": round(least, 4), "ratio": round(taken / least, 3),
                      "holds": taken <= GOAL * least}
        print(f"{name:24} {taken:7.3f} s, floor {least:7.3f} s, ratio {taken / least:.3f}", flush=True)
    return rows


def train_on_gpu(epochs=15):
    """Minutes, clean and robust accuracy of MNIST's robust network, trained in bfloat16 with compiled steps."""
    dataset = data.load("mnist")
    x, y = dataset.x_train.cuda(), dataset.y_train.cuda()
    model = network().cuda()
    batches = epochs * len(x) // 500 // 3
    began = time.perf_counter()
    with torch.autocast("cuda", torch.bfloat16):
        for part, learning_rate, loss in ((epochs - 4, 3e-3, at.warm_up(at.pgd_loss, eps=EPS, batches=batches)),
                                          (4, 3e-4, partial(at.pgd_loss, eps=EPS))):
            fit(torch.compile(model), x, y, epochs=part, batch_size=500, learning_rate=learning_rate, loss=loss)
    torch.cuda.synchronize()
    minutes = (time.perf_counter() - began) / 60
    model.requires_grad_(False)
    robust = robust_accuracy(model, dataset.x_test, dataset.y_test, eps=EPS)
    print(f"{minutes:.2f} minutes on {torch.cuda.get_device_name()}, clean "
          f"{accuracy(model, dataset.x_test, dataset.y_test):.2%}\n{robust}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gpu", action="store_true", help="train the robust network on a GPU in place of measuring")
    if parser.parse_args().gpu:
        train_on_gpu()
    else:
        rows = measure()
        RESULT.write_text(json.dumps({
            "goal": GOAL, "images": IMAGES, "batch_size": BATCH_SIZE, "repeats": REPEATS, "torch": torch.__version__,
            "cpu": f"{platform.machine()}, {torch.backends.cpu.get_cpu_capability()}, 1 thread", "methods": rows},
            indent=2) + "\n")
