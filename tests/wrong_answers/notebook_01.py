"""Plausible wrong answers to the exercises of notebook 01, each with a part of the message that it should get."""

import torch
from torch.nn import functional as F

from advcourse.exercises.notebook_01 import accuracy_curve, fooling_image, loss_gradient

# 01.1 -----------------------------------------------------------------------------------------------------------------

def clips_to_grey_values_only(x_p, x, eps):
    return x_p.clamp(0, 1)


def clips_to_the_ball_only(x_p, x, eps):
    return torch.clamp(x_p, x - eps, x + eps)


def returns_the_perturbation(x_p, x, eps):
    return (x_p - x).clamp(-eps, eps)


def clips_the_image_to_eps(x_p, x, eps):
    return x_p.clamp(-eps, eps)


def returns_x(x_p, x, eps):
    return x.clone()


def shrinks_the_whole_perturbation(x_p, x, eps):
    delta = x_p - x
    return (x + delta * eps / delta.abs().flatten(1).max(1).values.view(-1, 1, 1, 1)).clamp(0, 1)


def jumps_to_the_border(x_p, x, eps):
    return (x + eps * torch.sign(x_p - x)).clamp(0, 1)


def halves_the_radius(x_p, x, eps):
    return torch.clamp(x_p, x - eps / 2, x + eps / 2).clamp(0, 1)


def projects_onto_the_euclidean_ball(x_p, x, eps):
    delta = x_p - x
    return (x + delta * (eps / delta.flatten(1).norm(dim=1)).clamp(max=1).view(-1, 1, 1, 1)).clamp(0, 1)


# 01.2 -----------------------------------------------------------------------------------------------------------------

def pushes_the_wrong_way(weight, y, target, eps):
    return eps * (weight[y] - weight[target]).sign()


def follows_the_target_alone(weight, y, target, eps):
    return eps * weight[target].sign()


def flees_y_alone(weight, y, target, eps):
    return -eps * weight[y].sign()


def forgets_the_sign(weight, y, target, eps):
    return eps * (weight[target] - weight[y])


def goes_along_the_unit_vector(weight, y, target, eps):
    direction = weight[target] - weight[y]
    return eps * direction / direction.norm()


def forgets_eps(weight, y, target, eps):
    return (weight[target] - weight[y]).sign()


def moves_the_best_input_only(weight, y, target, eps):
    direction = weight[target] - weight[y]
    delta = torch.zeros_like(direction)
    best = direction.abs().argmax()
    delta[best] = eps * direction[best].sign()
    return delta


def moves_nothing(weight, y, target, eps):
    return torch.zeros_like(weight[y])


def returns_a_row_per_class(weight, y, target, eps):
    return eps * weight.sign()


# 01.3 -----------------------------------------------------------------------------------------------------------------

def goes_down(model, x, y, eps):
    return (x - eps * loss_gradient(model, x, y).sign()).clamp(0, 1)


def steps_without_sign(model, x, y, eps):
    return (x + eps * loss_gradient(model, x, y)).clamp(x - eps, x + eps).clamp(0, 1)


def takes_the_mean_gradient_without_sign(model, x, y, eps):
    return (x + eps * loss_gradient(model, x, y) / len(x)).clamp(x - eps, x + eps).clamp(0, 1)


def steps_a_unit_length(model, x, y, eps):
    gradient = loss_gradient(model, x, y)
    return (x + eps * gradient / gradient.flatten(1).norm(dim=1).view(-1, 1, 1, 1)).clamp(0, 1)


def forgets_to_clip(model, x, y, eps):
    return x + eps * loss_gradient(model, x, y).sign()


def returns_the_step(model, x, y, eps):
    return eps * loss_gradient(model, x, y).sign()


def uses_the_prediction(model, x, y, eps):
    return (x + eps * loss_gradient(model, x, model(x).argmax(1)).sign()).clamp(0, 1)


def steps_twice(model, x, y, eps):
    for _ in range(2):
        x = (x + eps * loss_gradient(model, x, y).sign()).clamp(0, 1)
    return x


def tosses_coins(model, x, y, eps):
    return (x + eps * torch.randn_like(x).sign()).clamp(0, 1)


def forgets_requires_grad(model, x, y, eps):
    loss = F.cross_entropy(model(x), y)
    return x + eps * torch.autograd.grad(loss, x)[0].sign()


# 01.4 -----------------------------------------------------------------------------------------------------------------

def gives_errors(**probe):
    return [1 - accuracy for accuracy in accuracy_curve(**probe)]


def gives_percentages(**probe):
    return [100 * accuracy for accuracy in accuracy_curve(**probe)]


def gives_counts(**probe):
    return [len(probe["x"]) * accuracy for accuracy in accuracy_curve(**probe)]


def forgets_the_attack(model, attack, x, y, epsilons):
    return [(model(x).argmax(1) == y).float().mean().item() for eps in epsilons]


def attacks_what_is_attacked(model, attack, x, y, epsilons):
    accuracies = []
    for eps in epsilons:
        x = attack(model, x, y, eps)
        accuracies.append((model(x).argmax(1) == y).float().mean().item())
    return accuracies


def compares_with_the_clean_prediction(model, attack, x, y, epsilons):
    clean = model(x).argmax(1)
    return [(model(attack(model, x, y, eps)).argmax(1) == clean).float().mean().item() for eps in epsilons]


def uses_the_first_eps_only(model, attack, x, y, epsilons):
    x_adv = attack(model, x, y, epsilons[0])
    return [(model(x_adv).argmax(1) == y).float().mean().item() for eps in epsilons]


