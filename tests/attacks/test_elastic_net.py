"""EAD finds sparse changes, smaller in l1 than those of an l2 attack."""

import pytest
import torch
from torch import nn

from advcourse import data, zoo
from advcourse.attacks import geometry
from advcourse.attacks.carlini_wagner import cw_l2
from advcourse.attacks.elastic_net import ead


@pytest.fixture(scope="module")
def mnist():
    loaded = data.load("mnist")
    x, y = loaded.x_test[:30], loaded.y_test[:30]
    other = torch.randint(1, 10, y.shape, generator=torch.Generator().manual_seed(1))
    return zoo.load("mnist-cnn"), x, (y + other) % 10


def test_less_l1_and_more_zeros_than_carlini_wagner_and_a_larger_largest_change(mnist):
    model, x, target = mnist
    sparse, dense = ead(model, x, target, rule="l1", targeted=True), cw_l2(model, x, target, targeted=True)
    assert (model(sparse).argmax(1) == target).all() and (model(dense).argmax(1) == target).all()
    def mean(x_adv, norm):
        return geometry.distance(x_adv, x, norm).mean()
    assert mean(sparse, "l1") <= 0.9 * mean(dense, "l1")
    assert mean(sparse, "l2") >= mean(dense, "l2") and mean(sparse, "linf") > mean(dense, "linf")
    def unchanged(x_adv):
        return (geometry.distance(x_adv, x, "linf") * 0 + 784 - geometry.distance(x_adv, x, "l0")).mean()
    assert unchanged(sparse) >= 400 and unchanged(sparse) >= 1.3 * unchanged(dense)


def test_the_rule_decides_which_success_is_kept(mnist):
    model, x, target = mnist
    by_l1, by_en = (ead(model, x, target, rule=rule, targeted=True) for rule in ("l1", "en"))
    def elastic(x_adv):
        return (0.01 * geometry.distance(x_adv, x, "l1") + geometry.distance(x_adv, x, "l2") ** 2).mean()
    assert geometry.distance(by_l1, x, "l1").mean() < geometry.distance(by_en, x, "l1").mean()
    assert elastic(by_en) < elastic(by_l1)


def test_a_larger_beta_changes_fewer_pixels(mnist):
    model, x, target = mnist
    counts = [geometry.distance(ead(model, x, target, beta=beta, targeted=True), x, "l0").mean()
              for beta in (0.001, 0.01, 0.03)]
    assert counts[0] > counts[1] > counts[2]


def test_on_a_linear_model_with_one_steep_pixel_only_that_one_moves():
    model = nn.Sequential(nn.Flatten(), nn.Linear(9, 2)).requires_grad_(False)
    model[1].weight.copy_(torch.stack([torch.zeros(9), torch.tensor([0.3] * 4 + [3.0] + [0.3] * 4)]))
    model[1].bias.copy_(torch.tensor([0.0, -3.5]))  # 2.7 · 0.5 = 1.35 and more at 0.5 everywhere: 0.8 short
    x = torch.full((1, 1, 3, 3), 0.5)
    assert model(x).argmax(1) == 0
    needed = -(model(x)[0, 1] - model(x)[0, 0]) / 3
    x_adv = ead(model, x, torch.tensor([0]), rule="l1")
    change = (x_adv - x).flatten()
    assert model(x_adv).argmax(1) == 1
    assert (change != 0).tolist() == [False] * 4 + [True] + [False] * 4
    assert needed <= change[4] <= 1.02 * needed


def test_one_forward_pass_a_step(mnist):
    model, x, target = mnist
    x, target, seen = x[:5], target[:5], []

    def counted(images):
        seen.append(len(images))
        return model(images)

    ead(counted, x, target, steps=10, search_steps=2, targeted=True)
    assert sum(seen) <= 5 * (1 + 1 + 10 * 2 + 8)
    seen.clear()
    ead(counted, x, target, targeted=True)  # the usual number of steps
    assert sum(seen) <= 5 * (1 + 1 + 22 * 4 + 8)


def test_an_unknown_rule_is_refused(mnist):
    model, x, target = mnist
    with pytest.raises(ValueError, match=r"'en', 'l1'.*'l2'"):
        ead(model, x, target, rule="l2")
