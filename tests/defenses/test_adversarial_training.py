"""Every loss against its formula, written out once more in float64, and what training on it does to a small network."""

import math
from functools import partial

import pytest
import torch
from torch import nn

from advcourse.defenses import adversarial_training as at
from advcourse.randomness import seeded
from tests.defenses.training_task import robust


def small(seed=0, inputs=16, classes=3):
    """A random ReLU network in float64, a batch of images and labels."""
    generator = torch.Generator().manual_seed(seed)
    model = nn.Sequential(nn.Flatten(), nn.Linear(inputs, 20), nn.ReLU(), nn.Linear(20, classes)).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator, dtype=torch.float64))
    x = (torch.rand(8, 1, 4, 4, generator=generator, dtype=torch.float64) * 1.4 - 0.2).clamp(0, 1)
    return model, x, torch.randint(classes, (8,), generator=generator)


def log_p(model, x):
    """Log-probabilities by their definition."""
    logits = model(x)
    return logits - logits.exp().sum(1, keepdim=True).log()


def mean_loss(model, x, y):
    return -sum(log_p(model, x)[i, label] for i, label in enumerate(y)) / len(y)


def kl(p, q):
    """KL from two tables of log-probabilities, one number per row."""
    return (p.exp() * (p - q)).sum(1)


def gradient_of(model, x, y):
    x = x.clone().requires_grad_()
    return torch.autograd.grad(mean_loss(model, x, y) * len(y), x)[0]


def frozen_worst_case(monkeypatch, x_adv):
    """Let every method train on these images, whatever it asks for."""
    monkeypatch.setattr(at, "worst_case", lambda *arguments, **options: x_adv)


# The inner maximisation

def test_worst_case_is_the_walk_of_madry_step_by_step():
    model, x, y = small()
    start = x + 0.02
    found = at.worst_case(model, x, at._cross_entropy_of(y), eps=0.2, steps=3, step_size=0.1, start=start)
    walk = start.clamp(0, 1)
    for _ in range(3):
        walk = (walk + 0.1 * gradient_of(model, walk, y).sign()).clamp(x - 0.2, x + 0.2).clamp(0, 1)
    assert torch.allclose(found, walk, atol=1e-12) and not found.requires_grad


def test_worst_case_in_the_euclidean_ball():
    model, x, y = small()
    found = at.worst_case(model, x, at._cross_entropy_of(y), eps=0.7, norm="l2", steps=1, step_size=0.3, start=x)
    gradient = gradient_of(model, x, y)
    assert torch.allclose(found, (x + 0.3 * gradient / gradient.flatten(1).norm(dim=1).view(-1, 1, 1, 1)).clamp(0, 1),
                          atol=1e-12)
    far = at.worst_case(model, x, at._cross_entropy_of(y), eps=0.7, norm="l2", steps=9)
    assert (far - x).flatten(1).norm(dim=1).max() <= 0.7 and far.min() >= 0 and far.max() <= 1
    assert mean_loss(model, far, y) > mean_loss(model, x, y) + 0.1


def test_worst_case_starts_anywhere_in_the_ball_and_stays_in_it():
    model, x, y = small()
    x = x * 0 + 0.5
    runs = torch.stack([at.worst_case(model, x, at._cross_entropy_of(y), eps=0.1, steps=1, step_size=0.0)
                        for _ in range(200)]) - 0.5
    assert runs.abs().max() <= 0.1 + 1e-12 and runs.max() > 0.099 and runs.min() < -0.099
    assert runs.std().item() == pytest.approx(0.1 / math.sqrt(3), rel=0.02)


def test_worst_case_takes_an_eps_for_every_image():
    model, x, y = small()
    eps = torch.linspace(0, 0.2, len(x), dtype=torch.float64)
    found = at.worst_case(model, x, at._cross_entropy_of(y), eps=eps, steps=5)
    size = (found - x).flatten(1).abs().amax(1)
    assert (size <= eps + 1e-12).all() and torch.allclose(size, eps, atol=1e-3)


def test_the_model_is_found_as_it_was_and_its_batch_norm_unmoved_by_the_making_of_examples():
    model = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(16), nn.Linear(16, 3)).double().train()
    before = [tensor.clone() for tensor in model.state_dict().values()]
    _, x, y = small()
    at.worst_case(model, x, at._cross_entropy_of(y), eps=0.1)
    assert model.training and all(parameter.requires_grad and parameter.grad is None
                                  for parameter in model.parameters())
    assert all(torch.equal(*pair) for pair in zip(before, model.state_dict().values(), strict=True))


# The losses against their formulas

