"""Attacks on a model that tells only its answer: walk along the boundary between right and wrong.

Start at any image that the model gets wrong, however far away, and go towards the original until just before the answer
turns right. From there the boundary attack tries random steps sideways and keeps those that stay wrong; HopSkipJump
asks about random points on both sides, whose votes add up to the boundary's normal, jumps along it and goes home again.
A label a query is all they see.
"""

import torch

from advcourse.attacks import contract, geometry, losses
from advcourse.attacks.cards import AttackCard

ROWS_AT_ONCE = 256  # images per model call: beyond, a CPU's caches overflow
BLOCK = 64  # directions drawn at a time: a fixed number, so that the random numbers do not depend on the batch
START_TRIES = 50  # random images tried as a start


def boundary(model, x, y, *, queries=5_000, targeted=False, starts=None, generator=None):
    """The boundary attack: a random walk along the boundary that keeps to the wrong side and drifts towards x (L2).

    model: images (N, ...) in [0, 1] to logits (N, K), of which only the largest counts; x: (N, ...); y: (N,) true
    labels, or with targeted=True labels to reach. queries: the most images that the model is asked about, per image of
    x. starts: images, shape of x, that the model answers as wanted; where they are missing (or wrong) up to 50 random
    ones are tried, which seldom hit a given target. Returns x_adv, shape of x: the nearest success in L2 of all that
    were asked about, x itself where there was none.

    A step: Gaussian noise of length δ · ‖z − x‖, back onto the sphere around x through z, then by the share ε towards
    x; kept where the model is still wrong. Every fifth time the point on the sphere is asked about, too. δ grows with
    each success on the sphere and shrinks with each failure so that about half succeed, ε likewise so that one step in
    four is kept.

    Brendel, Rauber & Bethge, 2018, "Decision-based adversarial attacks", arXiv:1712.04248, algorithm 1 and section 2.
    Differences: it starts with a bisection of the line from the start to x; δ and ε move a little at each answer, where
    the paper's code counts successes in a buffer. Every image meets the same random numbers: its result depends on the
    generator alone, not on its batch.
    """
    with contract.attacking(model), torch.no_grad():
        oracle = _Oracle(model, x, y, "l2", queries, targeted, starts, generator)
        x, active = oracle.x, oracle.find_starts()
        z = _bisect(oracle, oracle.nearest[active], active, 1e-3)
        delta, epsilon = (torch.full((len(x),), first, device=x.device, dtype=x.dtype) for first in (0.1, 0.1))
        step = 0
        while len(active):
            original = x[active]
            radius = geometry.per_example(geometry.distance(z, original, "l2"), z)
            noise = geometry.normalise(oracle.noise(1), "l2")
            sideways = z + geometry.per_example(delta[active], z) * radius * noise - original
            sphere = (original + radius * geometry.normalise(sideways, "l2")).clamp_(0, 1)
            if step % 5 == 0:
                kept = oracle(sphere, active)
                delta[active] *= torch.where(kept, 1.2, 1 / 1.2).to(x.dtype)
            nearer = sphere + geometry.per_example(epsilon[active], z) * (original - sphere)
            closer = geometry.distance(nearer, original, "l2") < radius.flatten()
            kept = oracle(nearer, active)
            epsilon[active] *= torch.where(kept, 1.15, 1.15 ** (-1 / 3)).to(x.dtype)
            delta.clamp_(max=1), epsilon.clamp_(max=0.5)
            z = torch.where(geometry.per_example(kept & closer, z), nearer, z)
            more = oracle.left(active) > 0
            active, z = active[more], z[more]
            step += 1
        return oracle.nearest


