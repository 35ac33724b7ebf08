"""Sparse attacks: change as few pixels as possible, each of them as much as one likes.

The Jacobian saliency map asks the gradient which two pixels raise the target's logit and lower all the others most,
sets them to white (or black), and asks again. The one-pixel attack asks no gradient at all: it breeds a population of
"which pixel, which colour" by differential evolution, and keeps whatever lowers the model's margin.
"""

import math

import torch
from torch.nn import functional as F

from advcourse.attacks import contract
from advcourse.attacks.cards import AttackCard
from advcourse.attacks.losses import fools, margin

IMAGES_AT_ONCE = 256  # how many images a model call holds: beyond, a CPU's caches overflow
SCORES_AT_ONCE = 2 ** 23  # how many pairs' scores are held at once
FULL = 0.01  # a pixel with less room than this cannot move: white in MNIST is often 253/255


def jsma(model, x, y, *, direction="increase", step_size=1.0, max_share=0.145, others="likely", targeted=False):
    """The Jacobian-based saliency map attack: the two most salient pixels at a time, until the model answers the
    target.

    model: images (N, ...) in [0, 1] to logits (N, K); x: (N, ...); y: (N,) true labels, or with targeted=True labels to
    reach.
    direction: "increase" or "decrease" the pixels, each time by step_size in (0, 1], clipped to [0, 1].
    max_share: at most this share of an image's D values is changed, two per step: ⌊max_share · D / 2⌋ steps.
    Returns x_adv, shape of x: the first image that the model answers as wanted, x itself where none was found.

    others: how the other classes count, "all" or "likely", see below.

    The pair (p, q) that maximises −(a_p + a_q)(b_p + b_q) where the first bracket is positive and the second negative
    (for "decrease" the signs of a and b are turned), with a = ∂z_t/∂x and b = Σ_{j≠t} w_j ∂z_j/∂x on the logits z;
    every pair is considered. All w_j are 1 in the paper ("all"); "likely" is w = softmax of the other logits: it pushes
    down what stands in the way, not also the eight that are beaten already (MNIST, small CNN: 100 % of random targets
    in place of 92 %, with 2.8 % of the pixels).

    Papernot et al., 2016, "The limitations of deep learning in adversarial settings", arXiv:1511.07528, algorithms 2
    and 3, with its limit of 14.5 % of the values. Differences: the weights w; a and b count by the step that a pixel
    has room for, and one with less than a hundredth of the step is out of the search. As in the paper an image is given
    up where no pair has both signs right.
    Untargeted, which the paper lacks, is towards the class that is nearest at the time: t is the largest of the other
    logits.
    """
    contract.check(x, y)
    contract.check_positive(step_size=step_size, max_share=max_share)
    if direction not in ("increase", "decrease"):
        raise ValueError(f"direction must be 'increase' or 'decrease'; got {direction!r}")
    if others not in ("likely", "all"):
        raise ValueError(f"others must be 'likely' or 'all'; got {others!r}")
    if step_size > 1 or max_share > 1:
        raise ValueError(f"step_size and max_share must be at most 1; got {step_size!r} and {max_share!r}")
    with contract.attacking(model):
        x, y = contract.fresh(x), contract.fresh(y)
        if len(x) == 0:
            return x
        parts = [_jsma(model, *some, direction, step_size, max_share, others, targeted)
                 for some in zip(x.split(IMAGES_AT_ONCE), y.split(IMAGES_AT_ONCE), strict=True)]
        x_adv, flat = (torch.cat(part) for part in zip(*parts, strict=True))
    contract.warn_if_flat(flat)
    return x_adv


