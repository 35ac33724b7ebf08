"""Detecting adversarial examples, four ways, and how an attacker who knows the detector gets past each of them.

A *score* is a function from images (N, C, H, W) to one number per image, shape (N,), larger for stranger ones. `alarm`
calibrates it on
clean images, and `guarded` makes one model out of a classifier and an alarm, with one class more: "caught". To attack
the pair is then
nothing new: any attack of the course, towards a class that is neither the true one nor the last.

Carlini, Wagner, "Adversarial examples are not easily detected: bypassing ten detection methods", AISec 2017.
"""

import torch
from torch import nn
from torch.nn import functional as F

from advcourse import attacks, models
from advcourse.attacks import losses
from advcourse.models.inference import predict
from advcourse.randomness import seeded
from advcourse.training.loop import fit

# Four scores

def residual_score(x, components=50):
    """Input statistics: the squared length of what the first principal components of the images x leave over, per
    pixel.

    Natural images need few components; adversarial changes spread over all of them. x: shape (N, C, H, W); components:
    how many are kept.

    After Hendrycks, Gimpel, "Early methods for detecting adversarial images", ICLR workshop 2017, who look at the last
    components' variance.
    """
    mean = x.flatten(1).mean(0)
    _, _, directions = torch.linalg.svd(x.flatten(1) - mean, full_matrices=False)
    kept = directions[:components].T  # (pixels, components)

    def score(images):
        centred = images.flatten(1) - mean
        return (centred - centred @ kept @ kept.T).square().mean(1)
    return score


def network_score(x, x_adv, *, epochs=3, learning_rate=2e-3, seed=0):
    """A second network, trained to tell the images x from the adversarial x_adv: its logit of "adversarial" minus that
    of "clean".

    After Gong, Wang, Ku, "Adversarial and clean data are not twins", 2017; Grosse et al. add such a class to the
    classifier itself.
    """
    with seeded(seed):
        detector = models.cnn(x.shape[1:], 2).to(x.device)
    fit(detector, torch.cat([x, x_adv]), torch.arange(2, device=x.device).repeat_interleave(len(x)), epochs=epochs,
        learning_rate=learning_rate, seed=seed)
    detector.requires_grad_(False)
    return lambda images: detector(images).diff(dim=1)[:, 0]


def density_score(model, features, x):
    """Kernel density in feature space: minus the log of the density, under the features of the images x, of the class
    that `model` predicts.

        −log Σ_j exp(−‖φ(image) − φ(x_j)‖² / (2 σ²)),   j over the x of the predicted class,   σ² the mean distance²
                                                        between neighbours

    features: a function from images to feature vectors φ, shape (N, D), such as the network without its last layer.

    Feinman, Curtin, Shintre, Gardner, "Detecting adversarial samples from artifacts", 2017.
    """
    known, classes = predict(features, x), predict(model, x).argmax(1)
    squared = torch.cdist(known, known).square().fill_diagonal_(torch.inf)
    variance = squared.amin(1).mean()

    def score(images):
        found = features(images)
        # ‖a − b‖² for all pairs at once
        distance = found.square().sum(1)[:, None] - 2 * found @ known.T + known.square().sum(1)
        others = model(images).argmax(1)[:, None] != classes
        return -torch.logsumexp((-distance / (2 * variance)).masked_fill(others, -torch.inf), 1)
    return score


def reconstruction_score(x, *, hidden=64, epochs=10, learning_rate=3e-3, seed=0):
    """MagNet's detector: how badly an autoencoder, trained on the clean images x, gives an image back; the mean
    absolute error.

    Meng, Chen, "MagNet: a two-pronged defense against adversarial examples", CCS 2017; theirs is convolutional.
    """
    pixels = x[0].numel()
    with seeded(seed):
        autoencoder = nn.Sequential(nn.Flatten(), nn.Linear(pixels, hidden), nn.ReLU(), nn.Linear(hidden, pixels),
                                    nn.Sigmoid()).to(x.device)
    fit(autoencoder, x, torch.zeros(len(x), dtype=torch.int64), epochs=epochs, learning_rate=learning_rate, seed=seed,
        loss=lambda network, images, _: F.mse_loss(network(images), images.flatten(1)))
    autoencoder.requires_grad_(False)
    return lambda images: (autoencoder(images) - images.flatten(1)).abs().mean(1)


# From a score to an alarm, and to a model with one class more

def alarm(score, x, false_alarms=0.05):
    """The score, shifted and scaled so that it is above 0 on a share of `false_alarms` of the clean images x: an alarm.

    Its unit is the spread of the clean scores: half the distance between their 16 % and 84 % quantiles.
    Raises ValueError where false_alarms does not lie between 0 and 1.
    """
    if not 0 < false_alarms < 1:
        raise ValueError(f"false_alarms must lie between 0 and 1; got {false_alarms!r}")
    scores = predict(score, x)
    threshold = scores.quantile(1 - false_alarms)
    spread = (scores.quantile(0.84) - scores.quantile(0.16)) / 2
    return lambda images: (score(images) - threshold) / spread


def guarded(model, alarm, weight=3.0):
    """One model of K + 1 classes out of a classifier of K and an alarm: the last class, "caught", wins exactly where
    the alarm is above 0.

        z_{K+1} = max_k z_k + weight · alarm

    Carlini, Wagner, 2017, section 4, write (D(x) + 1) · max_k z_k for a detector with the logit D(x), which wants max_k
    z_k > 0.
    """
    def combined(x):
        logits = model(x)
        return torch.cat([logits, (logits.amax(1) + weight * alarm(x))[:, None]], 1)
    return combined


def caught(alarm, x):
    """The share of the images x that raise the alarm."""
    return (predict(alarm, x) > 0).double().mean().item()


def undetected(model, alarm, x_adv, y):
    """The share of the images x_adv that fool the model, whose label is y, and raise no alarm: the attacker's
    success."""
    fooled = losses.fools(predict(model, x_adv), y)
    return (fooled & (predict(alarm, x_adv) <= 0)).double().mean().item()


def bypass(model, alarm, x, y, *, eps, norm="linf", steps=100, weight=3.0, generator=None):
    """The adaptive attack: PGD on `guarded(model, alarm)` towards the likeliest wrong class, which is neither y nor
    "caught".

    x: images in [0, 1], shape (N, C, H, W); y: their labels, shape (N,); eps, norm, steps, generator: as of
    `attacks.pgd`.
    Returns x_adv: in the ball and the box.
    """
    target = predict(model, x).scatter(1, y[:, None], -torch.inf).argmax(1)
    return attacks.pgd(guarded(model, alarm, weight), x, target, eps=eps, norm=norm, steps=steps, targeted=True,
                       generator=generator)
