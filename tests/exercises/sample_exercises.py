"""Two exercises and a question, as a notebook would have them, for testing the engine and the harness."""

import torch
from torch import nn

from advcourse.exercises import Exercise, Question
from advcourse.exercises.properties import equals, in_ball, in_unit_range


def step(model, x, y, eps):
    x = x.clone().requires_grad_()
    loss = nn.functional.cross_entropy(model(x), y, reduction="sum")
    return (x + eps * torch.autograd.grad(loss, x)[0].sign()).clamp(0, 1)


def step_probes(generator):
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, 3))
    with torch.no_grad():
        model[1].weight.copy_(torch.randn(3, 16, generator=generator))
    return [{"model": model, "x": torch.rand(count, 1, 4, 4, generator=generator),
             "y": torch.randint(3, (count,), generator=generator), "eps": eps} for count, eps in ((3, 0.1), (1, 0.3))]


one_step = Exercise(
    number="99.1", title="One step", points=5, minutes=10,
    hints=(("Where do I start?", "With the gradient:\n\n`torch.autograd.grad`"), ("And then?", "Its sign."),
           ("All?", "Clip.")),
    reference=step, probes=step_probes,
    properties={
        "stays within ε of x": in_ball("linf"),
        "stays in [0, 1]": in_unit_range,
        "is one step up the gradient": equals(step, {
            "you went down the gradient: add the step": lambda model, x, y, eps: step(model, x, y, -eps)}),
    })


def share(logits, y):
    return (logits.argmax(1) == y).float().mean().item()


accuracy = Exercise(
    number="99.10", title="Accuracy", points=2, minutes=1, hints=(("1?", "one"), ("2?", "two"), ("3?", "three")),
    reference=share,
    probes=lambda generator: [{"logits": torch.randn(9, 4, generator=generator), "y": torch.arange(9) % 4}],
    properties={"is the share of right answers": equals(share, {
        "that is the error rate": lambda logits, y: 1 - share(logits, y),
        "that is a percentage: divide by 100": lambda logits, y: 100 * share(logits, y)})})


why = Question(
    number="99.2", title="Why?", text="Why does $w^T\\delta$ **grow**?", points=2,
    choices=(("It has more terms.", "Each term adds ε."), ("By chance.", "Chance would cancel."),
             ("It does not.", "Measure it.")))


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
