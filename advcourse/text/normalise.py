"""Undoing disguises: a text is brought to one form before the filter sees it."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from advcourse.text.filters import Filter
from advcourse.text.lookalikes import LOOKALIKES


def normalise(text: str, lookalikes: Mapping[str, str] = LOOKALIKES) -> str:
    """The text in one form: Unicode's compatibility form NFKC, without invisible signs, without foreign letters.

    NFKC makes full-width letters plain. It leaves zero-width spaces (category Cf, taken out here), and Cyrillic: it
    joins what are forms of one character, and not what looks alike; for that there is the table. £, ü and figures stay.
    Greek and Russian become nonsense: this is for mail in Latin letters.
    """
    text = unicodedata.normalize("NFKC", text)
    return "".join(lookalikes.get(sign, sign) for sign in text if unicodedata.category(sign) != "Cf")


def joined(text: str) -> str:
    """The text with three or more single letters in a row made one word: f r e e.

    Where every word is spaced out, the ends of words are lost.
    """
    return re.sub(r"\b(?:[^\W\d_] ){2,}[^\W\d_]\b", lambda spelled: spelled[0].replace(" ", ""), text)


@dataclass(frozen=True, eq=False)
class NormalisedFilter(Filter):
    """A filter that reads what `normalise` makes of a text."""

    judge: Filter

    def scores(self, texts: Sequence[str]) -> np.ndarray:
        return self.judge.scores([normalise(text) for text in texts])
