"""Plausible wrong answers to exercise 09.1, each with a part of the message that it should get, and right ones."""

import torch
from torch.nn import functional as F

from advcourse.exercises.probes import loss_gradient


def fgsm(model, x, y, eps):
    return (x + eps * loss_gradient(model, x, y).sign()).clamp(0, 1)


def exchanges_the_weights(model, x, y, eps, c):
    return (1 - c) * F.cross_entropy(model(x), y) + c * F.cross_entropy(model(fgsm(model, x, y, eps)), y)


def forgets_to_attack(model, x, y, eps, c):
    return c * F.cross_entropy(model(x), y) + (1 - c) * F.cross_entropy(model(x), y)


def forgets_the_second_part(model, x, y, eps, c):
    return c * F.cross_entropy(model(x), y)


def trains_on_the_attack_alone(model, x, y, eps, c):
    return F.cross_entropy(model(fgsm(model, x, y, eps)), y)


def adds_without_weights(model, x, y, eps, c):
    return F.cross_entropy(model(x), y) + F.cross_entropy(model(fgsm(model, x, y, eps)), y)


def helps_the_network(model, x, y, eps, c):
    x_adv = (x - eps * loss_gradient(model, x, y).sign()).clamp(0, 1)
    return c * F.cross_entropy(model(x), y) + (1 - c) * F.cross_entropy(model(x_adv), y)


def forgets_the_sign(model, x, y, eps, c):
    x_adv = (x + eps * loss_gradient(model, x, y)).clamp(0, 1)
    return c * F.cross_entropy(model(x), y) + (1 - c) * F.cross_entropy(model(x_adv), y)


def forgets_the_sign_of_the_mean(model, x, y, eps, c):
    x_adv = (x + eps * loss_gradient(model, x, y) / len(x)).clamp(0, 1)
    return c * F.cross_entropy(model(x), y) + (1 - c) * F.cross_entropy(model(x_adv), y)


def attacks_the_prediction(model, x, y, eps, c):
    x_adv = fgsm(model, x, model(x).argmax(1), eps)
    return c * F.cross_entropy(model(x), y) + (1 - c) * F.cross_entropy(model(x_adv), y)


def forgets_to_clip(model, x, y, eps, c):
    x_adv = x + eps * loss_gradient(model, x, y).sign()
    return c * F.cross_entropy(model(x), y) + (1 - c) * F.cross_entropy(model(x_adv), y)


def sums_over_the_batch(model, x, y, eps, c):
    x_adv = fgsm(model, x, y, eps)
    clean, attacked = (F.cross_entropy(model(images), y, reduction="sum") for images in (x, x_adv))
    return c * clean + (1 - c) * attacked


def returns_one_loss_per_image(model, x, y, eps, c):
    x_adv = fgsm(model, x, y, eps)
    clean, attacked = (F.cross_entropy(model(images), y, reduction="none") for images in (x, x_adv))
    return c * clean + (1 - c) * attacked


def forgets_eps(model, x, y, eps, c):
    return c * F.cross_entropy(model(x), y) + (1 - c) * F.cross_entropy(model(fgsm(model, x, y, 1.0)), y)


def detaches_the_loss(model, x, y, eps, c):
    return (c * F.cross_entropy(model(x), y) + (1 - c) * F.cross_entropy(model(fgsm(model, x, y, eps)), y)).detach()


def detaches_the_clean_loss(model, x, y, eps, c):
    clean, attacked = F.cross_entropy(model(x), y).detach(), F.cross_entropy(model(fgsm(model, x, y, eps)), y)
    return c * clean + (1 - c) * attacked


def takes_the_clean_loss_as_a_number(model, x, y, eps, c):
    return c * F.cross_entropy(model(x), y).item() + (1 - c) * F.cross_entropy(model(fgsm(model, x, y, eps)), y)


def attacks_without_a_gradient(model, x, y, eps, c):
    with torch.no_grad():
        attacked = F.cross_entropy(model(fgsm(model, x, y, eps)), y)
    return c * F.cross_entropy(model(x), y) + (1 - c) * attacked


def returns_a_float(model, x, y, eps, c):
    return float(c * F.cross_entropy(model(x), y) + (1 - c) * F.cross_entropy(model(fgsm(model, x, y, eps)), y))


def leaves_gradients_in_the_model(model, x, y, eps, c):
    image = x.clone().requires_grad_()
    F.cross_entropy(model(image), y).backward()
    x_adv = (x + eps * image.grad.sign()).clamp(0, 1)
    return c * F.cross_entropy(model(x), y) + (1 - c) * F.cross_entropy(model(x_adv), y)


def clears_the_models_gradients(model, x, y, eps, c):
    image = x.clone().requires_grad_()
    F.cross_entropy(model(image), y).backward()
    model.zero_grad(set_to_none=False)
    x_adv = (x + eps * image.grad.sign()).clamp(0, 1)
    return c * F.cross_entropy(model(x), y) + (1 - c) * F.cross_entropy(model(x_adv), y)


def switches_the_callers_images(model, x, y, eps, c):
    x.requires_grad_()
    gradient, = torch.autograd.grad(F.cross_entropy(model(x), y), x)
    x_adv = (x + eps * gradient.sign()).clamp(0, 1).detach()
    return c * F.cross_entropy(model(x), y) + (1 - c) * F.cross_entropy(model(x_adv), y)


def ignores_c(model, x, y, eps, c):
    return (F.cross_entropy(model(x), y) + F.cross_entropy(model(fgsm(model, x, y, eps)), y)) / 2


