"""Real images: MNIST, Fashion-MNIST, CIFAR-10, the digits of scikit-learn, and folders of one's own images."""

import gzip
import io
import pickle
import tarfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from advcourse.data.download import DataError, File, find, read
from advcourse.data.registry import Dataset, register

DIGITS = tuple("0123456789")
CLOTHES = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
THINGS = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
IDX = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")

# The checksums are those of torchvision's downloads, and for the files unpacked, those of the originals.
MNIST_URLS = ("https://ossci-datasets.s3.amazonaws.com/mnist/", "http://yann.lecun.com/exdb/mnist/")
MNIST_PACKED = (
    "md5:f68b3c2dcbeaaa9fbdd348bbdeb94873",
    "md5:d53e105ee54ea40749a09fcbcd1e9432",
    "md5:9fb629c4189551a2d022fa330f9573f3",
    "md5:ec29112dd5afa0611ce80d1b7f02629c",
)
MNIST_RAW = (
    "sha256:ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "sha256:65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "sha256:0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "sha256:ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
)
FASHION_URLS = ("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",)
FASHION_PACKED = (
    "md5:8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "md5:25c81989df183df01b3e8a0aad5dffbe",
    "md5:bef4ecab320f06d8554ea6380940ec79",
    "md5:bb300cfdad3c16e7a12a480ee83cd310",
)
CIFAR10 = File(
    "cifar-10-python.tar.gz",
    "md5:c58f30108f718f92721af3b95e74349a",
    ("https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",),
)
CIFAR10_BATCHES = {
    "data_batch_1": "md5:c99cafc152244af753f735de768cd75f",
    "data_batch_2": "md5:d4bba439e000b95fd0a9bffe97cbabec",
    "data_batch_3": "md5:54ebc095f3ab1f0389bbae665268c751",
    "data_batch_4": "md5:634d18415352ddfa80567beed471001a",
    "data_batch_5": "md5:482c414d41f54cd18b22e5b47cb7c3cb",
    "test_batch": "md5:40351d587109b95175f43aff81a1287e",
}
CIFAR10_JPEG = File(
    "cifar10-jpeg/cifar10-jpeg.tar.gz",
    "sha256:4938e29941f96eba6c09591fbf9ba2fbf62ec7e9522687f45b064b30df775997",
)


@register("digits")
def digits(train: int | None = None, test: int | None = None, seed: int = 0) -> Dataset:
    """The first 1,437 images in the order of the file are for training, the last 360 for testing."""
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    images = torch.from_numpy(images).float().div(16).view(-1, 1, 8, 8)
    labels = torch.from_numpy(labels).long()
    return Dataset(
        "digits", images[:1437][:train], labels[:1437][:train], images[1437:][:test], labels[1437:][:test], DIGITS,
        "Digits: 1,437 + 360 handwritten digits, 8×8 grey, shipped with scikit-learn; CC BY 4.0; Alpaydin, Kaynak 1998",
    )  # fmt: skip


@register("mnist")
def mnist(train: int | None = None, test: int | None = None, seed: int = 0) -> Dataset:
    """60,000 + 10,000 handwritten digits, from files that are unpacked or packed."""
    files = [
        (File(f"MNIST/raw/{name}", raw), File(f"MNIST/raw/{name}.gz", packed,
                                              tuple(f"{url}{name}.gz" for url in MNIST_URLS)))
        for name, raw, packed in zip(IDX, MNIST_RAW, MNIST_PACKED, strict=True)
    ]
    card = "MNIST: 60,000 + 10,000 handwritten digits, 28×28 grey; CC BY-SA 3.0; LeCun, Cortes, Burges 1998"
    return _from_idx("mnist", files, train, test, DIGITS, card)


