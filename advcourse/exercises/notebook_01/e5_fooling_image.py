"""01.5: a fooling image from noise."""

from functools import partial

import torch
from torch import nn

from advcourse.exercises.catalogue import Exercise
from advcourse.exercises.probes import loss_gradient
from advcourse.exercises.properties import confident, in_unit_range


def fooling_image(model, x, target):
    for _ in range(100):
        gradient = loss_gradient(model, x, torch.full((len(x),), target, device=x.device))
        x = (x - 0.02 * gradient.sign()).clamp(0, 1)
    return x


def model_of_regions(generator):
    """Each of four classes looks at nine pixels of its own: on it all that climbs reaches every class, and surely."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(36, 4, bias=False))
    with torch.no_grad():
        model[1].weight.zero_()
        model[1].weight[torch.arange(36) % 4, torch.randperm(36, generator=generator)] = 4.0
    return model.eval()


def fooling_probes(generator):
    model, noise = model_of_regions(generator), torch.rand(1, 1, 4, 9, generator=generator)
    return [{"model": model, "x": noise, "target": target} for target in (1, 0, 3)]


exercise = Exercise(
    number="01.5",
    title="A fooling image from noise",
    points=4,
    minutes=10,
    hints=(
        ("Which way is the target?",
         "Down the loss at the target: the gradient of cross-entropy with `target` as the label, and a minus sign."),
        ("One step is not enough.",
         "Take many small ones: a loop of a hundred steps of 0.02 or so, clipping to [0, 1] after each."),
        ("Show me nearly all of it.",
         "In a loop: the gradient of `F.cross_entropy(model(x), torch.tensor([target]))` with respect to x, then "
         "`x = (x - 0.02 * gradient.sign()).clamp(0, 1)`."),
    ),
    reference=fooling_image,
    probes=fooling_probes,
    gates={"every pixel is a grey value in [0, 1]": partial(in_unit_range, name="image")},
    properties={"the model is at least 99 % sure of the target": confident("target", at_least=0.99)},
)