def shows_the_change_alone(model, x, y, eps, c):
    p = eps * loss_gradient(model, x, y).sign()
    return c * F.cross_entropy(model(x), y) + (1 - c) * F.cross_entropy(model(p), y)


def takes_the_softmax_first(model, x, y, eps, c):
    clean, attacked = model(x).softmax(1), model(fgsm(model, x, y, eps)).softmax(1)
    return c * F.cross_entropy(clean, y) + (1 - c) * F.cross_entropy(attacked, y)


def takes_a_squared_error(model, x, y, eps, c):
    wanted = F.one_hot(y, 4).float()
    clean, attacked = model(x).softmax(1), model(fgsm(model, x, y, eps)).softmax(1)
    return c * F.mse_loss(clean, wanted) + (1 - c) * F.mse_loss(attacked, wanted)


def takes_a_squared_error_of_logits(model, x, y, eps, c):
    wanted = F.one_hot(y, 4).float()
    return c * F.mse_loss(model(x), wanted) + (1 - c) * F.mse_loss(model(fgsm(model, x, y, eps)), wanted)


def steps_by_backward(model, x, y, eps, c):
    image = x.detach().clone().requires_grad_()
    F.cross_entropy(model(image), y).backward(inputs=[image])  # none is left in the model
    x_adv = torch.clamp(x + eps * image.grad.sign(), 0, 1)
    losses = -torch.cat([model(x), model(x_adv)]).log_softmax(1).gather(1, y.repeat(2)[:, None])[:, 0]
    weights = torch.cat([torch.full((len(x),), c), torch.full((len(x),), 1 - c)]).to(losses)
    return (losses * weights).sum() / len(x)


def goes_image_by_image(model, x, y, eps, c):
    losses = []
    for image, label in zip(x.split(1), y.split(1), strict=True):
        image_adv = fgsm(model, image, label, eps)
        losses.append(c * F.cross_entropy(model(image), label) + (1 - c) * F.cross_entropy(model(image_adv), label))
    return sum(losses) / len(losses)


def works_in_float64(model, x, y, eps, c):
    clean, attacked = model(x).double(), model(fgsm(model, x, y, eps)).double()
    return c * F.cross_entropy(clean, y) + (1 - c) * F.cross_entropy(attacked, y)


def changes_a_copy_in_place(model, x, y, eps, c):
    x_adv = x.clone()
    x_adv += eps * loss_gradient(model, x, y).sign()
    x_adv.clamp_(0, 1)
    loss = F.cross_entropy(model(x), y)
    loss *= c
    loss += (1 - c) * F.cross_entropy(model(x_adv), y)
    return loss


def lets_p_carry_its_gradient(model, x, y, eps, c):  # that of a sign is 0
    image = x.clone().requires_grad_()
    clean = F.cross_entropy(model(image), y)
    p = eps * torch.autograd.grad(clean, image, create_graph=True)[0].sign()
    return c * clean + (1 - c) * F.cross_entropy(model((image + p).clamp(0, 1)), y)


def takes_the_logarithm_by_hand(model, x, y, eps, c):
    def loss(images):
        return -(model(images).softmax(1).gather(1, y[:, None]) + 1e-8).log().mean()

    return c * loss(x) + (1 - c) * loss(fgsm(model, x, y, eps))


def adds_one(model, x, y, eps, c):
    return 1 + takes_the_logarithm_by_hand(model, x, y, eps, c)


def takes_the_item(model, x, y, eps, c):
    return takes_the_logarithm_by_hand(model, x, y, eps, c).item()


WRONG = [
    (adds_one, "not what the formula gives"),
    (takes_the_item, "`.item()`"),
    (exchanges_the_weights, "the weights are exchanged"),
    (forgets_to_attack, "the loss on clean images alone"),
    (forgets_the_second_part, "only the clean part is here"),
    (trains_on_the_attack_alone, "the adversarial images alone"),
    (adds_without_weights, "without their weights"),
    (helps_the_network, "down the loss"),
    (forgets_the_sign, "in proportion to the gradient"),
    (forgets_the_sign_of_the_mean, "in proportion to the gradient of the mean loss"),
    (attacks_the_prediction, "the model's own answers"),
    (forgets_to_clip, "leaves [0, 1]"),
    (sums_over_the_batch, "this is the sum"),
    (returns_one_loss_per_image, "a tensor of shape (12,)"),
    (forgets_eps, "by a full 1"),
    (detaches_the_loss, "your loss has no gradient"),
    (detaches_the_clean_loss, "no gradient flows through the clean loss"),
    (takes_the_clean_loss_as_a_number, "no gradient flows through the clean loss"),
    (attacks_without_a_gradient, "no gradient flows through the adversarial loss"),
    (returns_a_float, "`float(…)`"),
    (leaves_gradients_in_the_model, "leaves a gradient in `model`"),
    (clears_the_models_gradients, "leaves a gradient in `model`"),
    (switches_the_callers_images, "switches `requires_grad` of `x`"),
    (ignores_c, "c has no effect"),
    (shows_the_change_alone, "on p alone"),
    (takes_the_softmax_first, "leave the softmax out"),
    (takes_a_squared_error, "this is a squared error"),
    (takes_a_squared_error_of_logits, "the squared error of the logits"),
]

RIGHT = [takes_the_logarithm_by_hand, steps_by_backward, goes_image_by_image, works_in_float64,
         changes_a_copy_in_place, lets_p_carry_its_gradient]
