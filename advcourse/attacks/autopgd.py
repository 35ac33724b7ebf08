"""Auto-PGD: projected gradient ascent that chooses its own step size, so that nothing is left to tune.

It starts with a huge step of 2 eps and looks back at fixed checkpoints: where the loss has stopped rising, the step
halves and the search returns to the best image so far. A momentum term smooths the path, and the DLR loss, a margin on
a scale that the model's confidence cannot change, keeps the gradient alive where that of the cross-entropy has
vanished.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Literal

import torch
from torch import Tensor

from advcourse.attacks import contract, geometry
from advcourse.attacks.cards import AttackCard
from advcourse.attacks.contract import Model, Norm
from advcourse.attacks.gradient import is_flat
from advcourse.attacks.losses import cross_entropy, fools, margin


def apgd(model: Model, x: Tensor, y: Tensor, *, eps: float, norm: Norm = "linf", loss: Literal["ce", "dlr"] = "ce",
         steps: int = 100, restarts: int = 1, targeted: bool = False, stop_when_fooled: bool = False, low: float = 0,
         high: float = 1, generator: torch.Generator | None = None) -> Tensor:
    """Auto-PGD inside the ball of radius eps around each image.

        z       = P(x_k + step · direction(∇f(x_k)))            P: the nearest allowed image
        x_{k+1} = P(x_k + 3/4 (z − x_k) + 1/4 (x_k − x_{k−1}))
        at each checkpoint: step ← step / 2 and x ← the best image, where the loss rose in fewer than 3/4 of the steps,
        or where neither the step nor the best loss has changed since the checkpoint before

    model: from images in [low, high], shape (N, ...), to logits (N, K).
    x: such images. y: their labels, shape (N,), int64; with targeted=True the labels to reach.
    eps: the radius of the ball, at least 0. norm: "linf", "l2" or "l1".
    loss: f, "ce", the cross-entropy (targeted: minus that of y), or "dlr", the difference of logits ratio with z_1 >=
        z_2 >= ... the sorted logits: −(z_y − max_{i≠y} z_i) / (z_1 − z_3), targeted (z_y − max_{i≠y} z_i) / (z_1 −
        (z_3 + z_4) / 2); with three classes z_1 − z_3 for both, with two classes the margin as it is.
    steps: of each run, at least 1. restarts: random starts, at least 1, of which each image keeps the best.
    stop_when_fooled: an image leaves at its first success: much faster, but not the strongest x_adv.
    low, high: the ends of the valid range: 0 and 1 for images, −1 and 1 for waveforms.
    generator: of the starts, on x's device. None: a fresh one of seed 0, the same numbers in every call.
    Returns x_adv: detached, in the ball and the box: the image of highest loss among those that fool, else of highest
        loss.
    Raises ValueError where an argument is not as said here, or y does not fit the logits, or these carry no gradient.
    Cost: per image and restart `steps` forward and backward passes and 1 forward.

    Croce, Hein, "Reliable evaluation of adversarial robustness with an ensemble of diverse parameter-free attacks",
    ICML 2020, Algorithm 1, equations (6) and (7); norm="l1": Croce, Hein, "Mind the box", ICML 2021: sparse steps,
    three stages at radius 3 eps, 2 eps, eps.
    Differs: the start is uniform in the ball (l1: Gaussian noise, projected); the targeted DLR puts the largest other
    logit in the place of the true label's, so that it ends at the target.
    """
    box = contract.check(x, y, eps=eps, norm=norm, norms=contract.BALL_NORMS, low=low, high=high, steps=steps,
                         restarts=restarts)
    if loss not in ("ce", "dlr"):
        raise ValueError(f"loss must be one of 'ce', 'dlr'; got {loss!r}")
    generator = contract.generator_for(x, generator)
    x = contract.fresh(x)
    if len(x) == 0:
        return x
    goal = Goal(_loss(loss, targeted), partial(fools, targeted=targeted), eps, norm, stop=stop_when_fooled, box=box)
    with contract.attacking(model) as ask:
        best = contract.Best(x)
        todo = torch.arange(len(x), device=x.device)
        for _ in range(restarts):
            found = search(ask, x[todo], (y[todo],), goal, steps=steps, generator=generator)
            best.update(found.x_adv, found.loss, found.fooled, todo)
            if stop_when_fooled:
                todo = (~best.fooled).nonzero()[:, 0]
                if len(todo) == 0:
                    break
        return best.x_adv


# Losses: one number per image; labels (y,) or, for the targeted DLR of the ensemble, (y, target)

def dlr(logits: Tensor, y: Tensor) -> Tensor:
    """The difference of logits ratio, equation (6): −(z_y − max_{i≠y} z_i) / (z_1 − z_3), shape (N,)."""
    return -margin(logits, y) / _spread(logits, 3)


def dlr_towards(logits: Tensor, y: Tensor) -> Tensor:
    """The same for a class y to reach: (z_y − max_{i≠y} z_i) / (z_1 − (z_3 + z_4) / 2), shape (N,)."""
    return margin(logits, y) / _spread(logits, 4)


def dlr_from_to(logits: Tensor, y: Tensor, target: Tensor) -> Tensor:
    """The targeted DLR loss, equation (7): −(z_y − z_target) / (z_1 − (z_3 + z_4) / 2), shape (N,)."""
    difference = logits.gather(1, target[:, None]) - logits.gather(1, y[:, None])
    return difference[:, 0] / _spread(logits, 4)


def _spread(logits, ranks):
    """The ratio's denominator: z_1 − z_3, or z_1 − (z_3 + z_4) / 2; 1 where there are only two classes."""
    if logits.shape[1] < 3:
        return torch.ones_like(logits[:, 0])
    top = logits.topk(min(ranks, logits.shape[1]), dim=1).values
    return top[:, 0] - top[:, 2:].mean(1) + 1e-12


