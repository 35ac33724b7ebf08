"""Robust accuracy: exact on a linear model, below each of its members, and honest about what it did."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from advcourse import data, evaluate, zoo
from advcourse.attacks import geometry
from advcourse.attacks.geometry import dual_norm
from advcourse.evaluate import robustness


def three_classes(norm):
    """A linear model, images in the box's middle, and how far each is from the nearest boundary: a closed form."""
    generator = torch.Generator().manual_seed(5)
    model = nn.Sequential(nn.Flatten(), nn.Linear(36, 3)).double()
    with torch.no_grad():
        model[1].weight.copy_(torch.randn(3, 36, generator=generator))
        model[1].bias.zero_()
        # images on both sides of the boundaries, so that some are nearer than eps and some are not
        x = torch.rand(80, 1, 6, 6, generator=generator, dtype=torch.float64) * 0.3 + 0.35
        model[1].bias.copy_(-model(x).mean(0))
        logits = model(x)
    y = logits.argmax(1)
    y[:4] = (y[:4] + 1) % 3  # wrong from the start
    weight = model[1].weight.detach()
    leads = logits.gather(1, y[:, None]) - logits
    gaps = torch.stack([leads[:, k] / dual_norm(weight[y] - weight[k], norm).clamp_min(1e-12) for k in range(3)], 1)
    gaps[torch.arange(80), y] = torch.inf
    return model, x, y, gaps.amin(1)


@pytest.mark.parametrize("norm", ["linf", "l2"])
def test_exact_on_a_linear_model(norm):
    model, x, y, distance = three_classes(norm)
    eps = distance.median().item()
    unclear = (distance - eps).abs() < 0.02 * eps
    result = evaluate.robust_accuracy(model, x, y, eps=eps, norm=norm)
    assert 0.4 < result.accuracy < 0.6
    assert unclear.sum() < 8
    assert torch.equal((distance > eps)[~unclear], result.robust[~unclear])
    assert result.clean_accuracy == pytest.approx(76 / 80)


@pytest.mark.parametrize("norm", ["linf", "l2", "l1"])
def test_in_another_range_the_same_images_fall_to_the_same_attacks(norm):
    model, x, y, distance = three_classes(norm)
    eps = 1.003 * distance.median().item()
    plain = evaluate.robust_accuracy(model, x, y, eps=eps, norm=norm, exhaustive=True)
    mapped = evaluate.robust_accuracy(lambda z: model((z + 1) / 2), 2 * x - 1, y, eps=2 * eps, norm=norm,
                                      exhaustive=True, low=-1, high=1)
    assert torch.equal(mapped.robust, plain.robust) and mapped.fell == plain.fell
    assert torch.allclose((mapped.x_adv + 1) / 2, plain.x_adv, atol=1e-5)


def test_l1_runs_its_attacks_and_stays_in_the_ball():
    model, x, y, distance = three_classes("l1")
    eps = distance.median().item()
    result = evaluate.robust_accuracy(model, x, y, eps=eps, norm="l1")
    assert list(result.fell) == ["apgd-ce", "apgd-t", "fab-t", "square"]
    assert (geometry.distance(result.x_adv, x, "l1") <= eps).all()
    assert result.robust[distance > eps * 1.001].all()
    assert not result.robust[distance < eps * 0.9].any()


@pytest.fixture(scope="module")
def mnist():
    dataset = data.load("mnist")
    return zoo.load("mnist-cnn"), dataset.x_test[:100], dataset.y_test[:100]


def test_it_adds_up_on_mnist(mnist):
    model, x, y = mnist
    result = evaluate.robust_accuracy(model, x, y, eps=0.1, norm="linf")
    assert result.accuracy <= 0.1
    assert list(result.fell) == ["apgd-ce", "apgd-t", "fab-t", "square"]
    assert sum(result.fell.values()) == round((result.clean_accuracy - result.accuracy) * 100)
    assert result.fell["apgd-ce"] > 80  # the cheapest first
    assert evaluate.accuracy(model, result.x_adv, y) == result.accuracy == result.robust.double().mean().item()
    assert (geometry.distance(result.x_adv, x, "linf") <= 0.1).all()
    assert result.x_adv.min() >= 0 and result.x_adv.max() <= 1
    assert torch.equal(result.x_adv[result.robust], x[result.robust])
    text = str(result)
    assert f"{result.accuracy:.2%} of 100 images" in text and "square" in text
    assert text.count("left") == 4 and f"{round(result.accuracy * 100)} left" in text.splitlines()[-1]


def test_the_same_seed_the_same_result_and_nothing_else_changes(mnist):
    model, x, y = mnist
    state = torch.get_rng_state()
    model.train()
    first = evaluate.robust_accuracy(model, x[:30], y[:30], eps=0.07, norm="linf", seed=3)
    assert model.training and torch.equal(torch.get_rng_state(), state)
    model.eval()
    second = evaluate.robust_accuracy(model, x[:30], y[:30], eps=0.07, norm="linf", seed=3)
    assert torch.equal(first.x_adv, second.x_adv) and first.fell == second.fell
    with pytest.raises(AttributeError):
        first.accuracy = 1.0


