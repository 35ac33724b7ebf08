"""Auto-PGD against closed forms on linear models, the paper's formulas written out, and its strength on MNIST."""

import pytest
import torch
from torch import nn

from advcourse import data, zoo
from advcourse.attacks import autopgd, losses
from advcourse.attacks.autopgd import apgd
from tests.attacks.counting import Counting


def linear(weight, bias=None):
    model = nn.Sequential(nn.Flatten(), nn.Linear(weight.shape[1], len(weight))).double()
    with torch.no_grad():
        model[1].weight.copy_(weight)
        model[1].bias.copy_(torch.zeros(len(weight)) if bias is None else bias)
    return model


def best_gain(weight, x, eps, norm):
    """The largest ⟨weight, δ⟩ over the ball and the box, for x far enough from the box's walls in l2; greedy in l1."""
    room = torch.where(weight > 0, 1 - x, x)
    if norm == "linf":
        return (weight.abs() * room.clamp(max=eps)).sum()
    if norm == "l2":
        return eps * weight.norm()
    left, gain = eps, 0.0
    for pixel in weight.abs().argsort(descending=True).tolist():
        step = min(left, room[pixel].item())
        left, gain = left - step, gain + step * weight[pixel].abs()
    return gain


@pytest.mark.parametrize("loss", ["ce", "dlr"])
@pytest.mark.parametrize("norm, eps", [("linf", 0.3), ("l2", 0.25), ("l1", 1.2)])
def test_it_finds_the_optimum_of_a_linear_model(norm, eps, loss):
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(2, 36, generator=generator, dtype=torch.float64)
    model = linear(weight)
    x = torch.rand(5, 1, 6, 6, generator=generator,
                   dtype=torch.float64) * (1 if norm != "l2" else 0.4) + (0 if norm != "l2" else 0.3)
    y = model(x).argmax(1)
    x_adv = apgd(model, x, y, eps=eps, norm=norm, loss=loss, steps=100)
    for image, adversarial, label in zip(x.flatten(1), x_adv.flatten(1), y, strict=True):
        direction = weight[1 - label] - weight[label]
        share = (direction @ (adversarial - image)).item() / best_gain(direction, image, eps, norm).item()
        assert (0.9 if norm == "l1" else 0.998) <= share <= 1 + 1e-9  # l1: its smallest step is a tenth of eps


