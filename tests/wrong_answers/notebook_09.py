"""Plausible wrong answers to the exercises of notebook 09, each with a part of the message that it should get."""

import torch
from torch.nn import functional as F

from advcourse.exercises.notebook_01 import loss_gradient


def kl(p_logits, q_logits):
    """KL between the softmax of two tables of logits, one number per row."""
    log_p, log_q = p_logits.log_softmax(1), q_logits.log_softmax(1)
    return (log_p.exp() * (log_p - log_q)).sum(1)


# 09.1 -----------------------------------------------------------------------------------------------------------------

def fgsm(model, x, y, eps):
    return (x + eps * loss_gradient(model, x, y).sign()).clamp(0, 1)


def exchanges_the_weights(model, x, y, eps, c):
    return (1 - c) * F.cross_entropy(model(x), y) + c * F.cross_entropy(model(fgsm(model, x, y, eps)), y)


def forgets_to_attack(model, x, y, eps, c):
    return c * F.cross_entropy(model(x), y) + (1 - c) * F.cross_entropy(model(x), y)


def forgets_the_second_part(model, x, y, eps, c):
    return c * F.cross_entropy(model(x), y)


def trains_on_the_attack_alone(model, x, y, eps, c):
    return F.cross_entropy(model(fgsm(model, x, y, eps)), y)


def adds_without_weights(model, x, y, eps, c):
    return F.cross_entropy(model(x), y) + F.cross_entropy(model(fgsm(model, x, y, eps)), y)


def helps_the_network(model, x, y, eps, c):
    x_adv = (x - eps * loss_gradient(model, x, y).sign()).clamp(0, 1)
    return c * F.cross_entropy(model(x), y) + (1 - c) * F.cross_entropy(model(x_adv), y)


def forgets_the_sign(model, x, y, eps, c):
    x_adv = (x + eps * loss_gradient(model, x, y)).clamp(0, 1)
    return c * F.cross_entropy(model(x), y) + (1 - c) * F.cross_entropy(model(x_adv), y)


def forgets_the_sign_of_the_mean(model, x, y, eps, c):
    x_adv = (x + eps * loss_gradient(model, x, y) / len(x)).clamp(0, 1)
    return c * F.cross_entropy(model(x), y) + (1 - c) * F.cross_entropy(model(x_adv), y)


def attacks_the_prediction(model, x, y, eps, c):
    x_adv = fgsm(model, x, model(x).argmax(1), eps)
    return c * F.cross_entropy(model(x), y) + (1 - c) * F.cross_entropy(model(x_adv), y)


def forgets_to_clip(model, x, y, eps, c):
    x_adv = x + eps * loss_gradient(model, x, y).sign()
    return c * F.cross_entropy(model(x), y) + (1 - c) * F.cross_entropy(model(x_adv), y)


def sums_over_the_batch(model, x, y, eps, c):
    x_adv = fgsm(model, x, y, eps)
    return c * F.cross_entropy(model(x), y, reduction="sum") + (1
                                                                - c) * F.cross_entropy(model(x_adv), y, reduction="sum")


def returns_one_loss_per_image(model, x, y, eps, c):
    x_adv = fgsm(model, x, y, eps)
    return c * F.cross_entropy(model(x), y,
                               reduction="none") + (1 - c) * F.cross_entropy(model(x_adv), y, reduction="none")


def forgets_eps(model, x, y, eps, c):
    return c * F.cross_entropy(model(x), y) + (1 - c) * F.cross_entropy(model(fgsm(model, x, y, 1.0)), y)


def steps_by_backward(model, x, y, eps, c):
    image = x.detach().clone().requires_grad_()
    F.cross_entropy(model(image), y).backward()
    x_adv = torch.clamp(x + eps * image.grad.sign(), 0, 1)
    losses = -torch.cat([model(x), model(x_adv)]).log_softmax(1).gather(1, y.repeat(2)[:, None])[:, 0]
    weights = torch.cat([torch.full((len(x),), c), torch.full((len(x),), 1 - c)]).to(losses)
    return (losses * weights).sum() / len(x)


