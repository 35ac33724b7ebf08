"""Plausible wrong answers to exercise 09.6, each with a part of the message that it should get, and right ones."""

from torch.nn import functional as F

from advcourse.exercises.probes import loss_gradient


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
    (returns_one_cosine_per_image, "a tensor of shape (12,)"),
]

RIGHT = [divides_by_hand]
