"""Square: its bumps against the paper's sum, its budget counted outside, its strength without a gradient."""

from itertools import pairwise

import pytest
import torch
from torch import nn

from advcourse import data, zoo
from advcourse.attacks import geometry, losses
from advcourse.attacks.square import _bump, _Bumps, _Linf, _share, _two_sided, search, square


@pytest.fixture(scope="module")
def mnist():
    dataset = data.load("mnist")
    model = zoo.load("mnist-cnn")
    x, y = dataset.x_test[:60], dataset.y_test[:60]
    right = model(x).argmax(1) == y
    return model, x[right], y[right]


class Scores:
    """A model without a derivative that counts how often it sees each image, told apart by a corner pixel."""

    def __init__(self, model):
        self.model, self.queries, self.seen = model, 0, []

    def __call__(self, x):
        self.queries += len(x)
        self.seen.append(x.clone())
        assert not torch.is_grad_enabled()
        return self.model(x)


@pytest.mark.parametrize("power, exponent", [(2, 2), (1, 4)], ids=["l2", "l1"])
@pytest.mark.parametrize("tall, wide", [(2, 5), (3, 5), (7, 15), (8, 15), (4, 4), (1, 3)])
def test_a_bump_is_the_paper_s_sum(tall, wide, power, exponent):
    bump = _bump(tall, wide, torch.zeros(1, dtype=torch.float64), power)
    n = max(tall, wide) // 2
    for row in range(tall):
        for column in range(wide):
            rings = n - max(abs(row - tall // 2), abs(column - wide // 2))
            assert bump[row, column].item() == pytest.approx(sum(1 / (n + 1 - k) ** exponent for k in range(rings + 1)))


@pytest.mark.parametrize("power", [2, 1])
@pytest.mark.parametrize("tall, wide", [(5, 5), (9, 5), (1, 5), (3, 1), (1, 1)])
def test_two_sided_bumps_have_size_one_and_both_signs(tall, wide, power):
    generator = torch.Generator().manual_seed(0)
    for _ in range(4):
        pattern = _two_sided(tall, wide, torch.zeros(1, dtype=torch.float64), generator, power)
        assert pattern.shape == (tall, wide)
        assert pattern.norm(power).item() == pytest.approx(1)
        if min(tall, wide) > 1:
            assert pattern.min() < 0 < pattern.max()


def test_squares_shrink_as_in_the_paper():
    assert [_share(query, 10_000) for query in (1, 10, 11, 50, 51, 8001)] == [.8, .8, .4, .4, .2, .8 / 2 ** 9]
    assert _share(4999, 5000) == .8 / 2 ** 7
    assert _share(500, 500) == _share(5000, 5000)


@pytest.mark.parametrize("norm", ["linf", "l2", "l1"])
@pytest.mark.parametrize("queries", [1, 2, 37])
def test_the_budget_is_kept_exactly(norm, queries):
    model = Scores(lambda x: torch.zeros(len(x), 3))  # label 0 wins every tie: never fooled
    x = torch.rand(5, 2, 8, 8, generator=torch.Generator().manual_seed(0))
    x_adv = square(model, x, torch.zeros(5, dtype=torch.int64), eps=0.3, norm=norm, queries=queries)
    assert model.queries == 5 * queries
    assert all(len(batch) == 5 for batch in model.seen)
    assert (geometry.distance(x_adv, x, norm) <= 0.3).all()
    everything = torch.stack(model.seen)
    assert (everything >= 0).all() and (everything <= 1).all()
    assert (geometry.distance(everything.flatten(0, 1), x.repeat(queries, 1, 1, 1), norm) <= 0.3).all()


def test_an_image_is_shown_no_more_once_it_fools(mnist):
    model, x, y = mnist
    spy = Scores(model)
    x_adv = square(spy, x, y, eps=0.15, queries=300)
    fooled = model(x_adv).argmax(1) != y
    sizes = [len(batch) for batch in spy.seen]
    assert sizes[0] == len(x) and sizes == sorted(sizes, reverse=True)
    assert 0 < spy.queries - 300 * (~fooled).sum().item() < 300 * fooled.sum().item()


def test_in_linf_every_pixel_stands_at_the_border_and_every_query_changes_something(mnist):
    model, x, y = mnist
    spy = Scores(model)
    square(spy, x[:1], y[:1], eps=0.02, queries=400)
    low, high = geometry.bounds(x[:1], 0.02)
    assert all(((batch == low) | (batch == high)).all() for batch in spy.seen)
    assert all(not torch.equal(one, two) for one, two in pairwise(spy.seen))


@pytest.mark.parametrize("norm", ["linf", "l2", "l1"])
def test_an_image_s_result_does_not_depend_on_its_batch(mnist, norm):
    model, x, y = mnist
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 10)).double().requires_grad_(False)
    x = x[:6].double()
    together = square(model, x, y[:6], eps=0.05, norm=norm, queries=60)
    alone = torch.cat([square(model, x[i:i + 1], y[i:i + 1], eps=0.05, norm=norm, queries=60) for i in range(6)])
    assert torch.allclose(together, alone)


@pytest.mark.parametrize("norm, eps, highest", [("linf", 0.12, 0.25), ("l2", 2.0, 0.25), ("l1", 15.0, 0.3)])
def test_strength(mnist, norm, eps, highest):
    model, x, y = mnist
    accuracy = [(model(square(model, x, y, eps=eps, norm=norm, queries=queries)).argmax(1) == y).double().mean().item()
                for queries in (20, 800)]
    assert accuracy[1] <= highest
    assert accuracy[1] < accuracy[0] - 0.1


@pytest.mark.parametrize("norm, shares", [("linf", [.1, .05, .00625]), ("l2", [.8, .8, .8]), ("l1", [.8, .8, .8])])
def test_with_few_queries_the_squares_shrink_earlier_in_linf_alone(monkeypatch, norm, shares):
    seen = []
    proposals = _Linf if norm == "linf" else _Bumps
    change = proposals.change
    monkeypatch.setattr(proposals, "change", lambda self, x_adv,
                        share: (seen.append(share), change(self, x_adv, share))[1])
    square(lambda x: torch.zeros(len(x), 3), torch.rand(1, 1, 8, 8), torch.zeros(1, dtype=torch.int64), eps=0.3,
           norm=norm, queries=11)
    assert [seen[0], seen[1], seen[-1]] == pytest.approx(shares)


def test_it_reaches_targets(mnist):
    model, x, y = mnist
    target = (y + 1) % 10
    x_adv = square(model, x[:30], target[:30], eps=0.3, targeted=True, queries=600)
    assert (model(x_adv).argmax(1) == target[:30]).double().mean() >= 0.6


def test_it_gives_up_only_where_other_attacks_came_nearer(mnist):
    model, x, y = mnist
    queries, fooled = [], []
    for reached in (None, torch.zeros(25), losses.margin(model(x[:25]), y[:25])):
        spy = Scores(model)
        with torch.no_grad():
            x_adv = search(spy, x[:25], y[:25], eps=0.07, norm="linf", queries=5000, targeted=False,
                           generator=torch.Generator().manual_seed(0), reached=reached)
        queries.append(spy.queries)
        fooled.append((model(x_adv).argmax(1) != y[:25]).sum().item())
    assert queries[1] < 0.6 * queries[0]
    assert fooled[1] < fooled[0]  # these images are within reach of square alone
    assert fooled[2] == fooled[0]