def _loss(name, targeted):
    if name == "dlr":
        return dlr_towards if targeted else dlr
    return (lambda logits, y: -cross_entropy(logits, y)) if targeted else cross_entropy


# The search

@dataclass(frozen=True)
class Goal:
    """What a search climbs, in which ball, and when an image may leave it."""

    loss: Callable[..., Tensor]  # from (logits, *labels) to one number per image, (N,)
    success: Callable[..., Tensor]  # from (logits, *labels) to bool, (N,)
    eps: float
    norm: Norm
    stop: bool  # an image leaves at its first success
    give_up: bool = False  # an image leaves where it seems hopeless; for a loss that is above 0 where it has succeeded
    box: geometry.Box = geometry.UNIT

    def project(self, x_adv: Tensor, x: Tensor) -> Tensor:
        """The allowed images nearest to x_adv."""
        return geometry.project(x_adv, x, self.eps, self.norm, self.box)


@dataclass
class State:
    """What the search remembers, one row per image that is still in the batch."""

    index: torch.Tensor  # its place in the whole batch
    x: torch.Tensor
    labels: tuple  # of tensors, each of shape (N,)
    low: torch.Tensor  # for linf, the smallest and largest allowed image
    high: torch.Tensor
    x_adv: torch.Tensor
    previous: torch.Tensor
    step_size: torch.Tensor
    gradient: torch.Tensor
    loss: torch.Tensor
    best: torch.Tensor  # the image of highest loss, with its loss and gradient
    best_loss: torch.Tensor
    best_gradient: torch.Tensor
    rises: torch.Tensor  # since the last checkpoint: steps on which the loss rose
    checked_loss: torch.Tensor  # at the last checkpoint: the best loss, and whether the step was halved
    halved: torch.Tensor
    share: torch.Tensor  # for l1: the share of pixels that a step changes, and how many the best image changed
    changed: torch.Tensor

    def keep(self, mask):
        """Only the images where mask, shape (N,), is True."""
        for field in fields(self):
            value = getattr(self, field.name)
            setattr(self, field.name, tuple(v[mask] for v in value) if isinstance(value, tuple) else value[mask])


# An image is given up where its best loss plus so many times its last gain stays below so much.
AT_A_CHECKPOINT = 5, -.2
EARLY = 10, -.5


def search(ask: Model, x: Tensor, labels: tuple[Tensor, ...], goal: Goal, *, steps: int,
           generator: torch.Generator) -> contract.Best:
    """One random start of Auto-PGD on images x, shape (N, ...), N >= 1, with the model that `attacking` lends.

    labels: tensors (N,) that the goal's loss and success receive. With goal.give_up an image leaves where

        best_k + 5 gain_k < −0.2      at a checkpoint k;    gain_k = best_k − best_j,  j the checkpoint before
        best_k + 10 gain_k < −0.5     at k = 11 % of the steps, j = 5 % of them        (not in l1, nor below 20 steps)

    with best_k the highest loss after k steps. At the first checkpoint, which has no j, nobody leaves.
    Returns the best image of each.
    """
    if goal.norm != "l1":
        start = geometry.random_start(x, goal.eps, goal.norm, generator, goal.box)
        return _climb(ask, x, labels, goal, start=start, steps=steps)[0]
    # The l1 ball inside the box has corners that trap the search: come from outside, through larger balls.
    stage = math.ceil(.3 * steps)
    x_adv = x + goal.box.width * torch.randn(x.shape, generator=generator, device=x.device, dtype=x.dtype)
    larger = (3 * goal.eps, 2 * goal.eps) if steps >= 4 else ()
    for radius in larger:
        outer = replace(goal, eps=radius, stop=False, give_up=False)
        x_adv = _climb(ask, x, labels, outer, start=outer.project(x_adv, x), steps=stage)[1]
    return _climb(ask, x, labels, goal, start=goal.project(x_adv, x), steps=steps - stage * len(larger))[0]


