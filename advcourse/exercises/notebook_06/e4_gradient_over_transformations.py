"""06.4: the gradient over transformations (EOT)."""

from functools import partial

import torch
from torch.nn import functional as F

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.probes import loss_gradient, random_images, small_model, telling_apart
from advcourse.exercises.properties import equals, finite


def eot_gradient(model, x, y, transforms):
    return mean_gradient(model, x, y, transforms, F.cross_entropy)


def mean_gradient(model, x, y, transforms, loss):
    """The gradient of the mean over the transforms of loss(logits, y)."""
    x = x.detach().clone().requires_grad_()
    with torch.enable_grad():
        total = sum(loss(model(transform(x)), y) for transform in transforms) / len(transforms)
    return torch.autograd.grad(total, x)[0]


def flipped(x, dims):
    return torch.flip(x, dims)


def shifted(x, pixels):
    return torch.roll(x, pixels, dims=3)


def lit(x, light):
    return (light * x).clamp(0, 1)


def eot_probes(generator):
    def draw(transforms):
        x = random_images(generator, count=5).view(-1, 2, 3, 6)
        return {"model": small_model(generator, sharpness=1.5), "x": x,
                "y": torch.randint(4, (len(x),), generator=generator), "transforms": transforms}

    mirrored = partial(flipped, dims=(3,))
    lists = ([partial(flipped, dims=(2, 3)), partial(shifted, pixels=2), partial(lit, light=0.5)],
             [partial(lit, light=0.7), partial(lit, light=1.3), mirrored, partial(shifted, pixels=-1)])
    return [telling_apart(partial(draw, transforms), eot_gradient, MISTAKES.values()) for transforms in lists]


def through(choose):
    """The gradient with another list of transforms, choose(transforms)."""
    return lambda model, x, y, transforms: eot_gradient(model, x, y, choose(transforms))


def through_all_in_a_row(transforms):
    def chain(images):
        for transform in transforms:
            images = transform(images)
        return images
    return [chain]


def of_the_mean(combine):
    """The gradient of combine(logits (T, N, K), y), all transforms taken together."""
    def gradient(model, x, y, transforms):
        x = x.detach().clone().requires_grad_()
        with torch.enable_grad():
            total = combine(torch.stack([model(transform(x)) for transform in transforms]), y)
        return torch.autograd.grad(total, x)[0]
    return gradient


def gradient_that_stays_turned(model, x, y, transforms):
    """The mistake of taking gradients at the transformed images, and not through the transform."""
    return sum(loss_gradient(model, transform(x), y) for transform in transforms) / len(transforms) / len(x)


def with_loss(loss):
    return lambda **probe: mean_gradient(**probe, loss=loss)


def one_hot(logits, y):
    return F.one_hot(y, logits.shape[1])


MISTAKES = {
    "no transform is in it: the model is to see `transform(x)`, not x":
        through(lambda transforms: [torch.clone]),
    "only the first of the transforms is in it: does your function return inside the loop?":
        through(lambda transforms: transforms[:1]),
    "only the last of the transforms is in it; the loss is the mean over all. Is the loss overwritten in your loop, "
    "or one transform drawn?":
        through(lambda transforms: transforms[-1:]),
    "only the second of the transforms is in it; the loss is the mean over all, and none is drawn":
        through(lambda transforms: transforms[1:2]),
    "the first of the transforms is left out":
        through(lambda transforms: transforms[1:]),
    "you apply the transforms one after the other; each is to be applied to x itself":
        through(through_all_in_a_row),
    "this is the sum over the transforms: divide by their number":
        lambda **probe: len(probe["transforms"]) * eot_gradient(**probe),
    "this is the sum over the images: the loss is the mean over them, as `F.cross_entropy` gives it":
        lambda **probe: len(probe["x"]) * eot_gradient(**probe),
    "this is the sum over images and transforms: the loss is the mean over both":
        lambda **probe: len(probe["x"]) * len(probe["transforms"]) * eot_gradient(**probe),
    "you divide by the number of images, over which `F.cross_entropy` has taken the mean already":
        lambda **probe: eot_gradient(**probe) / len(probe["x"]),
    "you divide by the number of transforms twice":
        lambda **probe: eot_gradient(**probe) / len(probe["transforms"]),
    "you average the transformed images into one blurred image; average the losses instead":
        through(lambda transforms: [lambda images: sum(t(images) for t in transforms) / len(transforms)]),
    "you average the logits before the loss; average the losses, one for every transform":
        of_the_mean(lambda logits, y: F.cross_entropy(logits.mean(0), y)),
    "you average the probabilities before the logarithm; average the losses, one for every transform":
        of_the_mean(lambda logits, y: F.nll_loss(logits.softmax(2).mean(0).log(), y)),
    "you take the worst of the transforms; wanted is the mean over them":
        of_the_mean(lambda logits, y: torch.stack([F.cross_entropy(one, y, reduction="none")
                                                   for one in logits]).amax(0).mean()),
    "these gradients belong to the transformed images, and were not turned back: differentiate with respect "
    "to x, through the transform":
        gradient_that_stays_turned,
    "you average signs: average the gradients, the sign is taken later":
        lambda model, x, y, transforms: sum(
            eot_gradient(model, x, y, [transform]).sign() for transform in transforms) / len(transforms),
    "this is the sign of the gradient; wanted is the gradient itself":
        lambda **probe: eot_gradient(**probe).sign(),
    "the gradient has the wrong sign: the loss as it is, no minus":
        lambda **probe: -eot_gradient(**probe),
    "there is one softmax too many: `cross_entropy` wants the logits, and takes the softmax itself":
        with_loss(lambda logits, y: F.cross_entropy(logits.softmax(1), y)),
    "this is the gradient of the mean squared error; wanted is that of the cross-entropy":
        with_loss(lambda logits, y: (logits - one_hot(logits, y)).square().mean()),
    "this is the gradient of the mean squared error of the probabilities; wanted is that of the cross-entropy":
        with_loss(lambda logits, y: (logits.softmax(1) - one_hot(logits, y)).square().mean()),
    "this is the gradient of y's score; the loss counts the other scores, too: take `F.cross_entropy`":
        with_loss(lambda logits, y: logits.gather(1, y[:, None]).mean()),
    "the labels are the model's own answers; use the y that you are given":
        lambda **probe: eot_gradient(**probe | {"y": probe["model"](probe["x"]).argmax(1).detach()}),
    "gradients of the transforms before are added to each: `.grad` adds up what every `.backward()` brings, so read it "
    "once, at the end":
        lambda model, x, y, transforms: sum(
            k * eot_gradient(model, x, y, [transform]) for k, transform in zip(
                range(len(transforms), 0, -1), transforms, strict=True)) / len(transforms),
}


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
    gates={"the gradient is finite": finite},
    properties={"it is the gradient of the mean loss": equals(eot_gradient, MISTAKES)},
)
