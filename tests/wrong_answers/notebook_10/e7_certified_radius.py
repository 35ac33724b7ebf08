"""Plausible wrong answers to exercise 10.7, each with a part of the message that it should get, and right ones."""

from advcourse.defenses.smoothing import lower_confidence_bound
from advcourse.exercises.notebook_10.e7_certified_radius import (
    certified_radius,
    from_rate,
    normal_radius,
    shifted_radius,
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
]

RIGHT = [bisects_for_the_bound]
