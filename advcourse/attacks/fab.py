"""FAB, the fast adaptive boundary attack: the smallest change that crosses the decision boundary.

Near the current image the boundary is almost a plane, and the nearest point of a plane inside the box has an exact
formula. FAB steps there, a little beyond, and mixes in a share of the plane's nearest point to the original
image, so that it does not drift away along the boundary. Once across it notes the image, comes back by a tenth of the
way and tries again from there.
"""

import math
from functools import partial

import torch
from torch import Tensor

from advcourse.attacks import contract, geometry, losses
from advcourse.attacks.cards import AttackCard
from advcourse.attacks.contract import Model, Nearest, Norm

ALPHA_MAX, ETA, BETA = 0.1, 1.05, 0.9  # the paper's


def fab(model: Model, x: Tensor, y: Tensor, *, norm: Norm = "linf", steps: int = 100, restarts: int = 1,
        targeted: bool = False, low: float = 0, high: float = 1, generator: torch.Generator | None = None) -> Tensor:
    """FAB: the smallest adversarial change in a norm, found by projections on linearised decision boundaries.

        plane_k = {z: f_k + ⟨∇f_k, z − x_i⟩ = 0},  f_k = logit of k − logit of y at x_i        (k the nearest one)
        δ, δ_0  = the steps from x_i and from x to the nearest points of the plane in the box
        α       = min(‖δ‖ / (‖δ‖ + ‖δ_0‖), 0.1)
        x_{i+1} = clip((1 − α) (x_i + 1.05 δ) + α (x + 1.05 δ_0))
        where it fools: noted, then x_{i+1} ← x + 0.9 (x_{i+1} − x)

    model: from images in [low, high], shape (N, ...), to logits, shape (N, K).
    x: such images, float32 or float64; y: their true labels, shape (N,), int64; if targeted, the labels to reach.
    norm: "linf", "l2" or "l1", of the change that is to be small.
    steps: how many per restart; restarts: how many runs, the first from x, each further one from a random image half as
        far away as the best so far; both at least 1.
    targeted: whether y is to be reached, not left; then f is the logit of y minus the largest other one.
    low, high: the ends of the valid range: 0 and 1 for images, −1 and 1 for waveforms.
    generator: of the random starts; None: a fresh one of seed 0, the same numbers in every call.
    Returns x_adv in [low, high], shape of x, detached: the smallest success; x itself where there is none or where x is
    one already.
    Raises ValueError for other arguments than these; NoGradientError, a ValueError, for logits without a gradient to x.
    Cost: steps · restarts · (2 forward passes and 1 backward pass), every tenth step one backward pass per other class.

    Croce, Hein, "Minimally distorted adversarial examples with a fast adaptive boundary attack", ICML 2020, algorithm
    1. What differs: of the K − 1 planes only the one nearest by the last known gradients' sizes is computed anew at
    nine of ten steps: the same distances, within 2 %, on adversarially trained networks smaller ones, for a fifth of
    the backward passes. With a target, which several classes may stand before, α is 0 until the first success. The
    final search halves the last tenth of the way from x to x_adv six times.
    """
    box = contract.check(x, y, norm=norm, norms=contract.BALL_NORMS, low=low, high=high, steps=steps, restarts=restarts)
    generator = contract.generator_for(x, generator)
    x = contract.fresh(x)
    if len(x) == 0:
        return x
    with contract.attacking(model) as ask:
        rows, logits = contract.unfooled(ask, x, y, targeted)
        rows = rows[~logits.isnan().any(1)]
        if len(rows) == 0:
            return x
        images, labels = x[rows], y[rows]
        plane = partial(_plane_to, ask, labels) if targeted else _NearestPlane(ask, labels, norm)
        def fooled_by(candidates):
            with torch.no_grad():
                return losses.fools(ask(candidates), labels, targeted)
        nearest = Nearest(images)
        for restart in range(restarts):
            start = images if restart == 0 else _restart(images, nearest, norm, generator, box)
            _search(images, start, nearest, plane, fooled_by, norm=norm, steps=steps, targeted=targeted, box=box)
        return x.index_copy(0, rows, _final_search(images, nearest.x_adv, fooled_by))


def _search(x, x_adv, nearest, plane, fooled_by, *, norm, steps, targeted, box):
    """Algorithm 1 from the start x_adv; tells `nearest` of the successes."""
    flat = torch.ones(len(x), dtype=torch.bool, device=x.device)
    for step in range(steps):
        value, gradient = plane(x_adv, step)
        flat &= (gradient == 0).flatten(1).all(1)
        x_adv = fab_step(x, x_adv, value, gradient, norm, biased=nearest.found if targeted else True, box=box)
        fooled = fooled_by(x_adv)
        nearest.update(x_adv, geometry.distance(x_adv, x, norm), fooled)
        x_adv = torch.where(geometry.per_example(fooled, x), torch.lerp(x, x_adv, BETA), x_adv)
    contract.warn_if_flat(flat & ~nearest.found)


