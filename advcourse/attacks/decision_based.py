"""Attacks on a model that tells only its answer: walk along the boundary between right and wrong.

Start at any image that the model gets wrong, however far away, and go towards the original until just before the answer
turns right. From there the boundary attack tries random steps sideways and keeps those that stay wrong; HopSkipJump
asks about random points on both sides, whose votes add up to the boundary's normal, jumps along it and returns to the
boundary by bisection. A label a query is all they see.
"""

import torch
from torch import Tensor

from advcourse.attacks import contract, geometry, losses
from advcourse.attacks.cards import AttackCard
from advcourse.attacks.contract import DIRECTIONS_AT_ONCE, Model, Nearest, Norm
from advcourse.models.inference import IMAGES_AT_ONCE

START_TRIES = 50  # random images tried as a start


def boundary(model: Model, x: Tensor, y: Tensor, *, queries: int = 5_000, targeted: bool = False,
             starts: Tensor | None = None, low: float = 0, high: float = 1,
             generator: torch.Generator | None = None) -> Tensor:
    """The boundary attack: a random walk along the boundary that keeps to the wrong side and drifts towards x (l2).

        s = the point of the sphere around x through z nearest to z + δ ‖z − x‖₂ · u          u: noise of length 1
        z ← s + ε (x − s)  where the model is wrong there and it is closer to x than z
        δ ← 1.2 δ  where the model is wrong at s,  else δ / 1.2             (asked every fifth time:  half succeed)
        ε ← 1.15 ε  where it is wrong at the next z,  else ε / 1.15^(1/3)   (one in four succeeds)

    model: from images in [low, high], shape (N, ...), to logits, shape (N, K), of which only the largest counts.
    x: such images, float32 or float64; y: their true labels, shape (N,), int64; if targeted, the labels to reach.
    queries: the most images that the model is asked about, per image of x, at least 1.
    targeted: whether y is to be reached, not left.
    starts: images in [low, high], shape of x, that the model answers as wanted; where they are missing (None) or wrong,
        up to 50 random ones are tried, which seldom hit a given target.
    low, high: the ends of the valid range: 0 and 1 for images, −1 and 1 for waveforms.
    generator: of all random numbers; None: a fresh one of seed 0, the same numbers in every call.
    Returns x_adv in [low, high], shape of x, detached: the success nearest to x in l2 of all images that were asked
    about; x itself where there was none.
    Raises ValueError for other arguments than these.
    Cost: at most `queries` forward passes, about 1.2 a step; no backward pass.

    Brendel, Rauber, Bethge, "Decision-based adversarial attacks", ICLR 2018, arXiv:1712.04248, algorithm 1 and section
    2. What differs: it starts with a bisection of the line from the start to x; δ and ε move a little at each answer,
    where the paper's code counts successes in a buffer. Every image meets the same random numbers: its result depends
    on the generator alone, not on its batch.
    """
    with contract.attacking(model) as ask, torch.no_grad():
        oracle = _Oracle(ask, x, y, norm="l2", queries=queries, targeted=targeted, starts=starts,
                         low=low, high=high, generator=generator)
        x, active = oracle.x, oracle.find_starts()
        z = _bisect(oracle, oracle.nearest.x_adv[active], active, 1e-3)
        delta, epsilon = (torch.full((len(x),), first, device=x.device, dtype=x.dtype) for first in (0.1, 0.1))
        step = 0
        while len(active):
            original = x[active]
            radius = geometry.per_example(geometry.distance(z, original, "l2"), z)
            noise = geometry.normalise(oracle.noise(1), "l2")
            sideways = z + geometry.per_example(delta[active], z) * radius * noise - original
            sphere = (original + radius * geometry.normalise(sideways, "l2")).clamp_(*oracle.box)
            if step % 5 == 0:
                wrong = oracle(sphere, active)
                delta[active] *= torch.where(wrong, 1.2, 1 / 1.2).to(x.dtype)
            candidate = sphere + geometry.per_example(epsilon[active], z) * (original - sphere)
            smaller = geometry.distance(candidate, original, "l2") < radius.flatten()
            wrong = oracle(candidate, active)
            epsilon[active] *= torch.where(wrong, 1.15, 1.15 ** (-1 / 3)).to(x.dtype)
            delta.clamp_(max=1)
            epsilon.clamp_(max=0.5)
            z = torch.where(geometry.per_example(wrong & smaller, z), candidate, z)
            more = oracle.left(active) > 0
            active, z = active[more], z[more]
            step += 1
        return oracle.nearest.x_adv


