"""Plausible wrong answers to the exercises of notebook 10, each with a part of the message that it should get."""

import torch
from torch import nn
from torch.nn import functional as F

from advcourse.defenses import masking
from advcourse.exercises.notebook_10 import (
    CLASSES,
    certified_radius,
    defend,
    from_rate,
    gradient_at,
    interval,
    lead,
    lower_confidence_bound,
    normal_radius,
    plain_network,
    shifted_radius,
    straight_through_gradient,
    suspicious,
)

# 10.1 -----------------------------------------------------------------------------------------------------------------

def takes_the_true_one_first(logits, y):
    return -lead(logits, y)


def keeps_the_true_class_among_the_others(logits, y):
    return logits.max(1).values - logits[torch.arange(len(y)), y]


def takes_the_cross_entropy(logits, y):
    return F.cross_entropy(logits, y, reduction="none")


def takes_probabilities(logits, y):
    return lead(logits.softmax(1), y)


def takes_the_mean_of_the_others(logits, y):
    true = logits.gather(1, y[:, None])[:, 0]
    return (logits.sum(1) - true) / (logits.shape[1] - 1) - true


def lowers_the_true_logit_only(logits, y):
    return -logits.gather(1, y[:, None])[:, 0]


def stops_at_zero(logits, y):
    return F.relu(lead(logits, y))


def gives_the_mean_over_the_batch(logits, y):
    return lead(logits, y).mean()


# 10.2 -----------------------------------------------------------------------------------------------------------------

def takes_the_true_gradient(model, transform, x, y):
    x = x.clone().requires_grad_()
    loss = F.cross_entropy(model(transform(x) + 0 * x), y, reduction="sum")  # 0 * x: else autograd finds no path at all
    return torch.autograd.grad(loss, x)[0]


def forgets_the_transform(model, transform, x, y):
    return gradient_at(model, x, y)


def divides_by_the_batch(model, transform, x, y):
    return gradient_at(model, transform(x), y, "mean")


def takes_the_sign(model, transform, x, y):
    return straight_through_gradient(model, transform, x, y).sign()


def goes_down(model, transform, x, y):
    return -straight_through_gradient(model, transform, x, y)


def multiplies_by_the_image(model, transform, x, y):
    return straight_through_gradient(model, transform, x, y) * transform(x)


def asks_the_model_for_labels(model, transform, x, y):
    return gradient_at(model, transform(x), model(transform(x)).argmax(1))


def differentiates_the_transform(model, transform, x, y):
    x = x.clone().requires_grad_()
    return torch.autograd.grad(F.cross_entropy(model(transform(x).requires_grad_()), y, reduction="sum"), x)[0]


def gives_the_loss(model, transform, x, y):
    return F.cross_entropy(model(transform(x)), y, reduction="none")


# 10.3 -----------------------------------------------------------------------------------------------------------------

def turns_the_comparison(left, tolerance):
    found = {name: left[name] > left["gradient"] + tolerance for name in ("noise", "one step", "black box", "transfer")}
    return found | {"unbounded": left["unbounded"] > tolerance}


def forgets_the_tolerance(left, tolerance):
    return suspicious(left, 0.0)


def compares_with_the_clean_accuracy(left, tolerance):
    found = {name: left[name] < left["clean"] - tolerance for name in ("noise", "one step", "black box", "transfer")}
    return found | {"unbounded": left["unbounded"] > tolerance}


def measures_the_unbounded_by_the_gradient(left, tolerance):
    return suspicious(left, tolerance) | {"unbounded": left["unbounded"] > left["gradient"] + tolerance}


def says_what_is_fine(left, tolerance):
    return {name: not found for name, found in suspicious(left, tolerance).items()}


def finds_nothing(left, tolerance):
    return dict.fromkeys(suspicious(left, tolerance), False)


def takes_any_difference(left, tolerance):
    found = {name: abs(left[name] - left["gradient"]) > tolerance
             for name in ("noise", "one step", "black box", "transfer")}
    return found | {"unbounded": left["unbounded"] > tolerance}


def gives_a_list(left, tolerance):
    return [name for name, found in suspicious(left, tolerance).items() if found]


# 10.5 -----------------------------------------------------------------------------------------------------------------

def trained(x, y, steps=80, scale=1.0):
    torch.manual_seed(0)
    model = plain_network()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.03)
    for _ in range(steps):
        optimizer.zero_grad()
        F.cross_entropy(scale * model(x), y).backward()
        optimizer.step()
    return model.requires_grad_(False)


def defends_nothing(x, y, eps):
    return trained(x, y)


def saturates(x, y, eps):
    return masking.saturated(trained(x, y), 1e4)


def saturates_the_last_layer(x, y, eps):
    model = trained(x, y)
    model[3].weight.mul_(1e4), model[3].bias.mul_(1e4)
    return model


