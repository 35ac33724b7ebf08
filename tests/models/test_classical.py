"""scikit-learn's classifiers as models: the same scores and answers, labels alone, neighbours with a gradient."""

import numpy as np
import pytest
import torch
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier

from advcourse import evaluate
from advcourse.attacks import boundary, fgsm, square
from advcourse.attacks.contract import NoGradientError
from advcourse.models import classical

ESTIMATORS = {
    "logistic regression": LogisticRegression(max_iter=500), "linear SVM": LinearSVC(),
    "kernel SVM": SVC(break_ties=True),
    "SVC with a linear kernel": SVC(kernel="linear", break_ties=True), "tree": DecisionTreeClassifier(random_state=0),
    "neighbours": KNeighborsClassifier(3), "forest": RandomForestClassifier(20, random_state=0),
    "pipeline": make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)),
    "soft votes": VotingClassifier([("tree", DecisionTreeClassifier(random_state=0)), ("bayes", GaussianNB())],
                                   voting="soft"),
    "hard votes": VotingClassifier([("tree", DecisionTreeClassifier(random_state=0)), ("bayes", GaussianNB())]),
}


def images(count=60, classes=3, seed=0):
    """Images in three (or two) separable kinds, with noise, and their labels."""
    generator = torch.Generator().manual_seed(seed)
    y = torch.arange(count) % classes
    means = torch.rand(classes, 1, 4, 4, generator=torch.Generator().manual_seed(9))
    return (means[y] + 0.3 * torch.randn(count, 1, 4, 4, generator=generator)).clamp(0, 1), y


def fitted(name, classes=3):
    x, y = images(classes=classes)
    return ESTIMATORS[name].fit(x.flatten(1).numpy(), y.numpy())


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("name", ESTIMATORS)
def test_the_largest_score_is_the_prediction(name, classes):
    estimator, (x, _) = fitted(name, classes), images(seed=1)
    model = classical.as_model(estimator)
    scores = model(x)
    assert scores.shape == (60, classes) and scores.dtype == x.dtype and not scores.requires_grad
    assert scores.argmax(1).tolist() == estimator.predict(x.flatten(1).numpy()).tolist()
    assert torch.equal(classical.label_query(model)(x), scores.argmax(1))


@pytest.mark.parametrize("name", ["logistic regression", "linear SVM", "kernel SVM"])
def test_the_scores_are_the_decision_function(name):
    estimator, (x, _) = fitted(name), images(seed=1)
    wanted = torch.from_numpy(estimator.decision_function(x.flatten(1).numpy())).float()
    assert torch.allclose(classical.as_model(estimator)(x), wanted, atol=1e-5)


@pytest.mark.parametrize("classes", [2, 3])
def test_logistic_regressions_softmax_is_its_probability(classes):
    estimator, (x, _) = fitted("logistic regression", classes), images(seed=1)
    probabilities = classical.as_model(estimator)(x).softmax(1)
    assert np.allclose(probabilities, estimator.predict_proba(x.flatten(1).numpy()), atol=1e-5)


@pytest.mark.parametrize("name", ["tree", "neighbours", "forest", "soft votes"])
def test_the_scores_are_probabilities_where_there_is_no_decision_function(name):
    estimator, (x, _) = fitted(name), images(seed=1)
    assert np.allclose(classical.as_model(estimator)(x), estimator.predict_proba(x.flatten(1).numpy()))


def test_linear_models_have_a_gradient_and_rows_of_weights():
    estimator, (x, y) = fitted("linear SVM"), images(seed=1)
    model = classical.as_model(estimator)
    assert np.allclose(model[1].weight, estimator.coef_,
                       atol=1e-6) and not any(p.requires_grad for p in model.parameters())
    assert evaluate.accuracy(model, fgsm(model, x, y, eps=0.3), y) < evaluate.accuracy(model, x, y) - 0.3
    with pytest.raises(NoGradientError):
        fgsm(classical.as_model(fitted("SVC with a linear kernel")), x, y, eps=0.3)


