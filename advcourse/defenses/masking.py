"""Defences that only look like some: each makes a naive attack fail and leaves the model as easy to fool as before.

They hide the gradient, or make it useless, and do nothing about the adversarial examples themselves (Athalye, Carlini,
Wagner, "Obfuscated gradients give a false sense of security", ICML 2018). They are here to be broken; each names the
attack that does it.
A defence is a function from a model to a model: from images in [0, 1], shape (N, C, H, W), to logits (N, K).
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from advcourse.attacks.camera import jpeg
from advcourse.attacks.contract import Model
from advcourse.models.inference import predict
from advcourse.training.loop import fit

# Saturation: the softmax is so sure that the loss has no slope left

def saturated(model: Model, scale: float = 1000.0) -> Model:
    """The model with its logits multiplied: the same answers, and a cross-entropy whose gradient rounds to 0.

    model: from images in [0, 1], shape (N, C, H, W), to logits (N, K). scale: what they are multiplied by, above 0.
    Returns the defended model.
    Raises nothing itself.
    Cost: that of the model.

    Carlini, Wagner, "Towards evaluating the robustness of neural networks", S&P 2017, section VIII. Broken by a loss
    that does not saturate: `apgd(…, loss="dlr")`, Carlini and Wagner's attack, or by `square`.
    """
    return lambda x: scale * model(x)


def distilled(model: Model, student: nn.Module, x: Tensor, *, temperature: float = 100.0, epochs: int = 4,
              learning_rate: float = 1e-2, seed: int = 0) -> nn.Module:
    """Defensive distillation: train `student` in place on what `model` says of the images x, at a high temperature.

        softmax(student(x) / temperature) ≈ softmax(model(x)),   used later without the temperature, on logits that are
                                                                 that much larger

    model: the teacher, from images in [0, 1], shape (N, C, H, W), to logits (N, K). The classes that it gives x take
        the place of the labels in the training loop. student: an untrained network of the same kind. x: images.
    temperature: above 0. epochs, learning_rate, seed: of the training, as of `training.fit`.
    Returns the student, its parameters frozen.
    Raises ValueError where `fit` does.
    Cost: epochs trainings of the student on x, and epochs + 1 forward passes of the teacher.

    Papernot et al., "Distillation as a defense to adversarial perturbations", S&P 2016. They train the teacher, too, at
    the temperature, which makes its logits as much larger and its probabilities at that temperature those of an
    ordinary teacher. Broken by Carlini and Wagner, "Towards evaluating the robustness of neural networks", S&P 2017,
    section VIII, and by the same attacks as `saturated`.
    """
    def loss(student, images, _):
        with torch.no_grad():
            wanted = model(images).softmax(1)
        return F.cross_entropy(student(images) / temperature, wanted)

    fit(student, x, predict(model, x).argmax(1), epochs=epochs, learning_rate=learning_rate, loss=loss, seed=seed)
    return student.requires_grad_(False)


# Transforms of the input that have no derivative, or a useless one

def quantised(model: Model, levels: int = 8) -> Model:
    """The model behind a rounding of every pixel to a few grey values.

    Rounding is flat: its derivative is 0 almost everywhere.
    model: from images in [0, 1], shape (N, C, H, W), to logits (N, K). levels: how many grey values, at least 2.
    Returns the defended model.
    Raises nothing itself.
    Cost: that of the model.

    Guo et al., "Countering adversarial images using input transformations", ICLR 2018; Xu et al., "Feature squeezing",
    NDSS 2018. Broken by BPDA, which takes the derivative of the identity in its place.
    """
    return lambda x: model((x * (levels - 1)).round() / (levels - 1))


def jpeg_compressed(model: Model, quality: int = 75) -> Model:
    """The model behind JPEG compression, done outside of autograd, as a library call would be.

    There is no gradient at all, so that every attack by gradients stops with an error.
    model: from images in [0, 1], shape (N, C, H, W), to logits (N, K). quality: of the JPEG file, 1 to 100.
    Returns the defended model.
    Raises ValueError, when it is called, where the quality is not as said here.
    Cost: that of the model, and a cosine transform of the images.

    Guo et al., "Countering adversarial images using input transformations", ICLR 2018. Broken by BPDA, by transfer and
    by `square`.
    """
    def defended(x):
        with torch.no_grad():
            return model(jpeg(x, quality))
    return defended


def stepped(model: Model, stairs: int = 8) -> Model:
    """The model behind a smooth staircase that is flat at black, at white and between the steps.

        t(x) = x − sin(2π · stairs · x) / (2π · stairs)

    An attack that starts at the image itself finds no slope at black and white pixels.
    model: from images in [0, 1], shape (N, C, H, W), to logits (N, K). stairs: at least 1.
    Returns the defended model.
    Raises nothing itself.
    Cost: that of the model.

    A shape of vanishing gradients, in the words of Athalye, Carlini, Wagner, ICML 2018. Broken by a random start.
    """
    return lambda x: model(x - torch.sin(2 * math.pi * stairs * x) / (2 * math.pi * stairs))


def rippled(model: Model, height: float = 0.03, frequency: float = 3000.0) -> Model:
    """The model behind tiny waves, so steep that the sign of the gradient is a matter of chance.

        t(x) = x + height · sin(frequency · x + place),   place: the pixel's number

    so that pixels of one grey value stand at different places of the wave. All gradients are there and right, and none
    says anything about a step of visible size: they are shattered.
    model: from images in [0, 1], shape (N, C, H, W), to logits (N, K).
    height: of the waves, in units of the grey values. frequency: in radians per unit.
    Returns the defended model.
    Raises nothing itself.
    Cost: that of the model.

    A shape of shattered gradients, in the words of Athalye, Carlini, Wagner, ICML 2018. Broken by BPDA, by transfer and
    by `square`.
    """
    def defended(x):
        place = torch.arange(x[0].numel(), device=x.device, dtype=x.dtype).view(x.shape[1:])
        return model(x + height * torch.sin(frequency * x + place))
    return defended


# Randomness

def dithered(model: Model, height: float = 0.05, frequency: float = 100.0,
             generator: torch.Generator | None = None) -> Model:
    """The model behind waves as in `rippled`, their phase drawn anew for every pixel of every call.

    Gradients are mostly noise.
    model: from images in [0, 1], shape (N, C, H, W), to logits (N, K).
    height: of the waves, in units of the grey values. frequency: in radians per unit.
    generator: of the phases, on the images' device. None: a fresh one of seed 0, the same numbers in every defended
        model.
    Returns the defended model.
    Raises RuntimeError, when it is called, where the generator is on another device than the images.
    Cost: that of the model.

    A shape of stochastic gradients, in the words of Athalye, Carlini, Wagner, ICML 2018. Broken by the mean over many
    calls: expectation over transformation, `eot(…, transform=lambda images: images)`, or many more steps.
    """
    generators = {}

    def defended(x):
        own = generator or generators.setdefault(x.device, torch.Generator(x.device).manual_seed(0))
        phase = 2 * math.pi * torch.rand(x.shape, generator=own, device=x.device, dtype=x.dtype)
        return model(x + height * torch.sin(frequency * x + phase))
    return defended


# What an attacker puts in place of a bad gradient

def bpda(defended: Callable[[Tensor], Tensor], substitute: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """Backward pass differentiable approximation: the answers of `defended` with the gradients of `substitute`.

    defended, substitute: callables from images to tensors of the same shape: two models, or the transform of the input
        and something like it, for instance the identity.
    Returns a callable of the same kind: hand it to any attack by gradients.
    Raises RuntimeError, when it is called, where the two shapes differ.
    Cost: a forward pass of both, and a backward pass of the substitute.

    Athalye, Carlini, Wagner, "Obfuscated gradients give a false sense of security", ICML 2018, section 4.1.
    """
    def attacked(x):
        smooth = substitute(x)
        return smooth + (defended(x) - smooth).detach()
    return attacked