@pytest.mark.parametrize("c", [0, 0.3, 0.5, 1])
def test_goodfellow_loss_is_the_formula(c):
    model, x, y = small()
    x_adv = (x + 0.1 * gradient_of(model, x, y).sign()).clamp(0, 1)
    wanted = c * mean_loss(model, x, y) + (1 - c) * mean_loss(model, x_adv, y)
    assert torch.allclose(at.goodfellow_loss(model, x, y, eps=0.1, c=c), wanted)


def test_the_perturbation_counts_as_given():
    """No gradient flows through the making of the examples: that of the loss is the one on fixed images."""
    model, x, y = small()
    x_adv = (x + 0.1 * gradient_of(model, x, y).sign()).clamp(0, 1)
    found = torch.autograd.grad(at.goodfellow_loss(model, x, y, eps=0.1, c=0), model.parameters())
    wanted = torch.autograd.grad(mean_loss(model, x_adv, y), model.parameters())
    assert all(torch.allclose(*pair) for pair in zip(found, wanted, strict=True))


@pytest.mark.parametrize("aim", ["true", "predicted", "least likely"])
def test_kurakin_loss_is_algorithm_1(aim, monkeypatch):
    model, x, y = small()
    eps = torch.linspace(0.01, 0.2, 4, dtype=torch.float64)
    monkeypatch.setattr(at, "random_radius", lambda count, *_: eps[:count])
    logits = model(x)
    label = {"true": y, "predicted": logits.argmax(1), "least likely": logits.argmin(1)}[aim][:4]
    sign = gradient_of(model, x[:4], label).sign() * (-1 if aim == "least likely" else 1)
    x_adv = (x[:4] + eps.view(-1, 1, 1, 1) * sign).clamp(0, 1)
    clean_sum, adversarial_sum = 4 * mean_loss(model, x[4:], y[4:]), 4 * mean_loss(model, x_adv, y[:4])
    found = at.kurakin_loss(model, x, y, eps=0.2, share=0.5, weight=0.3, aim=aim)
    assert torch.allclose(found, (clean_sum + 0.3 * adversarial_sum) / (4 + 0.3 * 4))


def test_kurakin_loss_without_examples_or_with_equal_weights_is_a_plain_mean():
    model, x, y = small()
    assert torch.allclose(at.kurakin_loss(model, x, y, eps=0.2, share=0), mean_loss(model, x, y))
    x_adv = torch.cat([at.step_towards(model, x[:4], y[:4], eps=0.1, aim="true"), x[4:]])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(at, "random_radius", lambda count, *_: 0.1)
        assert torch.allclose(at.kurakin_loss(model, x, y, eps=0.2, weight=1, aim="true"), mean_loss(model, x_adv, y))
    with pytest.raises(ValueError, match="aim must be 'true', 'predicted' or 'least likely'; got 'leaky'"):
        at.kurakin_loss(model, x, y, eps=0.2, aim="leaky")


def test_radii_follow_the_truncated_normal():
    radii = at.random_radius(100_000, 0.3, torch.zeros(1, dtype=torch.float64))
    assert radii.min() >= 0 and radii.max() <= 0.3
    normal = 0.15 * torch.randn(400_000, dtype=torch.float64)
    kept = normal[normal.abs() <= 0.3].abs()
    for share in (0.1, 0.5, 0.9):
        assert radii.quantile(share).item() == pytest.approx(kept[:100_000].quantile(share).item(), rel=0.03)


def test_pgd_loss_is_the_loss_at_the_worst_case():
    model, x, y = small()
    with seeded(3):
        found = at.pgd_loss(model, x, y, eps=0.1, steps=4)
    with seeded(3):
        x_adv = at.worst_case(model, x, at._cross_entropy_of(y), eps=0.1, steps=4)
    assert torch.allclose(found, mean_loss(model, x_adv, y)) and found > mean_loss(model, x, y)


def test_trades_loss_is_the_formula(monkeypatch):
    model, x, y = small()
    x_adv = (x + 0.1).clamp(0, 1)
    frozen_worst_case(monkeypatch, x_adv)
    wanted = mean_loss(model, x, y) + 3 * kl(log_p(model, x), log_p(model, x_adv)).mean()
    found = at.trades_loss(model, x, y, eps=0.1, beta=3)
    assert torch.allclose(found, wanted)
    # Both sides of the divergence are trained.
    gradients = [torch.autograd.grad(loss, model.parameters()) for loss in (found, wanted)]
    assert all(torch.allclose(*pair) for pair in zip(*gradients, strict=True))


