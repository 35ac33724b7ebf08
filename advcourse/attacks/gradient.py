"""Attacks that follow the gradient of the loss with respect to the image.

Near an image a network is almost linear, and its gradient says how each pixel moves the loss.
A small step of every pixel in its own worst direction adds up to a large change of the loss.
FGSM takes one such step; BIM, MIM and PGD take many small ones and come back into the ball after each.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from advcourse.attacks import contract, geometry
from advcourse.attacks.cards import AttackCard
from advcourse.attacks.contract import (
    Best,
    Model,
    Norm,
    attacking,
    check,
    check_positive,
    fresh,
    input_gradient,
    labels_fit,
)
from advcourse.attacks.losses import cross_entropy, fools

# Of an l1 step: the share of the pixels that move. One pixel at a time is the steepest way up and far too slow.
MOVING = 0.01
Step = Callable[..., Tensor]  # from (x_adv, gradient, rows) to the next x_adv, where rows are the images still at work


def fgsm(model: Model, x: Tensor, y: Tensor, *, eps: float, norm: Norm = "linf", step_size: float | None = None,
         random_start: bool = False, targeted: bool = False, low: float = 0, high: float = 1,
         generator: torch.Generator | None = None) -> Tensor:
    """The fast gradient sign method: one step of size eps along the loss gradient.

        linf:  x_adv = clip(x + eps · sign(∇_x J(x, y)))          (targeted: minus)
        l2:    x_adv = clip(x + eps · ∇_x J / ‖∇_x J‖₂)

    model: from images in [low, high], shape (N, C, H, W), to logits (N, K).
    x: such images. y: their labels, shape (N,), int64; with targeted=True the labels to reach.
    eps: the radius of the ball, at least 0. norm: "linf" or "l2".
    random_start: take the gradient at a random point of the ball, step from there, and return to the ball.
    step_size: above 0. None: eps, or 1.25 eps from a random start.
    low, high: the ends of the valid range: 0 and 1 for images, −1 and 1 for waveforms.
    generator: of the random start, on x's device. None: a fresh one of seed 0, the same numbers in every call.
    Returns x_adv: detached, of x's shape, in [low, high] and in the ball in the arithmetic of its dtype.
    Raises ValueError where an argument is not as said here, or y does not fit the logits, or these carry no gradient.
    Cost: 1 forward and 1 backward pass.

    Goodfellow, Shlens, Szegedy, "Explaining and harnessing adversarial examples", ICLR 2015, section 4. Random start:
    Wong, Rice, Kolter, "Fast is better than free", ICLR 2020, algorithm 3.
    """
    box = check(x, y, eps=eps, norm=norm, norms=("linf", "l2"), low=low, high=high)
    check_positive(step_size=step_size)
    generator = contract.generator_for(x, generator)
    if not len(x):
        return fresh(x)
    step_size = step_size if step_size is not None else 1.25 * eps if random_start else eps
    with attacking(model) as ask:
        x, y = fresh(x), fresh(y)
        start = geometry.random_start(x, eps, norm, generator, box) if random_start else x
        logits, _, gradient = input_gradient(ask, start, ascent(y, targeted, first=True))
        contract.warn_if_flat(is_flat(gradient) & ~fools(logits, y, targeted))
        # x + eps may round to just outside the ball; a step shorter by one rounding cannot.
        if norm == "linf" and step_size <= eps and not random_start:
            rounding = torch.finfo(x.dtype).eps / 2 * max(-box.low, box.high)
            size = max(geometry.representable(step_size, x.dtype) - rounding, 0)
            return gradient.sign_().mul_(size).add_(x).clamp_(*box)
        return geometry.project(start + step_size * geometry.normalise(gradient, norm), x, eps, norm, box)


def pgd(model: Model, x: Tensor, y: Tensor, *, eps: float | Tensor, norm: Norm = "linf", step_size: float | None = None,
        steps: int = 40, restarts: int = 1, random_start: bool = True, stop_when_fooled: bool = False,
        targeted: bool = False, low: float = 0, high: float = 1, generator: torch.Generator | None = None) -> Tensor:
    """Projected gradient descent: many steps up the loss, each followed by a return to the ball and the box.

        x_0 random in the ball,   x_{t+1} = Π(x_t + step_size · direction(∇_x J(x_t, y)))       (targeted: minus)

    direction: the sign (linf), gradient / ‖gradient‖₂ (l2), or ± 1/k on the k largest entries that can still move (l1).
    model: from images in [low, high], shape (N, C, H, W), to logits (N, K).
    x: such images. y: their labels, shape (N,), int64; with targeted=True the labels to reach.
    eps: the radius of the ball, at least 0; in linf also a tensor that broadcasts to x, a radius for every value: 0
        where nothing may change. norm: "linf", "l2" or "l1".
    step_size: above 0. None: 2.5 eps / steps. steps: of each run, at least 1.
    restarts: runs, each from another random start, at least 1. random_start: False starts at x itself, in one run.
    stop_when_fooled: images leave the work once fooled. It saves most of the time, and gives the first success instead
        of the strongest.
    low, high: the ends of the valid range: 0 and 1 for images, −1 and 1 for waveforms.
    generator: of the starts, on x's device. None: a fresh one of seed 0, the same numbers in every call.
    Returns x_adv: detached, in the ball and the box: per image, of all iterates, the last one included, the one of
        highest loss among those that fool, else of highest loss.
    Raises ValueError where an argument is not as said here, or y does not fit the logits, or these carry no gradient.
    Cost: restarts × (steps + 1 forward and steps backward passes); fewer with stop_when_fooled.

    Madry et al., "Towards deep learning models resistant to adversarial attacks", ICLR 2018, section 2.1; they keep the
    last iterate. l1: the sparse steps of Tramèr and Boneh, NeurIPS 2019, section 4, with the exact projection of Croce
    and Hein, ICML 2021.
    """
    box = check(x, y, norm=norm, norms=contract.BALL_NORMS, low=low, high=high, steps=steps, restarts=restarts)
    eps = contract.radii(eps, x, norm)
    check_positive(step_size=step_size)
    generator = contract.generator_for(x, generator)
    if not len(x):
        return fresh(x)
    step_size = 2.5 * eps / steps if step_size is None else step_size
    with attacking(model) as ask:
        x, y = fresh(x), fresh(y)
        best, step = Best(x), stepper(x, eps, norm, step_size, box)
        for _restart in range(restarts):
            start = _random_start(x, eps, norm, generator, box) if random_start else x
            flat = climb(ask, start, y, step=step, best=best, steps=steps, targeted=targeted,
                         stop_when_fooled=stop_when_fooled)
            if not random_start:
                break  # the same start again would give the same answer again
    contract.warn_if_flat(flat & ~best.fooled)
    return best.x_adv


def bim(model: Model, x: Tensor, y: Tensor, *, eps: float | Tensor, norm: Norm = "linf", step_size: float | None = None,
        steps: int = 10, stop_when_fooled: bool = False, targeted: bool = False, low: float = 0,
        high: float = 1) -> Tensor:
    """The basic iterative method (I-FGSM): FGSM in small steps from the image itself, clipped to the ball after each.

        x_0 = x,   x_{t+1} = clip(x_t + step_size · sign(∇_x J(x_t, y)))       (targeted: minus)

    l2: ∇_x J / ‖∇_x J‖₂ in place of the sign. It is PGD without a random start.
    model: from images in [low, high], shape (N, C, H, W), to logits (N, K).
    x: such images. y: their labels, shape (N,), int64; with targeted=True the labels to reach.
    eps: the radius of the ball, at least 0; in linf also a tensor that broadcasts to x, a radius for every value: 0
        where nothing may change. norm: "linf" or "l2".
    step_size: above 0. None: 2.5 eps / steps. steps: at least 1.
    stop_when_fooled: images leave the work once fooled: faster, but the first success is not the strongest.
    low, high: the ends of the valid range: 0 and 1 for images, −1 and 1 for waveforms.
    Returns x_adv: detached, in the ball and the box: per image, of all iterates, the last one included, the one of
        highest loss among those that fool, else of highest loss.
    Raises ValueError where an argument is not as said here, or y does not fit the logits, or these carry no gradient.
    Cost: steps + 1 forward and steps backward passes.

    Kurakin, Goodfellow, Bengio, "Adversarial examples in the physical world", 2016, section 2.2; they step by 1/255,
    min(255 eps + 4, 1.25 · 255 eps) times, and keep the last iterate.
    """
    check(x, norm=norm, norms=("linf", "l2"), low=low, high=high)
    return pgd(model, x, y, eps=eps, norm=norm, step_size=step_size, steps=steps, random_start=False,
               stop_when_fooled=stop_when_fooled, targeted=targeted, low=low, high=high)


def least_likely(model: Model, x: Tensor, y: Tensor | None = None, *, eps: float, norm: Norm = "linf",
                 step_size: float | None = None, steps: int = 10, low: float = 0, high: float = 1) -> Tensor:
    """The iterative least-likely class method: BIM towards the class that the model thinks least likely.

        target = argmin_k p(k | x),   x_{t+1} = clip(x_t − step_size · sign(∇_x J(x_t, target)))

    It needs no labels: a mistake between similar classes is easy, and this one is the hardest and the least sensible.
    model: from images in [low, high], shape (N, C, H, W), to logits (N, K).
    x: such images. y: not used, and only checked; it is accepted so that every attack can be called alike.
    eps: the radius of the ball, at least 0. norm: "linf" or "l2"; l2: gradient / ‖gradient‖₂ in place of the sign.
    step_size: above 0. None: 2.5 eps / steps. steps: at least 1.
    low, high: the ends of the valid range: 0 and 1 for images, −1 and 1 for waveforms.
    Returns x_adv: detached, in the ball and the box: per image, of all iterates, the last one included, the one of
        lowest loss J(·, target) among those that are read as the target, else of lowest loss.
    Raises ValueError where an argument is not as said here, or y does not fit the logits, or these carry no gradient.
    Cost: steps + 2 forward and steps backward passes.

    Kurakin, Goodfellow, Bengio, "Adversarial examples in the physical world", 2016, section 2.3.
    """
    check(x, y, eps=eps, norm=norm, norms=("linf", "l2"), low=low, high=high, steps=steps)
    check_positive(step_size=step_size)
    if not len(x):
        return fresh(x)
    with attacking(model) as ask, torch.no_grad():
        logits = ask(fresh(x))
        if y is not None:
            labels_fit(logits, y)
        target = logits.argmin(1)
    return bim(model, x, target, eps=eps, norm=norm, step_size=step_size, steps=steps, targeted=True, low=low,
               high=high)


def mim(model: Model, x: Tensor, y: Tensor, *, eps: float, norm: Norm = "linf", step_size: float | None = None,
        steps: int = 10, decay: float = 1.0, targeted: bool = False, low: float = 0, high: float = 1) -> Tensor:
    """The momentum iterative method: BIM along a running sum of gradients.

        g_{t+1} = decay · g_t + ∇_x J(x_t, y) / ‖∇_x J(x_t, y)‖₁,   x_{t+1} = clip(x_t + step_size · sign(g_{t+1}))
                                                                    (targeted: minus)

    Momentum carries it over small bumps of the loss, and its results to other models. ‖·‖₁ is each image's own.
    model: from images in [low, high], shape (N, C, H, W), to logits (N, K).
    x: such images. y: their labels, shape (N,), int64; with targeted=True the labels to reach.
    eps: the radius of the ball, at least 0. norm: "linf" or "l2"; l2: g / ‖g‖₂ in place of the sign.
    step_size: above 0. None: 2.5 eps / steps. steps: at least 1. decay: the paper's μ, at least 0.
    low, high: the ends of the valid range: 0 and 1 for images, −1 and 1 for waveforms.
    Returns x_adv: detached, in the ball and the box: per image, of all iterates, the last one included, the one of
        highest loss among those that fool, else of highest loss.
    Raises ValueError where an argument is not as said here, or y does not fit the logits, or these carry no gradient.
    Cost: steps + 1 forward and steps backward passes.

    Dong et al., "Boosting adversarial attacks with momentum", CVPR 2018, algorithms 1 and 2; they step by eps / steps,
    which never returns from the ball's border, and keep the last iterate.
    """
    walk = Walk(eps=eps, norm=norm, step_size=step_size, steps=steps, decay=decay, targeted=targeted,
                low=low, high=high)
    return climb_with_momentum(model, x, y, walk)


# The climbs, and their parts

@dataclass(frozen=True)
class Walk:
    """How a climb with momentum goes: the options of `mim`."""

    eps: float
    norm: Norm
    step_size: float | None
    steps: int
    decay: float
    targeted: bool
    low: float = 0
    high: float = 1


def climb_with_momentum(model: Model, x: Tensor, y: Tensor, walk: Walk, *,
                        view: Callable[[Tensor], Tensor] | None = None,
                        smooth: Callable[[Tensor], Tensor] | None = None) -> Tensor:
    """`mim`, with each gradient taken through `view` and sent through `smooth`, from (N, C, H, W) to that shape."""
    box = check(x, y, eps=walk.eps, norm=walk.norm, norms=("linf", "l2"), low=walk.low, high=walk.high,
                steps=walk.steps)
    check_positive(step_size=walk.step_size)
    if not (isinstance(walk.decay, (int, float)) and 0 <= walk.decay < float("inf")):
        raise ValueError(f"decay must be a finite number of at least 0; got {walk.decay!r}")
    if (view or smooth) and x.dim() != 4:
        raise ValueError(f"x must be images of shape (N, channels, height, width); got shape {tuple(x.shape)}")
    if not len(x):
        return fresh(x)
    with attacking(model) as ask:
        x, y = fresh(x), fresh(y)
        best, momentum = Best(x), torch.zeros_like(x)
        step = stepper(x, walk.eps, walk.norm, walk.step_size or 2.5 * walk.eps / walk.steps, box)

        def step_with_momentum(x_adv, gradient, rows):
            gradient = smooth(gradient) if smooth else gradient
            size = gradient.abs().flatten(1).sum(1).clamp_min(torch.finfo(x.dtype).tiny)
            momentum.mul_(walk.decay).add_(gradient.div_(geometry.per_example(size, x)))
            return step(x_adv, momentum, rows)

        flat = climb(ask, x, y, step=step_with_momentum, best=best, steps=walk.steps, targeted=walk.targeted, view=view)
    contract.warn_if_flat(flat & ~best.fooled)
    return best.x_adv


def climb(ask: Model, start: Tensor, y: Tensor, *, step: Step, best: Best, steps: int, targeted: bool,
          stop_when_fooled: bool = False, view: Callable[[Tensor], Tensor] | None = None) -> Tensor:
    """Take `steps` steps up the loss from `start`, and tell `best` of every iterate, the last one included.

    view: from images to images: the gradient is taken through it. A view is no candidate: `best` is told of the
        iterate itself, for one more forward pass a step.
    Returns flat, shape (N,): where the first gradient was exactly zero.
    """
    x_adv, rows, flat = start, slice(None), torch.zeros_like(best.fooled)
    if stop_when_fooled:
        rows = (~best.fooled).nonzero()[:, 0]
        x_adv = start[rows]
    seen = ask if view is None else lambda images: ask(view(images))
    for k in range(steps):
        if not len(x_adv):
            return flat
        loss = ascent(y[rows], targeted, first=k == 0)
        logits, losses, gradient = input_gradient(seen, x_adv, loss)
        if view is not None:
            logits, losses = _judge(ask, x_adv, loss)
        if k == 0:
            flat[rows] = is_flat(gradient)
        fooled = fools(logits, y[rows], targeted)
        best.update(x_adv, losses, fooled, rows)
        x_adv = step(x_adv, gradient, rows)
        if stop_when_fooled:
            x_adv, rows = x_adv[~fooled], rows[~fooled]
    if len(x_adv):
        logits, losses = _judge(ask, x_adv, ascent(y[rows], targeted))
        best.update(x_adv, losses, fools(logits, y[rows], targeted), rows)
    return flat


def _judge(ask, x_adv, loss):
    """(logits, losses) of the images x_adv, without a gradient."""
    with torch.no_grad():
        logits = contract.at_least_float32(ask(x_adv))
        return logits, loss(logits)


def ascent(y: Tensor, targeted: bool, first: bool = False) -> Callable[[Tensor], Tensor]:
    """What an attack climbs, from logits (N, K) to (N,): the cross-entropy of y, or its negative towards a target.

    first: look whether the labels fit the logits.
    """
    def loss(logits):
        if first:
            labels_fit(logits, y)
        return -cross_entropy(logits, y) if targeted else cross_entropy(logits, y)
    return loss


def stepper(x: Tensor, eps: float | Tensor, norm: Norm, step_size: float | Tensor, box: geometry.Box) -> Step:
    """step(x_adv, gradient, rows): move by step_size along the gradient, then back into the ball around x[rows]."""
    if norm == "linf":
        low, high = geometry.bounds(x, eps, box)
        # One for each image, or one for each value; small where it can be, as it is read at every step.
        size = torch.as_tensor(step_size, dtype=x.dtype, device=x.device)
        size = size if size.dim() else size.view([1] * x.dim()).expand(len(x), *[-1] * (x.dim() - 1))
        return lambda x_adv, gradient, rows: gradient.sign().mul_(size[rows]).add_(x_adv).clamp_(low[rows], high[rows])

    def step(x_adv, gradient, rows):
        if norm == "l2":
            change = geometry.normalise(gradient, "l2").mul_(step_size)
        else:
            change = _sparse_step(gradient, x_adv, step_size, box)
        return geometry.project(change.add_(x_adv), x[rows], eps, norm, box)
    return step


def is_flat(gradient: Tensor) -> Tensor:
    """Where an image's gradient holds nothing but zeros, shape (N,)."""
    return gradient.flatten(1).abs().sum(1) == 0


