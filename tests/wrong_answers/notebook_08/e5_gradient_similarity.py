"""Plausible wrong answers to exercise 08.5, each with a part of the message that it should get, and right ones."""

import torch
from torch.nn import functional as F

from advcourse.exercises.notebook_08.e5_gradient_similarity import similarity
from advcourse.exercises.probes import loss_gradient, score_gradient


def both(model_a, model_b, x, y):
    return loss_gradient(model_a, x, y), loss_gradient(model_b, x, y)


def takes_the_batch_for_one_vector(**probe):
    a, b = both(**probe)
    return F.cosine_similarity(a.flatten(), b.flatten(), dim=0).item()


def takes_the_scalar_product(**probe):
    a, b = both(**probe)
    return (a * b).flatten(1).sum(1).mean().item()


def compares_signs(**probe):
    a, b = both(**probe)
    return (a.sign() * b.sign()).mean().item()


def compares_mean_gradients(**probe):
    a, b = both(**probe)
    return F.cosine_similarity(a.mean(0).flatten(), b.mean(0).flatten(), dim=0).item()


def takes_the_absolute_value(**probe):
    a, b = both(**probe)
    return F.cosine_similarity(a.flatten(1), b.flatten(1)).abs().mean().item()


def gives_a_distance(**probe):
    return 1 - similarity(**probe)


def adds_up_the_images(**probe):
    return len(probe["x"]) * similarity(**probe)


def asks_about_the_answers(model_a, model_b, x, y):
    a = loss_gradient(model_a, x, model_a(x).argmax(1))
    b = loss_gradient(model_b, x, model_b(x).argmax(1))
    return F.cosine_similarity(a.flatten(1), b.flatten(1)).mean().item()


def differentiates_the_score(model_a, model_b, x, y):
    a, b = (score_gradient(model, x, y).flatten(1) for model in (model_a, model_b))
    return F.cosine_similarity(a, b).mean().item()


def gives_one_for_each_image(**probe):
    a, b = both(**probe)
    return F.cosine_similarity(a.flatten(1), b.flatten(1))


def compares_image_by_image(model_a, model_b, x, y):
    cosines = []
    for image, label in zip(x, y, strict=True):
        gradients = []
        for model in (model_a, model_b):
            z = image[None].clone().requires_grad_()
            gradients.append(torch.autograd.grad(F.cross_entropy(model(z), label[None]), z)[0].flatten())
        a, b = gradients
        cosines.append((a @ b / (a.norm() * b.norm())).item())
    return sum(cosines) / len(cosines)


WRONG = [
    (takes_the_batch_for_one_vector, "one cosine for each image"),
    (takes_the_scalar_product, "divide by the lengths"),
    (compares_signs, "the gradients' signs"),
    (compares_mean_gradients, "compare image by image"),
    (takes_the_absolute_value, "absolute value"),
    (gives_a_distance, "one minus the cosine"),
    (adds_up_the_images, "take the mean"),
    (asks_about_the_answers, "each model's own answer"),
    (differentiates_the_score, "gradients of the score of y"),
    (gives_one_for_each_image, "a number is wanted"),
]

RIGHT = [compares_image_by_image]