@register("fashion-mnist")
def fashion_mnist(train: int | None = None, test: int | None = None, seed: int = 0) -> Dataset:
    """60,000 + 10,000 pictures of clothes, in MNIST's format."""
    files = [
        (File(f"FashionMNIST/raw/{name}.gz", packed, tuple(f"{url}{name}.gz" for url in FASHION_URLS)),)
        for name, packed in zip(IDX, FASHION_PACKED, strict=True)
    ]
    card = "Fashion-MNIST: 60,000 + 10,000 pictures of clothes, 28×28 grey; MIT licence; Xiao, Rasul, Vollgraf 2017"
    return _from_idx("fashion-mnist", files, train, test, CLOTHES, card)


@register("cifar10")
def cifar10(train: int | None = None, test: int | None = None, seed: int = 0) -> Dataset:
    """From cifar-10-python.tar.gz or the folder it unpacks to, else from a JPEG copy for `folder_of_images`."""
    card = ("CIFAR-10: 50,000 + 10,000 colour pictures of animals "
            "and vehicles, 32×32; no licence stated; Krizhevsky 2009")
    unpacked = {name: File(f"cifar-10-batches-py/{name}", checksum) for name, checksum in CIFAR10_BATCHES.items()}
    if all(find(file.path) for file in unpacked.values()):
        batches = {name: read(file) for name, file in unpacked.items()}
    elif find(CIFAR10_JPEG.path) and not find(CIFAR10.path):
        archive = unpack(read(CIFAR10_JPEG), CIFAR10_JPEG.path)
        dataset = _from_files("cifar10", archive, archive.get, train, test)
        return replace(dataset, card=f"{card}; a JPEG copy: a little is lost")
    else:
        archive = unpack(read(CIFAR10), CIFAR10.path)
        batches = {name: archive[f"cifar-10-batches-py/{name}"] for name in CIFAR10_BATCHES}

    # Pickles can run code; these are the original files, to the byte: their checksums were verified.
    batches = {name: pickle.loads(batch, encoding="bytes") for name, batch in batches.items()}
    train_batches = [batch for name, batch in batches.items() if name != "test_batch"]
    x_train = np.concatenate([batch[b"data"] for batch in train_batches]).reshape(-1, 3, 32, 32)
    y_train = np.concatenate([batch[b"labels"] for batch in train_batches])
    x_test = np.asarray(batches["test_batch"][b"data"]).reshape(-1, 3, 32, 32)
    y_test = np.asarray(batches["test_batch"][b"labels"])
    return as_dataset("cifar10", x_train[:train], y_train[:train], x_test[:test], y_test[:test], THINGS, card)


def folder_of_images(path: str | Path, train: int | None = None, test: int | None = None) -> Dataset:
    """Your own images: a folder, or a .tar.gz of one, with train/<class>/*.png|jpg and test/<class>/*.png|jpg in it.

    All images must be of one size; they are grey if all of them are, else RGB. Their order goes round the classes, so
    that the first few hold each class equally often. Its name is "folder …", so that one called mnist is not taken for
    MNIST, nor gets its networks. Raises ValueError for another layout, DataError for an unreadable file.
    """
    path = Path(path).resolve()
    if path.is_dir():
        names = [file.relative_to(path).as_posix() for file in path.glob("*/*/*")]
        return _from_files(f"folder {path.name}", names, lambda name: (path / name).read_bytes(), train, test)
    archive = unpack(path.read_bytes(), path)
    return _from_files(f"folder {path.name.split('.')[0]}", archive, archive.get, train, test)


def _from_idx(name, files, train, test, classes, card):
    """A data set in MNIST's format: for each of IDX, the forms in which it may come."""
    x_train, y_train, x_test, y_test = (_idx(read(*forms)) for forms in files)
    return as_dataset(name, x_train[:train, None], y_train[:train], x_test[:test, None], y_test[:test], classes, card)


def _idx(content):
    """The array in an IDX file of bytes: after two zeros the type and the number of dimensions, then each of these."""
    if content.startswith(b"\x1f\x8b"):
        content = gzip.decompress(content)
    dimensions = content[3]
    shape = np.frombuffer(content, ">i4", dimensions, offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * dimensions).reshape(shape)


