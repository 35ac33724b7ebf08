"""Square: a random search that changes one square of the image at a time and keeps the change where it helps.

It sees the model's scores and no gradient, so that a model that hides its gradient hides nothing from it. Every pixel
stands at the border of the ball, where attacks end up anyway, and the squares shrink as the search goes on. Each try
costs one query; an image leaves at its first success.
"""

import math
from functools import lru_cache

import torch
from torch import Tensor

from advcourse.attacks import contract, geometry, losses
from advcourse.attacks.cards import AttackCard
from advcourse.attacks.contract import Model, Norm

# Of 10,000 queries: after each of these the squares' area halves.
HALVINGS = (10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000)


def square(model: Model, x: Tensor, y: Tensor, *, eps: float, norm: Norm = "linf", queries: int = 5000,
           targeted: bool = False, low: float = 0, high: float = 1, generator: torch.Generator | None = None) -> Tensor:
    """Random search over squares inside the ball; keeps a change where it lowers the margin z_y − max_{i≠y} z_i.

        linf: a square of x_adv becomes x + eps or x − eps, a sign per channel
        l2, l1: a square of the perturbation becomes itself plus a two-sided bump, paid with the size that another
        square gives up

    model: from images in [low, high], shape (N, C, H, W), to logits (N, K), never differentiated.
    x: such images; (N, H, W) and (N, D) work, too.
    y: their labels, shape (N,), int64; with targeted=True the labels to reach: then the margin of y is raised.
    eps: the radius of the ball, at least 0. norm: "linf", "l2" or "l1".
    queries: at least 1: how many times an image may be shown to the model, the start included; it is shown no more once
        it fools.
    low, high: the ends of the valid range: 0 and 1 for images, −1 and 1 for waveforms.
    generator: on x's device. None: a fresh one of seed 0, the same numbers in every call.
    Returns x_adv: detached, in the ball and the box: the first success, else the image of the smallest margin.
    Raises ValueError where an argument is not as said here, or y does not fit the logits.
    Cost: at most `queries` forward passes per image, fewer where it succeeds.

    Andriushchenko, Croce, Flammarion, Hein, "Square attack", ECCV 2020, Algorithms 1 to 3, p = 0.8; norm="l1": Croce,
    Hein, "Mind the box", ICML 2021, section 5: steeper bumps, sizes in l1.
    Differs: the squares, drawn at random for every query, are the same for all images of a batch, so that an image's
    result does not depend on the others; a sign that would change nothing is turned; for linf, below 5,000 queries the
    squares shrink earlier, in proportion (for l2 that was weaker; l1 follows it).
    """
    box = contract.check(x, y, eps=eps, norm=norm, norms=contract.BALL_NORMS, low=low, high=high, queries=queries)
    generator = contract.generator_for(x, generator)
    with contract.attacking(model) as ask:
        return search(ask, contract.fresh(x), y, eps=eps, norm=norm, queries=queries, targeted=targeted,
                      generator=generator, box=box)


@torch.no_grad()
def search(ask: Model, x: Tensor, y: Tensor, *, eps: float, norm: Norm, queries: int, targeted: bool,
           generator: torch.Generator, box: geometry.Box = geometry.UNIT, reached: Tensor | None = None) -> Tensor:
    """`square` on checked arguments, with the model that `attacking` lends.

    reached: the margins, shape (N,), that other attacks have brought the images to. An image is then given up, too,
    where at query q = 256, 512, 1024 …, with m_q its margin and d = log2(queries / q) doublings to come,

        m_q > 0.7 reached   and   m_q > d · gain_q,

        gain_q = 2.5 (m_{q/8} − m_q) / 3      for q < 1024       2.5 times the mean gain of the last three doublings
               = min(that, 2 (m_{q/2} − m_q)) from 1024 on       or twice the gain of the last one, if that is less
    """
    if x.numel() == 0:
        return x
    shape = x.shape[1:]
    x = x.reshape(len(x), *_channels_height_width(shape))
    propose = _Linf(x, eps, box, generator) if norm == "linf" else _Bumps(x, eps, norm, box, generator)
    result = x.clone()
    index, labels = torch.arange(len(x), device=x.device), y
    x_adv = propose.start()
    best = x.new_full((len(x),), math.inf, dtype=torch.float64)
    noted = {}  # the margins at queries 32, 64, 128 ...
    for query in range(queries):
        candidate, undo = x_adv, None
        if query > 0:
            candidate, undo = propose.change(x_adv, _share(query, queries if norm == "linf" else 10_000))
        logits = contract.at_least_float32(ask(candidate.view(-1, *shape)))
        if query == 0:
            contract.labels_fit(logits, labels)
        margin = losses.margin(logits, labels).double()
        margin = -margin if targeted else margin
        fooled = losses.fools(logits, labels, targeted)
        better = fooled | (margin < best)
        best = torch.where(better, margin, best)
        x_adv = undo(candidate, better) if undo else candidate
        done = fooled
        if reached is not None and query >= 32 and query.bit_count() == 1:
            noted[query] = best
            if query >= 256:
                done = done | _hopeless(noted, query, queries) & (best > .7 * reached)
        if done.any():
            result[index[done]] = x_adv[done]
            index, labels, x_adv, best = (part[~done] for part in (index, labels, x_adv, best))
            noted = {earlier: margins[~done] for earlier, margins in noted.items()}
            reached = None if reached is None else reached[~done]
            propose.keep(~done)
            if len(index) == 0:
                break
    result[index] = x_adv
    return result.view(-1, *shape)


