"""10.5: a defence, graded adaptively."""

import traceback
import warnings

import torch
from torch import nn
from torch.nn import functional as F

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.kinds import LAYERS, is_plain_network
from advcourse.exercises.probes import one_step

EPS, CLASSES = 0.3, 3
LEAST_ACCURACY, LEAST_ROBUST = 0.9, 0.6


def flags(count, generator):
    """Images of three kinds of flag, 6 x 6, and their labels: which of three stripes differs from the other two.

    It is light on dark or dark on light, so that no linear model can tell, and 0.8 apart, so that ε does not erase it.
    """
    y = torch.randint(CLASSES, (count,), generator=generator)
    stripe = 2 * (torch.arange(6) // 2 == y[:, None]).float() - 1
    sign = 2 * torch.randint(2, (count, 1), generator=generator) - 1
    x = 0.5 + 0.4 * (sign * stripe)[:, None, :, None] + 0.1 * torch.randn(count, 1, 6, 6, generator=generator)
    return x.clamp(0, 1), y


def defend(x, y, eps):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(36, 64), nn.ReLU(), nn.Linear(64, CLASSES))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for step in range(120):
        radius = eps * min(1, (step + 1) / 60)
        x_adv = x.clone()
        for _ in range(5):
            x_adv.requires_grad_()
            gradient = torch.autograd.grad(F.cross_entropy(model(x_adv), y), x_adv)[0]
            x_adv = (x_adv + 0.5 * radius * gradient.sign()).clamp(x - radius, x + radius).clamp(0, 1).detach()
        optimizer.zero_grad()
        F.cross_entropy(model(x_adv), y).backward()
        optimizer.step()
    return model.requires_grad_(False)


def defend_probes(generator):
    x, y = flags(400, generator)
    return [{"x": x, "y": y, "eps": EPS}]


def withstands(probe, result):
    from advcourse import evaluate
    from advcourse.evaluate.auditing import OF_THE_MODEL

    # The images come from the seed of the judging: in a grading that is the instructor's secret, and no probe tells it.
    x, y = flags(50, torch.Generator().manual_seed(torch.initial_seed() % 2**31 + 1))
    try:
        clean = evaluate.accuracy(result, x, y)
        if clean < LEAST_ACCURACY:
            return (f"it reads only {clean:.0%} of new, unchanged images; at least {LEAST_ACCURACY:.0%} are wanted: a "
                    "defence must not give up the task. (A network that is thrown into the full ε-ball at once gives "
                    "the same answer to everything: let ε grow from 0 over the first half of the training)")
        found = evaluate.audit(result, x, y, eps=EPS, steps=20, queries=100)
        robust, hidden = found.accuracy, [finding for finding in found.failed if finding.test in OF_THE_MODEL]
        if robust >= LEAST_ROBUST and not hidden:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", RuntimeWarning)  # attacks on images that stand meet flat gradients
                robust = evaluate.robust_accuracy(result, x, y, eps=EPS).accuracy
        if robust < LEAST_ROBUST:  # else chance, on so few images, put one attack before another
            # What another loss finds, robust_accuracy finds, too; and where the gradient succeeds it hides nothing.
            hidden += [finding for finding in found.failed
                       if finding.test not in (*OF_THE_MODEL, "another loss finds no more")]
        if hidden and found.accuracies.get("gradient", 1) >= LEAST_ROBUST:
            return hides(found, hidden[0])
        if robust < LEAST_ROBUST:
            return falls(robust, evaluate.accuracy(result, one_step(result, x, y, EPS), y))
    except (Exception, SystemExit) as error:  # whatever a student's model raises
        raised = " ".join("".join(traceback.format_exception_only(error)).split()).replace("`", "'")[:300]
        return f"your defended model cannot be asked: it raises `{raised}`"
    if not is_plain_network(result):
        return ("it withstands, but a function cannot be graded without running it: return an nn.Sequential of "
                f"{', '.join(LAYERS)}")
    return None


def hides(found, first):
    """What is said of a model that fails the audit, first by this finding."""
    best = min(found.accuracies, key=found.accuracies.get).replace("other loss", "another loss (DLR)")
    broken = f" It was broken by {best}: {found.accuracy:.0%} are left." if found.accuracy < LEAST_ROBUST else ""
    return f"the audit fails “{first.test}” ({first.measured}). {first.advice}{broken} Masked gradients earn nothing"


def falls(robust, after_one_step):
    """What is said of a model that hides nothing and withstands too little."""
    wanted = f"{robust:.0%} of new images stand all attacks, at least {LEAST_ROBUST:.0%} are wanted"
    if after_one_step > max(0.5, robust + 0.2):
        return (f"it stands single steps, after which {after_one_step:.0%} are right, and not many: {wanted}. A "
                "network that trains on one large step learns the corners of the ball, and with a smaller ε a smaller "
                "ball: train on several steps, with the whole ε in the end")
    return (f"it withstands little: {wanted}. Train on adversarial examples, with the whole ε, made anew in every step "
            "by several steps of the gradient's sign")


exercise = Exercise(
    number="10.5",
    title="A defence that is attacked",
    points=6,
    minutes=30,
    hints=(
        ("What can work at all?",
         "Adversarial training. The stripes differ by 0.8, and ε = 0.3 moves each side by that much at most: there is "
         "a right answer in every ball. But a single step of ε goes to a corner of the ball, and the network learns "
         "the corners: take several smaller steps, as PGD does."),
        ("How does adversarial training go?",
         "In every step: from x go up the loss for about five steps of the gradient's sign, stay within ε and [0, 1], "
         "and train on the result. Let ε grow from 0 over the first half, or the network gives up; and give it enough "
         "hidden units, more than the 16 of other notebooks."),
        ("Show me nearly all of it.",
         "`model = nn.Sequential(nn.Flatten(), nn.Linear(36, 64), nn.ReLU(), nn.Linear(64, 3))`, Adam with `lr=0.01`, "
         "some 120 steps; in each `radius = eps * min(1, (step + 1) / 60)`, and `x_adv` from five steps of `0.5 * "
         "radius` times the gradient's sign, clamped to `x - radius`, `x + radius` and to [0, 1]; then the "
         "cross-entropy of `model(x_adv)`, `backward()`, `step()`."),
    ),
    reference=defend,
    probes=defend_probes,
    properties={
        f"at least {LEAST_ROBUST:.0%} of new images stand every attack, and nothing is hidden": withstands,
    },
)
