"""Detectors: each catches what it was made for at a chosen rate of false alarms, and the adaptive attack passes it."""

import pytest
import torch

from advcourse import attacks, data, zoo
from advcourse.defenses import detection
from advcourse.models.inference import accuracy, predict

EPS = 0.15


@pytest.fixture(scope="module")
def letters():
    """(model, clean images to fit on, clean images to calibrate on, test images, labels, their FGSM examples)."""
    dataset, model = data.load("fonts"), zoo.load("fonts-mlp")
    right = (model(dataset.x_test[:80]).argmax(1) == dataset.y_test[:80]).nonzero()[:50, 0]
    x, y = dataset.x_test[right], dataset.y_test[right]
    fit, labels = dataset.x_train[:1000], dataset.y_train[:1000]
    return model, (fit, labels), dataset.x_train[1000:2000], x, y, attacks.fgsm(model, x, y, eps=EPS)


def score(kind, model, fit, labels):
    if kind == "residual":
        return detection.residual_score(fit)
    if kind == "network":
        return detection.network_score(fit, attacks.fgsm(model, fit, labels, eps=EPS))
    if kind == "density":
        return detection.density_score(model, model[:-1], fit)
    return detection.reconstruction_score(fit)


@pytest.mark.parametrize("kind, least", [("residual", 0.6), ("network", 0.95), ("density", 0.2),
                                         ("reconstruction", 0.6)])
def test_catches_fgsm_and_misses_the_adaptive_attack(letters, kind, least):
    model, (fit, labels), held_out, x, y, x_adv = letters
    alarm = detection.alarm(score(kind, model, fit, labels), held_out, false_alarms=0.05)
    assert (predict(alarm, held_out) > 0).double().mean() == pytest.approx(0.05, abs=0.005)
    assert detection.caught(alarm, x) <= 0.25
    assert detection.caught(alarm, x_adv) >= least
    passed = detection.bypass(model, alarm, x, y, eps=EPS, steps=60)
    assert (passed - x).abs().max() <= EPS and passed.min() >= 0 and passed.max() <= 1
    assert detection.undetected(model, alarm, passed, y) >= 0.8
    assert detection.undetected(model, alarm, passed, y) > detection.undetected(model, alarm, x_adv, y)


def test_the_last_class_of_a_guarded_model_is_the_alarm(letters):
    model, (fit, _), held_out, x, _, x_adv = letters
    alarm = detection.alarm(detection.residual_score(fit), held_out)
    images = torch.cat([x, x_adv])
    logits = detection.guarded(model, alarm)(images)
    assert logits.shape == (len(images), 11) and torch.equal(logits[:, :10], model(images))
    raised = alarm(images) > 0
    assert torch.equal(logits.argmax(1) == 10, raised) and raised.any() and not raised.all()


def test_the_residual_is_what_the_components_leave(letters):
    _, (fit, _), *_ = letters
    score = detection.residual_score(fit, components=5)
    flat = fit.flatten(1)
    _, singular, _ = torch.linalg.svd(flat - flat.mean(0), full_matrices=False)
    assert score(fit).sum().item() == pytest.approx(singular[5:].square().sum().item() / flat.shape[1], rel=1e-3)


def test_the_density_is_that_of_the_formula(letters):
    model, (fit, _), _, x, *_ = letters
    features, known = model[:-1], fit[:60]
    found = detection.density_score(model, features, known)(x[:5])
    phi, classes = features(known), model(known).argmax(1)
    between = (phi[:, None] - phi).square().sum(2)
    variance = between.masked_fill(torch.eye(60).bool(), torch.inf).amin(1).mean()
    for image, value in zip(x[:5], found, strict=True):
        same = phi[classes == model(image[None]).argmax(1)]
        kernel = torch.exp((-(features(image[None]) - same).square().sum(1) / (2 * variance)).double())
        assert value.item() == pytest.approx(-kernel.sum().log().item(), rel=1e-3, abs=1e-3)


def test_the_attackers_success_needs_both(letters):
    model, _, _, x, y, x_adv = letters
    everything, nothing = (lambda images, sign=sign: torch.full((len(images),), sign) for sign in (1.0, -1.0))
    assert detection.undetected(model, everything, x_adv, y) == 0
    assert detection.undetected(model, nothing, x_adv, y) == pytest.approx(1 - accuracy(model, x_adv, y))
    with pytest.raises(ValueError, match="between 0 and 1"):
        detection.alarm(detection.residual_score(x), x, false_alarms=5)
