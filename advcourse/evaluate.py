"""Measuring models: what they predict and how often they are right."""

from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import nn


def predict(model, x, batch_size=500):
    """The logits of `model` on the images `x`, computed batch by batch without gradients.

    model: any callable from images (N, C, H, W) in [0, 1] to logits (N, K). A module is put into evaluation mode
        meanwhile and found as it was; `x` may lie on another device than its parameters.
    Returns a tensor (N, K) on the device of `x`.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, got {batch_size}")
    device = device_of(model, default=x.device)
    with evaluating(model), torch.no_grad():
        return torch.cat([model(batch.to(device)).to(x.device) for batch in x.split(batch_size)])


def accuracy(model, x, y, batch_size=500):
    """The share, in [0, 1], of the images `x` whose largest logit is that of the label in `y`, shape (N,)."""
    if len(x) == 0 or y.shape != (len(x),):
        raise ValueError(
            f"accuracy needs one label per image and at least one image; got {len(x)} images and labels of shape {tuple(y.shape)}"
        )
    labels = predict(model, x, batch_size).argmax(dim=1)
    return (labels == y.to(labels.device)).double().mean().item()


def device_of(model, default=None):
    """The device of the model's parameters; `default` for a callable that has none."""
    parameters = model.parameters() if isinstance(model, nn.Module) else iter(())
    first = next(parameters, None)
    return default if first is None else first.device


@contextmanager
def evaluating(model):
    """Inside, `model` is in evaluation mode; afterwards each of its modules is in the mode it was in."""
    modules = list(model.modules()) if isinstance(model, nn.Module) else []
    modes = [module.training for module in modules]
    for module in modules:
        module.training = False
    try:
        yield
    finally:
        for module, mode in zip(modules, modes):
            module.training = mode


def audit(model, x, y, *, eps, norm="linf", **options):
    """Can attacks on this model be believed? The sanity tests of Carlini et al. (2019): see `advcourse.audit.audit`, which does it."""
    from advcourse.audit import audit

    return audit(model, x, y, eps=eps, norm=norm, **options)


@dataclass(frozen=True)
class RobustAccuracy:
    """What `robust_accuracy` found; printed, it says what fell to which attack."""

    accuracy: float  # the share of images that are right and that no attack fooled
    clean_accuracy: float
    fell: dict  # attack: how many images it was the first to fool, in the order in which they ran
    robust: torch.Tensor  # bool, shape (N,)
    x_adv: torch.Tensor  # the adversarial example of each image that fell, else the image itself
    skipped: tuple = ()  # the attacks that could not run, as the model has no gradient

    def __str__(self):
        total = len(self.robust)
        lines = [f"robust accuracy {self.accuracy:.2%} of {total} images; without an attack {self.clean_accuracy:.2%}"]
        left = round(self.clean_accuracy * total)
        for attack, count in self.fell.items():
            left -= count
            lines.append(f"  {attack:8} {count:6} fell, {left} left: {left / total:.2%}")
        if self.skipped:
            lines.append(f"  the model's logits carry no gradient: {', '.join(self.skipped)} did not run, and this bound is a loose one")
        return "\n".join(lines)


