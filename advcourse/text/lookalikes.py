"""Letters of other alphabets that look like Latin ones, and figures that stand for letters."""

import re
import unicodedata

# A part of Unicode's confusables (Technical Standard 39): Cyrillic and Greek letters that look Latin.
LOOKALIKES = {
    **dict(zip("аесорхуіјѕһԁԛԝ", "aecopxyijshdqw", strict=True)),  # noqa: RUF001 (this is what they are here for)
    **dict(zip("АВЕЅІЈКМНОРСТУХ", "ABESIJKMHOPCTYX", strict=True)),  # noqa: RUF001 (so are these)
    **dict(zip("ανορυχι", "avopuxi", strict=True)),
    **dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEZHIKMNOPTYX", strict=True)),  # noqa: RUF001 (and these)
}
LEET = {"a": "4", "e": "3", "i": "1", "o": "0", "s": "5", "t": "7"}
# What a hasty reader takes for the same: figures for letters, and 1, I and l for one another.
_READ_AS = {**{figure: letter for letter, figure in LEET.items()}, "@": "a", "$": "s", "1": "l", "i": "l"}


def skeleton(text: str) -> str:
    """What the eye makes of a text: two that look alike have the same skeleton.

    Compatible forms (full width, ﬁ), accents, invisible signs, foreign letters and figures in place of letters are
    folded, and so is the case.
    """
    text = unicodedata.normalize("NFKD", text)
    text = "".join(LOOKALIKES.get(sign, sign) for sign in text if unicodedata.category(sign) not in ("Cf", "Mn"))
    text = re.sub(r"(?<=\w)[!|](?=\w)", "l", text.casefold())  # behind a word they are signs of their own
    return "".join(_READ_AS.get(sign, sign) for sign in text)
