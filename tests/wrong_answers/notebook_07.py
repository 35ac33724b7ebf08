"""Plausible wrong answers to the exercises of notebook 07, each with a part of the message that it should get."""

import torch
from torch.nn import functional as F

from advcourse.exercises.notebook_07 import from_noise, hidden_and_leaked, probability, realistic_loss


def target_gradient(model, x, target):
    """The gradient of the cross-entropy at the target with respect to every image."""
    x = x.detach().requires_grad_()
    return torch.autograd.grad(F.cross_entropy(model(x), target, reduction="sum"), x)[0]


# 07.2 -----------------------------------------------------------------------------------------------------------------

def takes_one_step(model, x, target, confidence):
    short = probability(model, x, target) < confidence
    return (x - 0.02 * short.view(-1, 1, 1, 1) * target_gradient(model, x, target).sign()).clamp(0, 1).detach()


def climbs(model, x, target, confidence):
    for _ in range(100):
        short = probability(model, x, target) < confidence
        x = (x + 0.02 * short.view(-1, 1, 1, 1) * target_gradient(model, x, target).sign()).clamp(0, 1)
    return x.detach()


def never_clips(model, x, target, confidence):
    for _ in range(500):
        short = probability(model, x, target) < confidence
        x = x - 0.02 * short.view(-1, 1, 1, 1) * target_gradient(model, x, target).sign()
    return (x * 3 - 1).detach()


def returns_the_noise(model, x, target, confidence):
    return x


def takes_the_first_target_for_all(model, x, target, confidence):
    return from_noise(model, x, target[:1].expand(len(x)), confidence)


def never_stops_anybody(model, x, target, confidence):
    for _ in range(100):
        x = (x - 0.02 * target_gradient(model, x, target).sign()).clamp(0, 1)
    return x.detach()


def stops_when_all_are_named(model, x, target, confidence):
    for _ in range(500):
        short = model(x).argmax(1) != target
        x = (x - 0.02 * short.view(-1, 1, 1, 1) * target_gradient(model, x, target).sign()).clamp(0, 1)
    return x.detach()


def stops_when_one_is_there(model, x, target, confidence):
    for _ in range(500):
        short = probability(model, x, target) < confidence
        if not short[:5].all():
            break
        x = (x - 0.02 * short.view(-1, 1, 1, 1) * target_gradient(model, x, target).sign()).clamp(0, 1)
    return x.detach()


def returns_the_confidences(model, x, target, confidence):
    return probability(model, from_noise(model, x, target, confidence), target).detach()


def forgets_to_return(model, x, target, confidence):
    from_noise(model, x, target, confidence)


# 07.3 -----------------------------------------------------------------------------------------------------------------

def takes_the_root(model, z, picture, target, weight):
    return F.cross_entropy(model(z), target, reduction="none") + weight * (z - picture).flatten(1).norm(dim=1)


def averages_over_pixels(model, z, picture, target, weight):
    return F.cross_entropy(model(z), target, reduction="none") + weight * (z - picture).square().flatten(1).mean(1)


def subtracts_the_distance(model, z, picture, target, weight):
    return F.cross_entropy(model(z), target, reduction="none") - weight * (z - picture).square().flatten(1).sum(1)


def flees_the_target(model, z, picture, target, weight):
    return weight * (z - picture).square().flatten(1).sum(1) - F.cross_entropy(model(z), target, reduction="none")


def weighs_the_name(model, z, picture, target, weight):
    return weight * F.cross_entropy(model(z), target, reduction="none") + (z - picture).square().flatten(1).sum(1)


def forgets_the_weight(model, z, picture, target, weight):
    return F.cross_entropy(model(z), target, reduction="none") + (z - picture).square().flatten(1).sum(1)


def forgets_the_picture(model, z, picture, target, weight):
    return F.cross_entropy(model(z), target, reduction="none")


def forgets_the_name(model, z, picture, target, weight):
    return weight * (z - picture).square().flatten(1).sum(1)


def averages_over_the_batch(model, z, picture, target, weight):
    return realistic_loss(model, z, picture, target, weight).mean()


def averages_the_names(model, z, picture, target, weight):
    return F.cross_entropy(model(z), target) + weight * (z - picture).square().flatten(1).sum(1)


def adds_up_the_batch(model, z, picture, target, weight):
    return F.cross_entropy(model(z), target, reduction="none") + weight * (z - picture).square().sum()


def takes_absolute_values(model, z, picture, target, weight):
    return F.cross_entropy(model(z), target, reduction="none") + weight * (z - picture).abs().flatten(1).sum(1)


# 07.4 -----------------------------------------------------------------------------------------------------------------

def share(part, whole):
    return (part.sum() / whole.sum().clamp_min(1)).item()


def swaps_the_two(before, after, other, y):
    return hidden_and_leaked(before, after, other, y)[::-1]


def gives_percentages(before, after, other, y):
    return tuple(100 * value for value in hidden_and_leaked(before, after, other, y))


def counts(before, after, other, y):
    gone = (before == y) & (after != y)
    return gone.sum().item(), (gone & (other == y)).sum().item()


def divides_by_zero(before, after, other, y):
    gone = (before == y) & (after != y)
    return (gone.sum() / (before == y).sum()).item(), ((other == y) & gone).sum().item() / gone.sum().item()


def gives_nan(before, after, other, y):
    gone = (before == y) & (after != y)
    return (gone.sum() / (before == y).sum()).item(), (((other == y) & gone).sum() / gone.sum()).item()


def counts_those_never_known(before, after, other, y):
    gone = after != y
    return gone.float().mean().item(), share(gone & (other == y), gone)


def divides_by_all(before, after, other, y):
    gone = (before == y) & (after != y)
    return gone.float().mean().item(), share(gone & (other == y), gone)


