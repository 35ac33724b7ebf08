"""Plausible wrong answers to the exercises of notebook 08, each with a part of the message that it should get."""

import torch
from torch.nn import functional as F

from advcourse.exercises.notebook_01 import loss_gradient
from advcourse.exercises.notebook_08 import (
    augment,
    ensemble_loss,
    score_gradient,
    similarity,
    soft_neighbours,
    transfer_matrix,
)

# 08.1 -----------------------------------------------------------------------------------------------------------------

def error(target, x_adv, y):
    return (target(x_adv).argmax(1) != y).float().mean().item()


def has_a_row_for_each_target(attacks, targets, x, y):
    return [[error(target, attack(x, y), y) for attack in attacks] for target in targets]


def gives_accuracies(**probe):
    return [[1 - cell for cell in row] for row in transfer_matrix(**probe)]


def gives_percentages(**probe):
    return [[100 * cell for cell in row] for row in transfer_matrix(**probe)]


def gives_counts(attacks, targets, x, y):
    return [[(target(attack(x, y)).argmax(1) != y).sum().item() for target in targets] for attack in attacks]


def shows_the_clean_images(attacks, targets, x, y):
    return [[error(target, x, y) for target in targets] for attack in attacks]


def counts_changes_of_mind(attacks, targets, x, y):
    return [[error(target, attack(x, y), target(x).argmax(1)) for target in targets] for attack in attacks]


def leaves_out_what_was_wrong_before(attacks, targets, x, y):
    return [[((target(attack(x, y)).argmax(1) != y) & (target(x).argmax(1) == y)).float().mean().item()
             for target in targets] for attack in attacks]


def attacks_again_and_again(attacks, targets, x, y):
    rows = []
    for attack in attacks:
        x = attack(x, y)
        rows.append([error(target, x, y) for target in targets])
    return rows


def flattens_the_matrix(**probe):
    return [cell for row in transfer_matrix(**probe) for cell in row]


def gives_the_last_row(**probe):
    return transfer_matrix(**probe)[-1]


# 08.2 -----------------------------------------------------------------------------------------------------------------

def step(x, change):
    return (x + change.view(x.shape)).clamp(0, 1)


def adds_the_normal(weight, x, y, length):
    return step(x, length * (weight / weight.norm(dim=1, keepdim=True))[y])


def forgets_the_norm(weight, x, y, length):
    return step(x, -length * weight[y])


def divides_by_the_norm_of_all(weight, x, y, length):
    return step(x, -length * weight[y] / weight.norm())


def takes_the_sign(weight, x, y, length):
    return step(x, -length * weight[y].sign())


def divides_by_the_sum(weight, x, y, length):
    return step(x, -length * weight[y] / weight[y].abs().sum(1, keepdim=True))


def goes_to_the_rival(weight, x, y, length):
    scores = x.flatten(1) @ weight.T
    scores[torch.arange(len(x)), y] = -1e9
    direction = weight[scores.argmax(1)] - weight[y]
    return step(x, length * direction / direction.norm(dim=1, keepdim=True))


def forgets_to_clip(weight, x, y, length):
    return x - length * (weight / weight.norm(dim=1, keepdim=True))[y].view(x.shape)


def returns_x(weight, x, y, length):
    return x


def returns_the_flat_step(weight, x, y, length):
    return -length * (weight / weight.norm(dim=1, keepdim=True))[y]


# 08.4 -----------------------------------------------------------------------------------------------------------------

def squares(x, x_train):
    return (x.flatten(1)[:, None] - x_train.flatten(1)[None]).square().sum(2)


def votes(weights, y_train, classes):
    return weights @ F.one_hot(y_train, classes).double()


def prefers_the_farthest(x, x_train, y_train, classes, temperature):
    return votes((squares(x, x_train) / temperature).softmax(1), y_train, classes)


def forgets_the_square(x, x_train, y_train, classes, temperature):
    return votes((-torch.cdist(x.flatten(1), x_train.flatten(1)) / temperature).softmax(1), y_train, classes)


