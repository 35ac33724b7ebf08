"""Randomised smoothing: a classifier that answers with the majority over Gaussian noise, and a proof that comes with
each answer.

    g(x) = the class that f(x + noise) gives most often,   noise ~ N(0, sigma² I)

If that class has probability p > 1/2, no change of Euclidean length below sigma · Φ⁻¹(p) can change g's answer. p is
not known but estimated from samples, so the certificate holds with a chosen confidence, whatever the classifier f is.

Cohen, Rosenfeld, Kolter, "Certified adversarial robustness via randomized smoothing", ICML 2019.
"""

import torch
from torch.nn import functional as F

from advcourse.attacks import contract
from advcourse.models.inference import device_of, evaluating

ABSTAIN = -1
CHUNK = 1000  # noisy images in one call of the model


def noisy_loss(sigma):
    """The loss of training for smoothing: cross-entropy on images with Gaussian noise, for `training.fit(…,
    loss=noisy_loss(0.25))`."""
    def loss(model, x, y):
        return F.cross_entropy(model(x + sigma * torch.randn_like(x)), y)
    return loss


def lower_confidence_bound(successes, trials, alpha):
    """The Clopper-Pearson lower bound: with probability at least 1 − alpha the true rate lies above it, whatever it is.

    The rate at which so many successes or more would have probability alpha: a quantile of a beta distribution. Returns
    a number in [0, 1].
    """
    from scipy.stats import beta

    if not (0 <= successes <= trials and trials >= 1 and 0 < alpha < 1):
        raise ValueError(f"wanted 0 <= successes <= trials, trials >= 1 and 0 < alpha < 1; got {successes}, {trials}, "
                         f"{alpha}")
    return 0.0 if successes == 0 else float(beta.ppf(alpha, successes, trials - successes + 1))


def certified_radius(probability, sigma):
    """sigma · Φ⁻¹(probability): within this Euclidean distance the majority cannot change; 0 for a probability of 1/2
    or less."""
    from scipy.stats import norm

    return max(0.0, sigma * float(norm.ppf(probability)))


def certify(model, x, *, sigma, samples=1000, guesses=100, alpha=0.001, generator=None):
    """The smoothed classifier's answers and the radii within which they are certain, each with confidence 1 − alpha.

    model: from images (N, C, H, W) to logits (N, K); it sees images with noise, not clipped to [0, 1]. x: images in [0,
    1].
    sigma: the noise. guesses: how many noisy copies choose the class; samples: how many others estimate its
    probability.
    generator: a torch.Generator on the images' device.
    Returns (classes, radii), shape (N,) each; where the lower bound of the probability is not above 1/2 the class is
    ABSTAIN and the radius 0. Costs guesses + samples forward passes per image.

    Cohen, Rosenfeld, Kolter, ICML 2019, CERTIFY in section 3.2.2.
    """
    contract.check(x, samples=samples, guesses=guesses)
    contract.check_positive(sigma=sigma)
    generator = contract.generator_for(x, generator)
    classes, radii = [], []
    for image in x:
        guess = class_counts(model, image, sigma, guesses, generator).argmax()
        count = class_counts(model, image, sigma, samples, generator)[guess].item()
        radius = certified_radius(lower_confidence_bound(count, samples, alpha), sigma)
        classes.append(guess.item() if radius > 0 else ABSTAIN)
        radii.append(radius)
    return torch.tensor(classes, device=x.device), torch.tensor(radii, device=x.device, dtype=x.dtype)


def class_counts(model, image, sigma, samples, generator):
    """How often the model gives each class to one image, (C, H, W), under `samples` draws of the noise; shape (K,)."""
    counts = 0
    device = device_of(model, default=image.device)
    with evaluating(model), torch.no_grad():
        for start in range(0, samples, CHUNK):
            shape = (min(CHUNK, samples - start), *image.shape)
            noisy = image + sigma * torch.randn(shape, generator=generator, device=image.device, dtype=image.dtype)
            logits = model(noisy.to(device))
            counts = counts + torch.bincount(logits.argmax(1), minlength=logits.shape[1])
    return counts.to(image.device)


def certified_accuracy(classes, radii, y, radius):
    """The share of the images whose answer is the label y and is certain within `radius`: a guaranteed lower bound on
    robust accuracy."""
    return ((classes == y) & (radii >= radius)).double().mean().item()