def _random_start(x, eps, norm, generator, box):
    """A random point of the ball; in l2 at a distance drawn uniformly.

    Nearly all of an l2 ball lies at its border, too far for a start.
    """
    start = geometry.random_start(x, eps, norm, generator, box)
    if norm != "l2":
        return start
    share = torch.rand(len(x), generator=generator, device=x.device, dtype=x.dtype)
    return geometry.project(torch.lerp(x, start, geometry.per_example(share, x)), x, eps, norm, box)


def _sparse_step(gradient, x_adv, step_size, box):
    """A step of l1 norm step_size, in equal parts on the 1 % of largest gradient of the entries with room to move."""
    count = max(1, round(MOVING * gradient[0].numel()))
    part = step_size / count
    # Pixels at their bound give a little back in each projection; refilling them would use up all the steps.
    room = torch.where(gradient > 0, box.high - x_adv, x_adv - box.low)
    full = room < min(part / 2, 0.05 * box.width)
    flat = gradient.masked_fill(full, 0).flatten(1)
    largest = flat.abs().topk(count, dim=1).indices
    return torch.zeros_like(flat).scatter_(1, largest, part * flat.gather(1, largest).sign()).view(gradient.shape)


_COMMON = dict(specificity="both", scope="individual", measurement="linf, l2", realism="non-realistic",
               falsification="both", knowledge="white box", notebook="03")