def within(ask: Model, x: Tensor, y: Tensor, target: Tensor, *, eps: float, norm: str, steps: int,
           give_up: bool, box: geometry.Box = geometry.UNIT) -> Tensor:
    """FAB for the ensemble: leave the class y by way of the boundary between y and target, at most eps away.

    ask: the model, as `attacking` lends it. x: correctly classified images, shape (N, ...), N >= 1; y, target: (N,).
    Returns x_adv, x itself where none was found. An image leaves at its first success inside the ball. With give_up it
    also leaves, at the end of the j-th twentieth of the steps, where for d_j, the size of its smallest success so far,

        d_j − 5 (d_{j−1} − d_j) > 1.1 eps    or    j >= 4 and d_j = ∞
    """
    result, index = x.clone(), torch.arange(len(x), device=x.device)
    x_adv, distance = x, torch.full_like(x.flatten(1)[:, 0], math.inf)
    before, twentieth = distance, max(steps // 20, 1)
    for step in range(steps):
        _, value, gradient = contract.input_gradient(ask, x_adv, partial(_difference, y=y, target=target))
        x_adv = fab_step(x, x_adv, value.nan_to_num().to(x.dtype), gradient, norm, box=box)
        with torch.no_grad():
            fooled = losses.fools(ask(x_adv), y)
        size = geometry.distance(x_adv, x, norm)
        done = fooled & (size <= eps)
        distance = torch.where(fooled, torch.minimum(size, distance), distance)
        result[index[done]] = x_adv[done]
        if give_up and (step + 1) % twentieth == 0:
            hopeless = distance - 5 * (before - distance) > 1.1 * eps  # not before the second success: inf - inf is nan
            if step + 1 >= 4 * twentieth:
                hopeless |= distance.isinf()
            done, before = done | hopeless, distance
        x_adv = torch.where(geometry.per_example(fooled, x), torch.lerp(x, x_adv, BETA), x_adv)
        if bool(done.any()):
            state = (index, x, y, target, x_adv, distance, before)
            index, x, y, target, x_adv, distance, before = (part[~done] for part in state)
            if len(index) == 0:
                break
    return result


def fab_step(x: Tensor, x_adv: Tensor, value: Tensor, gradient: Tensor, norm: str,
             biased: Tensor | bool = True, box: geometry.Box = geometry.UNIT) -> Tensor:
    """One step from x_adv, given f and ∇f there, shapes (N,) and that of x, to the plane f = 0 and beyond.

    biased: where the step is drawn towards x, that is where α may be above 0; one for all, or shape (N,).
    """
    from_x = value + ((x - x_adv) * gradient).flatten(1).sum(1)
    step = to_plane(torch.cat([x_adv, x]), torch.cat([value, from_x]), torch.cat([gradient, gradient]), norm, box)
    length = geometry.distance(step, torch.zeros_like(step), norm).clamp_min(torch.finfo(x.dtype).tiny)
    step, step_x, length, length_x = *step.split(len(x)), *length.split(len(x))
    alpha = geometry.per_example((length / (length + length_x)).clamp_max(ALPHA_MAX) * biased, x)
    return torch.lerp(x_adv + ETA * step, x + ETA * step_x, alpha).clamp_(*box)


def to_plane(x: Tensor, value: Tensor, gradient: Tensor, norm: str, box: geometry.Box = geometry.UNIT) -> Tensor:
    """The smallest step, in the norm, from x in the box to the plane value + ⟨gradient, step⟩ = 0.

    Where no step gets there, as far as possible.
    x, gradient: shape (N, ...); value: shape (N,). Every pixel moves in the direction that brings the value to 0, up to
    the box: by the same amount t (linf), by t |gradient| (l2), or fully in the order of |gradient| (l1). What the moves
    achieve is concave in t: Newton from 0.
    """
    shape, gradient = x.shape, gradient.flatten(1) * -value.sign()[:, None]
    needed, weight = value.abs()[:, None], gradient.abs()
    room = torch.where(gradient > 0, box.high - x.flatten(1), x.flatten(1) - box.low)
    if norm == "l1":
        for count in (min(32, weight.shape[1]), weight.shape[1]):  # a few pixels are enough, unless none gets there
            largest, order = weight.topk(count, dim=1)
            gain = largest * room.gather(1, order)
            if bool((gain.sum(1) >= needed[:, 0]).all()):
                break
        share = ((needed - gain.cumsum(1) + gain) / gain.clamp_min(torch.finfo(x.dtype).tiny)).clamp(0, 1)
        return (gradient.sign() * room * torch.zeros_like(room).scatter(1, order, share)).view(shape)
    speed = torch.ones_like(weight) if norm == "linf" else weight
    slope_of = weight * speed
    end = room / speed.clamp_min(torch.finfo(x.dtype).tiny)  # the t at which a pixel meets the box
    t = torch.zeros_like(needed)
    for _ in range(30):
        free = end > t
        slope = (slope_of * free).sum(1, keepdim=True)
        fixed = (weight * room).masked_fill(free, 0).sum(1, keepdim=True)
        further = (needed - fixed) / slope  # inf or nan where no pixel can move any more
        moving = (slope > 0) & (further > t * (1 + 4 * torch.finfo(x.dtype).eps))
        if not bool(moving.any()):
            break
        t = torch.where(moving, further, t)
    return (gradient.sign() * torch.minimum(t * speed, room)).view(shape)


# The plane: f and its gradient, for the class that is nearest

def _difference(logits, y, target):
    return (logits.gather(1, target[:, None]) - logits.gather(1, y[:, None]))[:, 0]


def _plane_to(ask, target, x_adv, step):
    """f = the logit of the target minus the largest other one."""
    return contract.input_gradient(ask, x_adv, partial(losses.margin, y=target))[1:]


class _NearestPlane:
    """f = the logit of class k minus that of y, for the k whose plane is nearest: |f| over the dual norm of ∇f."""

    def __init__(self, ask, y, norm):
        self.ask, self.y, self.norm = ask, y, norm
        self.size = torch.empty(0)  # the dual norms of the gradients, shape (N, K), as last computed

    def __call__(self, x_adv, step):
        images, logits = contract.differentiable(self.ask, x_adv)
        values = logits - logits.gather(1, self.y[:, None])
        others = torch.arange(logits.shape[1], device=x_adv.device) != self.y[:, None]
        if step % 10 == 0:  # all of them
            self.size = torch.zeros_like(values.detach())
            classes = others.nonzero()[:, 1].view(len(values), -1)
        else:
            ratio = torch.where(others, values.detach().abs() / self.size, math.inf)
            classes = ratio.nan_to_num(math.inf).argmin(1, keepdim=True)
        value, gradient = torch.zeros_like(values[:, 0]).detach(), torch.zeros_like(images).detach()
        distance = torch.full_like(gradient.flatten(1)[:, 0], math.inf)
        for column, k in enumerate(classes.split(1, dim=1)):
            this = values.gather(1, k)
            slope, = torch.autograd.grad(this.sum(), images, retain_graph=column + 1 < classes.shape[1])
            slope, this = torch.nan_to_num(slope, 0, 0, 0), this.detach()[:, 0]
            size = geometry.dual_norm(slope, self.norm)
            self.size.scatter_(1, k, size[:, None].to(self.size.dtype))
            away = (this.abs() / size).nan_to_num(math.inf)
            smaller = away < distance
            value, distance = torch.where(smaller, this, value), torch.where(smaller, away, distance)
            gradient = torch.where(geometry.per_example(smaller, slope), slope, gradient)
        return value.nan_to_num().to(x_adv.dtype), gradient


def _restart(x, nearest, norm, generator, box):
    """A random image half as far from x as the smallest success; before any, up to half of the box's width away."""
    noise = geometry.random_start(torch.full_like(x, box.middle), box.width / 2, norm, generator, box) - box.middle
    length = geometry.distance(noise, torch.zeros_like(noise), norm).clamp_min(torch.finfo(x.dtype).tiny)
    radius = torch.where(nearest.found, nearest.size / 2, length)
    return (x + noise * geometry.per_example(radius / length, x)).clamp_(*box)


def _final_search(x, x_adv, fooled_by):
    """x_adv moved towards x while it fools: six halvings of the last tenth of the way."""
    best = x_adv
    low, high = torch.full_like(x.flatten(1)[:, 0], BETA), torch.ones_like(x.flatten(1)[:, 0])
    for _ in range(6):
        middle = (low + high) / 2
        candidate = torch.lerp(x, x_adv, geometry.per_example(middle, x))
        fooled = fooled_by(candidate)
        low, high = torch.where(fooled, low, middle), torch.where(fooled, middle, high)
        best = torch.where(geometry.per_example(fooled, x), candidate, best)
    return best


CARDS = (
    AttackCard(
        notebook="04",
        name="fab", input="non-random", frequency="iterative", specificity="both", scope="individual",
        measurement="linf, l2, l1", realism="non-realistic", falsification="both", knowledge="white box",
        method="projections on linearised decision boundaries, leaning towards the original image",
        paper="Croce and Hein, 2020, arXiv:1907.02044",
        cost="steps x restarts x (2 forward passes and 1 backward pass), "
             "every tenth step one backward pass per other class"),
)