def leaks_over_the_known(before, after, other, y):
    known = before == y
    return share(known & (after != y), known), share(known & (after != y) & (other == y), known)


def leaks_over_everything(before, after, other, y):
    known = before == y
    return share(known & (after != y), known), (other == y).float().mean().item()


def counts_what_does_not_leak(before, after, other, y):
    gone = (before == y) & (after != y)
    return share(gone, before == y), share(gone & (other != y), gone)


def gives_one_share(before, after, other, y):
    return hidden_and_leaked(before, after, other, y)[0]


def counts_any_change(before, after, other, y):
    gone = (before == y) & (after != y)
    return (after != before).float().mean().item(), share(gone & (other == y), gone)


# 07.7 -----------------------------------------------------------------------------------------------------------------

def adds_on_top(x, frame, mask):
    return x + mask * frame


def adds_and_clips(x, frame, mask):
    return (x + mask * frame).clamp(0, 1)


def turns_the_mask_round(x, frame, mask):
    return mask * x + (1 - mask) * frame


def loses_the_photograph(x, frame, mask):
    return (mask * frame).expand(x.shape)


def leaves_a_hole(x, frame, mask):
    return x * (1 - mask)


def makes_the_mask_hard(x, frame, mask):
    return torch.where(mask > 0.5, frame, x)


def takes_every_touched_pixel(x, frame, mask):
    return torch.where(mask > 0, frame, x)


def forgets_the_mask_on_the_frame(x, frame, mask):
    return (1 - mask) * x + frame


def wears_nothing(x, frame, mask):
    return x


def averages(x, frame, mask):
    return (x + frame) / 2


def dresses_one_only(x, frame, mask):
    return ((1 - mask) * x + mask * frame)[:1]


WRONG = {
    "07.2": [
        (takes_one_step, "Take more steps"),
        (climbs, "subtract its gradient"),
        (never_clips, "Clip to [0, 1]"),
        (returns_the_noise, "came back unchanged"),
        (takes_the_first_target_for_all, "each has a target of its own"),
        (never_stops_anybody, "1 where the goal is not reached"),
        (stops_when_all_are_named, "compare the softmax probability"),
        (stops_when_one_is_there, "stop only when all have arrived"),
        (returns_the_confidences, "a tensor of shape"),
        (forgets_to_return, "returns None"),
    ],
    "07.3": [
        (takes_the_root, "take no root"),
        (averages_over_pixels, "average the squares over the pixels"),
        (subtracts_the_distance, "the loss falls as z leaves the picture"),
        (flees_the_target, "as the target gets less likely"),
        (weighs_the_name, "belongs to the distance, not"),
        (forgets_the_weight, "the weight is missing"),
        (forgets_the_picture, "the distance is missing"),
        (forgets_the_name, "the cross-entropy is missing"),
        (averages_over_the_batch, "a tensor of shape"),
        (averages_the_names, "so that each has its own"),
        (adds_up_the_batch, "the distance of the whole batch"),
        (takes_absolute_values, "absolute differences"),
    ],
    "07.4": [
        (swaps_the_two, "hidden comes first"),
        (gives_percentages, "percentages"),
        (counts, "these are counts"),
        (divides_by_zero, "division by zero"),
        (gives_nan, "not a number"),
        (counts_those_never_known, "count in both of your shares"),
        (divides_by_all, "divide by the number of all photographs"),
        (leaks_over_the_known, "share of the *hidden* photographs"),
        (leaks_over_everything, "accuracy on everything"),
        (counts_what_does_not_leak, "does *not* leak"),
        (gives_one_share, "a tuple of"),
        (counts_any_change, "every changed answer"),
    ],
    "07.7": [
        (adds_on_top, "on top of the photograph"),
        (adds_and_clips, "then clipped"),
        (turns_the_mask_round, "the wrong way round"),
        (loses_the_photograph, "gone outside the frame"),
        (leaves_a_hole, "the frame is missing"),
        (makes_the_mask_hard, "wanted is a mixture"),
        (takes_every_touched_pixel, "you take the frame alone"),
        (forgets_the_mask_on_the_frame, "laid over the whole picture"),
        (wears_nothing, "came back without a frame"),
        (averages, "half photograph, half frame"),
        (dresses_one_only, "a tensor of shape"),
    ],
}


# Right answers, written otherwise -------------------------------------------------------------------------------------

def lets_each_go_on_alone(model, x, target, confidence):
    images = []
    for image, label in zip(x.split(1), target.split(1), strict=True):
        while probability(model, image, label).item() < confidence:
            image = image.detach().requires_grad_()
            gain = torch.autograd.grad(model(image).log_softmax(1)[0, label.item()], image)[0]
            image = (image + 0.05 * gain.sign()).clamp(0, 1)
        images.append(image.detach())
    return torch.cat(images)


def sums_by_einsum(model, z, picture, target, weight):
    difference = (z - picture).reshape(len(z), -1)
    loss = -model(z).log_softmax(1)[torch.arange(len(z)), target]
    return loss + weight * torch.einsum("nd,nd->n", difference, difference)


def counts_in_a_loop(before, after, other, y):
    known = hidden = caught = 0
    for a, b, c, true in zip(before.tolist(), after.tolist(), other.tolist(), y.tolist(), strict=True):
        known += a == true
        hidden += a == true and b != true
        caught += a == true and b != true and c == true
    return hidden / known, caught / hidden if hidden else 0.0


def moves_towards_the_frame(x, frame, mask):
    return x + mask * (frame - x)


RIGHT = {
    "07.2": [lets_each_go_on_alone],
    "07.3": [sums_by_einsum],
    "07.4": [counts_in_a_loop],
    "07.7": [moves_towards_the_frame],
}
