"""Auto-PGD: projected gradient ascent that chooses its own step size, so that nothing is left to tune.

It starts with a huge step of 2 eps and looks back at fixed checkpoints: where the loss has stopped rising, the step
halves and the search returns to the best image so far. A momentum term smooths the path, and the DLR loss, a margin on
a scale that the model's confidence cannot change, keeps the gradient alive where that of the cross-entropy has
vanished.
"""

import math
from dataclasses import dataclass, fields

import torch

from advcourse.attacks import contract, geometry
from advcourse.attacks.cards import AttackCard
from advcourse.attacks.losses import cross_entropy, fools, margin

NORMS = ("linf", "l2", "l1")


def apgd(model, x, y, *, eps, norm="linf", loss="ce", steps=100, restarts=1, targeted=False, stop_when_fooled=False,
         generator=None):
    """Auto-PGD inside the ball of radius eps around each image.

        z       = P(x_k + step · direction(∇f(x_k)))            P: the nearest allowed image
        x_{k+1} = P(x_k + 3/4 (z − x_k) + 1/4 (x_k − x_{k−1}))
        at each checkpoint: step ← step / 2 and x ← the best image, where the loss rose in fewer than 3/4 of the steps,
        or where neither the step nor the best loss has changed since the checkpoint before

    model: from images in [0, 1], shape (N, ...), to logits (N, K); x: such images; y: labels, shape (N,), to leave, or
    to reach where `targeted`.
    eps: radius >= 0 in the norm "linf", "l2" or "l1"; restarts: independent random starts, of which each image keeps
    the best.
    loss: "ce", the cross-entropy (targeted: minus that of y), or "dlr", the difference of logits ratio with z_1 >= z_2
        >= ... the sorted logits: −(z_y − max_{i≠y} z_i) / (z_1 − z_3), targeted (z_y − max_{i≠y} z_i) / (z_1 − (z_3 +
        z_4) / 2); with three classes z_1 − z_3 for both, with two classes the margin as it is.
    stop_when_fooled: an image leaves at its first success: much faster, but not the strongest x_adv.
    Returns x_adv: the image of highest loss among those that fool, else of highest loss; in the ball and the box.
    Costs per image and restart: `steps` forward and backward passes and 1 forward.

    Croce, Hein, "Reliable evaluation of adversarial robustness with an ensemble of diverse parameter-free attacks",
    ICML 2020, Algorithm 1, equations (6) and (7); norm="l1": Croce, Hein, "Mind the box", ICML 2021: sparse steps,
    three stages at radius 3 eps, 2 eps, eps.
    Differs: the start is uniform in the ball (l1: Gaussian noise, projected); the targeted DLR puts the largest other
    logit in the place of the true label's, so that it ends at the target.
    """
    contract.check(x, y, eps=eps, norm=norm, norms=NORMS, steps=steps, restarts=restarts)
    if loss not in ("ce", "dlr"):
        raise ValueError(f"loss must be one of 'ce', 'dlr'; got {loss!r}")
    generator = contract.generator_for(x, generator)
    x = contract.fresh(x)
    if len(x) == 0:
        return x
    with contract.attacking(model) as model:
        best = contract.Best(x)
        todo = torch.arange(len(x), device=x.device)
        for _ in range(restarts):
            found = search(model, x[todo], (y[todo],), _loss(loss, targeted), lambda logits,
                           label: fools(logits, label, targeted),
                           eps=eps, norm=norm, steps=steps, stop=stop_when_fooled, generator=generator)
            _keep(best, todo, found)
            if stop_when_fooled:
                todo = (~best.fooled).nonzero()[:, 0]
                if len(todo) == 0:
                    break
        return best.x_adv


# Losses: one number per image; labels (y,) or, for the targeted DLR of the ensemble, (y, target)

def dlr(logits, y):
    """The difference of logits ratio, equation (6): −(z_y − max_{i≠y} z_i) / (z_1 − z_3), shape (N,)."""
    return -margin(logits, y) / _spread(logits, 3)


def dlr_towards(logits, y):
    """The same for a class y to reach: (z_y − max_{i≠y} z_i) / (z_1 − (z_3 + z_4) / 2), shape (N,)."""
    return margin(logits, y) / _spread(logits, 4)


def dlr_from_to(logits, y, target):
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


