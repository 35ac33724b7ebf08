"""Detecting adversarial examples, four ways, and how an attacker who knows the detector gets past each of them.

A *score* is a function from images (N, C, H, W) to one number per image, shape (N,), larger for stranger ones. `alarm`
calibrates it on clean images, and `guarded` makes one model out of a classifier and an alarm, with one class more:
"caught". To attack the pair is then nothing new: any attack of the course, towards a class that is neither the true one
nor the last.

Carlini, Wagner, "Adversarial examples are not easily detected: bypassing ten detection methods", AISec 2017.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from advcourse import attacks, models
from advcourse.attacks import losses
from advcourse.attacks.contract import Model, Norm
from advcourse.models.inference import predict
from advcourse.randomness import seeded
from advcourse.training.loop import fit

Score = Callable[[Tensor], Tensor]

# Four scores

def residual_score(x: Tensor, components: int = 50) -> Score:
    """Input statistics: the squared length of what the first principal components leave over, per pixel.

    Natural images need few components; adversarial changes spread over all of them.
    x: clean images, shape (N, C, H, W), whose components they are. components: how many are kept, at least 1.
    Returns the score, a function from images to numbers (N,).
    Raises RuntimeError, when it is called, for images of another size than x.
    Cost: no pass of a model.

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


def network_score(x: Tensor, x_adv: Tensor, *, epochs: int = 3, learning_rate: float = 2e-3, seed: int = 0) -> Score:
    """A second network, trained to tell clean from adversarial images: its logit of "adversarial" minus "clean".

    x, x_adv: clean images and adversarial examples of the same number, shape (N, C, H, W).
    epochs, learning_rate, seed: of the training, as of `training.fit`.
    Returns the score, a function from images to numbers (N,).
    Raises ValueError where `fit` does.
    Cost: epochs · 2 N forward and backward passes of the second network.

    After Gong, Wang, Ku, "Adversarial and clean data are not twins", 2017; Grosse et al. add such a class to the
    classifier itself.
    """
    with seeded(seed):
        detector = models.cnn(x.shape[1:], 2).to(x.device)
    fit(detector, torch.cat([x, x_adv]), torch.arange(2, device=x.device).repeat_interleave(len(x)), epochs=epochs,
        learning_rate=learning_rate, seed=seed)
    detector.requires_grad_(False)
    return lambda images: detector(images).diff(dim=1)[:, 0]


def density_score(model: Model, features: Callable[[Tensor], Tensor], x: Tensor) -> Score:
    """Kernel density in feature space: minus its log, under the features of clean images of the predicted class.

        −log Σ_j exp(−‖φ(image) − φ(x_j)‖² / (2 σ²)),   j over the x of the predicted class,   σ² the mean distance²
                                                        between neighbours

    model: from images in [0, 1], shape (N, C, H, W), to logits (N, K).
    features: a function from images to feature vectors φ, shape (N, D), such as the network without its last layer.
    x: clean images.
    Returns the score, a function from images to numbers (N,).
    Raises RuntimeError where the features are not vectors.
    Cost: a forward pass of model and features for each of x, and later for each image that is scored.

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


def reconstruction_score(x: Tensor, *, hidden: int = 64, epochs: int = 10, learning_rate: float = 3e-3,
                         seed: int = 0) -> Score:
    """MagNet's detector: the mean absolute error with which an autoencoder gives an image back.

    x: clean images, shape (N, C, H, W), on which it is trained. hidden: its inner layer's units, at least 1.
    epochs, learning_rate, seed: of the training, as of `training.fit`.
    Returns the score, a function from images to numbers (N,).
    Raises ValueError where `fit` does.
    Cost: epochs · N forward and backward passes of the autoencoder.

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

