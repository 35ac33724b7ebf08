"""Strings from frames (CTC): a network names a symbol or a blank in each frame, and repeats are one symbol.

"1 1 _ 1" reads 11: equal neighbours are one, then the blanks go. So the target 11 needs three frames, and a loss for a
target that does not fit is infinite. (PyTorch's zero_infinity=True makes it 0, with a gradient of 0, which looks like
success.)

Graves et al., "Connectionist temporal classification", ICML 2006.
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn import functional as F

from advcourse.attacks import contract
from advcourse.attacks.contract import Best, Model, attacking, check, fresh, input_gradient
from advcourse.attacks.gradient import stepper

BLANK = 0  # class c is symbol c + 1
String = tuple[int, ...]


def decode(log_probs: Tensor) -> list[String]:
    """Each sound's string, by the likeliest symbol of each frame; log_probs: (N, frames, 1 + K), the blank first."""
    strings = []
    for path in log_probs.argmax(2):
        path = torch.unique_consecutive(path)
        strings.append(tuple((path[path != BLANK] - 1).tolist()))
    return strings


def frames_needed(target: Sequence[int]) -> int:
    """How many frames a string takes at least: one for each symbol and a blank between equal neighbours."""
    return len(target) + sum(a == b for a, b in pairwise(target))


def check_targets(targets: Sequence[Sequence[int]], log_probs: Tensor) -> None:
    """ValueError unless there is one string of classes for each sound, and each fits into the frames there are."""
    count, frames, symbols = log_probs.shape
    if len(targets) != count:
        raise ValueError(f"there must be one target string for each of {count} sounds; got {len(targets)}")
    for target in targets:
        if not all(isinstance(c, int) and 0 <= c < symbols - 1 for c in target):
            raise ValueError(f"a target must hold classes from 0 to {symbols - 2}; got {tuple(target)}")
        if frames_needed(target) > frames:
            raise ValueError(f"the target {tuple(target)} needs {frames_needed(target)} frames, with a blank between "
                             f"equal neighbours; the sound has {frames}: it cannot be reached")


def ctc_loss(log_probs: Tensor, targets: Sequence[Sequence[int]]) -> Tensor:
    """−log of the probability of each target over all its paths, shape (N,); log_probs: (N, frames, 1 + K).

    Raises ValueError for a target that no path spells.
    """
    check_targets(targets, log_probs)
    flat = torch.tensor([c + 1 for target in targets for c in target], device=log_probs.device, dtype=torch.int64)
    frames = torch.full((len(targets),), log_probs.shape[1], dtype=torch.int64)
    lengths = torch.tensor([len(target) for target in targets], dtype=torch.int64)
    return F.ctc_loss(log_probs.transpose(0, 1), flat, frames, lengths, blank=BLANK, reduction="none")


def error_rate(found: Sequence[String], wanted: Sequence[String]) -> float:
    """Insertions, deletions and substitutions over all strings, per symbol that was wanted (Levenshtein)."""
    mistakes = sum(_distance(a, b) for a, b in zip(found, wanted, strict=True))
    return mistakes / sum(map(len, wanted))


def _distance(a, b):
    row = list(range(len(b) + 1))
    for i, x in enumerate(a):
        before, row[0] = row[0], i + 1
        for j, y in enumerate(b):
            before, row[j + 1] = row[j + 1], min(before + (x != y), row[j] + 1, row[j + 1] + 1)
    return row[-1]


def towards_string(model: Model, x: Tensor, targets: Sequence[Sequence[int]], *, eps: float | Tensor,
                   steps: int = 120, step_size: float | None = None) -> Tensor:
    """PGD on a waveform until it is transcribed as the target: steps down the CTC loss in an ℓ∞ ball.

        x_{t+1} = Π(x_t − step_size · sign(∇_x L(x_t, target)))                from x itself

    model: from waveforms in [-1, 1], shape (N, T), to log-probabilities, (N, frames, 1 + K), the blank first.
    x: such waveforms. targets: a string of classes for each. eps: the radius, or radii as of `levels.budget`.
    steps: at least 1. step_size: above 0; None: 2.5 eps / steps.
    Returns x_adv, detached, in the ball and in [-1, 1]: of lowest loss of those that are transcribed as wanted, else of
    lowest loss.
    Raises ValueError where an argument is not as said here, and for a target that does not fit into the frames.
    Cost: steps + 1 forward and steps backward passes.

    After Carlini and Wagner, "Audio adversarial examples: targeted attacks on speech-to-text", 2018; they minimise the
    level, too, one sound at a time.
    """
    box = check(x, low=-1, high=1, steps=steps)
    eps = contract.radii(eps, x, "linf")
    contract.check_positive(step_size=step_size)
    x, targets = fresh(x), [tuple(target) for target in targets]
    if not len(x):
        return x
    step, best, x_adv = stepper(x, eps, "linf", 2.5 * eps / steps if step_size is None else step_size, box), Best(x), x
    with attacking(model) as ask:
        for k in range(steps + 1):
            log_probs, loss, gradient = input_gradient(ask, x_adv, lambda found: ctc_loss(found, targets))
            reached = torch.tensor([a == b for a, b in zip(decode(log_probs), targets, strict=True)], device=x.device)
            best.update(x_adv, -loss, reached)
            if k < steps:
                x_adv = step(x_adv, -gradient, slice(None))
    return best.x_adv