def hop_skip_jump(model: Model, x: Tensor, y: Tensor, *, norm: Norm = "l2", queries: int = 5_000,
                  targeted: bool = False, starts: Tensor | None = None, low: float = 0, high: float = 1,
                  generator: torch.Generator | None = None) -> Tensor:
    """HopSkipJump: the boundary's normal from the labels of random points around it, a jump along it, a bisection back.

        Round t, at a point z of the boundary, with r = ‖z − x‖:
        φ_b = ±1  where z + δ u_b is wrong or right,  ‖u_b‖₂ = 1,  b = 1 … B = 50 √t
        v   = Σ_b (φ_b − mean φ) u_b,  divided by its length  (linf: its sign)
        z ← z + r / √t · v,  half as far until it is wrong there;  then a bisection towards x, to the share θ of the way
        θ = D^(−3/2),  δ = r √D θ  (linf: D^(−2),  r D θ)     D: values of an image;  δ = 0.1 (high − low) in round 1

    model: from images in [low, high], shape (N, ...), to logits, shape (N, K), of which only the largest counts.
    x: such images, float32 or float64; y: their true labels, shape (N,), int64; if targeted, the labels to reach.
    norm: "l2" or "linf", of the change that is to be small.
    queries: the most images that the model is asked about, per image of x, at least 1.
    targeted: whether y is to be reached, not left.
    starts: images in [low, high], shape of x, that the model answers as wanted; where they are missing (None) or wrong,
        up to 50 random ones are tried, which seldom hit a given target.
    low, high: the ends of the valid range: 0 and 1 for images, −1 and 1 for waveforms.
    generator: of all random numbers; None: a fresh one of seed 0, the same numbers in every call.
    Returns x_adv in [low, high], shape of x, detached: the success nearest to x of all images that were asked about; x
    itself where there was none.
    Raises ValueError for other arguments than these.
    Cost: at most `queries` forward passes, about 50 √t + 17 in round t; no backward pass.

    Chen, Jordan, Wainwright, "HopSkipJumpAttack: a query-efficient decision-based attack", IEEE S&P 2020,
    arXiv:1904.02144, algorithm 2. What differs: the start is a random image or one of `starts`, bisected towards x;
    half of the paper's 100 √t points, which at 1,000 to 5,000 queries ends as close or closer. Each image has its own
    step, δ and direction, and every image meets the same random numbers: its result depends on the generator alone, not
    on its batch.
    """
    if norm not in ("l2", "linf"):
        raise ValueError(f"norm must be one of 'l2', 'linf'; got {norm!r}")
    with contract.attacking(model) as ask, torch.no_grad():
        oracle = _Oracle(ask, x, y, norm=norm, queries=queries, targeted=targeted, starts=starts,
                         low=low, high=high, generator=generator)
        x, active = oracle.x, oracle.find_starts()
        if len(active) == 0:
            return oracle.nearest.x_adv
        features = x[0].numel()
        theta = features ** (-1.5 if norm == "l2" else -2.0)
        z = _bisect(oracle, oracle.nearest.x_adv[active], active, theta)
        step = 1
        while True:
            more = oracle.left(active) > 0
            active, z = active[more], z[more]
            if len(active) == 0:
                return oracle.nearest.x_adv
            radius = geometry.distance(z, x[active], norm)
            delta = radius * theta * (features ** 0.5 if norm == "l2" else features)
            if step == 1:
                delta = torch.full_like(radius, 0.1 * oracle.box.width)
            normal = _normal(oracle, z, active, delta, int(50 * step ** 0.5))
            z = _jump(oracle, z, active, geometry.normalise(normal, norm), radius / step ** 0.5)
            z = _bisect(oracle, z, active, theta)
            step += 1


