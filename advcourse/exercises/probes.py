"""What several exercises share: random models, images and labels to try a student's function on, and gradients.

All is float32, as in the notebooks. There rounding decides the sign of the smallest entries of a gradient, otherwise on
every processor and for every way to write the same formula: what goes through a sign is tried on `clear_images` only.
"""

import itertools
import math
from collections.abc import Callable, Iterable

import torch
from torch import nn
from torch.nn import functional as F

# Models ---------------------------------------------------------------------------------------------------------------

def small_model(generator: torch.Generator, inputs: int = 36, classes: int = 4,
                sharpness: float = 3.0) -> nn.Sequential:
    """A random ReLU network on 6x6 images, sharp enough that 0.2 per pixel changes its mind."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(inputs, 24), nn.ReLU(), nn.Linear(24, classes))
    with torch.no_grad():
        for parameter in model.parameters():
            scale = sharpness / parameter.shape[-1] ** 0.5 if parameter.dim() > 1 else 0.1
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * scale)
    return model.eval()


def linear_model(generator: torch.Generator, inputs: int = 36, classes: int = 4) -> nn.Sequential:
    """A random linear model: on it every class can be reached, whatever the seed."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(inputs, classes))
    with torch.no_grad():
        model[1].weight.copy_(torch.randn(classes, inputs, generator=generator))
        model[1].bias.zero_()
    return model.eval()


def steep_linear_model(generator: torch.Generator, inputs: int = 36, classes: int = 4) -> nn.Sequential:
    """A random linear model with weights four times as large."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(inputs, classes))
    with torch.no_grad():
        model[1].weight.copy_(4 * torch.randn(classes, inputs, generator=generator))
        model[1].bias.zero_()
    return model.eval()


# Images and labels ----------------------------------------------------------------------------------------------------

def random_images(generator: torch.Generator, count: int = 12) -> torch.Tensor:
    """Images with some pixels at exactly 0 and 1, as real ones have."""
    return (torch.rand(count, 1, 6, 6, generator=generator) * 1.4 - 0.2).clamp(0, 1)


def clear_images(generator: torch.Generator, model: Callable, count: int = 12) -> torch.Tensor:
    """`random_images` at which every gradient of the model is clear: see `is_clear`."""
    found = torch.empty(0, 1, 6, 6)
    while len(found) < count:
        x = random_images(generator, 4 * count)
        found = torch.cat([found, x[is_clear(model, x)]])
    return found[:count]


def clear_pairs(generator: torch.Generator, model: Callable, move: Callable,
                count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Random images x, and where move(x) takes them, such that the gradients at both are clear: see `is_clear`."""
    pairs = torch.empty(2, 0, 1, 6, 6)
    while pairs.shape[1] < count:
        x = random_images(generator, 20 * count)
        moved = move(x)
        clear = is_clear(model, x) & is_clear(model, moved)
        pairs = torch.cat([pairs, torch.stack([x[clear], moved[clear]])], 1)
    return tuple(pairs[:, :count])


def is_clear(model: Callable, x: torch.Tensor) -> torch.Tensor:
    """For each image, whether rounding can decide no sign of the gradients of its losses and scores, of any class.

    No entry is below a thousandth of the largest, and the model is not so sure that its loss is rounded to 0.
    """
    x = x.detach().clone().requires_grad_()
    with torch.enable_grad():
        logits = model(x)
        scores = torch.stack([torch.autograd.grad(row.sum(), x, retain_graph=True)[0].flatten(1)
                              for row in logits.T], 1)
    probabilities = logits.detach().softmax(1)
    losses = (probabilities[:, :, None] * scores).sum(1, keepdim=True) - scores
    sizes = torch.cat([scores, losses, scores.sum(1, keepdim=True)], 1).abs()
    return (sizes > 1e-3 * sizes.amax(2, keepdim=True)).all(2).all(1) & (probabilities.amax(1) < 0.999)


def telling_apart(draw: Callable[[], dict], right: Callable, mistakes: Iterable[Callable] = (),
                  apart: float = 1e-3) -> dict:
    """The first probe from `draw()` on which the right formula and each mistaken one have a result of their own.

    Without it a wrong formula passes with some seeds, or gets the message written for another. The right result is no
    constant either, 0, 1/2 or 1, which asks for no work.

    apart: by how much results differ in some entry, at least ten times the tolerance of the check.
    """
    for _ in range(1000):
        probe = draw()
        own = right(**probe)
        results = [own, *(formula(**probe) for formula in mistakes)]
        if (all(distance(one, other) > apart for one, other in itertools.combinations(results, 2))
                and all((torch.as_tensor(own, dtype=torch.float64) - constant).abs().max() > apart
                        for constant in (0, 0.5, 1))):
            return probe
    raise RuntimeError("no probe tells these formulas apart")


def distance(result: object, wanted: object) -> float:
    """The largest difference between two results of the same shape; infinite where they cannot be compared."""
    result, wanted = (torch.as_tensor(value, dtype=torch.float64).detach() for value in (result, wanted))
    if result.shape != wanted.shape:
        return math.inf
    largest = (result - wanted).abs().max().item() if result.numel() else 0.0
    return math.inf if largest != largest else largest


def random_words(generator: torch.Generator, count: int) -> list[str]:
    """Different words of three to six letters that mean nothing, in random order."""
    found = set()
    while len(found) < count:
        letters = torch.randint(0, 26, (int(torch.randint(3, 7, (), generator=generator)),), generator=generator)
        found.add("".join("abcdefghijklmnopqrstuvwxyz"[i] for i in letters))
    return shuffled(sorted(found), generator)


