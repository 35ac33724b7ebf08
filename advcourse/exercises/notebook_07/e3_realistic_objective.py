"""07.3: the realistic objective."""

import torch
from torch.nn import functional as F

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.probes import small_model, telling_apart
from advcourse.exercises.properties import equals


def realistic_loss(model, z, picture, target, weight):
    return F.cross_entropy(model(z), target, reduction="none") + weight * (z - picture).square().flatten(1).sum(1)


def loss_probes(generator):
    def draw(weight):
        z, picture = torch.rand(2, 5, 3, 3, 4, generator=generator)
        target = torch.randint(4, (5,), generator=generator)
        model = small_model(generator, sharpness=1.5)  # so unsure that a 1e-8 inside a logarithm does not count
        return {"model": model, "z": z, "picture": picture, "target": target, "weight": weight}

    return [telling_apart(lambda weight=weight: draw(weight), realistic_loss, MISTAKES.values())
            for weight in (0.3, 2.5)]


def another_loss(combine):
    """A formula that a student may have written; combine: of (cross-entropy, squared distance, weight, pixels)."""
    def formula(model, z, picture, target, weight):
        loss = F.cross_entropy(model(z), target, reduction="none")
        return combine(loss, (z - picture).square().flatten(1).sum(1), weight, z[0].numel())
    return formula


def another_name(lose):
    """The objective with lose(logits, target) in place of the cross-entropy."""
    return lambda model, z, picture, target, weight: (
        lose(model(z), target) + weight * (z - picture).square().flatten(1).sum(1))


def cut(name=False, distance=False):
    """The objective with a part that has its value and no gradient."""
    def formula(model, z, picture, target, weight):
        loss = F.cross_entropy(model(z.detach() if name else z), target, reduction="none")
        return loss + weight * ((z.detach() if distance else z) - picture).square().flatten(1).sum(1)
    return formula


MISTAKES = {
    "the distance is not squared: sum the squares and take no root":
        another_loss(lambda loss, square, weight, pixels: loss + weight * square.sqrt()),
    "you average the squares over the pixels; ‖z − x‖₂² is their sum":
        another_loss(lambda loss, square, weight, pixels: loss + weight * square / pixels),
    "the distance is subtracted: as it is, the loss falls as z leaves the picture. Add it":
        another_loss(lambda loss, square, weight, pixels: loss - weight * square),
    "the cross-entropy is subtracted: as it is, the loss falls as the target gets less likely. Add it":
        another_loss(lambda loss, square, weight, pixels: weight * square - loss),
    "the weight belongs to the distance, not to the cross-entropy":
        another_loss(lambda loss, square, weight, pixels: weight * loss + square),
    "the weight multiplies both parts; it belongs to the distance alone":
        another_loss(lambda loss, square, weight, pixels: weight * (loss + square)),
    "these are shares, 1 − λ and λ; the cross-entropy counts in full, and the distance λ times":
        another_loss(lambda loss, square, weight, pixels: (1 - weight) * loss + weight * square),
    "the weight is missing: the distance counts with a factor of 1":
        another_loss(lambda loss, square, weight, pixels: loss + square),
    "you divide the distance by the weight: multiply":
        another_loss(lambda loss, square, weight, pixels: loss + square / weight),
    "the distance is missing: nothing keeps z near the picture":
        another_loss(lambda loss, square, weight, pixels: loss),
    "the cross-entropy is missing: nothing moves z towards the target":
        another_loss(lambda loss, square, weight, pixels: weight * square),
    "every image gets the mean loss of the batch: use reduction=\"none\", so that each has its own":
        another_loss(lambda loss, square, weight, pixels: loss.mean() + weight * square),
    "every image gets the summed loss of the batch: use reduction=\"none\", so that each has its own":
        another_loss(lambda loss, square, weight, pixels: loss.sum() + weight * square),
    "every image gets the distance of the whole batch: flatten from dimension 1 and sum over that":
        another_loss(lambda loss, square, weight, pixels: loss + weight * square.sum()),
    "every image gets the mean squared difference of the whole batch; ‖z − x‖₂² is the sum over each image's pixels":
        another_loss(lambda loss, square, weight, pixels: loss + weight * square.mean() / pixels),
    "every image gets the mean objective of the batch: keep one number for each":
        another_loss(lambda loss, square, weight, pixels: (loss + weight * square).mean().expand(len(loss))),
    "you add up absolute differences; wanted are their squares":
        lambda model, z, picture, target, weight: (
            F.cross_entropy(model(z), target, reduction="none") + weight * (z - picture).abs().flatten(1).sum(1)),
    "the distance is that of z from nothing; take it from the picture":
        lambda model, z, picture, target, weight: realistic_loss(model, z, 0 * picture, target, weight),
    "the model sees the picture; it is to see z":
        lambda model, z, picture, target, weight: (
            F.cross_entropy(model(picture), target, reduction="none")
            + weight * (z - picture).square().flatten(1).sum(1)),
    "there is one softmax too many: `cross_entropy` wants the logits, and takes the softmax itself":
        another_name(lambda logits, target: F.cross_entropy(logits.softmax(1), target, reduction="none")),
    "the logarithm is missing: J is −log of the target's probability, not minus the probability":
        another_name(lambda logits, target: -logits.softmax(1).gather(1, target[:, None])[:, 0]),
    "this is one minus the probability of the target; J is minus its logarithm":
        another_name(lambda logits, target: 1 - logits.softmax(1).gather(1, target[:, None])[:, 0]),
    "you take minus the target's score; J is the cross-entropy, in which the other scores count, too":
        another_name(lambda logits, target: -logits.gather(1, target[:, None])[:, 0]),
    "you take the squared error of the probabilities; J is the cross-entropy":
        another_name(lambda logits, target: (logits.softmax(1) - F.one_hot(target, logits.shape[1])).square().sum(1)),
    "you take the mean squared error of the probabilities; J is the cross-entropy":
        another_name(lambda logits, target: (logits.softmax(1) - F.one_hot(target, logits.shape[1])).square().mean(1)),
    "the labels are the model's own answers; the classes to be seen are in `target`":
        another_name(lambda logits, target: F.cross_entropy(logits, logits.argmax(1), reduction="none")),
}


exercise = Exercise(
    number="07.3",
    title="The realistic objective",
    points=3,
    minutes=8,
    hints=(
        ("Which two parts are there?",
         "The cross-entropy of `model(z)` at the target, "
         "and weight times the squared distance of z from the picture."),
        ("One number per image?",
         "`F.cross_entropy(…, reduction=\"none\")` gives one per image. For the distance: `.square()`, then "
         "`.flatten(1)`, then `.sum(1)`."),
        ("Show me nearly all of it.",
         "`F.cross_entropy(model(z), target, reduction=\"none\") + weight * (z - "
         "picture).square().flatten(1).sum(1)`."),
    ),
    reference=realistic_loss,
    probes=loss_probes,
    properties={"it is J(f(z), t) + λ‖z − x‖²": equals(realistic_loss, MISTAKES, tolerance=1e-4)},
    differentiated_by="z",
    cut_gradients={
        "the cross-entropy has no gradient, so nothing will move z towards the target: no `.detach()`, `.item()` or "
        "`no_grad()` there": cut(name=True),
        "the distance has no gradient, so nothing will keep z near the picture: no `.detach()`, `.item()` or "
        "`no_grad()` there": cut(distance=True),
    },
)
