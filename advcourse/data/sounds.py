"""Sounds: what a set of recordings is, how a wave file is read, and the Free Spoken Digit Dataset."""

import hashlib
import io
import wave
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from advcourse.data.download import DataError, File, find, read
from advcourse.data.images import unpack
from advcourse.data.registry import register

RATE = 8_000  # samples a second
SAMPLES = 6_400  # of a recording: 0.8 s
PEAK = 0.5  # of every recording, so that one eps is one level in dB for all

# The archive that GitHub makes of the release, and what is in its folder of recordings: name and bytes of each in turn.
FSDD = File(
    "fsdd/free-spoken-digit-dataset-1.0.10.tar.gz",
    "sha256:feb479fad3a37883c3d21ed7f982281c2dd1c18d5aefd7e8a5d50f58023392aa",
    ("https://github.com/Jakobovski/free-spoken-digit-dataset/archive/v1.0.10.tar.gz",),
    instead="tones",
)
FSDD_RECORDINGS = "fsdd/recordings", "45a9b976ba3397a2fd5c70a9f2e43c34f442a3a6be47392ecfc41174b678f37e"
FSDD_TEST = range(5)  # the recordings that the authors set aside: of each speaker and digit the first five


@dataclass(frozen=True, eq=False)
class Sounds:
    """Recordings in memory, all of one sample rate, of one length and of one loudness.

    x: float32 in [-1, 1], shape (N, T), each with its largest value at ±PEAK; after its own samples it is silent.
    y: int64, shape (N,), indices into `classes`. lengths: int64, shape (N,): how many samples are its own.
    speaker: int64, shape (N,), indices into `speakers`. test: bool, shape (N,): those that the official split sets
        aside, spoken by the same people as the others.
    rate: samples a second. card: one line that says what it is, how large, under which licence and whose work.
    """

    name: str
    x: Tensor = field(repr=False)
    y: Tensor = field(repr=False)
    lengths: Tensor = field(repr=False)
    speaker: Tensor = field(repr=False)
    test: Tensor = field(repr=False)
    classes: tuple[str, ...]
    speakers: tuple[str, ...]
    card: str
    rate: int = RATE

    def __len__(self) -> int:
        return len(self.x)

    def take(self, rows: Tensor | Sequence[int]) -> "Sounds":
        """Those of these numbers, or where the bool tensor is True, in this order."""
        rows = torch.as_tensor(rows)
        parts = {name: getattr(self, name)[rows] for name in ("x", "y", "lengths", "speaker", "test")}
        return replace(self, **parts)

    def split(self) -> tuple["Sounds", "Sounds"]:
        """(for training, for testing), as the official split has it: the same speakers in both."""
        return self.take(~self.test), self.take(self.test)

    def leave_out(self, *speakers: str) -> tuple["Sounds", "Sounds"]:
        """(all others, those of these speakers): for a test on voices that the training never heard.

        Raises ValueError for a name that is no speaker's, and where nobody is left.
        """
        unknown = [name for name in speakers if name not in self.speakers]
        if unknown or not 0 < len(set(speakers)) < len(self.speakers):
            raise ValueError(f"leave out one or more of the speakers {', '.join(self.speakers)}, but not all; got "
                             f"{', '.join(map(repr, speakers)) or 'none'}")
        out = torch.isin(self.speaker, torch.tensor([self.speakers.index(name) for name in speakers]))
        return self.take(~out), self.take(out)


@register("fsdd")
def fsdd(train: int | None = None, test: int | None = None, seed: int = 0) -> Sounds:
    """3,000 spoken digits of six speakers, cut at 0.8 s; train, test: the first so many of each part."""
    files = _recordings()
    # The names are {digit}_{speaker}_{number}.wav; a few of them hold every digit and speaker as often.
    names = sorted(files, key=lambda name: (int(name.split("_")[2][:-4]), *name.split("_")[:2]))
    digits, people, numbers = zip(*(name[:-4].split("_") for name in names), strict=True)
    speakers = tuple(sorted(set(people)))
    waves = [wave_from(files[name], name) for name in names]
    card = (f"FSDD: {len(names):,} spoken digits of {len(speakers)} speakers, 8 kHz, at one loudness, "
            f"{sum(len(wave) > SAMPLES for wave in waves)} of them cut at 0.8 s; CC BY-SA 4.0; Jackson et al. 2018")
    x, lengths = levelled(waves)
    sounds = Sounds(
        name="fsdd", x=x, lengths=lengths, y=torch.tensor([int(digit) for digit in digits]),
        speaker=torch.tensor([speakers.index(name) for name in people]),
        test=torch.tensor([int(number) in FSDD_TEST for number in numbers]),
        classes=tuple("0123456789"), speakers=speakers, card=card)
    return first(sounds, train, test)


def _recordings():
    """{name: bytes} of the 3,000 wave files, from the folder or else the archive, checked."""
    folder, checksum = FSDD_RECORDINGS
    place = find(folder)
    if place is None or find(FSDD.path):
        members = unpack(read(FSDD), FSDD.path)
        return {name.rpartition("/")[2]: content for name, content in members.items() if name.endswith(".wav")
                and name.split("/")[-2] == "recordings"}
    files = {path.name: path.read_bytes() for path in sorted(place.glob("*.wav"))}
    found = hashlib.sha256(b"".join(name.encode() + content for name, content in files.items())).hexdigest()
    if found != checksum:
        raise DataError(f"{place} is damaged or not release 1.0.10: its {len(files):,} recordings have the checksum "
                        f"{found}, wanted {checksum}. Delete the folder and load again to download it afresh, or put a "
                        "good copy in its place.")
    return files


def wave_from(content: bytes, name: str, rate: int = RATE) -> np.ndarray:
    """The samples of a wave file in [-1, 1), float32, shape (T,).

    content: the file's bytes; name: what an error calls it. Nothing is resampled and no channel is mixed into another:
    that would be another sound.
    Raises DataError where it is no wave file, or not mono, of 16 bits and of this sample rate.
    """
    try:
        with wave.open(io.BytesIO(content)) as file:
            found = file.getframerate(), file.getnchannels(), 8 * file.getsampwidth()
            samples = file.readframes(file.getnframes())
    except (wave.Error, EOFError) as error:
        raise DataError(f"{name} is not a wave file ({error})") from None
    if found != (rate, 1, 16):
        raise DataError(f"{name} has {found[0]:,} samples a second, {found[1]} channel{'s' * (found[1] > 1)} and "
                        f"{found[2]} bits; wanted {rate:,}, one channel and 16 bits")
    return np.frombuffer(samples, "<i2").astype(np.float32) / 2**15


def levelled(waves: Sequence[np.ndarray]) -> tuple[Tensor, Tensor]:
    """(x, lengths): waveforms cut at SAMPLES, each with its peak at PEAK, then silence."""
    x, lengths = torch.zeros(len(waves), SAMPLES), torch.zeros(len(waves), dtype=torch.int64)
    for row, samples in enumerate(waves):
        part = torch.from_numpy(np.array(samples[:SAMPLES], np.float32))
        x[row, :len(part)], lengths[row] = part * (PEAK / part.abs().max().clamp_min(1e-9)), len(part)
    return x.clamp_(-PEAK, PEAK), lengths


def first(sounds: Sounds, train: int | None, test: int | None) -> Sounds:
    """The first so many recordings of each part of the official split; None: all."""
    return sounds.take(torch.cat([part.nonzero()[:count, 0]
                                  for part, count in ((~sounds.test, train), (sounds.test, test))]).sort().values)
