"""Sparse attacks: change as few pixels as possible, each of them as much as one likes.

The Jacobian saliency map asks the gradient which two pixels raise the target's logit and lower all the others most,
sets them to white (or black), and asks again. The one-pixel attack asks no gradient at all: it breeds a population of
"which pixel, which colour" by differential evolution, and keeps whatever lowers the model's margin.
"""

import math
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from advcourse.attacks import contract
from advcourse.attacks.cards import AttackCard
from advcourse.attacks.contract import Model
from advcourse.attacks.losses import fools, shortfall
from advcourse.models.inference import IMAGES_AT_ONCE

SCORES_AT_ONCE = 2 ** 23  # how many pairs' scores are held at once
FULL = 0.01  # a pixel with less room than this share of a step cannot move: white in MNIST is often 253/255


def jsma(model: Model, x: Tensor, y: Tensor, *, direction: Literal["increase", "decrease"] = "increase",
         step_size: float = 1.0, max_share: float = 0.145, others: Literal["likely", "all"] = "likely",
         targeted: bool = False, low: float = 0, high: float = 1) -> Tensor:
    """The Jacobian-based saliency map attack: the two most salient pixels at a time, until the target is reached.

        a = ∂z_t/∂x,   b = Σ_{j≠t} w_j ∂z_j/∂x             t: the target;  z: the logits
        (p, q) = argmax −(a_p + a_q) (b_p + b_q)           with a_p + a_q > 0 and b_p + b_q < 0   ("decrease": turned)
        x_p, x_q ← clip(x + step_size)                     ("decrease": −)

    model: from images in [low, high], shape (N, ...), to logits, shape (N, K).
    x: such images, float32 or float64; y: their true labels, shape (N,), int64; if targeted, the labels to reach.
    direction: "increase" or "decrease" the pixels; step_size: by how much, as a share of high − low, in (0, 1].
    max_share: the largest share, in (0, 1], of an image's D values that is changed: ⌊max_share · D / 2⌋ steps.
    others: which classes are pushed down, "all": w = 1, as in the paper; "likely": w = softmax of the other logits,
        those that stand in the way and not also the eight that are beaten already (MNIST, small CNN: 100 % of random
        targets in place of 92 %, with 2.8 % of the pixels).
    targeted: whether y is to be reached, not left; if not, t is the largest of the other logits at the time.
    low, high: the ends of the valid range: 0 and 1 for images, −1 and 1 for waveforms.
    Returns x_adv in [low, high], shape of x, detached: the first success; x itself where none was found, which is also
    where no pair has both signs right.
    Raises ValueError for other arguments than these; NoGradientError, a ValueError, for logits without a gradient to x.
    Cost: for every two pixels changed, one forward and two backward passes and a search over the pairs of pixels.

    Papernot et al., "The limitations of deep learning in adversarial settings", EuroS&P 2016, arXiv:1511.07528,
    algorithms 2 and 3, with its limit of 14.5 % of the values. What differs: the weights w; a and b count by the step
    that a pixel has room for, and one with less than a hundredth of the step is out of the search; the paper knows only
    targets.
    """
    box = contract.check(x, y, low=low, high=high)
    contract.check_positive(step_size=step_size, max_share=max_share)
    if direction not in ("increase", "decrease"):
        raise ValueError(f"direction must be 'increase' or 'decrease'; got {direction!r}")
    if others not in ("likely", "all"):
        raise ValueError(f"others must be 'likely' or 'all'; got {others!r}")
    if step_size > 1 or max_share > 1:
        raise ValueError(f"step_size and max_share must be at most 1; got {step_size!r} and {max_share!r}")
    x, y = contract.fresh(x), contract.fresh(y)
    if len(x) == 0:
        return x
    step = step_size * box.width * (1 if direction == "increase" else -1)
    with contract.attacking(model) as ask:
        parts = [_jsma(ask, *some, step=step, max_share=max_share, others=others, targeted=targeted, box=box)
                 for some in zip(x.split(IMAGES_AT_ONCE), y.split(IMAGES_AT_ONCE), strict=True)]
        x_adv, flat = (torch.cat(part) for part in zip(*parts, strict=True))
    contract.warn_if_flat(flat)
    return x_adv


