"""The boundary attack and HopSkipJump: labels only, exact budgets, exact distances on a linear model, digits."""

import pytest
import torch
from torch.nn import functional as F

from advcourse.attacks import geometry
from advcourse.attacks.decision_based import _normal, _Oracle, boundary, hop_skip_jump
from tests.attacks.black_boxes import Counting, digits, linear, sealed

both = pytest.mark.parametrize("attack", [boundary, hop_skip_jump], ids=["boundary", "hop_skip_jump"])


def half_space(shape=(1, 4, 5)):
    """A model with a flat boundary at distance 0.3 from the image, which is grey: nothing is clipped on the way."""
    _, weights = linear(2, shape)
    direction = weights[0] / weights[0].norm()
    x = torch.full((1, *shape), 0.5)

    def model(z):
        beyond = (z - 0.5).flatten(1) @ direction.to(z.dtype) - 0.3
        return torch.stack([-beyond, beyond], 1)

    return model, x, direction


def oracle_for(model, x):
    return _Oracle(model, x, torch.zeros(len(x), dtype=torch.int64), norm="l2", queries=5000, targeted=False,
                   starts=None, low=0, high=1, generator=None)


@both
def test_only_the_label_counts(attack):
    model, x, y = digits(5)
    def labels_only(z):
        return F.one_hot(model(z).argmax(1), 10).float()
    assert torch.equal(attack(sealed(labels_only), x, y, queries=300), attack(model, x, y, queries=300))


@both
@pytest.mark.parametrize("queries", [1, 2, 3, 10, 17, 64, 65, 300, 301])
def test_it_asks_exactly_as_often_as_it_may(attack, queries):
    model, x, y = digits(4)
    counting = Counting(model)
    for i in range(4):  # one image at a time: its own count
        counting.asked.clear()
        attack(counting, x[i:i + 1], y[i:i + 1], queries=queries)
        assert counting.count == queries and all(map(len, counting.asked))
        assert all(asked.min() >= 0 and asked.max() <= 1 for asked in counting.asked)
    counting.asked.clear()
    attack(counting, x, y, queries=queries)
    assert counting.count == 4 * queries


@both
def test_an_image_does_not_depend_on_its_batch_or_its_place(attack):
    """foolbox's HopSkipJump divides by the norm of the whole batch: median 3.5 in a batch of 20, 2.0 one at a time."""
    model, x, y = digits(8)
    together = attack(model, x, y, queries=700)
    alone = torch.cat([attack(model, x[i:i + 1], y[i:i + 1], queries=700) for i in range(8)])
    order = torch.tensor([7, 3, 0, 1, 5, 2, 6, 4])
    moved = attack(model, x[order], y[order], queries=700)
    size = geometry.distance(together, x, "l2")
    # A rounding error can turn one vote, and the walk goes elsewhere from there: most are equal, all are alike.
    for other in (geometry.distance(alone, x, "l2"), geometry.distance(moved, x[order], "l2")[order.argsort()]):
        assert ((other - size).abs() < 1e-4).float().mean() >= 0.5
        assert (other - size).abs().median() < 0.05 and abs(other.mean() / size.mean() - 1) < 0.05


@both
def test_the_exact_distance_to_a_flat_boundary(attack):
    model, x, direction = half_space()
    x_adv = attack(model, x, torch.tensor([0]), queries=8000)
    assert model(x_adv).argmax(1) == 1
    assert 0.3 - 1e-6 <= geometry.distance(x_adv, x, "l2").item() <= 0.3 * 1.02
    if attack is hop_skip_jump:
        x_adv = hop_skip_jump(model, x, torch.tensor([0]), queries=8000, norm="linf")
        exact = 0.3 / direction.abs().sum().item()
        assert exact - 1e-6 <= geometry.distance(x_adv, x, "linf").item() <= exact * 1.05


def test_the_votes_point_along_the_normal():
    model, x, direction = half_space()
    x = x.repeat(3, 1, 1, 1)
    z = x + 0.3 * direction.view(x[:1].shape)
    with torch.no_grad():
        oracle = oracle_for(model, x)
        normal = _normal(oracle, z, torch.arange(3), torch.tensor([1e-3, 1e-2, 0.1]), 2000)
    assert (torch.cosine_similarity(normal.flatten(1), direction[None]) > 0.97).all()
    assert (oracle.used == 2000).all()


def test_votes_that_agree_point_the_right_way():
    model, x, _direction = half_space()
    with torch.no_grad():
        oracle = oracle_for(model, x)
        normal = _normal(oracle, x, torch.arange(1), torch.tensor([0.01]), 64)  # all right: minus the mean direction
        assert torch.isfinite(normal).all() and normal.abs().sum() > 0


@pytest.mark.parametrize("attack, queries, most",
                         [(hop_skip_jump, 1000, 2.4), (hop_skip_jump, 4000, 1.7), (boundary, 4000, 2.1)])
def test_distances_on_digits(attack, queries, most):
    """foolbox, one image at a time: HopSkipJump 2.24 (1,000 queries), 1.6 (5,000), boundary attack 2.50 (5,000)."""
    model, x, y = digits(16)
    x_adv = attack(model, x, y, queries=queries)
    assert (model(x_adv).argmax(1) != y).all()
    assert geometry.distance(x_adv, x, "l2").median() <= most


@both
def test_more_queries_end_nearer(attack):
    model, x, y = digits(8)
    sizes = [geometry.distance(attack(model, x, y, queries=queries), x, "l2") for queries in (100, 400, 1600)]
    assert (sizes[1] <= sizes[0]).all() and (sizes[2] <= sizes[1]).all() and sizes[2].mean() < 0.7 * sizes[0].mean()


@both
def test_starts_and_targets(attack):
    model, many, labels = digits(100)
    x, target = many[:20], (labels[:20] + 1) % 10
    starts = torch.stack([many[labels == wanted][0] for wanted in target])
    x_adv = attack(model, x, target, targeted=True, starts=starts, queries=1000)
    assert (model(x_adv).argmax(1) == target).all()
    assert (geometry.distance(x_adv, x, "l2") < 0.7 * geometry.distance(starts, x, "l2")).float().mean() > 0.9


@both
def test_without_a_start_x_comes_back(attack):
    def model(z):
        return torch.tensor([1.0, 0.0]).expand(len(z), 2)
    x = torch.rand(3, 1, 5, 5)
    counting = Counting(model)
    assert torch.equal(attack(counting, x, torch.zeros(3, dtype=torch.int64), starts=1 - x), x)
    assert counting.count == 3 * (1 + 1 + 50)  # the image, its start, fifty random images


@both
def test_starts_that_do_not_fit(attack):
    model, x, y = digits(4)
    for wrong in (x[:1], x.double(), 2 - x):
        with pytest.raises(ValueError, match="starts" if wrong.dtype != x.dtype or len(wrong) != len(x)
                           else r"\[0, 1\]"):
            attack(model, x, y, starts=wrong)


def test_norm_of_hop_skip_jump():
    model, x, y = digits(4)
    with pytest.raises(ValueError, match="norm"):
        hop_skip_jump(model, x, y, norm="l1")
    near = hop_skip_jump(model, x, y, norm="linf", queries=1500)
    far = hop_skip_jump(model, x, y, norm="l2", queries=1500)
    assert (geometry.distance(near, x, "linf") < geometry.distance(far, x, "linf")).all()
