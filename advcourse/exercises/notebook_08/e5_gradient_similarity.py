"""08.5: the similarity of gradients."""

from functools import partial

import torch
from torch.nn import functional as F

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.probes import (
    WRONG_LOSSES,
    all_scores_gradient,
    gradient_of,
    is_clear,
    loss_gradient,
    mixed_labels,
    random_images,
    small_model,
    telling_apart,
)
from advcourse.exercises.properties import equals


def similarity(model_a, model_b, x, y):
    a, b = (loss_gradient(model, x, y).flatten(1) for model in (model_a, model_b))
    return F.cosine_similarity(a, b, dim=1).mean().item()


def similarity_probes(generator):
    """Two models that have nothing in common, and two that have."""
    def draw(kin):
        model_a, model_b = small_model(generator, sharpness=2), small_model(generator, sharpness=2)
        if kin:
            with torch.no_grad():
                for ours, theirs in zip(model_b.parameters(), model_a.parameters(), strict=True):
                    ours.copy_(0.7 * theirs + 0.5 * ours)
        x = random_images(generator, count=200).view(-1, 2, 3, 6)
        x = x[is_clear(model_a, x) & is_clear(model_b, x)][:19]
        return {"model_a": model_a, "model_b": model_b, "x": x, "y": mixed_labels(model_a, x)}

    return [telling_apart(lambda kin=kin: draw(kin), similarity, MISTAKES.values()) for kin in (False, True)]


def compare_gradients(compare, gradient=loss_gradient):
    return lambda model_a, model_b, x, y: compare(*(gradient(model, x, y) for model in (model_a, model_b)))


def gradient_at_answers(model, x, y):
    return loss_gradient(model, x, model(x).argmax(1).detach())


def cosines(a, b):
    return F.cosine_similarity(a.flatten(1), b.flatten(1), dim=1)


def mean_cosine(a, b):
    return cosines(a, b).mean().item()


MISTAKES = {
    "you flatten the whole batch into one vector, so that images with large gradients outvote the others: one "
    "cosine for each image, then the mean":
        compare_gradients(lambda a, b: F.cosine_similarity(a.flatten(), b.flatten(), dim=0).item()),
    "these are cosines along the channels: flatten each image's gradient to one vector first":
        compare_gradients(lambda a, b: F.cosine_similarity(a, b).mean().item()),
    "these are cosines along the rows of pixels: flatten each image's gradient to one vector first":
        compare_gradients(lambda a, b: F.cosine_similarity(a, b, dim=-1).mean().item()),
    "these are cosines over the images, `dim=0`, one for each pixel; take one for each image, `dim=1`":
        compare_gradients(lambda a, b: F.cosine_similarity(a.flatten(1), b.flatten(1), dim=0).mean().item()),
    "these are scalar products: divide by the lengths of both gradients":
        compare_gradients(lambda a, b: (a * b).flatten(1).sum(1).mean().item()),
    "you divide by one of the lengths only; a cosine divides by both":
        compare_gradients(lambda a, b: ((a * b).flatten(1).sum(1) / a.flatten(1).norm(dim=1)).mean().item()),
    "you divide by the squared length of one; a cosine divides by the lengths of both":
        compare_gradients(lambda a, b: ((a * b).flatten(1).sum(1) / a.flatten(1).square().sum(1)).mean().item()),
    "these are cosines of the gradients' signs; compare the gradients themselves":
        compare_gradients(lambda a, b: mean_cosine(a.sign(), b.sign())),
    "you take the mean gradient over the images before you compare; "
    "compare image by image, then take the mean":
        compare_gradients(lambda a, b: mean_cosine(a.mean(0)[None], b.mean(0)[None])),
    "you take the absolute value: gradients that point in opposite directions are not alike":
        compare_gradients(lambda a, b: cosines(a, b).abs().mean().item()),
    "this is one minus the cosine, a distance; wanted is the similarity":
        compare_gradients(lambda a, b: 1 - mean_cosine(a, b)),
    "this is the angle; wanted is its cosine":
        compare_gradients(lambda a, b: cosines(a, b).arccos().mean().item()),
    "this is the sum over the images: take the mean":
        compare_gradients(lambda a, b: len(a) * mean_cosine(a, b)),
    "you compare a gradient with itself: is model_b asked? And `x.grad` is one tensor that the next `.backward()` "
    "changes: keep a `.clone()`":
        lambda **probe: 1.0,
    "the second gradient has the first one added to it: `.grad` adds up what every `.backward()` brings":
        compare_gradients(lambda a, b: mean_cosine(a, a + b)),
    "you took the loss at each model's own answer; both are to be asked about the same label, y":
        compare_gradients(mean_cosine, gradient_at_answers),
    "these are gradients of the sum of all scores: differentiate the loss":
        compare_gradients(mean_cosine, all_scores_gradient),
} | {message: compare_gradients(mean_cosine, partial(gradient_of, loss)) for message, loss in WRONG_LOSSES.items()}


exercise = Exercise(
    number="08.5",
    title="The similarity of gradients",
    points=3,
    minutes=10,
    hints=(
        ("What do I compare?",
         "For each image the two gradients of the loss with respect "
         "to that image, one from each model, as two long vectors."),
        ("How long may they be?",
         "The cosine does not ask: it divides by both lengths. "
         "`F.cosine_similarity(a.flatten(1), b.flatten(1), dim=1)` gives one for each image."),
        ("Show me nearly all of it.",
         "Take `loss_gradient(model_a, x, y)` and the same of model_b, flatten both, take the cosines, then "
         "`.mean().item()`."),
    ),
    reference=similarity,
    probes=similarity_probes,
    properties={"it is the mean cosine of the loss gradients": equals(similarity, MISTAKES, tolerance=1e-4)},
)