def robust_accuracy(model, x, y, *, eps, norm="linf", exhaustive=False, batch_size=250, seed=0):
    """The accuracy that is left when a set of four complementary attacks with nothing to tune has done its worst.

        apgd-ce   Auto-PGD on the cross-entropy, 100 steps                          (l1: 5 restarts)
        apgd-t    Auto-PGD on the targeted DLR loss, for each of 9 target classes   (l1: 5)
        fab-t     FAB towards each of 9 target classes, 100 steps
        square    5,000 queries of the scores, no gradient

    model: from images in [0, 1], shape (N, C, H, W), to logits (N, K); x: such images; y: their labels, shape (N,).
    eps: the radius of the ball in the norm "linf", "l2" or "l1".
    exhaustive: as published, every image that stands meets every attack to its end. Otherwise an attack leaves an image alone where its
        own progress so far says that it will not get there: faster on robust models; of 200 images of an adversarially trained
        network the same were left standing as with exhaustive=True. Use exhaustive=True for a number that you publish.
    batch_size: how many images are attacked at once; each meets an attack only while it stands. seed: of all random numbers.
    A model without gradients meets square alone, and the result's `skipped` names the others.
    Returns a `RobustAccuracy`. It is an upper bound: a defence that misleads these attacks needs one made for it.

    Croce, Hein, "Reliable evaluation of adversarial robustness with an ensemble of diverse parameter-free attacks", ICML 2020, section 5 (AutoAttack);
    for l1 Croce, Hein, "Mind the box", ICML 2021.
    """
    from advcourse.attacks import contract

    contract.check(x, y, eps=eps, norm=norm, norms=("linf", "l2", "l1"), batch_size=batch_size)
    if len(x) == 0:
        raise ValueError("robust_accuracy needs at least one image")
    x, device = contract.fresh(x), device_of(model, default=x.device)
    logits = predict(model, x, batch_size)
    contract.labels_fit(logits, y)
    robust, x_adv, fell, skipped = logits.argmax(1) == y, x.clone(), {}, []
    clean_accuracy = robust.double().mean().item()
    reached = contract.margin(logits, y)  # by the attacks so far
    # The likeliest wrong classes of each image come first.
    wrong = logits.scatter(1, y[:, None], -torch.inf).argsort(dim=1, descending=True)[:, : min(9, logits.shape[1] - 1)]

    for name, attack in _ensemble(model, wrong, reached, eps, norm, exhaustive):
        if name in skipped:
            continue
        fell.setdefault(name, 0)
        if not robust.any():
            break
        for index in robust.nonzero()[:, 0].split(batch_size):
            images, labels = x[index].to(device), y[index].to(device)
            generator = torch.Generator(device=device).manual_seed(seed)
            try:
                with contract.attacking(model):
                    candidates = attack(images, labels, index, generator)
            except contract.NoGradientError:
                skipped.append(name)
                del fell[name]
                break
            logits = predict(model, candidates, batch_size)
            fooled = contract.fools(logits, labels).to(x.device)
            reached[index] = torch.minimum(reached[index], contract.margin(logits, labels).to(x.device))
            x_adv[index[fooled]] = candidates.to(x.device)[fooled]
            robust[index[fooled]] = False
            fell[name] += int(fooled.sum())
    return RobustAccuracy(robust.double().mean().item(), clean_accuracy, fell, robust, x_adv, tuple(skipped))


def _ensemble(model, wrong, reached, eps, norm, exhaustive):
    """(name, attack) in the order in which they run; attack(images, labels, index, generator) -> images in the ball.

    The cheapest that fools most comes first; index: the images' rows in `wrong`, the target classes, shape (N, targets), and in `reached`,
    the smallest margins z_y − max_{i≠y} z_i that the attacks have found so far, shape (N,).
    """
    from advcourse.attacks import contract
    from advcourse.attacks.autopgd import dlr_from_to, search as climb
    from advcourse.attacks.fab import within
    from advcourse.attacks.square import search as square_search

    def apgd_ce(images, labels, index, generator):
        generator.manual_seed(generator.initial_seed() + restart)
        return climb(model, images, (labels,), contract.cross_entropy, contract.fools,
                     eps=eps, norm=norm, steps=100, stop=True, generator=generator).x_adv

    def apgd_t(images, labels, index, generator):
        target = wrong[index, rank].to(labels.device)
        return climb(model, images, (labels, target), dlr_from_to, lambda logits, label, _: contract.fools(logits, label),
                     eps=eps, norm=norm, steps=100, stop=True, generator=generator, give_up=not exhaustive).x_adv

    def fab_t(images, labels, index, generator):
        target = wrong[index, rank].to(labels.device)
        return within(model, images, labels, target, eps=eps, norm=norm, steps=100, give_up=not exhaustive)

    def square_attack(images, labels, index, generator):
        return square_search(model, images, labels, eps=eps, norm=norm, queries=5000, targeted=False, generator=generator,
                             reached=None if exhaustive else reached[index].to(labels.device))

    targets = wrong.shape[1]
    for restart in range(5 if norm == "l1" else 1):
        yield "apgd-ce", apgd_ce
    for rank in range(min(targets, 5) if norm == "l1" else targets):
        yield "apgd-t", apgd_t
    for rank in range(targets):
        yield "fab-t", fab_t
    yield "square", square_attack