def _jsma(ask, x, y, *, step, max_share, others, targeted, box):
    """(x_adv, flat): the results, and where an image's gradients held nothing but zeros, (N,). step: with its sign."""
    x_adv = x.clone()
    flat = torch.zeros(len(x), dtype=torch.bool, device=x.device)
    active = torch.arange(len(x), device=x.device)  # the images that are still being worked on, and below, their state
    z, label = x, y
    rounds = int(max_share * x[0].numel() / 2)
    for round_ in range(rounds + 1):
        z, logits = contract.differentiable(ask, z)
        if round_ == 0:
            contract.labels_fit(logits, y)
        fooled = fools(logits, label, targeted)
        x_adv[active[fooled]] = z[fooled].detach()
        if round_ == rounds or fooled.all():
            break
        a, b = _jacobian_rows(ask, z, logits, label, others=others, targeted=targeted)
        flat[active] = (a == 0).all(1) & (b == 0).all(1) & ~fooled
        pixels = z.detach().flatten(1)
        room = (box.high - pixels if step > 0 else pixels - box.low).clamp(max=abs(step))
        gain = room if step > 0 else -room
        pair, found = best_pair(a * gain, -b * gain, room >= FULL * abs(step))
        z = pixels.scatter(1, pair, (pixels.gather(1, pair) + step).clamp(*box)).view(z.shape)
        keep = found & ~fooled
        z, label, active = z[keep], label[keep], active[keep]
        if len(active) == 0:
            break
    return x_adv, flat


def _jacobian_rows(ask, z, logits, label, *, others, targeted):
    """(a, b), each of shape (N, D): the target's row of the Jacobian, and the weighted sum of the other rows."""
    target = label if targeted else logits.detach().scatter(1, label[:, None], -math.inf).argmax(1)
    target = F.one_hot(target, logits.shape[1]).to(logits.dtype)
    rest = 1 - target if others == "all" else logits.detach().masked_fill(target.bool(), -math.inf).softmax(1)
    try:
        a, = torch.autograd.grad(logits, z, target, retain_graph=True)
    except RuntimeError:  # a compiled model gives its memory away at the first backward pass: once more forward, then
        a, = torch.autograd.grad(logits, z, target)
        logits = contract.at_least_float32(ask(z))
    b, = torch.autograd.grad(logits, z, rest)
    return (torch.nan_to_num(gradient, 0, 0, 0).flatten(1) for gradient in (a, b))


