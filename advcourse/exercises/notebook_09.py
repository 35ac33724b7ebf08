"""The exercises of notebook 09: training on adversarial examples."""

import torch
from torch.nn import functional as F

from advcourse.exercises.catalogue import Exercise, Question
from advcourse.exercises.notebook_01 import loss_gradient, random_images, small_model
from advcourse.exercises.properties import equals, finite


def mixed_labels(model, x):
    """Labels of which most are what the model says: so that what follows y differs from what follows the prediction."""
    predicted = model(x).argmax(1).detach()
    return torch.where(torch.arange(len(x)) % 3 == 0, (predicted + 1) % 4, predicted)


# 09.1: Goodfellow's adversarial loss ----------------------------------------------------------------------------------

def adversarial_loss(model, x, y, eps, c):
    return mix(model, x, y, eps, c)


def mix(model, x, y, eps, c, p=None, clip=True, reduction="mean"):
    """The adversarial loss, with the places at which one may go wrong as arguments."""
    p = eps * loss_gradient(model, x, y).sign() if p is None else p
    x_adv = (x + p).clamp(0, 1) if clip else x + p
    clean, attacked = (F.cross_entropy(model(images), y, reduction=reduction) for images in (x, x_adv))
    return c * clean + (1 - c) * attacked


def adversarial_probes(generator):
    model, x = small_model(generator), random_images(generator)
    return [{"model": model, "x": x, "y": mixed_labels(model, x), "eps": eps, "c": c}
            for eps, c in ((0.05, 0.3), (0.2, 0.7))]


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
            lambda model, x, y, eps, c: mix(model, x, y, eps, c, reduction="sum"),
        "every pixel moves by a full 1: p is ε times the sign":
            with_p(lambda model, x, y, eps: loss_gradient(model, x, y).sign()),
    }


goodfellow = Exercise(
    number="09.1",
    title="The adversarial loss",
    points=3,
    minutes=10,
    hints=(
        ("What is p?", "One step of the fast gradient sign method, which you know from notebook 01: ε times the sign "
                       "of the gradient of J with "
         "respect to the images."),
        ("How do I keep the two gradients apart?", "Compute p first, with `torch.autograd.grad` on a copy of x that "
                                                   "requires gradients, and "
         "`.detach()` what comes out. Then compute the two losses as if p had been given to you."),
        ("Show me nearly all of it.", "`x_adv = (x + eps * gradient.sign()).clamp(0, 1).detach()`, then "
         "`c * F.cross_entropy(model(x), y) + (1 - c) * F.cross_entropy(model(x_adv), y)`."),
    ),
    reference=adversarial_loss,
    probes=adversarial_probes,
    properties={
        "the loss is a number": finite,
        "it is c · J(x, y) + (1 − c) · J(x + p, y)": equals(adversarial_loss, mistakes=adversarial_mistakes(),
                                                            tolerance=1e-6),
    },
)


# 09.2: the loss of Algorithm 1 ----------------------------------------------------------------------------------------

def batch_loss(model, x, x_adv, y, weight):
    clean, attacked, k = image_losses(model, x, x_adv, y)
    return (clean.sum() + weight * attacked.sum()) / (len(clean) + weight * k)


def image_losses(model, x, x_adv, y):
    """The losses of the clean and of the adversarial images of the new batch, one each, and k."""
    k = len(x_adv)
    clean = F.cross_entropy(model(x[k:]), y[k:], reduction="none")
    return clean, F.cross_entropy(model(x_adv), y[:k], reduction="none"), k


def batch_probes(generator):
    model, x = small_model(generator), random_images(generator, count=10)
    y = mixed_labels(model, x)
    x_adv = (x + 0.15 * loss_gradient(model, x, y).sign()).clamp(0, 1)
    return [{"model": model, "x": x, "x_adv": x_adv[:k], "y": y, "weight": weight}
            for k, weight in ((4, 0.3), (7, 2.0))]


def all_clean(model, x, x_adv, y, weight):
    """The mistake of adding the adversarial images to the batch and keeping their originals."""
    _, attacked, k = image_losses(model, x, x_adv, y)
    return (F.cross_entropy(model(x), y, reduction="sum") + weight * attacked.sum()) / (len(x) + weight * k)


def all_clean_divided_as_in_the_formula(model, x, x_adv, y, weight):
    _, attacked, k = image_losses(model, x, x_adv, y)
    return (F.cross_entropy(model(x), y, reduction="sum") + weight * attacked.sum()) / (len(x) - k + weight * k)