def shuffled(values: list, generator: torch.Generator) -> list:
    """The same in random order."""
    return [values[i] for i in torch.randperm(len(values), generator=generator)]


def mixed_labels(model: Callable, x: torch.Tensor) -> torch.Tensor:
    """Labels of which a third is not what the model says: what follows y differs from what follows the prediction."""
    predicted = model(x).argmax(1).detach()
    return torch.where(torch.arange(len(x)) % 3 == 0, (predicted + 1) % 4, predicted)


def labels_and_targets(model: Callable, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """`mixed_labels`, and for each image another class as its target."""
    y = mixed_labels(model, x)
    return y, (y + 1 + torch.arange(len(x)) % 3) % 4


# Gradients ------------------------------------------------------------------------------------------------------------

def loss_gradient(model: Callable, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """The gradient of the cross-entropy loss with respect to the images, one per image."""
    x = x.detach().clone().requires_grad_()
    with torch.enable_grad():
        loss = F.cross_entropy(model(x), y, reduction="sum")
    return torch.autograd.grad(loss, x)[0]


def exact_loss_gradient(model: Callable, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """`loss_gradient` with the loss in float64, as notebook 03 takes it: in float32, half of a sure model's is lost."""
    return loss_gradient(lambda images: model(images).double(), x, y)


def score_gradient(model: Callable, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """The gradient of the score (logit) of class y with respect to the images, one per image."""
    x = x.detach().clone().requires_grad_()
    with torch.enable_grad():
        return torch.autograd.grad(model(x).gather(1, y[:, None]).sum(), x)[0]


def all_scores_gradient(model: Callable, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """The gradient of the sum of all scores, whatever y: the mistake of not picking one."""
    x = x.detach().clone().requires_grad_()
    with torch.enable_grad():
        return torch.autograd.grad(model(x).sum(), x)[0]


def gradient_of(loss: Callable, model: Callable, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """The gradient with respect to the images of another loss, a function of (logits, y) with a sum over the images."""
    x = x.detach().clone().requires_grad_()
    with torch.enable_grad():
        return torch.autograd.grad(loss(model(x), y), x)[0]


def squared_error(values: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """The sum of the squared differences between values, (N, K), and the one-hot vectors of the labels y."""
    return (values - F.one_hot(y, values.shape[1])).square().sum()


# What students take for the cross-entropy loss: from the message to the loss of (logits, y), for `gradient_of`.
WRONG_LOSSES = {
    "this is the gradient of `cross_entropy` of probabilities: it takes the softmax itself, so give it the logits":
        lambda logits, y: F.cross_entropy(logits.softmax(1), y, reduction="sum"),
    "this is the gradient of the squared error of the logits: J is the cross-entropy, `F.cross_entropy(logits, y)`":
        squared_error,
    "this is the gradient of the squared error of probabilities: J is the cross-entropy, `F.cross_entropy(logits, y)`":
        lambda logits, y: squared_error(logits.softmax(1), y),
    "this is the gradient of the logit of y alone, as `F.nll_loss` makes it of logits: J, the cross-entropy, depends "
    "on the other logits, too":
        lambda logits, y: -logits.gather(1, y[:, None]).sum(),
}


def unit(gradient: torch.Tensor) -> torch.Tensor:
    """The gradient, each image's of Euclidean length 1."""
    return gradient / gradient.flatten(1).norm(dim=1).clamp_min(1e-12).view(-1, 1, 1, 1)


# Attacks and distances ------------------------------------------------------------------------------------------------

def one_step(model: Callable, x: torch.Tensor, y: torch.Tensor, eps: float) -> torch.Tensor:
    """x + ε · sign(gradient of the loss), clipped: the fast gradient sign method."""
    return (x + eps * loss_gradient(model, x, y).sign()).clamp(0, 1)


def towards(x_adv: torch.Tensor, x: torch.Tensor, eps: float) -> torch.Tensor:
    """x_adv, clipped into the ε-ball around x and to grey values."""
    return torch.clamp(x_adv, x - eps, x + eps).clamp(0, 1)


def linear_distance(weight: torch.Tensor, bias: torch.Tensor, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """The Euclidean distance of each image to the nearest decision boundary of the linear model W x + b."""
    logits = x.flatten(1) @ weight.T + bias
    lead = logits.gather(1, y[:, None]) - logits
    distance = lead / (weight[y][:, None] - weight).norm(dim=2)
    return distance.scatter(1, y[:, None], math.inf).amin(1).clamp_min(0)


def distances_measured_otherwise(weight: torch.Tensor, bias: torch.Tensor, x: torch.Tensor, y: torch.Tensor,
                                 size: Callable = lambda rows: rows.norm(dim=2),
                                 pick: Callable | None = None) -> torch.Tensor:
    """linear_distance with another measure of w_y − w_k, or with another class k than the nearest."""
    logits = x.flatten(1) @ weight.T + bias
    lead = logits.gather(1, y[:, None]) - logits
    distance = (lead / size(weight[y][:, None] - weight)).scatter(1, y[:, None], math.inf)
    if pick is None:
        return distance.amin(1).clamp_min(0)
    return distance.gather(1, pick(logits.scatter(1, y[:, None], -math.inf), distance)[:, None])[:, 0].clamp_min(0)
