"""Plausible wrong answers to exercise 14.4, each with a part of the message that it should get, and right ones."""

import torch
from torch.nn import functional as F


def attack(model, x, target, eps, own, steps, sign=-1, low=-1, high=1, project=True, clip=True, size=2.5):
    x_adv = x.clone()
    for _ in range(steps):
        x_adv.requires_grad_()
        gradient = torch.autograd.grad(F.cross_entropy(model(x_adv), target, reduction="sum"), x_adv)[0]
        x_adv = x_adv.detach() + sign * size * eps / steps * gradient.sign() * own
        if project:
            x_adv = torch.minimum(torch.maximum(x_adv, x - eps), x + eps)
        if clip:
            x_adv = x_adv.clamp(low, high)
    return x_adv


def mask(x, lengths):
    return torch.arange(x.shape[1]) < lengths[:, None]


def peak(x):
    return x.abs().amax(1, keepdim=True)


def climbs(model, x, target, db, lengths, steps):
    return attack(model, x, target, 10 ** (db / 20) * peak(x), mask(x, lengths), steps, sign=1)


def clips_like_an_image(model, x, target, db, lengths, steps):
    return attack(model, x, target, 10 ** (db / 20) * peak(x), mask(x, lengths), steps, low=0)


def changes_the_silence(model, x, target, db, lengths, steps):
    return attack(model, x, target, 10 ** (db / 20) * peak(x), 1, steps)


def takes_a_factor_of_ten(model, x, target, db, lengths, steps):
    return attack(model, x, target, 10 ** (db / 10) * peak(x), mask(x, lengths), steps)


def forgets_the_peak(model, x, target, db, lengths, steps):
    return attack(model, x, target, torch.full((len(x), 1), 10 ** (db / 20)), mask(x, lengths), steps)


def takes_the_batch_peak(model, x, target, db, lengths, steps):
    return attack(model, x, target, 10 ** (db / 20) * x.abs().max(), mask(x, lengths), steps)


def takes_the_root_mean_square(model, x, target, db, lengths, steps):
    rms = (x.square().sum(1, keepdim=True) / lengths[:, None]).sqrt()
    return attack(model, x, target, 10 ** (db / 20) * rms, mask(x, lengths), steps)


def does_not_project(model, x, target, db, lengths, steps):
    return attack(model, x, target, 10 ** (db / 20) * peak(x), mask(x, lengths), steps, project=False)


def does_not_clip(model, x, target, db, lengths, steps):
    loud = x / peak(x)
    changed = attack(model, x, target, 10 ** (db / 20) * peak(x), mask(x, lengths), steps, clip=False)
    return torch.where(loud.abs() > 0.999, x + loud.sign() * 10 ** (db / 20) * peak(x), changed)


def gives_delta(model, x, target, db, lengths, steps):
    return attack(model, x, target, 10 ** (db / 20) * peak(x), mask(x, lengths), steps) - x


def takes_one_step(model, x, target, db, lengths, steps):
    return attack(model, x, target, 10 ** (db / 20) * peak(x), mask(x, lengths), 1, size=1)


def flips_random_signs(model, x, target, db, lengths, steps):
    signs = torch.randn(x.shape, generator=torch.Generator().manual_seed(0)).sign()
    return (x + 10 ** (db / 20) * peak(x) * mask(x, lengths) * signs).clamp(-1, 1)


def works_in_place(model, x, target, db, lengths, steps):
    x.copy_(attack(model, x, target, 10 ** (db / 20) * peak(x), mask(x, lengths), steps))
    return x


def aims_at_the_prediction(model, x, target, db, lengths, steps):
    return attack(model, x, model(x).argmax(1), 10 ** (db / 20) * peak(x), mask(x, lengths), steps)


def follows_the_gradient(model, x, target, db, lengths, steps):
    eps, changed = 10 ** (db / 20) * peak(x) * mask(x, lengths), x.clone()
    for _ in range(steps):
        changed = changed.detach().requires_grad_()
        F.cross_entropy(model(changed), target, reduction="sum").backward()
        changed = torch.clamp(changed.detach() - 2.5 * eps / steps * changed.grad, x - eps, x + eps).clamp(-1, 1)
    return changed


def softens_twice(model, x, target, db, lengths, steps):
    return attack(lambda z: model(z).softmax(1), x, target, 10 ** (db / 20) * peak(x), mask(x, lengths), steps)


def goes_down_and_projects(model, x, target, db, lengths, steps):
    return attack(model, x, target, 10 ** (db / 20) * peak(x), mask(x, lengths), steps)


def starts_at_random(model, x, target, db, lengths, steps):
    eps = 10 ** (db / 20) * peak(x) * mask(x, lengths)
    delta = eps * (2 * torch.rand(x.shape, generator=torch.Generator().manual_seed(1)) - 1)
    for _ in range(steps):
        delta.requires_grad_()
        F.cross_entropy(model((x + delta).clamp(-1, 1)), target).backward()
        delta = (delta.detach() - eps / 4 * delta.grad.sign()).clamp(-eps, eps)
    return (x + delta).clamp(-1, 1)


def goes_one_by_one_with_small_steps(model, x, target, db, lengths, steps):
    found = []
    for sound, wanted, length in zip(x, target, lengths.tolist(), strict=True):
        eps, changed = 10 ** (db / 20) * float(sound.abs().max()), sound.clone()
        for _ in range(steps):
            changed = changed.detach().requires_grad_()
            (-model(changed[None]).log_softmax(1)[0, wanted]).backward()
            with torch.no_grad():
                changed[:length] -= 1.5 * eps / steps * changed.grad[:length].sign()
                changed = sound + (changed - sound).clamp(-eps, eps)
                changed = changed.clamp(-1, 1)
        found.append(changed.detach())
    return torch.stack(found)


WRONG = [
    (climbs, "the wrong way"),
    (clips_like_an_image, "is for images"),
    (changes_the_silence, "the silence after the sound"),
    (takes_a_factor_of_ten, "10^(db/10)"),
    (forgets_the_peak, "10^(db/20) alone"),
    (takes_the_batch_peak, "the loudest sound of the batch"),
    (takes_the_root_mean_square, "root mean square"),
    (does_not_project, "it leaves the ball"),
    (does_not_clip, "clip to [−1, 1]"),
    (gives_delta, "the change δ alone"),
    (takes_one_step, "a single step"),
    (flips_random_signs, "the mean loss of the target"),
    (works_in_place, "changes `x` in place"),
    (aims_at_the_prediction, "the wrong way"),
    (follows_the_gradient, "along its *sign*"),
    (softens_twice, "a softmax before the cross-entropy"),
]

RIGHT = [goes_down_and_projects, starts_at_random, goes_one_by_one_with_small_steps]
