"""FAB, the fast adaptive boundary attack: the smallest change that crosses the decision boundary.

Near the current image the boundary is almost a plane, and the nearest point of a plane inside the box [0, 1] has an
exact formula. FAB steps there, a little beyond, and leans towards the nearest point seen from the original image, so
that it does not drift away along the boundary. Once across it notes the image, comes back by a tenth of the way and
tries again from there.
"""

import math

import torch

from advcourse.attacks import contract, geometry, losses
from advcourse.attacks.cards import AttackCard

NORMS = ("linf", "l2", "l1")
LEAN, OVERSHOOT, BACK = .1, 1.05, .9  # the paper's α_max, η and β


def fab(model, x, y, *, norm="linf", steps=100, restarts=1, targeted=False, generator=None):
    """The smallest adversarial perturbation, in the norm "linf", "l2" or "l1", found by projecting on linearised
    decision boundaries.

        plane_k = {z: f_k + ⟨∇f_k, z − x_i⟩ = 0},  f_k = logit of k − logit of y at x_i        (k the nearest one)
        δ, δ_0  = the steps from x_i and from x to the nearest points of the plane in the box
        α       = min(‖δ‖ / (‖δ‖ + ‖δ_0‖), 0.1)
        x_{i+1} = clip((1 − α) (x_i + 1.05 δ) + α (x + 1.05 δ_0));  where it fools: noted, then x_{i+1} ← x + 0.9
                                                                    (x_{i+1} − x)

    model: from images in [0, 1], shape (N, ...), to logits (N, K); x: such images.
    y: labels, shape (N,), to leave, or to reach where `targeted`: then f is the logit of y minus the largest other one.
    restarts: the first starts from x, each further one from a random image half as far away as the best so far.
    Returns x_adv: the nearest success; x itself where there is none, and where there is nothing to do.
    Costs per image and restart: 2 forward passes and 1 backward pass a step, but K − 1 backward passes at every tenth
    step.

    Croce, Hein, "Minimally distorted adversarial examples with a fast adaptive boundary attack", ICML 2020, Algorithm
    1.
    Differs: of the K − 1 planes only the one nearest by the last known gradients' sizes is computed anew at nine of ten
    steps: the same distances, within 2 %, on adversarially trained networks smaller ones, for a fifth of the backward
    passes. With a target, which several classes may stand before, it leans only after its first success. The final
    search halves the last tenth of the way from x to x_adv six times.
    """
    contract.check(x, y, norm=norm, norms=NORMS, steps=steps, restarts=restarts)
    generator = contract.generator_for(x, generator)
    x = contract.fresh(x)
    if len(x) == 0:
        return x
    with contract.attacking(model):
        with torch.no_grad():
            logits = model(x)
        contract.labels_fit(logits, y)
        todo = (~losses.fools(logits, y, targeted) & ~logits.isnan().any(1)).nonzero()[:, 0]
        if len(todo) == 0:
            return x
        images, labels = x[todo], y[todo]
        plane = _towards(model, labels) if targeted else _Nearest(model, labels, norm)
        def fools(candidate):
            return losses.fools(model(candidate), labels, targeted)
        best, distance = images, torch.full_like(images.flatten(1)[:, 0], math.inf)
        for restart in range(restarts):
            start = images if restart == 0 else _restart(images, best, distance, norm, generator)
            best, distance = _search(images, start, best, distance, plane, fools, norm, steps, patient=targeted)
        return x.index_copy(0, todo, _final_search(images, best, fools))


def _search(x, start, best, distance, plane, fools, norm, steps, patient):
    """Algorithm 1 from the given start: (best, distance), improved where a nearer success was found. patient: no
    leaning before the first success."""
    flat = torch.ones(len(x), dtype=torch.bool, device=x.device)
    x_adv = start
    for step in range(steps):
        value, gradient = plane(x_adv, step)
        flat &= (gradient == 0).flatten(1).all(1)
        x_adv = fab_step(x, x_adv, value, gradient, norm, may_lean=distance.isfinite() if patient else True)
        with torch.no_grad():
            fooled = fools(x_adv)
        size = geometry.distance(x_adv, x, norm)
        nearer = fooled & (size < distance)
        best = torch.where(geometry.per_example(nearer, x), x_adv, best)
        distance = torch.where(nearer, size, distance)
        x_adv = torch.where(geometry.per_example(fooled, x), torch.lerp(x, x_adv, BACK), x_adv)
    contract.warn_if_flat(flat & distance.isinf())
    return best, distance


