"""Defences that only look like some: each makes a naive attack fail and leaves the model as easy to fool as before.

They hide the gradient, or make it useless, and do nothing about the adversarial examples themselves (Athalye, Carlini,
Wagner, "Obfuscated gradients give a false sense of security", ICML 2018). They are here to be broken; each names the
attack that does it.
A defence is a function from a model to a model: from images in [0, 1], shape (N, C, H, W), to logits (N, K).
"""

import math

import torch
from torch.nn import functional as F

from advcourse.attacks.camera import jpeg
from advcourse.models.inference import predict
from advcourse.training.loop import fit

# Saturation: the softmax is so sure that the loss has no slope left

def saturated(model, scale=1000.0):
    """The model with its logits multiplied: the same answers, and a cross-entropy whose gradient is 0 in floating
    point.

    Broken by a loss that does not saturate: `apgd(…, loss="dlr")`, Carlini and Wagner's attack, or by `square`.
    """
    return lambda x: scale * model(x)


def distilled(model, student, x, *, temperature=100.0, epochs=4, learning_rate=1e-2, seed=0):
    """Defensive distillation: train `student` in place on what `model` says of the images x, at a high temperature;
    return it.

        softmax(student(x) / temperature) ≈ softmax(model(x)),   used later without the temperature, on logits that are
                                                                 that much larger

    student: an untrained network (images to logits). The classes that `model` gives x take the place of the labels in
    the training loop. Broken by the same attacks as `saturated`.

    Papernot et al., "Distillation as a defense to adversarial perturbations", S&P 2016. They train the teacher, too, at
    the temperature, which makes its logits as much larger and its probabilities at that temperature those of an
    ordinary teacher. Broken by Carlini and Wagner, "Towards evaluating the robustness of neural networks", S&P 2017,
    section VIII.
    """
    def loss(student, images, _):
        with torch.no_grad():
            wanted = model(images).softmax(1)
        return F.cross_entropy(student(images) / temperature, wanted)

    fit(student, x, predict(model, x).argmax(1), epochs=epochs, learning_rate=learning_rate, loss=loss, seed=seed)
    return student.requires_grad_(False)


# Transforms of the input that have no derivative, or a useless one

def quantised(model, levels=8):
    """The model behind a rounding of every pixel to `levels` grey values (Guo et al., ICLR 2018; Xu et al., NDSS 2018).

    Rounding is flat: its derivative is 0 almost everywhere. Broken by BPDA, which takes the derivative of the identity
    in its place.
    """
    return lambda x: model((x * (levels - 1)).round() / (levels - 1))


def jpeg_compressed(model, quality=75):
    """The model behind JPEG compression, done outside of autograd, as a library call would be (Guo et al., ICLR 2018).

    There is no gradient at all, so that every attack by gradients stops with an error. Broken by BPDA, by transfer and
    by `square`.
    """
    def defended(x):
        with torch.no_grad():
            return model(jpeg(x, quality))
    return defended


def stepped(model, stairs=8):
    """The model behind a smooth staircase t(x) = x − sin(2π·stairs·x) / (2π·stairs): flat at black, at white and
    between the steps.

    An attack that starts at the image itself finds no slope at black and white pixels. Broken by a random start.
    """
    return lambda x: model(x - torch.sin(2 * math.pi * stairs * x) / (2 * math.pi * stairs))


def rippled(model, height=0.03, frequency=3000.0):
    """The model behind t(x) = x + height · sin(frequency · x + place): tiny waves, so steep that the gradient's sign is
    a toss of a coin.

    place: the pixel's number, so that pixels of one grey value stand at different places of the wave. All gradients are
    there and right, and none says anything about a step of visible size: they are shattered. Broken by BPDA, by
    transfer and by `square`.
    """
    def defended(x):
        place = torch.arange(x[0].numel(), device=x.device, dtype=x.dtype).view(x.shape[1:])
        return model(x + height * torch.sin(frequency * x + place))
    return defended


# Randomness

def dithered(model, height=0.05, frequency=100.0, generator=None):
    """The model behind waves as in `rippled`, whose phase is drawn anew for every pixel of every call: gradients are
    mostly noise.

    generator: a torch.Generator on the images' device, seeded with 0 unless given.
    Broken by the mean over many calls: expectation over transformation, `eot(…, transform=lambda images: images)`, or
    many more steps.
    """
    generators = {}

    def defended(x):
        own = generator or generators.setdefault(x.device, torch.Generator(x.device).manual_seed(0))
        phase = 2 * math.pi * torch.rand(x.shape, generator=own, device=x.device, dtype=x.dtype)
        return model(x + height * torch.sin(frequency * x + phase))
    return defended


# What an attacker puts in place of a bad gradient

def bpda(defended, substitute):
    """Backward pass differentiable approximation: a model with the answers of `defended` and the gradients of
    `substitute`.

    Both are callables from images to tensors of the same shape: two models, or the transform of the input and something
    like it, for instance the identity. Hand the result to any attack by gradients.

    Athalye, Carlini, Wagner, "Obfuscated gradients give a false sense of security", ICML 2018, section 4.1.
    """
    def attacked(x):
        smooth = substitute(x)
        return smooth + (defended(x) - smooth).detach()
    return attacked
