"""CIFAR-10 in its three forms, Fashion-MNIST, and folders of images."""

import gzip
import hashlib
import io
import pickle
import tarfile

import numpy as np
import pytest
import torch
from PIL import Image

from advcourse import data
from advcourse.data import download, images
from tests.data.test_data import keeps_the_contract

CIFAR10_JPEG = download.find("cifar10-jpeg/cifar10-jpeg.tar.gz")


def save(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(array, dtype=np.uint8)).save(path)


def pack(folder, archive):
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(folder, arcname=".")


@pytest.fixture
def pets(tmp_path):
    """Three cats and two dogs to learn from, one of each to test; every image has a grey of its own."""
    for at, name in enumerate(["train/cat/a.png", "train/cat/b.png", "train/cat/c.png", "train/dog/a.png",
                               "train/dog/b.PNG"]):
        save(tmp_path / "pets" / name, np.full((6, 5), 10 * at))
    for at, name in enumerate(["test/cat/a.png", "test/dog/a.png"]):
        save(tmp_path / "pets" / name, np.full((6, 5), 100 + at))
    (tmp_path / "pets/train/cat/notes.txt").write_text("not an image")
    (tmp_path / "pets/train/cat/._a.png").write_text("what another system leaves")
    return tmp_path / "pets"


@pytest.mark.parametrize("packed", [False, True])
def test_a_folder_of_images(pets, tmp_path, packed):
    path = pets
    if packed:
        path = tmp_path / "pets.tar.gz"
        pack(pets, path)
    dataset = data.load(path)
    assert dataset.name == "folder pets" and dataset.classes == ("cat", "dog")
    assert dataset.x_train.shape == (5, 1, 6, 5) and dataset.x_test.shape == (2, 1, 6, 5)
    # The order goes round the classes.
    assert dataset.y_train.tolist() == [0, 1, 0, 1, 0] and dataset.y_test.tolist() == [0, 1]
    assert (dataset.x_train[:, 0, 0, 0] * 255).round().tolist() == [0, 30, 10, 40, 20]
    few = data.load(str(path), train=2)
    assert torch.equal(few.x_train, dataset.x_train[:2]) and torch.equal(few.x_test, dataset.x_test)
    data.verify(path)


def test_one_coloured_image_makes_all_of_them_rgb(pets):
    save(pets / "train/dog/c.jpg", np.full((6, 5, 3), (200, 100, 0)))
    dataset = data.load(pets)
    assert dataset.x_train.shape == (6, 3, 6, 5) and dataset.x_test.shape == (2, 3, 6, 5)
    red, green, blue = (dataset.x_train[5].mean(dim=(1, 2)) * 255).tolist()  # JPEG is lossy
    assert red == pytest.approx(200, abs=4) and green == pytest.approx(100, abs=4) and blue == pytest.approx(0, abs=4)


