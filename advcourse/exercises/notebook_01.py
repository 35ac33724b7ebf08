"""The exercises of notebook 01: first adversarial examples, by hand."""

from functools import partial

import torch
from torch import nn
from torch.nn import functional as F

from advcourse.exercises.catalogue import Exercise, Question
from advcourse.exercises.properties import confident, equals, in_ball, in_unit_range, raises_loss


def small_model(generator, inputs=36, classes=4, sharpness=3.0):
    """A random ReLU network on 6x6 images, sharp enough that 0.2 per pixel changes its mind.

    In float64, as all that goes through a gradient's sign: in float32 rounding would decide the sign of the smallest
    entries, otherwise on every processor and for every way to write the same formula.
    """
    model = nn.Sequential(nn.Flatten(), nn.Linear(inputs, 24), nn.ReLU(), nn.Linear(24, classes))
    with torch.no_grad():
        for parameter in model.parameters():
            scale = sharpness / parameter.shape[-1] ** 0.5 if parameter.dim() > 1 else 0.1
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * scale)
    return model.double().eval()


def random_images(generator, count=12):
    """Images in float64 with some pixels at exactly 0 and 1, as real ones have."""
    return (torch.rand(count, 1, 6, 6, generator=generator).double() * 1.4 - 0.2).clamp(0, 1)


# 01.1: clip and project -----------------------------------------------------------------------------------------------

def project(x_p, x, eps):
    return torch.clamp(x_p, x - eps, x + eps).clamp(0, 1)


def project_onto_euclidean_ball(x_p, x, eps):
    delta = x_p - x
    return (x + delta * (eps / delta.flatten(1).norm(dim=1)).clamp(max=1).view(-1, 1, 1, 1)).clamp(0, 1)


def project_probes(generator):
    probes = []
    for eps in (0.05, 0.3):
        x = random_images(generator)
        probes.append({"x_p": x + torch.randn(x.shape, generator=generator) * 0.4, "x": x, "eps": eps})
    return probes


clip_and_project = Exercise(
    number="01.1",
    title="Clip and project",
    points=2,
    minutes=6,
    hints=(
        ("Which two limits are there?", "Each pixel must lie within ε of its original *and* be a grey value between 0 "
                                        "and 1."),
        ("How do I clip to limits that differ from pixel to pixel?", "`torch.clamp` takes tensors as its limits: "
         "`torch.clamp(a, low, high)`."),
        ("Show me nearly all of it.", "Clamp `x_p` between `x - eps` and `x + eps`, then clamp the result between 0 "
                                      "and 1."),
    ),
    reference=project,
    probes=project_probes,
    properties={
        "every pixel stays within ε of x": in_ball("linf", name="image"),
        "every pixel is a grey value in [0, 1]": partial(in_unit_range, name="image"),
        "it is the allowed image nearest to x_p": equals(project, mistakes={
            "this is the nearest image in Euclidean length; ε limits every pixel on its own, so clip pixel by pixel":
                project_onto_euclidean_ball,
            "you give x back unchanged; x_p should move only as far as it must":
                lambda x_p, x, eps: x,
            "this shrinks the whole perturbation; clip every pixel on its own, and leave alone those that are near "
            "enough":
                lambda x_p, x,
                eps: (x + (x_p - x) * eps / (x_p - x).flatten(1).abs().amax(1).view(-1, 1, 1, 1)).clamp(0, 1),
            "every pixel went to x ± ε, the near ones too: clip to the border, don't jump to it":
                lambda x_p, x, eps: (x + eps * (x_p - x).sign()).clamp(0, 1),
        }),
    },
)


# 01.2: the linear attack in closed form -------------------------------------------------------------------------------

def linear_attack(weight, y, target, eps):
    return eps * (weight[target] - weight[y]).sign()


def linear_probes(generator):
    probes = []
    for classes, inputs, eps in ((3, 20, 0.1), (10, 50, 0.25)):
        y, target = torch.randperm(classes, generator=generator)[:2].tolist()
        weight = torch.randn(classes, inputs, generator=generator)
        probes.append({"weight": weight, "y": y, "target": target, "eps": eps})
    return probes