def _jsma(model, x, y, direction, step_size, max_share, others, targeted):
    """(x_adv, flat): the results, and where an image's gradients held nothing but zeros, (N,)."""
    sign = 1 if direction == "increase" else -1
    x_adv = x.clone()
    flat = torch.zeros(len(x), dtype=torch.bool, device=x.device)
    active = torch.arange(len(x), device=x.device)  # the images that are still being worked on, and below, their state
    z, label = x, y
    steps = int(max_share * x[0].numel() / 2)
    for step in range(steps + 1):
        z = z.detach().requires_grad_()
        logits = contract.at_least_float32(model(z))
        if step == 0:
            contract.labels_fit(logits, y)
        fooled = fools(logits, label, targeted)
        x_adv[active[fooled]] = z[fooled].detach()
        if step == steps or fooled.all():
            break
        # One forward pass, two backward passes: the target's row of the Jacobian, and the weighted sum of the other
        # rows.
        target = label if targeted else logits.detach().scatter(1, label[:, None], -math.inf).argmax(1)
        target = F.one_hot(target, logits.shape[1]).to(logits.dtype)
        rest = 1 - target if others == "all" else logits.detach().masked_fill(target.bool(), -math.inf).softmax(1)
        try:
            a, = torch.autograd.grad(logits, z, target, retain_graph=True)
        # a compiled model gives its memory away at the first backward pass: once more forward, then
        except RuntimeError:
            a, = torch.autograd.grad(logits, z, target)
            logits = contract.at_least_float32(model(z))
        b, = torch.autograd.grad(logits, z, rest)
        a, b = (torch.nan_to_num(gradient, 0, 0, 0).flatten(1) * sign for gradient in (a, b))
        flat[active] = (a == 0).all(1) & (b == 0).all(1) & ~fooled
        pixels = z.detach().flatten(1)
        room = (1 - pixels if sign > 0 else pixels).clamp(max=step_size)
        pair, found = best_pair(a * room, -b * room, room >= FULL * step_size)
        moved = pixels.gather(1, pair) + sign * step_size
        z = pixels.scatter(1, pair, moved.clamp(0, 1)).view(z.shape)
        keep = found & ~fooled
        z, label, active = z[keep], label[keep], active[keep]
        if len(active) == 0:
            break
    return x_adv, flat


def best_pair(a, c, allowed):
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
    # of all c so far, which belong to larger a; and the second largest, from the second on
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


