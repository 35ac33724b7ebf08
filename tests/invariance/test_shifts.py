"""Shifts against SciPy's, and what is made of support vectors."""

import numpy as np
import pytest
import torch
from scipy.ndimage import shift as scipys
from sklearn.svm import SVC

from advcourse import data
from advcourse.invariance.shifts import NEIGHBOURS, shift_all, shifts_within
from advcourse.invariance.virtual_support_vectors import virtual_examples, virtual_svm


@pytest.mark.parametrize("right, down", [(0, 0), (2, 0), (-1, 3), (0, -2)])
def test_a_shift_is_scipys(right, down):
    x = torch.rand(2, 3, 6, 9, generator=torch.Generator().manual_seed(0))
    theirs = scipys(x.numpy(), (0, 0, down, right), order=0, cval=0.0)
    assert np.array_equal(shift_all(x, right, down).numpy(), theirs)


def test_shifts_within_reach():
    moves = shifts_within(2)
    assert len(moves) == len(set(moves)) == 25 and moves[0] == (0, 0) and max(map(max, moves)) == 2
    assert set(moves[1:5]) == set(NEIGHBOURS) and shifts_within(0) == [(0, 0)]
    with pytest.raises(ValueError, match="reach must be at least 0 pixels; got -1"):
        shifts_within(-1)


def test_virtual_examples_are_the_support_vectors_and_their_shifts_with_their_labels():
    x = torch.rand(5, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    y, support = torch.tensor([0, 1, 2, 3, 4]), torch.tensor([4, 1])
    images, labels = virtual_examples(x, y, support, [(1, 0), (0, -1)])
    wanted = [x[4], x[1], *shift_all(x[[4, 1]], 1, 0), *shift_all(x[[4, 1]], 0, -1)]
    assert torch.equal(images, torch.stack(wanted)) and labels.tolist() == [4, 1] * 3


def test_digits_need_only_their_boundary_moved():
    with data.time_limit(0):
        mnist = data.load("mnist", train=1000, test=1000)
    x, y = mnist.x_train, mnist.y_train
    def error(svm):
        return (svm.predict(mnist.x_test.flatten(1).numpy()) != mnist.y_test.numpy()).mean()
    plain = SVC(kernel="poly", degree=5, gamma=1 / 50, coef0=1, C=10).fit(x.flatten(1).numpy(), y.numpy())
    virtual = virtual_svm(plain, x, y)
    assert virtual.get_params() == plain.get_params() and virtual is not plain
    assert error(virtual) <= 0.85 * error(plain)
    assert virtual.n_features_in_ == 784 and 5 * len(plain.support_) <= 0.7 * 5 * len(x)
    with pytest.raises(ValueError, match="fit it on x and y first"):
        virtual_svm(SVC(), x, y)