# 09.2 -----------------------------------------------------------------------------------------------------------------

def losses_of(model, x, x_adv, y):
    k = len(x_adv)
    return F.cross_entropy(model(x[k:]), y[k:],
                           reduction="none"), F.cross_entropy(model(x_adv), y[:k], reduction="none")


def keeps_the_originals(model, x, x_adv, y, weight):
    k = len(x_adv)
    clean, attacked = F.cross_entropy(model(x), y,
                                      reduction="sum"), F.cross_entropy(model(x_adv), y[:k], reduction="sum")
    return (clean + weight * attacked) / (len(x) + weight * k)


def keeps_the_originals_and_the_divisor(model, x, x_adv, y, weight):
    k = len(x_adv)
    clean, attacked = F.cross_entropy(model(x), y,
                                      reduction="sum"), F.cross_entropy(model(x_adv), y[:k], reduction="sum")
    return (clean + weight * attacked) / (len(x) - k + weight * k)


def leaves_out_the_last(model, x, x_adv, y, weight):
    k, rest = len(x_adv), len(x) - len(x_adv)
    clean, attacked = F.cross_entropy(model(x[:rest]), y[:rest],
                                      reduction="sum"), F.cross_entropy(model(x_adv), y[:k], reduction="sum")
    return (clean + weight * attacked) / (rest + weight * k)


def takes_the_last_labels(model, x, x_adv, y, weight):
    k = len(x_adv)
    clean, attacked = F.cross_entropy(model(x[k:]), y[k:],
                                      reduction="sum"), F.cross_entropy(model(x_adv), y[-k:], reduction="sum")
    return (clean + weight * attacked) / (len(x) - k + weight * k)


def divides_by_m(model, x, x_adv, y, weight):
    clean, attacked = losses_of(model, x, x_adv, y)
    return (clean.sum() + weight * attacked.sum()) / len(x)


def adds_two_means(model, x, x_adv, y, weight):
    clean, attacked = losses_of(model, x, x_adv, y)
    return clean.mean() + weight * attacked.mean()


def does_not_divide(model, x, x_adv, y, weight):
    clean, attacked = losses_of(model, x, x_adv, y)
    return clean.sum() + weight * attacked.sum()


def weighs_the_clean_ones(model, x, x_adv, y, weight):
    clean, attacked = losses_of(model, x, x_adv, y)
    return (weight * clean.sum() + attacked.sum()) / (weight * len(clean) + len(attacked))


def ignores_the_weight(model, x, x_adv, y, weight):
    clean, attacked = losses_of(model, x, x_adv, y)
    return torch.cat([clean, attacked]).mean()


def weighs_only_the_divisor(model, x, x_adv, y, weight):
    clean, attacked = losses_of(model, x, x_adv, y)
    return (clean.sum() + attacked.sum()) / (len(clean) + weight * len(attacked))


def weighs_one_forward_pass(model, x, x_adv, y, weight):
    batch = torch.cat([x_adv, x[len(x_adv):]])
    weights = torch.ones(len(x), dtype=x.dtype)
    weights[:len(x_adv)] = weight
    log_p = model(batch).log_softmax(1)
    return -(weights * log_p[torch.arange(len(x)), y]).sum() / weights.sum()


# 09.4 -----------------------------------------------------------------------------------------------------------------

def turns_the_divergence_round(model, x, x_adv, y, beta):
    return F.cross_entropy(model(x), y) + beta * kl(model(x_adv), model(x)).mean()


def forgets_beta(model, x, x_adv, y, beta):
    return F.cross_entropy(model(x), y) + kl(model(x), model(x_adv)).mean()


def averages_over_the_classes(model, x, x_adv, y, beta):
    return F.cross_entropy(model(x), y) + beta * F.kl_div(model(x_adv).log_softmax(1), model(x).softmax(1),
                                                          reduction="mean")


def sums_over_the_images(model, x, x_adv, y, beta):
    return F.cross_entropy(model(x), y) + beta * F.kl_div(model(x_adv).log_softmax(1), model(x).softmax(1),
                                                          reduction="sum")


