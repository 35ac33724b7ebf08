"""04.3: one step of DeepFool."""

import math
from functools import partial

import torch

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.probes import (
    distances_measured_otherwise,
    linear_distance,
    linear_model,
    random_images,
    small_model,
    telling_apart,
)
from advcourse.exercises.properties import equals


def planes(model, x, y):
    """f_k = z_k − z_y, shape (K,), and its gradients with respect to the image, shape (K, n), for one image."""
    x = x.detach().clone().requires_grad_()
    with torch.enable_grad():
        logits = model(x)[0]
        gaps = logits - logits[y]
    gradients = [torch.autograd.grad(gap, x, retain_graph=True)[0].flatten() for gap in gaps]
    return gaps.detach(), torch.stack(gradients)


def deepfool_step(model, x, y, pick=lambda gaps, lengths: (gaps.abs() / lengths).argmin(), power=2):
    gaps, gradients = planes(model, x, y)
    lengths = gradients.norm(dim=1)
    others = torch.arange(len(gaps), device=gaps.device) != y
    k = others.nonzero()[:, 0][pick(gaps[others], lengths[others])]
    return x + (gaps[k].abs() / lengths[k] ** power * gradients[k]).view_as(x)


def reference_step(model, x, y):
    return deepfool_step(model, x, y)


def one_image(generator):
    model, image = small_model(generator), random_images(generator, count=1)
    return {"model": model, "x": image, "y": model(image).argmax().item()}


def step_to_the_second_largest(model, x, y):
    return deepfool_step(model, x, y, pick=lambda gaps, lengths: gaps.argmax())


def goes_to_the_second_largest(probe):
    return torch.equal(reference_step(**probe), step_to_the_second_largest(**probe))


def step_probes(generator):
    apart = [step_on_probabilities, longer(1.02), step_of_the_loss, step_in_sign]
    draws = filter(goes_to_the_second_largest, iter(lambda: one_image(generator), None))
    first = telling_apart(draws.__next__, reference_step, apart, apart=1e-4)
    # And an image whose nearest boundary is not that of the class with the second largest logit, nor this the farthest.
    linear, images = linear_model(generator), random_images(generator, count=200)
    with torch.no_grad():
        linear[1].weight *= torch.tensor([[0.2], [1.0], [2.0], [4.0]])
        logits = linear(images)
    y = logits.argmax(1)
    weight, bias = linear[1].weight.detach(), linear[1].bias.detach()
    by_logit, farthest = (distances_measured_otherwise(weight, bias, images, y, pick=pick) for pick in (
        lambda logits, distance: logits.argmax(1), lambda logits, distance: distance.nan_to_num(posinf=0).argmax(1)))
    ratio = by_logit / linear_distance(weight, bias, images, y)
    i = ratio.where(by_logit < 0.99 * farthest, 0).argmax()
    return [first, {"model": linear, "x": images[i][None], "y": y[i].item()}]


def longer(factor=1.0, more=0.0):
    """The mistake of a step that is a little longer, as the authors' own code makes it, to be sure to arrive."""
    def mistaken(model, x, y):
        step = reference_step(model, x, y) - x
        return x + factor * step * (1 + more / step.norm())
    return mistaken


def step_of_one_logit(model, x, y):
    """The mistake of following the gradient of z_k instead of that of z_k − z_y."""
    gaps, gradients = planes(model, x, y)
    own = x.detach().clone().requires_grad_()
    with torch.enable_grad():
        slope = torch.autograd.grad(model(own)[0, y], own)[0].flatten()
    gradients = gradients + slope
    lengths = gradients.norm(dim=1)
    away = (gaps.abs() / lengths).scatter(0, torch.tensor([y], device=x.device), math.inf)
    k = away.argmin()
    return x + (gaps[k].abs() / lengths[k] ** 2 * gradients[k]).view_as(x)


def step_on_probabilities(model, x, y):
    return reference_step(lambda images: model(images).softmax(1), x, y)


def step_of_the_loss(model, x, y):
    """The mistake of taking the loss for f."""
    own = x.detach().clone().requires_grad_()
    with torch.enable_grad():
        loss = torch.nn.functional.cross_entropy(model(own), torch.tensor([y], device=x.device))
    w = torch.autograd.grad(loss, own)[0]
    return x + loss.detach() / w.square().sum().clamp_min(1e-24) * w


def step_in_sign(model, x, y):
    gaps, gradients = planes(model, x, y)
    away = (gaps.abs() / gradients.abs().sum(1)).scatter(0, torch.tensor([y], device=x.device), math.inf)
    return x + (away.min() * gradients[away.argmin()].sign()).view_as(x)


exercise = Exercise(
    number="04.3",
    title="One step of DeepFool",
    points=4,
    minutes=15,
    hints=(
        ("What is the shortest r with f + wᵀr = 0?",
         "It points along w: any other part of r costs length and does not change wᵀr. Put r = a w into f + wᵀr = 0 "
         "and solve for a."),
        ("How do I get w?",
         "x must require a gradient. For each class k other than y: `gap = logits[0, k] - logits[0, y]`, then "
         "`torch.autograd.grad(gap, x, retain_graph=True)[0]`."),
        ("Show me nearly all of it.",
         "Loop over k. Keep the k with the smallest `gap.abs() / w.norm()`. The result is "
         "`x + gap.abs() / w.norm() ** 2 * w` for that k, detached."),
    ),
    reference=reference_step,
    probes=step_probes,
    properties={
        "x lands on the nearest of the linearised boundaries": equals(reference_step, mistakes={
            "nothing moved": lambda model, x, y: x,
            "you return the step r; wanted is the image x + r": lambda model, x, y: reference_step(model, x, y) - x,
            "you went the opposite way: f = z_k − z_y is negative and must rise to 0, along +w":
                lambda model, x, y: 2 * x - reference_step(model, x, y),
            "you go to the class with the second largest logit; "
            "the nearest boundary is the one with the smallest |f| / ‖w‖₂":
                step_to_the_second_largest,
            "you go to the farthest boundary; take the smallest |f| / ‖w‖₂":
                partial(deepfool_step, pick=lambda gaps, lengths: (gaps.abs() / lengths).argmax()),
            "the step has the wrong length: w has a length of its own, so divide by ‖w‖₂ twice, once to make it a "
            "unit vector and once for the distance":
                partial(deepfool_step, power=1),
            "the step has the wrong length: |f| · w must be divided by ‖w‖₂²": partial(deepfool_step, power=0),
            "you follow the gradient of z_k alone; the boundary is "
            "where z_k − z_y = 0, so take the gradient of the difference":
                step_of_one_logit,
            "this is the step for the ℓ∞ norm, along sign(w); the shortest Euclidean one goes along w": step_in_sign,
            "there is no overshoot here: you go 1.02 times as far as to the plane": longer(1.02),
            "there is no overshoot here: you go 0.0001 farther than to the plane": longer(more=1e-4),
            "there is no overshoot here: you go 1.02 times as far, and 0.0001 farther, than to the plane":
                longer(1.02, 1e-4),
            "you work on probabilities; DeepFool's planes are those of the logits, so leave softmax out":
                step_on_probabilities,
            "you follow the gradient of the cross-entropy loss; DeepFool's planes are those of the difference of two "
            "logits": step_of_the_loss,
            "you clipped to [0, 1]; do without here, so that the step lands exactly on the plane":
                lambda model, x, y: reference_step(model, x, y).clamp(0, 1),
        }),
    },
)
