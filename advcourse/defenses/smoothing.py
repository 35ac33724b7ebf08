"""Randomised smoothing: a classifier that answers with the majority over Gaussian noise, each time with a proof.

    g(x) = the class that f(x + noise) gives most often,   noise ~ N(0, sigma² I)

If that class has probability p > 1/2, no change of Euclidean length below sigma · Φ⁻¹(p) can change g's answer. p is
not known but estimated from samples, so the certificate holds with a chosen confidence, whatever the classifier f is.

Cohen, Rosenfeld, Kolter, "Certified adversarial robustness via randomized smoothing", ICML 2019.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from advcourse.attacks import contract
from advcourse.attacks.contract import Model
from advcourse.models.inference import IMAGES_AT_ONCE, device_of, evaluating

ABSTAIN = -1


def noisy_loss(sigma: float) -> Callable[[nn.Module, Tensor, Tensor], Tensor]:
    """The loss of training for smoothing: cross-entropy on images with Gaussian noise.

    sigma: the noise's standard deviation, at least 0; drawn from torch's global generator, which `fit` seeds.
    Returns a loss (model, x, y) -> scalar for `training.fit`.
    Raises nothing itself.
    Cost: 1 forward and 1 backward pass, no more than ordinary training.

    Cohen, Rosenfeld, Kolter, ICML 2019, section 3.3.
    """
    def loss(model, x, y):
        return F.cross_entropy(model(x + sigma * torch.randn_like(x)), y)
    return loss


def lower_confidence_bound(successes: int, trials: int, alpha: float) -> float:
    """The Clopper-Pearson lower bound: with probability at least 1 − alpha the true rate lies above it.

    The rate at which so many successes or more would have probability alpha: a quantile of a beta distribution.
    successes: 0 to trials. trials: at least 1. alpha: in (0, 1).
    Returns a number in [0, 1].
    Raises ValueError where an argument is not as said here.
    Cost: no pass of a model.

    Clopper, Pearson, "The use of confidence or fiducial limits illustrated in the case of the binomial", 1934.
    """
    from scipy.stats import beta

    if not (0 <= successes <= trials and trials >= 1 and 0 < alpha < 1):
        raise ValueError("wanted 0 <= successes <= trials, trials >= 1 and "
                         f"0 < alpha < 1; got {successes}, {trials}, {alpha}")
    return 0.0 if successes == 0 else float(beta.ppf(alpha, successes, trials - successes + 1))


def certified_radius(probability: float, sigma: float) -> float:
    """The Euclidean distance within which the majority cannot change: sigma · Φ⁻¹(probability).

    probability: of the most frequent class, in [0, 1]. sigma: the noise's standard deviation, at least 0.
    Returns the radius; 0 for a probability of 1/2 or less.
    Raises nothing itself.
    Cost: no pass of a model.

    Cohen, Rosenfeld, Kolter, ICML 2019, theorem 1.
    """
    from scipy.stats import norm

    return max(0.0, sigma * float(norm.ppf(probability)))


def certify(model: Model, x: Tensor, *, sigma: float, samples: int = 1000, guesses: int = 100, alpha: float = 0.001,
            generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
    """The smoothed classifier's answers and the radii within which they are certain, each with confidence 1 − alpha.

    model: from images (N, C, H, W) to logits (N, K); it sees images with noise, not clipped to [0, 1].
    x: images in [0, 1]. sigma: the noise's standard deviation, above 0.
    guesses: how many noisy copies choose the class. samples: how many others estimate its probability. Both at least 1.
    alpha: in (0, 1). generator: on x's device. None: a fresh one of seed 0, the same numbers in every call.
    Returns (classes, radii), shape (N,) each; where the lower bound of the probability is not above 1/2 the class is
        ABSTAIN and the radius 0.
    Raises ValueError where an argument is not as said here.
    Cost: guesses + samples forward passes per image.

    Cohen, Rosenfeld, Kolter, ICML 2019, CERTIFY in section 3.2.2.
    """
    contract.check(x, samples=samples, guesses=guesses)
    contract.check_positive(sigma=sigma)
    generator = contract.generator_for(x, generator)
    classes, radii = [], []
    for image in x:
        guess = class_counts(model, image, sigma=sigma, samples=guesses, generator=generator).argmax()
        count = class_counts(model, image, sigma=sigma, samples=samples, generator=generator)[guess].item()
        radius = certified_radius(lower_confidence_bound(count, samples, alpha), sigma)
        classes.append(guess.item() if radius > 0 else ABSTAIN)
        radii.append(radius)
    return torch.tensor(classes, device=x.device), torch.tensor(radii, device=x.device, dtype=x.dtype)


def class_counts(model: Model, image: Tensor, *, sigma: float, samples: int, generator: torch.Generator) -> Tensor:
    """How often the model gives each class to one image under noise.

    model: from images (N, C, H, W) to logits (N, K). image: shape (C, H, W). sigma: the noise's standard deviation.
    samples: draws of the noise, at least 1. generator: of the noise, on the image's device.
    Returns counts, shape (K,), which sum to `samples`.
    Raises RuntimeError where the generator is on another device than the image.
    Cost: samples forward passes.

    Cohen, Rosenfeld, Kolter, ICML 2019, SAMPLEUNDERNOISE in section 3.2.2.
    """
    counts = 0
    device = device_of(model, default=image.device)
    with evaluating(model), torch.no_grad():
        for start in range(0, samples, IMAGES_AT_ONCE):
            shape = (min(IMAGES_AT_ONCE, samples - start), *image.shape)
            noisy = image + sigma * torch.randn(shape, generator=generator, device=image.device, dtype=image.dtype)
            logits = model(noisy.to(device))
            counts = counts + torch.bincount(logits.argmax(1), minlength=logits.shape[1])
    return counts.to(image.device)


def certified_accuracy(classes: Tensor, radii: Tensor, y: Tensor, radius: float) -> float:
    """The share of the images whose answer is right and certain: a guaranteed lower bound on robust accuracy.

    classes, radii: as `certify` returns them, shape (N,) each. y: the labels, shape (N,). radius: at least 0.
    Returns a share in [0, 1]: of the images with class y and a radius of at least `radius`.
    Raises RuntimeError where the shapes do not fit.
    Cost: no pass of a model.

    Cohen, Rosenfeld, Kolter, ICML 2019, section 4.
    """
    return ((classes == y) & (radii >= radius)).double().mean().item()