def _normal(oracle, z, active, delta, samples):
    """The boundary's normal at z, (A, ...), to the wrong side, from the votes of points at distance delta, (A,)."""
    votes, count = z.new_zeros(len(z)), z.new_zeros(len(z))
    directed, voted = torch.zeros_like(z), torch.zeros_like(z)  # Σ u and Σ φ u
    for start in range(0, samples, DIRECTIONS_AT_ONCE):
        directions = geometry.normalise(oracle.noise(DIRECTIONS_AT_ONCE), "l2")[:samples - start]
        room = torch.arange(len(directions), device=z.device) < oracle.left(active)[:, None]
        rows, which = room.nonzero(as_tuple=True)
        for some in torch.arange(len(rows), device=z.device).split(IMAGES_AT_ONCE):
            row = rows[some]
            length = geometry.per_example(delta[row], z)
            points = (z[row] + length * directions[which[some]]).clamp_(*oracle.box)
            u = (points - z[row]) / length.clamp_min(torch.finfo(z.dtype).tiny)
            vote = oracle(points, active[row]).to(z.dtype) * 2 - 1
            votes.index_add_(0, row, vote)
            count.index_add_(0, row, torch.ones_like(vote))
            directed.index_add_(0, row, u)
            voted.index_add_(0, row, geometry.per_example(vote, u) * u)
    mean = votes / count.clamp_min(1)
    # Where all votes agree there is no difference to learn from: the mean direction, or away from it.
    differ, mean = geometry.per_example(mean.abs() < 1, z), geometry.per_example(mean, z)
    return torch.where(differ, voted - mean * directed, voted)


def _jump(oracle, z, active, direction, length):
    """z + length · direction where that is on the wrong side, else half the way, and so on; z where none is."""
    result, waiting = z.clone(), torch.arange(len(z), device=z.device)
    for _ in range(20):
        waiting = waiting[oracle.left(active[waiting]) > 0]
        if len(waiting) == 0:
            break
        there = (z[waiting] + geometry.per_example(length[waiting], z) * direction[waiting]).clamp_(*oracle.box)
        wrong = oracle(there, active[waiting])
        result[waiting[wrong]] = there[wrong]
        waiting = waiting[~wrong]
        length = length / 2
    return result


def _bisect(oracle, z, active, tolerance):
    """The last point on the wrong side on the way from z, which is wrong, (A, ...), to x, up to tolerance.

    The way is the line for l2, for linf the shrinking of the cube: all changes clipped to the share t of the largest.
    """
    x = oracle.x[active]
    result = z.clone()
    largest = geometry.per_example(geometry.distance(z, x, oracle.norm), x)
    right, wrong = (torch.full((len(z),), share, device=z.device, dtype=z.dtype) for share in (0.0, 1.0))
    while True:
        open_ = ((wrong - right > tolerance) & (oracle.left(active) > 0)).nonzero()[:, 0]
        if len(open_) == 0:
            return result
        middle = (right[open_] + wrong[open_]) / 2
        share = geometry.per_example(middle, x)
        if oracle.norm == "l2":
            point = x[open_] + share * (z[open_] - x[open_])
        else:
            reach = share * largest[open_]
            point = torch.clamp(z[open_], x[open_] - reach, x[open_] + reach)
        point.clamp_(*oracle.box)
        fooled = oracle(point, active[open_])
        result[open_[fooled]] = point[fooled]
        wrong[open_] = torch.where(fooled, middle, wrong[open_])
        right[open_] = torch.where(fooled, right[open_], middle)


