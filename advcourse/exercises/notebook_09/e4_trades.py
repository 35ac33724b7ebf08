"""09.4: TRADES."""

import torch
from torch.nn import functional as F

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.probes import loss_gradient, mixed_labels, random_images, small_model
from advcourse.exercises.properties import equals, finite


def trades(model, x, x_adv, y, beta):
    return F.cross_entropy(model(x), y) + beta * divergences(model, x, x_adv).mean()


def divergences(model, x, x_adv):
    """KL(p(x) ‖ p(x_adv)) per image."""
    log_p, log_q = model(x).log_softmax(1), model(x_adv).log_softmax(1)
    return (log_p.exp() * (log_p - log_q)).sum(1)


def trades_probes(generator):
    # no answer surer than float32 and a 1e-8 inside a logarithm can tell
    model, x = small_model(generator, sharpness=1.5), random_images(generator)
    y = mixed_labels(model, x)
    x_adv = (x + 0.1 * loss_gradient(model, x, y).sign()).clamp(0, 1)
    return [{"model": model, "x": x, "x_adv": x_adv, "y": y, "beta": beta} for beta in (2.0, 6.0)]


def second_part(distance, clean=lambda model, x, x_adv: x):
    """A mistake in the second part, or in the images that the first part sees."""
    def wrong(model, x, x_adv, y, beta):
        return F.cross_entropy(model(clean(model, x, x_adv)), y) + beta * distance(model, x, x_adv, y)
    return wrong


def cut(first, clean, attacked):
    """The right value, with what three functions make of the first part's logits and of the divergence's two.

    They cut off a gradient.
    """
    def wrong(model, x, x_adv, y, beta):
        log_p, log_q = clean(model(x)).log_softmax(1), attacked(model(x_adv)).log_softmax(1)
        return F.cross_entropy(first(model(x)), y) + beta * (log_p.exp() * (log_p - log_q)).sum(1).mean()
    return wrong


exercise = Exercise(
    number="09.4",
    title="Accuracy and steadiness",
    points=3,
    minutes=10,
    hints=(
        ("Which part uses the label?",
         "Only the first one, on the clean images. The second asks that the two answers agree, whatever they are."),
        ("How do I write KL?",
         "With `log_p = model(x).log_softmax(1)` and log_q for x_adv: the sum over classes of "
         "`log_p.exp() * (log_p - log_q)`, one number per image."),
        ("Show me nearly all of it.",
         "`F.cross_entropy(model(x), y) + beta * divergence.mean()`, where divergence is the sum over classes, "
         "`.sum(1)`, and the mean goes over images."),
    ),
    reference=trades,
    probes=trades_probes,
    gates={"the loss is a number": finite},
    properties={
        "it is J(x, y) + β · mean KL(p(x) ‖ p(x_adv))": equals(trades, tolerance=1e-4, mistakes={
            "the divergence is the wrong way round: p(x), what the model says of the clean image, stands in front":
                second_part(lambda model, x, x_adv, y: divergences(model, x_adv, x).mean()),
            "β is missing": lambda model, x, x_adv, y, beta: trades(model, x, x_adv, y, 1.0),
            "the divergence is also averaged over the classes: sum over classes, then the mean over images "
            "(`reduction=\"batchmean\"`)":
                second_part(lambda model, x, x_adv, y: divergences(model, x, x_adv).mean() / 4),
            "the divergence is summed over the images: take their mean":
                second_part(lambda model, x, x_adv, y: divergences(model, x, x_adv).sum()),
            "the first part is taken on x_adv: the label belongs to the clean image here":
                second_part(lambda model, x, x_adv, y: divergences(model, x, x_adv).mean(),
                            clean=lambda model, x, x_adv: x_adv),
            "the second part is the cross-entropy on x_adv, as in the adversarial loss; here it compares the two "
            "answers, without y":
                second_part(lambda model, x, x_adv, y: F.cross_entropy(model(x_adv), y)),
            "the second part compares logits; compare the probabilities, by their divergence":
                second_part(lambda model, x, x_adv, y: (model(x) - model(x_adv)).square().sum(1).mean()),
            "the first part is missing: the cross-entropy on x": lambda model, x, x_adv, y, beta: (
                beta * divergences(model, x, x_adv).mean()),
            "this is the divergence both ways: only KL(p(x) ‖ p(x_adv)) is wanted":
                second_part(lambda model, x, x_adv, y: (
                    divergences(model, x, x_adv) + divergences(model, x_adv, x)).mean()),
            "the second part compares the probabilities by their squared distance; compare them by their divergence":
                second_part(lambda model, x, x_adv, y: (
                    model(x).softmax(1) - model(x_adv).softmax(1)).square().sum(1).mean()),
            "the second part is −Σ p log q, a cross-entropy of the two answers; the divergence also has + Σ p log p":
                second_part(lambda model, x, x_adv, y: -(
                    model(x).softmax(1) * model(x_adv).log_softmax(1)).sum(1).mean()),
            "`F.cross_entropy` takes logits, and it seems to have got probabilities: leave the softmax out, it is in "
            "there": lambda model, x, x_adv, y, beta: (
                F.cross_entropy(model(x).softmax(1), y) + beta * divergences(model, x, x_adv).mean()),
            "the second part is missing": second_part(lambda model, x, x_adv, y: 0.0),
            "the second part has the wrong sign: answers should agree, and the loss is made small":
                second_part(lambda model, x, x_adv, y: -divergences(model, x, x_adv).mean()),
            "`F.kl_div` wants the *logarithm* of q first and p second: it seems to have got p itself":
                second_part(lambda model, x, x_adv, y: F.kl_div(
                    model(x_adv).softmax(1), model(x).softmax(1), reduction="batchmean")),
            "`F.kl_div` wants the *logarithm* of q first and p second: it seems to have got the logits":
                second_part(lambda model, x, x_adv, y: F.kl_div(
                    model(x_adv), model(x).softmax(1), reduction="batchmean")),
        }),
    },
    differentiated_by="model",
    cut_gradients={
        "the answer on the clean image is detached in the divergence: in TRADES both answers move towards each other, "
        "so its gradient flows as well": cut(torch.clone, torch.detach, torch.clone),
        "the answer on x_adv is detached in the divergence: then nothing makes it steady":
            cut(torch.clone, torch.clone, torch.detach),
        "no gradient flows through the divergence, so that the network would learn the clean images alone":
            cut(torch.clone, torch.detach, torch.detach),
        "no gradient flows through the first part, so that the network would not learn the labels":
            cut(torch.detach, torch.clone, torch.clone),
    },
)