def _climb(ask, x, labels, goal, *, start, steps):
    """Algorithm 1 from the given start. Returns (the contract.Best of all images, the images of highest loss)."""
    found, highest = contract.Best(x), x.clone()
    state = _state(x, labels, start, goal)
    checkpoints = _checkpoints(steps, goal.norm)
    early = () if goal.norm == "l1" or steps < 20 else (steps // 20, round(.11 * steps))
    flat = torch.ones(len(x), dtype=torch.bool, device=x.device)
    for k in range(steps + 1):
        logits = _evaluate(ask, state, goal.loss if k else _checked(goal.loss), last=k == steps)
        if k == 0:
            flat = is_flat(state.gradient)
        fooled = goal.success(logits, *state.labels)
        if not goal.stop:
            found.update(state.x_adv, state.loss, fooled)
        else:
            _leave(found, state, fooled if k < steps else torch.ones_like(fooled), fooled)
            if k < steps and bool(fooled.any()):
                highest[state.index] = state.best
                state.keep(~fooled)
        if k == steps or len(state.index) == 0:
            break
        if goal.give_up and (k in early or k in checkpoints):
            _drop_hopeless(found, state, *EARLY if k in early else AT_A_CHECKPOINT)
            if len(state.index) == 0:
                break
            if k in early:  # the second look compares with the first; the first checkpoint with nothing
                state.checked_loss = state.best_loss if k == early[0] else torch.full_like(state.best_loss, -math.inf)
        if k in checkpoints:
            (_check_sparsity if goal.norm == "l1" else _check_progress)(state, checkpoints[k], goal.eps)
        _step(state, goal, first=k == 0)
    highest[state.index] = state.best
    contract.warn_if_flat(flat & ~found.fooled)
    return found, highest


def _state(x, labels, start, goal):
    zeros, rows = torch.zeros_like(x), x.new_zeros(len(x))
    low, high = geometry.bounds(x, goal.eps, goal.box) if goal.norm == "linf" else (rows, rows)
    changed = geometry.distance(start, x, "l0").to(x.dtype)
    return State(
        index=torch.arange(len(x), device=x.device), x=x, labels=labels, low=low, high=high,
        x_adv=start, previous=start, gradient=zeros, loss=rows + math.inf,
        step_size=torch.full_like(rows, goal.eps if goal.norm == "l1" else 2 * goal.eps),
        best=start, best_loss=rows - math.inf, best_gradient=zeros,
        rises=rows, checked_loss=rows - math.inf, halved=rows > -1,
        share=changed / (1.5 * x[0].numel()), changed=changed)


def _evaluate(ask, state, loss, *, last):
    """The logits at x_adv; enters its loss and gradient into the state, and into the best where it is one."""
    if last:
        with torch.no_grad():
            logits = contract.at_least_float32(ask(state.x_adv))
            losses, gradient = loss(logits, *state.labels), state.gradient
    else:
        logits, losses, gradient = contract.input_gradient(ask, state.x_adv,
                                                           lambda logits: loss(logits, *state.labels))
    losses = torch.nan_to_num(losses.to(state.x.dtype), nan=-math.inf)
    state.rises = state.rises + (losses > state.loss)
    better = losses > state.best_loss
    pixels = geometry.per_example(better, state.x)
    state.best = torch.where(pixels, state.x_adv, state.best)
    state.best_gradient = torch.where(pixels, gradient, state.best_gradient)
    state.best_loss = torch.where(better, losses, state.best_loss)
    state.loss, state.gradient = losses, gradient
    return logits


def _checked(loss):
    """The loss, after a look at whether the model returns logits that the labels fit."""
    def checked(logits, y, *more):
        contract.labels_fit(logits, y)
        return loss(logits, y, *more)
    return checked


def _step(state, goal, *, first):
    """Move x_adv: a gradient step, projected; but for l1, 3/4 of it and 1/4 of the step before, projected again."""
    size = geometry.per_example(state.step_size, state.x)
    if goal.norm == "l1":
        state.x_adv = goal.project(state.x_adv + size * _sparse_direction(state.gradient, state.share), state.x)
        return
    moved = _back(state.x_adv + size * geometry.normalise(state.gradient, goal.norm), state, goal)
    if not first:
        moved = _back(state.x_adv + .75 * (moved - state.x_adv) + .25 * (state.x_adv - state.previous), state, goal)
    state.previous, state.x_adv = state.x_adv, moved


def _back(x_adv, state, goal):
    return torch.clamp(x_adv, state.low, state.high) if goal.norm == "linf" else goal.project(x_adv, state.x)


def _sparse_direction(gradient, share):
    """The signs of each image's largest `share` of gradient entries, scaled to l1 norm 1."""
    size = gradient.flatten(1).abs()
    count = (share * size.shape[1]).long().clamp(1, size.shape[1])
    smallest = size.topk(int(count.max()), dim=1).values.gather(1, count[:, None] - 1)
    signs = gradient.flatten(1).sign() * (size >= smallest)
    return (signs / signs.abs().sum(1, keepdim=True).clamp_min(1)).view(gradient.shape)


# Checkpoints

def _checkpoints(steps, norm):
    """{step: steps since the checkpoint before}.

    The first at 22 % of the steps, then in intervals that shrink by 3 % of them down to 6 %; l1: every 4 %.
    """
    interval = max(int((.04 if norm == "l1" else .22) * steps), 1)
    checkpoints, k = {}, 0
    while k + interval <= steps:
        k += interval
        checkpoints[k] = interval
        if norm != "l1":
            interval = max(interval - max(int(.03 * steps), 1), max(int(.06 * steps), 1))
    return checkpoints


def _check_progress(state, interval, eps):
    """Halve the step and return to the best image, where the loss rose too seldom or nothing has changed."""
    stuck = ~state.halved & (state.best_loss <= state.checked_loss)
    halve = (state.rises <= .75 * interval) | stuck
    _return_to_best(state, halve)
    state.step_size = torch.where(halve, state.step_size / 2, state.step_size)
    state.rises = torch.zeros_like(state.rises)
    state.checked_loss, state.halved = state.best_loss, halve


def _check_sparsity(state, interval, eps):
    """l1: steps as sparse as two thirds of the best perturbation.

    Where that got sparser start again from it with a full step, else shrink the step.
    """
    changed = geometry.distance(state.best, state.x, "l0").to(state.changed.dtype)
    sparser = changed < .95 * state.changed
    _return_to_best(state, sparser)
    state.share = changed / (1.5 * state.x[0].numel())
    state.step_size = torch.where(sparser, torch.full_like(state.step_size, eps),
                                  (state.step_size / 1.5).clamp_min(eps / 10))
    state.changed, state.checked_loss = changed, state.best_loss


def _drop_hopeless(found, state, times, level):
    """Take the images out of the batch for which best loss + times · last gain < level."""
    gain = state.best_loss - state.checked_loss  # inf where it was not noted before
    hopeless = state.best_loss + times * gain < level  # near 0 it is the next halving of the step that gains
    _leave(found, state, hopeless, torch.zeros_like(hopeless))
    state.keep(~hopeless)


def _return_to_best(state, where):
    pixels = geometry.per_example(where, state.x)
    state.x_adv = torch.where(pixels, state.best, state.x_adv)
    state.gradient = torch.where(pixels, state.best_gradient, state.gradient)
    state.loss = torch.where(where, state.best_loss, state.loss)


def _leave(found, state, rows, fooled):
    """Enter the images `rows` of the state into `found`: those that fool as they are, the others' best."""
    leaving = state.index[rows]
    pixels = geometry.per_example(fooled, state.x)
    found.x_adv[leaving] = torch.where(pixels, state.x_adv, state.best)[rows]
    found.loss[leaving] = torch.where(fooled, state.loss, state.best_loss)[rows]
    found.fooled[leaving] = fooled[rows]


CARDS = (
    AttackCard(
        name="apgd", input="random", frequency="iterative", specificity="both", scope="individual",
        measurement="linf, l2, l1", realism="non-realistic", falsification="both", knowledge="white box",
        method="projected gradient ascent that halves its step where "
               "the loss stops rising and returns to its best image",
        paper="Croce and Hein, 2020, arXiv:2003.01690",
        cost="steps x restarts forward and backward passes, and restarts forward passes", notebook="10"),
)
