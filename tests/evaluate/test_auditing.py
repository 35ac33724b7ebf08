"""The audit flags every planted masking defence and passes honest models, on two data sets and several seeds."""

import pytest
import torch

from advcourse import attacks, data, evaluate, models, training, zoo
from advcourse.defenses import masking
from advcourse.evaluate.auditing import TOLERANCE, audit

EPS = {"mnist": 0.15, "fonts": 0.1}
PLANTS = {  # the defence, and tests of which at least one must have found it
    "saturated": ["the gradient is not zero"],
    "distilled": ["the gradient is not zero"],
    "quantised": ["the gradient is not zero"],
    "jpeg_compressed": ["the logits carry a gradient"],
    "stepped": ["the gradient does not vanish at the images themselves"],
    "rippled": ["black-box search never beats gradients", "more steps never help less", "another loss finds no more"],
    "dithered": ["the same image gets the same answer twice"],
}


@pytest.fixture(scope="module", params=["mnist", "fonts"])
def case(request):
    """(name, dataset, model, its distilled student)."""
    dataset, model = data.load(request.param), zoo.load(f"{request.param}-mlp")
    with training.seeded(0):
        student = models.mlp()
    return request.param, dataset, model, masking.distilled(model, student, dataset.x_train[:3000])


@pytest.fixture(scope="module")
def hardened():
    """A small network trained on PGD examples of the letters."""
    dataset = data.load("fonts")
    with training.seeded(0):
        model = models.mlp()
    generator = torch.Generator().manual_seed(0)

    def loss(model, x, y):
        x_adv = attacks.pgd(model, x, y, eps=0.1, steps=4, generator=generator)
        return training.cross_entropy_loss(model, x_adv, y)

    training.fit(model, dataset.x_train[:5000], dataset.y_train[:5000], epochs=6, learning_rate=2e-3, loss=loss)
    return dataset, model.requires_grad_(False)


def images(dataset, seed, count=25):
    return dataset.x_test[count * seed:count * (seed + 1)], dataset.y_test[count * seed:count * (seed + 1)]


@pytest.mark.parametrize("plant", PLANTS)
def test_every_planted_defence_is_flagged(case, plant):
    name, dataset, model, student = case
    defended = student if plant == "distilled" else getattr(masking, plant)(model)
    for seed in range(3):
        found = audit(defended, *images(dataset, seed), eps=EPS[name], steps=20, queries=200, seed=seed)
        assert not found.passed
        assert {finding.test for finding in found.failed} & set(PLANTS[plant]), f"{plant}, seed {seed}:\n{found}"
        assert all(finding.advice for finding in found.failed)


@pytest.mark.parametrize("kind", ["softmax", "mlp", "cnn"])
def test_honest_models_pass(case, kind):
    name, dataset, _, _ = case
    for seed, share in enumerate([0.5, 1, 2]):
        found = audit(zoo.load(f"{name}-{kind}"), *images(dataset, seed), eps=share * EPS[name], steps=20, queries=200,
                      seed=seed)
        assert found.passed, f"{kind}, seed {seed}:\n{found}"


def test_an_adversarially_trained_network_passes(hardened):
    dataset, model = hardened
    for seed, eps in enumerate([0.05, 0.1, 0.15]):
        found = audit(model, *images(dataset, seed), eps=eps, seed=seed)
        assert found.passed, str(found)
        assert found.accuracy > 0.4 or eps > 0.05


@pytest.mark.parametrize("name", [name for name in zoo.names() if name.endswith("-robust")])
def test_the_zoos_robust_networks_pass(name):
    dataset = data.load(name.removesuffix("-robust"))
    for seed in range(2):
        found = audit(zoo.load(name), *images(dataset, seed), eps=zoo.card(name)["robust_to"]["eps"], seed=seed)
        assert found.passed, str(found)


