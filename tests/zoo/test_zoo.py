"""The shipped checkpoints against their cards and the real data, and the making of new ones."""

import gzip
import hashlib
import json
import os
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from advcourse import attacks, data, zoo
from advcourse.data.download import find
from advcourse.evaluate.robustness import robust_accuracy
from advcourse.models.inference import accuracy, predict
from advcourse.notebook.course import Course
from advcourse.zoo import recipes, training
from advcourse.zoo.loading import TOLERANCE, from_bytes, to_bytes
from advcourse.zoo.recipes import BATCH_SIZE, SEED, shifted_cross_entropy_loss

KINDS = ["softmax", "mlp", "cnn", "fgsm", "robust"]
NAMES = [f"{dataset}-{kind}" for dataset in ("mnist", "fonts") for kind in KINDS]
LISTENERS = [f"{dataset}-{kind}" for dataset in ("fsdd", "tones") for kind in ("words", "noisy", "strings")]


def real_mnist(name):
    """The bytes of a file of MNIST, without the course's own loader."""
    for ending, unpack in (("", bytes), (".gz", gzip.decompress)):
        if path := find(f"MNIST/raw/{name}{ending}"):
            return unpack(path.read_bytes())
    pytest.skip("MNIST is neither in ADVCOURSE_DATA nor in data/")


@pytest.fixture(scope="module")
def mnist_test():
    """The 10,000 test images and labels."""
    images = np.frombuffer(real_mnist("t10k-images-idx3-ubyte"), dtype=np.uint8)[16:].reshape(10_000, 1, 28, 28)
    labels = np.frombuffer(real_mnist("t10k-labels-idx1-ubyte"), dtype=np.uint8)[8:]
    return torch.from_numpy(images / np.float32(255)), torch.from_numpy(labels.astype(np.int64))


# What is shipped


def test_sixteen_checkpoints_of_about_three_megabytes_together():
    assert zoo.names() == NAMES + LISTENERS
    files = sorted(zoo.CHECKPOINTS.iterdir())
    assert [path.name for path in files] == sorted(f"{name}.{ending}" for name in NAMES + LISTENERS
                                                   for ending in ("json", "safetensors"))
    assert sum(path.stat().st_size for path in files) < 3_200_000


@pytest.mark.parametrize("name", NAMES)
def test_the_card_says_how_the_checkpoint_came_about(name):
    card = zoo.card(name)
    recipe = zoo.recipe(name)
    assert card["name"] == name and card["command"] == f"advcourse zoo train {name}"
    assert card["data"]["name"] == name.split("-")[0] and len(card["data"]["classes"]) == 10 and card["data"]["card"]
    assert card["architecture"] == {"network": recipe.network, "shape": [1, 28, 28], "classes": 10}
    assert card["seed"] == SEED
    # A recipe changed without training again would make the card untrue.
    assert card["training"]["loss"] == recipe.loss.__name__
    assert card["training"]["batch_size"] == BATCH_SIZE
    assert [zoo.Stage(**part) for part in card["training"]["schedule"]] == list(recipe.schedule)
    assert card["training"]["eps"] == recipe.eps
    assert {"advcourse", "python", "torch", "numpy", "matplotlib"} <= set(card["versions"])
    content = (zoo.CHECKPOINTS / f"{name}.safetensors").read_bytes()
    assert hashlib.sha256(content).hexdigest() == card["sha256"]
    assert sum(p.numel() for p in zoo.load(name).parameters()) == card["parameters"]


@pytest.mark.parametrize("name", NAMES)
def test_rounding_the_weights_changes_no_answer_and_hardly_what_stands_attacks(name):
    card, before = zoo.card(name), zoo.card(name)["in_float32"]
    assert card["weights"] == "float16" and card["test_accuracy"] == before["test_accuracy"]
    assert before["other_answers"] == 0
    # Square's random search alone moves this by as much from seed to seed.
    assert card.get("robust_accuracy", 0) == pytest.approx(before["robust_accuracy"] or 0, abs=0.003)


@pytest.mark.parametrize("name", NAMES[:5])
def test_accuracy_of_the_card_on_the_real_test_images(name, mnist_test):
    measured = accuracy(zoo.load(name), *mnist_test)
    assert measured == pytest.approx(zoo.card(name)["test_accuracy"], abs=0.0005)
    assert measured >= {"mnist-softmax": 0.92, "mnist-mlp": 0.975, "mnist-cnn": 0.990, "mnist-fgsm": 0.97,
                        "mnist-robust": 0.98}[name]


