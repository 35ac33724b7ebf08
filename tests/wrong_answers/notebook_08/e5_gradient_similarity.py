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


def forgets_to_flatten(**probe):
    a, b = both(**probe)
    return F.cosine_similarity(a, b).mean().item()


def goes_over_the_images(**probe):
    a, b = both(**probe)
    return F.cosine_similarity(a.flatten(1), b.flatten(1), dim=0).mean().item()


def keeps_one_tensor(model_a, model_b, x, y):
    z = x.clone().requires_grad_()
    gradients = []
    for model in (model_a, model_b):
        F.cross_entropy(model(z), y).backward()
        gradients.append(z.grad.flatten(1))
    return F.cosine_similarity(*gradients).mean().item()


def adds_the_second_to_the_first(model_a, model_b, x, y):
    z = x.clone().requires_grad_()
    gradients = []
    for model in (model_a, model_b):
        F.cross_entropy(model(z), y).backward()
        gradients.append(z.grad.flatten(1).clone())
    return F.cosine_similarity(*gradients).mean().item()


def asks_one_model_twice(model_a, model_b, x, y):
    return similarity(model_b, model_b, x, y)


def gives_the_angle(**probe):
    a, b = both(**probe)
    return F.cosine_similarity(a.flatten(1), b.flatten(1)).acos().mean().item()


def divides_by_one_length(**probe):
    a, b = both(**probe)
    return ((a * b).flatten(1).sum(1) / a.flatten(1).norm(dim=1)).mean().item()


def takes_the_softmax_twice(model_a, model_b, x, y):
    gradients = []
    for model in (model_a, model_b):
        z = x.clone().requires_grad_()
        gradients.append(torch.autograd.grad(F.cross_entropy(model(z).softmax(1), y), z)[0].flatten(1))
    return F.cosine_similarity(*gradients).mean().item()


def scales_the_mean_loss(model_a, model_b, x, y):
    z = x.double().requires_grad_()
    gradients = []
    for model in (model_a, model_b):
        z.grad = None
        F.cross_entropy(model(z.float()), y).backward()
        gradients.append(F.normalize(z.grad.flatten(1)))
    return (gradients[0] * gradients[1]).sum(1).mean()


def works_in_numpy(model_a, model_b, x, y):
    a, b = (gradient.flatten(1).numpy() for gradient in both(model_a=model_a, model_b=model_b, x=x, y=y))
    return ((a * b).sum(1) / ((a**2).sum(1) ** 0.5 * (b**2).sum(1) ** 0.5 + 1e-12)).mean()


WRONG = [
    (takes_the_batch_for_one_vector, "one cosine for each image"),
    (takes_the_scalar_product, "divide by the lengths"),
    (compares_signs, "the gradients' signs"),
    (compares_mean_gradients, "compare image by image"),
    (takes_the_absolute_value, "absolute value"),
    (gives_a_distance, "one minus the cosine"),
    (adds_up_the_images, "take the mean"),
    (asks_about_the_answers, "each model's own answer"),
    (differentiates_the_score, "the logit of y alone"),
    (gives_one_for_each_image, "a number is wanted"),
    (forgets_to_flatten, "along the channels"),
    (goes_over_the_images, "over the images, `dim=0`"),
    (keeps_one_tensor, "keep a `.clone()`"),
    (adds_the_second_to_the_first, "`.grad` adds up"),
    (asks_one_model_twice, "a gradient with itself"),
    (gives_the_angle, "this is the angle"),
    (divides_by_one_length, "one of the lengths only"),
    (takes_the_softmax_twice, "`cross_entropy` of probabilities"),
]

RIGHT = [compares_image_by_image, scales_the_mean_loss, works_in_numpy]
