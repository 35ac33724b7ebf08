"""Spoken commands that nobody spoke: ten words from a source of sound and a moving filter, as a voice makes them.

A voice is a buzz (the vocal folds) or a hiss (air through a gap), shaped by the resonances of the mouth, the formants,
which move from sound to sound. Twelve made-up speakers differ in pitch, in the length of the vocal tract and in pace;
every recording has its own slips, melody and background noise, loud enough that a network errs on some.
"""

import math

import torch

from advcourse.data.registry import register
from advcourse.data.sounds import PEAK, RATE, SAMPLES, Sounds, first

SPEAKERS, TAKES, TEST_TAKES = 12, 10, 2  # recordings of each word by each speaker, of which the first are for testing
WINDOW, HOP = 256, 128  # samples of a frame, and from one to the next: 16 ms
LONGEST = 4_992  # samples of a word
AT_ONCE = 20  # recordings: what fits the processor's caches

# Formants in Hz, after Peterson and Barney's men (1952); loudness of the buzz; loudness, middle and width in Hz of the
# hiss.
PHONES = {
    "i": (270, 2290, 3010, 1.0, 0, 3000, 900), "I": (390, 1990, 2550, 1.0, 0, 3000, 900),
    "e": (530, 1840, 2480, 1.0, 0, 3000, 900), "a": (730, 1150, 2440, 1.0, 0, 3000, 900),
    "o": (500, 880, 2400, 1.0, 0, 3000, 900), "U": (440, 1020, 2240, 0.9, 0, 3000, 900),
    "u": (310, 870, 2240, 0.8, 0, 3000, 900), "A": (640, 1190, 2390, 1.0, 0, 3000, 900),
    "O": (590, 840, 2410, 1.0, 0, 3000, 900),
    "n": (250, 1250, 2300, 0.35, 0, 3000, 900), "l": (360, 1000, 2600, 0.5, 0, 3000, 900),
    "r": (380, 1100, 1500, 0.6, 0, 3000, 900),
    "s": (400, 1700, 2600, 0, 0.35, 3600, 500), "f": (500, 1300, 2400, 0, 0.12, 2600, 1500),
    "t": (400, 1700, 2600, 0, 0.4, 3300, 700), "p": (500, 900, 2400, 0, 0.25, 900, 600),
    "d": (400, 1700, 2600, 0.2, 0.3, 2800, 800), "g": (350, 1500, 2200, 0.2, 0.3, 1700, 500),
    "-": (500, 1400, 2400, 0, 0, 3000, 900),
}  # fmt: skip
# Each word: its sounds, and how long they last in ms.
WORDS = {
    "yes": (("i", 60), ("e", 120), ("s", 140)), "no": (("n", 80), ("o", 110), ("u", 100)),
    "up": (("A", 130), ("-", 70), ("p", 35)), "down": (("d", 20), ("a", 110), ("U", 80), ("n", 100)),
    "left": (("l", 70), ("e", 110), ("f", 90), ("-", 40), ("t", 30)),
    "right": (("r", 80), ("a", 90), ("I", 90), ("-", 60), ("t", 30)),
    "on": (("a", 150), ("n", 130)), "off": (("O", 150), ("f", 150)),
    "stop": (("s", 110), ("-", 40), ("t", 25), ("a", 120), ("-", 60), ("p", 35)),
    "go": (("g", 25), ("o", 120), ("u", 110)),
}  # fmt: skip


@register("tones")
def tones(train: int | None = None, test: int | None = None, seed: int = 0) -> Sounds:
    """1,200 commands, ten words by twelve made-up speakers; train, test: the first so many of each part."""
    generator = torch.Generator().manual_seed(seed)
    people = torch.arange(SPEAKERS)
    # One in two voices is high; a high voice comes from a short tract, whose formants are high.
    high = (people % 2).float()
    pitch = 95 + 90 * high + 45 * _uniform(SPEAKERS, generator)
    tract = 0.94 + 0.14 * high + 0.12 * _uniform(SPEAKERS, generator)
    pace = 0.85 + 0.35 * _uniform(SPEAKERS, generator)
    take, word, speaker = torch.meshgrid(torch.arange(TAKES), torch.arange(len(WORDS)), people, indexing="ij")
    take, word, speaker = take.flatten(), word.flatten(), speaker.flatten()
    parts = [_speak(word[rows], pitch[speaker[rows]], tract[speaker[rows]], pace[speaker[rows]], generator)
             for rows in torch.arange(len(take)).split(AT_ONCE)]
    x, lengths = (torch.cat(part) for part in zip(*parts, strict=True))
    card = (f"Tones: {len(x):,} spoken-like commands, {len(WORDS)} words by {SPEAKERS} made-up speakers, 8 kHz, at one "
            "loudness; made here, free")
    return first(Sounds("tones", x, word, lengths, speaker, take < TEST_TAKES, tuple(WORDS),
                        tuple(f"speaker {1 + number}" for number in range(SPEAKERS)), card), train, test)


def _uniform(shape, generator, least=0.0, largest=1.0):
    return least + (largest - least) * torch.rand(shape, generator=generator)