def originals_stay(model, x, x_adv, y, weight):
    """The mistake of leaving out the last k images in place of the first."""
    _, attacked, k = image_losses(model, x, x_adv, y)
    clean = F.cross_entropy(model(x[:len(x) - k]), y[:len(x) - k], reduction="sum")
    return (clean + weight * attacked.sum()) / (len(x) - k + weight * k)


def labels_of_the_last(model, x, x_adv, y, weight):
    clean, _, k = image_losses(model, x, x_adv, y)
    attacked = F.cross_entropy(model(x_adv), y[-k:], reduction="sum")
    return (clean.sum() + weight * attacked) / (len(clean) + weight * k)


def combine(formula):
    """A mistake in how the losses are put together: formula of (clean, attacked, k, weight)."""
    def wrong(model, x, x_adv, y, weight):
        return formula(*image_losses(model, x, x_adv, y), weight)
    return wrong


algorithm_1 = Exercise(
    number="09.2",
    title="The loss of Algorithm 1",
    points=3,
    minutes=10,
    hints=(
        ("Which images are in the new batch?", "The k adversarial ones *replace* the first k images. What is left of "
                                               "the clean ones is `x[k:]`, "
         "with `k = len(x_adv)`."),
        ("What do I divide by?", "By the sum of all weights: every clean image counts 1, every adversarial one counts "
                                 "λ. So with λ = 1 it is a plain mean."),
        ("Show me nearly all of it.", "`clean = F.cross_entropy(model(x[k:]), y[k:], reduction=\"sum\")`, the same of "
                                      "`x_adv` with `y[:k]`, then "
         "`(clean + weight * adversarial) / (len(x) - k + weight * k)`."),
    ),
    reference=batch_loss,
    probes=batch_probes,
    properties={
        "the loss is a number": finite,
        "it is the weighted mean of Algorithm 1": equals(batch_loss, tolerance=1e-6, mistakes={
            "the clean originals of the adversarial images still take part: the new batch holds x_adv in their place":
                all_clean,
            "the clean originals of the adversarial images still take part, and are not counted in the divisor: the "
            "new batch holds x_adv "
            "in their place": all_clean_divided_as_in_the_formula,
            "x_adv replaces the *first* k images; you left out the last k":
                originals_stay,
            "the adversarial images carry the labels of the first k images, y[:k], since they were made from these":
                labels_of_the_last,
            "you divide by m, the number of images; divide by the sum of the weights, (m − k) + λk":
                combine(lambda clean, attacked, k, weight: (clean.sum() + weight * attacked.sum()) / (len(clean) + k)),
            "these are two means added up: one sum over all images, divided once, makes every image count as it should":
                combine(lambda clean, attacked, k, weight: clean.mean() + weight * attacked.mean()),
            "this is the weighted sum; it is not divided by (m − k) + λk":
                combine(lambda clean, attacked, k, weight: clean.sum() + weight * attacked.sum()),
            "λ weighs the adversarial images, and here it weighs the clean ones":
                combine(lambda clean, attacked, k,
                        weight: (weight * clean.sum() + attacked.sum()) / (weight * len(clean) + k)),
            "λ has no effect: this is the plain mean over the new batch":
                combine(lambda clean, attacked, k, weight: (clean.sum() + attacked.sum()) / (len(clean) + k)),
            "λ is missing in the numerator: the adversarial images count in full above the line and by λ below it":
                combine(lambda clean, attacked, k, weight: (clean.sum() + attacked.sum()) / (len(clean) + weight * k)),
        }),
    },
)


# 09.3: a question about label leaking ---------------------------------------------------------------------------------

leaking = Question(
    number="09.3",
    title="Too good to be true",
    points=1,
    minutes=3,
    text="A network is trained on FGSM images that are made with the true label y. In the end it reads FGSM images of "
         "the test set *better* than "
         "the clean ones. What is the likeliest reason?",
    choices=(
        ("The step is a simple function of y, and the network has learnt to read y off the step.",
         "The attacker needs y to make the step, and so the image carries it. Make the step for the model's own "
         "answer, or towards the least likely "
         "class: then there is no secret in it to leak."),
        ("Adversarial training made the network more accurate in general.",
         "Then clean images would be read better, too. Here an *attack* helps, and no attack should."),
        ("FGSM is a weak attack, so its images are easy.",
         "A weak attack does little harm. It does not make an image easier than it was without any attack."),
        ("The test set was used for training.",
         "That would show on the clean images as much as on the attacked ones."),
    ),
    hints=(
        ("Who knows y?", "Whoever attacks. The network must not know it."),
        ("What is in the image that was not there before?", "ε times the sign of a gradient, and the gradient was "
                                                            "taken at y."),
        ("How many different steps are there?", "Near one image about as many as there are classes: a hint is enough "
                                                "to tell which."),
    ),
)