def distils(x, y, eps):
    return trained(x, y, steps=300, scale=0.002)


def quantises(x, y, eps):
    return masking.quantised(trained(x, y), levels=12)


def compresses(x, y, eps):
    return masking.jpeg_compressed(trained(x, y), quality=90)


def climbs_stairs(x, y, eps):
    model = trained(x, y)
    return lambda images: model((16 * images).floor() / 16 + 0.03 + 0 * images)


def dithers(x, y, eps):
    return masking.dithered(trained(x, y))


def ripples(x, y, eps):
    return masking.rippled(trained(x, y), height=0.02)


def hides_an_honest_defence(x, y, eps):
    return masking.saturated(defend(x, y, eps), 1e4)


def gives_one_answer(x, y, eps):
    def answer(images):
        return images.flatten(1)[:, :CLASSES] * 0 + F.one_hot(torch.tensor(0), CLASSES)
    return answer


def trains_on_noise(x, y, eps):
    return trained((x + eps * torch.randn(x.shape).sign()).clamp(0, 1), y)


def returns_labels(x, y, eps):
    model = trained(x, y)
    return lambda images: model(images).argmax(1)


def returns_the_weights(x, y, eps):
    return trained(x, y)[1].weight


# 10.6 -----------------------------------------------------------------------------------------------------------------

def maps_the_ends(weight, bias, low, high):
    return low @ weight.T + bias, high @ weight.T + bias


def sorts_the_ends(weight, bias, low, high):
    ends = torch.stack(maps_the_ends(weight, bias, low, high))
    return ends.amin(0), ends.amax(0)


def forgets_the_bias(weight, bias, low, high):
    return interval(weight, torch.zeros_like(bias), low, high)


def adds_the_bias_twice(weight, bias, low, high):
    low, high = interval(weight, bias, low, high)
    return low - bias.abs(), high + bias.abs()


def takes_absolute_weights_for_the_centre(weight, bias, low, high):
    centre, half = (low + high) / 2 @ weight.abs().T + bias, (high - low) / 2 @ weight.abs().T
    return centre - half, centre + half


def forgets_to_halve(weight, bias, low, high):
    centre, half = (low + high) / 2 @ weight.T + bias, (high - low) @ weight.abs().T
    return centre - half, centre + half


def forgets_the_absolute_value(weight, bias, low, high):
    centre, half = (low + high) / 2 @ weight.T + bias, (high - low) / 2 @ weight.T
    return centre - half, centre + half


def gives_the_upper_end_first(weight, bias, low, high):
    return interval(weight, bias, low, high)[::-1]


def gives_the_centre_and_the_half_width(weight, bias, low, high):
    low, high = interval(weight, bias, low, high)
    return (low + high) / 2, (high - low) / 2


# 10.7 -----------------------------------------------------------------------------------------------------------------

def believes_the_estimate(count, samples, sigma, alpha):
    return min(from_rate(count / samples, sigma), 10.0)


def divides_by_zero(count, samples, sigma, alpha):
    return from_rate(count / samples, sigma)


def multiplies_by_the_probability(count, samples, sigma, alpha):
    bound = lower_confidence_bound(count, samples, alpha)
    return sigma * bound if bound > 0.5 else 0.0


def forgets_sigma(count, samples, sigma, alpha):
    return certified_radius(count, samples, 1.0, alpha)


def halves_alpha(count, samples, sigma, alpha):
    return certified_radius(count, samples, sigma, alpha / 2)


def takes_the_upper_bound(count, samples, sigma, alpha):
    return min(certified_radius(count, samples, sigma, 1 - alpha), 10.0)


def never_abstains(count, samples, sigma, alpha):
    from scipy.stats import beta, norm

    return float(sigma * norm.ppf(beta.ppf(alpha, count, samples - count + 1)))


def misplaces_the_one(count, samples, sigma, alpha):
    return shifted_radius(count, samples, sigma, alpha)


def takes_the_normal_interval(count, samples, sigma, alpha):
    return min(normal_radius(count, samples, sigma, alpha), 10.0)