def transfer_matrix(sources, targets, x, y, *, measure="error", batch_size=500):
    """How adversarial examples made on some models do on others: shares in [0, 1], shape (sources, targets), float64.

    sources: from a name to the attack on that model, a function (x, y) -> x_adv such as partial(fgsm, model, eps=0.1), or to a finished x_adv.
    targets: from a name to a model, from images (N, C, H, W) to logits (N, K). x, y: clean images and their labels, shape (N,).
    measure: "error": the share of the adversarial images that the target reads wrong, as in the papers' tables; "fooled": the same of those
        images alone that the target reads right before the attack; "reached": the share read as y, where y holds the labels to reach.
    A row belongs to a source, a column to a target. nan where a target reads no clean image right and measure is "fooled".

    Papernot, McDaniel, Goodfellow, "Transferability in machine learning", 2016, section 3.
    """
    if measure not in ("error", "fooled", "reached"):
        raise ValueError(f"measure must be 'error', 'fooled' or 'reached'; got {measure!r}")
    if len(x) == 0 or y.shape != (len(x),) or not sources or not targets:
        raise ValueError(f"transfer_matrix needs a source, a target and at least one image, with one label each; got {len(sources)} sources, "
                         f"{len(targets)} targets, {len(x)} images and labels of shape {tuple(y.shape)}")
    reads_as_y = lambda model, images: predict(model, images, batch_size).argmax(1) == y
    # What counts as success on which images: all of them, or those that the target reads right.
    counted = {name: reads_as_y(model, x) if measure == "fooled" else torch.ones_like(y, dtype=torch.bool) for name, model in targets.items()}
    rows = []
    for source in sources.values():
        x_adv = source if isinstance(source, torch.Tensor) else source(x, y)
        if x_adv.shape != x.shape:
            raise ValueError(f"an attack must return images of the shape of x, {tuple(x.shape)}; got {tuple(x_adv.shape)}")
        rows.append([(reads_as_y(model, x_adv) == (measure == "reached"))[counted[name]].double().mean() for name, model in targets.items()])
    return torch.tensor(rows, dtype=torch.float64)


def gradient_similarity(models, x, y):
    """The mean cosine between the loss gradients of every two models at the same images: shape (M, M), in [-1, 1], 1 on the diagonal.

        S(f, g) = mean over i of  ∇_x J_f(x_i, y_i) · ∇_x J_g(x_i, y_i) / (‖∇_x J_f‖₂ ‖∇_x J_g‖₂)

    models: from a name to a model with a gradient; x, y: images (N, C, H, W) and their labels. Where a gradient is zero its cosines count as 0.
    To first order it says how much of a step up one model's loss is a step up the other's: Demontis et al., "Why do adversarial attacks
    transfer?", USENIX Security 2019, section 3.2; Liu et al., ICLR 2017, section 4.
    """
    from advcourse.attacks import contract

    directions = []
    for model in models.values():
        with contract.attacking(model):
            _, _, gradient = contract.input_gradient(model, x, lambda logits: contract.cross_entropy(logits, y))
        directions.append(contract.normalise(gradient, "l2").flatten(1))
    stacked = torch.stack(directions).double()
    return torch.einsum("aij,bij->ab", stacked, stacked) / len(x)