# 09.4: TRADES ---------------------------------------------------------------------------------------------------------

def trades(model, x, x_adv, y, beta):
    return F.cross_entropy(model(x), y) + beta * divergences(model, x, x_adv).mean()


def divergences(model, x, x_adv):
    """KL(p(x) ‖ p(x_adv)) per image."""
    log_p, log_q = model(x).log_softmax(1), model(x_adv).log_softmax(1)
    return (log_p.exp() * (log_p - log_q)).sum(1)


def trades_probes(generator):
    model, x = small_model(generator), random_images(generator)
    y = mixed_labels(model, x)
    x_adv = (x + 0.1 * loss_gradient(model, x, y).sign()).clamp(0, 1)
    return [{"model": model, "x": x, "x_adv": x_adv, "y": y, "beta": beta} for beta in (2.0, 6.0)]


def second_part(distance, clean=lambda model, x, x_adv: x):
    """A mistake in the second part, or in the images that the first part sees."""
    def wrong(model, x, x_adv, y, beta):
        return F.cross_entropy(model(clean(model, x, x_adv)), y) + beta * distance(model, x, x_adv, y)
    return wrong


two_goals = Exercise(
    number="09.4",
    title="Accuracy and steadiness",
    points=3,
    minutes=10,
    hints=(
        ("Which part uses the label?", "Only the first one, on the clean images. The second asks that the two answers "
                                       "agree, whatever they are."),
        ("How do I write KL?", "With `log_p = model(x).log_softmax(1)` and log_q for x_adv: the sum over classes of "
                               "`log_p.exp() * (log_p - log_q)`, "
         "one number per image."),
        ("Show me nearly all of it.", "`F.cross_entropy(model(x), y) + beta * divergence.mean()`, where divergence is "
                                      "the sum over classes, `.sum(1)`, "
         "and the mean goes over images."),
    ),
    reference=trades,
    probes=trades_probes,
    properties={
        "the loss is a number": finite,
        "it is J(x, y) + β · mean KL(p(x) ‖ p(x_adv))": equals(trades, tolerance=1e-6, mistakes={
            "the divergence is the wrong way round: p(x), what the model says of the clean image, stands in front":
                second_part(lambda model, x, x_adv, y: divergences(model, x_adv, x).mean()),
            "β is missing": lambda model, x, x_adv, y, beta: trades(model, x, x_adv, y, 1.0),
            "the divergence is also averaged over the classes: sum over classes, then the mean over images "
            "(`reduction=\"batchmean\"`)":
                second_part(lambda model, x, x_adv, y: divergences(model, x, x_adv).mean() / 4),
            "the divergence is summed over the images: take their mean":
                second_part(lambda model, x, x_adv, y: divergences(model, x, x_adv).sum()),
            "the first part is taken on x_adv: the label belongs to the clean image here":
                second_part(lambda model, x, x_adv, y: divergences(model, x, x_adv).mean(), clean=lambda model, x,
                            x_adv: x_adv),
            "the second part is the cross-entropy on x_adv, as in the adversarial loss; here it compares the two "
            "answers, without y":
                second_part(lambda model, x, x_adv, y: F.cross_entropy(model(x_adv), y)),
            "the second part compares logits; compare the probabilities, by their divergence":
                second_part(lambda model, x, x_adv, y: (model(x) - model(x_adv)).square().sum(1).mean()),
            "the second part is missing": second_part(lambda model, x, x_adv, y: 0.0),
            "the second part has the wrong sign: answers should agree, and the loss is made small":
                second_part(lambda model, x, x_adv, y: -divergences(model, x, x_adv).mean()),
            "`F.kl_div` wants the *logarithm* of q first and p second: it seems to have got p itself":
                second_part(lambda model, x, x_adv,
                            y: F.kl_div(model(x_adv).softmax(1), model(x).softmax(1), reduction="batchmean")),
            "`F.kl_div` wants the *logarithm* of q first and p second: it seems to have got the logits":
                second_part(lambda model, x, x_adv,
                            y: F.kl_div(model(x_adv), model(x).softmax(1), reduction="batchmean")),
        }),
    },
)


# 09.5: a question about what to believe -------------------------------------------------------------------------------

