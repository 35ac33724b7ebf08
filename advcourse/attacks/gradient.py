"""Attacks that follow the gradient of the loss with respect to the image.

Near an image a network is almost linear, and its gradient says how each pixel moves the loss.
A small step of every pixel in its own worst direction adds up to a large change of the loss.
FGSM takes one such step; BIM, MIM and PGD take many small ones and come back into the ball after each.
"""

import torch

from advcourse.attacks import contract, geometry
from advcourse.attacks.cards import AttackCard
from advcourse.attacks.contract import Best, attacking, check, check_positive, fresh, input_gradient, labels_fit
from advcourse.attacks.losses import cross_entropy, fools

# Of an l1 step: the share of the pixels that move. One pixel at a time is the steepest way up and far too slow.
MOVING = 0.01


def fgsm(model, x, y, *, eps, norm="linf", step_size=None, random_start=False, targeted=False, generator=None):
    """The fast gradient sign method: one step of size eps along the loss gradient, one forward and one backward pass.

        linf:  x_adv = clip(x + eps · sign(∇_x J(x, y)))          (targeted: minus, with y the class to reach)
        l2:    x_adv = clip(x + eps · ∇_x J / ‖∇_x J‖₂)

    model: from images in [0, 1], shape (N, C, H, W), to logits (N, K); x: such images; y: labels, shape (N,), int64.
    eps: the radius of the ball; norm: "linf" or "l2". random_start: take the gradient at a random point of the ball,
    step from there by step_size, and return to the ball. step_size: eps, or 1.25 eps from a random start. generator: of
    the random start.
    Returns x_adv: in [0, 1] and in the ball in the arithmetic of its dtype, detached.

    Goodfellow, Shlens, Szegedy, "Explaining and harnessing adversarial examples", ICLR 2015, section 4. Random start:
    Wong, Rice, Kolter, "Fast is better than free", ICLR 2020, algorithm 3.
    """
    check(x, y, eps=eps, norm=norm, norms=("linf", "l2"))
    check_positive(step_size=step_size)
    generator = contract.generator_for(x, generator)
    if not len(x):
        return fresh(x)
    step_size = step_size if step_size is not None else 1.25 * eps if random_start else eps
    with attacking(model) as model:
        x, y = fresh(x), fresh(y)
        start = geometry.random_start(x, eps, norm, generator) if random_start else x
        logits, _, gradient = input_gradient(model, start, _loss(y, targeted, first=True))
        contract.warn_if_flat(_flat(gradient) & ~fools(logits, y, targeted))
        # it leaves the ball by a rounding at most: that much shorter it cannot
        if norm == "linf" and step_size <= eps and not random_start:
            size = max(geometry.representable(step_size, x.dtype) - torch.finfo(x.dtype).eps / 2, 0)
            return gradient.sign_().mul_(size).add_(x).clamp_(0, 1)
        return geometry.project(start + step_size * geometry.normalise(gradient, norm), x, eps, norm)


def pgd(model, x, y, *, eps, norm="linf", step_size=None, steps=40, restarts=1, random_start=True,
        stop_when_fooled=False,
        targeted=False, generator=None):
    """Projected gradient descent: many steps up the loss, each followed by a return to the ball and the box.

        x_0 random in the ball,   x_{t+1} = Π(x_t + step_size · direction(∇_x J(x_t, y)))       (targeted: minus)

    direction: the sign (linf), gradient / ‖gradient‖₂ (l2), or ± 1/k on the k largest entries that can still move (l1).
    model: from images in [0, 1], shape (N, C, H, W), to logits (N, K); x: such images; y: labels, shape (N,), int64.
    eps: the radius of the ball; norm: "linf", "l2" or "l1"; step_size: 2.5 eps / steps. restarts: runs from different
    random starts.
    stop_when_fooled: images leave the work once fooled. It saves most of the time, and gives the first success instead
    of the strongest.
    Returns x_adv: per image the iterate of highest loss among those that fool, else of highest loss; the last step
    counts, too.

    Madry et al., "Towards deep learning models resistant to adversarial attacks", ICLR 2018, section 2.1; they keep the
    last iterate.
    l1: the sparse steps of Tramèr and Boneh, NeurIPS 2019, section 4, with the exact projection of Croce and Hein, ICML
    2021.
    """
    check(x, y, eps=eps, norm=norm, norms=("linf", "l2", "l1"), steps=steps, restarts=restarts)
    check_positive(step_size=step_size)
    generator = contract.generator_for(x, generator)
    if not len(x):
        return fresh(x)
    step_size = 2.5 * eps / steps if step_size is None else step_size
    with attacking(model) as model:
        x, y = fresh(x), fresh(y)
        best, step = Best(x), _stepper(x, eps, norm, step_size)
        for _restart in range(restarts):
            start = _random_start(x, eps, norm, generator) if random_start else x
            flat = _climb(model, start, y, step, best, steps, targeted, stop_when_fooled)
            if not random_start:
                break  # the same start again would give the same answer again
    contract.warn_if_flat(flat & ~best.fooled)
    return best.x_adv