def test_accuracy_of_softmax_regression_by_numpy_alone(mnist_test):
    # The file format read by hand: eight bytes of length, a JSON header, then the raw numbers.
    content = (zoo.CHECKPOINTS / "mnist-softmax.safetensors").read_bytes()
    length = int.from_bytes(content[:8], "little")
    header, body = json.loads(content[8 : 8 + length]), content[8 + length :]
    tensors = {
        name: np.frombuffer(body[slice(*entry["data_offsets"])], dtype="<f2").reshape(entry["shape"]).astype(np.float64)
        for name, entry in header.items()
        if name != "__metadata__"
    }
    weight, bias = sorted(tensors.values(), key=np.ndim, reverse=True)
    x, y = (tensor.numpy() for tensor in mnist_test)
    logits = x.reshape(len(x), 784).astype(np.float64) @ weight.T + bias
    assert (logits.argmax(1) == y).mean() == pytest.approx(zoo.card("mnist-softmax")["test_accuracy"], abs=1e-12)


def test_goodfellow_figure_the_fast_gradient_sign_fools_softmax_regression(mnist_test):
    # Goodfellow et al. 2015, section 4: error 99.9 % at epsilon 0.25 on inputs in [0, 1].
    model, (x, y) = zoo.load("mnist-softmax"), mnist_test
    x_adv = x.clone().requires_grad_()
    F.cross_entropy(model(x_adv), y, reduction="sum").backward()
    x_adv = (x + 0.25 * x_adv.grad.sign()).clamp(0, 1)
    assert 1 - accuracy(model, x_adv, y) >= 0.99
    noise = 0.25 * (2 * torch.rand(x.shape, generator=torch.Generator().manual_seed(0)) - 1)
    assert 1 - accuracy(model, (x + noise).clamp(0, 1), y) <= 0.30


def test_madrys_figure_the_robust_network_stands_attacks(mnist_test):
    # Madry et al. 2018, table 1: 89.3 % under their strongest PGD at eps 0.3; AutoAttack leaves 88.5 % (Croce and Hein
    # 2020, table 2).
    model, (x, y) = zoo.load("mnist-robust"), mnist_test
    card = zoo.card("mnist-robust")
    assert card["robust_to"]["eps"] == 0.3 and card["robust_accuracy"] >= 0.88 and card["test_accuracy"] >= 0.98
    x, y = x[:500], y[:500]
    after_pgd = accuracy(model, attacks.pgd(model, x, y, eps=0.3, steps=20), y)
    assert card["robust_accuracy"] - 0.03 < after_pgd < 0.98


def test_goodfellows_figure_the_network_trained_on_fgsm_stands_fgsm_and_nothing_else(mnist_test):
    # Goodfellow et al. 2015, section 6: error 17.9 % under FGSM at eps 0.25.
    model, (x, y) = zoo.load("mnist-fgsm"), mnist_test
    assert 1 - accuracy(model, attacks.fgsm(model, x, y, eps=0.25), y) <= 0.179
    assert 1 - accuracy(model, attacks.pgd(model, x[:200], y[:200], eps=0.25, steps=20), y[:200]) >= 0.9


@pytest.mark.parametrize("name", NAMES)
def test_only_networks_trained_against_an_attack_say_what_they_stand(name):
    card = zoo.card(name)
    assert ("robust_accuracy" in card) == (name.split("-")[1] in ("fgsm", "robust"))
    if "robust_accuracy" in card:
        assert card["robust_to"] == {"norm": "linf", "eps": zoo.recipe(name).eps, "attacks": "evaluate.robust_accuracy",
                                     "images": 1000}


@pytest.mark.parametrize("name", NAMES[5:])
def test_fonts_are_generated_everywhere_and_the_accuracy_holds(name):
    assert zoo.verify(name) == pytest.approx(zoo.card(name)["test_accuracy"], abs=TOLERANCE)


