"""Column generation against enumeration and scikit-learn's solver; its bounds hold, and few columns do."""

import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch.nn import functional as F

from advcourse import data
from advcourse.invariance import column_generation as module
from advcourse.invariance.column_generation import averaged, column_generation, enumeration
from advcourse.invariance.orbits import orbit, pixel_shifts
from advcourse.invariance.shifts import shifts_within
from advcourse.invariance.worst_case_loss import gaussian_penalty, worst_case_losses

DECAY = 1e-2
ETA = gaussian_penalty(shifts_within(1), 1.0)


@pytest.fixture(scope="module")
def letters():
    loaded = data.load("fonts", train=120, test=1)
    small = F.avg_pool2d(loaded.x_train, 2)
    return small, orbit(small, pixel_shifts(1)), loaded.y_train


def objective(model, changed, y, eta=ETA):
    losses = torch.stack([F.cross_entropy(model(images), y, reduction="none") for images in changed.unbind(1)], 1)
    size = model[1].weight.square().sum() + model[1].bias.square().sum()
    return (worst_case_losses(losses, eta).mean() + DECAY / 2 * size).item()


def scikits(inputs, y, count):
    """The same objective without a maximum, by another solver; `count` images share the decay of one."""
    flat = F.pad(inputs.flatten(1), (0, 1), value=1.0).double().numpy()
    solver = LogisticRegression(C=1 / (DECAY * count), fit_intercept=False, tol=1e-8, max_iter=5000)
    table = torch.as_tensor(solver.fit(flat, y.numpy()).coef_).float()
    return table[:, :-1], table[:, -1]


def test_both_find_the_minimum_and_know_it(letters):
    _, changed, y = letters
    few, history = column_generation(changed, y, ETA, classes=10, decay=DECAY, gap=0.005)
    every, slower = enumeration(changed, y, ETA, classes=10, decay=DECAY, gap=0.005)
    for model, last in ((few, history[-1]), (every, slower[-1])):
        assert last.upper == pytest.approx(objective(model, changed, y), rel=1e-5)
        assert last.lower <= last.upper <= 1.01 * last.lower
    assert max(history[-1].lower, slower[-1].lower) <= min(history[-1].upper, slower[-1].upper) + 1e-6
    assert history[-1].columns < 0.6 * 9 and history[0].columns == 1 and {one.columns for one in slower} == {9}
    assert [one.columns for one in history] == sorted(one.columns for one in history)
    assert history[0].upper > 1.1 * history[-1].upper


def test_no_model_is_below_the_lower_bound(letters):
    _, changed, y = letters
    model, history = column_generation(changed, y, ETA, classes=10, decay=DECAY, rounds=2)
    assert len(history) == 2
    other, [*_, best] = enumeration(changed, y, ETA, classes=10, decay=DECAY)
    assert all(one.lower <= objective(other, changed, y) + 1e-6 for one in history)
    assert objective(model, changed, y) >= best.lower - 1e-6


@pytest.mark.parametrize("iterations", [1, 5, 20])
def test_the_bounds_hold_of_a_solver_that_was_stopped_early(iterations, letters, monkeypatch):
    _, changed, y = letters
    _, [*_, best] = enumeration(changed, y, ETA, classes=10, decay=DECAY)
    monkeypatch.setattr(module, "IN_A_ROUND", iterations)
    model, (early,) = enumeration(changed, y, ETA, classes=10, decay=DECAY, rounds=1)
    assert early.lower <= best.upper + 1e-6 and early.upper >= best.lower - 1e-6
    assert early.upper == pytest.approx(objective(model, changed, y), rel=1e-5)
    assert early.upper - early.lower > 2 * (best.upper - best.lower)


def test_the_identity_alone_is_scikits_softmax_regression(letters):
    x, changed, y = letters
    model, history = column_generation(changed, y, torch.tensor([1.0] + [0.0] * 8), classes=10, decay=DECAY, gap=1e-5)
    weight, bias = scikits(x, y, len(x))
    assert {one.columns for one in history} == {1} and history[-1].upper == pytest.approx(history[-1].lower, rel=1e-4)
    assert (model[1].weight - weight).abs().max() < 3e-3 and (model[1].bias - bias).abs().max() < 3e-3


def test_the_mean_in_place_of_the_maximum_is_scikits_on_all_of_them(letters):
    _, changed, y = letters
    model = averaged(changed, y, classes=10, decay=DECAY)
    weight, _ = scikits(changed.flatten(0, 1), y.repeat_interleave(9), changed.shape[0] * 9)
    assert (model[1].weight - weight).abs().max() < 3e-3
    worst_case, _ = enumeration(changed, y, ETA, classes=10, decay=DECAY)
    assert objective(model, changed, y) > objective(worst_case, changed, y)


def test_what_does_not_fit_is_named(letters):
    _, changed, y = letters
    for wrong, words in (({"changed": changed[:, 0]}, "changed must have shape"), ({"y": y[1:]}, "y \\(N,\\)"),
                         ({"eta": ETA[1:]}, "eta \\(K,\\)"), ({"eta": ETA / 2}, r"eta\[0\] = 1"),
                         ({"eta": 1 + torch.arange(9)}, r"eta in \[0, 1\]"), ({"decay": 0}, "decay must be above 0")):
        arguments = {"changed": changed, "y": y, "eta": ETA, "classes": 10} | wrong
        with pytest.raises(ValueError, match=words):
            column_generation(**arguments)