def takes_the_city_block(x, x_train, y_train, classes, temperature):
    return votes((-torch.cdist(x.flatten(1), x_train.flatten(1), p=1) / temperature).softmax(1), y_train, classes)


def takes_the_mean_square(x, x_train, y_train, classes, temperature):
    return votes((-squares(x, x_train) / x[0].numel() / temperature).softmax(1), y_train, classes)


def forgets_the_temperature(x, x_train, y_train, classes, temperature):
    return votes((-squares(x, x_train)).softmax(1), y_train, classes)


def multiplies_by_the_temperature(x, x_train, y_train, classes, temperature):
    return votes((-temperature * squares(x, x_train)).softmax(1), y_train, classes)


def asks_the_nearest_alone(x, x_train, y_train, classes, temperature):
    return F.one_hot(y_train[squares(x, x_train).argmin(1)], classes).double()


def does_not_normalise(x, x_train, y_train, classes, temperature):
    return votes((-squares(x, x_train) / temperature).exp(), y_train, classes)


def normalises_the_other_way(x, x_train, y_train, classes, temperature):
    return votes((-squares(x, x_train) / temperature).softmax(0), y_train, classes)


def takes_the_mean_over_each_class(x, x_train, y_train, classes, temperature):
    weights = (-squares(x, x_train) / temperature).exp()
    means = torch.stack([weights[:, y_train == k].mean(1) for k in range(classes)], 1)
    return means / means.sum(1, keepdim=True)


def applies_softmax_twice(**probe):
    return soft_neighbours(**probe).softmax(1)


def returns_the_weights(x, x_train, y_train, classes, temperature):
    return (-squares(x, x_train) / temperature).softmax(1)


# 08.5 -----------------------------------------------------------------------------------------------------------------

def both(model_a, model_b, x, y):
    return loss_gradient(model_a, x, y), loss_gradient(model_b, x, y)


def takes_the_batch_for_one_vector(**probe):
    a, b = both(**probe)
    return F.cosine_similarity(a.flatten(), b.flatten(), dim=0).item()


def takes_the_scalar_product(**probe):
    a, b = both(**probe)
    return (a * b).flatten(1).sum(1).mean().item()


def compares_signs(**probe):
    a, b = both(**probe)
    return (a.sign() * b.sign()).mean().item()


def compares_mean_gradients(**probe):
    a, b = both(**probe)
    return F.cosine_similarity(a.mean(0).flatten(), b.mean(0).flatten(), dim=0).item()


def takes_the_absolute_value(**probe):
    a, b = both(**probe)
    return F.cosine_similarity(a.flatten(1), b.flatten(1)).abs().mean().item()


def gives_a_distance(**probe):
    return 1 - similarity(**probe)


def adds_up_the_images(**probe):
    return len(probe["x"]) * similarity(**probe)


def asks_about_the_answers(model_a, model_b, x, y):
    a = loss_gradient(model_a, x, model_a(x).argmax(1))
    b = loss_gradient(model_b, x, model_b(x).argmax(1))
    return F.cosine_similarity(a.flatten(1), b.flatten(1)).mean().item()


def differentiates_the_score(model_a, model_b, x, y):
    a, b = (score_gradient(model, x, y).flatten(1) for model in (model_a, model_b))
    return F.cosine_similarity(a, b).mean().item()


def gives_one_for_each_image(**probe):
    a, b = both(**probe)
    return F.cosine_similarity(a.flatten(1), b.flatten(1))


# 08.6 -----------------------------------------------------------------------------------------------------------------

def losses(models, x, y):
    return torch.stack([F.cross_entropy(model(x), y, reduction="none") for model in models])


def averages_the_losses(**probe):
    return losses(**probe).mean(0)


def adds_up_the_losses(**probe):
    return losses(**probe).sum(0)


def averages_the_logits(models, x, y):
    return F.cross_entropy(sum(model(x) for model in models) / len(models), y, reduction="none")


def gives_probabilities_to_cross_entropy(models, x, y):
    return F.cross_entropy(sum(model(x).softmax(1) for model in models) / len(models), y, reduction="none")


