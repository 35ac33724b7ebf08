"""03.3: the least likely class."""

import torch

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.probes import linear_model, random_images


def least_likely_class(model, x):
    return model(x).argmin(1).detach()


def class_probes(generator):
    # Five classes, so that least likely, second and likeliest are all different ones, and no class that is the least
    # likely of nearly all images: the bias makes the logits of grey ones equal.
    model = linear_model(generator, classes=5)
    with torch.no_grad():
        model[1].bias -= 0.5 * model[1].weight.sum(1)
    probes = []
    for count in (7, 12):
        x = random_images(generator, count=count)
        while len(least_likely_class(model, x).unique()) < 3:
            x = random_images(generator, count=count)
        probes.append({"model": model, "x": x})
    return probes


def the_least_likely(probe, result):
    """The least likely class of every image; the usual mix-ups are told by name."""
    logits = probe["model"](probe["x"])
    order = logits.argsort(1)
    if torch.equal(result, order[:, 0]):
        return None
    if torch.equal(result, order[:, -1]):
        return ("these are the classes that the model thinks *most* likely: "
                "the attack would stay where it is. Take the smallest")
    if torch.equal(result, order[:, -2]):
        return ("these are the second most likely classes, the easiest targets; "
                "wanted is the hardest, the least likely one")
    if torch.equal(result, order[:, 1]):
        return "these are the second least likely classes: take the smallest entry itself"
    if torch.equal(result, logits.abs().argmin(1)):
        return ("you look for the logit nearest to zero; a very negative logit is less likely than that, so leave out "
                "the absolute value")
    if torch.equal(result, (order[:, -1] + 1) % logits.shape[1]):
        return "these are the classes after the likeliest ones, by number: ask the model which is the least likely"
    if (result == result[0]).all():
        return (f"every image got class {result[0].item()}; "
                "each image has a least likely class of its own: search along dim=1")
    wrong = (result != order[:, 0]).sum().item()
    return f"{wrong} of {len(result)} targets are not the class with the smallest logit"


exercise = Exercise(
    number="03.3",
    title="The least likely class",
    points=2,
    minutes=5,
    hints=(
        ("Do I need probabilities?", "No. Softmax keeps the order: the smallest logit has the smallest probability."),
        ("Along which dimension?", "The logits have the shape (N, K): one row per image. Look along dimension 1."),
        ("Show me nearly all of it.", "`model(x)` has a method `.argmin(1)`."),
    ),
    reference=least_likely_class,
    probes=class_probes,
    properties={
        "each target is the class that the model thinks least likely": the_least_likely,
    },
)
