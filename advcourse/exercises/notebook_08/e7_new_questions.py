"""08.7: Jacobian-based augmentation."""

from functools import partial

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.probes import (
    all_scores_gradient,
    loss_gradient,
    mixed_labels,
    random_images,
    score_gradient,
    small_model,
)
from advcourse.exercises.properties import equals, in_unit_range


def augment(model, x, labels, step):
    return (x + step * score_gradient(model, x, labels).sign()).clamp(0, 1)


def augment_probes(generator):
    probes = []
    for step in (0.1, -0.2):
        model, x = small_model(generator), random_images(generator)
        # the remote model does not always agree with its substitute
        probes.append({"model": model, "x": x, "labels": mixed_labels(model, x), "step": step})
    return probes


def augment_along(gradient):
    return lambda model, x, labels, step: (x + step * gradient(model, x, labels)).clamp(0, 1)


exercise = Exercise(
    number="08.7",
    title="New questions for the remote model",
    points=4,
    minutes=12,
    hints=(
        ("Which derivative is it?",
         "Of one score alone: the substitute's score (logit) of the "
         "label that the remote model gave, with respect to the image."),
        ("How do I get it for all images at once?",
         "Pick the scores with `model(x).gather(1, labels[:, None])`, add them up, and differentiate the sum with "
         "respect to x: each image's gradient is its own."),
        ("Show me nearly all of it.",
         "`gradient = torch.autograd.grad(model(x).gather(1, labels[:, None]).sum(), "
         "x)[0]` with an x that requires grad; then `(x + step * gradient.sign()).clamp(0, 1).detach()`."),
    ),
    reference=augment,
    probes=augment_probes,
    properties={
        "every pixel is a grey value in [0, 1]": partial(in_unit_range, name="new image"),
        "it is x + step · sign(∇ score of the label), clipped": equals(augment, mistakes={
            "this is the gradient of the loss; take that of the label's score alone":
                augment_along(lambda model, x, labels: loss_gradient(model, x, labels).sign()),
            "you follow the loss downhill; take the gradient of the "
            "label's score alone, which knows nothing of the other scores":
                augment_along(lambda model, x, labels: -loss_gradient(model, x, labels).sign()),
            "the direction is turned round: `step` has its own sign, add it as it is":
                augment_along(lambda model, x, labels: -score_gradient(model, x, labels).sign()),
            "pixels move in proportion to the gradient: take its sign":
                augment_along(score_gradient),
            "you took the score of the substitute's own answer; take that of the remote model's label":
                augment_along(lambda model, x, labels: score_gradient(model, x, model(x).argmax(1).detach()).sign()),
            "you differentiate the sum of all scores; pick the label's":
                augment_along(lambda model, x, labels: all_scores_gradient(model, x, labels).sign()),
            "the step is always forward: a negative step goes backwards, so multiply by `step` itself":
                lambda model, x, labels, step: augment(model, x, labels, abs(step)),
            "the images came back unchanged":
                lambda model, x, labels, step: x,
        }),
    },
)
