"""Gradient ascent without a gradient: ask the model for its scores at pairs of opposite points, and estimate the slope.

Who sees only scores can still measure how the loss changes between x + δv and x − δv; averaged over many random
directions v that is the gradient. SPSA (random signs, Adam) and NES (Gaussian noise, PGD's steps) differ in little
else. Nothing here differentiates the model, so that a defence which merely hides its gradient does not stop them.
"""

import torch

from advcourse.attacks import contract, geometry, losses
from advcourse.attacks.cards import AttackCard

ROWS_AT_ONCE = 256  # images per model call: beyond, a CPU's caches overflow
BLOCK = 64  # directions drawn at a time: a fixed number, so that the random numbers do not depend on the batch


def spsa(model, x, y, *, eps, norm="linf", step_size=None, queries=10_000, samples=128, delta=0.01, targeted=False,
         stop_when_fooled=True, generator=None):
    """Simultaneous perturbation stochastic approximation: Adam on gradients estimated along random signs.

    model: images (N, ...) in [0, 1] to logits (N, K), never differentiated; x: (N, ...); y: (N,) true labels, or with
    targeted=True labels to reach. eps, norm: the ball, "linf" or "l2". step_size: Adam's, eps/10 by default (l2: eps/10
    over √D).
    queries: the most images that the model is asked about, per image of x; samples: how many of them for one gradient.
    stop_when_fooled: an image leaves at its first success; else the success of largest loss is kept until the queries
    are spent.
    Returns x_adv, shape of x.

        gradient ≈ Σ_s (f(p_s) − f(q_s)) d_s / Σ_s d_s²   entry by entry, p, q = clip(x_adv ± delta · v), d = p − q, v
                                                          random signs
        f = max_{j≠y} z_j − z_y, turned round for a target

    Uesato et al., 2018, "Adversarial risk and the dangers of evaluating against weak attacks", arXiv:1802.05666,
    section 3 and appendix; it starts at a random point of the ball, as their code does. Differences: p and q are
    clipped to [0, 1] (and to the linf ball), so that the model is never asked about what is no image, and the estimate
    divides by the distance that is left.
    Every image meets the same random numbers: its result depends on the generator alone, not on its batch.
    """
    return _ascend(model, x, y, eps, norm, step_size, queries, samples, delta, targeted, stop_when_fooled, generator,
                   _SPSA)


def nes(model, x, y, *, eps, norm="linf", step_size=None, queries=10_000, samples=100, delta=0.01, targeted=False,
        stop_when_fooled=True, generator=None):
    """Natural evolution strategies: PGD's steps on gradients estimated with Gaussian noise.

    As `spsa`, but v is Gaussian, there is no random start, and a step is step_size (eps/10 by default) along the sign
    of the
    averaged gradient, or along its direction for l2: average ← 0.9 · average + estimate / ‖estimate‖₁, image by image.

    Ilyas et al., 2018, "Black-box adversarial attacks with limited queries and information", arXiv:1804.08598,
    algorithm 1.
    Differences: the loss is the margin, where theirs is the probability, which is flat where the model is sure; clipped
    points as in `spsa`; delta, their σ, is 0.01 in place of 0.001, which float32 and an 8-bit image do not resolve; a
    fixed step size.
    """
    return _ascend(model, x, y, eps, norm, step_size, queries, samples, delta, targeted, stop_when_fooled, generator,
                   _NES)


class _SPSA:
    """Random signs, a random start, and Adam's steps."""

    start = True

    @staticmethod
    def directions(shape, **how):
        return torch.rand(shape, **how).sub_(0.5).sign_()

    def __init__(self, x, norm):
        self.norm, self.step, self.first, self.second = norm, 0, torch.zeros_like(x), torch.zeros_like(x)

    def move(self, gradient, step_size):
        self.step += 1
        self.first = 0.9 * self.first + 0.1 * gradient
        self.second = 0.99 * self.second + 0.01 * gradient ** 2
        first, second = self.first / (1 - 0.9 ** self.step), self.second / (1 - 0.99 ** self.step)
        step = step_size * first / (second.sqrt() + 1e-8)
        return step / step[0].numel() ** 0.5 if self.norm == "l2" else step

    def keep(self, rows):
        self.first, self.second = self.first[rows], self.second[rows]


class _NES:
    """Gaussian noise, momentum, and the steps of PGD."""

    start = False

    @staticmethod
    def directions(shape, **how):
        return torch.randn(shape, **how)

    def __init__(self, x, norm):
        self.norm, self.average = norm, torch.zeros_like(x)

    def move(self, gradient, step_size):
        size = geometry.per_example(geometry.distance(gradient, torch.zeros_like(gradient), "l1"), gradient)
        self.average = 0.9 * self.average + gradient / size.clamp_min(torch.finfo(gradient.dtype).tiny)
        return step_size * geometry.normalise(self.average, self.norm)

    def keep(self, rows):
        self.average = self.average[rows]