def _random_start(x, eps, norm, generator):
    """A random point of the ball; in l2 at a distance drawn uniformly: nearly all of that ball lies at its border, too
    far for a start."""
    start = geometry.random_start(x, eps, norm, generator)
    if norm != "l2":
        return start
    share = torch.rand(len(x), generator=generator, device=x.device, dtype=x.dtype)
    return geometry.project(torch.lerp(x, start, geometry.per_example(share, x)), x, eps, norm)


def _stepper(x, eps, norm, step_size):
    """step(x_adv, gradient, rows): a step of step_size from x_adv along the gradient, then back into the ball around
    x[rows] and the box."""
    if norm == "linf":
        low, high = geometry.bounds(x, eps)
        return lambda x_adv, gradient, rows: gradient.sign().mul_(step_size).add_(x_adv).clamp_(low[rows], high[rows])

    def step(x_adv, gradient, rows):
        change = geometry.normalise(gradient,
                                    "l2").mul_(step_size) if norm == "l2" else _sparse_step(gradient, x_adv, step_size)
        return geometry.project(change.add_(x_adv), x[rows], eps, norm)
    return step


def _climb(model, start, y, step, best, steps, targeted, stop_when_fooled):
    """Take `steps` steps up the loss from `start` and tell `best` of every iterate, the last one included.

    step: from (x_adv, gradient, rows) to the next x_adv, where rows are the images still at work.
    Returns flat, shape (N,): where the first gradient was exactly zero.
    """
    x_adv, rows, flat = start, slice(None), torch.zeros_like(best.fooled)
    if stop_when_fooled:
        rows = (~best.fooled).nonzero()[:, 0]
        x_adv = start[rows]
    for k in range(steps):
        if not len(x_adv):
            return flat
        logits, loss, gradient = input_gradient(model, x_adv, _loss(y[rows], targeted, first=k == 0))
        if k == 0:
            flat[rows] = _flat(gradient)
        fooled = fools(logits, y[rows], targeted)
        best.update(x_adv, loss, fooled, rows)
        x_adv = step(x_adv, gradient, rows)
        if stop_when_fooled:
            x_adv, rows = x_adv[~fooled], rows[~fooled]
    with torch.no_grad():
        logits = contract.at_least_float32(model(x_adv)) if len(x_adv) else None
    if logits is not None:
        best.update(x_adv, _loss(y[rows], targeted)(logits), fools(logits, y[rows], targeted), rows)
    return flat


def bim(model, x, y, *, eps, norm="linf", step_size=None, steps=10, stop_when_fooled=False, targeted=False):
    """The basic iterative method (I-FGSM): FGSM in small steps, clipped to the ball after each; PGD that starts at the
    image itself.

        x_0 = x,   x_{t+1} = clip(x_t + step_size · sign(∇_x J(x_t, y)))       (targeted: minus)

    Arguments and result as of `pgd`; norm: "linf" or "l2"; step_size: 2.5 eps / steps.

    Kurakin, Goodfellow, Bengio, "Adversarial examples in the physical world", 2016, section 2.2; they step by 1/255,
    min(255 eps + 4, 1.25 · 255 eps) times, and keep the last iterate.
    """
    check(x, norm=norm, norms=("linf", "l2"))
    return pgd(model, x, y, eps=eps, norm=norm, step_size=step_size, steps=steps, random_start=False,
               stop_when_fooled=stop_when_fooled, targeted=targeted)


def least_likely(model, x, y=None, *, eps, norm="linf", step_size=None, steps=10):
    """The iterative least-likely class method: BIM towards the class that the model thinks least likely for the clean
    image.

        target = argmin_k p(k | x),   x_{t+1} = clip(x_t − step_size · sign(∇_x J(x_t, target)))

    It needs no labels: a mistake between similar classes is easy, and this one is the hardest and the least sensible.
    y is accepted so that every attack can be called alike, and not used. Other arguments and result as of `bim`; one
    more forward pass.

    Kurakin, Goodfellow, Bengio, "Adversarial examples in the physical world", 2016, section 2.3.
    """
    check(x, y, eps=eps, norm=norm, norms=("linf", "l2"), steps=steps)
    check_positive(step_size=step_size)
    if not len(x):
        return fresh(x)
    with attacking(model) as in_parts, torch.no_grad():
        logits = in_parts(fresh(x))
        if y is not None:
            labels_fit(logits, y)
        target = logits.argmin(1)
    return bim(model, x, target, eps=eps, norm=norm, step_size=step_size, steps=steps, targeted=True)


