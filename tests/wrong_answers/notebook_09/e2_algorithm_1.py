"""Plausible wrong answers to exercise 09.2, each with a part of the message that it should get, and right ones."""

import torch
from torch.nn import functional as F


def losses_of(model, x, x_adv, y):
    k = len(x_adv)
    return (F.cross_entropy(model(x[k:]), y[k:], reduction="none"),
            F.cross_entropy(model(x_adv), y[:k], reduction="none"))


def keeps_the_originals(model, x, x_adv, y, weight):
    k = len(x_adv)
    clean = F.cross_entropy(model(x), y, reduction="sum")
    attacked = F.cross_entropy(model(x_adv), y[:k], reduction="sum")
    return (clean + weight * attacked) / (len(x) + weight * k)


def keeps_the_originals_and_the_divisor(model, x, x_adv, y, weight):
    k = len(x_adv)
    clean = F.cross_entropy(model(x), y, reduction="sum")
    attacked = F.cross_entropy(model(x_adv), y[:k], reduction="sum")
    return (clean + weight * attacked) / (len(x) - k + weight * k)


def leaves_out_the_last(model, x, x_adv, y, weight):
    k, rest = len(x_adv), len(x) - len(x_adv)
    clean = F.cross_entropy(model(x[:rest]), y[:rest], reduction="sum")
    attacked = F.cross_entropy(model(x_adv), y[:k], reduction="sum")
    return (clean + weight * attacked) / (rest + weight * k)


def takes_the_last_labels(model, x, x_adv, y, weight):
    k = len(x_adv)
    clean = F.cross_entropy(model(x[k:]), y[k:], reduction="sum")
    attacked = F.cross_entropy(model(x_adv), y[-k:], reduction="sum")
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


def adds_image_by_image(model, x, x_adv, y, weight):
    total, weights = 0.0, 0.0
    for i in range(len(x)):
        image, own = (x_adv[i], weight) if i < len(x_adv) else (x[i], 1.0)
        total = total + own * F.cross_entropy(model(image[None]), y[i:i + 1])
        weights += own
    return total / weights


def weighs_two_means(model, x, x_adv, y, weight):
    m, k = len(x), len(x_adv)
    clean, attacked = F.cross_entropy(model(x[k:]), y[k:]), F.cross_entropy(model(x_adv), y[:k])
    return ((m - k) * clean + weight * k * attacked) / ((m - k) + weight * k)


def replaces_in_a_copy(model, x, x_adv, y, weight):
    batch, weights = x.clone(), torch.ones(len(x), dtype=torch.float64)
    batch[:len(x_adv)] = x_adv
    weights[:len(x_adv)] *= weight
    return (F.cross_entropy(model(batch), y, reduction="none") * weights).sum() / weights.sum()


def detaches_the_loss(model, x, x_adv, y, weight):
    return weighs_one_forward_pass(model, x, x_adv, y, weight).detach()


def makes_a_new_tensor(model, x, x_adv, y, weight):
    return torch.tensor(weighs_one_forward_pass(model, x, x_adv, y, weight).item(), requires_grad=True)


def detaches_the_clean_ones(model, x, x_adv, y, weight):
    clean, attacked = losses_of(model, x, x_adv, y)
    return (clean.sum().item() + weight * attacked.sum()) / (len(clean) + weight * len(attacked))


def detaches_the_attacked_ones(model, x, x_adv, y, weight):
    clean, attacked = losses_of(model, x, x_adv, y)
    return (clean.sum() + weight * attacked.sum().detach()) / (len(clean) + weight * len(attacked))


def forgets_the_clean_ones(model, x, x_adv, y, weight):
    clean, attacked = losses_of(model, x, x_adv, y)
    return weight * attacked.sum() / (len(clean) + weight * len(attacked))


def forgets_the_attacked_ones(model, x, x_adv, y, weight):
    clean, attacked = losses_of(model, x, x_adv, y)
    return clean.sum() / (len(clean) + weight * len(attacked))


def divides_means(model, x, x_adv, y, weight):
    clean, attacked = losses_of(model, x, x_adv, y)
    return (clean.mean() + weight * attacked.mean()) / (len(clean) + weight * len(attacked))


def takes_the_softmax_first(model, x, x_adv, y, weight):
    return keeps_to_the_rule(lambda z, y: F.cross_entropy(z.softmax(1), y, reduction="sum"), model, x, x_adv, y, weight)


def takes_a_squared_error(model, x, x_adv, y, weight):
    return keeps_to_the_rule(lambda z, y: (z.softmax(1) - F.one_hot(y, 4)).pow(2).mean(1).sum(),
                             model, x, x_adv, y, weight)


def keeps_to_the_rule(loss, model, x, x_adv, y, weight):
    k = len(x_adv)
    return (loss(model(x[k:]), y[k:]) + weight * loss(model(x_adv), y[:k])) / (len(x) - k + weight * k)


def overwrites_the_batch(model, x, x_adv, y, weight):
    x[:len(x_adv)] = x_adv
    weights = torch.where(torch.arange(len(x)) < len(x_adv), weight, 1.0)
    return (F.cross_entropy(model(x), y, reduction="none") * weights).sum() / weights.sum()


def gives_all_labels(model, x, x_adv, y, weight):
    k = len(x_adv)
    return F.cross_entropy(model(x[k:]), y, reduction="sum") + F.cross_entropy(model(x_adv), y, reduction="sum")


def takes_the_logarithm_by_hand(model, x, x_adv, y, weight):
    k = len(x_adv)
    losses = -(model(torch.cat([x_adv, x[k:]])).softmax(1).gather(1, y[:, None])[:, 0] + 1e-8).log()
    weights = torch.cat([torch.full((k,), float(weight)), torch.ones(len(x) - k)])
    return (weights * losses).sum() / weights.sum()


WRONG = [
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
    (detaches_the_loss, "your loss has no gradient"),
    (makes_a_new_tensor, "a part of it is cut off"),
    (detaches_the_clean_ones, "through the clean images' losses"),
    (detaches_the_attacked_ones, "through the adversarial images' losses"),
    (forgets_the_clean_ones, "the clean images are missing"),
    (forgets_the_attacked_ones, "the adversarial images are missing"),
    (divides_means, "means, divided once more"),
    (takes_the_softmax_first, "leave the softmax out"),
    (takes_a_squared_error, "this is a squared error"),
    (overwrites_the_batch, "changes `x` in place"),
    (gives_all_labels, "your function raises"),
]

RIGHT = [takes_the_logarithm_by_hand, weighs_one_forward_pass, adds_image_by_image,
         weighs_two_means, replaces_in_a_copy]