def wants_the_label_of_the_attacked(model, x, x_adv, y, beta):
    return F.cross_entropy(model(x_adv), y) + beta * kl(model(x), model(x_adv)).mean()


def adds_two_cross_entropies(model, x, x_adv, y, beta):
    return F.cross_entropy(model(x), y) + beta * F.cross_entropy(model(x_adv), y)


def compares_logits(model, x, x_adv, y, beta):
    return F.cross_entropy(model(x), y) + beta * (model(x) - model(x_adv)).pow(2).sum(1).mean()


def forgets_the_divergence(model, x, x_adv, y, beta):
    return F.cross_entropy(model(x), y)


def rewards_the_divergence(model, x, x_adv, y, beta):
    return F.cross_entropy(model(x), y) - beta * kl(model(x), model(x_adv)).mean()


def forgets_the_logarithm(model, x, x_adv, y, beta):
    return F.cross_entropy(model(x), y) + beta * F.kl_div(model(x_adv).softmax(1), model(x).softmax(1),
                                                          reduction="batchmean")


def gives_it_the_logits(model, x, x_adv, y, beta):
    return F.cross_entropy(model(x), y) + beta * F.kl_div(model(x_adv), model(x).softmax(1), reduction="batchmean")


def uses_kl_div(model, x, x_adv, y, beta):
    clean, attacked = model(x).log_softmax(1), model(x_adv).log_softmax(1)
    return F.nll_loss(clean, y) + beta * F.kl_div(attacked, clean, reduction="batchmean", log_target=True)


# 09.6 -----------------------------------------------------------------------------------------------------------------

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
    return F.cosine_similarity(loss_gradient(model, x, y).flatten(1),
                               loss_gradient(model, u, y).flatten(1)).mean().item()


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


WRONG = {
    "09.1": [
        (exchanges_the_weights, "the weights are exchanged"),
        (forgets_to_attack, "the loss on clean images alone"),
        (forgets_the_second_part, "only the clean part is here"),
        (trains_on_the_attack_alone, "the adversarial images alone"),
        (adds_without_weights, "without their weights"),
        (helps_the_network, "down the loss"),
        (forgets_the_sign, "in proportion to the gradient"),
        (forgets_the_sign_of_the_mean, "in proportion to the gradient of the mean loss"),
        (attacks_the_prediction, "the model's own answers"),
        (forgets_to_clip, "leaves [0, 1]"),
        (sums_over_the_batch, "this is the sum"),
        (returns_one_loss_per_image, "a tensor of shape (12,)"),
        (forgets_eps, "by a full 1"),
    ],
    "09.2": [
        (keeps_the_originals, "still take part"),
        (keeps_the_originals_and_the_divisor, "not counted in the divisor"),
        (leaves_out_the_last, "you left out the last k"),
        (takes_the_last_labels, "y[:k]"),
        (divides_by_m, "you divide by m"),
        (adds_two_means, "two means added up"),
        (does_not_divide, "it is not divided"),
        (weighs_the_clean_ones, "here it weighs the clean ones"),
        (ignores_the_weight, "λ has no effect"),
        (weighs_only_the_divisor, "missing in the numerator"),
    ],
    "09.4": [
        (turns_the_divergence_round, "the wrong way round"),
        (forgets_beta, "β is missing"),
        (averages_over_the_classes, "averaged over the classes"),
        (sums_over_the_images, "summed over the images"),
        (wants_the_label_of_the_attacked, "the label belongs to the clean image"),
        (adds_two_cross_entropies, "the cross-entropy on x_adv"),
        (compares_logits, "compares logits"),
        (forgets_the_divergence, "the second part is missing"),
        (rewards_the_divergence, "the wrong sign"),
        (forgets_the_logarithm, "got p itself"),
        (gives_it_the_logits, "got the logits"),
    ],
    "09.6": [
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
    ],
}

RIGHT = {
    "09.1": [steps_by_backward],
    "09.2": [weighs_one_forward_pass],
    "09.4": [uses_kl_div],
    "09.6": [divides_by_hand],
}
