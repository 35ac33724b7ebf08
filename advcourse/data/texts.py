"""Messages: what a set of short texts is, the SMS Spam Collection, and what has to be mended in it before use."""

import html
import io
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from advcourse.data.download import File, find, read
from advcourse.data.registry import register

HAM, SPAM = 0, 1
PLACEHOLDER = re.compile(r"<(#|[A-Z]{3,})>")  # <#>, <TIME>: what was made anonymous
WINDOWS = {code: bytes([code]).decode("cp1252", "ignore") for code in range(0x80, 0xA0)}  # its quotation marks
# UCI's archive, and the file in it.
SMS_PACKED = File(
    "sms-spam/sms+spam+collection.zip",
    "sha256:1587ea43e58e82b14ff1f5425c88e17f8496bfcdb67a583dbff9eefaf9963ce3",
    ("https://archive.ics.uci.edu/static/public/228/sms+spam+collection.zip",),
)
SMS_RAW = File(
    "sms-spam/SMSSpamCollection", "sha256:7d039a24a6083ed9ef0f806ebad56bbb976e3aeb8de05669173bfdc4996c239d"
)


@dataclass(frozen=True, eq=False)
class Messages:
    """Short texts in memory, and whether each is spam.

    texts: N strings; labels: int64, shape (N,), 0 for ham and 1 for spam; card: one line that says what it is, how
    large, under which licence and whose work.
    """

    name: str
    texts: tuple[str, ...] = field(repr=False)
    labels: np.ndarray = field(repr=False)
    card: str

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def ham(self) -> list[str]:
        """The texts that are wanted."""
        return [text for text, label in zip(self.texts, self.labels, strict=True) if label == HAM]

    @property
    def spam(self) -> list[str]:
        """The texts that are not."""
        return [text for text, label in zip(self.texts, self.labels, strict=True) if label == SPAM]

    def take(self, indices: Sequence[int]) -> "Messages":
        """Those at these places, in this order."""
        return replace(self, texts=tuple(self.texts[i] for i in indices), labels=self.labels[list(indices)])

    def split(self, *shares: float, seed: int = 0) -> list["Messages"]:
        """Parts drawn at random that share no message: with 0.5, 0.3, 0.2 three of them, of half, of 30 and of 20 %.

        Each class is divided in these shares, to within one message. Raises ValueError for shares that are not positive
        or add up to more than 1.
        """
        if not shares or min(shares) <= 0 or sum(shares) > 1 + 1e-9:
            raise ValueError(f"shares must be positive and add up to 1 at most; got {', '.join(map(str, shares))}")
        rng = np.random.default_rng(seed)
        ends = np.minimum(np.cumsum((0, *shares)), 1)
        parts = [[] for _ in shares]
        for label in (HAM, SPAM):
            places = rng.permutation(np.flatnonzero(self.labels == label))
            cuts = np.round(ends * len(places)).astype(int)
            for part, begin, end in zip(parts, cuts, cuts[1:], strict=False):
                part.extend(places[begin:end])
        return [self.take(rng.permutation(part)) for part in parts]


@register("sms-spam")
def sms_spam(train: int | None = None, test: int | None = None, seed: int = 0) -> Messages:
    """The file as it is, in its order, duplicates and HTML entities included: `cleaned` mends both.

    It comes whole: train, test and seed are ignored.
    """
    content = read(SMS_RAW if find(SMS_RAW.path) else SMS_PACKED)
    if zipfile.is_zipfile(io.BytesIO(content)):
        content = zipfile.ZipFile(io.BytesIO(content)).read("SMSSpamCollection")
    lines = [line.split("\t", 1) for line in content.decode("utf-8").split("\n") if line]
    labels = np.array([SPAM if label == "spam" else HAM for label, _ in lines])
    card = ("SMS Spam Collection: 5,574 text messages, 747 of them spam, as published; CC BY 4.0; "
            "Almeida, Gómez Hidalgo, Yamakami 2011")
    return Messages("sms-spam", tuple(text for _, text in lines), labels, card)


def cleaned(messages: Messages) -> Messages:
    """Without HTML entities, placeholders such as <#> and messages that were there before; the first of equals stays.

    Two are equal that differ in case and blanks alone. In the SMS Spam Collection 415 are (and 2 more once they are
    mended), so that a random split puts the same spam in both parts; and `&lt;` stands in ham alone, for only ham was
    made anonymous. Quotation marks that were saved with the wrong code page are put right, too.
    """
    first, indices, texts = set(), [], []
    for place, text in enumerate(messages.texts):
        plain = " ".join(PLACEHOLDER.sub(" ", html.unescape(text).translate(WINDOWS)).split())
        if plain and plain.casefold() not in first:
            first.add(plain.casefold())
            indices.append(place)
            texts.append(plain)
    few = replace(messages.take(indices), texts=tuple(texts))
    gone = len(messages) - len(few)
    return replace(few, card=f"{messages.card}; cleaned: {len(few):,} left, {gone} duplicates gone") if gone else few
