"""From a text to its tokens: words, also of one letter; lengths of numbers; and the signs £ $ € ! ? % &."""

import functools
import re
from collections.abc import Iterator

TOKEN = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*|\d+|[£$€!?%&]")
LONGEST = 6  # digits that are told apart; a longer number counts as one of so many


def spans(text: str) -> Iterator[tuple[str, int, int]]:
    """Each token of the text, and where it begins and ends there.

    Words become lower case; a run of n digits becomes `#n`, and `#6` from six digits on.
    """
    for match in TOKEN.finditer(text):
        yield _token(match[0]), match.start(), match.end()


def tokens(text: str) -> list[str]:
    """The tokens of the text, in order."""
    return list(_tokens(text))


def words(text: str) -> frozenset[str]:
    """The tokens of the text, each once: all that the filters see of it."""
    return frozenset(_tokens(text))


@functools.lru_cache(20_000)  # filters are fitted on, and asked about, the same texts again and again
def _tokens(text: str) -> tuple[str, ...]:
    return tuple(map(_token, TOKEN.findall(text)))


@functools.lru_cache(20_000)
def _token(word: str) -> str:
    return f"#{min(len(word), LONGEST)}" if word[0].isdecimal() else word.lower().replace("’", "'")
