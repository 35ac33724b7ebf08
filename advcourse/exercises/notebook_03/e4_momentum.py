"""03.4: the momentum."""

import torch

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.properties import equals


def add_momentum(momentum, gradient, decay):
    size = gradient.abs().flatten(1).sum(1).clamp_min(1e-12)
    return decay * momentum + gradient / size.view(-1, 1, 1, 1)


def momentum_probes(generator):
    def draw(scale=1.0):
        return torch.randn(6, 2, 4, 5, generator=generator) * scale

    # Gradients of very different sizes, as they are in practice, and one image whose gradient has vanished.
    gradient = draw() * 10.0 ** torch.linspace(-3, 2, 6).view(-1, 1, 1, 1)
    vanished = draw()
    vanished[2] = 0
    return [{"momentum": draw(0.1), "gradient": gradient, "decay": 0.9},
            {"momentum": draw(0.1), "gradient": vanished, "decay": 0.4}]


def scaled(norm):
    """The mistake of dividing by something else: `norm` takes the gradient to the divisors, one for each image."""
    def formula(momentum, gradient, decay):
        return decay * momentum + gradient / norm(gradient.flatten(1)).clamp_min(1e-12).view(-1, 1, 1, 1)
    return formula


exercise = Exercise(
    number="03.4",
    title="The momentum",
    points=3,
    minutes=10,
    hints=(
        ("What is the ℓ₁ norm of an image's gradient?",
         "The sum of the absolute values of all its entries, one number for each image."),
        ("How do I get one number for each image?",
         "`gradient.abs().flatten(1).sum(1)` has the shape (N,); with `.view(-1, 1, 1, 1)` it can divide images."),
        ("Show me nearly all of it.",
         "`decay * momentum + gradient / size`, with size as above "
         "and `.clamp_min(1e-12)` against gradients that are zero."),
    ),
    reference=add_momentum,
    probes=momentum_probes,
    properties={
        "it is decay · momentum + gradient / ‖gradient‖₁": equals(add_momentum, mistakes={
            "you divide by the Euclidean norm; the formula has the sum of the absolute values":
                scaled(lambda rows: rows.norm(dim=1)),
            "you divide by the mean of the absolute values; the formula has their sum":
                scaled(lambda rows: rows.abs().mean(1)),
            "you divide by the largest entry; the formula has the sum of the absolute values":
                scaled(lambda rows: rows.abs().amax(1)),
            "you divide by the sum of the entries, in which plus and minus cancel; the ℓ₁ norm is the sum of their "
            "absolute values":
                scaled(lambda rows: rows.sum(1).abs()),
            "you divide the whole batch by one number: an image with a "
            "large gradient then drowns the others. Sum image by image":
                scaled(lambda rows: rows.abs().sum().expand(len(rows))),
            "you divide every channel by a sum of its own: the norm is that of the whole image, one number":
                lambda momentum, gradient, decay: (
                    decay * momentum + gradient / gradient.abs().sum((2, 3), keepdim=True).clamp_min(1e-12)),
            "you sum over the channels alone (dim=1), pixel by pixel: the norm is that of the whole image, one number":
                lambda momentum, gradient, decay: (
                    decay * momentum + gradient / gradient.abs().sum(1, keepdim=True).clamp_min(1e-12)),
            "you sum over the images (dim=0): every image has a norm of its own":
                lambda momentum, gradient, decay: (
                    decay * momentum + gradient / gradient.abs().sum(0, keepdim=True).clamp_min(1e-12)),
            "the gradient comes in as it is: divide it by its ℓ₁ norm first, or the largest gradient rules the sum":
                lambda momentum, gradient, decay: decay * momentum + gradient,
            "the old momentum is lost: this is the new gradient alone":
                lambda momentum, gradient, decay: add_momentum(momentum, gradient, 0.0),
            "the gradient is lost: this is the old momentum, decayed":
                lambda momentum, gradient, decay: decay * momentum,
            "nothing decays: multiply the old momentum by decay":
                lambda momentum, gradient, decay: add_momentum(momentum, gradient, 1.0),
            "you add signs: the sign is taken of the *sum*, later, when the step is made":
                lambda momentum, gradient, decay: decay * momentum + gradient.sign(),
            "you return the sign of the sum: it is taken later, when the step is made; the sum itself goes on":
                lambda **probe: add_momentum(**probe).sign(),
            "decay multiplies the gradient too; it belongs to the old momentum only":
                lambda momentum, gradient, decay: decay * add_momentum(momentum, gradient, 1.0),
            "decay multiplies the gradient; it belongs to the old momentum":
                lambda momentum, gradient, decay: momentum + decay * add_momentum(momentum, gradient, 0.0),
            "this is a weighted mean, decay · old + (1 − decay) · new; in MIM the new gradient comes in with weight 1":
                lambda momentum, gradient, decay: (
                    decay * momentum + (1 - decay) * add_momentum(momentum, gradient, 0.0)),
            "you normalise the whole sum; only the new gradient is divided":
                lambda momentum, gradient, decay: add_momentum(momentum, decay * momentum + gradient, 0.0),
        }),
    },
)
