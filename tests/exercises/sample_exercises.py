"""Notebook 99 for testing the engine and the harness: two exercises and a question, found once this is imported."""

from pathlib import Path

import torch
from torch import nn

from advcourse import exercises

exercises.__path__.append(str(Path(__file__).parent / "sample"))
one_step, why, accuracy = exercises.all_exercises("99")


def step(model, x, y, eps):
    images = x.clone().requires_grad_()
    loss = nn.functional.cross_entropy(model(images), y, reduction="sum")
    return (x + eps * torch.autograd.grad(loss, images)[0].sign()).clamp(0, 1)


def share(logits, y):
    return (logits.argmax(1) == y).float().mean().item()


def down(model, x, y, eps):
    return step(model, x, y, -eps)


def too_far(model, x, y, eps):
    return (x + 2 * eps * (step(model, x, y, 1e-3) - x).sign()).clamp(0, 1)


def unclipped(model, x, y, eps):
    return x + 4 * (step(model, x, y, eps) - x)


WRONG = {
    "99.1": [
        (down, "down the gradient"),
        (too_far, "leaves the ε-ball"),
        (unclipped, "leaves the ε-ball"),
        (lambda model, x, y, eps: x + 2, "is no image"),
        (lambda model, x, y, eps: None, "does it end with `return"),
        (lambda model, x, y: x, "put the `def` line back"),
    ],
    "99.10": [
        (lambda logits, y: 1 - share(logits, y), "error rate"),
        (lambda logits, y: 100 * share(logits, y), "percentage"),
        (lambda logits, y: logits.argmax(1) == y, "returned a tensor of shape (9,); a number is wanted"),
        (lambda logits, y: str(share(logits, y)), "a string"),
        (lambda logits, y: logits.argmax(0) == y, "RuntimeError"),
        (lambda logits, y: print, "a function"),
    ],
}


def other_step(model, x, y, eps):
    images = x.detach().clone()
    images.requires_grad = True
    nn.functional.cross_entropy(model(images), y).backward()
    return torch.clamp(images + eps * torch.sign(images.grad), 0, 1)


RIGHT = {"99.1": [other_step], "99.10": [lambda logits, y: (logits.argmax(1) == y).double().mean()]}
