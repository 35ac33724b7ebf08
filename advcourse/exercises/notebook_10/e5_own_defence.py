"""10.5: a defence, graded adaptively."""

import functools
import warnings

import torch
from torch import nn
from torch.nn import functional as F

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.kinds import LAYERS, is_plain_network

EPS, CLASSES = 0.15, 3
LEAST_ACCURACY, LEAST_ROBUST = 0.8, 0.6


def flags(count, generator):
    """Images of three kinds of flag, 6 x 6, and their labels.

    A bold stripe in the left two columns, which noise may spoil, and faint marks in the right four, which never lie.
    """
    y = torch.randint(CLASSES, (count,), generator=generator)
    x = torch.full((count, 1, 6, 6), 0.5)
    rows = torch.arange(6)
    bold = (rows // 2 == y[:, None]).float()[:, None, :, None].expand(-1, 1, 6, 2)  # in rows 0-1, 2-3 or 4-5
    faint = ((rows[:, None] * 4 + torch.arange(4)) % CLASSES == y[:, None, None]).float()[:, None]
    x[..., :2] += 0.5 * (bold - 0.33) + 0.22 * torch.randn(count, 1, 6, 2, generator=generator)
    x[..., 2:] += 0.1 * (faint - 0.33) + 0.03 * torch.randn(count, 1, 6, 4, generator=generator)
    return x.clamp(0, 1), y


def plain_network():
    return nn.Sequential(nn.Flatten(), nn.Linear(36, 16), nn.ReLU(), nn.Linear(16, CLASSES))


def defend(x, y, eps):
    torch.manual_seed(0)
    model = plain_network()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.03)
    for _ in range(60):
        x_adv = x.clone().requires_grad_()
        for _ in range(2):
            gradient = torch.autograd.grad(F.cross_entropy(model(x_adv), y), x_adv)[0]
            x_adv = (x_adv + 0.7 * eps * gradient.sign()).clamp(x - eps, x + eps).clamp(0, 1).detach().requires_grad_()
        optimizer.zero_grad()
        F.cross_entropy(model(x_adv), y).backward()
        optimizer.step()
    return model.requires_grad_(False)


def defend_probes(generator):
    x, y = flags(400, generator)
    return [{"x": x, "y": y, "eps": EPS}]


@functools.lru_cache(maxsize=4)
def examine(defended, seed):
    """(audit or None, robust accuracy, clean accuracy, problem) of a defended model on images that nobody has seen."""
    from advcourse import evaluate

    x, y = flags(40, torch.Generator().manual_seed(seed))
    try:
        clean = evaluate.accuracy(defended, x, y)
        if clean < LEAST_ACCURACY:
            return None, 0.0, clean, None
        found = evaluate.audit(defended, x, y, eps=EPS, steps=20, queries=100)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # attacks on images that stand meet flat gradients
            robust = evaluate.robust_accuracy(defended, x, y, eps=EPS).accuracy if found.passed else 0.0
        return found, robust, clean, None
    except (ValueError, RuntimeError, IndexError, TypeError, AttributeError) as error:
        return None, 0.0, 0.0, f"your defended model cannot be asked: {error}"


def examined(probe, result):
    # The images come from the seed of the judging: in a grading that is the instructor's secret, and no probe tells it.
    return examine(result, torch.initial_seed() % 2**31 + 1)


def reads_new_images(probe, result):
    found, _, clean, problem = examined(probe, result)
    if problem:
        return problem
    if clean < LEAST_ACCURACY:
        return (f"it reads only {clean:.0%} of new, unchanged images; at least {LEAST_ACCURACY:.0%} are wanted: a "
                "defence must not give up the task")
    return None if found.passed else "not counted, as its gradients are masked"


def hides_nothing(probe, result):
    found, _, _clean, problem = examined(probe, result)
    if problem or not found:
        return problem or "not audited, as it reads too few unchanged images"
    if found.passed:
        return None
    first = found.failed[0]
    best = min(found.accuracies, key=found.accuracies.get)
    best = best.replace("other loss", "another loss (DLR)")
    broken = f" It was broken by {best}: {found.accuracy:.0%} are left." if found.accuracy < LEAST_ROBUST else ""
    return f"the audit fails “{first.test}” ({first.measured}). {first.advice}{broken} Masked gradients earn nothing"


def withstands(probe, result):
    found, robust, _clean, problem = examined(probe, result)
    if problem or not found:
        return problem or "not attacked, as it reads too few unchanged images"
    if not found.passed:
        return "not counted, as its gradients are masked"
    if robust < LEAST_ROBUST:
        return (f"it hides nothing and withstands little: {robust:.0%} of new images stand all attacks, at least "
                f"{LEAST_ROBUST:.0%} are wanted. Train on adversarial examples, made anew in every step")
    if not is_plain_network(result):
        return ("it withstands, but a function cannot be graded without running it: return an nn.Sequential of "
                f"{', '.join(LAYERS)}")
    return None


exercise = Exercise(
    number="10.5",
    title="A defence that is attacked",
    points=6,
    minutes=30,
    hints=(
        ("What can work at all?",
         "Anything that makes the network rely on the bold stripes, which ε = 0.15 "
         "cannot erase, and not on the faint marks, which it can. Adversarial training does; "
         "so does a linear model with the closed form of notebook 01."),
        ("How does adversarial training go?",
         "In every step: from x go up the loss for a step or two of the gradient's sign, stay within ε and [0, 1], "
         "and train on the result."),
        ("Show me nearly all of it.",
         "`model = nn.Sequential(nn.Flatten(), nn.Linear(36, 16), nn.ReLU(), nn.Linear(16, "
         "3))`, Adam with `lr=0.03`, some sixty steps; in each `x_adv` from three steps of `0.7 * eps` times the "
         "gradient's sign, clamped to `x - eps`, `x + eps` and to [0, 1]; then the cross-entropy of `model(x_adv)`, "
         "`backward()`, `step()`."),
    ),
    reference=defend,
    probes=defend_probes,
    properties={
        f"it reads at least {LEAST_ACCURACY:.0%} of new images": reads_new_images,
        "it hides nothing: the audit passes": hides_nothing,
        f"at least {LEAST_ROBUST:.0%} of new images stand every attack": withstands,
    },
)
