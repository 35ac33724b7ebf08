"""Plausible wrong answers to exercise 10.7, each with a part of the message that it should get, and right ones."""

import torch

from advcourse.defenses.smoothing import lower_confidence_bound
from advcourse.exercises.notebook_10.e7_certified_radius import (
    certified_radius,
    from_rate,
    hoeffding,
    normal_radius,
    phi_radius,
    shifted_radius,
    wilson,
)


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


def takes_hoeffdings_bound(count, samples, sigma, alpha):
    return from_rate(hoeffding(count / samples, samples, alpha), sigma)


def takes_hoeffdings_bound_for_two_ends(count, samples, sigma, alpha):
    return from_rate(hoeffding(count / samples, samples, alpha / 2), sigma)


def takes_wilsons_interval(count, samples, sigma, alpha):
    return from_rate(wilson(count / samples, samples, alpha), sigma)


def takes_the_distribution_for_its_inverse(count, samples, sigma, alpha):
    return phi_radius(count, samples, sigma, alpha)


def multiplies_by_the_variance(count, samples, sigma, alpha):
    return certified_radius(count, samples, sigma, alpha) * sigma


def divides_by_sigma(count, samples, sigma, alpha):
    return certified_radius(count, samples, 1.0, alpha) / sigma


def returns_the_bound(count, samples, sigma, alpha):
    return lower_confidence_bound(count, samples, alpha)


def halves_the_radius(count, samples, sigma, alpha):
    return certified_radius(count, samples, sigma, alpha) / 2


def halves_the_interval_of_binomtest(count, samples, sigma, alpha):
    from scipy.stats import binomtest, norm

    p = binomtest(count, samples).proportion_ci(1 - alpha, "exact").low
    return float(sigma * norm.ppf(p)) if p > 0.5 else 0.0


def asks_binomtest(count, samples, sigma, alpha):
    from scipy.stats import binomtest, norm

    p = binomtest(count, samples, alternative="greater").proportion_ci(1 - alpha, "exact").low
    return sigma * norm.ppf(max(p, 0.5))


def goes_by_tensors(count, samples, sigma, alpha):
    from scipy.stats import beta

    p = torch.tensor(beta.ppf(alpha, count, samples - count + 1), dtype=torch.float64)
    return (sigma * torch.distributions.Normal(0.0, 1.0).icdf(p)).clamp_min(0)


def bisects_for_the_bound(count, samples, sigma, alpha):
    from scipy.special import betaincinv, ndtri

    bound = betaincinv(count, samples - count + 1, alpha) if count > 0 else 0
    return float(max(0, sigma * ndtri(bound))) if bound > 0 else 0.0


WRONG = [
    (believes_the_estimate, "that is an estimate"),
    (divides_by_zero, "proves no probability of 1"),
    (multiplies_by_the_probability, "with the normal quantile"),
    (forgets_sigma, "sigma is missing"),
    (halves_alpha, "only the lower one"),
    (takes_the_upper_bound, "not at 1 − alpha"),
    (never_abstains, "the radius is negative"),
    (misplaces_the_one, "the + 1"),
    (takes_the_normal_interval, "normal approximation"),
    (takes_hoeffdings_bound, "Hoeffding's bound, which holds"),
    (takes_hoeffdings_bound_for_two_ends, "Hoeffding's bound for two ends"),
    (takes_wilsons_interval, "Wilson's interval"),
    (takes_the_distribution_for_its_inverse, "this is Φ of p"),
    (multiplies_by_the_variance, "sigma squared"),
    (divides_by_sigma, "you divide by sigma"),
    (returns_the_bound, "the probability bound itself"),
    (halves_the_radius, "the radius is halved"),
    (halves_the_interval_of_binomtest, "only the lower one"),
]

RIGHT = [bisects_for_the_bound, asks_binomtest, goes_by_tensors]
