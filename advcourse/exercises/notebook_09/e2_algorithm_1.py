"""09.2: the loss of Algorithm 1."""

from torch.nn import functional as F

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.probes import loss_gradient, mixed_labels, random_images, small_model, telling_apart
from advcourse.exercises.properties import equals, finite


def batch_loss(model, x, x_adv, y, weight):
    clean, attacked, k = image_losses(model, x, x_adv, y)
    return (clean.sum() + weight * attacked.sum()) / (len(clean) + weight * k)


def image_losses(model, x, x_adv, y):
    """The losses of the clean and of the adversarial images of the new batch, one each, and k."""
    k = len(x_adv)
    clean = F.cross_entropy(model(x[k:]), y[k:], reduction="none")
    return clean, F.cross_entropy(model(x_adv), y[:k], reduction="none"), k


def batch_probes(generator):
    def draw(k, weight):
        # no answer so sure that a 1e-8 inside a logarithm counts
        model, x = small_model(generator, sharpness=1.5), random_images(generator, count=10)
        y = mixed_labels(model, x)
        x_adv = (x + 0.15 * loss_gradient(model, x, y).sign()).clamp(0, 1)
        return {"model": model, "x": x, "x_adv": x_adv[:k], "y": y, "weight": weight}

    return [telling_apart(lambda given=given: draw(*given), batch_loss, MISTAKES.values())
            for given in ((4, 0.3), (7, 2.0))]


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


def measured(loss):
    """The mistake of another loss of (logits, labels), one per image."""
    def wrong(model, x, x_adv, y, weight):
        k = len(x_adv)
        clean, attacked = loss(model(x[k:]), y[k:]).sum(), loss(model(x_adv), y[:k]).sum()
        return (clean + weight * attacked) / (len(x) - k + weight * k)
    return wrong


def squares(outputs, y):
    return (outputs - F.one_hot(y, outputs.shape[1])).square().mean(1)


MISTAKES = {
    "the clean originals of the adversarial images still take part: the new batch holds x_adv in their place":
        all_clean,
    "the clean originals of the adversarial images still take part, and are not counted in the divisor: the "
    "new batch holds x_adv in their place":
        all_clean_divided_as_in_the_formula,
    "x_adv replaces the *first* k images; you left out the last k":
        originals_stay,
    "the adversarial images carry the labels of the first k images, y[:k], since they were made from these":
        labels_of_the_last,
    "you divide by m, the number of images; divide by the sum of the weights, (m − k) + λk":
        combine(lambda clean, attacked, k, weight: (clean.sum() + weight * attacked.sum()) / (len(clean) + k)),
    "these are two means added up: one sum over all images, "
    "divided once, makes every image count as it should":
        combine(lambda clean, attacked, k, weight: clean.mean() + weight * attacked.mean()),
    "this is the weighted sum; it is not divided by (m − k) + λk":
        combine(lambda clean, attacked, k, weight: clean.sum() + weight * attacked.sum()),
    "λ weighs the adversarial images, and here it weighs the clean ones":
        combine(lambda clean, attacked, k, weight: (
            (weight * clean.sum() + attacked.sum()) / (weight * len(clean) + k))),
    "λ has no effect: this is the plain mean over the new batch":
        combine(lambda clean, attacked, k, weight: (clean.sum() + attacked.sum()) / (len(clean) + k)),
    "λ is missing in the numerator: the adversarial images count in full above the line and by λ below it":
        combine(lambda clean, attacked, k, weight: (clean.sum() + attacked.sum()) / (len(clean) + weight * k)),
    "the clean images are missing: they take part with weight 1":
        combine(lambda clean, attacked, k, weight: weight * attacked.sum() / (len(clean) + weight * k)),
    "the adversarial images are missing: they take part with weight λ":
        combine(lambda clean, attacked, k, weight: clean.sum() / (len(clean) + weight * k)),
    "these are means, divided once more: add up *sums* over the images, `reduction=\"sum\"`, and divide at the "
    "end":
        combine(lambda clean, attacked, k, weight: (
            (clean.mean() + weight * attacked.mean()) / (len(clean) + weight * k))),
    "`F.cross_entropy` takes logits, and it seems to have got probabilities: leave the softmax out, it is in "
    "there": measured(lambda z, y: F.cross_entropy(z.softmax(1), y, reduction="none")),
    "J is the cross-entropy, `F.cross_entropy`; this is a squared error":
        measured(lambda z, y: squares(z.softmax(1), y)),
    "J is the cross-entropy, `F.cross_entropy`; this is the squared error of the logits": measured(squares),
}


exercise = Exercise(
    number="09.2",
    title="The loss of Algorithm 1",
    points=3,
    minutes=10,
    hints=(
        ("Which images are in the new batch?",
         "The k adversarial ones *replace* the first k images. What is left of the clean ones is `x[k:]`, with "
         "`k = len(x_adv)`."),
        ("What do I divide by?",
         "By the sum of all weights: every clean image counts 1, "
         "every adversarial one counts λ. So with λ = 1 it is a plain mean."),
        ("Show me nearly all of it.",
         "`clean = F.cross_entropy(model(x[k:]), y[k:], reduction=\"sum\")`, the same of `x_adv` with `y[:k]`, then "
         "`(clean + weight * adversarial) / (len(x) - k + weight * k)`."),
    ),
    reference=batch_loss,
    probes=batch_probes,
    gates={"the loss is a number": finite},
    properties={
        "it is the weighted mean of Algorithm 1": equals(batch_loss, MISTAKES),
    },
    differentiated_by="model",
    cut_gradients={
        "no gradient flows through the clean images' losses: the network would learn from the adversarial ones alone":
            combine(lambda clean, attacked, k, weight: (
                (clean.detach().sum() + weight * attacked.sum()) / (len(clean) + weight * k))),
        "no gradient flows through the adversarial images' losses: the network would learn from the clean ones alone":
            combine(lambda clean, attacked, k, weight: (
                (clean.sum() + weight * attacked.detach().sum()) / (len(clean) + weight * k))),
    },
)
