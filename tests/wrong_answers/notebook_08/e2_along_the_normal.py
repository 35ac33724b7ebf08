"""Plausible wrong answers to exercise 08.2, each with a part of the message that it should get, and right ones."""

import torch


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


def steps_image_by_image(weight, x, y, length):
    rows = [image - length * (weight[label] / weight[label].square().sum().sqrt()).view(image.shape)
            for image, label in zip(x, y, strict=True)]
    return torch.stack(rows).clip(0, 1)


def takes_the_norm_over_classes(weight, x, y, length):
    return step(x, -length * (weight / weight.norm(dim=0, keepdim=True))[y])


def divides_by_the_largest(weight, x, y, length):
    return step(x, -length * weight[y] / weight[y].abs().max(1, keepdim=True).values)


def divides_by_the_square(weight, x, y, length):
    return step(x, -length * weight[y] / (weight[y] ** 2).sum(1, keepdim=True))


def leaves_the_class_that_it_reads(weight, x, y, length):
    seen = (x.flatten(1) @ weight.T).argmax(1)
    return step(x, -length * (weight / weight.norm(dim=1, keepdim=True))[seen])


def forgets_the_length(weight, x, y, length):
    return step(x, -(weight / weight.norm(dim=1, keepdim=True))[y])


def returns_the_change(weight, x, y, length):
    return (-length * (weight / weight.norm(dim=1, keepdim=True))[y]).view(x.shape)


def walks_at_random(weight, x, y, length):
    noise = torch.randn(len(x), weight.shape[1])
    return step(x, length * noise / noise.norm(dim=1, keepdim=True))


def subtracts_in_place_on_a_clone(weight, x, y, length):
    x_adv = x.clone()
    x_adv -= length * torch.nn.functional.normalize(weight, dim=1)[y].reshape_as(x)
    return x_adv.clamp_(0, 1).requires_grad_()


def works_in_numpy(weight, x, y, length):
    weight, flat = weight.double().numpy(), x.flatten(1).double().numpy()
    normal = weight / ((weight**2).sum(1, keepdims=True) ** 0.5 + 1e-12)
    return (flat - length * normal[y.numpy()]).clip(0, 1).reshape(x.shape)


WRONG = [
    (adds_the_normal, "subtract the step"),
    (forgets_the_norm, "divide each row by its norm"),
    (divides_by_the_norm_of_all, "a normal of its own"),
    (takes_the_sign, "the sign of the weights"),
    (divides_by_the_sum, "the sum of the absolute values"),
    (goes_to_the_rival, "strongest rival"),
    (forgets_to_clip, "Clip to [0, 1]"),
    (returns_x, "unchanged"),
    (returns_the_flat_step, "a tensor of shape"),
    (takes_the_norm_over_classes, "over the classes"),
    (divides_by_the_largest, "the largest absolute value"),
    (divides_by_the_square, "the squared norm"),
    (leaves_the_class_that_it_reads, "that the SVM reads"),
    (forgets_the_length, "the length is missing"),
    (returns_the_change, "this is the step alone"),
    (walks_at_random, "not what the formula gives"),
]

RIGHT = [steps_image_by_image, subtracts_in_place_on_a_clone, works_in_numpy]
