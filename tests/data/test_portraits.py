"""ORL, Extended Yale B and CelebA: real files where they are here, made-up ones in their layout elsewhere."""

import hashlib
import io
import zipfile
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from advcourse import data
from advcourse.data import download, portraits

needs_orl = pytest.mark.skipif(not download.find("orl-faces/s1/1.pgm") and not download.find(portraits.ORL.path),
                               reason="the ORL faces are neither in ADVCOURSE_DATA nor in data/")


def picture(size, grey, format="PPM", mode="L"):
    """The bytes of a picture of one grey value; size: (width, height)."""
    content = io.BytesIO()
    Image.new(mode, size, grey if mode == "L" else (grey,) * 3).save(content, format)
    return content.getvalue()


@needs_orl
def test_orl():
    orl = data.load("orl-faces")
    assert orl.x_train.shape == (280, 1, 48, 40) and orl.x_test.shape == (120, 1, 48, 40)
    assert orl.classes[0] == "s1" and orl.classes[-1] == "s40"
    assert orl.y_train.bincount().tolist() == [7] * 40 and orl.y_test.bincount().tolist() == [3] * 40
    assert 0 <= orl.x_train.min() < 0.1 and 0.9 < orl.x_train.max() <= 1
    assert orl.x_train.mean().item() == pytest.approx(0.44, abs=0.05)
    few = data.load("orl-faces", train=45, test=3)
    assert torch.equal(few.x_train, orl.x_train[:45]) and torch.equal(few.y_test, orl.y_test[:3])
    assert few.y_train[:40].tolist() == list(range(40))
    # The same person's photographs are nearer than others': the frame has not cut the face away.
    nearest = torch.cdist(orl.x_test.flatten(1), orl.x_train.flatten(1)).argmin(1)
    assert (orl.y_train[nearest] == orl.y_test).float().mean() > 0.85
    assert "Olivetti" in orl.card
    data.verify("orl-faces")


@pytest.fixture
def small_orl(monkeypatch):
    """The 400 pictures in the archive's layout, each of one grey, with the checksums in force: from name to bytes."""
    pictures = {f"s{person}/{number}.pgm": picture((92, 112), 5 * person + number) for person in range(1, 41)
                for number in range(1, 11)}
    monkeypatch.setattr(portraits, "ORL_PICTURES", hashlib.sha256(b"".join(pictures.values())).hexdigest())
    return pictures


def test_orl_unpacked_and_damaged(place, small_orl):
    for name, content in small_orl.items():
        (place / "orl-faces" / name).parent.mkdir(parents=True, exist_ok=True)
        (place / "orl-faces" / name).write_bytes(content)
    orl = data.load("orl-faces")
    assert orl.x_train[orl.y_train == 3][:, 0, 0, 0].mul(255).round().tolist() == [21, 22, 23, 24, 25, 26, 27]
    assert orl.x_test[orl.y_test == 3][:, 0, 0, 0].mul(255).round().tolist() == [28, 29, 30]

    (place / "orl-faces/s7/3.pgm").write_bytes(picture((92, 112), 255))
    with pytest.raises(data.DataError, match="orl-faces is damaged"):
        data.load("orl-faces")
    (place / "orl-faces/s7/3.pgm").unlink()
    with pytest.raises(data.DataError, match=r"3.pgm cannot be read"):
        data.load("orl-faces")


def test_orl_is_downloaded(place, server, small_orl, monkeypatch):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("README", "credit")
        for name, content in small_orl.items():
            packed.writestr(f"att_faces/{name}", content)
    server.seen.files["att_faces.zip"] = archive.getvalue()
    checksum = f"md5:{hashlib.md5(archive.getvalue()).hexdigest()}"
    monkeypatch.setattr(portraits, "ORL", replace(portraits.ORL, checksum=checksum,
                                                  urls=(server.url("good", "att_faces.zip"),)))
    with pytest.raises(data.DownloadError, match=r"^not here; `advcourse data get orl-faces` downloads it$"):
        data.verify("orl-faces")
    assert data.load("orl-faces").x_train.shape == (280, 1, 48, 40)
    assert data.load("orl-faces", train=2, test=1).x_train.shape == (2, 1, 48, 40)
    assert server.seen.requests["good"] == 1


