"""Models that are not networks: scikit-learn's classifiers as models, and nearest neighbours with a gradient.

`as_model(estimator)` asks for scores, `label_query(model)` for labels alone, `from_labels(query, classes)` makes of a
source of labels a model that the attacks accept. SVMs, trees, nearest neighbours, logistic regression, forests and
votes need nothing else to be attacked.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

from advcourse.models.inference import IMAGES_AT_ONCE, Model, predict


def as_model(estimator: Any, classes: int | None = None) -> Model:
    """A fitted scikit-learn classifier as a model: from images in [0, 1], shape (N, C, H, W), to scores (N, K).

    estimator: fitted on the flat images, (N, C·H·W), with the labels 0, 1, 2, ...; a Pipeline, too.
    classes: K; as many as the largest label it was fitted on demands. A class that it has never seen gets the lowest
    score there is.

    A linear model (LogisticRegression, LinearSVC, SGDClassifier, ...) becomes an nn.Sequential(Flatten, Linear) with
    frozen weights: it has gradients, and `[1].weight` holds a row for each class. Any other gives its
    decision_function, else its probabilities, else a one
    for the class that it predicts, computed on the CPU and without a gradient: gradient attacks refuse it, black-box
    attacks don't. The largest score is what `predict` says, but for ties, and for an SVC, whose `predict` counts votes
    unless break_ties=True.
    Raises ValueError where it is not fitted, or fitted on other labels.
    """
    seen, classes = _labels_of(estimator, classes)
    if _is_linear(estimator):
        return _linear_network(estimator, seen, classes)

    def scores(x):
        flat = x.detach().flatten(1).cpu().numpy()
        if hasattr(estimator, "decision_function"):
            values, lowest = np.asarray(estimator.decision_function(flat), dtype=np.float64), -np.inf
            values = np.stack([-values / 2, values / 2], 1) if values.ndim == 1 else values
        elif hasattr(estimator, "predict_proba"):
            values, lowest = estimator.predict_proba(flat), 0.0
        else:
            values, lowest = np.asarray(estimator.predict(flat))[:, None] == np.asarray(seen), 0.0
        full = torch.full((len(x), classes), lowest, dtype=x.dtype)
        full[:, seen] = torch.from_numpy(np.asarray(values)).to(x.dtype)
        return full.to(x.device)

    return scores


def label_query(model: Model, batch_size: int = IMAGES_AT_ONCE) -> Model:
    """Of a model only its answers: a function from images (N, C, H, W) to labels (N,), int64, with no gradient."""
    return lambda x: predict(model, x, batch_size).argmax(1)


def from_labels(query: Callable[[torch.Tensor], torch.Tensor], classes: int) -> Model:
    """A model from a source of labels, for attacks that need nothing else.

    Scores are 1 for the answer and 0 for the other classes.

    query: from images (N, C, H, W) to labels (N,), such as `label_query(model)`, `estimator.predict` behind it, or a
    remote service.
    """
    if classes < 2:
        raise ValueError(f"classes must be at least 2, got {classes}")
    return lambda x: nn.functional.one_hot(query(x.detach()), classes).to(x.dtype)


def soft_neighbours(x_train: torch.Tensor, y_train: torch.Tensor, classes: int, temperature: float = 1.0) -> Model:
    """Nearest neighbours with a gradient: training images vote for their class, with weights that fall with distance.

        p(k | x) = Σ_{i: y_i = k} exp(−‖x − x_i‖₂² / temperature)  /  Σ_i exp(−‖x − x_i‖₂² / temperature)

    x_train: images (M, C, H, W); y_train: their labels (M,). temperature: small, and the nearest image decides alone;
    large, and all do.
    Returns a model: from images (N, C, H, W) to the logarithms of the numerators, (N, K), whose softmax is p; it stands
    in for a k-nearest-neighbour classifier, which has no gradient. The logits cost N · M · C·H·W multiplications.

    Goldberger, Roweis, Hinton, Salakhutdinov, "Neighbourhood components analysis", NeurIPS 2004; as the source of
    adversarial
    examples: Papernot, McDaniel, Goodfellow, "Transferability in machine learning", 2016, section 2.2 (with a
    temperature of 1).
    """
    if len(x_train) == 0 or y_train.shape != (len(x_train),):
        raise ValueError(f"soft_neighbours needs one label per image and at least one image; got {len(x_train)} images "
                         f"and labels of shape {tuple(y_train.shape)}")
    if not temperature > 0:
        raise ValueError(f"temperature must be above 0, got {temperature}")
    if int(y_train.min()) < 0 or int(y_train.max()) >= classes:
        raise ValueError(f"labels must lie in 0..{classes - 1}; got {int(y_train.min())} to {int(y_train.max())}")
    order = y_train.argsort(stable=True)
    kept, counts = x_train[order].flatten(1), torch.bincount(y_train, minlength=classes).tolist()
    squares = kept.square().sum(1)

    def logits(x):
        flat = x.flatten(1)
        distances = flat.square().sum(1, keepdim=True) + squares.to(x) - 2 * flat @ kept.to(x).T
        votes = (-distances / temperature).split(counts, dim=1)
        return torch.stack([vote.logsumexp(1) for vote in votes], 1)

    return logits


def _labels_of(estimator, classes):
    """(the classes that the estimator knows, as a list of ints; how many there are in all)."""
    seen = getattr(estimator, "classes_", None)
    if seen is None:
        raise ValueError(f"{type(estimator).__name__} is no fitted classifier: "
                         "it has no classes_; call its fit(x, y) first")
    if not (np.issubdtype(seen.dtype, np.integer) and seen.min() >= 0 and len(seen) > 1):
        raise ValueError("the classifier must be fitted on at least two of "
                         f"the labels 0, 1, 2, ...; it knows {seen.tolist()}")
    if classes is not None and classes <= seen.max():
        raise ValueError("classes must be more than the largest label the "
                         f"classifier knows, {seen.max()}; got {classes}")
    return seen.tolist(), classes or int(seen.max()) + 1


def _is_linear(estimator):
    """Whether its scores are coef_ · x + intercept_, one row for each class (or one row for two classes)."""
    if hasattr(estimator, "support_") or not (hasattr(estimator, "coef_") and hasattr(estimator, "decision_function")):
        return False  # an SVC's coef_ has a row for each *pair* of classes
    rows = 1 if len(estimator.classes_) == 2 else len(estimator.classes_)
    return np.ndim(estimator.coef_) == 2 and len(estimator.coef_) == rows


def _linear_network(estimator, seen, classes):
    weight = torch.tensor(np.asarray(estimator.coef_), dtype=torch.float32)
    bias = torch.tensor(np.broadcast_to(estimator.intercept_, len(weight)).copy(), dtype=torch.float32)
    if len(weight) == 1:  # two classes share one hyperplane: half of its score for the one, minus half for the other
        weight, bias = torch.cat([-weight, weight]) / 2, torch.cat([-bias, bias]) / 2
    model = nn.Sequential(nn.Flatten(), nn.Linear(weight.shape[1], classes))
    model[1].weight.data.zero_()[seen] = weight
    model[1].bias.data.fill_(-torch.inf)[seen] = bias
    return model.requires_grad_(False).eval()
