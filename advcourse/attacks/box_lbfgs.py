"""The first attack on deep networks: ask a solver for the nearest image that the network takes for a given class.

The wish "that class" becomes the loss of the class, with a price c on the change; L-BFGS-B, a quasi-Newton method,
keeps every pixel in [0, 1]. The larger c, the nearer the result to the image and the harder the wish: a line search
finds the largest c that works.
"""

import math

import torch
from torch.nn import functional as F

from advcourse.attacks.cards import AttackCard
from advcourse.attacks.contract import attacking, check, check_positive, fresh, input_gradient, labels_fit, warn_if_flat
from advcourse.attacks.geometry import distance
from advcourse.attacks.losses import cross_entropy, fools, margin
from advcourse.attacks.line_search import to_boundary


def lbfgs(model, x, y, *, steps=30, search_steps=6, initial_c=0.1, probability=None, targeted=False):
    """Szegedy's box-constrained L-BFGS: the nearest image with a small loss of the wanted class, one image at a time.

        minimise   c ‖x_adv − x‖₂² + loss(x_adv)   subject to   0 <= x_adv <= 1
        loss = −log p_y with targeted=True, −log(1 − p_y) without,     p = softmax(model(x_adv))

    model: from images in [0, 1], shape (N, ...), to logits (N, K); x: such images; y: their true labels, shape (N,),
    with targeted=True the classes to reach. steps: at most so many iterations of L-BFGS-B for each of search_steps
    values of c.
    probability: what p_y (untargeted: 1 − p_y) must reach, between 0 and 1, such as 0.99 for a confident answer; None:
    that class y wins (untargeted: loses) is enough.
    Returns x_adv in [0, 1], detached: the nearest success among all images that the solver tried; x unchanged where
    there is none or where x is a success already.

    Szegedy et al., "Intriguing properties of neural networks", ICLR 2014, section 4.1. What differs: the change is
    squared, which makes the problem smooth at x (as in Carlini and Wagner's account of the attack); the paper knows
    only targets; c is searched by factors of 10 and then bisected on a logarithmic scale, every time from the best
    image so far; `to_boundary` ends it.
    """
    check(x, y, steps=steps, search_steps=search_steps)
    check_positive(initial_c=initial_c)
    if probability is not None and not 0 < probability < 1:
        raise ValueError(f"probability must lie between 0 and 1; got {probability!r}")
    x, y = fresh(x), fresh(y)
    if len(x) == 0:
        return x
    with attacking(model):
        with torch.no_grad():
            labels_fit(model(x), y)
        logits, _, gradient = input_gradient(model, x, lambda z: _loss(z, y, targeted))
        # An image that is wrong already stays as it is; one that is the target's already may lack the probability.
        done = _success(logits, y, targeted, probability) if targeted else fools(logits, y)
        flat = gradient.flatten(1).abs().amax(1) == 0
        warn_if_flat(flat & ~done)
        x_adv, found = x.clone(), torch.zeros_like(done)
        for i in (~done & ~flat).nonzero()[:, 0].tolist():
            x_adv[i:i + 1], found[i] = _attack_one(model, x[i:i + 1], y[i:i + 1], steps, search_steps, initial_c,
                                                   probability, targeted)
        return to_boundary(model, x, x_adv, y, found, shortfall=lambda z,
                           labels: _shortfall(z, labels, targeted, probability))


def _attack_one(model, x, y, steps, search_steps, c, probability, targeted):
    """(the nearest success, whether there is one) for one image."""
    from scipy.optimize import minimize  # half a second that nobody else should wait for

    best, best_size = x, math.inf
    low, high = 0.0, math.inf  # the largest c that worked, the smallest that did not
    start = x
    for _ in range(search_steps):
        worked, last = False, start

        def objective(values):
            nonlocal best, best_size, worked, last
            image = torch.as_tensor(values, dtype=x.dtype, device=x.device).view(x.shape).clamp_(0, 1)
            logits, loss, gradient = input_gradient(model, image, lambda z: _loss(z, y, targeted))
            change, last = image - x, image.detach()
            if _success(logits, y, targeted, probability):
                worked = True
                size = distance(image, x, "l2").item()
                if size < best_size:
                    best, best_size = image.detach(), size
            value = loss.double().nan_to_num(1e9, 1e9, -1e9).sum() + c * change.double().square().sum()
            slope = gradient.double() + 2 * c * change.double()
            return value.item(), slope.flatten().cpu().numpy()

        minimize(objective, start.flatten().double().cpu().numpy(), jac=True, method="L-BFGS-B",
                 bounds=[(0, 1)] * x.numel(),
                 options={"maxiter": steps, "maxfun": 2 * steps})
        low, high = (c, high) if worked else (low, c)
        c = c * 10 if high == math.inf else c / 10 if low == 0 else math.sqrt(low * high)
        start = best if best_size < math.inf else last
    return best, best_size < math.inf


def _loss(logits, y, targeted):
    """−log p_y, or without a target −log(1 − p_y): one number per image, neither of them rounded to 0 or infinity."""
    if targeted:
        return cross_entropy(logits, y)
    true = logits.gather(1, y[:, None])[:, 0]
    others = logits.scatter(1, y[:, None], -math.inf).logsumexp(1)
    return F.softplus(true - others)


def _shortfall(logits, y, targeted, probability):
    """Negative or 0 where the class is right and its probability reached, one number per image."""
    short = (-1 if targeted else 1) * margin(logits, y)
    return short if probability is None else torch.maximum(short, _loss(logits, y, targeted) + math.log(probability))


def _success(logits, y, targeted, probability):
    return fools(logits, y, targeted) & (_shortfall(logits, y, targeted, probability) <= 0)


CARDS = (
    AttackCard(
        name="lbfgs", input="non-random", frequency="iterative", specificity="both", scope="individual",
        measurement="l2", realism="non-realistic", falsification="both", knowledge="white box",
        method="a quasi-Newton solver minimises the loss of the target plus c times the squared change inside [0, 1]; "
               "line search over c",
        paper="Szegedy et al., 2014, arXiv:1312.6199",
        cost="at most search steps × 2 × steps forward and backward passes, for each image on its own",
    ),
)
