"""Gradient ascent without a gradient: ask the model for its scores at pairs of opposite points, and estimate the slope.

Who sees only scores can still measure how the loss changes between x + δv and x − δv; averaged over many random
directions v that is the gradient. SPSA (random signs, Adam) and NES (Gaussian noise, PGD's steps) differ in little
else. Nothing here differentiates the model, so that a defence which merely hides its gradient does not stop them.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from advcourse.attacks import contract, geometry, losses
from advcourse.attacks.cards import AttackCard
from advcourse.attacks.contract import DIRECTIONS_AT_ONCE, Model, Norm
from advcourse.models.inference import IMAGES_AT_ONCE


def spsa(model: Model, x: Tensor, y: Tensor, *, eps: float, norm: Norm = "linf", step_size: float | None = None,
         queries: int = 10_000, samples: int = 128, delta: float = 0.01, targeted: bool = False,
         stop_when_fooled: bool = True, low: float = 0, high: float = 1,
         generator: torch.Generator | None = None) -> Tensor:
    """Simultaneous perturbation stochastic approximation: Adam on gradients estimated along random signs.

        gradient ≈ Σ_s (f(p_s) − f(q_s)) d_s / Σ_s d_s²   entry by entry, p, q = clip(x_adv ± delta · v), d = p − q, v
                                                          random signs
        f = max_{j≠y} z_j − z_y                           (targeted: minus)

    model: from images in [low, high], shape (N, ...), to logits (N, K), never differentiated.
    x: such images. y: their labels, shape (N,), int64; with targeted=True the labels to reach.
    eps: the radius of the ball, at least 0. norm: "linf" or "l2".
    step_size: Adam's, above 0. None: eps / 10 (l2: eps / 10 over √D, D pixel values).
    queries: the most images that the model is asked about, per image of x, at least 1. samples: how many of them for
        one gradient, an even number. delta: how far from the iterate the model is asked, above 0.
    stop_when_fooled: an image leaves at its first success; else the success of largest loss is kept until the queries
        are spent.
    low, high: the ends of the valid range: 0 and 1 for images, −1 and 1 for waveforms.
    generator: on x's device. None: a fresh one of seed 0, the same numbers in every call. Every image meets the same
        random numbers: its result depends on the generator alone, not on its batch.
    Returns x_adv: detached, in the ball and the box: of all images of the ball that the model was asked about, the one
        of largest f among those that fool, else of all iterates that of largest f.
    Raises ValueError where an argument is not as said here, or y does not fit the logits.
    Cost: at most `queries` forward passes per image, samples + 1 a step; no backward pass.

    Uesato et al., "Adversarial risk and the dangers of evaluating against weak attacks", 2018, arXiv:1802.05666,
    section 3 and appendix; it starts at a random point of the ball, as their code does. Differences: p and q are
    clipped to the box (and to the linf ball), so that the model is never asked about what is no image, and the estimate
    divides by the distance that is left.
    """
    settings = Settings(eps=eps, norm=norm, step_size=step_size, queries=queries, samples=samples, delta=delta,
                        targeted=targeted, stop_when_fooled=stop_when_fooled, low=low, high=high)
    return _ascend(model, x, y, _SPSA, settings, generator)


def nes(model: Model, x: Tensor, y: Tensor, *, eps: float, norm: Norm = "linf", step_size: float | None = None,
        queries: int = 10_000, samples: int = 100, delta: float = 0.01, targeted: bool = False,
        stop_when_fooled: bool = True, low: float = 0, high: float = 1,
        generator: torch.Generator | None = None) -> Tensor:
    """Natural evolution strategies: PGD's steps on gradients estimated with Gaussian noise.

        gradient ≈ Σ_s (f(p_s) − f(q_s)) d_s / Σ_s d_s²   entry by entry, p, q = clip(x_adv ± delta · v), d = p − q, v
                                                          Gaussian
        average <- 0.9 · average + gradient / ‖gradient‖₁,    x_adv <- P(x_adv + step_size · sign(average))
        f = max_{j≠y} z_j − z_y                           (targeted: minus)

    model: from images in [low, high], shape (N, ...), to logits (N, K), never differentiated.
    x: such images. y: their labels, shape (N,), int64; with targeted=True the labels to reach.
    eps: the radius of the ball, at least 0. norm: "linf" or "l2"; l2: average / ‖average‖₂ in place of the sign.
    step_size: above 0. None: eps / 10.
    queries: the most images that the model is asked about, per image of x, at least 1. samples: how many of them for
        one gradient, an even number. delta: how far from the iterate the model is asked, above 0.
    stop_when_fooled: an image leaves at its first success; else the success of largest loss is kept until the queries
        are spent.
    low, high: the ends of the valid range: 0 and 1 for images, −1 and 1 for waveforms.
    generator: on x's device. None: a fresh one of seed 0, the same numbers in every call. Every image meets the same
        random numbers: its result depends on the generator alone, not on its batch.
    Returns x_adv: detached, in the ball and the box: of all images of the ball that the model was asked about, the one
        of largest f among those that fool, else of all iterates that of largest f.
    Raises ValueError where an argument is not as said here, or y does not fit the logits.
    Cost: at most `queries` forward passes per image, samples + 1 a step; no backward pass.

    Ilyas et al., "Black-box adversarial attacks with limited queries and information", 2018, arXiv:1804.08598,
    algorithm 1. Differences: the loss is the margin, where theirs is the probability, which is flat where the model is
    sure; clipped points, so that the model is never asked about what is no image; delta, their σ, is 0.01 in place of
    0.001, which float32 and an 8-bit image do not resolve; a fixed step size.
    """
    settings = Settings(eps=eps, norm=norm, step_size=step_size, queries=queries, samples=samples, delta=delta,
                        targeted=targeted, stop_when_fooled=stop_when_fooled, low=low, high=high)
    return _ascend(model, x, y, _NES, settings, generator)


@dataclass(frozen=True)
class Settings:
    """The options that SPSA and NES share."""

    eps: float
    norm: Norm
    step_size: float | None
    queries: int
    samples: int
    delta: float
    targeted: bool
    stop_when_fooled: bool
    low: float
    high: float


class _SPSA:
    """Random signs, a random start, and Adam's steps."""

    start = True

    @staticmethod
    def draw(shape, **how):
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
    def draw(shape, **how):
        return torch.randn(shape, **how)

    def __init__(self, x, norm):
        self.norm, self.average = norm, torch.zeros_like(x)

    def move(self, gradient, step_size):
        size = geometry.per_example(geometry.distance(gradient, torch.zeros_like(gradient), "l1"), gradient)
        self.average = 0.9 * self.average + gradient / size.clamp_min(torch.finfo(gradient.dtype).tiny)
        return step_size * geometry.normalise(self.average, self.norm)

    def keep(self, rows):
        self.average = self.average[rows]