class _Oracle:
    """Whether the model answers as wanted, with accounts: queries per image, and the nearest of all successes."""

    def __init__(self, ask, x, y, *, norm, queries, targeted, starts, low, high, generator):
        self.box = contract.check(x, y, low=low, high=high, queries=queries)
        if starts is not None:
            contract.check(starts, low=low, high=high)
            if starts.shape != x.shape or starts.dtype != x.dtype or starts.device != x.device:
                raise ValueError(
                    f"starts must have the shape, dtype and device of x, {tuple(x.shape)}, {x.dtype}, {x.device}; "
                    f"got {tuple(starts.shape)}, {starts.dtype}, {starts.device}")
        self.generator = contract.generator_for(x, generator)
        self.ask, self.norm, self.queries, self.targeted = ask, norm, queries, targeted
        self.x, self.y = contract.fresh(x), contract.fresh(y)
        self.starts = None if starts is None else contract.fresh(starts)
        self.nearest, self.used = Nearest(self.x), torch.zeros_like(self.y)

    def __call__(self, images, owner):
        """Where they succeed, (M,): images, (M, ...), made from the images of x with the numbers `owner`.

        Where an image has no queries left: False.
        """
        fooled = torch.zeros(len(images), dtype=torch.bool, device=images.device)
        allowed = (self.left(owner) > 0).nonzero()[:, 0]
        if len(allowed) == 0:
            return fooled
        logits, labels = self.ask(images[allowed]), self.y[owner[allowed]]
        contract.labels_fit(logits, labels)
        fooled[allowed] = losses.fools(logits, labels, self.targeted)
        self.used.index_add_(0, owner[allowed], torch.ones_like(labels))
        if fooled.any():
            owner, images = owner[fooled], images[fooled]
            size = geometry.distance(images, self.x[owner], self.norm)
            # Of several successes of one image the smallest; of equals any.
            first = size == self.nearest.size.scatter_reduce(0, owner, size, "amin")[owner]
            self.nearest.update(images[first], size[first], rows=owner[first])
        return fooled

    def left(self, owner):
        """How many queries the images with these numbers have left."""
        return self.queries - self.used[owner]

    def noise(self, count):
        """Gaussian noise, (count, ...): the same for every image."""
        shape = (count, *self.x.shape[1:])
        return torch.randn(shape, generator=self.generator, device=self.x.device, dtype=self.x.dtype)

    def find_starts(self):
        """The numbers of the images that are still right and have a success to start from, now in `nearest`."""
        if len(self.x) == 0:
            return self.y
        everyone = torch.arange(len(self.x), device=self.x.device)
        already = self(self.x, everyone)
        lacking = everyone[~already]
        if self.starts is not None and len(lacking):
            lacking = lacking[~self(self.starts[lacking], lacking)]
        for _ in range(START_TRIES):
            # Flat, dark, bright and noisy images in turn: a random grey, and noise of random contrast around it.
            grey, contrast = torch.rand(2, generator=self.generator, device=self.x.device, dtype=self.x.dtype)
            noise = torch.rand(self.x.shape[1:], generator=self.generator, device=self.x.device, dtype=self.x.dtype)
            start = (grey + contrast * (2 * noise - 1)).clamp_(0, 1).mul_(self.box.width).add_(self.box.low)
            start.clamp_(*self.box)
            if len(lacking) == 0:
                break
            lacking = lacking[~self(start.expand(len(lacking), *start.shape), lacking)]
        return everyone[self.nearest.found & ~already]


CARDS = (
    AttackCard(
        notebook="05",
        name="boundary", input="random", frequency="iterative", specificity="both", scope="individual",
        measurement="l2", realism="non-realistic", falsification="both", knowledge="black box: labels",
        method="a random walk along the decision boundary, from a wrong image towards the original",
        paper="Brendel, Rauber & Bethge, 2018, arXiv:1712.04248",
        cost="at most `queries` forward passes, about 1.2 a step; no backward pass"),
    AttackCard(
        notebook="05",
        name="hop_skip_jump", input="random", frequency="iterative", specificity="both", scope="individual",
        measurement="l2, linf", realism="non-realistic", falsification="both", knowledge="black box: labels",
        method="the boundary's normal from the labels of random points around it, a jump along it, a bisection back",
        paper="Chen, Jordan & Wainwright, 2020, arXiv:1904.02144",
        cost="at most `queries` forward passes, about 50 √t + 17 in round t; no backward pass"),
)
