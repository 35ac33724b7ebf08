"""Strings of words, made of recordings of single words: to train and to test networks for CTC."""

import torch
from torch import Tensor

from advcourse.attacks.contract import Model
from advcourse.audio.ctc import String, ctc_loss, decode
from advcourse.audio.hardening import lengths_of

SAMPLES = 16_000  # of a string: 2 s
FEWEST, MOST = 2, 4  # words
PAUSE = 400  # samples between two words, at most: 50 ms


def joined(x: Tensor, y: Tensor, generator: torch.Generator | None = None) -> tuple[Tensor, list[String]]:
    """(sounds, strings): words one after the other in strings of 2 to 4, (M, SAMPLES), and the classes of each.

    x: words, (N, T), taken in their order; y: their classes, (N,). A string that would be too long loses its last
    words; those that are left over at the end make none.
    generator: of the number of words and the pauses, on the CPU; None: torch's global one.
    """
    lengths, sounds, strings, at = lengths_of(x).tolist(), [], [], 0
    while at + MOST <= len(x):
        count = int(torch.randint(FEWEST, MOST + 1, (), generator=generator))
        pauses = torch.randint(PAUSE + 1, (count,), generator=generator).tolist()
        sound, string, place = x.new_zeros(SAMPLES), [], 0
        for word in range(at, at + count):
            place += pauses[word - at]
            if place + lengths[word] > SAMPLES:
                break
            sound[place:place + lengths[word]] = x[word, :lengths[word]]
            string.append(int(y[word]))
            place += lengths[word]
        sounds.append(sound)
        strings.append(tuple(string))
        at += count
    return torch.stack(sounds) if sounds else x.new_zeros(0, SAMPLES), strings


def string_loss(model: Model, x: Tensor, y: Tensor) -> Tensor:
    """The mean CTC loss, per word, of the strings that a batch of words makes; at least four words."""
    sounds, strings = joined(x, y)
    words = torch.tensor([len(string) for string in strings], device=x.device)
    return (ctc_loss(model(sounds), strings) / words).mean()


@torch.no_grad()
def exact(model: Model, x: Tensor, y: Tensor) -> float:
    """The share of strings, made of these words, that are read without a mistake; the same ones in every call."""
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(0)).to(x.device)
    sounds, strings = joined(x[order], y[order], torch.Generator().manual_seed(0))
    found = [string for part in sounds.split(100) for string in decode(model(part))]
    return sum(a == b for a, b in zip(found, strings, strict=True)) / len(strings)
