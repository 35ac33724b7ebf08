"""Plausible wrong answers to exercise 01.1, each with a part of the message that it should get, and right ones."""

import numpy as np
import torch


def clips_to_grey_values_only(x_p, x, eps):
    return x_p.clamp(0, 1)


def clips_to_the_ball_only(x_p, x, eps):
    return torch.clamp(x_p, x - eps, x + eps)


def returns_the_perturbation(x_p, x, eps):
    return (x_p - x).clamp(-eps, eps)


def clips_the_image_to_eps(x_p, x, eps):
    return x_p.clamp(-eps, eps)


def forgets_to_subtract_x(x_p, x, eps):
    return (x + x_p.clamp(-eps, eps)).clamp(0, 1)


def returns_x(x_p, x, eps):
    return x.clone()


def returns_x_p(x_p, x, eps):
    return x_p


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


def swaps_the_images(x_p, x, eps):
    return torch.clamp(x, x_p - eps, x_p + eps).clamp(0, 1)


def has_no_lower_limit(x_p, x, eps):
    return torch.minimum(x_p, x + eps).clamp(0, 1)


def goes_up_only(x_p, x, eps):
    return (x + (x_p - x).clamp(0, eps)).clamp(0, 1)


def goes_down_only(x_p, x, eps):
    return (x + (x_p - x).clamp(-eps, 0)).clamp(0, 1)


def resets_what_is_too_far(x_p, x, eps):
    x_new = x_p.clone()
    too_far = (x_p - x).abs() > eps
    x_new[too_far] = x[too_far]
    return x_new.clamp(0, 1)


def rescales(x_p, x, eps):
    x_new = torch.clamp(x_p, x - eps, x + eps)
    x_new = x_new - x_new.min()
    return x_new / x_new.max()


def clips_in_place(x_p, x, eps):
    return x_p.clamp_(x - eps, x + eps).clamp_(0, 1)


def projects_by_minimum_and_maximum(x_p, x, eps):
    low, high = (x - eps).clamp_min(0), (x + eps).clamp_max(1)
    return torch.max(torch.min(x_p, high), low)


def clips_the_perturbation(x_p, x, eps):
    delta = (x_p - x).clamp(-eps, eps)
    return torch.clip(x + delta, min=0.0, max=1.0)


def clips_to_grey_values_first(x_p, x, eps):
    return torch.clamp(x_p.clamp(0, 1), x - eps, x + eps)


def clips_in_numpy(x_p, x, eps):
    before, after = x.cpu().numpy(), x_p.cpu().numpy()
    return np.clip(np.clip(after, before - eps, before + eps), 0, 1)


def clips_in_float64(x_p, x, eps):
    x = x.double()
    return torch.clamp(x_p.double(), x - eps, x + eps).clamp(0, 1)


def clips_a_copy_in_place(x_p, x, eps):
    x_new = x_p.clone()
    high, low = x_new > x + eps, x_new < x - eps
    x_new[high] = (x + eps)[high]
    x_new[low] = (x - eps)[low]
    x_new[x_new > 1] = 1
    x_new[x_new < 0] = 0
    return x_new


def goes_image_by_image(x_p, x, eps):
    return [torch.clamp(after, before - eps, before + eps).clamp(0, 1)
            for after, before in zip(x_p, x, strict=True)]


WRONG = [
    (clips_to_grey_values_only, "leaves the ε-ball"),
    (clips_to_the_ball_only, "Clip to [0, 1]"),
    (returns_the_perturbation, "the perturbation δ alone"),
    (clips_the_image_to_eps, "within ε of 0, not of x"),
    (forgets_to_subtract_x, "the change, x_p − x"),
    (returns_x, "back unchanged"),
    (returns_x_p, "leaves the ε-ball"),
    (shrinks_the_whole_perturbation, "shrinks the whole perturbation"),
    (jumps_to_the_border, "the near ones too"),
    (halves_the_radius, "x ± ε/2"),
    (projects_onto_the_euclidean_ball, "pixel by pixel"),
    (swaps_the_images, "you clip x around x_p"),
    (has_no_lower_limit, "leaves the ε-ball"),
    (goes_up_only, "the lower limit is x − ε"),
    (goes_down_only, "the upper limit is x + ε"),
    (resets_what_is_too_far, "went back to x"),
    (rescales, "you rescale the grey values"),
    (clips_in_place, "changes `x_p` in place"),
]

RIGHT = [projects_by_minimum_and_maximum, clips_the_perturbation, clips_to_grey_values_first, clips_in_numpy,
         clips_in_float64, clips_a_copy_in_place, goes_image_by_image]