def search(model, x, labels, loss, success, *, eps, norm, steps, stop, generator, give_up=False):
    """One random start of Auto-PGD on images x, shape (N, ...), N >= 1; to be called inside contract.attacking(model).

    labels: a tuple of tensors (N,), which loss(logits, *labels) -> (N,) and success(logits, *labels) -> bool (N,)
    receive.
    give_up: for a loss that is above 0 where it has succeeded: an image leaves where, at a checkpoint, five times what
    the search has gained since the one before would still not bring it to -0.2; but for l1 also at 11 % of the steps,
    where ten times the gain since 5 % would not bring it to -0.5.
    Returns a contract.Best.
    """
    if norm != "l1":
        start = geometry.random_start(x, eps, norm, generator)
        return _climb(model, x, labels, start, loss, success, eps, norm, steps, stop, give_up)[0]
    # The l1 ball inside the box has corners that trap the search: come from outside, through larger balls.
    stage = math.ceil(.3 * steps)
    x_adv = x + torch.randn(x.shape, generator=generator, device=x.device, dtype=x.dtype)
    larger = (3 * eps, 2 * eps) if steps >= 4 else ()
    for radius in larger:
        start = geometry.project(x_adv, x, radius, norm)
        x_adv = _climb(model, x, labels, start, loss, success, radius, norm, stage, False)[1]
    return _climb(model, x, labels, geometry.project(x_adv, x, eps, norm), loss, success, eps, norm,
                  steps - stage * len(larger), stop, give_up)[0]