def alarm(score: Score, x: Tensor, false_alarms: float = 0.05) -> Score:
    """A score, shifted and scaled so that it is above 0 on a given share of the clean images: an alarm.

    Its unit is the spread of the clean scores: half the distance between their 16 % and 84 % quantiles.
    score: from images to numbers (N,). x: clean images. false_alarms: the share of them that raise it, in (0, 1).
    Returns the alarm, a function from images to numbers (N,).
    Raises ValueError where false_alarms does not lie between 0 and 1.
    Cost: one score of each of x.

    Detectors are compared at one rate of false alarms: Carlini, Wagner, "Adversarial examples are not easily detected",
    AISec 2017.
    """
    if not 0 < false_alarms < 1:
        raise ValueError(f"false_alarms must lie between 0 and 1; got {false_alarms!r}")
    scores = predict(score, x)
    threshold = scores.quantile(1 - false_alarms)
    spread = (scores.quantile(0.84) - scores.quantile(0.16)) / 2
    return lambda images: (score(images) - threshold) / spread


def guarded(model: Model, alarm: Score, weight: float = 3.0) -> Model:
    """One model of K + 1 classes out of a classifier of K and an alarm.

        z_{K+1} = max_k z_k + weight · alarm

    The last class, "caught", wins exactly where the alarm is above 0.
    model: from images in [0, 1], shape (N, C, H, W), to logits (N, K). alarm: from images to numbers (N,), as `alarm`
        makes it. weight: above 0.
    Returns the model, from images to logits (N, K + 1).
    Raises RuntimeError, when it is called, where the shapes do not fit.
    Cost: that of the model and of the alarm.

    Carlini, Wagner, 2017, section 4, write (D(x) + 1) · max_k z_k for a detector with the logit D(x), which wants max_k
    z_k > 0.
    """
    def combined(x):
        logits = model(x)
        return torch.cat([logits, (logits.amax(1) + weight * alarm(x))[:, None]], 1)
    return combined


def caught(alarm: Score, x: Tensor) -> float:
    """The share of images that raise the alarm.

    alarm: from images to numbers (N,). x: images, shape (N, C, H, W).
    Returns a share in [0, 1]; nan of no images.
    Raises nothing itself.
    Cost: one alarm per image.

    The detection rate of Carlini, Wagner, AISec 2017.
    """
    return (predict(alarm, x) > 0).double().mean().item()


def undetected(model: Model, alarm: Score, x_adv: Tensor, y: Tensor) -> float:
    """The share of images that fool the model and raise no alarm: the attacker's success.

    model: from images in [0, 1], shape (N, C, H, W), to logits (N, K). alarm: from images to numbers (N,).
    x_adv: such images. y: the true labels, (N,).
    Returns a share in [0, 1]; nan of no images.
    Raises RuntimeError where the shapes do not fit.
    Cost: one forward pass and one alarm per image.

    Carlini, Wagner, AISec 2017.
    """
    fooled = losses.fools(predict(model, x_adv), y)
    return (fooled & (predict(alarm, x_adv) <= 0)).double().mean().item()


def bypass(model: Model, alarm: Score, x: Tensor, y: Tensor, *, eps: float, norm: Norm = "linf", steps: int = 100,
           weight: float = 3.0, generator: torch.Generator | None = None) -> Tensor:
    """The adaptive attack: PGD on `guarded(model, alarm)` towards the likeliest wrong class that is not "caught".

    model: from images in [0, 1], shape (N, C, H, W), to logits (N, K). alarm: from images to numbers (N,).
    x: images. y: their labels, shape (N,), int64.
    eps: the radius of the ball, at least 0. norm: "linf", "l2" or "l1". steps: at least 1. weight: of the alarm in the
        guarded model's last logit, above 0.
    generator: of the random start, on x's device. None: a fresh one of seed 0, the same numbers in every call.
    Returns x_adv: detached, in the ball and the box.
    Raises ValueError where an argument is not as said here, or y does not fit the logits, or these carry no gradient.
    Cost: steps + 2 forward and steps backward passes of the model, one less of the alarm.

    Carlini, Wagner, "Adversarial examples are not easily detected", AISec 2017, section 4.
    """
    target = predict(model, x).scatter(1, y[:, None], -torch.inf).argmax(1)
    return attacks.pgd(guarded(model, alarm, weight), x, target, eps=eps, norm=norm, steps=steps, targeted=True,
                       generator=generator)