def no_entry_beyond_eps(probe, result):
    beyond = (result.abs() - probe["eps"]).max().item()
    if beyond > 1e-5:
        return (f"an entry of delta exceeds ε = {probe['eps']} by {beyond:.2g}: the limit holds for every input on its "
                "own, "
                "so only the sign of the weights may matter, not their size")


def gains_the_most(probe, result):
    weight, y, target, eps = probe["weight"], probe["y"], probe["target"], probe["eps"]
    direction = weight[target] - weight[y]
    best = eps * direction.abs().sum()
    gain = direction @ result.to(direction.dtype)
    if gain >= best * (1 - 1e-5):
        return None
    if gain <= -best * (1 - 1e-5):
        return "the right size in the wrong direction: the target's score should rise above y's, so start from weight[target]"
    if torch.allclose(result, eps * weight[target].sign()):
        return "you follow the target's weights alone; what counts is its lead over y: the difference of the two rows"
    if torch.allclose(result, -eps * weight[y].sign()):
        return "you only push y's score down; what counts is the target's lead over y: the difference of the two rows"
    if result.abs().max() < 1e-8:
        return "delta is zero everywhere: nothing moves"
    if (result.abs() < 0.99 * eps).any() and gain > 0:
        return ("some inputs move by less than ε, although each may move by the full ε at no cost to the others: "
                "take the sign of the difference, then multiply by ε")
    return f"the target gains {gain:.3g} on y, but {best:.3g} is possible within the same ε"


linear = Exercise(
    number="01.2",
    title="The linear attack in closed form",
    points=3,
    minutes=8,
    hints=(
        ("What do I maximise?", "The target's lead: (w_target − w_y)ᵀδ. It is a sum with one term per input, and each "
                                "δᵢ is "
         "limited on its own."),
        ("What is best for a single input?", "A term cᵢδᵢ with |δᵢ| ≤ ε is largest at δᵢ = +ε where cᵢ > 0 and −ε "
                                             "where cᵢ < 0."),
        ("Show me nearly all of it.", "ε times the sign of the difference `weight[target] - weight[y]`."),
    ),
    reference=linear_attack,
    probes=linear_probes,
    properties={
        "no entry of delta exceeds ε": no_entry_beyond_eps,
        "the target's lead over y grows as much as it can": gains_the_most,
    },
)


# 01.3: one step along the sign of the gradient ------------------------------------------------------------------------

def loss_gradient(model, x, y):
    """The gradient of the cross-entropy loss with respect to the images, one per image."""
    x = x.detach().clone().requires_grad_()
    with torch.enable_grad():
        loss = F.cross_entropy(model(x), y, reduction="sum")
    return torch.autograd.grad(loss, x)[0]


def one_step(model, x, y, eps):
    return (x + eps * loss_gradient(model, x, y).sign()).clamp(0, 1)


def step_probes(generator):
    model, x = small_model(generator), random_images(generator)
    predicted = model(x).argmax(1).detach()
    # A third of the labels is not what the model says: the step must follow y, not the prediction.
    y = torch.where(torch.arange(len(x)) % 3 == 0, (predicted + 1) % 4, predicted)
    return [{"model": model, "x": x, "y": y, "eps": eps} for eps in (0.04, 0.2)]


def step_at_prediction(model, x, y, eps):
    return one_step(model, x, model(x).argmax(1).detach(), eps)


def step_without_sign(model, x, y, eps):
    return (x + (eps * loss_gradient(model, x, y)).clamp(-eps, eps)).clamp(0, 1)


def mean_step_without_sign(model, x, y, eps):
    return (x + (eps * loss_gradient(model, x, y) / len(x)).clamp(-eps, eps)).clamp(0, 1)


def step_of_unit_length(model, x, y, eps):
    gradient = loss_gradient(model, x, y)
    return (x + eps * gradient / gradient.flatten(1).norm(dim=1).view(-1, 1, 1, 1)).clamp(0, 1)


