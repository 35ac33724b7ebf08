"""Robust accuracy: what is left of a model's accuracy when an ensemble of attacks has done its worst."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from advcourse.attacks import contract, losses
from advcourse.attacks.autopgd import Goal, dlr_from_to
from advcourse.attacks.autopgd import search as climb
from advcourse.attacks.contract import Model, Norm
from advcourse.attacks.fab import within
from advcourse.attacks.square import search as square_search
from advcourse.models.inference import device_of, predict


@dataclass(frozen=True)
class RobustAccuracy:
    """What `robust_accuracy` found; printed, it says what fell to which attack."""

    accuracy: float  # the share of images that are right and that no attack fooled
    clean_accuracy: float
    fell: dict  # attack: how many images it was the first to fool, in the order in which they ran
    robust: Tensor  # bool, shape (N,)
    x_adv: Tensor  # the adversarial example of each image that fell, else the image itself
    skipped: tuple = ()  # the attacks that could not run, as the model has no gradient

    def __str__(self):
        total = len(self.robust)
        lines = [f"robust accuracy {self.accuracy:.2%} of {total} images; without an attack {self.clean_accuracy:.2%}"]
        left = round(self.clean_accuracy * total)
        for attack, count in self.fell.items():
            left -= count
            lines.append(f"  {attack:8} {count:6} fell, {left} left: {left / total:.2%}")
        if self.skipped:
            lines.append(f"  the model's logits carry no gradient: {', '.join(self.skipped)} did not run, and this "
                         "bound is a loose one")
        return "\n".join(lines)


def robust_accuracy(model: Model, x: Tensor, y: Tensor, *, eps: float, norm: Norm = "linf", exhaustive: bool = False,
                    batch_size: int = 250, low: float = 0, high: float = 1, seed: int = 0) -> RobustAccuracy:
    """The accuracy that is left when a set of four complementary attacks with nothing to tune has done its worst.

        apgd-ce   Auto-PGD on the cross-entropy, 100 steps                          (l1: 5 restarts)
        apgd-t    Auto-PGD on the targeted DLR loss, for each of 9 target classes   (l1: 5)
        fab-t     FAB towards each of 9 target classes, 100 steps
        square    5,000 queries of the scores, no gradient

    An image leaves at its first success. Unless `exhaustive`, an attack also leaves an image alone where its own
    progress so far says that it will not get there:

        apgd-t    best + 5 gain < −0.2 at a checkpoint, best + 10 gain < −0.5 at 11 % of the steps   (`autopgd.search`)
        fab-t     distance − 5 gain > 1.1 eps at a twentieth of the steps, or none in a fifth         (`fab.within`)
        square    margin > 0.7 reached and > what the doublings of the queries to come can gain    (`square.search`)

    with gain: by how much the last interval has improved; reached: the smallest margin of all attacks before. It is
    faster on robust models; of 200 images of an adversarially trained network the same were left standing.

    model: from images in [low, high], shape (N, C, H, W), to logits (N, K). One without gradients meets square alone,
        and the result's `skipped` names the others.
    x: such images, at least one. y: their labels, shape (N,), int64.
    eps: the radius of the ball, at least 0. norm: "linf", "l2" or "l1".
    exhaustive: as published, every image that stands meets every attack to its end: for a number that you publish.
    batch_size: how many images are attacked at once, at least 1; each meets an attack only while it stands.
    low, high: the ends of the valid range: 0 and 1 for images, −1 and 1 for waveforms.
    seed: of all random numbers.
    Returns a `RobustAccuracy`. It is an upper bound: a defence that misleads these attacks needs one made for it.
    Raises ValueError where an argument is not as said here, or y does not fit the logits.
    Cost: for an image that stands about 1,900 forward and backward passes and 5,900 forward passes; mostly far fewer.

    Croce, Hein, "Reliable evaluation of adversarial robustness with an ensemble of diverse parameter-free attacks",
    ICML 2020, section 5 (AutoAttack); for l1 Croce, Hein, "Mind the box", ICML 2021.
    """
    box = contract.check(x, y, eps=eps, norm=norm, norms=contract.BALL_NORMS, low=low, high=high,
                         batch_size=batch_size)
    if len(x) == 0:
        raise ValueError("robust_accuracy needs at least one image")
    x, device = contract.fresh(x), device_of(model, default=x.device)
    logits = predict(model, x, batch_size)
    contract.labels_fit(logits, y)
    robust, x_adv, fell, skipped = logits.argmax(1) == y, x.clone(), {}, []
    clean_accuracy = robust.double().mean().item()
    reached = losses.margin(logits, y)  # by the attacks so far
    # The likeliest wrong classes of each image come first.
    wrong = logits.scatter(1, y[:, None], -torch.inf).argsort(dim=1, descending=True)[:, : min(9, logits.shape[1] - 1)]

    for name, attack in _ensemble(wrong, reached, eps=eps, norm=norm, box=box, exhaustive=exhaustive):
        if name in skipped:
            continue
        fell.setdefault(name, 0)
        if not robust.any():
            break
        for index in robust.nonzero()[:, 0].split(batch_size):
            images, labels = x[index].to(device), y[index].to(device)
            generator = torch.Generator(device=device).manual_seed(seed)
            try:
                with contract.attacking(model) as ask:
                    candidates = attack(ask, images, labels, index=index, generator=generator)
            except contract.NoGradientError:
                skipped.append(name)
                del fell[name]
                break
            logits = predict(model, candidates, batch_size)
            fooled = losses.fools(logits, labels).to(x.device)
            reached[index] = torch.minimum(reached[index], losses.margin(logits, labels).to(x.device))
            x_adv[index[fooled]] = candidates.to(x.device)[fooled]
            robust[index[fooled]] = False
            fell[name] += int(fooled.sum())
    return RobustAccuracy(robust.double().mean().item(), clean_accuracy, fell, robust, x_adv, tuple(skipped))


def _ensemble(wrong, reached, *, eps, norm, box, exhaustive) -> Iterator[tuple[str, Callable[..., Tensor]]]:
    """(name, attack) in the order in which they run; attack(ask, images, labels, *, index, generator) -> x_adv.

    The cheapest that fools most comes first. wrong: the target classes, shape (N, targets); reached: the smallest
    margins z_y − max_{i≠y} z_i that the attacks have found so far, shape (N,); index: the images' rows in both.
    """
    goal = partial(Goal, eps=eps, norm=norm, stop=True, box=box)

    def apgd_ce(ask, images, labels, *, index, generator, restart):
        generator.manual_seed(generator.initial_seed() + restart)
        return climb(ask, images, (labels,), goal(losses.cross_entropy, losses.fools), steps=100,
                     generator=generator).x_adv

    def apgd_t(ask, images, labels, *, index, generator, rank):
        target = wrong[index, rank].to(labels.device)
        leave = goal(dlr_from_to, lambda logits, label, _: losses.fools(logits, label), give_up=not exhaustive)
        return climb(ask, images, (labels, target), leave, steps=100, generator=generator).x_adv

    def fab_t(ask, images, labels, *, index, generator, rank):
        target = wrong[index, rank].to(labels.device)
        return within(ask, images, labels, target, eps=eps, norm=norm, steps=100, give_up=not exhaustive,
                      box=box)

    def square(ask, images, labels, *, index, generator):
        return square_search(ask, images, labels, eps=eps, norm=norm, queries=5000, targeted=False, box=box,
                             generator=generator, reached=None if exhaustive else reached[index].to(labels.device))

    targets = wrong.shape[1]
    for restart in range(5 if norm == "l1" else 1):
        yield "apgd-ce", partial(apgd_ce, restart=restart)
    for rank in range(min(targets, 5) if norm == "l1" else targets):
        yield "apgd-t", partial(apgd_t, rank=rank)
    for rank in range(targets):
        yield "fab-t", partial(fab_t, rank=rank)
    yield "square", square