WRONG = {
    "10.1": [
        (takes_the_true_one_first, "the sign is turned"),
        (keeps_the_true_class_among_the_others, "includes the true class"),
        (takes_the_cross_entropy, "which saturates"),
        (takes_probabilities, "you take probabilities"),
        (takes_the_mean_of_the_others, "not their mean"),
        (lowers_the_true_logit_only, "minus the true logit alone"),
        (stops_at_zero, "do not cut it off"),
        (gives_the_mean_over_the_batch, "a tensor of shape"),
    ],
    "10.2": [
        (takes_the_true_gradient, "the true gradient of a staircase"),
        (forgets_the_transform, "you forget the transform"),
        (divides_by_the_batch, "divided by the number of images"),
        (takes_the_sign, "you give the sign"),
        (goes_down, "the sign is turned"),
        (multiplies_by_the_image, "the derivative of the identity is 1"),
        (asks_the_model_for_labels, "use the labels y"),
        (differentiates_the_transform, "raises"),
        (gives_the_loss, "a tensor of shape"),
    ],
    "10.3": [
        (turns_the_comparison, "less is left by the better attack"),
        (forgets_the_tolerance, "that is chance"),
        (compares_with_the_clean_accuracy, "less is left by the better attack"),
        (measures_the_unbounded_by_the_gradient, "it must be 0"),
        (says_what_is_fine, "less is left by the better attack"),
        (finds_nothing, "the weaker attack does better"),
        (takes_any_difference, "less is left by the better attack"),
        (gives_a_list, "a dict with the keys"),
    ],
    "10.5": [
        (defends_nothing, "withstands little"),
        (saturates, "Zero gradients"),
        (saturates_the_last_layer, "Zero gradients"),
        (distils, "Masked gradients earn nothing"),
        (quantises, "Zero gradients"),
        (compresses, "autograd finds no path"),
        (climbs_stairs, "Zero gradients"),
        (dithers, "The model is random"),
        (ripples, "Masked gradients earn nothing"),
        (hides_an_honest_defence, "Zero gradients"),
        (gives_one_answer, "must not give up the task"),
        (trains_on_noise, "withstands little"),
        (returns_labels, "cannot be asked"),
        (returns_the_weights, "is wanted"),
    ],
    "10.6": [
        (maps_the_ends, "turns an interval round"),
        (sorts_the_ends, "it proves nothing"),
        (forgets_the_bias, "it proves nothing"),
        (adds_the_bias_twice, "times as wide"),
        (takes_absolute_weights_for_the_centre, "it proves nothing"),
        (forgets_to_halve, "times as wide"),
        (forgets_the_absolute_value, "turns an interval round"),
        (gives_the_upper_end_first, "turns an interval round"),
        (gives_the_centre_and_the_half_width, "it proves nothing"),
    ],
    "10.7": [
        (believes_the_estimate, "that is an estimate"),
        (divides_by_zero, "proves no probability of 1"),
        (multiplies_by_the_probability, "with the normal quantile"),
        (forgets_sigma, "sigma is missing"),
        (halves_alpha, "only the lower one"),
        (takes_the_upper_bound, "not at 1 − alpha"),
        (never_abstains, "the radius is negative"),
        (misplaces_the_one, "the + 1"),
        (takes_the_normal_interval, "normal approximation"),
    ],
}


# Right answers, written otherwise -------------------------------------------------------------------------------------

def loops_over_the_classes(logits, y):
    result = []
    for row, label in zip(logits, y.tolist(), strict=True):
        result.append(max(value for k, value in enumerate(row) if k != label) - row[label])
    return torch.stack(result)


def adds_the_difference_detached(model, transform, x, y):
    x = x.clone().requires_grad_()
    z = x + (transform(x) - x).detach()
    F.cross_entropy(model(z), y, reduction="sum").backward()
    return x.grad


def compares_one_by_one(left, tolerance):
    found = {"unbounded": not left["unbounded"] <= tolerance}
    for weaker in ("transfer", "black box", "one step", "noise"):
        found[weaker] = left["gradient"] - left[weaker] > tolerance
    return found


def trains_a_linear_model_by_its_closed_form(x, y, eps):
    model = nn.Sequential(nn.Flatten(), nn.Linear(36, CLASSES))
    nn.init.zeros_(model[1].weight), nn.init.zeros_(model[1].bias)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    for _ in range(80):
        weight = model[1].weight
        worst = eps * (weight[None] - weight[:, None]).abs().sum(2)  # how much every other class can gain on y
        optimizer.zero_grad()
        F.cross_entropy(model(x) + worst[y], y).backward()
        optimizer.step()
    return model.requires_grad_(False)


def splits_the_weights_by_sign(weight, bias, low, high):
    plus, minus = weight.clamp_min(0), weight.clamp_max(0)
    return low @ plus.T + high @ minus.T + bias, high @ plus.T + low @ minus.T + bias


def bisects_for_the_bound(count, samples, sigma, alpha):
    from scipy.special import betaincinv, ndtri

    bound = betaincinv(count, samples - count + 1, alpha) if count > 0 else 0
    return float(max(0, sigma * ndtri(bound))) if bound > 0 else 0.0


RIGHT = {
    "10.1": [loops_over_the_classes],
    "10.2": [adds_the_difference_detached],
    "10.3": [compares_one_by_one],
    "10.5": [trains_a_linear_model_by_its_closed_form],
    "10.6": [splits_the_weights_by_sign],
    "10.7": [bisects_for_the_bound],
}
