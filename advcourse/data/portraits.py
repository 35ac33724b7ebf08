"""Photographs of real people: ORL, Extended Yale B, CelebA.

They are no part of the course, and the people in them are owed respect.

Grey ones are cut to the frame of the drawn `faces`, 48×40, so that what works on one works on the others; CelebA is in
colour and twice as large.
"""

import hashlib
import io
import zipfile
from pathlib import PurePath
from typing import NamedTuple

import numpy as np

from advcourse.data import download
from advcourse.data.download import DataError, File, NotHereError, find, read
from advcourse.data.images import as_dataset, round_robin
from advcourse.data.registry import Dataset, register

# The laboratory's archive as the Idiap Research Institute hands it out, and a checksum of the 400 pictures in a row.
ORL = File("orl-faces/att_faces.zip", "md5:6efb25cb0d40755e9492b9c012e3348d",
           ("http://www.idiap.ch/software/bob/data/bob/att_faces.zip",))
ORL_PICTURES = "3ece859febb5dcb346af09c9a1cecc3b63793b7a3062d123f779eb443747e8e7"
CELEBA_NAMES = File("celeba/identity_CelebA.txt", "md5:32bd1bd63d3c78cd57e08160ec5ed1e2")
CELEBA_PEOPLE = 100  # those with the most photographs


@register("orl-faces")
def orl_faces(train: int | None = None, test: int | None = None, seed: int = 0) -> Dataset:
    """The first seven of each person's ten photographs are for training, the last three for testing."""
    names = [f"s{person}/{number}.pgm" for person in range(1, 41) for number in range(1, 11)]
    here = find("orl-faces/s1/1.pgm")
    if here:
        pictures = {name: _bytes(here.parents[1] / name) for name in names}
    else:
        with zipfile.ZipFile(io.BytesIO(read(ORL))) as archive:
            pictures = {"/".join(PurePath(name).parts[-2:]): archive.read(name) for name in archive.namelist()}
    found = hashlib.sha256(b"".join(pictures.get(name, b"") for name in names)).hexdigest()
    if found != ORL_PICTURES:
        place = here.parents[1] if here else find(ORL.path)
        raise DataError(f"{place} is damaged: the checksum of its 400 pictures is sha256:{found}, wanted "
                        f"sha256:{ORL_PICTURES}. Put a good copy in its place.")
    by_person = {f"s{person}": names[10 * person - 10 : 10 * person] for person in range(1, 41)}
    card = ("ORL: 40 people, 7 + 3 photographs of each, cut to 48×40 grey; free with credit to Olivetti Research "
            "Laboratory; Samaria, Harter 1994")
    cut = Cut(size=(92, 112), box=(0, 1, 92, 111), small=(40, 48))
    return _portraits("orl-faces", by_person, pictures.get, cut, is_test=lambda at: at >= 7, train=train, test=test,
                      card=card)


@register("yale-b")
def yale_b(train: int | None = None, test: int | None = None, seed: int = 0) -> Dataset:
    """38 people under about 64 lights each, as cropped by its makers; every third photograph is for testing."""
    place = find("CroppedYale")
    if not place:
        raise NotHereError(
            "Extended Yale B is not on this machine, and has no address that a program may download it from.\nWhat to "
            "do: get the cropped pictures, "
            "CroppedYale.zip, from https://vision.ucsd.edu/datasets/extended-yale-face-database-b-b and unpack them, "
            "so that there is "
            f'{download.folder() / "CroppedYale"}/yaleB01/*.pgm (or CroppedYale in the folder that ADVCOURSE_DATA '
            'names), or use DATASET = "faces".'
        )
    by_person = {person.name: sorted(str(file) for file in person.glob("*.pgm") if "Ambient" not in file.name)
                 for person in sorted(place.glob("yaleB*"))}
    if len(by_person) < 2 or min(map(len, by_person.values())) < 3:
        raise DataError(f"{place} must hold yaleB01, yaleB02, … with at least three *.pgm in each; it has "
                        f"{len(by_person)} such folders")
    card = (f"Extended Yale B: {len(by_person)} people under up to 64 lights each, cropped, 48×40 grey; free for "
            "research; Georghiades, Belhumeur, Kriegman 2001, Lee, Ho, Kriegman 2005")
    cut = Cut(size=(168, 192), box=(4, 0, 164, 192), small=(40, 48))
    return _portraits("yale-b", by_person, _bytes, cut, is_test=lambda at: at % 3 == 2, train=train, test=test,
                      card=card)