def test_dlr_is_the_paper_s_formula_and_knows_no_scale():
    logits = torch.randn(50, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    y, target = torch.arange(50) % 6, (torch.arange(50) + 2) % 6
    for row, label, aim, loss, towards, from_to in zip(
            logits.tolist(), y.tolist(), target.tolist(), autopgd.dlr(logits, y), autopgd.dlr_towards(logits, y),
            autopgd.dlr_from_to(logits, y, target), strict=True):
        ranked = sorted(row, reverse=True)
        other = max(value for k, value in enumerate(row) if k != label)
        assert loss.item() == pytest.approx(-(row[label] - other) / (ranked[0] - ranked[2]))
        assert towards.item() == pytest.approx((row[label] - other) / (ranked[0] - (ranked[2] + ranked[3]) / 2))
        assert from_to.item() == pytest.approx(-(row[label] - row[aim]) / (ranked[0] - (ranked[2] + ranked[3]) / 2))
    assert torch.allclose(autopgd.dlr(logits, y), autopgd.dlr(1000 * logits - 70, y))


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("targeted", [False, True])
def test_dlr_with_few_classes(classes, targeted):
    model = linear(torch.randn(classes, 16, generator=torch.Generator().manual_seed(2)).double())
    x = torch.full((classes, 1, 4, 4), 0.5, dtype=torch.float64)
    answer = model(x).argmax(1)
    y = (answer + 1) % classes if targeted else answer
    x_adv = apgd(model, x, y, eps=0.5, loss="dlr", targeted=targeted, steps=20)
    assert losses.fools(model(x_adv), y, targeted).all()


def test_checkpoints_are_those_of_the_paper():
    p = [0, 0.22]
    while p[-1] < 1:
        p.append(p[-1] + max(p[-1] - p[-2] - 0.03, 0.06))
    assert list(autopgd._checkpoints(100, "linf")) == [round(100 * share) for share in p[1:] if share <= 1]
    assert autopgd._checkpoints(1, "l2") == {1: 1}


def test_the_step_halves_where_the_loss_rose_too_seldom_or_nothing_changed():
    rows = torch.zeros(4)
    goal = autopgd.Goal(None, None, 0.1, "linf", stop=False)
    state = autopgd._state(torch.zeros(4, 1, 2, 2), (rows.long(),), torch.zeros(4, 1, 2, 2), goal)
    state.rises = torch.tensor([15.0, 16.0, 17.0, 17.0])
    state.checked_loss = torch.tensor([0.0, 0.0, 1.0, 1.0])
    state.best_loss, state.halved = torch.tensor([1.0, 1.0, 1.0, 1.0]), torch.tensor([False, False, False, True])
    state.best = torch.ones(4, 1, 2, 2)
    autopgd._check_progress(state, 20, 0.1)
    assert state.halved.tolist() == [True, False, True, False]
    assert state.step_size.tolist() == pytest.approx([0.1, 0.2, 0.1, 0.2])
    assert state.x_adv.flatten(1)[:, 0].tolist() == [1, 0, 1, 0]


@pytest.mark.parametrize("norm", ["linf", "l2", "l1"])
def test_passes_are_those_of_the_docstring(norm):
    model = Counting(linear(torch.zeros(3, 16).double()))  # never fooled: label 0 wins every tie
    x = torch.full((4, 1, 4, 4), 0.5, dtype=torch.float64)
    with pytest.warns(RuntimeWarning, match="gradient masking"):
        apgd(model, x, torch.zeros(4, dtype=torch.int64), eps=0.1, norm=norm, steps=20, restarts=3)
    assert model.backward_images == 4 * 3 * 20
    assert model.forward_images == 4 * 3 * (20 + (3 if norm == "l1" else 1))


def test_the_loss_must_be_known():
    with pytest.raises(ValueError, match="'ce', 'dlr'; got 'mse'"):
        apgd(nn.Flatten(), torch.zeros(1, 1, 2, 2), torch.zeros(1, dtype=torch.int64), eps=0.1, loss="mse")


# On real images

@pytest.fixture(scope="module")
def mnist():
    dataset = data.load("mnist")
    model = zoo.load("mnist-cnn")
    x, y = dataset.x_test[:150], dataset.y_test[:150]
    right = model(x).argmax(1) == y
    return model, x[right], y[right]


@pytest.mark.parametrize("norm, eps, highest", [("linf", 0.1, 0.17), ("l2", 1.5, 0.2), ("l1", 8.0, 0.4)])
def test_strength(mnist, norm, eps, highest):
    model, x, y = mnist
    x_adv = apgd(model, x, y, eps=eps, norm=norm, steps=50)
    accuracy = (model(x_adv).argmax(1) == y).double().mean().item()
    assert accuracy <= highest
    stopped = apgd(model, x, y, eps=eps, norm=norm, steps=50, stop_when_fooled=True)
    assert torch.equal(model(stopped).argmax(1) == y, model(x_adv).argmax(1) == y)
    margin = losses.margin(model(x_adv), y) - losses.margin(model(stopped), y)
    assert margin.mean() < 0  # the first success is not the strongest


def test_restarts_and_steps_only_help(mnist):
    model, x, y = mnist
    budgets = dict(steps=5), dict(steps=5, restarts=3), dict(steps=40)
    fooled = [model(apgd(model, x, y, eps=0.08, **more)).argmax(1) != y for more in budgets]
    assert (fooled[1] >= fooled[0]).all()
    assert fooled[2].sum() > fooled[0].sum()


def test_a_confident_model_blinds_the_cross_entropy_but_not_dlr(mnist):
    """Logits so large that the probability of a mistake is 0 in float32: the reason for the DLR loss."""
    model, x, y = mnist
    def confident(images):
        return 50 * model(images)
    with pytest.warns(RuntimeWarning, match="gradient masking"):
        apgd(confident, x[:60], y[:60], eps=0.1, steps=5)
    for factor, loss in ((50, "dlr"), (3, "ce")):
        x_adv = apgd(lambda images, factor=factor: factor * model(images), x[:60], y[:60], eps=0.1, loss=loss, steps=50)
        assert (model(x_adv).argmax(1) == y[:60]).double().mean() <= 0.2


def test_targets_are_reached(mnist):
    model, x, y = mnist
    for loss in ("ce", "dlr"):
        target = (y[:60] + 1) % 10
        x_adv = apgd(model, x[:60], target, eps=0.3, loss=loss, targeted=True, steps=40, stop_when_fooled=True)
        assert (model(x_adv).argmax(1) == target).double().mean() >= 0.9