def within(model, x, y, target, *, eps, norm, steps, give_up):
    """FAB for the ensemble: leave the class y by way of the boundary between y and target, at most eps away.

    Takes x correctly classified, shape (N, ...), N >= 1, inside contract.attacking(model); y, target: shape (N,).
    Returns x_adv, x itself where none was found. An image leaves at its first success inside the ball. With give_up it
    also leaves where, at a twentieth of the steps, five times what the last twentieth has gained would not bring the
    nearest success to 1.1 eps, and where a fifth of the steps has brought no success at all.
    """
    result, index = x.clone(), torch.arange(len(x), device=x.device)
    x_adv, distance = x, torch.full_like(x.flatten(1)[:, 0], math.inf)
    before, twentieth = distance, max(steps // 20, 1)
    for step in range(steps):
        def difference(logits):
            return (logits.gather(1, target[:, None]) - logits.gather(1, y[:, None]))[:, 0]
        _, value, gradient = contract.input_gradient(model, x_adv, difference)
        x_adv = fab_step(x, x_adv, value.nan_to_num().to(x.dtype), gradient, norm)
        with torch.no_grad():
            fooled = losses.fools(model(x_adv), y)
        size = geometry.distance(x_adv, x, norm)
        done = fooled & (size <= eps)
        distance = torch.where(fooled, torch.minimum(size, distance), distance)
        result[index[done]] = x_adv[done]
        if give_up and (step + 1) % twentieth == 0:
            hopeless = distance - 5 * (before - distance) > 1.1 * eps  # not before the second success: inf - inf is nan
            if step + 1 >= 4 * twentieth:
                hopeless |= distance.isinf()
            done, before = done | hopeless, distance
        x_adv = torch.where(geometry.per_example(fooled, x), torch.lerp(x, x_adv, BACK), x_adv)
        if bool(done.any()):
            index, x, y, target, x_adv, distance, before = (part[~done]
                                                            for part in (index, x, y, target, x_adv, distance, before))
            if len(index) == 0:
                break
    return result


def fab_step(x, x_adv, value, gradient, norm, may_lean=True):
    """One step from x_adv, given f and ∇f there, shapes (N,) and that of x: to the plane f = 0 and beyond, leaning
    towards x."""
    from_x = value + ((x - x_adv) * gradient).flatten(1).sum(1)
    step = to_plane(torch.cat([x_adv, x]), torch.cat([value, from_x]), torch.cat([gradient, gradient]), norm)
    length = geometry.distance(step, torch.zeros_like(step), norm).clamp_min(torch.finfo(x.dtype).tiny)
    step, step_x, length, length_x = *step.split(len(x)), *length.split(len(x))
    lean = geometry.per_example((length / (length + length_x)).clamp_max(LEAN) * may_lean, x)
    return torch.lerp(x_adv + OVERSHOOT * step, x + OVERSHOOT * step_x, lean).clamp_(0, 1)


def to_plane(x, value, gradient, norm):
    """The smallest step, in the norm, from x to the plane value + ⟨gradient, step⟩ = 0 with x + step in [0, 1]; as far
    as possible where none gets there.

    x, gradient: shape (N, ...); value: shape (N,). Every pixel moves in the direction that brings the value to 0, up to
    the box: by the same amount t (linf), by t |gradient| (l2), or fully in the order of |gradient| (l1). What the moves
    achieve is concave in t: Newton from 0.
    """
    shape, gradient = x.shape, gradient.flatten(1) * -value.sign()[:, None]
    needed, weight = value.abs()[:, None], gradient.abs()
    room = torch.where(gradient > 0, 1 - x.flatten(1), x.flatten(1))
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
        nearer = (needed - fixed) / slope  # inf or nan where no pixel can move any more
        moving = (slope > 0) & (nearer > t * (1 + 4 * torch.finfo(x.dtype).eps))
        if not bool(moving.any()):
            break
        t = torch.where(moving, nearer, t)
    return (gradient.sign() * torch.minimum(t * speed, room)).view(shape)


# The plane: f and its gradient, for the class that is nearest

def _towards(model, target):
    """f = the logit of the target minus the largest other one."""
    def plane(x_adv, step):
        return contract.input_gradient(model, x_adv, lambda logits: losses.margin(logits, target))[1:]
    return plane


class _Nearest:
    """f = the logit of class k minus that of y, for the k whose plane is nearest: |f| over the dual norm of ∇f."""

    def __init__(self, model, y, norm):
        self.model, self.y, self.norm = model, y, norm
        self.size = None  # the dual norms of the gradients, shape (N, K), as last computed

    def __call__(self, x_adv, step):
        images = x_adv.detach().requires_grad_()
        logits = contract.at_least_float32(self.model(images))
        values = logits - logits.gather(1, self.y[:, None])
        others = torch.arange(logits.shape[1], device=x_adv.device) != self.y[:, None]
        if step % 10:
            ratio = torch.where(others, values.detach().abs() / self.size, math.inf)
            classes = ratio.nan_to_num(math.inf).argmin(1, keepdim=True)
        else:
            self.size = torch.zeros_like(values.detach())
            classes = others.nonzero()[:, 1].view(len(values), -1)
        value = distance = gradient = None
        for column, k in enumerate(classes.split(1, dim=1)):
            this = values.gather(1, k)
            slope, = torch.autograd.grad(this.sum(), images, retain_graph=column + 1 < classes.shape[1])
            slope, this = torch.nan_to_num(slope, 0, 0, 0), this.detach()[:, 0]
            size = geometry.dual_norm(slope, self.norm)
            self.size.scatter_(1, k, size[:, None].to(self.size.dtype))
            away = (this.abs() / size).nan_to_num(math.inf)
            if value is None:
                value, distance, gradient = this, away, slope
                continue
            nearer = away < distance
            value, distance = torch.where(nearer, this, value), torch.where(nearer, away, distance)
            gradient = torch.where(geometry.per_example(nearer, slope), slope, gradient)
        return value.nan_to_num().to(x_adv.dtype), gradient


def _restart(x, best, distance, norm, generator):
    """A random image in the ball of half the best distance, or, where nothing was found, of half the distance to
    mid-grey's far side."""
    noise = geometry.random_start(torch.full_like(x, .5), .5, norm, generator) - .5
    length = geometry.distance(noise, torch.zeros_like(noise), norm).clamp_min(torch.finfo(x.dtype).tiny)
    radius = torch.where(distance.isinf(), length, distance / 2)
    return (x + noise * geometry.per_example(radius / length, x)).clamp_(0, 1)


def _final_search(x, x_adv, fools):
    """x_adv moved towards x while it fools: six halvings of the last tenth of the way."""
    best = x_adv
    low, high = torch.full_like(x.flatten(1)[:, 0], BACK), torch.ones_like(x.flatten(1)[:, 0])
    with torch.no_grad():
        for _ in range(6):
            middle = (low + high) / 2
            candidate = torch.lerp(x, x_adv, geometry.per_example(middle, x))
            fooled = fools(candidate)
            low, high = torch.where(fooled, low, middle), torch.where(fooled, middle, high)
            best = torch.where(geometry.per_example(fooled, x), candidate, best)
    return best


CARDS = (
    AttackCard(
        name="fab", input="non-random", frequency="iterative", specificity="both", scope="individual",
        measurement="linf, l2, l1",
        realism="non-realistic", falsification="both", knowledge="white box",
        method="projections on linearised decision boundaries, leaning towards the original image",
        paper="Croce and Hein, 2020, arXiv:1907.02044",
        cost="steps x restarts x (2 forward passes and 1 backward pass), every tenth step one backward pass per other "
             "class"),
)