def _speak(word, pitch, tract, pace, generator):
    """(x, lengths) of words, (N,), by speakers of this pitch in Hz, tract and pace, (N,) each."""
    count = len(word)
    track, lengths = _tracks(word, pace, generator)
    time = torch.arange(LONGEST) / lengths[:, None]  # 0 to 1 over the word
    pitch = pitch * _uniform(count, generator, 0.9, 1.1)
    falling = 1 - time * _uniform((count, 1), generator, 0.05, 0.3)  # the melody
    buzz = _buzz(pitch[:, None] * falling)
    hiss = _stft(torch.randn(count, LONGEST, generator=generator))
    slips = tract[:, None] * _uniform((count, 3), generator, 0.88, 1.12)
    lazy = _uniform((count, 1, 1), generator, 0.0, 0.5)  # how far the mouth stays half open, at the vowel of "the"
    formants = torch.lerp(track[:, :3], torch.tensor([500.0, 1500.0, 2500.0])[:, None], lazy) * slips[:, :, None]
    mouth, gap = _resonances(formants), _band(track[:, 5] * tract[:, None].sqrt(), track[:, 6])
    breath = _uniform((count, 1, 1), generator, 0.01, 0.08)
    loud = _uniform((count, 1, 1), generator, 0.3, 1.6)
    spectrum = _stft(buzz) * mouth.mul_(track[:, 3:4]) + hiss * (breath * mouth + gap.mul_(track[:, 4:5] * loud))
    x = torch.istft(spectrum, WINDOW, HOP, window=torch.hann_window(WINDOW), length=LONGEST)
    own = torch.arange(LONGEST) < lengths[:, None]
    x = x * own * (1 - time * _uniform((count, 1), generator, 0, 0.9))  # the end of a word is softer
    power = x.square().sum(1) / lengths
    noise = torch.fft.irfft(torch.fft.rfft(torch.randn(count, LONGEST, generator=generator))
                            / torch.arange(1, LONGEST // 2 + 2).sqrt(), n=LONGEST) * own  # pink
    snr = _uniform(count, generator, 8, 25)
    scale = (power / (noise.square().sum(1) / lengths) / 10 ** (snr / 10)).sqrt()
    x = x + scale[:, None] * noise
    x = x * (PEAK / x.abs().amax(1, keepdim=True))
    return torch.nn.functional.pad(x, (0, SAMPLES - LONGEST)), lengths


def _tracks(word, pace, generator):
    """(track, lengths): the seven numbers of PHONES over time, (N, 7, frames), and samples of each word, (N,)."""
    longest = max(map(len, WORDS.values()))
    table, lasting = torch.zeros(len(WORDS), longest, 7), torch.zeros(len(WORDS), longest)
    for row, phones in enumerate(WORDS.values()):
        for column in range(longest):
            name, milliseconds = phones[min(column, len(phones) - 1)]
            table[row, column] = torch.tensor(PHONES[name])
            lasting[row, column] = milliseconds if column < len(phones) else 0
    lasting = lasting[word] / pace[:, None] * _uniform((len(word), longest), generator, 0.75, 1.25)
    ends = lasting.cumsum(1)
    lengths = (ends[:, -1] * (RATE / 1000)).long().clamp(max=LONGEST)
    now = torch.arange(LONGEST // HOP + 1) * (1000 * HOP / RATE)
    phone = torch.searchsorted(ends, now.expand(len(word), -1).contiguous(), right=True).clamp(max=longest - 1)
    track = table[word].gather(1, phone[:, :, None].expand(-1, -1, 7)).transpose(1, 2)
    # The mouth moves from one sound to the next: about 40 ms.
    padded = torch.nn.functional.pad(track, (1, 1), mode="replicate")
    return 0.25 * padded[:, :, :-2] + 0.5 * track + 0.25 * padded[:, :, 2:], lengths


def _buzz(pitch):
    """The vocal folds: the sum of all harmonics of the pitch, (N, T) in Hz, below half the rate, at about unit power.

    1 + 2 Σ_{k=1}^{K} cos kφ = sin((K + 1/2) φ) / sin(φ / 2)
    """
    phase = torch.remainder((pitch.double() / RATE).cumsum(1), 1).float() * (2 * math.pi)
    harmonics = (0.45 * RATE / pitch.amax(1, keepdim=True)).floor()
    below = torch.sin(phase / 2).clamp_min(1e-3)
    return (torch.sin((harmonics + 0.5) * phase) / below - 1) / (2 * harmonics).sqrt()


def _stft(x):
    return torch.stft(x, WINDOW, HOP, window=torch.hann_window(WINDOW), return_complex=True)


def _frequencies():
    return torch.linspace(0, RATE / 2, WINDOW // 2 + 1).view(1, -1, 1)


def _resonances(formants):
    """How the mouth passes each frequency, (N, F, frames), of unit power: three formants, and a slope.

        1 / ((1 − (f / F)²)² + (f B / F²)²)     for a formant of F Hz that is B Hz wide
    """
    f = _frequencies() ** 2
    power = ((1 + f.sqrt() / 2500) / (1 + f.sqrt() / 700)) ** 2
    for index, wide in enumerate((80, 100, 150)):
        square = formants[:, index, None] ** 2
        power = power / ((1 - f / square).square_() + f * (wide / square) ** 2)
    return (power / power.mean(1, keepdim=True)).sqrt_()


def _band(centre, width):
    """How the gap passes each frequency, (N, F, frames), of unit power."""
    power = torch.exp(-2 * ((_frequencies() - centre[:, None]) / width[:, None]).square_())
    return (power / power.mean(1, keepdim=True)).sqrt_()
