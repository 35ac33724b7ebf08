"""Words spelled so that a person reads them and the filter does not know them."""

from collections.abc import Callable, Collection

from advcourse.text.filters import LinearFilter
from advcourse.text.lookalikes import LEET, LOOKALIKES
from advcourse.text.tokens import spans, words

FOREIGN = {latin: foreign for foreign, latin in reversed(LOOKALIKES.items())}  # Cyrillic before Greek
ZERO_WIDTH = "\u200b"


def homoglyphs(word: str) -> str:
    """Its letters in Cyrillic or Greek, where these look the same."""
    return "".join(FOREIGN.get(letter, letter) for letter in word)


def full_width(word: str) -> str:
    """As wide as Chinese characters are: in Unicode's full-width forms."""
    return "".join(chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else letter for letter in word)


def zero_width(word: str) -> str:
    """With a sign of no width between its letters."""
    return ZERO_WIDTH.join(word)


def spaced(word: str) -> str:
    """f r e e."""
    return " ".join(word)


def leet(word: str) -> str:
    """fr33: figures for letters. Figures, too, are tokens that filters know."""
    return "".join(LEET.get(letter.lower(), letter) for letter in word)


def disguise(text: str, chosen: Collection[str], how: Callable[[str], str]) -> str:
    """The text with the tokens that are in `chosen` spelled another way; the rest stays to the letter."""
    pieces, end = [], 0
    for token, begin, stop in spans(text):
        word = text[begin:stop]
        pieces += [text[end:begin], how(word) if token in chosen else word]
        end = stop
    return "".join([*pieces, text[end:]])


def worst_words(judge: LinearFilter, text: str, count: int) -> list[str]:
    """The words of the text that the filter takes most for spam, the worst first: `count` of them at most."""
    bad = [word for word in words(text) if judge.weights.get(word, 0) > 0 and word[0].isalpha()]
    return sorted(bad, key=lambda word: (-judge.weights[word], word))[:count]
