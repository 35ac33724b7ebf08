"""10.7: a certificate by voting."""

import math

import torch

from advcourse.defenses.smoothing import lower_confidence_bound
from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.properties import equals, finite


def certified_radius(count, samples, sigma, alpha):
    from scipy.stats import beta, norm

    probability = beta.ppf(alpha, count, samples - count + 1) if count else 0.0
    return float(sigma * norm.ppf(probability)) if probability > 0.5 else 0.0


def radius_probes(generator):
    probes = []
    for samples, low in ((100, 60), (1000, 900), (1000, 1000), (200, 104), (500, 150)):
        count = int(torch.randint(low, min(low + max(samples // 20, 1), samples) + 1, (1,), generator=generator))
        sigma = [0.12, 0.25, 0.5, 2.0][int(torch.randint(4, (1,), generator=generator))]  # 1 tells no mistake
        probes.append({"count": count, "samples": samples, "sigma": sigma, "alpha": 0.001 if samples < 300 else 0.01})
    return probes


def finite_and_not_negative(probe, result):
    if finite(probe, torch.tensor(float(result))):
        return "the radius is infinite or no number: a vote of all for one class proves no probability of 1"
    if result < 0:
        return "the radius is negative: where p is not above 1/2 nothing is certified, and the radius is 0"
    return None


def from_rate(rate, sigma):
    from scipy.stats import norm

    if rate <= 0.5:
        return 0.0
    return float(sigma * norm.ppf(rate)) if rate < 1 else float("inf")


def without_the_quantile(count, samples, sigma, alpha):
    probability = lower_confidence_bound(count, samples, alpha)
    return sigma * probability if probability > 0.5 else 0.0


def phi_radius(count, samples, sigma, alpha):
    from scipy.stats import norm

    probability = lower_confidence_bound(count, samples, alpha)
    return float(sigma * norm.cdf(probability)) if probability > 0.5 else 0.0


def shifted_radius(count, samples, sigma, alpha):
    from scipy.stats import beta, norm

    probability = beta.ppf(alpha, count + 1, samples - count) if count < samples else 1.0
    return float(sigma * norm.ppf(probability)) if 0.5 < probability < 1 else 0.0


def from_bound(bound):
    """A mistake in the bound: that of (rate, samples, alpha)."""
    return lambda count, samples, sigma, alpha: from_rate(bound(count / samples, samples, alpha), sigma)


def hoeffding(rate, samples, alpha):
    return rate - (math.log(1 / alpha) / (2 * samples)) ** 0.5


def wilson(rate, samples, alpha):
    from scipy.stats import norm

    z = norm.ppf(1 - alpha)
    spread = z * (rate * (1 - rate) / samples + z * z / (4 * samples * samples)) ** 0.5
    return (rate + z * z / (2 * samples) - spread) / (1 + z * z / samples)


def normal_radius(count, samples, sigma, alpha):
    from scipy.stats import norm

    rate = count / samples
    bound = rate + norm.ppf(alpha) * (rate * (1 - rate) / samples) ** 0.5
    return from_rate(bound, sigma)


exercise = Exercise(
    number="10.7",
    title="A certificate by voting",
    points=3,
    minutes=12,
    hints=(
        ("Why not count / samples?",
         "It is an estimate: by luck it may lie above the true probability, and then the certificate would be false. "
         "A lower confidence bound is wanted."),
        ("Which bound?",
         "Clopper and Pearson's: the α-quantile of a beta distribution, "
         "`scipy.stats.beta.ppf(alpha, count, samples - count + 1)`."),
        ("Show me nearly all of it.", "With that bound p: `sigma * scipy.stats.norm.ppf(p)` where p > 1/2, else 0."),
    ),
    reference=certified_radius,
    probes=radius_probes,
    gates={"it is a finite number, and not below 0": finite_and_not_negative},
    properties={
        "it is sigma · Φ⁻¹(p), p the lower confidence bound": equals(certified_radius, mistakes={
            "you take count / samples for the probability: that is an estimate, which may be too high. Use the lower "
            "confidence bound":
                lambda count, samples, sigma, alpha: from_rate(count / samples, sigma),
            "you multiply by the probability itself; the radius is sigma · Φ⁻¹(p), with the normal quantile":
                without_the_quantile,
            "sigma is missing: the radius is measured in units of the noise":
                lambda count, samples, sigma, alpha: certified_radius(count, samples, 1.0, alpha),
            "you halve alpha: the interval has one end here, only the lower one":
                lambda count, samples, sigma, alpha: certified_radius(count, samples, sigma, alpha / 2),
            "this is the upper confidence bound, which certifies too much: "
            "take the quantile at alpha, not at 1 − alpha":
                lambda count, samples, sigma, alpha: certified_radius(count, samples, sigma, 1 - alpha),
            "the quantile is that of beta(count, samples − count + 1): "
            "here the + 1 is missing or stands with the other number":
                shifted_radius,
            "this is the normal approximation of the interval, which does not hold near 1: use the beta quantile":
                normal_radius,
            "this is Hoeffding's bound, which holds and is looser: it certifies less than the beta quantile of Clopper "
            "and Pearson allows":
                from_bound(hoeffding),
            "this is Hoeffding's bound for two ends, which is looser than the beta quantile of Clopper and Pearson":
                from_bound(lambda rate, samples, alpha: hoeffding(rate, samples, alpha / 2)),
            "this is Wilson's interval, an approximation: a certificate needs the exact bound, the beta quantile":
                from_bound(wilson),
            "this is Φ of p; the radius takes the inverse, `norm.ppf`":
                phi_radius,
            "you multiply by sigma squared: the radius is sigma · Φ⁻¹(p)":
                lambda count, samples, sigma, alpha: sigma * certified_radius(count, samples, sigma, alpha),
            "you divide by sigma; the radius is sigma · Φ⁻¹(p)":
                lambda count, samples, sigma, alpha: certified_radius(count, samples, 1 / sigma, alpha),
            "this is the probability bound itself; the radius is sigma · Φ⁻¹(p)":
                lambda count, samples, sigma, alpha: lower_confidence_bound(count, samples, alpha),
            "the radius is halved: Cohen's σ/2 · (Φ⁻¹(p) − Φ⁻¹(1 − p)) is σ · Φ⁻¹(p) where the others get 1 − p":
                lambda count, samples, sigma, alpha: certified_radius(count, samples, sigma / 2, alpha),
        }),
    },
)
