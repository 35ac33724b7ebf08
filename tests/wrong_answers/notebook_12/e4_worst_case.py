"""Plausible wrong answers to exercise 12.4, each with a part of the message that it should get, and right ones."""

import torch


def forgets_eta(losses, eta):
    return losses.amax(1).mean()


def looks_before_it_weighs(losses, eta):
    worst = losses.argmax(1)
    return (eta[worst] * losses[torch.arange(len(losses)), worst]).mean()


def weighs_by_the_largest(losses, eta):
    return eta.max() * losses.amax(1).mean()


def averages_over_the_changes(losses, eta):
    return (eta * losses).mean(1).mean()


def averages_by_weight(losses, eta):
    return ((eta * losses).sum(1) / eta.sum()).mean()


def sums_over_the_changes(losses, eta):
    return (eta * losses).sum(1).mean()


def takes_the_least(losses, eta):
    return (eta * losses).amin(1).mean()


def looks_over_the_images(losses, eta):
    return (eta * losses).max(0).values.mean()


def takes_the_worst_image(losses, eta):
    return (eta * losses).max()


def sums_over_the_images(losses, eta):
    return (eta * losses).amax(1).sum()


def subtracts(losses, eta):
    return (losses - (1 - eta)).amax(1).mean()


def takes_the_identity(losses, eta):
    return losses[:, 0].mean()


def returns_a_number(losses, eta):
    return (eta * losses).amax(1).mean().item()


def returns_one_loss_per_image(losses, eta):
    return (eta * losses).amax(1)


def takes_all_of_max(losses, eta):
    return (eta * losses).max(1).mean()


def picks_the_worst_column(losses, eta):
    worst = (eta * losses.detach()).argmax(1, keepdim=True)
    return (eta[worst] * losses.gather(1, worst)).mean()


def goes_image_by_image(losses, eta):
    return sum(max(weight * loss for weight, loss in zip(eta, row, strict=True)) for row in losses) / len(losses)


def sorts(losses, eta):
    return torch.einsum("k,nk->nk", eta, losses).sort(1).values[:, -1].double().mean()


def grows_a_maximum(losses, eta):
    worst = torch.zeros(len(losses))
    for k in range(len(eta)):
        worst = torch.maximum(worst, losses[:, k] * eta[k])
    return worst.sum() / len(worst)


WRONG = [
    (forgets_eta, "whatever its change counts"),
    (looks_before_it_weighs, "look for the largest loss first"),
    (weighs_by_the_largest, "multiply by the largest η"),
    (averages_over_the_changes, "plain augmentation"),
    (averages_by_weight, "the mean over the changes, weighed"),
    (sums_over_the_changes, "the sum over the changes"),
    (takes_the_least, "a sup wants the largest"),
    (looks_over_the_images, "over the images (dim 0)"),
    (takes_the_worst_image, "the worst of all images"),
    (sums_over_the_images, "the sum over the images"),
    (subtracts, "you subtract 1 − η"),
    (takes_the_identity, "the identity alone"),
    (returns_a_number, "`.item()`"),
    (returns_one_loss_per_image, "a tensor of shape (12,)"),
    (takes_all_of_max, "your function raises"),
]

RIGHT = [picks_the_worst_column, goes_image_by_image, sorts, grows_a_maximum]
