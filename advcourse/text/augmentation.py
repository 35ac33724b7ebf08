"""More training messages from those that there are: a part, words taken out, words put in."""

from collections.abc import Callable, Sequence

import numpy as np

from advcourse.text.filters import Labels

Augment = Callable[[list[str], np.random.Generator], list[str]]


def substring(words: list[str], rng: np.random.Generator, *, shortest: float = 0.5) -> list[str]:
    """Consecutive words: a share of them, uniform from `shortest` to 1, at a uniform place; never none."""
    length = max(1, round(rng.uniform(shortest, 1) * len(words)))
    begin = rng.integers(len(words) - length + 1)
    return words[begin : begin + length]


def removal(words: list[str], rng: np.random.Generator, *, share: float = 0.2) -> list[str]:
    """Each word is taken out with this probability; where that would leave none, one drawn at random stays."""
    kept = [word for word in words if rng.random() >= share]
    return kept or [words[rng.integers(len(words))]]


def insertion(words: list[str], rng: np.random.Generator, *, others: Sequence[str], share: float = 0.5) -> list[str]:
    """Words of `others` are put in at random places: as many as this share of the message's own, rounded up."""
    longer = list(words)
    for word in rng.choice(others, int(np.ceil(share * len(words)))):
        longer.insert(rng.integers(len(longer) + 1), str(word))
    return longer


def augmented(texts: Sequence[str], labels: Labels, how: Augment, *, copies: int = 3, only: int | None = None,
              seed: int = 0) -> tuple[list[str], np.ndarray]:
    """The texts and `copies` of each, changed by `how`; a copy has the label of its original.

    how: from the words of a text, between blanks, and a random generator to other words. only: the label whose texts
    get copies (1: spam alone); None for all. Returns the texts, the originals first, and their labels.
    """
    rng = np.random.default_rng(seed)
    more, more_labels = list(texts), list(labels)
    for _ in range(copies):
        for text, label in zip(texts, labels, strict=True):
            if only is None or label == only:
                more.append(" ".join(how(text.split(), rng)))
                more_labels.append(label)
    return more, np.array(more_labels)
