"""06.4: the gradient over transformations (EOT)."""

from functools import partial

import torch
from torch.nn import functional as F

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.probes import loss_gradient, random_images, small_model
from advcourse.exercises.properties import equals, finite


def eot_gradient(model, x, y, transforms):
    x = x.detach().clone().requires_grad_()
    with torch.enable_grad():
        loss = sum(F.cross_entropy(model(transform(x)), y) for transform in transforms) / len(transforms)
    return torch.autograd.grad(loss, x)[0]


def turned(x, quarters):
    return torch.rot90(x, quarters, dims=(2, 3))


def shifted(x, pixels):
    return torch.roll(x, pixels, dims=3)


def lit(x, light):
    return (light * x).clamp(0, 1)


def eot_probes(generator):
    model, x = small_model(generator), random_images(generator)
    y = torch.randint(4, (len(x),), generator=generator)
    return [{"model": model, "x": x, "y": y, "transforms": transforms} for transforms in (
        [partial(turned, quarters=1), partial(shifted, pixels=2), partial(lit, light=0.5)],
        [partial(lit, light=0.7), partial(lit, light=1.3), partial(turned, quarters=2), partial(shifted, pixels=-1)])]


def gradient_through_first(model, x, y, transforms):
    return eot_gradient(model, x, y, transforms[:1])


def gradient_through_last(model, x, y, transforms):
    return eot_gradient(model, x, y, transforms[-1:])


def gradient_through_all_in_a_row(model, x, y, transforms):
    """The mistake of applying one transform after the other."""
    def chain(images):
        for transform in transforms:
            images = transform(images)
        return images
    return eot_gradient(model, x, y, [chain])


def gradient_of_the_mean_image(model, x, y, transforms):
    return eot_gradient(model, x, y, [lambda images: sum(t(images) for t in transforms) / len(transforms)])


def gradient_of_the_mean_logits(model, x, y, transforms):
    x = x.detach().clone().requires_grad_()
    loss = F.cross_entropy(sum(model(transform(x)) for transform in transforms) / len(transforms), y)
    return torch.autograd.grad(loss, x)[0]


def gradient_that_stays_turned(model, x, y, transforms):
    """The mistake of taking gradients at the transformed images, and not through the transform."""
    return sum(loss_gradient(model, transform(x), y) for transform in transforms) / len(transforms) / len(x)


def mean_of_signs(model, x, y, transforms):
    return sum(eot_gradient(model, x, y, [transform]).sign() for transform in transforms) / len(transforms)


exercise = Exercise(
    number="06.4",
    title="The gradient over transformations",
    points=4,
    minutes=12,
    hints=(
        ("What is averaged?",
         "The loss: one loss for every transform, all at the same x and the same labels, then their mean. The "
         "gradient of a mean is the mean of the gradients, so either may be computed."),
        ("How does the gradient get through a transform?",
         "By itself: the transforms are made of tensor operations. Make x require grad, give `model(transform(x))` to "
         "the loss, and differentiate with respect to x."),
        ("Show me nearly all of it.",
         "`loss = sum(F.cross_entropy(model(transform(x)), y) for transform in transforms) / "
         "len(transforms)`, then `torch.autograd.grad(loss, x)[0]`."),
    ),
    reference=eot_gradient,
    probes=eot_probes,
    properties={
        "the gradient is finite": finite,
        "it is the gradient of the mean loss": equals(eot_gradient, tolerance=1e-6, mistakes={
            "no transform is in it: the model is to see `transform(x)`, not x":
                lambda **probe: eot_gradient(**probe | {"transforms": [torch.clone]}),
            "only the first transform is in it: does your function return inside the loop?":
                gradient_through_first,
            "only the last transform is in it: add up the losses of all, don't overwrite them":
                gradient_through_last,
            "you apply the transforms one after the other; each is to be applied to x itself":
                gradient_through_all_in_a_row,
            "this is the sum over the transforms: divide by their number":
                lambda **probe: len(probe["transforms"]) * eot_gradient(**probe),
            "this is the sum over the images: the loss is the mean over them, as `F.cross_entropy` gives it":
                lambda **probe: len(probe["x"]) * eot_gradient(**probe),
            "this is the sum over images and transforms: the loss is the mean over both":
                lambda **probe: len(probe["x"]) * len(probe["transforms"]) * eot_gradient(**probe),
            "you average the transformed images into one blurred image; average the losses instead":
                gradient_of_the_mean_image,
            "you average the logits before the loss; average the losses, one for every transform":
                gradient_of_the_mean_logits,
            "these gradients belong to the transformed images, and were not turned back: differentiate with respect "
            "to x, through the transform":
                gradient_that_stays_turned,
            "you average signs: average the gradients, the sign is taken later":
                mean_of_signs,
            "this is the sign of the gradient; wanted is the gradient itself":
                lambda **probe: eot_gradient(**probe).sign(),
            "the gradient has the wrong sign: the loss as it is, no minus":
                lambda **probe: -eot_gradient(**probe),
        }),
    },
)
