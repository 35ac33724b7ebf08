"""Sounds: the spoken digits, and the commands that a program speaks."""

import hashlib
import io
import tarfile
import time
import wave
from dataclasses import replace

import numpy as np
import pytest
import torch

from advcourse import data
from advcourse.data import download, sounds

needs_fsdd = pytest.mark.skipif(not download.find("fsdd/recordings") and not download.find(sounds.FSDD.path),
                                reason="FSDD is neither in ADVCOURSE_DATA nor in data/")


def keeps_the_contract(found, speakers):
    count = len(found)
    assert found.x.shape == (count, 6400) and found.x.dtype == torch.float32 and found.rate == 8000
    assert torch.allclose(found.x.abs().amax(1), torch.full((count,), 0.5), atol=1e-6)
    after = torch.arange(6400) >= found.lengths[:, None]
    assert (found.x[after] == 0).all() and found.lengths.min() > 500
    assert found.y.dtype == found.speaker.dtype == torch.int64 and found.test.dtype == torch.bool
    per_cell = torch.stack([found.y, found.speaker]).unique(dim=1, return_counts=True)[1]
    assert len(per_cell) == 10 * speakers and len(per_cell.unique()) == 1  # every word by everybody as often
    assert len(found.classes) == 10 and len(found.speakers) == speakers and "\n" not in found.card


@needs_fsdd
def test_fsdd():
    digits = data.load("fsdd")
    keeps_the_contract(digits, 6)
    assert len(digits) == 3000 and digits.speakers == ("george", "jackson", "lucas", "nicolas", "theo", "yweweler")
    train, test = digits.split()
    assert len(train) == 2700 and len(test) == 300 and test.y.bincount().tolist() == [30] * 10
    assert "61 of them cut at 0.8 s" in digits.card
    few = data.load("fsdd", train=20, test=10)
    assert len(few) == 30 and few.test.sum() == 10 and len(few.take(few.test).y.unique()) > 1
    data.verify("fsdd")


def test_tones():
    begin = time.process_time()
    commands = data.load("tones")
    assert time.process_time() - begin < 4
    keeps_the_contract(commands, 12)
    assert len(commands) == 1200 and commands.classes[:3] == ("yes", "no", "up")
    again, other = data.load("tones"), data.load("tones", seed=1)
    assert torch.equal(again.x, commands.x) and not torch.equal(other.x, commands.x)
    assert len(data.load("tones", train=7, test=5)) == 12
    # The voice is what it should be: most power below 3.4 kHz, hiss at the end of yes and none at the end of no.
    power = torch.fft.rfft(commands.x).abs().square()
    assert power[:, :2720].sum() > 0.8 * power.sum()
    hiss = {}
    for word in ("yes", "no"):
        rows = commands.take(commands.y == commands.classes.index(word))
        ends = torch.stack([x[length - 640:length] for x, length in zip(rows.x, rows.lengths, strict=True)])
        spectrum = torch.fft.rfft(ends).abs().square()
        hiss[word] = (spectrum[:, 200:].sum(1) / spectrum.sum(1)).median().item()
    assert hiss["yes"] > 0.5 > 0.2 > hiss["no"]


def test_speakers_are_left_out_whole():
    commands = data.load("tones")
    others, left = commands.leave_out("speaker 2", "speaker 7")
    assert len(left) == 200 and len(others) == 1000
    assert set(left.speaker.tolist()) == {1, 6} and not {1, 6} & set(others.speaker.tolist())
    for wrong in (("nobody",), (), commands.speakers):
        with pytest.raises(ValueError, match="leave out one or more of the speakers speaker 1, "):
            commands.leave_out(*wrong)
    rows = commands.take([3, 1])
    assert torch.equal(rows.x, commands.x[[3, 1]]) and rows.lengths.tolist() == commands.lengths[[3, 1]].tolist()


def wave_file(samples, rate=8000, channels=1, width=2):
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setparams((channels, width, rate, 0, "NONE", ""))
        file.writeframes(samples)
    return content.getvalue()


@pytest.mark.parametrize("options, said", [
    (dict(rate=22050), "22,050 samples a second, 1 channel and 16 bits"), (dict(channels=2), "2 channels"),
    (dict(width=1), "8 bits")])
def test_another_rate_is_refused_by_name(options, said):
    with pytest.raises(data.DataError, match=f"7_theo_0.wav has .*{said}.*wanted 8,000, one channel and 16 bits"):
        sounds.wave_from(wave_file(b"\0" * 400, **options), "7_theo_0.wav")


def test_samples_are_read_as_they_are():
    values = np.array([0, 1, -1, 32767, -32768, 100], "<i2")
    assert np.array_equal(sounds.wave_from(wave_file(values.tobytes()), "a"), values / np.float32(32768))


def test_sounds_are_brought_to_one_level_and_not_clipped():
    waves = [np.array([0.1, -0.2, 0.05], np.float32), np.linspace(-1, 0.5, 7000, dtype=np.float32), np.zeros(5)]
    x, lengths = sounds.levelled(waves)
    assert lengths.tolist() == [3, 6400, 5] and x.shape == (3, 6400) and x[2].abs().max() == 0
    assert x[0, :3].tolist() == pytest.approx([0.25, -0.5, 0.125]) and np.allclose(x[1].numpy(), waves[1][:6400] / 2)


def small(monkeypatch, place, *, files):
    """An archive with these recordings in place of the release, on the disk, its checksum in force."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for name, body in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(body)
            archive.addfile(member, io.BytesIO(body))
    packed = content.getvalue()
    monkeypatch.setattr(sounds, "FSDD", replace(sounds.FSDD, checksum="sha256:" + hashlib.sha256(packed).hexdigest()))
    return packed


def test_the_release_is_read_from_its_archive_and_a_folder_is_checked(place, monkeypatch):
    rng = np.random.default_rng(0)
    files = {f"free-spoken-digit-dataset-1.0.10/recordings/{digit}_{name}_{number}.wav":
             wave_file(rng.integers(-900, 900, 1200 if digit else 9000).astype("<i2").tobytes())
             for digit in range(10) for name in ("anna", "ben") for number in range(7)}
    packed = small(monkeypatch, place, files={**files, "free-spoken-digit-dataset-1.0.10/extra/a.wav": b"no"})
    with pytest.raises(data.DownloadError, match="fsdd"):
        data.from_disk("fsdd")
    with download.time_limit(0), pytest.raises(data.DownloadError, match='or use DATASET = "tones", which'):
        data.load("fsdd")
    (place / "fsdd").mkdir(parents=True)
    (place / sounds.FSDD.path).write_bytes(packed)
    digits = data.load("fsdd")
    keeps_the_contract(digits, 2)
    assert digits.test.sum() == 100 and digits.lengths.max() == 6400
    (place / sounds.FSDD.path).write_bytes(packed[:-20])
    with pytest.raises(data.DataError, match="damaged"):
        data.load("fsdd")
    (place / sounds.FSDD.path).unlink()
    (place / "fsdd/recordings").mkdir()
    (place / "fsdd/recordings/1_anna_0.wav").write_bytes(b"cut short")
    with pytest.raises(data.DataError, match=r"recordings is damaged or not release 1\.0\.10: its 1 recordings"):
        data.verify("fsdd")