def as_dataset(name: str, x_train: np.ndarray, y_train: np.ndarray, x_test: np.ndarray, y_test: np.ndarray,
               classes: Sequence[str], card: str) -> Dataset:
    """A Dataset from arrays of bytes and labels."""
    x_train, x_test = (torch.from_numpy(x.astype(np.float32)).div_(255) for x in (x_train, x_test))
    y_train, y_test = (torch.from_numpy(y.astype(np.int64)) for y in (y_train, y_test))
    return Dataset(name, x_train, y_train, x_test, y_test, classes, card)


def unpack(content: bytes, path: str | Path) -> dict[str, bytes]:
    """The files in a tar archive, compressed or not: a dict from name to bytes. Nothing is written to the disk.

    Raises DataError, which names `path`, where the content is no whole archive.
    """
    try:
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            return {member.name.removeprefix("./"): archive.extractfile(member).read() for member in archive
                    if member.isfile()}
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise DataError(f"{path} is damaged or not a tar archive ({error}): put a good copy in its place") from None


def _from_files(name, files, content, train, test):
    """A Dataset from names that end in train|test/<class>/<image>, and a function from name to bytes."""
    by_split = {"train": {}, "test": {}}
    for file in sorted(files):
        split, label, image = ("", "", *file.split("/"))[-3:]
        if split in by_split and not image.startswith(".") and image.lower().endswith((".png", ".jpg", ".jpeg")):
            by_split[split].setdefault(label, []).append(file)
    classes = tuple(sorted(by_split["train"]))
    if not classes or not by_split["test"] or not by_split["test"].keys() <= set(classes):
        raise ValueError(
            f"{name} must hold train/<class>/*.png or *.jpg, and test/<class>/* with no other classes; found the "
            f"classes {list(classes)} for training and {sorted(by_split['test'])} for testing"
        )
    if len(classes) < 2:
        raise ValueError(f"{name} must hold two classes or more, to tell apart; found only {classes[0]!r}")
    train_files, y_train = round_robin(by_split["train"], classes, train)
    test_files, y_test = round_robin(by_split["test"], classes, test)
    x = _decode(name, train_files + test_files, content)
    channels, height, width = x.shape[1:]
    card = (
        f"{name}: {len(y_train):,} + {len(y_test):,} images of your own in {len(classes)} classes, "
        f"{height}×{width} {'grey' if channels == 1 else 'RGB'}; licence: ask where they come from"
    )
    return as_dataset(name, x[: len(y_train)], y_train, x[len(y_train) :], y_test, classes, card)


def round_robin(by_class: Mapping[str, list], classes: Sequence[str], count: int | None) -> tuple[list, np.ndarray]:
    """`count` files (None: all), the first of each class, then the second of each …, and their labels."""
    turns = sorted((turn, classes.index(label), file) for label, files in by_class.items()
                   for turn, file in enumerate(files))
    turns = turns[:count]
    return [file for _, _, file in turns], np.array([label for _, label, _ in turns])


def _decode(name, files, content):
    """The images as one array of bytes (N, C, H, W)."""
    from PIL import Image

    images = []
    for file in files:
        try:
            image = Image.open(io.BytesIO(content(file)))
            image.load()
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            raise DataError(f"{file} in {name} is not a readable image ({error}): mend or remove it") from None
        if image.mode.startswith(("I", "F")):
            raise ValueError(f"{file} in {name} has {image.mode} pixels; wanted 8-bit grey or colour")
        if images and image.size != images[0].size:
            raise ValueError(
                f"all images of {name} must have one size: {files[0]} is {images[0].width}×{images[0].height}, "
                f"{file} is {image.width}×{image.height}"
            )
        images.append(image)
    mode = "L" if all(image.mode in ("1", "L") for image in images) else "RGB"
    array = np.stack([np.asarray(image.convert(mode)) for image in images])
    return array[:, None] if mode == "L" else array.transpose(0, 3, 1, 2)