def test_trades_looks_for_the_largest_change_of_the_answer_and_needs_no_label_for_it():
    model, x, y = small()
    def divergence_after(steps):
        seen = {}
        def spy(model, x, loss, **options):
            seen["x_adv"] = worst_case(model, x, loss, **options)
            return seen["x_adv"]
        worst_case = at.worst_case
        with pytest.MonkeyPatch.context() as patch, seeded(0):
            patch.setattr(at, "worst_case", spy)
            at.trades_loss(model, x, y, eps=0.2, steps=steps)
        return kl(log_p(model, x), log_p(model, seen["x_adv"])).mean().item()
    noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(0), dtype=x.dtype).sign()
    at_random = kl(log_p(model, x), log_p(model, (x + 0.2 * noise).clamp(0, 1))).mean()
    assert divergence_after(10) > divergence_after(1) > at_random


def test_mart_loss_is_the_formula(monkeypatch):
    model, x, y = small()
    x_adv = (x + 0.1).clamp(0, 1)
    frozen_worst_case(monkeypatch, x_adv)
    p_clean, p_adv, wanted = log_p(model, x).exp(), log_p(model, x_adv).exp(), 0
    for i, label in enumerate(y):
        rival = max(p_adv[i, k] for k in range(3) if k != label)
        boosted = -p_adv[i, label].log() - (1 - rival).log()
        wanted += boosted + 5 * kl(p_clean.log(), p_adv.log())[i] * (1 - p_clean[i, label])
    assert torch.allclose(at.mart_loss(model, x, y, eps=0.1, weight=5), wanted / len(y), rtol=1e-5)


def test_logit_pairing_loss_is_the_formula(monkeypatch):
    model, x, y = small()
    x_adv = (x + 0.1).clamp(0, 1)
    frozen_worst_case(monkeypatch, x_adv)
    apart = ((model(x) - model(x_adv)) ** 2).sum() / (8 * 3)
    wanted = (mean_loss(model, x, y) + mean_loss(model, x_adv, y)) / 2 + 0.7 * apart
    assert torch.allclose(at.logit_pairing_loss(model, x, y, eps=0.1, weight=0.7), wanted)


def test_virtual_adversarial_loss_is_the_formula_along_the_direction_of_largest_curvature():
    """In a linear model of two classes KL changes fastest along the difference of the weight rows, for any image."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, 2)).double()
    _, x, y = small(classes=2)
    row = (model[1].weight[0] - model[1].weight[1]).detach().view(1, 4, 4)
    r = 0.5 * row / row.norm()
    for i in range(len(x)):
        image, label = x[i:i + 1], y[i:i + 1]
        # To second order both ways along the line are the same: which one is taken is chance.
        wanted = [mean_loss(model, image, label) + 2 * kl(log_p(model, image), log_p(model, image + sign * r))
                  for sign in (1, -1)]
        found = at.virtual_adversarial_loss(model, image, label, eps=0.5, weight=2, xi=1e-4, steps=2)
        assert min(abs(found - value).item() for value in wanted) < 1e-6


def test_virtual_adversarial_loss_takes_the_clean_answer_as_given_and_smooths_unlabelled_images():
    model, x, y = small()
    seen = []
    def spy(images):
        seen.append(images.detach())
        return model(images)
    at.virtual_adversarial_loss(spy, x[:2], y[:2], eps=0.1, unlabelled=x[2:])
    assert len(seen[0]) == 4 and torch.equal(seen[0][:2], x[:2])
    assert all(any(torch.equal(image, other) for other in x[2:]) for image in seen[0][2:])
    # Where the answer is the same everywhere nothing but J is left.
    steady = nn.Sequential(nn.Flatten(), nn.Linear(16, 3)).double()
    with torch.no_grad():
        steady[1].weight.zero_()
    assert torch.allclose(at.virtual_adversarial_loss(steady, x, y, eps=0.1), mean_loss(steady, x, y))


def test_warm_up_raises_eps_in_a_straight_line_and_does_not_count_validation():
    seen = []
    loss = at.warm_up(lambda model, x, y, *, eps: seen.append(eps), eps=0.4, batches=4)
    model = nn.Linear(1, 1)
    for training in (True, True, False, True, True, True, False):
        loss(model.train(training), None, None)
    assert seen == pytest.approx([0.1, 0.2, 0.2, 0.3, 0.4, 0.4, 0.4])


# What each method does to a network

@pytest.mark.parametrize("loss", [
    at.goodfellow_loss, at.kurakin_loss, at.pgd_loss, at.trades_loss, at.mart_loss, at.logit_pairing_loss,
    partial(at.kurakin_loss, aim="predicted"), partial(at.pgd_loss, steps=2)],
    ids=lambda loss: getattr(loss, "__name__", None))
def test_training_makes_the_network_robust(loss, task, plain):
    clean, under_attack = robust(partial(loss, eps=0.1), task)
    assert plain[0] > 0.95 and plain[1] < 0.5
    assert clean > 0.8 and under_attack > plain[1] + 0.2, (clean, under_attack, plain)
