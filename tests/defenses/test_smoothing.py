"""Smoothing: the interval covers, and the radius is the true distance where that is known."""

import pytest
import torch
from scipy.stats import binom, binomtest, norm
from torch import nn

from advcourse import training
from advcourse.defenses import smoothing


@pytest.mark.parametrize("successes, trials", [(0, 10), (1, 10), (7, 10), (10, 10), (993, 1000)])
@pytest.mark.parametrize("alpha", [0.001, 0.05, 0.3])
def test_the_lower_bound_is_clopper_and_pearsons(successes, trials, alpha):
    wanted = binomtest(successes, trials, alternative="greater").proportion_ci(1 - alpha, "exact").low
    bound = smoothing.lower_confidence_bound(successes, trials, alpha)
    assert bound == pytest.approx(wanted, abs=1e-9)
    if successes:  # its definition: at this rate so many successes or more have probability alpha
        assert binom.sf(successes - 1, trials, bound) == pytest.approx(alpha, rel=1e-6)


def test_the_interval_covers_as_often_as_it_promises():
    generator = torch.Generator().manual_seed(0)
    counts = (torch.rand(2000, 100, generator=generator) < 0.8).sum(1).tolist()
    missed = sum(smoothing.lower_confidence_bound(count, 100, 0.05) > 0.8 for count in counts) / 2000
    assert 0.02 < missed <= 0.065  # never above alpha but for chance, and not much below


def half_space(classes=2):
    """A linear model, on which smoothing changes nothing: its distance is the radius at infinitely many samples."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, classes))
    with torch.no_grad():
        model[1].weight.copy_(torch.randn(classes, 16, generator=torch.Generator().manual_seed(1)))
        model[1].bias.copy_(-model(torch.full((1, 1, 4, 4), 0.5))[0] + torch.linspace(0, 0.5, classes))
    return model.requires_grad_(False)


def test_the_radius_comes_near_the_distance_to_a_hyperplane_and_stays_below():
    model, x = half_space(), torch.rand(12, 1, 4, 4, generator=torch.Generator().manual_seed(2))
    weight = model[1].weight[1] - model[1].weight[0]
    distance = (model(x).diff(dim=1)[:, 0] / weight.norm()).abs()
    classes, radii = smoothing.certify(model, x, sigma=0.25, samples=10_000, alpha=0.001)
    answered = classes != smoothing.ABSTAIN
    assert answered.sum() >= 8 and torch.equal(classes[answered], model(x).argmax(1)[answered])
    assert (radii <= distance).all()
    near = answered & (distance < 0.6)  # farther away the samples set the limit
    assert near.any() and (radii[near] > 0.8 * distance[near] - 0.02).all()


def test_abstains_on_the_boundary_and_never_certifies_it():
    model = half_space()
    x = torch.full((1, 1, 4, 4), 0.5)
    weight = model[1].weight[1] - model[1].weight[0]
    x = x - (model(x).diff(dim=1)[0, 0] / weight.square().sum() * weight).view(1, 1, 4, 4)
    classes, radii = smoothing.certify(model, x, sigma=0.25, samples=1000)
    assert classes.tolist() == [smoothing.ABSTAIN] and radii.tolist() == [0]
    y = torch.tensor([0])
    assert smoothing.certified_accuracy(classes, radii, y, 0.0) == 0


def test_the_class_is_chosen_before_its_votes_are_counted():
    asked = []

    def turncoat(x):  # class 0 for the 100 copies that choose, class 1 for all others
        asked.append(len(x))
        return nn.functional.one_hot(torch.full((len(x),), int(sum(asked) > 100)), 2).float()

    classes, radii = smoothing.certify(turncoat, torch.rand(1, 1, 4, 4), sigma=0.25, samples=500)
    assert classes.tolist() == [smoothing.ABSTAIN] and radii.tolist() == [0] and sum(asked) == 600


def test_no_radius_above_what_the_samples_allow():
    model = half_space()
    _, radii = smoothing.certify(model, torch.ones(2, 1, 4, 4), sigma=0.5, samples=100, alpha=0.001)
    assert (radii <= 0.5 * norm.ppf(0.001 ** (1 / 100)) + 1e-6).all()
    assert smoothing.certified_radius(0.4, 0.5) == smoothing.certified_radius(0.5, 0.5) == 0
    assert smoothing.certified_radius(norm.cdf(1.0), 0.5) == pytest.approx(0.5)


def test_same_seed_same_certificates_and_the_global_state_stays():
    model, x = half_space(4), torch.rand(5, 1, 4, 4, generator=torch.Generator().manual_seed(3))
    state = torch.get_rng_state()
    runs = [smoothing.certify(model, x, sigma=0.3, samples=200, generator=torch.Generator().manual_seed(5))
            for _ in range(2)]
    assert torch.equal(runs[0][0], runs[1][0]) and torch.equal(runs[0][1], runs[1][1])
    assert torch.equal(torch.get_rng_state(), state)


def test_certified_accuracy_counts_right_and_certain():
    classes, radii, y = torch.tensor([0, 1, 2, -1]), torch.tensor([0.5, 0.1, 0.9, 0.0]), torch.tensor([0, 1, 1, 3])
    assert [smoothing.certified_accuracy(classes, radii, y, r) for r in (0, 0.1, 0.3, 0.6)] == [0.5, 0.5, 0.25, 0]


def test_training_with_noise_helps_under_noise():
    generator = torch.Generator().manual_seed(0)
    y = torch.randint(2, (400,), generator=generator)
    x = torch.rand(400, 1, 4, 4, generator=generator) * 0.1
    x[:, 0, 0, 0] += 0.9 * y  # one bright pixel tells at once; the others together tell under noise
    x[:, 0, 1:] += 0.3 * y[:, None, None]
    radii = []
    for loss in (training.cross_entropy_loss, smoothing.noisy_loss(0.5)):
        with training.seeded(0):
            model = nn.Sequential(nn.Flatten(), nn.Linear(16, 2))
        training.fit(model, x, y, epochs=10, batch_size=400, learning_rate=0.05, loss=loss)
        radii.append(smoothing.certify(model, x[:20], sigma=0.5, samples=500)[1].mean().item())
    assert radii[1] > radii[0]


@pytest.mark.parametrize("arguments", [dict(sigma=0.0), dict(sigma=0.1, samples=0)])
def test_wrong_arguments(arguments):
    with pytest.raises(ValueError, match="must be"):
        smoothing.certify(half_space(), torch.rand(1, 1, 4, 4), **arguments)
    with pytest.raises(ValueError, match="successes"):
        smoothing.lower_confidence_bound(3, 2, 0.1)
