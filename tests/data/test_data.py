"""load, names, verify and the registry: what every data set promises, and what "auto" means."""

import time

import numpy as np
import pytest
import torch

from advcourse import data
from advcourse.data import download, images
from advcourse.data.registry import LOADERS

MNIST_HERE = download.find("MNIST/raw/train-images-idx3-ubyte") or download.find("MNIST/raw/train-images-idx3-ubyte.gz")
needs_mnist = pytest.mark.skipif(not MNIST_HERE, reason="MNIST is neither in ADVCOURSE_DATA nor in data/")


def keeps_the_contract(dataset, train, test, shape, classes):
    for x, y, count in ((dataset.x_train, dataset.y_train, train), (dataset.x_test, dataset.y_test, test)):
        assert x.shape == (count, *shape) and x.dtype == torch.float32
        assert y.shape == (count,) and y.dtype == torch.int64
        assert x.min() == 0 and 0.9 < x.max() <= 1
        assert set(y.tolist()) == set(range(classes))
    assert len(dataset.classes) == classes and all(isinstance(name, str) for name in dataset.classes)
    assert "\n" not in dataset.card
    assert "tensor(" not in repr(dataset)


@needs_mnist
def test_mnist():
    mnist = data.load("mnist")
    keeps_the_contract(mnist, 60_000, 10_000, (1, 28, 28), 10)
    assert mnist.name == "mnist" and mnist.classes == tuple("0123456789")
    assert mnist.y_train.bincount().tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert mnist.y_test.bincount().tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert mnist.x_train.mean().item() == pytest.approx(0.1307, abs=1e-4)  # the figure everybody normalises with
    assert mnist.x_train.std().item() == pytest.approx(0.3081, abs=1e-4)
    few = data.load("mnist", train=50, test=20)
    assert torch.equal(few.x_train, mnist.x_train[:50]) and torch.equal(few.y_test, mnist.y_test[:20])
    data.verify("mnist")


@needs_mnist
def test_auto_is_mnist_where_it_is_on_disk():
    begin = time.monotonic()
    assert data.load(train=10, test=10).name == "mnist"
    assert time.monotonic() - begin < 5


def test_digits():
    digits = data.load("digits")
    keeps_the_contract(digits, 1437, 360, (1, 8, 8), 10)
    assert data.load("digits", train=5, test=3).x_test.shape == (3, 1, 8, 8)
    assert data.load("digits", train=10_000).x_train.shape == (1437, 1, 8, 8)


def test_fonts_by_name():
    fonts = data.load("fonts", train=300, test=200)
    keeps_the_contract(fonts, 300, 200, (1, 28, 28), 10)
    assert fonts.classes == tuple("ABCDEFGHIJ")
    data.verify("digits")


def test_the_defaults_are_enough_to_train_on():
    fonts = data.load("fonts")
    keeps_the_contract(fonts, 20_000, 2_000, (1, 28, 28), 10)


def test_an_unknown_name_lists_the_names():
    with pytest.raises(ValueError, match="unknown data set 'mnits'") as caught:
        data.load("mnits")
    assert all(name in str(caught.value) for name in ["auto", *data.names()])
    assert {"fonts", "scenes", "digits", "mnist", "fashion-mnist", "cifar10"} <= set(data.names())


@pytest.mark.parametrize("counts", [{"train": 0}, {"test": -3}])
def test_counts_must_be_positive(counts):
    with pytest.raises(ValueError, match="at least 1 image, or None"):
        data.load("fonts", **counts)


def test_adding_a_data_set_is_one_small_function():
    try:

        @data.register("stripes")
        def stripes(train=None, test=None, seed=0):
            x = torch.arange(4).remainder(2).repeat(4, 1).expand(10, 1, 4, 4).float()
            y = torch.zeros(10, dtype=torch.int64)
            return data.Dataset("stripes", x[:train], y[:train], x[:test], y[:test], ("stripes",), "Stripes: made here")

        assert "stripes" in data.names()
        assert data.load("stripes", train=3).x_train.shape == (3, 1, 4, 4)
        data.verify("stripes")
        with pytest.raises(ValueError, match="already"):
            data.register("stripes")(stripes)
    finally:
        LOADERS.pop("stripes", None)


def put(place, files):
    (place / "MNIST/raw").mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (place / "MNIST/raw" / name).write_bytes(content)


@pytest.mark.parametrize("form", ["raw", "packed"])
def test_idx_files_raw_and_packed(place, small_mnist, form):
    put(place, getattr(small_mnist, form))
    dataset = data.load("mnist")
    assert np.array_equal(dataset.x_train.numpy(), (small_mnist.arrays[0][:, None] / np.float32(255)))
    assert np.array_equal(dataset.y_test.numpy(), small_mnist.arrays[3])


def test_mnist_is_downloaded_once(place, server, small_mnist, monkeypatch):
    server.seen.files |= small_mnist.packed
    monkeypatch.setattr(images, "MNIST_URLS", (f"{server.address}/good/",))
    with pytest.raises(data.DownloadError, match=r"^not here; `advcourse data get mnist` downloads it$"):
        data.verify("mnist")
    assert data.load().name == "mnist"
    assert data.load("mnist").x_train.shape == (30, 1, 28, 28)
    assert server.seen.requests["good"] == 4
    data.verify("mnist")


def test_damage_is_found_by_verify_and_by_auto(place, small_mnist):
    """A damaged MNIST is something to mend; "auto" must not hide it behind the fonts."""
    put(place, small_mnist.raw)
    target = place / "MNIST/raw/t10k-images-idx3-ubyte"
    content = bytearray(target.read_bytes())
    content[500] ^= 1
    target.write_bytes(content)
    for what in (lambda: data.verify("mnist"), data.load):
        with pytest.raises(data.DataError, match="is damaged") as caught:
            what()
        assert str(target) in str(caught.value)


@pytest.mark.parametrize("behaviour", ["missing", "silent", "drip", "slow"])
def test_auto_is_fonts_within_seconds_and_waits_once(place, server, small_mnist, monkeypatch, behaviour):
    # six seconds at the slow server's pace
    server.seen.files |= {name: bytes(3_000_000) for name in small_mnist.packed}
    monkeypatch.setattr(images, "MNIST_URLS", (f"{server.address}/{behaviour}/",))
    monkeypatch.setattr(download, "TIMEOUT", (10, 30))
    monkeypatch.setattr(data, "AUTO_SECONDS", 1)
    begin = time.monotonic()
    dataset = data.load(train=5, test=5)
    assert time.monotonic() - begin < 3
    assert dataset.name == "fonts" and "in place of mnist" in dataset.card
    requests = server.seen.requests[behaviour]
    assert requests > 0
    assert data.load(train=5, test=5).name == "fonts"
    assert server.seen.requests[behaviour] == requests
    assert list(place.iterdir()) == []

    put(place, small_mnist.raw)
    assert data.load().name == "mnist", "put there by hand, it is used at once"


def test_auto_waits_five_seconds_at_most():
    assert data.AUTO_SECONDS <= 5


def test_verify_wants_one_data_set():
    with pytest.raises(ValueError, match="one data set"):
        data.verify("auto")