def test_training_softmax_regression_again_gives_the_shipped_weights(tmp_path, mnist_test):
    zoo.train("mnist-softmax", folder=tmp_path)
    shipped, again = zoo.load("mnist-softmax"), zoo.load("mnist-softmax", folder=tmp_path)
    # The same bits on the same kind of CPU; another order of sums moves this convex problem by 3e-7, and with it a
    # rounding to float16.
    for before, after in zip(shipped.parameters(), again.parameters(), strict=True):
        assert torch.allclose(before, after, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("name", NAMES)
def test_loaded_models_are_frozen_in_evaluation_mode_and_draw_no_random_numbers(name):
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    model = zoo.load(name)
    assert torch.equal(torch.rand(2), expected)
    assert not any(module.training for module in model.modules())
    assert not any(p.requires_grad for p in model.parameters())
    assert {(p.device.type, p.dtype) for p in model.parameters()} == {("cpu", torch.float32)}
    x = torch.rand(2, 1, 28, 28, requires_grad=True)
    model(x).sum().backward()
    assert x.grad.abs().sum() > 0
    # Two loads share nothing: training one leaves the other alone.
    with torch.no_grad():
        next(model.parameters()).zero_()
    assert next(zoo.load(name).parameters()).abs().sum() > 0


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_load_onto_the_gpu():
    model = zoo.load("fonts-cnn", "cuda")
    assert {p.device.type for p in model.parameters()} == {"cuda"}
    x = torch.rand(4, 1, 28, 28)
    assert torch.allclose(predict(model, x), predict(zoo.load("fonts-cnn"), x), atol=1e-2)


# Those that listen


@pytest.mark.parametrize("name", LISTENERS)
def test_a_listeners_card_says_how_it_came_about_and_it_hears_what_the_card_says(name):
    card, recipe = zoo.card(name), zoo.recipe(name)
    assert card["architecture"] == {"network": recipe.network, "rate": 8000, "classes": 10}
    assert card["weights"] == "float16" and (zoo.CHECKPOINTS / f"{name}.safetensors").stat().st_size < 200_000
    assert card["training"]["loss"] == recipe.loss.__name__ and card["test_accuracy"] >= 0.85
    if name.startswith("fsdd") and not find("fsdd/recordings"):
        pytest.skip("FSDD is not in ADVCOURSE_DATA")
    assert abs(zoo.verify(name) - card["test_accuracy"]) <= TOLERANCE


def test_a_listener_is_loaded_without_drawing_random_numbers_and_counts_its_batches_in_whole_numbers():
    state = torch.get_rng_state()
    model = zoo.load("tones-words")
    assert torch.equal(torch.get_rng_state(), state) and not model.training
    assert not any(parameter.requires_grad for parameter in model.parameters())
    counts = [value for name, value in model.state_dict().items() if name.endswith("num_batches_tracked")]
    assert len(counts) == 3 and all(count.dtype == torch.int64 and count > 0 for count in counts)
    x = data.load("tones", train=1, test=4).x
    assert model(x).shape == (len(x), 10) and model(x).isfinite().all()


# Making checkpoints, with small data and short recipes


@pytest.fixture
def small_zoo(monkeypatch):
    """Three-class images and a recipe of seconds; the softmax regression has its shipped recipe."""
    generator = torch.Generator().manual_seed(0)
    y = torch.arange(300) % 3
    x = (torch.rand(3, 1, 8, 8, generator=generator)[y] + 0.3 * torch.randn(300, 1, 8, 8,
                                                                            generator=generator)).clamp(0, 1)
    dataset = SimpleNamespace(
        name="fonts", x_train=x[:200], y_train=y[:200], x_test=x[200:], y_test=y[200:], classes=("a", "b", "c"),
        card="blobs"
    )
    monkeypatch.setattr(data, "load", lambda name: dataset)
    return dataset


def test_train_writes_weights_and_a_card_and_returns_it(small_zoo, tmp_path):
    card = zoo.train("fonts-softmax", folder=tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fonts-softmax.json", "fonts-softmax.safetensors"]
    assert zoo.card("fonts-softmax", folder=tmp_path) == card
    assert card["data"] == {"name": "fonts", "card": "blobs", "train": 200, "test": 100, "classes": ["a", "b", "c"]}
    model = zoo.load("fonts-softmax", folder=tmp_path)
    right = (model(small_zoo.x_test).argmax(1) == small_zoo.y_test).sum().item()
    assert card["test_accuracy"] == right / 100 and right > 50
    assert zoo.verify("fonts-softmax", folder=tmp_path) == right / 100


@pytest.mark.parametrize("name", ["fonts-softmax", "fonts-mlp", "fonts-cnn", "fonts-fgsm"])
def test_train_gives_the_same_bytes_whatever_the_random_state_and_the_threads(name, small_zoo, tmp_path):
    threads = torch.get_num_threads()
    try:
        for folder, seed, number in (("one", 1, 1), ("two", 2, 2)):
            torch.manual_seed(seed)
            torch.set_num_threads(number)
            state = torch.get_rng_state()
            zoo.train(name, folder=tmp_path / folder)
            assert torch.get_num_threads() == number
            assert torch.equal(torch.get_rng_state(), state)
    finally:
        torch.set_num_threads(threads)
    for ending in ("safetensors", "json"):
        assert (tmp_path / "one" / f"{name}.{ending}").read_bytes() == (tmp_path / "two"
                                                                        / f"{name}.{ending}").read_bytes()


def test_a_robust_recipe_trains_with_an_eps_that_grows_and_measures_at_the_last(small_zoo, tmp_path, monkeypatch):
    seen = []

    def loss(model, x, y, *, eps):
        seen.append(eps)
        return F.cross_entropy(model(x), y)

    monkeypatch.setitem(recipes.RECIPES, "fonts-robust",
                        zoo.Recipe("softmax_regression", loss, (zoo.Stage(3, 1e-3),), eps=0.02))
    card = zoo.train("fonts-robust", folder=tmp_path)
    assert seen == [0.02] * 6  # 200 images are two batches, and a third of 3 * 200 // 128 batches is one
    assert card["training"]["schedule"] == [{"epochs": 3, "learning_rate": 1e-3}] and card["training"]["eps"] == 0.02
    model = zoo.load("fonts-robust", folder=tmp_path)
    measured = robust_accuracy(model, small_zoo.x_test, small_zoo.y_test, eps=0.02)
    assert card["robust_accuracy"] == measured.accuracy <= card["test_accuracy"] and card["robust_to"]["eps"] == 0.02


@pytest.mark.parametrize("kind", ["softmax", "cnn", "fgsm"])
def test_the_full_profile_trains_what_the_card_describes(kind, small_zoo, tmp_path):
    # Course.model once had recipes of its own, and trained weaker networks than the zoo's.
    course = Course("01", "full", small_zoo, seed=0, device=torch.device("cpu"))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        trained = course.model(kind)
    finally:
        torch.set_num_threads(threads)
    card = zoo.train(f"fonts-{kind}", folder=tmp_path)
    assert to_bytes(trained) == (tmp_path / f"fonts-{kind}.safetensors").read_bytes()
    assert course.trained_eps(kind) == card["training"]["eps"] if kind == "fgsm" else card["training"]["eps"] is None


def test_other_data_gets_the_recipe_of_its_kind_and_unknown_kinds_are_refused():
    assert zoo.recipe("digits-cnn") == zoo.recipe("mnist-cnn") and zoo.recipe("digits-fgsm").eps == 0.1
    with pytest.raises(ValueError, match="no recipe for 'mnist-vgg'; the kinds of "
                                         "networks are softmax, mlp, cnn, fgsm, robust"):
        zoo.recipe("mnist-vgg")


def test_half_precision_moves_a_logit_by_a_thousandth_of_the_largest(small_zoo):
    model = training.train_network("fonts-mlp", small_zoo)
    shape = {"network": "mlp", "shape": [1, 8, 8], "classes": 3}
    before, after = model(small_zoo.x_test), from_bytes(to_bytes(model), shape)(small_zoo.x_test)
    assert 0 < (before - after).abs().max() < 1e-3 * before.abs().max()


def test_verify_notices_a_card_that_is_not_true(small_zoo, tmp_path):
    card = zoo.train("fonts-softmax", folder=tmp_path)
    path = tmp_path / "fonts-softmax.json"
    path.write_text(json.dumps(card | {"test_accuracy": card["test_accuracy"] - 0.02}))
    with pytest.raises(RuntimeError, match=r"fonts-softmax is right on .* of the 100 test images of fonts, its card "
                                           r"says"):
        zoo.verify("fonts-softmax", folder=tmp_path)


@pytest.fixture
def copy(tmp_path):
    """A copy of one shipped checkpoint that may be damaged."""
    for ending in ("json", "safetensors"):
        (tmp_path / f"fonts-softmax.{ending}").write_bytes((zoo.CHECKPOINTS / f"fonts-softmax.{ending}").read_bytes())
    zoo.load("fonts-softmax", folder=tmp_path)
    return tmp_path


def flip(position):
    def damage(content):
        position_ = position % len(content)
        return content[:position_] + bytes([content[position_] ^ 1]) + content[position_ + 1 :]

    return damage


@pytest.mark.parametrize(
    "damage",
    [flip(0), flip(20), flip(10_000), flip(-1), lambda c: c[:-1], lambda c: c[: len(c) // 2], lambda c: b"",
     lambda c: c + b"\0", lambda c: b"<html>"],
    ids=["first bit", "header", "weight", "last bit", "byte less", "half", "empty", "byte more", "a web page"],
)
def test_a_damaged_checkpoint_is_refused_with_a_remedy(copy, damage):
    path = copy / "fonts-softmax.safetensors"
    path.write_bytes(damage(path.read_bytes()))
    for use in (zoo.load, zoo.verify):
        with pytest.raises(RuntimeError, match=r"(?s)fonts-softmax.safetensors is damaged: .*SHA-256.*its card "
                                               r"says.*advcourse zoo train fonts-softmax"):
            use("fonts-softmax", folder=copy)


@pytest.mark.parametrize("damage", [lambda c: c[:100], lambda c: b"", lambda c: b"[1]", lambda c: b"{}",
                                    lambda c: c.replace(b"fonts-softmax", b"fonts-cnn"), lambda c: b"\xff" + c])
def test_a_damaged_card_is_refused_with_a_remedy(copy, damage):
    path = copy / "fonts-softmax.json"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(RuntimeError, match=r"fonts-softmax.json is damaged .*advcourse zoo train fonts-softmax"):
        zoo.load("fonts-softmax", folder=copy)


@pytest.mark.parametrize("ending", ["json", "safetensors"])
def test_a_missing_file_is_named(copy, ending):
    (copy / f"fonts-softmax.{ending}").unlink()
    with pytest.raises(RuntimeError, match=rf"no fonts-softmax.{ending} in .*advcourse zoo train"):
        zoo.load("fonts-softmax", folder=copy)


def test_a_failed_write_leaves_the_old_checkpoint_and_no_half_file(small_zoo, tmp_path, monkeypatch):
    zoo.train("fonts-softmax", folder=tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def full_disk(path, content):
        with open(path, "wb") as file:
            file.write(content[:100])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full_disk)
    with pytest.raises(OSError, match="No space left"):
        zoo.train("fonts-softmax", folder=tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("use", [zoo.load, zoo.card, zoo.train, zoo.verify])
def test_unknown_names_get_the_list(use):
    with pytest.raises(ValueError, match="no checkpoint 'mnist-vgg'; the zoo has mnist-softmax, mnist-mlp"):
        use("mnist-vgg")


def test_a_folder_that_cannot_be_written_is_refused_before_the_training(small_zoo, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    monkeypatch.setattr(training, "fit", lambda *args, **kwargs: pytest.fail("trained for nothing"))
    with pytest.raises(PermissionError, match="cannot be written to; give another folder"):
        zoo.train("fonts-softmax", folder=tmp_path)


def test_shifted_images_are_the_nine_neighbours():
    x = torch.rand(200, 2, 5, 6, generator=torch.Generator().manual_seed(0))
    seen = []

    def spy(images):
        seen.append(images)
        return torch.zeros(len(images), 3)

    torch.manual_seed(0)
    shifted_cross_entropy_loss(spy, x, torch.zeros(200, dtype=torch.int64))
    counts = {}
    for image, shifted in zip(x, seen[0], strict=True):
        for down in (-1, 0, 1):
            for right in (-1, 0, 1):
                moved = torch.zeros_like(image)
                rows, columns = range(max(0, down), min(5, 5 + down)), range(max(0, right), min(6, 6 + right))
                for row in rows:
                    for column in columns:
                        moved[:, row, column] = image[:, row - down, column - right]
                if torch.equal(moved, shifted):
                    counts[down, right] = counts.get((down, right), 0) + 1
    assert sum(counts.values()) == 200 and len(counts) == 9 and min(counts.values()) > 5


def test_the_versions_on_the_card_are_those_installed(small_zoo, tmp_path):
    assert zoo.train("fonts-softmax", folder=tmp_path)["versions"]["torch"] == version("torch")