gradient_step = Exercise(
    number="01.3",
    title="One step along the sign of the gradient",
    points=4,
    minutes=12,
    hints=(
        ("A network has no weight rows to subtract.", "Near x it is almost linear, and the gradient of the loss with "
                                                      "respect to "
         "x takes the place of the weights. It is exercise 01.2 again."),
        ("How do I get a gradient with respect to the image?", "`x = x.clone().requires_grad_()`, compute "
         "`F.cross_entropy(model(x), y)`, then `torch.autograd.grad(loss, x)[0]`."),
        ("Show me nearly all of it.", "Take the sign of that gradient, multiply by eps, add to x, clamp to [0, 1], and "
         "`.detach()` the result."),
    ),
    reference=one_step,
    probes=step_probes,
    properties={
        "every pixel stays within ε of x": in_ball("linf"),
        "every pixel is a grey value in [0, 1]": in_unit_range,
        "the loss goes up": raises_loss,
        "it is x + ε · sign(gradient), clipped": equals(one_step, mistakes={
            "you took the loss at the model's own prediction; where the model errs that is not y. Use the labels you "
            "are given":
                step_at_prediction,
            "pixels move in proportion to their gradient: take its sign, so that every pixel goes the full step":
                step_without_sign,
            "pixels hardly move, each in proportion to its gradient: take its sign, so that every pixel goes the full "
            "step":
                mean_step_without_sign,
            "this is a step of Euclidean length ε, and most pixels hardly move: take the sign of the gradient instead":
                step_of_unit_length,
        }),
    },
)


# 01.4: accuracy against ε ---------------------------------------------------------------------------------------------

def accuracy_curve(model, attack, x, y, epsilons):
    return [(model(attack(model, x, y, eps)).argmax(1) == y).float().mean().item() for eps in epsilons]


def curve_probes(generator):
    model, x = small_model(generator), random_images(generator, count=40)
    # Labels mostly as the model says, so that the curve starts high and falls.
    predicted = model(x).argmax(1).detach()
    y = torch.where(torch.arange(len(x)) % 5 == 0, (predicted + 1) % 4, predicted)
    return [{"model": model, "attack": one_step, "x": x, "y": y, "epsilons": epsilons}
            for epsilons in ([0.0, 0.03, 0.2], [0.0, 0.02, 0.04, 0.08, 0.16])]


def attack_step_by_step(model, attack, x, y, epsilons):
    """The mistake of attacking an image that was already attacked."""
    accuracies = []
    for eps in epsilons:
        x = attack(model, x, y, eps)
        accuracies += accuracy_curve(model, lambda model, x, y, eps: x, x, y, [eps])
    return accuracies


def agreement_with_clean(model, attack, x, y, epsilons):
    """The mistake of asking whether the attack changed the model's mind, not whether the model is right."""
    clean = model(x).argmax(1)
    return [(model(attack(model, x, y, eps)).argmax(1) == clean).float().mean().item() for eps in epsilons]


curve = Exercise(
    number="01.4",
    title="Accuracy against ε",
    points=3,
    minutes=8,
    hints=(
        ("What is the accuracy under attack?", "Attack the images with one ε, ask the model, and count how often it "
                                               "still says y."),
        ("How do I loop?", "For each eps: `x_adv = attack(model, x, y, eps)`, then the mean of "
         "`model(x_adv).argmax(1) == y`. Collect `.item()` of each in a list."),
        ("Show me nearly all of it.", "A list comprehension over epsilons of "
         "`(model(attack(model, x, y, eps)).argmax(1) == y).float().mean().item()`."),
    ),
    reference=accuracy_curve,
    probes=curve_probes,
    properties={
        "the accuracies are right": equals(accuracy_curve, tolerance=1e-4, mistakes={
            "these are error rates; wanted is the accuracy, the share of images still classified as y":
                lambda **probe: [1 - accuracy for accuracy in accuracy_curve(**probe)],
            "these are percentages; wanted are shares between 0 and 1":
                lambda **probe: [100 * accuracy for accuracy in accuracy_curve(**probe)],
            "these are counts; divide by the number of images":
                lambda **probe: [len(probe["x"]) * accuracy for accuracy in accuracy_curve(**probe)],
            "the accuracy does not change with ε: is the model given the attacked images, each time with this ε?":
                lambda **probe: accuracy_curve(**probe | {"epsilons": [0.0] * len(probe["epsilons"])}),
            "these are the right numbers in the reverse order: keep the order of epsilons":
                lambda **probe: accuracy_curve(**probe)[::-1],
            "each attack starts from the images that the one before it changed: start from the clean x for every ε":
                attack_step_by_step,
            "you compare with what the model said of the clean images; an image counts when the model says y":
                agreement_with_clean,
        }),
    },
)