@pytest.mark.parametrize("norm, eps", [("l2", 1.0), ("l1", 8.0)])
def test_other_norms(case, norm, eps):
    _name, dataset, model, _ = case
    honest, masked = (audit(m, *images(dataset, 0), eps=eps, norm=norm, steps=20, queries=200)
                      for m in (model, masking.quantised(model)))
    assert honest.passed, str(honest)
    assert not masked.passed


def test_a_surrogate_finds_what_the_gradient_hides(case):
    name, dataset, model, _ = case
    found = audit(masking.quantised(model), *images(dataset, 0), eps=EPS[name], surrogate=model)
    assert "transfer never beats gradients" in {finding.test for finding in found.failed}
    assert found.accuracies["transfer"] < found.accuracies["gradient"] - TOLERANCE


def test_the_report_the_picture_and_the_file(case, tmp_path):
    name, dataset, model, _ = case
    found = audit(masking.quantised(model), *images(dataset, 0), eps=EPS[name], steps=8, queries=20)
    text = str(found)
    assert "tests failed" in text and "BPDA" in text and len(text.splitlines()) < 40
    page = found.write(tmp_path / "report.html", title="A & B").read_text()
    assert "A &amp; B" in page and "data:image/png;base64," in page and "FAIL" in page
    assert [panel.get_title() for panel in found.figure().axes] == ["larger ε", "more steps", "the loss of each image"]
    blind = audit(masking.jpeg_compressed(model), *images(dataset, 0), eps=EPS[name], steps=8, queries=20)
    assert blind.write(tmp_path / "blind.html").exists() and "gradient" not in blind.accuracies


def test_the_same_seed_gives_the_same_report_and_nothing_else_changes(case):
    name, dataset, model, _ = case
    model = zoo.load(f"{name}-mlp").train()
    state = torch.get_rng_state()
    first, second = (evaluate.audit(model, *images(dataset, 0), eps=EPS[name], steps=8, queries=20) for _ in range(2))
    assert str(first) == str(second)
    assert model.training and torch.equal(torch.get_rng_state(), state)
    assert all(not parameter.requires_grad for parameter in model.parameters())


def test_it_needs_no_gradients_switched_on(case):
    name, dataset, model, _ = case
    with torch.no_grad():
        assert audit(model, *images(dataset, 0), eps=EPS[name], steps=8, queries=20).passed


def test_accuracies_are_shares_of_all_images(case):
    _name, dataset, model, _ = case
    x, y = images(dataset, 0)
    y = torch.cat([(model(x[:10]).argmax(1) + 1) % 10, y[10:]])  # wrong from the start
    found = audit(model, x, y, eps=0.001, steps=4, queries=10)
    assert found.accuracies["none"] == evaluate.accuracy(model, x, y) <= 0.6
    assert found.accuracies["gradient"] <= found.accuracies["none"]
    assert found.accuracy == min(found.accuracies.values())


def test_wrong_arguments_say_what_is_wanted(case):
    _, dataset, model, _ = case
    x, y = images(dataset, 0)
    with pytest.raises(ValueError, match="eps above 0"):
        audit(model, x, y, eps=0.0)
    with pytest.raises(ValueError, match="at least one image"):
        audit(model, x[:0], y[:0], eps=0.1)
    with pytest.raises(ValueError, match="norm must be one of"):
        audit(model, x, y, eps=0.1, norm="l0")
    with pytest.raises(ValueError, match="nothing to audit"):
        audit(model, x, (model(x).argmax(1) + 1) % 10, eps=0.1)
    with pytest.raises(ValueError, match="labels must lie in"):
        audit(lambda images: model(images)[:, :3], x, y, eps=0.1)


def test_a_gradient_of_nan_is_found(case):
    name, dataset, model, _ = case
    found = audit(lambda x: model(x) + (0 * x).sqrt().sum((1, 2, 3))[:, None], *images(dataset, 0), eps=EPS[name],
                  steps=4, queries=10)
    assert "the gradient is not zero" in {finding.test for finding in found.failed}