def yale(place, people=3, size=(168, 192)):
    for person in range(1, people + 1):
        folder = place / "CroppedYale" / f"yaleB{person:02d}"
        folder.mkdir(parents=True)
        (folder / f"yaleB{person:02d}_P00_Ambient.pgm").write_bytes(picture((640, 480), 0))
        (folder / f"yaleB{person:02d}_P00.info").write_text("not a picture")
        for light in range(6):
            (folder / f"yaleB{person:02d}_P00A+00{light}E+00.pgm").write_bytes(picture(size, 40 * person + light))


def test_yale_b(place):
    yale(place)
    dataset = data.load("yale-b")
    assert dataset.x_train.shape == (12, 1, 48, 40) and dataset.x_test.shape == (6, 1, 48, 40)
    assert dataset.classes == ("yaleB01", "yaleB02", "yaleB03") and dataset.y_train[:4].tolist() == [0, 1, 2, 0]
    assert dataset.x_test[:, 0, 0, 0].mul(255).round().tolist() == [42, 82, 122, 45, 85, 125]


def test_yale_b_says_what_to_put_where(place):
    with pytest.raises(data.DataError, match=r"CroppedYale.zip, from https://") as caught:
        data.load("yale-b")
    assert str(place / "CroppedYale") in str(caught.value)
    (place / "CroppedYale").mkdir(parents=True)
    with pytest.raises(data.DataError, match="must hold yaleB01"):
        data.load("yale-b")


def test_uncropped_photographs_are_named(place):
    yale(place, size=(640, 480))
    with pytest.raises(data.DataError, match=r"is 640×480, wanted 168×192"):
        data.load("yale-b")


@pytest.mark.parametrize("packed", [False, True])
def test_celeba(place, monkeypatch, packed):
    """Three people with 11, 10 and 5 photographs, of whom the two with the most are kept."""
    numbers = [7] * 11 + [2880] * 10 + [31] * 5
    names = "".join(f"{at + 1:06d}.jpg {number}\n" for at, number in enumerate(numbers)).encode()
    pictures = {f"{at + 1:06d}.jpg": picture((178, 218), 8 * at, "JPEG", "RGB") for at in range(len(numbers))}
    monkeypatch.setattr(portraits, "CELEBA_PEOPLE", 2)
    monkeypatch.setattr(portraits, "CELEBA_NAMES",
                        replace(portraits.CELEBA_NAMES, checksum=f"md5:{hashlib.md5(names).hexdigest()}"))
    (place / "celeba").mkdir(parents=True)
    with pytest.raises(data.DataError, match=r"img_align_celeba.zip and identity_CelebA.txt from https://"):
        data.load("celeba")

    (place / "celeba/identity_CelebA.txt").write_bytes(names)
    if packed:
        with zipfile.ZipFile(place / "celeba/img_align_celeba.zip", "w") as archive:
            for name, content in pictures.items():
                archive.writestr(f"img_align_celeba/{name}", content)
    else:
        (place / "celeba/img_align_celeba").mkdir()
        for name, content in pictures.items():
            (place / "celeba/img_align_celeba" / name).write_bytes(content)
    dataset = data.load("celeba")
    assert dataset.x_train.shape == (17, 3, 96, 80) and dataset.x_test.shape == (4, 3, 96, 80)
    assert dataset.classes == ("7", "2880") and dataset.y_train.bincount().tolist() == [9, 8]
    assert np.allclose(dataset.x_test[:, 0, 0, 0].mul(255), [32, 120, 72, 160], atol=3)