def mim(model, x, y, *, eps, norm="linf", step_size=None, steps=10, decay=1.0, targeted=False):
    """The momentum iterative method: BIM along a running sum of gradients, which carries it over small bumps and to
    other models.

        g_{t+1} = decay · g_t + ∇_x J(x_t, y) / ‖∇_x J(x_t, y)‖₁,   x_{t+1} = clip(x_t + step_size · sign(g_{t+1}))

    l2: g / ‖g‖₂ in place of the sign. step_size: 2.5 eps / steps; decay: the paper's μ, at least 0. The norm in g is
    each image's own. Other arguments and result as of `bim`.

    Dong et al., "Boosting adversarial attacks with momentum", CVPR 2018, algorithms 1 and 2; they step by eps / steps,
    which never returns from the ball's border, and keep the last iterate.
    """
    check(x, y, eps=eps, norm=norm, norms=("linf", "l2"), steps=steps)
    check_positive(step_size=step_size)
    check_decay(decay)
    if not len(x):
        return fresh(x)
    step_size = 2.5 * eps / steps if step_size is None else step_size
    with attacking(model) as model:
        x, y = fresh(x), fresh(y)
        best, step, momentum = Best(x), _stepper(x, eps, norm, step_size), torch.zeros_like(x)

        def step_with_momentum(x_adv, gradient, rows):
            size = gradient.abs().flatten(1).sum(1).clamp_min(torch.finfo(x.dtype).tiny)
            momentum.mul_(decay).add_(gradient.div_(geometry.per_example(size, x)))
            return step(x_adv, momentum, rows)

        flat = _climb(model, x, y, step_with_momentum, best, steps, targeted, stop_when_fooled=False)
    contract.warn_if_flat(flat & ~best.fooled)
    return best.x_adv


def check_decay(decay):
    """ValueError unless momentum's decay is a finite number of at least 0."""
    if not (isinstance(decay, (int, float)) and 0 <= decay < float("inf")):
        raise ValueError(f"decay must be a finite number of at least 0; got {decay!r}")


def _loss(y, targeted, first=False):
    """What an attack climbs, from logits (N, K) to (N,): the cross-entropy of y, or its negative towards a target."""
    def loss(logits):
        if first:
            labels_fit(logits, y)
        return -cross_entropy(logits, y) if targeted else cross_entropy(logits, y)
    return loss


def _flat(gradient):
    return gradient.flatten(1).abs().sum(1) == 0


def _sparse_step(gradient, x_adv, step_size):
    """A step of l1 norm step_size, in equal parts on the 1 % of the entries of largest gradient, of those that have
    room to move."""
    count = max(1, round(MOVING * gradient[0].numel()))
    part = step_size / count
    # Pixels at their bound give a little back in each projection; refilling them would use up all the steps.
    full = torch.where(gradient > 0, 1 - x_adv, x_adv) < min(part / 2, 0.05)
    flat = gradient.masked_fill(full, 0).flatten(1)
    largest = flat.abs().topk(count, dim=1).indices
    return torch.zeros_like(flat).scatter_(1, largest, part * flat.gather(1, largest).sign()).view(gradient.shape)


_ONE_IMAGE = dict(scope="individual", realism="non-realistic", falsification="both", knowledge="white box")
CARDS = (
    AttackCard(name="fgsm", input="non-random", frequency="one-time", specificity="both", measurement="linf, l2",
               **_ONE_IMAGE,
               method="one step along the sign of the loss gradient", paper="Goodfellow et al., 2014, arXiv:1412.6572",
               cost="1 forward and 1 backward pass"),
    AttackCard(name="bim", input="non-random", frequency="iterative", specificity="both", measurement="linf, l2",
               **_ONE_IMAGE,
               method="small gradient sign steps, clipped to the ball after each", paper="Kurakin et al., 2016, "
                                                                                         "arXiv:1607.02533",
               cost="steps + 1 forward and steps backward passes"),
    AttackCard(name="least_likely", input="non-random", frequency="iterative", specificity="targeted",
               measurement="linf, l2", **_ONE_IMAGE,
               method="small steps towards the class the model thinks least likely", paper="Kurakin et al., 2016, "
                                                                                           "arXiv:1607.02533",
               cost="steps + 2 forward and steps backward passes"),
    AttackCard(name="mim", input="non-random", frequency="iterative", specificity="both", measurement="linf, l2",
               **_ONE_IMAGE,
               method="small steps along a running sum of normalised gradients",
               paper="Dong et al., 2017, arXiv:1710.06081",
               cost="steps + 1 forward and steps backward passes"),
    AttackCard(name="pgd", input="random", frequency="iterative", specificity="both", measurement="linf, l2, l1",
               **_ONE_IMAGE,
               method="gradient steps from a random start, projected onto the ball after each",
               paper="Madry et al., 2017, arXiv:1706.06083",
               cost="restarts × (steps + 1 forward and steps backward passes); fewer with stop_when_fooled"),
)