def forgets_the_minus(**probe):
    return -ensemble_loss(**probe)


def forgets_the_logarithm(models, x, y):
    return (sum(model(x).softmax(1) for model in models) / len(models))[torch.arange(len(y)), y]


def forgets_to_divide(models, x, y):
    return -sum(model(x).softmax(1) for model in models)[torch.arange(len(y)), y].log()


def returns_in_the_loop(models, x, y):
    for model in models:
        return -model(x).softmax(1)[torch.arange(len(y)), y].log()


def overwrites_in_the_loop(models, x, y):
    for model in models:
        loss = -model(x).softmax(1)[torch.arange(len(y)), y].log()
    return loss


def takes_the_worst(**probe):
    return losses(**probe).amax(0)


def gives_the_mean_over_images(**probe):
    return ensemble_loss(**probe).mean()


# 08.7 -----------------------------------------------------------------------------------------------------------------

def climbs_the_loss(model, x, labels, step):
    return (x + step * loss_gradient(model, x, labels).sign()).clamp(0, 1)


def descends_the_loss(model, x, labels, step):
    return (x - step * loss_gradient(model, x, labels).sign()).clamp(0, 1)


def subtracts_the_step(model, x, labels, step):
    return (x - step * score_gradient(model, x, labels).sign()).clamp(0, 1)


def forgets_the_sign(model, x, labels, step):
    return (x + step * score_gradient(model, x, labels)).clamp(0, 1)


def uses_its_own_answer(model, x, labels, step):
    return (x + step * score_gradient(model, x, model(x).argmax(1)).sign()).clamp(0, 1)


def adds_up_all_scores(model, x, labels, step):
    x = x.clone().requires_grad_()
    return (x + step * torch.autograd.grad(model(x).sum(), x)[0].sign()).clamp(0, 1).detach()


def goes_forward_only(model, x, labels, step):
    return augment(model, x, labels, abs(step))


def does_not_clip(model, x, labels, step):
    return x + step * score_gradient(model, x, labels).sign()


def returns_the_same(model, x, labels, step):
    return x.clone()


def joins_old_and_new(model, x, labels, step):
    return torch.cat([x, augment(model, x, labels, step)])


WRONG = {
    "08.1": [
        (has_a_row_for_each_target, "a list of"),
        (gives_accuracies, "these are accuracies"),
        (gives_percentages, "percentages"),
        (gives_counts, "divide by the number of images"),
        (shows_the_clean_images, "shown the clean images"),
        (counts_changes_of_mind, "changes its mind"),
        (leaves_out_what_was_wrong_before, "every image counts"),
        (attacks_again_and_again, "start from x every time"),
        (flattens_the_matrix, "a list of 6 numbers"),
        (gives_the_last_row, "a list of"),
    ],
    "08.2": [
        (adds_the_normal, "subtract the step"),
        (forgets_the_norm, "divide each row by its norm"),
        (divides_by_the_norm_of_all, "a normal of its own"),
        (takes_the_sign, "the sign of the weights"),
        (divides_by_the_sum, "the sum of the absolute values"),
        (goes_to_the_rival, "strongest rival"),
        (forgets_to_clip, "Clip to [0, 1]"),
        (returns_x, "unchanged"),
        (returns_the_flat_step, "a tensor of shape"),
    ],
    "08.4": [
        (prefers_the_farthest, "needs a minus"),
        (forgets_the_square, "not squared"),
        (takes_the_city_block, "absolute differences"),
        (takes_the_mean_square, "has their sum"),
        (forgets_the_temperature, "temperature is missing"),
        (multiplies_by_the_temperature, "divide by it"),
        (asks_the_nearest_alone, "only the nearest image votes"),
        (does_not_normalise, "not shares"),
        (normalises_the_other_way, "wrong dimension"),
        (takes_the_mean_over_each_class, "every *image* has a vote"),
        (applies_softmax_twice, "one softmax too many"),
        (returns_the_weights, "a tensor of shape"),
    ],
    "08.5": [
        (takes_the_batch_for_one_vector, "one cosine for each image"),
        (takes_the_scalar_product, "divide by the lengths"),
        (compares_signs, "the gradients' signs"),
        (compares_mean_gradients, "compare image by image"),
        (takes_the_absolute_value, "absolute value"),
        (gives_a_distance, "one minus the cosine"),
        (adds_up_the_images, "take the mean"),
        (asks_about_the_answers, "each model's own answer"),
        (differentiates_the_score, "gradients of the score of y"),
        (gives_one_for_each_image, "a number is wanted"),
    ],
    "08.6": [
        (averages_the_losses, "the logarithm last"),
        (adds_up_the_losses, "the sum of the models' losses"),
        (averages_the_logits, "you average the logits"),
        (gives_probabilities_to_cross_entropy, "another softmax"),
        (forgets_the_minus, "the minus is missing"),
        (forgets_the_logarithm, "the probability itself"),
        (forgets_to_divide, "divide by the number of models"),
        (returns_in_the_loop, "only the first model"),
        (overwrites_in_the_loop, "only the last model"),
        (takes_the_worst, "the largest loss"),
        (gives_the_mean_over_images, "a tensor of shape"),
    ],
    "08.7": [
        (climbs_the_loss, "the gradient of the loss"),
        (descends_the_loss, "the loss downhill"),
        (subtracts_the_step, "turned round"),
        (forgets_the_sign, "take its sign"),
        (uses_its_own_answer, "substitute's own answer"),
        (adds_up_all_scores, "pick the label's"),
        (goes_forward_only, "always forward"),
        (does_not_clip, "Clip to [0, 1]"),
        (returns_the_same, "unchanged"),
        (joins_old_and_new, "a tensor of shape"),
    ],
}


