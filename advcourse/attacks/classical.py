"""Attacks on models from before the networks: along an SVM's normal, and across a decision tree to another leaf.

For nearest neighbours `models.classical.soft_neighbours` makes a model with a gradient; any gradient attack then does.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from advcourse.attacks import contract, geometry
from advcourse.attacks.cards import AttackCard
from advcourse.attacks.contract import Model, Norm, attacking, check, fresh, input_gradient, labels_fit
from advcourse.attacks.gradient import is_flat


def svm_normal(model: Model, x: Tensor, y: Tensor, *, eps: float, targeted: bool = False, low: float = 0,
               high: float = 1) -> Tensor:
    """One step of Euclidean length eps straight away from the class: along the normal of y's one-against-all SVM.

        x_adv = clip(x − eps · ∇_x s_y(x) / ‖∇_x s_y(x)‖₂)       (targeted: plus)

    For a linear model the gradient of the score s_y is its row of weights w_y, the hyperplane's normal. It looks at no
    other class's score.
    model: from images in [low, high], shape (N, C, H, W), to scores (N, K), such as `classical.as_model` of a
        LinearSVC.
    x: such images. y: their labels, shape (N,), int64; with targeted=True the labels to reach.
    eps: the length of the step, at least 0.
    low, high: the ends of the valid range: 0 and 1 for images, −1 and 1 for waveforms.
    Returns x_adv: detached, in [low, high], within eps of x in l2.
    Raises ValueError where an argument is not as said here, or y does not fit the scores, or these carry no gradient.
    Cost: 1 forward and 1 backward pass.

    Papernot, McDaniel, Goodfellow, "Transferability in machine learning", 2016, arXiv:1605.07277, section 2.2.
    """
    box = check(x, y, eps=eps, low=low, high=high)
    if not len(x):
        return fresh(x)
    with attacking(model) as ask:
        x, y = fresh(x), fresh(y)

        def score(scores):
            labels_fit(scores, y)
            return scores.gather(1, y[:, None])[:, 0]

        _, _, gradient = input_gradient(ask, x, score)
        step = eps * geometry.normalise(gradient, "l2")
        x_adv = geometry.project(x + step if targeted else x - step, x, eps, "l2", box)
    contract.warn_if_flat(is_flat(gradient))
    return x_adv


def tree_path(tree: Any, x: Tensor, y: Tensor, *, norm: Norm = "l2", targeted: bool = False,
              margin: float = 1e-3) -> Tensor:
    """The smallest change that takes an image to a leaf of another class: asked pixels just past their thresholds.

    tree: a fitted sklearn DecisionTreeClassifier on flat images, labels 0, 1, 2, ...
    x: images in [0, 1], shape (N, C, H, W). y: their labels, shape (N,), int64; with targeted=True those to reach.
    norm: what is small, "l2", "linf", "l1" or "l0" (how many pixels).
    margin: how far past a threshold a pixel goes, above 0; less where the next threshold is closer.
    Returns x_adv; x itself where the tree is wrong about it already (targeted: right), or where there is no such leaf.
    Raises ValueError where an argument is not as said here.
    Cost: no pass of a network: one look at every leaf per image.

    A leaf is a box: an interval for each pixel. So the leaf of the smallest change is found exactly, by looking at them
    all. Papernot, McDaniel, Goodfellow, "Transferability in machine learning", 2016, arXiv:1605.07277, algorithm 1,
    climb from the image's leaf only as far as the first ancestor with another class below it: fewer leaves to look at,
    and mostly a larger change.
    """
    check(x, y, norm=norm)
    contract.check_positive(margin=margin)
    if not hasattr(getattr(tree, "tree_", None), "children_left"):
        raise ValueError(f"tree must be a fitted sklearn DecisionTreeClassifier; got {type(tree).__name__}")
    if len(x) and x[0].numel() != tree.n_features_in_:
        raise ValueError(f"the tree was fitted on {tree.n_features_in_} numbers for an image; got images of shape "
                         f"{tuple(x.shape[1:])}")
    classes, pixels, low, high = _leaves(tree)
    flat = x.detach().flatten(1).cpu().double().numpy()
    answers = tree.predict(flat)
    for row, (label, answer) in enumerate(zip(y.tolist(), answers.tolist(), strict=True)):
        wanted = classes == label if targeted else classes != label
        if (answer == label) == targeted or not wanted.any():
            continue
        change = _into_boxes(flat[row, pixels], low[wanted], high[wanted], margin)
        sizes = np.linalg.norm(change, {"l2": 2, "linf": np.inf, "l1": 1, "l0": 0}[norm], axis=1)
        flat[row, pixels] += change[sizes.argmin()]
    return torch.from_numpy(flat).to(x).view(x.shape)


def _leaves(tree):
    """(classes, pixels, low, high): of each leaf its class and its box, low < value <= high.

    low, high: shape (leaves, pixels), for the pixels that the tree asks about.
    """
    nodes = tree.tree_
    pixels = np.unique(nodes.feature[nodes.feature >= 0])
    low, high = np.full((nodes.node_count, len(pixels)), -1.0), np.full((nodes.node_count, len(pixels)), 2.0)
    for node in range(nodes.node_count):  # a parent always comes before its children
        left, right = nodes.children_left[node], nodes.children_right[node]
        if left < 0:
            continue
        column = np.searchsorted(pixels, nodes.feature[node])
        for child in (left, right):
            low[child], high[child] = low[node], high[node]
        high[left, column] = nodes.threshold[node]
        low[right, column] = nodes.threshold[node]
    leaf = nodes.children_left < 0
    return tree.classes_[nodes.value[leaf, 0].argmax(1)], pixels, low[leaf], high[leaf]


def _into_boxes(values, low, high, margin):
    """The smallest change of `values`, (P,), into each of the boxes low < value <= high, (L, P).

    It goes up to `margin` past each border crossed.
    """
    middle = (np.clip(low, 0, 1) + np.clip(high, 0, 1)) / 2
    up = np.where(values <= low, np.minimum(low + margin, middle) - values, 0)
    down = np.where(values > high, np.maximum(high - margin, middle) - values, 0)
    return up + down


CARDS = (
    AttackCard(name="svm_normal", input="non-random", frequency="one-time", specificity="both", scope="individual",
               measurement="l2", realism="non-realistic", falsification="both", knowledge="white box",
               method="one step along the normal of the class's own one-against-all hyperplane",
               paper="Papernot et al., 2016, arXiv:1605.07277", cost="1 forward and 1 backward pass", notebook="08"),
)