@pytest.mark.parametrize("name", ["tree", "kernel SVM", "hard votes"])
def test_black_box_attacks_take_them(name):
    model, (x, y) = classical.as_model(fitted(name)), images(12, seed=1)
    y = model(x).argmax(1)
    assert evaluate.accuracy(model, square(model, x, y, eps=0.5, queries=100), y) < 0.8
    labels = classical.from_labels(classical.label_query(model), 3)
    x_adv = boundary(labels, x, y, queries=200)
    assert evaluate.accuracy(model, x_adv, y) < 0.2 and evaluate.accuracy(labels, x, y) == 1


def test_a_class_that_was_never_seen_is_never_the_answer():
    x, y = images()
    seen = y != 1
    for estimator in (LogisticRegression(), LinearSVC(), DecisionTreeClassifier(), SVC(break_ties=True),
                      make_pipeline(StandardScaler(), LogisticRegression())):
        model = classical.as_model(estimator.fit(x[seen].flatten(1).numpy(), y[seen].numpy()), classes=5)
        scores = model(x)
        assert scores.shape == (60, 5) and set(scores.argmax(1).tolist()) == {0, 2}
        assert (scores[:, [1, 3, 4]].amax(1) <= scores[:, [0, 2]].amin(1)).all()
        assert scores.argmax(1).tolist() == estimator.predict(x.flatten(1).numpy()).tolist()


def test_images_in_float64_and_their_scores():
    x = images(seed=1)[0].double()
    assert classical.as_model(fitted("forest"))(x).dtype == torch.float64
    with pytest.raises(ValueError, match="LinearSVC is no fitted classifier"):
        classical.as_model(LinearSVC())
    with pytest.raises(ValueError, match=r"labels 0, 1, 2.*'a'"):
        classical.as_model(LogisticRegression().fit([[0], [1.0]], ["a", "b"]))
    with pytest.raises(ValueError, match=r"classes must be more than.*2; got 2"):
        classical.as_model(fitted("tree"), classes=2)
    with pytest.raises(ValueError, match="classes must be at least 2, got 1"):
        classical.from_labels(None, 1)


# Soft nearest neighbours

def test_soft_neighbours_are_the_formula_written_out():
    (x_train, y_train), (x, _) = images(20), images(7, seed=1)
    p = classical.soft_neighbours(x_train, y_train, 4, temperature=0.7)(x).softmax(1)
    for i in range(7):
        weights = [torch.exp(-(x[i] - z).square().sum() / 0.7) for z in x_train]
        for k in range(4):
            share = sum(w for w, label in zip(weights, y_train, strict=True) if label == k) / sum(weights)
            assert abs(p[i, k] - share) < 1e-5


def test_soft_neighbours_at_a_low_temperature_are_the_nearest_neighbour_and_have_a_gradient():
    (x_train, y_train), (x, _) = images(50), images(30, seed=1)
    soft = classical.soft_neighbours(x_train, y_train, 3, temperature=0.05)
    nearest = classical.as_model(KNeighborsClassifier(1).fit(x_train.flatten(1).numpy(), y_train.numpy()))
    answers = nearest(x).argmax(1)
    assert torch.equal(soft(x).argmax(1), answers)
    assert evaluate.accuracy(nearest, fgsm(soft, x, answers, eps=0.4), answers) < 0.5
    assert soft(x.double()).dtype == torch.float64


def test_soft_neighbours_refuse_what_does_not_fit():
    x, y = images(4)
    for call, words in ((lambda: classical.soft_neighbours(x, y[:2], 3), "one label per image"),
                        (lambda: classical.soft_neighbours(x, y, 3, temperature=0),
                         "temperature must be above 0, got 0"),
                        (lambda: classical.soft_neighbours(x, y, 2), r"0\.\.1; got 0 to 2")):
        with pytest.raises(ValueError, match=words):
            call()
