"""Cheap adversarial training: the losses against formulas, their cost, catastrophic overfitting caused and cured."""

from functools import partial

import pytest
import torch
from torch import nn

from advcourse import attacks, data, models
from advcourse.defenses import fast_training as fast
from advcourse.defenses.adversarial_training import goodfellow_loss, warm_up
from advcourse.models.inference import accuracy
from advcourse.randomness import seeded
from advcourse.training.loop import fit
from tests.defenses.test_adversarial_training import gradient_of, mean_loss, small
from tests.defenses.training_task import robust


class Counted(nn.Module):
    """A model that counts its forward passes."""

    def __init__(self, model):
        super().__init__()
        self.model, self.passes = model, 0

    def forward(self, x):
        self.passes += 1
        return self.model(x)


def test_fast_loss_is_one_step_from_a_random_start():
    model, x, y = small()
    with seeded(4):
        found = fast.fast_loss(model, x, y, eps=0.1, step_size=0.08)
    with seeded(4):
        start = (x + 0.1 * (2 * torch.rand_like(x) - 1)).clamp(0, 1)
    x_adv = (start + 0.08 * gradient_of(model, start, y).sign()).clamp(x - 0.1, x + 0.1).clamp(0, 1)
    assert torch.allclose(found, mean_loss(model, x_adv, y))
    counted = Counted(model)
    fast.fast_loss(counted, x, y, eps=0.1)
    assert counted.passes == 2


def test_free_loss_takes_its_steps_from_the_backward_passes_of_the_training():
    model, x, y = small()
    loss, counted, delta = fast.free_loss(eps=0.1), Counted(model), torch.zeros_like(x)
    for _ in range(3):
        x_adv = (x + delta).clamp(0, 1)
        found = loss(counted, x, y)
        assert torch.allclose(found, mean_loss(model, x_adv, y))
        found.backward()
        inside = ((x + delta > 0) & (x + delta < 1)) | (delta == 0)
        delta = (delta + 0.1 * gradient_of(model, x_adv, y).sign()).clamp(-0.1, 0.1)
        assert inside.any()
    assert counted.passes == 3  # not one more than ordinary training would take
    # another batch size: from 0 again
    assert loss(model, x[:3], y[:3]).item() == pytest.approx(mean_loss(model, x[:3], y[:3]).item())


def test_grad_align_loss_is_the_formula_and_its_gradient_reaches_the_weights():
    model, x, y = small()
    model[2] = nn.Softplus()  # a network with curvature
    with seeded(5):
        found = fast.grad_align_loss(model, x, y, eps=0.1, weight=0.7)
    with seeded(5):
        u = 0.1 * (2 * torch.rand_like(x) - 1)
    at, beside = gradient_of(model, x, y).flatten(1), gradient_of(model, x + u, y).flatten(1)
    cosine = (at * beside).sum(1) / (at.norm(dim=1) * beside.norm(dim=1))
    x_adv = (x + 0.1 * at.sign().view_as(x)).clamp(0, 1)
    assert torch.allclose(found, mean_loss(model, x_adv, y) + 0.7 * (1 - cosine).mean())
    # The penalty alone, by finite differences in one weight.
    def penalty(shift):
        with torch.no_grad():
            model[1].weight[0, 0] += shift
        with seeded(5):
            value = fast.grad_align_loss(model, x, y, eps=0.1, weight=1)
            value -= fast.grad_align_loss(model, x, y, eps=0.0, weight=0)
        with torch.no_grad():
            model[1].weight[0, 0] -= shift
        return value
    with seeded(5):
        both = fast.grad_align_loss(model, x, y, eps=0.1,
                                    weight=1) - fast.grad_align_loss(model, x, y, eps=0.0, weight=0)
    gradient = torch.autograd.grad(both, model[1].weight)[0][0, 0].item()
    assert gradient == pytest.approx((penalty(1e-5) - penalty(-1e-5)).item() / 2e-5, rel=1e-3)


def test_gap_and_catastrophic_epoch():
    history = [{"epoch": k + 1, "gap": gap} for k, gap in enumerate([0.1, 0.2, 0.15, 0.5, 0.9])]
    assert fast.catastrophic_epoch(history) == 4 and fast.catastrophic_epoch(history[:3]) is None
    assert fast.catastrophic_epoch(history, gap=0.2) == 2
    model, x, y = small()
    model, x = model.float(), x.float()
    gap = fast.one_step_gap(model, x, y, eps=0.05, steps=5)
    assert gap["gap"] == gap["fgsm"] - gap["pgd"]
    assert gap["fgsm"] == accuracy(model, attacks.fgsm(model, x, y, eps=0.05), y)


# What they do to a network

def test_free_and_fast_training_make_a_network_robust(task, plain):
    free = robust(fast.free_loss(eps=0.1), task, epochs=4, replays=4)
    quick = robust(partial(fast.fast_loss, eps=0.1), task)
    for clean, under_attack in (free, quick):
        assert clean > 0.8 and under_attack > plain[1] + 0.2, (free, quick, plain)


def test_single_steps_end_in_a_catastrophe_which_is_noticed_and_cured_by_gradient_alignment():
    mnist = data.load("mnist")  # the effect needs real images
    x, y = mnist.x_test[:100], mnist.y_test[:100]

    def train(loss):
        with seeded(0):
            model = models.cnn()
        return fit(model, mnist.x_train[:2500], mnist.y_train[:2500], epochs=6, batch_size=64, learning_rate=2e-3,
                   loss=warm_up(loss, eps=0.3, batches=80),
                   measure=partial(fast.one_step_gap, x=x, y=y, eps=0.3, steps=10))

    blind, honest = train(partial(goodfellow_loss, c=0)), train(partial(fast.grad_align_loss, weight=5.0))
    assert fast.catastrophic_epoch(blind) and blind[-1]["fgsm"] > 0.4 and blind[-1]["pgd"] < 0.15
    assert fast.catastrophic_epoch(honest) is None and honest[-1]["pgd"] > blind[-1]["pgd"] + 0.1
