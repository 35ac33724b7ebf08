"""Plausible wrong answers to exercise 09.4, each with a part of the message that it should get, and right ones."""

import torch
from torch.nn import functional as F


def kl(p_logits, q_logits):
    """KL between the softmax of two tables of logits, one number per row."""
    log_p, log_q = p_logits.log_softmax(1), q_logits.log_softmax(1)
    return (log_p.exp() * (log_p - log_q)).sum(1)


def turns_the_divergence_round(model, x, x_adv, y, beta):
    return F.cross_entropy(model(x), y) + beta * kl(model(x_adv), model(x)).mean()


def forgets_beta(model, x, x_adv, y, beta):
    return F.cross_entropy(model(x), y) + kl(model(x), model(x_adv)).mean()


def averages_over_the_classes(model, x, x_adv, y, beta):
    divergence = F.kl_div(model(x_adv).log_softmax(1), model(x).softmax(1), reduction="mean")
    return F.cross_entropy(model(x), y) + beta * divergence


def sums_over_the_images(model, x, x_adv, y, beta):
    divergence = F.kl_div(model(x_adv).log_softmax(1), model(x).softmax(1), reduction="sum")
    return F.cross_entropy(model(x), y) + beta * divergence


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
    divergence = F.kl_div(model(x_adv).softmax(1), model(x).softmax(1), reduction="batchmean")
    return F.cross_entropy(model(x), y) + beta * divergence


def gives_it_the_logits(model, x, x_adv, y, beta):
    return F.cross_entropy(model(x), y) + beta * F.kl_div(model(x_adv), model(x).softmax(1), reduction="batchmean")


def uses_kl_div(model, x, x_adv, y, beta):
    clean, attacked = model(x).log_softmax(1), model(x_adv).log_softmax(1)
    return F.nll_loss(clean, y) + beta * F.kl_div(attacked, clean, reduction="batchmean", log_target=True)


def adds_a_little_inside_the_logarithm(model, x, x_adv, y, beta):
    p, q = model(x).softmax(1), model(x_adv).softmax(1)
    return F.cross_entropy(model(x), y) + beta * (p * torch.log((p + 1e-12) / (q + 1e-8))).sum(1).mean()


def goes_image_by_image(model, x, x_adv, y, beta):
    total = 0.0
    for i in range(len(x)):
        p, q = model(x[i:i + 1])[0].log_softmax(0), model(x_adv[i:i + 1])[0].log_softmax(0)
        total = total - p[y[i]] + beta * torch.dot(p.exp(), p - q)
    return total / len(x)


def works_in_float64(model, x, x_adv, y, beta):
    clean, attacked = model(x).double(), model(x_adv).double()
    return F.cross_entropy(clean, y) + beta * kl(clean, attacked).mean()


def asks_once_for_both(model, x, x_adv, y, beta):
    clean, attacked = model(torch.cat([x, x_adv])).chunk(2)
    divergence = torch.distributions.kl_divergence(torch.distributions.Categorical(logits=clean),
                                                   torch.distributions.Categorical(logits=attacked))
    return F.cross_entropy(clean, y) + beta * divergence.mean()


def detaches_the_loss(model, x, x_adv, y, beta):
    return uses_kl_div(model, x, x_adv, y, beta).detach()


def detaches_the_clean_answer(model, x, x_adv, y, beta):
    return F.cross_entropy(model(x), y) + beta * F.kl_div(
        model(x_adv).log_softmax(1), model(x).softmax(1).detach(), reduction="batchmean")


def asks_the_clean_answer_without_gradient(model, x, x_adv, y, beta):
    with torch.no_grad():
        target = model(x).softmax(1)
    return F.cross_entropy(model(x), y) + beta * kl(target.log(), model(x_adv)).mean()


def detaches_the_answer_on_x_adv(model, x, x_adv, y, beta):
    return F.cross_entropy(model(x), y) + beta * kl(model(x), model(x_adv).detach()).mean()


def takes_the_divergence_as_a_number(model, x, x_adv, y, beta):
    return F.cross_entropy(model(x), y) + beta * kl(model(x), model(x_adv)).mean().item()


def takes_the_first_part_as_a_number(model, x, x_adv, y, beta):
    return F.cross_entropy(model(x), y).item() + beta * kl(model(x), model(x_adv)).mean()


def forgets_the_first_part(model, x, x_adv, y, beta):
    return beta * kl(model(x), model(x_adv)).mean()


def goes_both_ways(model, x, x_adv, y, beta):
    return F.cross_entropy(model(x), y) + beta * (kl(model(x), model(x_adv)) + kl(model(x_adv), model(x))).mean()


def compares_squares(model, x, x_adv, y, beta):
    return F.cross_entropy(model(x), y) + beta * (model(x).softmax(1) - model(x_adv).softmax(1)).pow(2).sum(1).mean()


def forgets_the_entropy(model, x, x_adv, y, beta):
    return F.cross_entropy(model(x), y) + beta * F.cross_entropy(model(x_adv), model(x).softmax(1))


def takes_the_softmax_first(model, x, x_adv, y, beta):
    return F.cross_entropy(model(x).softmax(1), y) + beta * kl(model(x), model(x_adv)).mean()


def returns_one_loss_per_image(model, x, x_adv, y, beta):
    return F.cross_entropy(model(x), y, reduction="none") + beta * kl(model(x), model(x_adv))


WRONG = [
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
    (detaches_the_loss, "your loss has no gradient"),
    (detaches_the_clean_answer, "both answers move towards each other"),
    (asks_the_clean_answer_without_gradient, "both answers move towards each other"),
    (detaches_the_answer_on_x_adv, "nothing makes it steady"),
    (takes_the_divergence_as_a_number, "no gradient flows through the divergence"),
    (takes_the_first_part_as_a_number, "no gradient flows through the first part"),
    (forgets_the_first_part, "the first part is missing"),
    (goes_both_ways, "the divergence both ways"),
    (compares_squares, "by their squared distance"),
    (forgets_the_entropy, "also has + Σ p log p"),
    (takes_the_softmax_first, "leave the softmax out"),
    (returns_one_loss_per_image, "a tensor of shape (12,)"),
]

RIGHT = [uses_kl_div, adds_a_little_inside_the_logarithm, goes_image_by_image, works_in_float64, asks_once_for_both]