def best_pair(a: Tensor, c: Tensor, allowed: Tensor) -> tuple[Tensor, Tensor]:
    """The two allowed features of each row with the largest (a_p + a_q)(c_p + c_q), both brackets positive; exact.

    a, c: (N, D); allowed: bool (N, D). Returns the pairs (N, 2) and, (N,), whether the row has such a pair.

    No D × D map is made. Where two features have both an a and a c at least as large as those of p, one of them is not
    p's partner, and in p's place it makes no worse a pair. So only features with fewer than two such above them are
    tried: some dozens in an image.
    """
    least = torch.finfo(a.dtype).min / 4
    a, c = (values.masked_fill(~allowed, least) for values in (a, c))
    a, order = a.sort(dim=1, descending=True)
    c = c.gather(1, order)
    # The largest and the second largest c of all pixels up to this one, whose a are larger.
    largest = c.cummax(1).values
    second = torch.minimum(c[:, 1:], largest[:, :-1]).cummax(1).values
    front = torch.ones_like(allowed)
    front[:, 2:] = c[:, 2:] > second[:, :-1]
    count = int(front.sum(1).max())
    place = front.to(a.dtype).topk(count, dim=1).indices
    a, c, order = (values.gather(1, place) for values in (a, c, order))
    best, pair = a.new_zeros(len(a)), order.new_zeros(len(a), 2)
    wide = max(1, SCORES_AT_ONCE // (len(a) * count))
    for start in range(0, count, wide):  # once, unless nearly all features are at the front
        score = (a[:, start:start + wide, None] + a[:, None]).clamp_min_(0)
        score *= (c[:, start:start + wide, None] + c[:, None]).clamp_min_(0)
        score.diagonal(offset=start, dim1=1, dim2=2).zero_()  # a feature is no pair with itself
        score, chosen = score.flatten(1).max(1)
        chosen = order.gather(1, torch.stack([start + chosen // count, chosen % count], 1))
        pair = torch.where((score > best)[:, None], chosen, pair)
        best = torch.maximum(score, best)
    return pair, best > 0


def one_pixel(model: Model, x: Tensor, y: Tensor, *, pixels: int = 1, queries: int = 10_000, population: int = 50,
              targeted: bool = False, low: float = 0, high: float = 1,
              generator: torch.Generator | None = None) -> Tensor:
    """The one-pixel attack: differential evolution over which pixels to recolour, and how, by the model's scores alone.

        loss = z_y − max_{j≠y} z_j                             of the recoloured image;  targeted: −loss
        child_s = r_1 + 1/2 (r_2 − r_3)                        replaces candidate s where it has the smaller loss
        r_2, r_3: other candidates at random;  r_1: such another one, in every second place the best candidate so far

    model: from images in [low, high], shape (N, C, ...), to logits z, shape (N, K); never differentiated.
    x: such images, float32 or float64, or vectors (N, D); y: their true labels, shape (N,), int64; if targeted, the
        labels to reach.
    pixels: how many positions may change, all C channels of each, from 1 to as many as there are.
    queries: the most images that the model is asked about, per image of x and with it, at least 1.
    population: how many candidates live at once, at least 4.
    targeted: whether y is to be reached, not left.
    low, high: the ends of the valid range: 0 and 1 for images, −1 and 1 for waveforms.
    generator: of all random numbers; None: a fresh one of seed 0, the same numbers in every call.
    Returns x_adv in [low, high], shape of x, detached: the success of smallest loss in the first generation that has
    one; x itself where there is none.
    Raises ValueError for other arguments than these.
    Cost: at most `queries` forward passes; no backward pass.

    A candidate is pixels × (coordinates, colour). Coordinates start uniform, colours normal around the
    middle of the range with half of its width as deviation, clipped.

    Su, Vargas, Sakurai, "One pixel attack for fooling deep neural networks", IEEE TEVC 2019, arXiv:1710.08864, section
    III. What differs: the loss is the margin, where the paper has the probability, which is flat where the model is
    sure; r_1 is the best candidate in every second place; of several pixels a child keeps about half of its parent's;
    50 candidates, where the paper has 400; a coordinate that leaves the image is drawn anew. Every image meets the same
    random numbers: its result depends on the generator alone, not on its batch.
    """
    box = contract.check(x, y, low=low, high=high, pixels=pixels, queries=queries, population=population)
    if population < 4:
        raise ValueError(f"population must be at least 4, a candidate and three others; got {population}")
    generator = contract.generator_for(x, generator)
    places = math.prod(_sides_and_channels(x)[0])
    if len(x) and pixels > places:
        raise ValueError(f"pixels must be at most {places}, as many as the images have; got {pixels}")
    x, y, x_adv = contract.fresh(x), contract.fresh(y), contract.fresh(x)
    if len(x) == 0:
        return x_adv
    with contract.attacking(model) as ask, torch.no_grad():
        active, logits = contract.unfooled(ask, x, y, targeted)
        population, left = min(population, queries - 1), queries - 1
        first = _first_generation(x, (population, pixels), generator, box)
        genes = first.expand(len(active), *first.shape).clone()
        loss = x.new_full((len(active), population), math.inf, dtype=logits.dtype)
        while left > 0 and len(active):
            children = genes if left == queries - 1 else _next_generation(x, genes, loss, generator, box)
            children = children[:, :min(population, left)]
            members = children.shape[1]
            new_loss, fooled = _judge(ask, x[active], y[active], children, targeted=targeted)
            left -= members
            smaller = new_loss < loss[:, :members]
            genes[:, :members] = torch.where(smaller[:, :, None, None], children, genes[:, :members])
            loss[:, :members] = torch.where(smaller, new_loss, loss[:, :members])
            done = fooled.any(1)
            winner = torch.where(fooled, new_loss, math.inf).argmin(1)[done]
            x_adv[active[done]] = _recolour(x[active[done]], children[done, winner])
            active, genes, loss = active[~done], genes[~done], loss[~done]
    return x_adv


def _sides_and_channels(x):
    """((height, width), channels) of images; of vectors ((D,), 1)."""
    return (x.shape[2:], x.shape[1]) if x.dim() > 2 else (x.shape[1:], 1)


def _uniform(shape, x, generator):
    return torch.rand(shape, generator=generator, device=x.device, dtype=x.dtype)


def _first_generation(x, shape, generator, box):
    """Candidates, (population, pixels, coordinates and channels): coordinates in [0, 1), shares of the sides."""
    sides, channels = _sides_and_channels(x)
    place = _uniform((*shape, len(sides) + channels), x, generator)[..., :len(sides)]
    colour = torch.randn((*shape, channels), generator=generator, device=x.device, dtype=x.dtype)
    return torch.cat([place, colour.mul_(box.width / 2).add_(box.middle).clamp_(*box)], -1)


def _next_generation(x, genes, loss, generator, box):
    """A child for every candidate, shape of genes, (A, S, pixels, coordinates and channels)."""
    population, pixels = genes.shape[1:3]
    coordinates = len(_sides_and_channels(x)[0])
    # Three others for every candidate: a shuffle of 0..S−1 beside its own shifts by 1, 2 and 3 never meets itself.
    order = _uniform((population,), x, generator).argsort()
    r1, r2, r3 = (genes[:, order[(order.argsort() + shift) % population]] for shift in (1, 2, 3))
    best = genes.gather(1, loss.argmin(1)[:, None, None, None].expand(-1, 1, *genes.shape[2:]))
    every_second = (torch.arange(population, device=x.device) % 2 == 0).view(1, -1, 1, 1)
    children = torch.where(every_second, best, r1) + 0.5 * (r2 - r3)
    changed = _uniform((population, pixels, 1), x, generator)  # each pixel in every second child, and one at least
    changed = (changed < 0.5) | (changed == changed.amin(1, keepdim=True))
    place, colour = torch.where(changed, children, genes).tensor_split([coordinates], dim=3)
    anew = _uniform((population, pixels, coordinates), x, generator)
    return torch.cat([torch.where((place >= 0) & (place < 1), place, anew), colour.clamp(*box)], -1)


def _judge(ask, x, y, genes, *, targeted):
    """(loss, fooled), each (A, S), of genes (A, S, pixels, ...) for the images x, (A, ...)."""
    count, members = genes.shape[:2]
    genes, loss, fooled = genes.flatten(0, 1), [], []
    for rows in torch.arange(count * members, device=x.device).split(IMAGES_AT_ONCE):
        owner = rows // members
        logits = contract.at_least_float32(ask(_recolour(x[owner], genes[rows])))
        loss.append(shortfall(logits, y[owner], targeted=targeted))
        fooled.append(fools(logits, y[owner], targeted))
    loss = torch.cat(loss).nan_to_num(nan=math.inf)
    return loss.view(count, members), torch.cat(fooled).view(count, members)


def _recolour(images, genes):
    """The images, (M, ...), with the pixels that the genes, (M, pixels, coordinates and channels), name and colour."""
    sides, channels = _sides_and_channels(images)
    size = torch.tensor(sides, device=images.device, dtype=images.dtype)
    stride = torch.tensor([math.prod(sides[i + 1:]) for i in range(len(sides))], device=images.device)
    place, colour = genes.tensor_split([len(sides)], dim=2)
    position = (place * size).long().clamp_(max=(size - 1).long()) @ stride
    position = position[:, None].expand(-1, channels, -1)
    flat = images.reshape(len(images), channels, math.prod(sides))
    return flat.scatter(2, position, colour.transpose(1, 2)).view(images.shape)


CARDS = (
    AttackCard(
        notebook="05",
        name="jsma", input="non-random", frequency="iterative", specificity="both", scope="individual",
        measurement="l0", realism="non-realistic", falsification="both", knowledge="white box",
        method="a saliency map from the Jacobian names the two pixels to set to white (or black), again and again",
        paper="Papernot et al., 2016, arXiv:1511.07528",
        cost="for every two pixels changed, one forward and two backward passes and a search over the pairs of pixels"),
    AttackCard(
        notebook="05",
        name="one_pixel", input="random", frequency="iterative", specificity="both", scope="individual",
        measurement="l0", realism="non-realistic", falsification="both", knowledge="black box: scores",
        method="differential evolution over which pixels to recolour, and how",
        paper="Su, Vargas & Sakurai, 2019, arXiv:1710.08864",
        cost="at most `queries` forward passes; no backward pass"),
)
