"""Attacks made to be carried over: found on one model or several, meant for another that nobody has seen.

A perturbation that fits one network too closely stays with it. What carries over is found by keeping the search from
following
the details: momentum (`gradient.mim`), another random view of the image at each step, a gradient averaged over shifted
images, several models at once. All of these climb with momentum; without any of it they are `mim`.
"""

import torch
from torch import nn
from torch.nn import functional as F

from advcourse.attacks import contract, geometry
from advcourse.attacks.cards import AttackCard
from advcourse.attacks.contract import Best, attacking, check, check_positive, fresh, input_gradient, labels_fit
from advcourse.attacks.gradient import _flat, _stepper, check_decay, mim
from advcourse.attacks.losses import cross_entropy, fools


def di_fgsm(model, x, y, *, eps, norm="linf", step_size=None, steps=10, decay=1.0, probability=0.7, smallest=0.85,
            targeted=False,
            generator=None):
    """Diverse inputs: at each step the gradient is taken at a randomly shrunken and shifted copy of the image.

        g_{t+1} = decay · g_t + ∇_x J(view_t(x_t), y) / ‖·‖₁,   x_{t+1} = clip(x_t + step_size · sign(g_{t+1}))
                                                                (targeted: minus)

    view_t: with this probability the image shrunk to a random share of its size, at least `smallest`, at a random place
    on black; else the image as it is. One draw for all images of the batch. smallest: in (0, 1]. steps, decay,
    step_size (None: 2.5 eps / steps): as of `mim`.
    model: from images in [0, 1], shape (N, C, H, W), to logits (N, K); x: such images; y: labels, shape (N,). norm:
    "linf" or "l2".
    Returns x_adv: of the iterates, judged as they are and not by a view, the one of highest loss among those that fool,
    else of highest loss.

    Xie et al., "Improving transferability of adversarial examples with input diversity", CVPR 2019, section 3.3
    (M-DI²-FGSM). They enlarge the canvas, from 299 to 330 pixels; a network that takes one size only needs the
    opposite, and sees a smaller image instead.
    """
    if not 0 <= probability <= 1:
        raise ValueError(f"probability must lie in [0, 1]; got {probability!r}")
    if not 0 < smallest <= 1:
        raise ValueError(f"smallest must lie in (0, 1]; got {smallest!r}")
    generator = contract.generator_for(x, generator) if isinstance(x, torch.Tensor) else generator
    def view(images):
        return random_view(images, probability, smallest, generator)
    return _climb_with_momentum(model, x, y, eps, norm, step_size, steps, decay, targeted, view=view)


def random_view(x, probability, smallest, generator):
    """The images, with this probability shrunk to a random share of their size and put at a random place on black; the
    same for all."""
    coin, share, top, left = torch.rand(4, generator=generator, device=generator.device).tolist()
    if coin >= probability:
        return x
    height, width = x.shape[2:]
    share = smallest + share * (1 - smallest)
    rows, columns = max(1, round(share * height)), max(1, round(share * width))
    top, left = int(top * (height - rows + 1)), int(left * (width - columns + 1))
    small = F.interpolate(x, size=(rows, columns), mode="bilinear", align_corners=False)
    return F.pad(small, (left, width - columns - left, top, height - rows - top))


def ti_fgsm(model, x, y, *, eps, norm="linf", step_size=None, steps=10, decay=1.0, kernel=5, targeted=False):
    """Translation invariance: the gradient is blurred before each step, which is nearly its mean over shifted copies of
    the image.

        g_{t+1} = decay · g_t + W ∗ ∇_x J(x_t, y) / ‖·‖₁,   x_{t+1} = clip(x_t + step_size · sign(g_{t+1}))
                                                            (targeted: minus)

    W: a Gaussian of kernel × kernel pixels that ends at three standard deviations; kernel: odd, 1 blurs nothing. Other
    arguments as of `di_fgsm`.
    Returns x_adv: per image the iterate of highest loss among those that fool, else of highest loss.

    Dong, Pang, Su, Zhu, "Evading defenses to transferable adversarial examples by translation-invariant attacks", CVPR
    2019, section 3.3 (TI-MI-FGSM). They blur by 15 of 299 pixels; our images are small.
    """
    if isinstance(kernel, bool) or not isinstance(kernel, int) or kernel < 1 or kernel % 2 == 0:
        raise ValueError(f"kernel must be an odd integer of at least 1; got {kernel!r}")
    return _climb_with_momentum(model, x, y, eps, norm, step_size, steps, decay, targeted,
                                smooth=lambda gradient: blur(gradient, kernel))