def gives_the_last_only(model, attack, x, y, epsilons):
    return accuracy_curve(model, attack, x, y, epsilons)[-1]


def reverses_the_order(**probe):
    return accuracy_curve(**probe)[::-1]


# 01.5 -----------------------------------------------------------------------------------------------------------------

def takes_one_step(model, x, target):
    return (x - 0.02 * loss_gradient(model, x, torch.tensor([target])).sign()).clamp(0, 1)


def flees_the_target(model, x, target):
    for _ in range(100):
        x = (x + 0.02 * loss_gradient(model, x, torch.tensor([target])).sign()).clamp(0, 1)
    return x


def never_clips(model, x, target):
    for _ in range(100):
        x = x - 0.02 * loss_gradient(model, x, torch.tensor([target])).sign()
    return x


def returns_the_noise(model, x, target):
    return x


def reaches_class_zero(model, x, target):
    return fooling_image(model, x, 0)


def loses_the_batch(model, x, target):
    return fooling_image(model, x, target)[0]


def returns_the_confidence(model, x, target):
    return model(fooling_image(model, x, target)).softmax(1)[0, target].item()


def flees_the_present_class(model, x, target):
    for _ in range(100):
        x = (x + 0.02 * loss_gradient(model, x, model(x).argmax(1)).sign()).clamp(0, 1)
    return x


WRONG = {
    "01.1": [
        (clips_to_grey_values_only, "leaves the ε-ball"),
        (clips_to_the_ball_only, "Clip to [0, 1]"),
        (returns_the_perturbation, "leaves the ε-ball"),
        (clips_the_image_to_eps, "leaves the ε-ball"),
        (returns_x, "back unchanged"),
        (shrinks_the_whole_perturbation, "shrinks the whole perturbation"),
        (jumps_to_the_border, "the near ones too"),
        (halves_the_radius, "not what the formula gives"),
        (projects_onto_the_euclidean_ball, "pixel by pixel"),
    ],
    "01.2": [
        (pushes_the_wrong_way, "wrong direction"),
        (follows_the_target_alone, "the target's weights alone"),
        (flees_y_alone, "only push y's score down"),
        (forgets_the_sign, "only the sign of the weights"),
        (goes_along_the_unit_vector, "take the sign of the difference"),
        (forgets_eps, "exceeds ε"),
        (moves_the_best_input_only, "some inputs move by less than ε"),
        (moves_nothing, "nothing moves"),
        (returns_a_row_per_class, "a tensor of shape"),
    ],
    "01.3": [
        (goes_down, "goes uphill"),
        (steps_without_sign, "take its sign"),
        (takes_the_mean_gradient_without_sign, "pixels hardly move"),
        (steps_a_unit_length, "Euclidean length ε"),
        (forgets_to_clip, "Clip to [0, 1]"),
        (returns_the_step, "leaves the ε-ball"),
        (uses_the_prediction, "the model's own prediction"),
        (steps_twice, "leaves the ε-ball"),
        (tosses_coins, "not what the formula gives"),
        (forgets_requires_grad, "does not require grad"),
    ],
    "01.4": [
        (gives_errors, "error rates"),
        (gives_percentages, "percentages"),
        (gives_counts, "divide by the number of images"),
        (forgets_the_attack, "does not change with ε"),
        (attacks_what_is_attacked, "start from the clean x"),
        (compares_with_the_clean_prediction, "the model said of the clean images"),
        (uses_the_first_eps_only, "does not change with ε"),
        (gives_the_last_only, "a list of"),
        (reverses_the_order, "reverse order"),
    ],
    "01.5": [
        (takes_one_step, "take more steps"),
        (flees_the_target, "subtract its gradient"),
        (never_clips, "Clip to [0, 1]"),
        (returns_the_noise, "back unchanged"),
        (reaches_class_zero, "it now reads the image as class 0"),
        (loses_the_batch, "a tensor of shape"),
        (returns_the_confidence, "returned a number"),
        (flees_the_present_class, "of the target class"),
    ],
}


# Right answers, written otherwise -------------------------------------------------------------------------------------

def projects_by_minimum_and_maximum(x_p, x, eps):
    low, high = (x - eps).clamp_min(0), (x + eps).clamp_max(1)
    return torch.max(torch.min(x_p, high), low)


def attacks_input_by_input(weight, y, target, eps):
    return torch.where(weight[target] > weight[y], eps, -eps)


def steps_by_backward(model, x, y, eps):
    x_adv = x.detach().clone().requires_grad_(True)
    F.nll_loss(model(x_adv).log_softmax(1), y, reduction="mean").backward()
    with torch.no_grad():
        return torch.clamp(x + eps * torch.sign(x_adv.grad), 0, 1)


def counts_by_sums(model, attack, x, y, epsilons):
    curve = []
    with torch.no_grad():
        for eps in epsilons:
            curve.append(float((model(attack(model, x, y, eps)).max(1).indices == y).sum()) / len(y))
    return curve


def climbs_the_logit_lead(model, x, target):
    for _ in range(60):
        x = x.detach().requires_grad_()
        probability = model(x).log_softmax(1)[0, target]
        x = (x + 0.05 * torch.autograd.grad(probability, x)[0].sign()).clamp(0, 1)
    return x.detach()


RIGHT = {
    "01.1": [projects_by_minimum_and_maximum],
    "01.2": [attacks_input_by_input],
    "01.3": [steps_by_backward],
    "01.4": [counts_by_sums],
    "01.5": [climbs_the_logit_lead],
}