def one_pixel(model, x, y, *, pixels=1, queries=10_000, population=50, targeted=False, generator=None):
    """The one-pixel attack: differential evolution over which k pixels to recolour, and how. Needs only the model's
    scores.

    model: images (N, C, ...) in [0, 1] to logits (N, K), never differentiated; x: (N, C, ...), or (N, D) for vectors;
    y: (N,) true labels, or with targeted=True labels to reach. pixels: how many positions may change, all C channels of
    each.
    queries: the most images that the model is asked about, per image of x, the image itself included. population: how
    many candidates live at once. Images that the model answers as wanted leave at once, at the end of their generation.
    Returns x_adv, shape of x: the success of smallest margin, x itself where none was found.

    A candidate is pixels × (coordinates, colour). Coordinates start uniform, colours normal around 1/2 with deviation
    1/2, clipped. Each generation, candidate s is replaced by r1 + 1/2 (r2 − r3), of three others drawn at random,
    wherever that has the smaller loss. Loss: the margin z_y − max_{j≠y} z_j, turned round for a target.

    Su, Vargas & Sakurai, 2019, "One pixel attack for fooling deep neural networks", arXiv:1710.08864, section III.
    Differences: the loss is the margin, where the paper has the probability, which is flat where the model is sure; r1
    is the best candidate so far in every second place; of several pixels a child keeps about half of its parent's; 50
    candidates, where the paper has 400; a coordinate that leaves the image is drawn anew.
    Every image meets the same random numbers: its result depends on the generator alone, not on its batch.
    """
    contract.check(x, y, pixels=pixels, queries=queries, population=population)
    if population < 4:
        raise ValueError(f"population must be at least 4, a candidate and three others; got {population}")
    generator = contract.generator_for(x, generator)
    spatial = x.shape[2:] if x.dim() > 2 else x.shape[1:]
    channels = x.shape[1] if x.dim() > 2 else 1
    places = math.prod(spatial)
    if len(x) and pixels > places:
        raise ValueError(f"pixels must be at most {places}, as many as the images have; got {pixels}")
    with contract.attacking(model), torch.no_grad():
        x, y = contract.fresh(x), contract.fresh(y)
        x_adv = x.clone()
        if len(x) == 0:
            return x_adv
        logits = contract.at_least_float32(torch.cat([model(some) for some in x.split(IMAGES_AT_ONCE)]))
        contract.labels_fit(logits, y)
        active = (~fools(logits, y, targeted)).nonzero()[:, 0]
        population = min(population, queries - 1)
        if population == 0:
            return x_adv
        size = torch.tensor(spatial, device=x.device, dtype=x.dtype)
        stride = torch.tensor([math.prod(spatial[i + 1:]) for i in range(len(spatial))], device=x.device)

        def uniform(*shape):
            return torch.rand(shape, generator=generator, device=x.device, dtype=x.dtype)

        def recoloured(genes, images):
            """The images, (M, ...), with the pixels that the genes, (M, pixels, coordinates and channels), name and
            colour."""
            position = (genes[:, :, :len(spatial)] * size).long().clamp_(max=(size - 1).long()) @ stride
            position = position[:, None].expand(-1, channels, -1)
            colour = genes[:, :, len(spatial):].transpose(1, 2)
            return images.reshape(len(images), channels, places).scatter(2, position, colour).view(images.shape)

        def judge(genes):
            """(loss, fooled), each (A, S), of genes (A, S, pixels, ...) for the A active images."""
            count, members = genes.shape[:2]
            genes = genes.flatten(0, 1)
            judged, successes = [], []
            for rows in torch.arange(count * members, device=x.device).split(IMAGES_AT_ONCE):
                owner = active[rows // members]
                logits = contract.at_least_float32(model(recoloured(genes[rows], x[owner])))
                lead = margin(logits, y[owner])
                judged.append(-lead if targeted else lead)
                successes.append(fools(logits, y[owner], targeted))
            judged = torch.cat(judged).nan_to_num(nan=math.inf)
            return judged.view(count, members), torch.cat(successes).view(count, members)

        first = uniform(population, pixels, len(spatial) + channels)
        first[:, :, len(spatial):] = torch.randn(
            (population, pixels, channels), generator=generator, device=x.device,
            dtype=x.dtype).mul_(0.5).add_(0.5).clamp_(0, 1)
        genes = first.expand(len(active), *first.shape).clone()
        children, members, left = genes, population, queries - 1
        loss = x.new_full((len(active), population), math.inf, dtype=logits.dtype)
        while left > 0 and len(active):
            if left < queries - 1:
                # Three others for every candidate: a shuffle of 0..S−1 beside its own shifts by 1, 2 and 3 never meets
                # itself.
                members = min(population, left)
                order = uniform(population).argsort()
                shift = [order[(order.argsort() + step) % population] for step in (1, 2, 3)]
                leader = genes.gather(1, loss.argmin(1)[:, None, None, None].expand(-1, 1, *genes.shape[2:]))
                r1, r2, r3 = (genes[:, other] for other in shift)
                every_second = (torch.arange(population, device=x.device) % 2 == 0).view(1, -1, 1, 1)
                children = torch.where(every_second, leader, r1) + 0.5 * (r2 - r3)
                changed = uniform(population, pixels, 1)  # each pixel in every second child, and one at least
                changed = (changed < 0.5) | (changed == changed.amin(1, keepdim=True))
                children = torch.where(changed, children, genes)
                place, colour = children[..., :len(spatial)], children[..., len(spatial):]
                anew = uniform(population, pixels, len(spatial))
                place = torch.where((place >= 0) & (place < 1), place, anew)
                children = torch.cat([place, colour.clamp(0, 1)], -1)[:, :members]
            new_loss, fooled = judge(children)
            left -= members
            better = new_loss < loss[:, :members]
            genes[:, :members] = torch.where(better[:, :, None, None], children, genes[:, :members])
            loss[:, :members] = torch.where(better, new_loss, loss[:, :members])
            done = fooled.any(1)
            winner = torch.where(fooled, new_loss, torch.full_like(new_loss, math.inf)).argmin(1)[done]
            x_adv[active[done]] = recoloured(children[done, winner], x[active[done]])
            active, genes, loss = active[~done], genes[~done], loss[~done]
    return x_adv


CARDS = (
    AttackCard(
        name="jsma", input="non-random", frequency="iterative", specificity="both", scope="individual",
        measurement="l0",
        realism="non-realistic", falsification="both", knowledge="white box",
        method="a saliency map from the Jacobian names the two pixels to set to white (or black), again and again",
        paper="Papernot et al., 2016, arXiv:1511.07528",
        cost="for every two pixels changed, one forward and two backward passes and a search over the pairs of pixels"),
    AttackCard(
        name="one_pixel", input="random", frequency="iterative", specificity="both", scope="individual",
        measurement="l0",
        realism="non-realistic", falsification="both", knowledge="black box: scores",
        method="differential evolution over which pixels to recolour, and how",
        paper="Su, Vargas & Sakurai, 2019, arXiv:1710.08864",
        cost="at most `queries` forward passes; no backward pass"),
)