CARDS = (
    AttackCard(**_COMMON, name="fgsm", input="non-random", frequency="one-time",
               method="one step along the sign of the loss gradient",
               paper="Goodfellow et al., 2014, arXiv:1412.6572", cost="1 forward and 1 backward pass"),
    AttackCard(**_COMMON, name="bim", input="non-random", frequency="iterative",
               method="small gradient sign steps, clipped to the ball after each",
               paper="Kurakin et al., 2016, arXiv:1607.02533", cost="steps + 1 forward and steps backward passes"),
    AttackCard(**_COMMON | dict(specificity="targeted"), name="least_likely", input="non-random",
               frequency="iterative", method="small steps towards the class the model thinks least likely",
               paper="Kurakin et al., 2016, arXiv:1607.02533", cost="steps + 2 forward and steps backward passes"),
    AttackCard(**_COMMON, name="mim", input="non-random", frequency="iterative",
               method="small steps along a running sum of normalised gradients",
               paper="Dong et al., 2017, arXiv:1710.06081", cost="steps + 1 forward and steps backward passes"),
    AttackCard(**_COMMON | dict(measurement="linf, l2, l1"), name="pgd", input="random", frequency="iterative",
               method="gradient steps from a random start, projected onto the ball after each",
               paper="Madry et al., 2017, arXiv:1706.06083",
               cost="restarts × (steps + 1 forward and steps backward passes); fewer with stop_when_fooled"),
)