@register("celeba")
def celeba(train: int | None = None, test: int | None = None, seed: int = 0) -> Dataset:
    """The 100 people of CelebA with the most photographs; every fifth is for testing.

    In torchvision's layout, packed or unpacked.
    """
    unpacked, packed = find("celeba/img_align_celeba"), find("celeba/img_align_celeba.zip")
    if not (unpacked or packed) or not find(CELEBA_NAMES.path):
        raise NotHereError(
            "CelebA is not on this machine, and its makers want you to agree to their terms before you download "
            "it.\nWhat to do: get img_align_celeba.zip and "
            "identity_CelebA.txt from https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html and put both into "
            f'{download.folder() / "celeba"} (or celeba in the folder that ADVCOURSE_DATA names), or use DATASET = '
            '"faces".'
        )
    by_number = {}
    for line in read(CELEBA_NAMES).decode().splitlines():
        file, number = line.split()
        by_number.setdefault(int(number), []).append(file)
    largest = sorted(by_number, key=lambda number: (-len(by_number[number]), number))[:CELEBA_PEOPLE]
    by_person = {f"{number}": by_number[number] for number in sorted(largest)}
    card = (f"CelebA: the {len(by_person)} people with the most photographs in it, aligned, cut to 96×80 RGB; for "
            "research that is not commercial, no copies passed on; Liu, Luo, Wang, Tang 2015")
    cut = Cut(size=(178, 218), box=(29, 45, 149, 189), small=(80, 96), mode="RGB")
    split = {"is_test": lambda at: at % 5 == 4, "train": train, "test": test, "card": card}
    if unpacked:
        return _portraits("celeba", by_person, lambda name: _bytes(unpacked / name), cut, **split)
    with zipfile.ZipFile(packed) as archive:  # it compares each file that it reads with its checksum
        return _portraits("celeba", by_person, lambda name: archive.read(f"img_align_celeba/{name}"), cut, **split)


def _bytes(path):
    """The content of a file; DataError where it is missing."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}): put a good copy in its place") from None


class Cut(NamedTuple):
    """How photographs become small pictures; all in (width, height)."""

    size: tuple  # that each photograph must have
    box: tuple  # left, top, right, bottom of what is kept
    small: tuple  # to which that is shrunk
    mode: str = "L"  # of the pictures, "L" or "RGB"


def _portraits(name, by_person, content, cut, *, is_test, train, test, card):
    """A Dataset of photographs, cut and shrunk.

    by_person: from each person's name to the files; content: from a file to its bytes; is_test: says of a file's place
    in its list whether it is for testing.
    """
    people, files, labels = tuple(by_person), {}, {}
    for split in (False, True):
        chosen = {person: [file for at, file in enumerate(by_person[person]) if is_test(at) == split]
                  for person in people}
        files[split], labels[split] = round_robin(chosen, people, test if split else train)
    x = [_picture(name, file, content, cut) for file in files[False] + files[True]]
    x = np.stack(x).reshape(len(x), cut.small[1], cut.small[0], -1).transpose(0, 3, 1, 2)
    count = len(labels[False])
    return as_dataset(name, x[:count], labels[False], x[count:], labels[True], people, card)


def _picture(name, file, content, cut):
    """One photograph as an array of bytes."""
    from PIL import Image

    try:
        image = Image.open(io.BytesIO(content(file))).convert(cut.mode)
    except (OSError, SyntaxError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise DataError(f"{file} in {name} is missing or not a readable image ({error}): "
                        "put a good copy in its place") from None
    if image.size != cut.size:
        raise DataError(f"{file} in {name} is {image.width}×{image.height}, wanted {cut.size[0]}×{cut.size[1]}: "
                        "is it the cropped or aligned version?")
    return np.asarray(image.resize(cut.small, Image.Resampling.BOX, cut.box))