def _ascend(model, x, y, method, settings, generator):
    """Ask about x_adv; estimate the gradient there; take a step and project; until the queries are spent."""
    eps, norm, delta = settings.eps, settings.norm, settings.delta
    box = contract.check(x, y, eps=eps, norm=norm, norms=("linf", "l2"), low=settings.low, high=settings.high,
                         queries=settings.queries, samples=settings.samples)
    contract.check_positive(step_size=settings.step_size, delta=delta)
    if settings.samples % 2:
        raise ValueError(f"samples must be even, pairs of opposite points; got {settings.samples}")
    generator = contract.generator_for(x, generator)
    step_size = eps / 10 if settings.step_size is None else settings.step_size
    with contract.attacking(model) as ask, torch.no_grad():
        x, y = contract.fresh(x), contract.fresh(y)
        if len(x) == 0:
            return x
        best = contract.Best(x)
        z, active = x, torch.arange(len(x), device=x.device)  # the iterates, and to which images they belong

        def score(images, owner):
            """(f, fooled) of images, (M, ...), that belong to the images of x with the numbers `owner`, (M,)."""
            logits = contract.at_least_float32(ask(images))
            contract.labels_fit(logits, y[owner])
            margin = losses.margin(logits, y[owner])
            return margin if settings.targeted else -margin, losses.fools(logits, y[owner], settings.targeted)

        def score_around(points, owner):
            """f of points around the iterates; one of the ball that fools is a success as good as any."""
            f, fooled = score(points, owner)
            fooled &= geometry.distance(points, x[owner], norm) <= geometry.representable(eps, x.dtype)
            if fooled.any():
                _remember(best, owner[fooled], points[fooled], f[fooled])
            return f

        # x itself first, then steps of one gradient and one image each.
        best.update(z, *score(z, active), active)
        left = settings.queries - 1
        limits = geometry.bounds(x, eps, box) if norm == "linf" else tuple(torch.full_like(x, end) for end in box)
        state = method(x, norm)
        if method.start:
            z = geometry.project(x + eps * _shared_noise(x[:1], norm, generator), x, eps, norm, box)
        while True:
            if settings.stop_when_fooled and best.fooled[active].any():
                keep = ~best.fooled[active]
                active, z = active[keep], z[keep]
                state.keep(keep)
            pairs = min(settings.samples // 2, (left - 1) // 2)
            if pairs < 1 or len(active) == 0:
                return best.x_adv
            gradient = estimate_gradient(score_around, z, active, limits,
                                         directions(method.draw, x, pairs=pairs, delta=delta, generator=generator))
            z = geometry.project(z + state.move(gradient, step_size), x[active], eps, norm, box)
            best.update(z, *score(z, active), active)
            left -= 2 * pairs + 1


def directions(draw: Callable[..., Tensor], like: Tensor, *, pairs: int, delta: float,
               generator: torch.Generator) -> Iterator[Tensor]:
    """Blocks of changes delta · v of one image of the shape of like[0], (up to 64, ...), `pairs` in all."""
    for start in range(0, pairs, DIRECTIONS_AT_ONCE):
        shape = (DIRECTIONS_AT_ONCE, *like.shape[1:])
        block = delta * draw(shape, generator=generator, device=like.device, dtype=like.dtype)
        yield block[:pairs - start]


def estimate_gradient(score: Callable[[Tensor, Tensor], Tensor], z: Tensor, active: Tensor,
                      limits: tuple[Tensor, Tensor], blocks: Iterable[Tensor]) -> Tensor:
    """The gradient of f at each iterate z, (A, ...), from its values at pairs of opposite points around it.

    score: from points (M, ...) and the numbers of their images (M,) to f, (M,). active: the numbers of the iterates'
    images, (A,). limits: the smallest and largest value of each pixel, for all images. blocks: tensors of changes; the
    same ones serve all iterates.
    """
    low, high = limits
    weighted, squares = torch.zeros_like(z), torch.zeros_like(z)
    for block in blocks:
        for cells in torch.arange(len(active) * len(block), device=z.device).split(IMAGES_AT_ONCE // 2):
            row, change = cells // len(block), block[cells % len(block)]
            owner = active[row]
            up = torch.clamp(z[row] + change, low[owner], high[owner])
            down = torch.clamp(z[row] - change, low[owner], high[owner])
            f = score(torch.cat([up, down]), torch.cat([owner, owner]))
            slope = (f[:len(row)] - f[len(row):]).nan_to_num(0, 0, 0).to(z.dtype)
            d = up - down
            weighted.index_add_(0, row, geometry.per_example(slope, d) * d)
            squares.index_add_(0, row, d ** 2)
    return weighted / squares.clamp_min(torch.finfo(z.dtype).tiny)


def _remember(best, owner, points, f):
    """Of each image's points, which all fool, the one of largest f goes to `best`."""
    order = f.argsort(stable=True)
    last = torch.full((len(best.loss),), -1, dtype=torch.int64, device=f.device)
    last.scatter_reduce_(0, owner[order], torch.arange(len(order), device=f.device), "amax")
    images = (last >= 0).nonzero()[:, 0]
    chosen = order[last[images]]
    best.update(points[chosen], f[chosen], torch.ones_like(images, dtype=torch.bool), images)


def _shared_noise(like, norm, generator):
    """One direction for all images, shape (1, ...): uniform in the ball of radius 1."""
    if norm == "linf":
        return torch.rand(like.shape, generator=generator, device=like.device, dtype=like.dtype).mul_(2).sub_(1)
    direction = torch.randn(like.shape, generator=generator, device=like.device, dtype=like.dtype)
    radius = torch.rand(1, generator=generator, device=like.device, dtype=like.dtype).pow(1 / like.numel())
    return radius * geometry.normalise(direction, "l2")


CARDS = tuple(
    AttackCard(
        name=name, input="random", frequency="iterative", specificity="both", scope="individual",
        measurement="linf, l2", realism="non-realistic", falsification="both", knowledge="black box: scores",
        method=method, paper=paper, cost="at most `queries` forward passes, samples + 1 a step; no backward pass",
        notebook="05")
    for name, method, paper in (
        ("spsa", "Adam on a gradient estimated from the scores at pairs of opposite points along random signs",
         "Uesato et al., 2018, arXiv:1802.05666"),
        ("nes", "PGD's steps along a gradient estimated from the scores at pairs of opposite points of Gaussian noise",
         "Ilyas et al., 2018, arXiv:1804.08598")))