class Counting(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model, self.passes, self.gradients = model, 0, 0

    def forward(self, x):
        self.passes += len(x)
        self.gradients += len(x) * x.requires_grad
        return self.model(x)


def test_giving_up_is_much_cheaper_and_hardly_weaker(mnist):
    model, x, y = mnist
    fast, full = Counting(model), Counting(model)
    results = [evaluate.robust_accuracy(counted, x[:25], y[:25], eps=0.07, norm="linf", exhaustive=exhaustive)
               for counted, exhaustive in ((fast, False), (full, True))]
    assert 0 <= results[0].robust.sum() - results[1].robust.sum() <= 1
    assert fast.passes < 0.55 * full.passes and fast.gradients < 0.33 * full.gradients


def test_a_masked_gradient_does_not_hide_the_weakness(mnist):
    """Rounding gives the exact gradient zero: the attacks with gradients are blind, Square is not."""
    model, x, y = mnist

    def masked(images):
        return model((images * 8).round() / 8)

    with pytest.warns(RuntimeWarning, match="gradient masking"):
        result = evaluate.robust_accuracy(masked, x[:30], y[:30], eps=0.15, norm="linf")
    assert result.fell["square"] >= 15
    assert result.accuracy <= 0.4


def test_without_gradients_square_runs_alone_and_the_result_says_so(mnist):
    model, x, y = mnist

    def scores(images):
        with torch.no_grad():
            return model(images)

    counted = Counting(scores)
    result = evaluate.robust_accuracy(counted, x[:20], y[:20], eps=0.15, norm="linf")
    assert result.fell["square"] >= 10 and list(result.fell) == ["square"]
    assert result.skipped == ("apgd-ce", "apgd-t", "fab-t")
    assert "no gradient" in str(result) and "apgd-ce, apgd-t, fab-t" in str(result)
    assert evaluate.robust_accuracy(model, x[:2], y[:2], eps=0.3).skipped == ()


def test_without_gradients_square_gives_nothing_up_that_it_could_fool(mnist):
    model, x, y = mnist

    def scores(images):
        with torch.no_grad():
            return model(images)

    fell = [evaluate.robust_accuracy(scores, x[:25], y[:25], eps=0.07, norm="linf", exhaustive=exhaustive).fell
            for exhaustive in (False, True)]
    assert fell[0] == fell[1] and fell[1]["square"] > 8


def test_images_that_are_wrong_already_cost_one_forward_pass(mnist):
    model, x, _y = mnist
    counted = Counting(model)
    result = evaluate.robust_accuracy(counted, x, (model(x).argmax(1) + 1) % 10, eps=0.1)
    assert counted.passes == len(x)
    assert result.accuracy == result.clean_accuracy == 0 and torch.equal(result.x_adv, x)


@pytest.mark.parametrize("norm", ["linf", "l1"])
def test_attacks_collected_into_a_list_keep_their_own_rank_and_restart(norm, monkeypatch):
    monkeypatch.setattr(robustness, "climb", lambda ask, x, labels, *_, generator, **options:
                        SimpleNamespace(x_adv=(*(label.item() for label in labels[1:]), generator.initial_seed())))
    monkeypatch.setattr(robustness, "within", lambda ask, x, y, target, **options: target.item())
    wrong = torch.tensor([[7, 2, 9]])
    attacks = list(robustness._ensemble(wrong, torch.zeros(1), eps=0.1, norm=norm, box=geometry.UNIT,
                                       exhaustive=False))
    found = {}
    for name, attack in attacks[:-1]:
        given = dict(index=torch.tensor([0]), generator=torch.Generator().manual_seed(5))
        found.setdefault(name, []).append(attack(None, torch.zeros(1, 1, 2, 2), torch.tensor([0]), **given))
    assert found == {"apgd-ce": [(5 + restart,) for restart in range(5 if norm == "l1" else 1)],
                     "apgd-t": [(7, 5), (2, 5), (9, 5)], "fab-t": [7, 2, 9]}


def test_wrong_arguments():
    model, x, y = nn.Flatten(), torch.rand(2, 1, 2, 2), torch.zeros(2, dtype=torch.int64)
    for arguments, words in ((dict(eps=-1), "eps"), (dict(eps=0.1, norm="l0"), "norm"),
                             (dict(eps=0.1, batch_size=0), "batch_size")):
        with pytest.raises(ValueError, match=words):
            evaluate.robust_accuracy(model, x, y, **arguments)
    with pytest.raises(ValueError, match="at least one image"):
        evaluate.robust_accuracy(model, x[:0], y[:0], eps=0.1)
    with pytest.raises(ValueError, match="labels"):
        evaluate.robust_accuracy(model, x, y + 7, eps=0.1)