def hop_skip_jump(model, x, y, *, norm="l2", queries=5_000, targeted=False, starts=None, generator=None):
    """HopSkipJump: the boundary's normal from the labels of random points around it, a jump along it, a bisection back.

    model, x, y, queries, targeted, starts: as in `boundary`. norm: "l2" or "linf", the distance that is made small.
    Returns x_adv, shape of x: the nearest success of all that were asked about, x itself where there was none.

    Round t, at a point z of the boundary with distance r: B = 50 √t points z + δ u_b with ‖u_b‖ = 1 and votes φ_b = ±1
    give the direction Σ_b (φ_b − mean φ) u_b; its unit vector (linf: sign) v; a step r / √t along v, halved until it
    ends on the wrong side; a bisection between there and x up to the share θ = D^(−3/2) (linf: D^(−2)) of the way; δ =
    r √D θ (linf: r D θ).

    Chen, Jordan & Wainwright, 2020, "HopSkipJumpAttack", arXiv:1904.02144, algorithm 2. Differences: the start, see
    `boundary`; half of the paper's 100 √t points, which at 1,000 to 5,000 queries ends as near or nearer. Each image
    has its own step, δ and
    direction, and every image meets the same random numbers: its result depends on the generator alone, not on its
    batch.
    """
    if norm not in ("l2", "linf"):
        raise ValueError(f"norm must be one of 'l2', 'linf'; got {norm!r}")
    with contract.attacking(model), torch.no_grad():
        oracle = _Oracle(model, x, y, norm, queries, targeted, starts, generator)
        x, active = oracle.x, oracle.find_starts()
        if len(active) == 0:
            return oracle.nearest
        features = x[0].numel()
        theta = features ** (-1.5 if norm == "l2" else -2.0)
        z = _bisect(oracle, oracle.nearest[active], active, theta)
        step = 1
        while True:
            more = oracle.left(active) > 0
            active, z = active[more], z[more]
            if len(active) == 0:
                return oracle.nearest
            radius = geometry.distance(z, x[active], norm)
            delta = radius * theta * (features ** 0.5 if norm == "l2" else features)
            if step == 1:
                delta = torch.full_like(radius, 0.1)
            normal = _normal(oracle, z, active, delta, int(50 * step ** 0.5))
            z = _jump(oracle, z, active, geometry.normalise(normal, norm), radius / step ** 0.5)
            z = _bisect(oracle, z, active, theta)
            step += 1


def _normal(oracle, z, active, delta, samples):
    """The direction, shape of z, (A, ...), in which the boundary's wrong side lies, from the votes of points at
    distance delta, (A,)."""
    votes, ups, upvotes, count = (z.new_zeros(shape) for shape in (len(z), z.shape, z.shape, len(z)))
    for start in range(0, samples, BLOCK):
        directions = geometry.normalise(oracle.noise(BLOCK), "l2")[:samples - start]
        room = torch.arange(len(directions), device=z.device) < oracle.left(active)[:, None]
        rows, which = room.nonzero(as_tuple=True)
        for some in torch.arange(len(rows), device=z.device).split(ROWS_AT_ONCE):
            row = rows[some]
            length = geometry.per_example(delta[row], z)
            points = (z[row] + length * directions[which[some]]).clamp_(0, 1)
            u = (points - z[row]) / length.clamp_min(torch.finfo(z.dtype).tiny)
            vote = oracle(points, active[row]).to(z.dtype) * 2 - 1
            votes.index_add_(0, row, vote)
            count.index_add_(0, row, torch.ones_like(vote))
            ups.index_add_(0, row, u)
            upvotes.index_add_(0, row, geometry.per_example(vote, u) * u)
    mean = votes / count.clamp_min(1)
    # Where all votes agree there is no difference to learn from: the mean direction, or away from it.
    return torch.where(geometry.per_example(mean.abs() < 1, z), upvotes - geometry.per_example(mean, z) * ups, upvotes)


def _jump(oracle, z, active, direction, length):
    """z + length · direction where that is on the wrong side, else half the way, and so on; z where none is."""
    result, waiting = z.clone(), torch.arange(len(z), device=z.device)
    for _ in range(20):
        waiting = waiting[oracle.left(active[waiting]) > 0]
        if len(waiting) == 0:
            break
        there = (z[waiting] + geometry.per_example(length[waiting], z) * direction[waiting]).clamp_(0, 1)
        wrong = oracle(there, active[waiting])
        result[waiting[wrong]] = there[wrong]
        waiting = waiting[~wrong]
        length = length / 2
    return result