def test_what_is_wrong_with_a_folder_is_said(pets, tmp_path):
    with pytest.raises(ValueError, match="train/<class>"):
        data.load(tmp_path)
    save(pets / "test/cow/a.png", np.zeros((6, 5)))
    with pytest.raises(ValueError, match="cow"):
        data.load(pets)
    (pets / "test/cow/a.png").unlink()

    save(pets / "train/dog/d.png", np.zeros((7, 5)))
    with pytest.raises(ValueError, match=r"train/dog/d.png is 5×7"):
        data.load(pets)
    Image.fromarray(np.zeros((6, 5), np.uint16)).save(pets / "train/dog/d.png")
    with pytest.raises(ValueError, match=r"train/dog/d.png in folder pets has I(;16)? pixels"):
        data.load(pets)
    content = (pets / "train/dog/a.png").read_bytes()
    for damaged in (b"no image", content[: len(content) // 2]):
        (pets / "train/dog/d.png").write_bytes(damaged)
        with pytest.raises(data.DataError, match=r"train/dog/d.png in folder pets is not a readable image"):
            data.verify(pets)


def test_a_damaged_archive_is_said(pets, tmp_path):
    archive = tmp_path / "pets.tar.gz"
    pack(pets, archive)
    content = archive.read_bytes()
    for damaged in (b"no archive", content[: len(content) // 2], content[:100] + bytes(100) + content[200:]):
        archive.write_bytes(damaged)
        with pytest.raises(data.DataError, match="damaged or not a tar archive"):
            data.load(archive)


@pytest.mark.skipif(not CIFAR10_JPEG, reason="cifar10-jpeg/cifar10-jpeg.tar.gz is not in ADVCOURSE_DATA")
def test_real_cifar10_as_jpeg():
    dataset = data.load(CIFAR10_JPEG, train=500, test=100)
    keeps_the_contract(dataset, 500, 100, (3, 32, 32), 10)
    assert dataset.classes == images.THINGS
    assert dataset.y_train.bincount().tolist() == [50] * 10
    # The mean colour of CIFAR-10's training images, the figures everybody normalises with; 500 images come near.
    assert dataset.x_train.mean(dim=(0, 2, 3)).tolist() == pytest.approx([0.4914, 0.4822, 0.4465], abs=0.03)


@pytest.fixture
def small_cifar10(monkeypatch):
    """Ten images a batch in place of CIFAR-10, with their checksums in force: the files, and the images in order."""
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (6, 10, 3072), dtype=np.uint8)
    files = {
        name: pickle.dumps({b"data": x[at], b"labels": list(range(10))}, protocol=2)
        for at, name in enumerate(images.CIFAR10_BATCHES)
    }
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    md5 = {name: "md5:" + hashlib.md5(content).hexdigest() for name, content in files.items()}
    monkeypatch.setattr(images, "CIFAR10_BATCHES", md5)
    checksum = "md5:" + hashlib.md5(packed.getvalue()).hexdigest()
    monkeypatch.setattr(images, "CIFAR10", download.File("cifar-10-python.tar.gz", checksum))
    return files, packed.getvalue(), x


def test_cifar10_packed_and_unpacked(place, small_cifar10):
    files, packed, x = small_cifar10
    place.mkdir()
    (place / "cifar-10-python.tar.gz").write_bytes(packed)
    dataset = data.load("cifar10")
    keeps_the_contract(dataset, 50, 10, (3, 32, 32), 10)
    assert np.array_equal(dataset.x_train.numpy(), x[:5].reshape(-1, 3, 32, 32) / np.float32(255))
    assert np.array_equal(dataset.x_test.numpy(), x[5].reshape(-1, 3, 32, 32) / np.float32(255))

    (place / "cifar-10-python.tar.gz").unlink()
    (place / "cifar-10-batches-py").mkdir()
    for name, content in files.items():
        (place / "cifar-10-batches-py" / name).write_bytes(content)
    again = data.load("cifar10", train=12)
    assert torch.equal(again.x_train, dataset.x_train[:12]) and torch.equal(again.x_test, dataset.x_test)
    (place / "cifar-10-batches-py/data_batch_2").write_bytes(b"os.system")
    with pytest.raises(data.DataError, match="data_batch_2 is damaged"):
        data.load("cifar10")


def test_cifar10_from_a_jpeg_copy(place, tmp_path, monkeypatch):
    for at, thing in enumerate(images.THINGS):
        for split in ("train", "test"):
            save(tmp_path / f"copy/{split}/{thing}/0000.jpg", np.full((32, 32, 3), 25 * at))
    (place / "cifar10-jpeg").mkdir(parents=True)
    archive = place / images.CIFAR10_JPEG.path
    pack(tmp_path / "copy", archive)
    with pytest.raises(data.DataError, match="is damaged"):
        data.load("cifar10")
    checksum = "md5:" + hashlib.md5(archive.read_bytes()).hexdigest()
    monkeypatch.setattr(images, "CIFAR10_JPEG", download.File(images.CIFAR10_JPEG.path, checksum))
    dataset = data.load("cifar10")
    assert dataset.name == "cifar10" and "JPEG" in dataset.card and dataset.x_train.shape == (10, 3, 32, 32)


def test_fashion_mnist(place, small_mnist, monkeypatch):
    monkeypatch.setattr(images, "FASHION_PACKED", images.MNIST_PACKED)
    (place / "FashionMNIST/raw").mkdir(parents=True)
    for name, content in small_mnist.packed.items():
        (place / "FashionMNIST/raw" / name).write_bytes(content)
    dataset = data.load("fashion-mnist")
    assert dataset.classes[9] == "Ankle boot" and dataset.x_train.shape == (30, 1, 28, 28)
    assert np.array_equal(dataset.y_train.numpy(), small_mnist.arrays[1])


def test_the_checksums_are_those_of_torchvision():
    """They identify what is downloaded; a slip of the pen would show only on a machine without the data."""
    from torchvision import datasets

    for dataset, packed, urls in (
        (datasets.MNIST, images.MNIST_PACKED, images.MNIST_URLS),
        (datasets.FashionMNIST, images.FASHION_PACKED, images.FASHION_URLS),
    ):
        assert [(f"{name}.gz", checksum.removeprefix("md5:"))
                for name, checksum in zip(images.IDX, packed, strict=True)] == dataset.resources
        assert set(urls) <= set(dataset.mirrors)
    cifar10 = datasets.CIFAR10
    assert images.CIFAR10.checksum == f"md5:{cifar10.tgz_md5}" and images.CIFAR10.urls == (cifar10.url,)
    batches = {name: f"md5:{checksum}" for name, checksum in [*cifar10.train_list, *cifar10.test_list]}
    assert batches == images.CIFAR10_BATCHES


def test_an_idx_file_says_its_own_shape(small_mnist):
    content = small_mnist.raw["t10k-images-idx3-ubyte"]
    assert np.array_equal(images._idx(content), small_mnist.arrays[2])
    assert np.array_equal(images._idx(gzip.compress(content)), small_mnist.arrays[2])