def blur(gradient, kernel):
    """Each channel convolved with a Gaussian of kernel × kernel pixels; outside of the image it is 0."""
    along = torch.linspace(-3, 3, kernel, dtype=gradient.dtype,
                           device=gradient.device) if kernel > 1 else gradient.new_zeros(1)
    weights = (-along.square() / 2).exp()
    weights = weights / weights.sum()
    channels = gradient.shape[1]
    for shape in ((kernel, 1), (1, kernel)):  # a Gaussian of two dimensions is one of each, in turn
        filters = weights.view(1, 1, *shape).expand(channels, 1, *shape)
        gradient = F.conv2d(gradient, filters, padding=(shape[0] // 2, shape[1] // 2), groups=channels)
    return gradient


def ensemble(models, x, y, *, eps, norm="linf", step_size=None, steps=10, decay=1.0, fuse="probabilities", weights=None,
             targeted=False):
    """One perturbation against several models at once: what fools all of them is more likely to fool one more.

        x_adv climbs  −log Σ_m w_m p_m(y | x_adv)       (targeted: goes down it), with the steps of `mim`

    models: a list of models (or one alone, which makes it `mim`), each from images in [0, 1], shape (N, C, H, W), to
    logits (N, K). weights: a number for each, 1 / their count by default.
    fuse: what is averaged: "probabilities" (as above, the paper's), "logits", or "losses". Other arguments and result
    as of `mim`, with the fused model in the model's place; `Fused(models)` is that model, for any other attack.

    Liu, Chen, Liu, Song, "Delving into transferable adversarial examples and black-box attacks", ICLR 2017, section 5;
    they use Adam and a penalty on the distance. Logits: Dong et al., "Boosting adversarial attacks with momentum", CVPR
    2018, section 3.4.
    """
    models = models if isinstance(models, (list, tuple)) else [models]
    return mim(Fused(models, weights, fuse), x, y, eps=eps, norm=norm, step_size=step_size, steps=steps, decay=decay,
               targeted=targeted)


class Fused(nn.Module):
    """Several models as one: from images to the logits of the weighted mean of their probabilities, logits or
    losses."""

    def __init__(self, models, weights=None, fuse="probabilities"):
        super().__init__()
        if not isinstance(models, (list, tuple)) or not models or not all(map(callable, models)):
            raise ValueError("models must be a list of at least one model")
        if fuse not in ("probabilities", "logits", "losses"):
            raise ValueError(f"fuse must be 'probabilities', 'logits' or 'losses'; got {fuse!r}")
        weights = [1 / len(models)] * len(models) if weights is None else list(weights)
        if len(weights) != len(models) or not all(weight > 0 for weight in weights):
            raise ValueError(f"weights must be one number above 0 for each of the {len(models)} models; got {weights}")
        self.models, self.weights, self.fuse = list(models), weights, fuse
        # so that eval() reaches them
        self.modules_among_them = nn.ModuleList(model for model in models if isinstance(model, nn.Module))

    def forward(self, x):
        logits = torch.stack([contract.at_least_float32(model(x)) for model in self.models])
        weights = logits.new_tensor(self.weights).view(-1, 1, 1)
        if self.fuse == "logits":
            return (weights * logits).sum(0)
        if self.fuse == "losses":
            return (weights * logits.log_softmax(2)).sum(0)
        return (weights.log() + logits.log_softmax(2)).logsumexp(0)


def _climb_with_momentum(model, x, y, eps, norm, step_size, steps, decay, targeted, view=None, smooth=None):
    """`mim`, with the gradient taken through `view` and sent through `smooth`; both from (N, C, H, W) to that shape."""
    check(x, y, eps=eps, norm=norm, norms=("linf", "l2"), steps=steps)
    check_positive(step_size=step_size)
    check_decay(decay)
    if x.dim() != 4:
        raise ValueError(f"x must be images of shape (N, channels, height, width); got shape {tuple(x.shape)}")
    if not len(x):
        return fresh(x)
    step_size = 2.5 * eps / steps if step_size is None else step_size
    with attacking(model) as model:
        x, y = fresh(x), fresh(y)

        def loss(logits):
            labels_fit(logits, y)
            return -cross_entropy(logits, y) if targeted else cross_entropy(logits, y)

        best, climb, x_adv, momentum = Best(x), _stepper(x, eps, norm, step_size), x, torch.zeros_like(x)
        for step in range(steps):
            logits, losses, gradient = input_gradient(model if view is None else lambda images: model(view(images)),
                                                      x_adv, loss)
            if view is not None:  # a view is no candidate: ask about the image itself
                logits, losses = _judge(model, x_adv, loss)
            best.update(x_adv, losses, fools(logits, y, targeted))
            if step == 0:
                flat = _flat(gradient)
            if smooth is not None:
                gradient = smooth(gradient)
            size = gradient.abs().flatten(1).sum(1).clamp_min(torch.finfo(x.dtype).tiny)
            momentum = decay * momentum + gradient / geometry.per_example(size, x)
            x_adv = climb(x_adv, momentum, slice(None))
        logits, losses = _judge(model, x_adv, loss)
        best.update(x_adv, losses, fools(logits, y, targeted))
    contract.warn_if_flat(flat & ~best.fooled)
    return best.x_adv


def _judge(model, x_adv, loss):
    with torch.no_grad():
        logits = contract.at_least_float32(model(x_adv))
        return logits, loss(logits)


_ONE_IMAGE = dict(frequency="iterative", specificity="both", scope="individual", measurement="linf, l2",
                  realism="non-realistic", falsification="both")
CARDS = (
    AttackCard(name="di_fgsm", input="random", knowledge="white box", **_ONE_IMAGE,
               method="momentum along gradients taken at randomly shrunken and shifted copies of the image",
               paper="Xie et al., 2019, arXiv:1803.06978", cost="2 steps + 1 forward and steps backward passes"),
    AttackCard(name="ti_fgsm", input="non-random", knowledge="white box", **_ONE_IMAGE,
               method="momentum along blurred gradients, which stand for the mean over shifted copies of the image",
               paper="Dong et al., 2019, arXiv:1904.02884", cost="steps + 1 forward and steps backward passes"),
    AttackCard(name="ensemble", input="non-random", knowledge="white box", **_ONE_IMAGE,
               method="momentum up the loss of several models' mean probability",
               paper="Liu et al., 2017, arXiv:1611.02770", cost="for each of the models steps + 1 forward and steps "
                                                                "backward passes"),
)