def _bisect(oracle, z, active, tolerance):
    """The point nearest to x on the way from z, on the wrong side, (A, ...), that is on the wrong side still, up to
    tolerance.

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
        point.clamp_(0, 1)
        fooled = oracle(point, active[open_])
        result[open_[fooled]] = point[fooled]
        wrong[open_] = torch.where(fooled, middle, wrong[open_])
        right[open_] = torch.where(fooled, right[open_], middle)


class _Oracle:
    """Whether the model answers as wanted, with accounts: queries per image, and the nearest success of all that were
    asked about."""

    def __init__(self, model, x, y, norm, queries, targeted, starts, generator):
        contract.check(x, y, queries=queries)
        if starts is not None:
            contract.check(starts)
            if starts.shape != x.shape or starts.dtype != x.dtype or starts.device != x.device:
                raise ValueError(
                    f"starts must have the shape, dtype and device of x, {tuple(x.shape)}, {x.dtype}, {x.device}; "
                    f"got {tuple(starts.shape)}, {starts.dtype}, {starts.device}")
        self.generator = contract.generator_for(x, generator)
        self.model, self.norm, self.queries, self.targeted = model, norm, queries, targeted
        self.x, self.y, self.starts = contract.fresh(x), contract.fresh(y), None if starts is None else contract.fresh(starts)
        self.nearest = self.x.clone()
        self.size = torch.full((len(x),), float("inf"), device=x.device, dtype=x.dtype)
        self.used = torch.zeros_like(self.y)

    def __call__(self, images, owner):
        """Where they succeed, (M,): images, (M, ...), made from the images of x with the numbers `owner`. Where an
        image has none left: False."""
        fooled = torch.zeros(len(images), dtype=torch.bool, device=images.device)
        allowed = (self.left(owner) > 0).nonzero()[:, 0]
        for some in allowed.split(ROWS_AT_ONCE) if len(allowed) else ():
            logits = self.model(images[some])
            contract.labels_fit(logits, self.y[owner[some]])
            fooled[some] = losses.fools(logits, self.y[owner[some]], self.targeted)
            self.used.index_add_(0, owner[some], torch.ones_like(owner[some]))
        if fooled.any():
            owner, images = owner[fooled], images[fooled]
            size = geometry.distance(images, self.x[owner], self.norm)
            nearest = self.size.scatter_reduce(0, owner, size, "amin")
            best = (size == nearest[owner]) & (size < self.size[owner])
            self.size[owner[best]] = size[best]
            self.nearest[owner[best]] = images[best]
        return fooled

    def left(self, owner):
        """How many queries the images with these numbers have left."""
        return self.queries - self.used[owner]

    def noise(self, count):
        """Gaussian noise, (count, ...): the same for every image."""
        return torch.randn((count, *self.x.shape[1:]), generator=self.generator, device=self.x.device,
                           dtype=self.x.dtype)

    def find_starts(self):
        """The numbers of the images that are still right and have a success to start from, which stands in
        `nearest`."""
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
            start = (grey + contrast * (2 * noise - 1)).clamp_(0, 1)
            if len(lacking) == 0:
                break
            lacking = lacking[~self(start.expand(len(lacking), *start.shape), lacking)]
        found = torch.isfinite(self.size) & ~already
        return everyone[found]


CARDS = (
    AttackCard(
        name="boundary", input="random", frequency="iterative", specificity="both", scope="individual",
        measurement="l2",
        realism="non-realistic", falsification="both", knowledge="black box: labels",
        method="a random walk along the decision boundary, from a wrong image towards the original",
        paper="Brendel, Rauber & Bethge, 2018, arXiv:1712.04248",
        cost="at most `queries` forward passes, about 1.2 a step; no backward pass"),
    AttackCard(
        name="hop_skip_jump", input="random", frequency="iterative", specificity="both", scope="individual",
        measurement="l2, linf",
        realism="non-realistic", falsification="both", knowledge="black box: labels",
        method="the boundary's normal from the labels of random points around it, a jump along it, a bisection back",
        paper="Chen, Jordan & Wainwright, 2020, arXiv:1904.02144",
        cost="at most `queries` forward passes, about 50 √t + 17 in round t; no backward pass"),
)