def _hopeless(noted, query, queries):
    """Where the margins, by what they gained in the last doublings of the queries, will not be closed in those left."""
    doublings, margin = math.log2(queries / query), noted[query]
    hopeless = margin > 2.5 * doublings * (noted[query // 8] - margin) / 3
    if query >= 1024:
        hopeless |= margin > 2 * doublings * (noted[query // 2] - margin)
    return hopeless


def _channels_height_width(shape):
    """(C, H, W) of images of this shape; anything but 2 or 3 dimensions becomes one row."""
    return {3: tuple(shape), 2: (1, *shape)}.get(len(shape), (1, 1, math.prod(shape)))


def _share(query, queries):
    """The squares' share of the image's area: 0.8, halved nine times over 10,000 queries."""
    query = query / min(1, queries / 5000)
    return .8 / 2 ** sum(query > halving for halving in HALVINGS)


class _Linf:
    """Proposals for linf: x − eps and x + eps, clipped, are the only values there are."""

    def __init__(self, x, eps, box, generator):
        self.low, self.high = geometry.bounds(x, eps, box)
        self.generator = generator

    def start(self):
        """Vertical stripes, one pixel wide, a random sign for each stripe and channel."""
        channels, _, width = self.low.shape[1:]
        return torch.where(_signs((channels, 1, width), self.low, self.generator) > 0, self.high, self.low)

    def change(self, x_adv, share):
        """x_adv with a new square, in place; and how to take it back where it did not help."""
        channels, height, width = x_adv.shape[1:]
        side = max(round(math.sqrt(share * height * width)), 1)
        rows, columns = _window(height, side, self.generator), _window(width, side, self.generator)
        window, high, low = (images[:, :, rows, columns] for images in (x_adv, self.high, self.low))
        up = _signs((channels, 1, 1), x_adv, self.generator) > 0
        new, other = torch.where(up, high, low), torch.where(up, low, high)
        same = (new == window).flatten(1).all(1)
        new = torch.where(geometry.per_example(same, new), other, new)
        old = window.clone()
        window.copy_(new)

        def undo(candidate, better):
            candidate[:, :, rows, columns] = torch.where(geometry.per_example(better, new), new, old)
            return candidate

        return x_adv, undo

    def keep(self, mask):
        self.low, self.high = self.low[mask], self.high[mask]


class _Bumps:
    """Proposals for l2 and l1: bumps, and a budget of eps that moves from square to square."""

    def __init__(self, x, eps, norm, box, generator):
        self.x, self.eps, self.box, self.generator = x, eps, box, generator
        self.power = 2 if norm == "l2" else 1  # what adds up over the pixels, and to eps ** power: |delta| ** power
        self.radius = geometry.summed_radius(eps, x.dtype)

    def start(self):
        """A chessboard of bumps, a random sign for each bump and channel."""
        channels, height, width = self.x.shape[1:]
        delta = self.x.new_zeros(channels, height, width)
        tall, wide = max(height // 5, 1), max(width // 5, 1)
        for top in range(0, height - tall + 1, tall):
            for left in range(0, width - wide + 1, wide):
                bump = _two_sided(tall, wide, self.x, self.generator, self.power)
                delta[:, top:top + tall, left:left + wide] = bump * _signs((channels, 1, 1), self.x, self.generator)
        return self._at_border(delta.expand_as(self.x))

    def change(self, x_adv, share):
        """A copy of x_adv with a new square, and how to choose between the two."""
        channels, height, width = x_adv.shape[1:]
        side = max(round(math.sqrt(share * height * width)), 3)
        side += side % 2 == 0
        rows, columns = _window(height, side, self.generator), _window(width, side, self.generator)
        rows_2, columns_2 = _window(height, side, self.generator), _window(width, side, self.generator)
        delta = x_adv - self.x
        both = torch.zeros_like(delta[0, 0], dtype=torch.bool)
        both[rows, columns] = both[rows_2, columns_2] = True
        size = delta.abs() ** self.power
        unused = (self.eps ** self.power - size.sum((1, 2, 3), keepdim=True)).clamp_min(0)
        budget = (unused / channels + (size * both).sum((2, 3), keepdim=True)) ** (1 / self.power)
        window = delta[:, :, rows, columns]
        bump = _two_sided(window.shape[2], window.shape[3], self.x, self.generator, self.power)
        new = _unit(window, self.power) + bump * _signs((channels, 1, 1), self.x, self.generator)
        delta[:, :, rows_2, columns_2] = 0
        delta[:, :, rows, columns] = budget * _unit(new, self.power)

        def choose(candidate, better):
            return torch.where(geometry.per_example(better, candidate), candidate, x_adv)

        return self._at_border(delta), choose

    def _at_border(self, delta):
        """x plus delta at the size eps, clipped to the box."""
        size = torch.linalg.vector_norm(delta, self.power, dim=(1, 2, 3), keepdim=True)
        scale = self.radius / size.clamp_min(torch.finfo(self.x.dtype).tiny)
        return geometry.add_inside(self.x, delta * scale, self.box)

    def keep(self, mask):
        self.x = self.x[mask]


def _signs(shape, like, generator):
    """−1 or 1 at random."""
    return torch.randint(2, shape, generator=generator, device=like.device).to(like.dtype) * 2 - 1


def _window(length, side, generator):
    """A random interval of at most `side` pixels inside `length`."""
    side = min(side, length)
    start = torch.randint(length - side + 1, (), generator=generator, device=generator.device).item()
    return slice(start, start + side)


def _unit(window, power):
    """Each channel's window, shape (N, C, h, w), at size 1 in l1 or l2, which `power` says; 0 stays 0."""
    size = torch.linalg.vector_norm(window, power, dim=(2, 3), keepdim=True)
    return window / size.clamp_min(torch.finfo(window.dtype).tiny)


def _two_sided(tall, wide, like, generator, power=2):
    """A bump up beside a bump down, shape (tall, wide), of size 1: one above the other or side by side, at random."""
    if torch.randint(2, (), generator=generator, device=generator.device):
        return _stacked(wide, tall, like.dtype, like.device, power).T
    return _stacked(tall, wide, like.dtype, like.device, power)


@lru_cache(maxsize=64)  # there are as many as sides of squares, and thousands of queries
def _stacked(tall, wide, dtype, device, power):
    like = torch.empty(0, dtype=dtype, device=device)
    pattern = torch.cat([_bump(tall // 2, wide, like, power), -_bump(tall - tall // 2, wide, like, power)])
    return pattern / torch.linalg.vector_norm(pattern, power)


def _bump(tall, wide, like, power=2):
    """Highest in the middle: at distance d from it, Σ_{t≥d} 1 / (t + 1)²; l1: 1 / (t + 1)⁴.

    The distance is that of the rows or of the columns, the larger one.
    """
    rows = (torch.arange(tall, device=like.device) - tall // 2).abs()
    columns = (torch.arange(wide, device=like.device) - wide // 2).abs()
    rings = max(tall, wide) // 2 + 1
    exponent = 2 if power == 2 else 4
    falling = 1 / torch.arange(1, rings + 1, device=like.device, dtype=like.dtype) ** exponent
    heights = falling.flip(0).cumsum(0).flip(0)
    return heights[torch.maximum(rows[:, None], columns[None, :])]


CARDS = (
    AttackCard(
        name="square", input="random", frequency="iterative", specificity="both", scope="individual",
        measurement="linf, l2, l1", realism="non-realistic", falsification="both", knowledge="black box: scores",
        method="random search that changes one square at a time and keeps what lowers the margin",
        paper="Andriushchenko et al., 2020, arXiv:1912.00049",
        cost="at most `queries` forward passes, fewer where it succeeds", notebook="05"),
)