# Right answers, written otherwise -------------------------------------------------------------------------------------

def goes_cell_by_cell(attacks, targets, x, y):
    table = []
    with torch.no_grad():
        for attack in attacks:
            x_adv, row = attack(x, y), []
            for target in targets:
                right = (target(x_adv).max(1).indices == y).sum()
                row.append(1 - float(right) / len(y))
            table.append(row)
    return table


def steps_image_by_image(weight, x, y, length):
    rows = [image - length * (weight[label] / weight[label].square().sum().sqrt()).view(image.shape)
            for image, label in zip(x, y, strict=True)]
    return torch.stack(rows).clip(0, 1)


def adds_up_class_by_class(x, x_train, y_train, classes, temperature):
    distances = torch.cdist(x.flatten(1), x_train.flatten(1)) ** 2
    votes = torch.exp(-(distances - distances.min(1, keepdim=True).values) / temperature)
    shares = torch.stack([votes[:, y_train == k].sum(1) for k in range(classes)], 1)
    return shares / votes.sum(1, keepdim=True)


def compares_image_by_image(model_a, model_b, x, y):
    cosines = []
    for image, label in zip(x, y, strict=True):
        gradients = []
        for model in (model_a, model_b):
            z = image[None].clone().requires_grad_()
            gradients.append(torch.autograd.grad(F.cross_entropy(model(z), label[None]), z)[0].flatten())
        a, b = gradients
        cosines.append((a @ b / (a.norm() * b.norm())).item())
    return sum(cosines) / len(cosines)


def takes_the_logsumexp(models, x, y):
    each = torch.stack([model(x).log_softmax(1)[torch.arange(len(y)), y] for model in models])
    return torch.log(torch.tensor(float(len(models)), dtype=each.dtype)) - each.logsumexp(0)


def differentiates_one_by_one(model, x, labels, step):
    new = []
    for image, label in zip(x, labels, strict=True):
        z = image[None].clone().requires_grad_()
        model(z)[0, label].backward()
        new.append(torch.clamp(z.detach() + step * torch.sign(z.grad), 0, 1))
    return torch.cat(new)


RIGHT = {
    "08.1": [goes_cell_by_cell],
    "08.2": [steps_image_by_image],
    "08.4": [adds_up_class_by_class],
    "08.5": [compares_image_by_image],
    "08.6": [takes_the_logsumexp],
    "08.7": [differentiates_one_by_one],
}
