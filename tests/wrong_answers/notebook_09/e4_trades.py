"""Plausible wrong answers to exercise 09.4, each with a part of the message that it should get, and right ones."""

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
]

RIGHT = [uses_kl_div]