def _climb(model, x, labels, start, loss, success, eps, norm, steps, stop, give_up=False):
    """Algorithm 1 from the given start. Returns (the contract.Best of all images, the images of highest loss)."""
    found = contract.Best(x)
    highest = x.clone()
    state = _state(x, labels, start, eps, norm)
    checkpoints = _checkpoints(steps, norm)
    # a first look at who is hopeless, long before the first checkpoint: {step: (multiple of the gain, what it must
    # bring the loss to)}
    early = {} if norm == "l1" or steps < 20 else {steps // 20: (10, -.5), round(.11 * steps): (10, -.5)}
    flat = torch.ones(len(x), dtype=torch.bool, device=x.device)
    for k in range(steps + 1):
        logits = _evaluate(model, state, loss if k else _checked(loss), last=k == steps)
        if k == 0:
            flat = (state.gradient == 0).flatten(1).all(1)
        fooled = success(logits, *state.labels)
        if stop:
            _keep_rows(found, state, fooled if k < steps else torch.ones_like(fooled), fooled)
            if k < steps and bool(fooled.any()):
                highest[state.index] = state.best
                state.keep(~fooled)
                if len(state.index) == 0:
                    break
        else:
            found.update(state.x_adv, state.loss, fooled)
        if k == steps:
            break
        if give_up and (k in checkpoints or k in early) and _drop_hopeless(found, state, *early.get(k, (5, -.2))):
            break
        if give_up and k in early:
            state.checked_loss = state.best_loss if k == min(early) else torch.full_like(state.best_loss, -math.inf)
        if k in checkpoints:
            (_check_sparsity if norm == "l1" else _check_progress)(state, checkpoints[k], eps)
        _step(state, eps, norm, first=k == 0)
    highest[state.index] = state.best
    contract.warn_if_flat(flat & ~found.fooled)
    return found, highest


def _state(x, labels, start, eps, norm):
    zeros, rows = torch.zeros_like(x), x.new_zeros(len(x))
    low, high = geometry.bounds(x, eps) if norm == "linf" else (rows, rows)
    changed = geometry.distance(start, x, "l0").to(x.dtype)
    return State(
        index=torch.arange(len(x), device=x.device), x=x, labels=labels, low=low, high=high, x_adv=start,
        previous=start,
        step_size=torch.full_like(rows, eps if norm == "l1" else 2 * eps), gradient=zeros, loss=rows + math.inf,
        best=start, best_loss=rows - math.inf, best_gradient=zeros, rises=rows, checked_loss=rows - math.inf,
        halved=rows > -1,
        share=changed / (1.5 * x[0].numel()), changed=changed)


def _evaluate(model, state, loss, last):
    """The logits at x_adv; enters its loss and gradient into the state, and into the best where it is one."""
    if last:
        with torch.no_grad():
            logits = contract.at_least_float32(model(state.x_adv))
            losses, gradient = loss(logits, *state.labels), state.gradient
    else:
        logits, losses, gradient = contract.input_gradient(model, state.x_adv,
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


def _step(state, eps, norm, first):
    """Move x_adv: a gradient step, projected; then, but for l1, three quarters of it and a quarter of the step before,
    projected."""
    size = geometry.per_example(state.step_size, state.x)
    if norm == "l1":
        state.x_adv = geometry.project(state.x_adv + size * _sparse_direction(state.gradient, state.share), state.x,
                                       eps, norm)
        return
    moved = _back(state.x_adv + size * geometry.normalise(state.gradient, norm), state, eps, norm)
    if not first:
        moved = _back(state.x_adv + .75 * (moved - state.x_adv) + .25 * (state.x_adv - state.previous), state, eps,
                      norm)
    state.previous, state.x_adv = state.x_adv, moved


def _back(x_adv, state, eps, norm):
    return torch.clamp(x_adv, state.low, state.high) if norm == "linf" else geometry.project(x_adv, state.x, eps, norm)


def _sparse_direction(gradient, share):
    """The signs of each image's largest `share` of gradient entries, scaled to l1 norm 1."""
    size = gradient.flatten(1).abs()
    count = (share * size.shape[1]).long().clamp(1, size.shape[1])
    smallest = size.topk(int(count.max()), dim=1).values.gather(1, count[:, None] - 1)
    signs = gradient.flatten(1).sign() * (size >= smallest)
    return (signs / signs.abs().sum(1, keepdim=True).clamp_min(1)).view(gradient.shape)


# Checkpoints

def _checkpoints(steps, norm):
    """{step: steps since the checkpoint before}: at 22 % of the steps, then in intervals that shrink by 3 % of them
    down to 6 %; l1: every 4 %."""
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
    """l1: steps as sparse as two thirds of the best perturbation; where that got sparser start again from it with a
    full step, else shrink the step."""
    changed = geometry.distance(state.best, state.x, "l0").to(state.changed.dtype)
    sparser = changed < .95 * state.changed
    _return_to_best(state, sparser)
    state.share = changed / (1.5 * state.x[0].numel())
    state.step_size = torch.where(sparser, torch.full_like(state.step_size, eps),
                                  (state.step_size / 1.5).clamp_min(eps / 10))
    state.changed, state.checked_loss = changed, state.best_loss


def _drop_hopeless(found, state, times, goal):
    """Take the images out of the batch whose loss so many times their last gain would not bring to the goal; True where
    none is left."""
    gain = state.best_loss - state.checked_loss  # inf where it was not noted before
    hopeless = state.best_loss + times * gain < goal  # near 0 it is the next halving of the step that gains
    _keep_rows(found, state, hopeless, torch.zeros_like(hopeless))
    state.keep(~hopeless)
    return len(state.index) == 0


def _return_to_best(state, where):
    pixels = geometry.per_example(where, state.x)
    state.x_adv = torch.where(pixels, state.best, state.x_adv)
    state.gradient = torch.where(pixels, state.best_gradient, state.gradient)
    state.loss = torch.where(where, state.best_loss, state.loss)


# Putting what was found into its place

def _keep_rows(found, state, rows, fooled):
    """Enter the images of the state that leave the batch into `found`: those that fool as they are, the others'
    best."""
    leaving = state.index[rows]
    pixels = geometry.per_example(fooled, state.x)
    found.x_adv[leaving] = torch.where(pixels, state.x_adv, state.best)[rows]
    found.loss[leaving] = torch.where(fooled, state.loss, state.best_loss)[rows]
    found.fooled[leaving] = fooled[rows]


def _keep(best, index, found):
    """Enter the results of a restart on the images `index` into the best of all restarts."""
    part = contract.Best(best.x_adv[index])
    part.loss, part.fooled = best.loss[index], best.fooled[index]
    part.update(found.x_adv, found.loss, found.fooled)
    best.x_adv = best.x_adv.index_copy(0, index, part.x_adv)
    best.loss = best.loss.index_copy(0, index, part.loss)
    best.fooled = best.fooled.index_copy(0, index, part.fooled)


CARDS = (
    AttackCard(
        name="apgd", input="random", frequency="iterative", specificity="both", scope="individual",
        measurement="linf, l2, l1",
        realism="non-realistic", falsification="both", knowledge="white box",
        method="projected gradient ascent that halves its step where the loss stops rising and returns to its best "
               "image",
        paper="Croce and Hein, 2020, arXiv:2003.01690", cost="steps x restarts forward and backward passes, and "
                                                             "restarts forward passes"),
)
