"""Attacks on SVMs and trees against brute force: the closed form of the one, the nearest leaf of the other."""

import itertools

import numpy as np
import pytest
import torch
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from advcourse.attacks import svm_normal
from advcourse.attacks.classical import tree_path
from advcourse.models.classical import as_model


def images(count=80, seed=0, shape=(1, 3, 3)):
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(count, *shape, generator=generator)
    y = ((x.flatten(1)[:, 0] > 0.5).long() + (x.flatten(1)[:, 4] > 0.6).long())
    return x, y


def fitted(estimator):
    x, y = images()
    return estimator.fit(x.flatten(1).numpy(), y.numpy())


def test_it_is_a_step_along_the_normal_of_the_own_class():
    model, (x, y) = as_model(fitted(LinearSVC())), images(10, seed=1)
    x = x * 0.4 + 0.3  # nothing is clipped
    normal = model[1].weight / model[1].weight.norm(dim=1, keepdim=True)
    assert torch.allclose(svm_normal(model, x, y, eps=0.2), x - 0.2 * normal[y].view_as(x), atol=1e-6)
    assert torch.allclose(svm_normal(model, x, y, eps=0.2, targeted=True), x + 0.2 * normal[y].view_as(x), atol=1e-6)


@pytest.mark.parametrize("norm", ["l2", "linf", "l1", "l0"])
@pytest.mark.parametrize("targeted", [False, True])
def test_no_leaf_of_another_class_is_nearer(norm, targeted):
    """Every corner of the tree's cells, asked one by one, on images of few pixels."""
    x_train, y_train = images(shape=(1, 1, 5))
    tree = DecisionTreeClassifier(max_depth=5, random_state=0).fit(x_train.flatten(1).numpy(), y_train.numpy())
    x, _ = images(6, seed=1, shape=(1, 1, 5))
    answers = torch.from_numpy(tree.predict(x.flatten(1).numpy()))
    y = (answers + 1) % 3 if targeted else answers
    x_adv = tree_path(tree, x, y, norm=norm, targeted=targeted, margin=1e-6)
    after = tree.predict(x_adv.flatten(1).numpy())
    assert (after == y.numpy()).all() if targeted else (after != y.numpy()).all()
    assert x_adv.min() >= 0 and x_adv.max() <= 1
    nodes, order = tree.tree_, {"l2": 2, "linf": np.inf, "l1": 1, "l0": 0}[norm]
    borders = [[None] + [t + s * 1e-6 for t in nodes.threshold[nodes.feature == pixel] for s in (-1, 1)]
               for pixel in range(5)]
    corners = np.array(list(itertools.product(*[[np.nan if v is None else v for v in column] for column in borders])))
    before, after = (images.flatten(1).double().numpy() for images in (x, x_adv))
    for image, label, changed in zip(before, y.tolist(), after, strict=True):
        asked = np.where(np.isnan(corners), image, corners)
        says = tree.predict(asked)
        fooling = asked[says == label if targeted else says != label]
        nearest = np.linalg.norm(fooling - image, axis=1, ord=order).min()
        assert np.linalg.norm(np.where(np.abs(changed - image) < 1e-9, 0, changed - image), ord=order) <= nearest + 1e-4


def test_images_that_are_wrong_already_stay_and_a_tree_of_one_class_cannot_be_fooled():
    tree, (x, y) = fitted(DecisionTreeClassifier(max_depth=3, random_state=0)), images(30, seed=1)
    answers = torch.from_numpy(tree.predict(x.flatten(1).numpy()))
    wrong = (answers + 1) % 3
    assert torch.equal(tree_path(tree, x, wrong), x)
    kept = x.clone()
    x_adv = tree_path(tree, x, answers)
    assert torch.equal(x, kept) and x_adv.dtype == x.dtype and (x_adv != x).flatten(1).any(1).all()
    stump = DecisionTreeClassifier(max_depth=1, random_state=0).fit(x.flatten(1).numpy(), (y > 0).long().numpy())
    impossible = torch.full((30,), 2)
    assert torch.equal(tree_path(stump, x, impossible, targeted=True), x)


def test_what_does_not_fit_is_named():
    x, y = images(3)
    with pytest.raises(ValueError, match="must be a fitted sklearn DecisionTreeClassifier; got LinearSVC"):
        tree_path(fitted(LinearSVC()), x, y)
    with pytest.raises(ValueError, match="fitted on 9 numbers"):
        tree_path(fitted(DecisionTreeClassifier()), torch.rand(2, 1, 4, 4), y[:2])
    with pytest.raises(ValueError, match="norm must be one of"):
        tree_path(fitted(DecisionTreeClassifier()), x, y, norm="l3")