def _ascend(model, x, y, eps, norm, step_size, queries, samples, delta, targeted, stop_when_fooled, generator, method):
    """Ask about x_adv; estimate the gradient there; take a step and project; until the queries are spent."""
    contract.check(x, y, eps=eps, norm=norm, norms=("linf", "l2"), queries=queries, samples=samples)
    contract.check_positive(step_size=step_size, delta=delta)
    if samples % 2:
        raise ValueError(f"samples must be even, pairs of opposite points; got {samples}")
    generator = contract.generator_for(x, generator)
    step_size = eps / 10 if step_size is None else step_size
    with contract.attacking(model), torch.no_grad():
        x, y = contract.fresh(x), contract.fresh(y)
        if len(x) == 0:
            return x
        best = contract.Best(x.clone())
        active = torch.arange(len(x), device=x.device)
        z = x
        left = queries

        def ask(images, owner):
            """(f, fooled) of images, (M, ...), that belong to the images of x with the numbers `owner`, (M,)."""
            logits = contract.at_least_float32(model(images))
            contract.labels_fit(logits, y[owner])
            margin = losses.margin(logits, y[owner])
            return (margin if targeted else -margin), losses.fools(logits, y[owner], targeted)

        # x itself first, then steps of one gradient and one image each.
        judge_all(ask, z, active, best)
        left -= 1
        state = method(x, norm)
        if method.start:
            z = geometry.project(x + eps * _shared_noise(x[:1], norm, generator), x, eps, norm)
        while True:
            if stop_when_fooled and best.fooled[active].any():
                keep = ~best.fooled[active]
                active, z = active[keep], z[keep]
                state.keep(keep)
            pairs = min(samples // 2, (left - 1) // 2)
            if pairs < 1 or len(active) == 0:
                return best.x_adv
            gradient = estimate_gradient(ask, z, x, active, eps, norm, delta, pairs, method.directions, generator, best)
            z = geometry.project(z + state.move(gradient, step_size), x[active], eps, norm)
            judge_all(ask, z, active, best)
            left -= 2 * pairs + 1


def judge_all(ask, z, active, best):
    """Ask about the iterates z of the images `active`, and remember the best."""
    for rows in torch.arange(len(active), device=z.device).split(ROWS_AT_ONCE):
        remember(best, active[rows], z[rows], *ask(z[rows], active[rows]))


def remember(best, images, x_adv, loss, fooled):
    """What Best.update does, for the images with these numbers only, each named once."""
    loss = loss.to(best.loss.dtype)
    before, fooled_before = best.loss[images], best.fooled[images]
    better = (fooled & ~fooled_before & ~loss.isnan()) | ((fooled == fooled_before) & (loss > before))
    images = images[better]
    best.x_adv[images], best.loss[images], best.fooled[images] = x_adv[better], loss[better], fooled[better]


def estimate_gradient(ask, z, x, active, eps, norm, delta, pairs, directions, generator, best):
    """The gradient of f at each iterate z, (A, ...), from the model's scores at `pairs` pairs of points around it.

    active: (A,) numbers of the images of x to which the iterates belong; the same directions serve all of them. A point
    of the ball that fools is a success as good as any: it goes to `best`.
    """
    low, high = geometry.bounds(x, eps) if norm == "linf" else (torch.zeros_like(x), torch.ones_like(x))
    weighted, squares = torch.zeros_like(z), torch.zeros_like(z)
    for start in range(0, pairs, BLOCK):
        block = delta * directions((BLOCK, *x.shape[1:]), generator=generator, device=x.device, dtype=x.dtype)
        block = block[:pairs - start]
        for cells in torch.arange(len(active) * len(block), device=x.device).split(ROWS_AT_ONCE // 2):
            row, v = cells // len(block), block[cells % len(block)]
            owner = active[row]
            up, down = torch.clamp(z[row] + v, low[owner],
                                   high[owner]), torch.clamp(z[row] - v, low[owner], high[owner])
            points, both = torch.cat([up, down]), torch.cat([owner, owner])
            f, fooled = ask(points, both)
            slope = (f[:len(row)] - f[len(row):]).nan_to_num(0, 0, 0).to(x.dtype)
            d = up - down
            weighted.index_add_(0, row, geometry.per_example(slope, d) * d)
            squares.index_add_(0, row, d ** 2)
            fooled &= geometry.distance(points, x[both], norm) <= geometry.representable(eps, x.dtype)
            if fooled.any():
                _remember_points(best, both, points, f, fooled)
    return weighted / squares.clamp_min(torch.finfo(x.dtype).tiny)


def _remember_points(best, owner, points, f, fooled):
    """Of each image's points that fool, the one of largest f goes to `best`."""
    owner, points, f = owner[fooled], points[fooled], f[fooled]
    order = f.argsort(stable=True)
    last = torch.full((len(best.loss),), -1, dtype=torch.int64, device=f.device)
    for_each = torch.arange(len(order), device=f.device)
    last.scatter_reduce_(0, owner[order], for_each, "amax")
    images = (last >= 0).nonzero()[:, 0]
    chosen = order[last[images]]
    remember(best, images, points[chosen], f[chosen], torch.ones_like(images, dtype=torch.bool))


def _shared_noise(like, norm, generator):
    """One direction for all images, shape (1, ...): uniform in the ball of radius 1."""
    if norm == "linf":
        return torch.rand(like.shape, generator=generator, device=like.device, dtype=like.dtype).mul_(2).sub_(1)
    direction = torch.randn(like.shape, generator=generator, device=like.device, dtype=like.dtype)
    radius = torch.rand(1, generator=generator, device=like.device, dtype=like.dtype).pow(1 / like.numel())
    return radius * geometry.normalise(direction, "l2")


CARDS = (
    AttackCard(
        name="spsa", input="random", frequency="iterative", specificity="both", scope="individual",
        measurement="linf, l2",
        realism="non-realistic", falsification="both", knowledge="black box: scores",
        method="Adam on a gradient estimated from the scores at pairs of opposite points along random signs",
        paper="Uesato et al., 2018, arXiv:1802.05666",
        cost="at most `queries` forward passes, samples + 1 a step; no backward pass"),
    AttackCard(
        name="nes", input="random", frequency="iterative", specificity="both", scope="individual",
        measurement="linf, l2",
        realism="non-realistic", falsification="both", knowledge="black box: scores",
        method="PGD's steps along a gradient estimated from the scores at pairs of opposite points of Gaussian noise",
        paper="Ilyas et al., 2018, arXiv:1804.08598",
        cost="at most `queries` forward passes, samples + 1 a step; no backward pass"),
)