believe = Question(
    number="09.5",
    title="What do you believe?",
    points=1,
    minutes=3,
    text="A network was trained with a new loss. It is right on 95 % of the images under FGSM, on 90 % under PGD with "
         "10 steps, on 40 % under PGD with 500 "
         "steps and restarts, all with the same ε. A friend writes: \"90 % robust\". What do you write?",
    choices=(
        ("At most 40 %, and perhaps less under an attack that is made for this loss.",
         "Robustness is what is left under the *strongest* attack. Every attack gives an upper bound, and that more "
         "steps help so much says that the loss "
         "is hard to climb and that stronger attacks may find more."),
        ("90 %: ten steps are what the training used.",
         "An attacker need not take as many steps as the defender expects."),
        ("75 %, the mean over the attacks.",
         "An attacker does not toss a coin between attacks: the best one is used."),
        ("95 %: FGSM is the attack that one meets most.",
         "Then robustness would be best measured with no attack at all."),
    ),
    hints=(
        ("Who chooses the attack?", "The attacker, and the attacker knows the defence."),
        ("What does an attack that fails prove?", "Nothing about attacks that were not tried."),
        ("So which of the three numbers counts?", "The smallest, as a bound from above."),
    ),
)


# 09.6: how alike are the gradients? -----------------------------------------------------------------------------------

def alignment(model, x, y, u):
    return cosines(loss_gradient(model, x, y), loss_gradient(model, x + u, y)).mean().item()


def cosines(first, second):
    """The cosine of the angle between two gradients, one per image."""
    return F.cosine_similarity(first.flatten(1), second.flatten(1))


def alignment_probes(generator):
    model, x = small_model(generator), random_images(generator)
    y = mixed_labels(model, x)
    return [{"model": model, "x": x, "y": y, "u": size * (2 * torch.rand(x.shape, generator=generator).double() - 1)}
            for size in (0.2, 0.5)]


def of_gradients(compare):
    """A mistake in how the two gradients are compared."""
    def wrong(model, x, y, u):
        return float(compare(loss_gradient(model, x, y), loss_gradient(model, x + u, y)))
    return wrong


aligned = Exercise(
    number="09.6",
    title="Do the gradients agree?",
    points=3,
    minutes=10,
    hints=(
        ("What is compared with what?", "Two gradients of the loss with respect to the image: one at x, one at x + u. "
                                        "If the loss is straight in between, "
         "they are the same."),
        ("How long is a gradient, and does it matter?", "It does not: the cosine is g·h / (‖g‖ ‖h‖). Each image is one "
                                                        "long vector: `.flatten(1)`."),
        ("Show me nearly all of it.", "g and h by `torch.autograd.grad` of the *summed* loss, at x and at x + u; then "
         "`F.cosine_similarity(g.flatten(1), h.flatten(1)).mean().item()`."),
    ),
    reference=alignment,
    probes=alignment_probes,
    properties={
        "it is the mean cosine between the gradients at x and at x + u": equals(alignment, tolerance=1e-6, mistakes={
            "this is 1 minus the cosine; wanted is the cosine itself, 1 where the gradients agree":
                lambda **probe: 1 - alignment(**probe),
            "you compare the gradients' signs: the cosine is that of the gradients":
                of_gradients(lambda g, h: cosines(g.sign(), h.sign()).mean()),
            "this is the cosine of the whole batch as one vector: every image has an angle of its own, and the mean "
            "comes last":
                of_gradients(lambda g, h: F.cosine_similarity(g.flatten(), h.flatten(), dim=0)),
            "the gradients are not divided by their lengths: a cosine lies between −1 and 1":
                of_gradients(lambda g, h: (g * h).flatten(1).sum(1).mean()),
            "this is the cosine pixel by pixel, which only compares signs: flatten every image to one long vector first":
                of_gradients(lambda g, h: F.cosine_similarity(g, h).mean()),
            "the second gradient is taken at x − u": lambda model, x, y, u: alignment(model, x, y, -u),
            "the second gradient is taken at u alone; the point beside x is x + u":
                lambda model, x, y, u: cosines(loss_gradient(model, x, y), loss_gradient(model, u, y)).mean().item(),
            "this compares the gradient with u; the second vector is the gradient at x + u":
                lambda model, x, y, u: cosines(loss_gradient(model, x, y), u).mean().item(),
            "the gradient is compared with itself: the second one belongs to x + u":
                lambda **probe: 1.0,
            "the gradients are those at the model's own answers; take the loss at the labels y":
                lambda model, x, y, u: alignment(model, x, model(x).argmax(1).detach(), u),
            "this is the share of pixels whose gradients have the same sign; the cosine also knows how large they are":
                of_gradients(lambda g, h: (g.sign() == h.sign()).double().mean()),
        }),
    },
)
