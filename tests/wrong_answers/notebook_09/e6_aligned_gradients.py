"""Plausible wrong answers to exercise 09.6, each with a part of the message that it should get, and right ones."""

import torch
from torch.nn import functional as F

from advcourse.exercises.probes import all_scores_gradient, loss_gradient, score_gradient


def two(model, x, y, u):
    return loss_gradient(model, x, y).flatten(1), loss_gradient(model, x + u, y).flatten(1)


def measures_the_disagreement(model, x, y, u):
    return 1 - F.cosine_similarity(*two(model, x, y, u)).mean().item()


def compares_signs(model, x, y, u):
    g, h = two(model, x, y, u)
    return F.cosine_similarity(g.sign(), h.sign()).mean().item()


def takes_the_batch_as_one_vector(model, x, y, u):
    g, h = two(model, x, y, u)
    return ((g * h).sum() / (g.norm() * h.norm())).item()


def forgets_the_lengths(model, x, y, u):
    g, h = two(model, x, y, u)
    return (g * h).sum(1).mean().item()


def forgets_to_flatten(model, x, y, u):
    return F.cosine_similarity(loss_gradient(model, x, y), loss_gradient(model, x + u, y)).mean().item()


def goes_to_the_other_side(model, x, y, u):
    return F.cosine_similarity(*two(model, x, y, -u)).mean().item()


def forgets_x(model, x, y, u):
    a, b = (loss_gradient(model, images, y).flatten(1) for images in (x, u))
    return F.cosine_similarity(a, b).mean().item()


def compares_with_u(model, x, y, u):
    return F.cosine_similarity(loss_gradient(model, x, y).flatten(1), u.flatten(1)).mean().item()


def compares_with_itself(model, x, y, u):
    g = loss_gradient(model, x, y).flatten(1)
    return F.cosine_similarity(g, g).mean().item()


def asks_the_prediction(model, x, y, u):
    return F.cosine_similarity(*two(model, x, model(x).argmax(1), u)).mean().item()


def counts_equal_signs(model, x, y, u):
    g, h = two(model, x, y, u)
    return (g.sign() == h.sign()).double().mean().item()


def returns_one_cosine_per_image(model, x, y, u):
    return F.cosine_similarity(*two(model, x, y, u))


def divides_by_hand(model, x, y, u):
    total = 0.0
    for i in range(len(x)):
        g, h = (part.flatten() for part in two(model, x[i:i + 1], y[i:i + 1], u[i:i + 1]))
        total += float(g @ h / (g.norm() * h.norm()))
    return total / len(x)


def lets_gradients_add_up(model, x, y, u):
    image, found = x.clone().requires_grad_(), []
    for images in (image, image + u):
        F.cross_entropy(model(images), y, reduction="sum").backward()
        found.append(image.grad.clone().flatten(1))
    return F.cosine_similarity(*found).mean().item()


def compares_over_the_images(model, x, y, u):
    return F.cosine_similarity(*two(model, x, y, u), dim=0).mean().item()


def sums_the_cosines(model, x, y, u):
    return F.cosine_similarity(*two(model, x, y, u)).sum().item()


def returns_the_angle(model, x, y, u):
    return F.cosine_similarity(*two(model, x, y, u)).acos().mean().item()


def follows_all_logits(model, x, y, u):
    g, h = (all_scores_gradient(model, at, y).flatten(1) for at in (x, x + u))
    return F.cosine_similarity(g, h).mean().item()


def follows_the_logit_of_y(model, x, y, u):
    g, h = (score_gradient(model, at, y).flatten(1) for at in (x, x + u))
    return F.cosine_similarity(g, h).mean().item()


def takes_the_softmax_first(model, x, y, u):
    return F.cosine_similarity(*two(lambda images: model(images).softmax(1), x, y, u)).mean().item()


def switches_the_callers_images(model, x, y, u):
    g = torch.autograd.grad(F.cross_entropy(model(x.requires_grad_()), y), x)[0].flatten(1)
    return F.cosine_similarity(g, loss_gradient(model, x + u, y).flatten(1)).mean().item()


def adds_a_little_to_the_divisor(model, x, y, u):
    g, h = two(model, x, y, u)
    return ((g * h).sum(1) / (g.norm(dim=1) * h.norm(dim=1) + 1e-8)).mean()


def adds_a_little_to_small_lengths(model, x, y, u):
    g, h = (gradient / len(x) for gradient in two(model, x, y, u))  # those of the mean loss
    return ((g * h).sum(1) / (g.norm(dim=1) * h.norm(dim=1) + 1e-8)).mean().item()


def works_in_numpy(model, x, y, u):
    g, h = (part.numpy().astype("float64") for part in two(model, x, y, u))
    return ((g * h).sum(1) / ((g ** 2).sum(1) * (h ** 2).sum(1)) ** 0.5).mean()


def changes_a_copy_in_place(model, x, y, u):
    image, found = x.clone(), []
    for change in (0, u):
        image = image.detach()
        image += change
        image.requires_grad_()
        F.cross_entropy(model(image), y).backward()
        found.append(F.normalize(image.grad.flatten(1)))
    return float((found[0] * found[1]).sum() / len(x))


WRONG = [
    (measures_the_disagreement, "1 minus the cosine"),
    (compares_signs, "the gradients' signs"),
    (takes_the_batch_as_one_vector, "the whole batch as one vector"),
    (forgets_the_lengths, "not divided by their lengths"),
    (forgets_to_flatten, "pixel by pixel"),
    (goes_to_the_other_side, "at x − u"),
    (forgets_x, "at u alone"),
    (compares_with_u, "compares the gradient with u"),
    (compares_with_itself, "compared with itself"),
    (asks_the_prediction, "the model's own answers"),
    (counts_equal_signs, "the share of pixels"),
    (returns_one_cosine_per_image, "a tensor of shape (9,)"),
    (lets_gradients_add_up, "gradients add up in `.grad`"),
    (compares_over_the_images, "it is `dim=1`"),
    (sums_the_cosines, "take their mean"),
    (returns_the_angle, "this is the angle"),
    (follows_all_logits, "the sum of all logits"),
    (follows_the_logit_of_y, "the logit of y alone"),
    (takes_the_softmax_first, "`cross_entropy` of probabilities"),
    (switches_the_callers_images, "switches `requires_grad` of `x`"),
]

RIGHT = [divides_by_hand, adds_a_little_to_the_divisor, adds_a_little_to_small_lengths,
         works_in_numpy, changes_a_copy_in_place]