# 01.5: a fooling image ------------------------------------------------------------------------------------------------

def fooling_image(model, x, target):
    for _ in range(100):
        gradient = loss_gradient(model, x, torch.full((len(x),), target, device=x.device))
        x = (x - 0.02 * gradient.sign()).clamp(0, 1)
    return x


def linear_model(generator, inputs=36, classes=4):
    """A random linear model: on it every class can be reached, whatever the seed."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(inputs, classes))
    with torch.no_grad():
        model[1].weight.copy_(torch.randn(classes, inputs, generator=generator))
        model[1].bias.zero_()
    return model.double().eval()


def fooling_probes(generator):
    noise = torch.rand(1, 1, 6, 6, generator=generator).double()
    return [{"model": linear_model(generator), "x": noise, "target": target} for target in (0, 3)]


fooling = Exercise(
    number="01.5",
    title="A fooling image from noise",
    points=4,
    minutes=10,
    hints=(
        ("Which way is the target?", "Down the loss at the target: the gradient of cross-entropy with `target` as the "
                                     "label, "
         "and a minus sign."),
        ("One step is not enough.", "Take many small ones: a loop of a hundred steps of 0.02 or so, clipping to [0, 1] "
                                    "after each."),
        ("Show me nearly all of it.", "In a loop: the gradient of `F.cross_entropy(model(x), torch.tensor([target]))` "
         "with respect to x, then `x = (x - 0.02 * gradient.sign()).clamp(0, 1)`."),
    ),
    reference=fooling_image,
    probes=fooling_probes,
    properties={
        "every pixel is a grey value in [0, 1]": partial(in_unit_range, name="image"),
        "the model is at least 99 % sure of the target": confident("target", at_least=0.99),
    },
)


# 01.6 and 01.7: questions ---------------------------------------------------------------------------------------------

overfitting = Question(
    number="01.6",
    title="Is it overfitting?",
    points=1,
    minutes=3,
    text="Two networks are trained on different images. An image made to fool the first often fools the second too, "
         "and both often give the same wrong class. What does this say about the idea that adversarial examples are "
         "accidents of overfitting?",
    choices=(
        ("It speaks against it: accidents of two different training sets would lie in different places.",
         "An overfitted model errs in ways of its own. What two models share comes from what they have in common: "
         "the task, the data's distribution and the kind of function."),
        ("It supports it: both networks overfit, so both are fooled.",
         "Overfitting to different images would make different mistakes, and mistakes that differ do not transfer."),
        ("Nothing: transfer happens by chance.",
         "Chance is what the random signs of the same size show, and they fool far fewer."),
        ("It shows that the two networks have the same weights.",
         "They start from different weights and see different images; only the function that they compute is similar."),
    ),
    hints=(
        ("What would overfitting predict?", "An overfitted model follows the quirks of its own training images."),
        ("Do the two networks share quirks?", "They have seen no image in common."),
        ("Then what do they share?", "The task, and directions in the input that mean something for both."),
    ),
)

dimension = Question(
    number="01.7",
    title="More pixels, same ε",
    points=1,
    minutes=3,
    text="An image gets four times as many pixels; the linear model's weights stay as large on average, "
         "and every pixel may still change by ε. How does the largest possible change wᵀδ grow?",
    choices=(
        ("It becomes four times as large.",
         "wᵀδ = ε‖w‖₁ has one term per pixel, each of the same size on average: it grows in step with their number."),
        ("It doubles.",
         "That is how a *random* δ grows: its terms cancel in part, and what remains grows like the square root of "
         "their number."),
        ("It stays the same, as ε does.",
         "ε limits each pixel on its own. The model adds the pixels up, and now there are more of them."),
        ("It becomes sixteen times as large.",
         "Each pixel contributes one term εwᵢ to a sum. Four times as many terms make it four times as large, not "
         "sixteen."),
    ),
    hints=(
        ("What is the largest wᵀδ?", "By exercise 01.2 it is ε times the sum of all |wᵢ|."),
        ("How many terms has that sum?", "One per pixel."),
        ("And for a random δ?", "Signs that do not fit cancel: like coin tosses, the sum grows with the square root."),
    ),
)
