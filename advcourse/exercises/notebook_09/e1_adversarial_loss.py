"""09.1: Goodfellow's adversarial loss."""

import torch
from torch.nn import functional as F

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.probes import clear_images, loss_gradient, mixed_labels, small_model, telling_apart
from advcourse.exercises.properties import equals, finite


def adversarial_loss(model, x, y, eps, c):
    return mix(model, x, y, eps, c)


def mix(model, x, y, eps, c, p=None, clip=True, loss=F.cross_entropy):
    """The adversarial loss, with the places at which one may go wrong as arguments."""
    p = eps * loss_gradient(model, x, y).sign() if p is None else p
    x_adv = (x + p).clamp(0, 1) if clip else x + p
    return c * loss(model(x), y) + (1 - c) * loss(model(x_adv), y)


def cut(clean, attacked):
    """The right value, with what `clean` and `attacked` make of the two losses: they cut off a gradient."""
    def wrong(model, x, y, eps, c):
        x_adv = (x + eps * loss_gradient(model, x, y).sign()).clamp(0, 1)
        return c * clean(F.cross_entropy(model(x), y)) + (1 - c) * attacked(F.cross_entropy(model(x_adv), y))
    return wrong


def adversarial_probes(generator):
    def draw(eps, c):
        model = small_model(generator, sharpness=1.5)  # so unsure that a 1e-8 inside a logarithm does not count
        x = clear_images(generator, model)
        return {"model": model, "x": x, "y": mixed_labels(model, x), "eps": eps, "c": c}

    mistakes = adversarial_mistakes().values()
    return [telling_apart(lambda given=given: draw(*given), adversarial_loss, mistakes)
            for given in ((0.05, 0.3), (0.2, 0.7))]


def adversarial_mistakes():
    def with_p(make):
        return lambda model, x, y, eps, c: mix(model, x, y, eps, c, p=make(model, x, y, eps))

    def at_prediction(model, x, y, eps):
        return eps * loss_gradient(model, x, model(x).argmax(1).detach()).sign()

    return {
        "the weights are exchanged: c belongs to the clean images and 1 − c to the adversarial ones":
            lambda model, x, y, eps, c: mix(model, x, y, eps, 1 - c),
        "this is the loss on clean images alone: the second part, (1 − c) · J(x + p, y), is missing or sees x again":
            lambda model, x, y, eps, c: mix(model, x, y, eps, 1.0),
        "only the clean part is here, weighed by c: add (1 − c) · J(x + p, y)":
            lambda model, x, y, eps, c: c * mix(model, x, y, eps, 1.0),
        "this is the loss on the adversarial images alone: the clean ones take part with weight c":
            lambda model, x, y, eps, c: mix(model, x, y, eps, 0.0),
        "the two losses are added without their weights c and 1 − c":
            lambda model, x, y, eps, c: mix(model, x, y, eps, 1.0) + mix(model, x, y, eps, 0.0),
        "p goes down the loss: it is *plus* ε · sign of the gradient":
            with_p(lambda model, x, y, eps: -eps * loss_gradient(model, x, y).sign()),
        "p is in proportion to the gradient; it is ε times its *sign*":
            with_p(lambda model, x, y, eps: eps * loss_gradient(model, x, y)),
        "p is in proportion to the gradient of the mean loss; it is ε times its *sign*":
            with_p(lambda model, x, y, eps: eps * loss_gradient(model, x, y) / len(x)),
        "p is made for the model's own answers; the formula takes the gradient of J(x, y) at the labels":
            with_p(at_prediction),
        "x + p leaves [0, 1]: clip it, as every image of this course":
            lambda model, x, y, eps, c: mix(model, x, y, eps, c, clip=False),
        "J is the *mean* over the batch, and this is the sum":
            lambda model, x, y, eps, c: len(x) * mix(model, x, y, eps, c),
        "c has no effect: the two losses weigh the same":
            lambda model, x, y, eps, c: mix(model, x, y, eps, 0.5),
        "the second loss is taken on p alone, the change; it is that of the changed image, x + p":
            lambda model, x, y, eps, c: c * F.cross_entropy(model(x), y) + (1 - c) * F.cross_entropy(
                model(eps * loss_gradient(model, x, y).sign()), y),
        "`F.cross_entropy` takes logits, and it seems to have got probabilities: leave the softmax out, it is in there":
            lambda model, x, y, eps, c: mix(model, x, y, eps, c, loss=lambda z, y: F.cross_entropy(z.softmax(1), y)),
        "J is the cross-entropy, `F.cross_entropy`; this is a squared error":
            lambda model, x, y, eps, c: mix(model, x, y, eps, c, loss=lambda z, y: F.mse_loss(
                z.softmax(1), F.one_hot(y, z.shape[1]).float())),
        "J is the cross-entropy, `F.cross_entropy`; this is the squared error of the logits":
            lambda model, x, y, eps, c: mix(model, x, y, eps, c, loss=lambda z, y: F.mse_loss(
                z, F.one_hot(y, z.shape[1]).float())),
        "every pixel moves by a full 1: p is ε times the sign":
            with_p(lambda model, x, y, eps: loss_gradient(model, x, y).sign()),
    }


exercise = Exercise(
    number="09.1",
    title="The adversarial loss",
    points=3,
    minutes=10,
    hints=(
        ("What is p?",
         "One step of the fast gradient sign method, which you know from notebook 01: ε times the sign of the "
         "gradient of J with respect to the images."),
        ("How do I keep the two gradients apart?",
         "Compute p first, with `torch.autograd.grad` on a copy of x that requires gradients, and `.detach()` what "
         "comes out. Then compute the two losses as if p had been given to you."),
        ("Show me nearly all of it.",
         "`x_adv = (x + eps * gradient.sign()).clamp(0, 1).detach()`, then "
         "`c * F.cross_entropy(model(x), y) + (1 - c) * F.cross_entropy(model(x_adv), y)`."),
    ),
    reference=adversarial_loss,
    probes=adversarial_probes,
    gates={"the loss is a number": finite},
    properties={
        "it is c · J(x, y) + (1 − c) · J(x + p, y)": equals(adversarial_loss, mistakes=adversarial_mistakes()),
    },
    differentiated_by="model",
    cut_gradients={
        "no gradient flows through the clean loss, so the network would learn from the adversarial images alone: did "
        "you cut it off by `.detach()`, `.item()` or `float(…)`? Only p counts as given":
            cut(torch.detach, torch.clone),
        "no gradient flows through the adversarial loss, so the network would learn from the clean images alone: "
        "detach p or x + p, which count as given, and not the loss (nor `.item()` or `float(…)`)":
            cut(torch.clone, torch.detach),
    },
)
